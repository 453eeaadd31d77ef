"""The table of docs/families.md, Tables: what `autogrow train` makes of a table when nothing is chosen.

The tables are scikit-learn's, as pandas writes them. The command says which rows are which
(`autogrow data csv --list`); scikit-learn's estimators train on those that it trains on and those that it holds out
to select on. Scores are of the same test rows; mean and deviation over five seeds. Seconds are those of the
processor, on one thread.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

SEEDS = range(5)
VALUES = {"diabetes", "friedman1", "regression"}
FIXED = ["--policy", "none", "--depth", "2"]


def tables() -> dict[str, pd.DataFrame]:
    """Five sets of scikit-learn's, five kinds of made-up classes, two of made-up values."""
    loaded = {
        name: getattr(datasets, f"load_{name}")(as_frame=True).frame
        for name in ("wine", "breast_cancer", "iris", "digits", "diabetes")
    }
    made = datasets.make_classification
    of = {"random_state": 0}
    generated = {
        "classes, far apart": made(1000, class_sep=2.0, **of),
        "classes, 55 of 60 columns noise": made(1000, n_features=60, n_informative=5, n_redundant=0, **of),
        "classes, close": made(1000, class_sep=0.5, n_informative=8, **of),
        "5 classes of 3 clusters": made(1000, n_informative=10, n_classes=5, n_clusters_per_class=3, **of),
        "classes, 9 to 1": made(1000, weights=[0.9, 0.1], n_informative=5, **of),
        "friedman1": datasets.make_friedman1(1000, noise=1.0, **of),
        "regression": datasets.make_regression(1000, 20, noise=10, **of),
    }
    for name, (x, y) in generated.items():
        loaded[name] = pd.DataFrame(x, columns=[f"x{i}" for i in range(x.shape[1])]).assign(target=y)
    return loaded


def rivals(is_values: bool, seed: int) -> dict[str, Any]:
    """scikit-learn's, with what they need scaled."""
    if is_values:
        perceptron = make_pipeline(StandardScaler(), MLPRegressor(max_iter=500, random_state=seed))
        return {
            "MLP": TransformedTargetRegressor(perceptron, transformer=StandardScaler()),
            "HistGradientBoosting": HistGradientBoostingRegressor(random_state=seed),
            "linear": make_pipeline(StandardScaler(), Ridge()),
        }
    return {
        "MLP": make_pipeline(StandardScaler(), MLPClassifier(max_iter=500, random_state=seed)),
        "HistGradientBoosting": HistGradientBoostingClassifier(random_state=seed),
        "linear": make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
    }


def main() -> None:
    """Prints a row of Markdown for each table. The program is the first argument, else `autogrow`."""
    warnings.simplefilter("ignore")
    program = sys.argv[1] if len(sys.argv) > 1 else "autogrow"
    columns = ["found", "depth 2", "MLP", "HistGradientBoosting", "linear"]
    print("| table | " + " | ".join(columns) + " | seconds | MLP's |\n|" + "---|" * (len(columns) + 3))
    for name, table in tables().items():
        scores: dict[str, list[float]] = {column: [] for column in columns}
        seconds: dict[str, list[float]] = {"found": [], "MLP": []}
        objective = ["--set", "training.objective=values"] if name in VALUES else []
        with tempfile.TemporaryDirectory() as place:
            path = Path(place, "table.csv")
            table.to_csv(path, index=False)
            x, y = table.drop(columns="target").to_numpy(float), table["target"].to_numpy()
            for seed in SEEDS:
                data = ["--data", "csv", "--dir", str(path), "--seed", str(seed), *objective]
                for column, more in (("found", []), ("depth 2", FIXED)):
                    run = Path(place, f"{column}-{seed}")
                    started = os.times().children_user
                    command = [program, "train", str(run), *data, *more, "--threads", "1", "--quiet"]
                    subprocess.run(command, check=True, capture_output=True)
                    if column == "found":
                        seconds[column].append(os.times().children_user - started)
                    scores[column].append(json.loads((run / "result.json").read_text())["test_accuracy"])
                listing = subprocess.run(
                    [program, "data", "csv", *data[2:], "--list"], check=True, capture_output=True, text=True
                )
                rows: dict[str, list[int]] = {"train": [], "val": [], "test": []}
                for line in listing.stdout.splitlines():
                    part, *_, place_in_file = line.split("\t")
                    rows[part].append(int(place_in_file.split()[-1]) - 2)
                train, test = rows["train"] + rows["val"], rows["test"]
                for column, rival in rivals(name in VALUES, seed).items():
                    started_fit = time.process_time()
                    rival.fit(x[train], y[train])
                    if column == "MLP":
                        seconds[column].append(time.process_time() - started_fit)
                    scores[column].append(100 * rival.score(x[test], y[test]))
        told = [f"{np.mean(scores[column]):.1f} ± {np.std(scores[column], ddof=1):.1f}" for column in columns]
        clock = [f"{np.mean(seconds[who]):.1f}" for who in ("found", "MLP")]
        print(f"| {name} | " + " | ".join(told + clock) + " |", flush=True)


if __name__ == "__main__":
    main()
