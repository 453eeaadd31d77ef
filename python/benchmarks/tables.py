"""The tables of docs/python.md: scikit-learn's small data sets, beside its own multi-layer perceptrons.

Each row is the mean and the deviation over five seeds: a quarter of the rows is tested on, another one for each
seed. Seconds are those of the processor, on one thread.
"""

from __future__ import annotations

import os
import time
import warnings
from typing import Any

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from autogrow import AutoGrowClassifier, AutoGrowRegressor

SEEDS = range(5)
LOADERS = {"digits": load_digits, "breast_cancer": load_breast_cancer, "wine": load_wine, "diabetes": load_diabetes}


def estimators(is_regression: bool, seed: int) -> dict[str, Any]:
    """Both with their defaults; the perceptron with what it needs scaled, which AutoGrow does itself."""
    if is_regression:
        perceptron = make_pipeline(StandardScaler(), MLPRegressor(random_state=seed))
        scaled = TransformedTargetRegressor(perceptron, transformer=StandardScaler())
        return {"MLPRegressor": scaled, "AutoGrowRegressor": AutoGrowRegressor(random_state=seed, threads=1)}
    perceptron = make_pipeline(StandardScaler(), MLPClassifier(random_state=seed))
    return {"MLPClassifier": perceptron, "AutoGrowClassifier": AutoGrowClassifier(random_state=seed, threads=1)}


def main() -> None:
    """Prints a row of Markdown for each data set and estimator."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    print("| data | estimator | score | seconds | depth |\n|---|---|---|---|---|")
    for data, load in LOADERS.items():
        x, y = load(return_X_y=True)
        is_regression = data == "diabetes"
        for name in estimators(is_regression, 0):
            scores, seconds, depths = [], [], []
            for seed in SEEDS:
                stratify = None if is_regression else y
                parts = train_test_split(x, y, random_state=seed, stratify=stratify)
                estimator = estimators(is_regression, seed)[name]
                started = time.process_time()
                estimator.fit(parts[0], parts[2])
                seconds.append(time.process_time() - started)
                scores.append(estimator.score(parts[1], parts[3]))
                if hasattr(estimator, "depth_"):
                    depths.append("-".join(map(str, estimator.depth_)))
            factor, unit = (1, "R2") if is_regression else (100, "%")
            score = f"{factor * np.mean(scores):.2f} +- {factor * np.std(scores):.2f} {unit}"
            print(f"| {data} | {name} | {score} | {np.mean(seconds):.1f} | {', '.join(depths)} |", flush=True)


if __name__ == "__main__":
    main()
