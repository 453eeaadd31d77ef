"""Data that learn in a second."""

from __future__ import annotations

import signal
from typing import Any

import numpy as np
import pytest

# A job in the background of a shell ignores Ctrl-C, and Python with it.
signal.signal(signal.SIGINT, signal.default_int_handler)

#: Settings of runs that are to be short.
SHORT: dict[str, Any] = {"policy": "periodic", "interval": 1, "patience": 1, "epochs": 2, "threads": 1}


@pytest.fixture(scope="session")
def rows() -> tuple[np.ndarray, np.ndarray]:
    """Rows of four numbers, the sum of the first two of which decides between three classes."""
    x = np.random.default_rng(0).normal([0, 10, 0, 0], [1, 5, 100, 1], (240, 4))
    return x, np.digitize(x[:, 0] + x[:, 1] / 5, [1, 3])


@pytest.fixture(scope="session")
def images() -> tuple[np.ndarray, np.ndarray]:
    """Bright and dark images of 8x8 bytes."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 120)
    return (rng.integers(0, 100, (120, 8, 8)) + 150 * labels[:, None, None]).astype(np.uint8), labels
