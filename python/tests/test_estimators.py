"""The estimators keep scikit-learn's promises."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, load_iris, load_wine
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import autogrow
from autogrow import AutoGrowClassifier, AutoGrowRegressor

#: Runs that are short enough for some hundred of them.
QUICK: dict[str, Any] = {"policy": "periodic", "interval": 2, "patience": 2, "epochs": 10, "threads": 1}


@parametrize_with_checks([AutoGrowClassifier(**QUICK), AutoGrowRegressor(**QUICK)])
def test_scikit_learns_checks(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize(("load", "least"), [(load_iris, 0.9), (load_wine, 0.9)])
def test_small_tables_are_learnt(load: Any, least: float) -> None:
    x, y = load(return_X_y=True)
    scores = cross_val_score(AutoGrowClassifier(random_state=0, threads=1), x, y, cv=2)
    assert scores.mean() > least, scores


def test_a_small_regression_is_learnt() -> None:
    x, y = load_diabetes(return_X_y=True)
    scores = cross_val_score(AutoGrowRegressor(random_state=0, threads=1), x, y, cv=2)
    assert scores.mean() > 0.35, scores


def test_what_was_found_is_told() -> None:
    x, y = load_iris(return_X_y=True)
    fitted = AutoGrowClassifier(random_state=0, **QUICK).fit(x, y)
    assert fitted.depth_ == fitted.network_.depth
    assert fitted.history_.epochs == len(fitted.history_["val_score"])
    assert fitted.predict_proba(x).sum(axis=1) == pytest.approx(1)
    assert (fitted.decision_function(x).argmax(axis=1) == y).mean() == fitted.score(x, y)


def test_pipelines_searches_clones_and_pickles() -> None:
    x, y = load_iris(return_X_y=True, as_frame=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    search = GridSearchCV(
        make_pipeline(StandardScaler(), AutoGrowClassifier(random_state=0, **QUICK)),
        {"autogrowclassifier__width": [4, 32]},
        cv=2,
    )
    search.fit(x, names)
    again = pickle.loads(pickle.dumps(search))
    assert (again.predict(x) == search.predict(x)).all()
    best = search.best_estimator_[-1]
    assert clone(best).get_params() == best.get_params()


def test_images_in_all_shapes() -> None:
    x, y = load_digits(n_class=3, return_X_y=True)
    x = x.reshape(-1, 8, 8)
    train, test, y_train, y_test = train_test_split(x, y, random_state=0, stratify=y)
    fitted = AutoGrowClassifier(width=8, random_state=0, **QUICK).fit(train, y_train)
    assert fitted.score(test, y_test) > 0.95
    assert fitted.network_.image == (1, 8, 8)
    assert (fitted.network_.predict(test[:, None]) == fitted.predict(test)).all()


def test_several_values_at_once() -> None:
    x, y = load_diabetes(return_X_y=True)
    y = np.stack([y, -y], axis=1)
    found = AutoGrowRegressor(random_state=0, **QUICK).fit(x, y).predict(x)
    assert found.shape == y.shape


def test_errors_are_value_errors() -> None:
    x, y = load_iris(return_X_y=True)
    with pytest.raises(autogrow.ConfigError, match="unknown network"):
        AutoGrowClassifier(network="mlp").fit(x, y)
    with pytest.raises(ValueError, match="Unknown label type"):
        AutoGrowClassifier().fit(x, x[:, 0])
