"""Training: a network grows on data until more depth does not pay."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeAlias

from numpy.typing import ArrayLike

from . import _autogrow
from ._arrays import Division, given
from ._certificate import certified
from ._errors import InterruptedWarning
from ._history import of_epochs
from ._model import Model
from ._progress import Line
from ._torch import as_text

#: An epoch, as callbacks are given it: the columns of :class:`History`, and ``epochs_left``.
Epoch: TypeAlias = dict[str, Any]

#: What networks are called that nobody has chosen: for rows of a table, and for images.
TABLE, IMAGES = "mlp1net", "basic3resnet"

#: Keys of the configuration by the names that they have here.
KEYS = {
    "policy": "growth.policy",
    "interval": "growth.interval",
    "patience": "growth.patience",
    "epochs": "fine_tune.epochs",
    "width": "network.width",
    "batch_size": "training.batch_size",
    "learning_rate": "training.learning_rate",
    "device": "run.device",
    "threads": "run.threads",
    "seed": "run.seed",
}

#: Seeds of the engine end below this.
SEEDS = 1 << 63


def train(
    data: ArrayLike | Iterable[Any] | str,
    y: ArrayLike | None = None,
    *,
    network: str | None = None,
    depth: int | tuple[int, ...] | str | None = None,
    task: Literal["classes", "values"] | None = None,
    preset: Literal["standard", "paper", "quick"] | None = None,
    settings: Mapping[str, Any] | None = None,
    policy: str | None = None,
    interval: int | None = None,
    patience: int | None = None,
    epochs: int | None = None,
    width: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    held_out: float | None = None,
    device: str | None = None,
    threads: int | None = None,
    seed: int = 0,
    folder: str | os.PathLike[str] | None = None,
    certify: bool = False,
    callback: Callable[[Epoch], object] | None = None,
    verbose: bool = False,
) -> Model:
    """Finds how deep a network should be for the data, and trains it.

    :param data: images ``[n, height, width]`` or ``[n, channels, height, width]``, or rows ``[n, features]``,
        of numbers; an iterable of ``(image, answer)`` pairs or batches, such as a data set of PyTorch, with
        ``y`` left out; or the name of a registered data set, such as ``"digits"``.
    :param y: classes ``[n]`` of any type, or values ``[n]`` or ``[n, width]``.
    :param network: a seed network (``autogrow list networks``): by default a residual MLP for rows and a
        residual network for images.
    :param depth: sub-modules of each sub-network to start from, by default 1.
    :param task: ``"classes"`` or ``"values"`` (regression), by default values where ``y`` holds floats.
    :param preset: settings that go together; by default what suits the size of the data.
    :param settings: any keys of the configuration, such as ``{"training.momentum": 0.8}``.
    :param policy: when to grow: ``"worth"`` (the default for arrays), ``"periodic"``, ``"convergent"``, or
        ``"none"`` for a baseline of the given depth.
    :param interval: K, epochs between two checks of growth.
    :param patience: J, epochs without improvement after which growth stops.
    :param epochs: N, epochs of fine-tuning.
    :param width: channels of the first sub-network.
    :param batch_size: images a step.
    :param learning_rate: step size at the start of each phase.
    :param held_out: part of the images that guides growth and selects the best model, from 0 to 1; by default
        a tenth of large data, a quarter of small ones.
    :param device: ``"auto"``, ``"flex"`` (the CPU), ``"cuda:0"``, ...
    :param threads: threads of the CPU, 0 for all. The result does not depend on them.
    :param seed: fixes everything random: the same seed gives the same bits on the CPU.
    :param folder: where to keep the run, for ``autogrow resume`` and ``autogrow report``; by default nothing
        is written.
    :param certify: whether to ask afterwards what the depth is worth, which fine-tunes two more networks:
        :attr:`Model.certificate` is the answer, see :meth:`Model.certify`.
    :param callback: called after each epoch with a dictionary; ``phase`` is ``certifying`` there for the networks
        of a certificate. An exception from it ends the run and is raised; ``KeyboardInterrupt`` ends it as
        Ctrl-C does.
    :param verbose: whether to show how far the run is.
    :returns: the best network on the images that were held out. After Ctrl-C, with an
        :class:`InterruptedWarning`, the best one so far.
    :raises ConfigError: where settings make no sense.
    :raises DataError: where the data cannot be used.
    :raises DivergedError: where the loss is not finite.
    :raises DeviceError: where the device cannot be used.
    """
    short = {
        "policy": policy,
        "interval": interval,
        "patience": patience,
        "epochs": epochs,
        "width": width,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "device": device,
        "threads": threads,
    }
    chosen: dict[str, Any] = {KEYS["seed"]: seed % SEEDS}
    chosen |= {KEYS[name]: value for name, value in short.items() if value is not None}
    chosen |= dict(settings or {})
    division = Division(task, held_out, seed % SEEDS)
    arrays, classes, is_flat = None, None, None
    if isinstance(data, str):
        network = network or IMAGES
    else:
        arrays, right, is_table = given(data, y, division)
        classes, is_flat = right.classes, right.is_flat
        network = network or (TABLE if is_table else IMAGES)
    request = {
        "data": data if arrays is None else arrays,
        "network": network,
        "depth": None if depth is None else as_text(depth),
        "preset": preset,
        "settings": list(chosen.items()),
        "folder": None if folder is None else os.fspath(folder),
    }
    with Line(verbose) as line:
        engine, run, about = _autogrow.train(request, line.before(callback))
    about["history"] = of_epochs(about["history"])
    about["outcome"] = json.loads(about["outcome"])
    if about["interrupted"]:
        epochs_trained = about["history"].epochs
        text = f"interrupted after {epochs_trained} epochs: this is the best network so far"
        warnings.warn(text, InterruptedWarning, stacklevel=2)
    model = Model(engine, classes=classes, is_flat=is_flat, about=about, run=run, division=division)
    if certify and not model.interrupted:
        try:
            model.certificate = certified(run, arrays, model.task, callback=callback, verbose=verbose)
        except KeyboardInterrupt:
            text = "interrupted while the depth was certified: there is no certificate"
            warnings.warn(text, InterruptedWarning, stacklevel=2)
    return model
