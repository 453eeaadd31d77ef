"""Finds how deep a neural network should be for your data, in one training run.

>>> import autogrow
>>> model = autogrow.train("digits", preset="quick")  # doctest: +SKIP
>>> model.depth  # doctest: +SKIP
(4, 4, 4)

:func:`train` takes arrays, data sets of PyTorch, or the name of a registered data set;
:class:`AutoGrowClassifier` and :class:`AutoGrowRegressor` have scikit-learn's interface. What is found is a
:class:`Model`, which goes to PyTorch (:meth:`Model.to_torch`), ONNX (:meth:`Model.to_onnx`) and files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._autogrow import __version__
from ._certificate import Certificate, Contender
from ._errors import (
    ConfigError,
    DataError,
    DeviceError,
    DivergedError,
    Error,
    InternalError,
    InterruptedWarning,
    RunError,
)
from ._history import History
from ._model import Model
from ._run import Run, load
from ._torch import from_torch
from ._train import train

if TYPE_CHECKING:
    from .estimators import AutoGrowClassifier, AutoGrowRegressor

__all__ = [
    "AutoGrowClassifier",
    "AutoGrowRegressor",
    "Certificate",
    "ConfigError",
    "Contender",
    "DataError",
    "DeviceError",
    "DivergedError",
    "Error",
    "History",
    "InternalError",
    "InterruptedWarning",
    "Model",
    "Run",
    "RunError",
    "__version__",
    "from_torch",
    "load",
    "train",
]


def __getattr__(name: str) -> Any:
    # They need scikit-learn, which takes a second to import.
    if name in ("AutoGrowClassifier", "AutoGrowRegressor"):
        from . import estimators

        return getattr(estimators, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
