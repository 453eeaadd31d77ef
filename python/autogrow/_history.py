"""What every epoch of a run has shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Columns of a history, and what they hold.
COLUMNS: dict[str, Any] = {
    "epoch": np.int64,
    "depth": np.str_,
    "phase": np.str_,
    "learning_rate": np.float64,
    "train_loss": np.float64,
    "train_score": np.float64,
    "val_loss": np.float64,
    "val_score": np.float64,
    "seconds": np.float64,
}


class History(dict[str, NDArray[Any]]):
    """Arrays with an element an epoch.

    ``epoch`` counts from 1; ``depth`` is that of the network in training, such as ``2-1-1``; ``phase`` is
    ``growing``, ``adapting`` or ``fine-tuning``. Scores are percent: accuracy of classes, R2 times 100 of
    values. ``seconds`` are those since the run began.
    """

    @property
    def epochs(self) -> int:
        """How many there were."""
        return len(self["epoch"])

    def to_frame(self) -> Any:
        """The same as a ``pandas.DataFrame``."""
        import pandas

        return pandas.DataFrame(dict(self))


def of_epochs(epochs: Iterable[Mapping[str, Any]]) -> History:
    """Of dictionaries, one an epoch."""
    epochs = list(epochs)
    return History({name: np.array([epoch[name] for epoch in epochs], dtype=kind) for name, kind in COLUMNS.items()})


def of_events(events: Iterable[Mapping[str, Any]]) -> History:
    """Of the events of a journal."""
    return of_epochs(_epoch(event) for event in events if event["event"] == "epoch")


def _epoch(event: Mapping[str, Any]) -> dict[str, Any]:
    metrics = event["metrics"]

    def number(name: str) -> float:
        # JSON has no word for what is not finite.
        value = metrics[name]
        return float("nan") if value is None else float(value)

    return {
        "epoch": event["epoch"],
        "depth": event["depth"],
        "phase": metrics["phase"],
        "learning_rate": number("learning_rate"),
        "train_loss": number("train_loss"),
        "train_score": number("train_accuracy"),
        "val_loss": number("val_loss"),
        "val_score": number("val_accuracy"),
        "seconds": event["seconds"],
    }
