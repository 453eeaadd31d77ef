"""Images: how deep a network for handwritten digits should be.

What is here runs as a script and, cell by cell (``# %%``), as a notebook.
"""

# %% The data: 1,797 images of 8x8 pixels, from 0 to 16.
import sys

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import autogrow

x, y = load_digits(return_X_y=True)
images = x.reshape(-1, 8, 8).astype("uint8") * 15
train, test, y_train, y_test = train_test_split(images, y, random_state=0, stratify=y)

# %% A run. Everything has a default; these settings make it a matter of seconds.
quick = "--quick" in sys.argv
model = autogrow.train(train, y_train, width=8, epochs=4 if quick else 20, interval=1 if quick else 4)
print(model)

# %% What it has found, and how it has come there.
print("depth", model.depth, "with", model.parameters, "parameters")
assert model.history is not None
for epoch, depth, score in zip(*(model.history[name] for name in ("epoch", "depth", "val_score")), strict=True):
    print(f"{epoch:>3}  {depth:<8} {score:6.2f} %")

# %% Images that it has not seen.
accuracy = (model.predict(test) == y_test).mean()
print(f"accuracy {100 * accuracy:.2f} %")

# %% Mistakes, surest first.
probabilities = model.predict_proba(test)
wrong = [i for i in probabilities.max(axis=1).argsort()[::-1] if model.classes[probabilities[i].argmax()] != y_test[i]]
for i in wrong[:5]:
    print(f"image {i}: a {y_test[i]}, taken for a {probabilities[i].argmax()} ({probabilities[i].max():.0%})")
