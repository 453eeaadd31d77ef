"""A table: a network in a scikit-learn pipeline, compared and searched like any other estimator."""

# %% Patients, ten measurements each, and how their diabetes was a year later.
import sys

from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from autogrow import AutoGrowRegressor

x, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
quick = "--quick" in sys.argv

# %% Text and categories become columns; numbers are standardised by the network itself.
columns = make_column_transformer((OneHotEncoder(drop="if_binary"), ["sex"]), remainder="passthrough")
network = AutoGrowRegressor(random_state=0, epochs=5 if quick else None)

# %% Five folds.
for name, estimator in {"ridge regression": RidgeCV(), "AutoGrow": network}.items():
    scores = cross_val_score(make_pipeline(columns, estimator), x, y, cv=2 if quick else 5)
    print(f"{name}: R2 {scores.mean():.3f} +- {scores.std():.3f}")

# %% The whole table, and what was found.
pipeline = make_pipeline(columns, network).fit(x, y)
print("depth", pipeline[-1].depth_, "after", pipeline[-1].history_.epochs, "epochs")
