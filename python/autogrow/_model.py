"""Trained networks."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _autogrow
from ._arrays import Division, given, pixels
from ._certificate import Certificate, certified
from ._errors import DataError, RunError
from ._history import History

if TYPE_CHECKING:
    import torch


class Model:
    """A trained network, with all that its file tells: outputs, preprocessing, architecture.

    :func:`autogrow.train` and :func:`autogrow.load` make models. They can be pickled.
    """

    #: What every epoch of its training has shown; ``None`` where a file was loaded.
    history: History | None
    #: The result of the run: depths, scores, times; ``None`` where a file was loaded.
    outcome: dict[str, Any] | None
    #: Whether its training was interrupted.
    interrupted: bool
    #: What its depth is worth beside one level less and one more, once :meth:`certify` or ``certify=True`` has
    #: asked; ``None`` before.
    certificate: Certificate | None
    #: The classes, in the order of the outputs; ``None`` of a regression.
    classes: NDArray[Any] | None

    def __init__(
        self,
        engine: _autogrow.Model,
        *,
        classes: NDArray[Any] | None = None,
        is_flat: bool | None = None,
        about: dict[str, Any] | None = None,
        run: _autogrow.Finished | None = None,
        division: Division | None = None,
    ) -> None:
        self._engine = engine
        self._info: dict[str, Any] = json.loads(engine.info())
        about = about or {}
        self.history = about.get("history")
        self.outcome = about.get("outcome")
        self.interrupted = bool(about.get("interrupted", False))
        self.certificate = about.get("certificate")
        self._run, self._division = run, division
        self.classes = classes if classes is not None or self.task != "classes" else _classes(self.names)
        self._is_flat = len(self.names) == 1 if is_flat is None else is_flat

    @property
    def network(self) -> str:
        """Name of the seed network that it has grown from, such as ``basic3resnet``."""
        return str(self._info["architecture"]["network"])

    @property
    def depth(self) -> tuple[int, ...]:
        """Sub-modules (blocks) of each sub-network (stage)."""
        return tuple(int(count) for count in self._info["architecture"]["depth"].split("-"))

    @property
    def image(self) -> tuple[int, int, int]:
        """``(channels, height, width)`` of the images that it takes; rows are ``(features, 1, 1)``."""
        channels, height, width = self._info["architecture"]["image"]
        return (channels, height, width)

    @property
    def task(self) -> Literal["classes", "values", "labels"]:
        """What it gives: one of several classes, values (regression), or several labels at once."""
        if "classes" in self._info:
            return "classes"
        return "values" if "values" in self._info else "labels"

    @property
    def names(self) -> list[str]:
        """Names of its outputs, in order."""
        outputs = self._info[self.task]
        return [value["name"] for value in outputs] if self.task == "values" else list(outputs)

    @property
    def parameters(self) -> int:
        """Number of trainable parameters."""
        return self._engine.size()[0]

    @property
    def macs(self) -> int:
        """Multiply-accumulate operations for one image."""
        return self._engine.size()[1]

    @property
    def columns(self) -> list[str] | None:
        """Names of the columns of the table that it takes; ``None`` of images."""
        table = self._info.get("table")
        return None if table is None else [column["name"] for column in table["columns"]]

    @property
    def preprocessing(self) -> dict[str, Any] | None:
        """How images become what the network sees: ``mean`` and ``std`` of each channel, of pixels from 0 to 1
        where they are bytes, and of numbers as they stand in the data where they are floats. ``None`` of rows."""
        how: dict[str, Any] | None = self._info["preprocessing"]
        return how

    def outputs(self, x: ArrayLike, *, threads: int = 0) -> NDArray[np.float32]:
        """Outputs ``[n, outputs]`` of images or rows as they stand in the data.

        Class scores (logits), standardised values, or log odds of labels. ``threads`` are those of the CPU, 0
        for all; the result does not depend on them.
        """
        given = pixels(x)
        _check_columns(self.columns, given.columns)
        numbers = self._engine.outputs(given.array, given.image, threads)
        return np.frombuffer(numbers, np.float32).reshape(len(given.array), len(self.names))

    def predict_proba(self, x: ArrayLike, *, threads: int = 0) -> NDArray[np.float64]:
        """Probabilities ``[n, classes]``, or ``[n, labels]``."""
        scores = self.outputs(x, threads=threads).astype(np.float64)
        if self.task == "values":
            raise AttributeError("a regression has no probabilities")
        if self.task == "labels":
            return np.asarray(0.5 * (1.0 + np.tanh(0.5 * scores)))
        scores -= scores.max(axis=1, keepdims=True)
        odds = np.exp(scores)
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))

    def predict(self, x: ArrayLike, *, threads: int = 0) -> NDArray[Any]:
        """The class of each of ``[n]`` images; values ``[n]`` or ``[n, width]`` in the units of the data; or
        labels ``[n, labels]``, 0 or 1."""
        outputs = self.outputs(x, threads=threads)
        if self.classes is not None:
            return np.asarray(self.classes[outputs.argmax(axis=1)])
        if self.task == "labels":
            return (outputs > 0).astype(np.int64)
        means, deviations = np.array(self._engine.scales()).T
        values = means + deviations * outputs.astype(np.float64)
        return values[:, 0] if self._is_flat else np.asarray(values)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a safetensors file with PyTorch's names, and classes and preprocessing inside, so that
        ``autogrow predict`` and :func:`autogrow.load` need nothing else."""
        self._engine.save(os.fspath(path))

    def to_bytes(self) -> bytes:
        """What :meth:`save` would write."""
        return self._engine.to_bytes()

    def to_onnx(self, path: str | os.PathLike[str], *, fold_batch_norms: bool = False) -> None:
        """Writes an ONNX file: input ``images``, output ``logits`` or ``values``, any batch size."""
        Path(path).write_bytes(self._engine.to_onnx(os.fspath(path), fold_batch_norms))

    def to_torch(self) -> torch.nn.Module:
        """The network as a plain ``torch.nn.Module`` in evaluation mode.

        It takes images ``[n, channels, height, width]`` as the network sees them (normalised), or rows
        ``[n, features]`` of a table as they stand in it, and gives what :meth:`outputs` gives. It can be trained
        on.
        """
        from ._torch import to_torch

        return to_torch(self._engine)

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """Parameters and running statistics by PyTorch's name."""
        return {
            name: np.frombuffer(numbers, np.float32).reshape(shape) for name, shape, numbers in self._engine.weights()
        }

    def with_weights(self, state_dict: Any) -> Model:
        """The same network with the weights of a state dict, such as that of :meth:`to_torch`'s module after
        training in PyTorch."""
        from ._torch import weights

        engine = self._engine.with_weights(weights(state_dict))
        return Model(engine, classes=self.classes, is_flat=self._is_flat)

    def certify(
        self,
        data: Any = None,
        y: ArrayLike | None = None,
        *,
        seeds: int = 1,
        price: float | None = None,
        callback: Callable[[dict[str, Any]], object] | None = None,
        verbose: bool = False,
    ) -> Certificate:
        """What its depth is worth: the network as growth left it, one level shallower and one deeper, each trained
        to the end on the same batches, and compared on the images that the run was tested on.

        Of data in memory these are the images that were held out, which have selected the epoch of each network. Where
        the run is kept in a folder, that has the certificate too.

        :param data: the data of :func:`train` again, which are not kept; nothing for a data set that has a name.
        :param y: the answers, as there.
        :param seeds: in how many orders of the images each is trained. Their scatter counts as error.
        :param price: percentage points that a doubling of the cost has to bring, by default those of the run
            (``growth.price``).
        :param callback: called after each epoch of each network; ``phase`` is ``certifying``.
        :param verbose: whether to show how far it is.
        :returns: the certificate, which is :attr:`certificate` from then on.
        :raises RunError: where the data are others than those of the run; where the model is of a file or a
            pickle, which have no run.
        """
        if self._run is None or self._division is None:
            hint = "train(..., folder=...) keeps the run, and autogrow.load(folder).certify() asks later"
            raise RunError("the run of this model is not known", hint)
        arrays = None if data is None else given(data, y, self._division).request
        self.certificate = certified(
            self._run, arrays, self.task, seeds=seeds, price=price, callback=callback, verbose=verbose
        )
        return self.certificate

    def __repr__(self) -> str:
        depth = "-".join(map(str, self.depth))
        return f"<autogrow.Model {self.network} {depth}, {len(self.names)} {self.task}>"

    def __reduce__(self) -> tuple[Any, ...]:
        names = ("history", "outcome", "interrupted", "certificate")
        about = {name: getattr(self, name) for name in names}
        return (_of_bytes, (self.to_bytes(), self.classes, self._is_flat, about))


def _of_bytes(data: bytes, classes: NDArray[Any] | None, is_flat: bool, about: dict[str, Any]) -> Model:
    return Model(_autogrow.Model.from_bytes(data), classes=classes, is_flat=is_flat, about=about)


def _check_columns(own: list[str] | None, given: list[str] | None) -> None:
    """Whether a data frame has the columns of the one that the model was trained on."""
    # Those of an array have no names of their own.
    if own is None or given is None or own == [f"x{place}" for place in range(len(own))] or own == given:
        return
    order = "in another order" if sorted(own) == sorted(given) else "others"
    raise DataError(f"the columns are {order} than those that it was trained on", "give x[model.columns]")


def _classes(names: list[str]) -> NDArray[Any]:
    """Names of classes; those that are whole numbers are numbers again."""
    try:
        numbers = [int(name) for name in names]
    except ValueError:
        return np.array(names)
    return np.array(numbers) if [str(number) for number in numbers] == names else np.array(names)
