"""Arrays, data frames, tensors and iterables as the arrays that the engine takes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._errors import ConfigError, DataError


class Pixels(NamedTuple):
    """Images, or rows of a table, in C order."""

    #: ``[images, channels, height, width]``: uint8, float32 or float64.
    array: NDArray[Any]
    #: ``(channels, height, width)`` of an image.
    image: tuple[int, int, int]
    #: Names of the columns, where it is a table that has them.
    columns: list[str] | None


def pixels(x: ArrayLike) -> Pixels:
    """``x`` as images: ``[n, features]``, ``[n, height, width]`` or ``[n, channels, height, width]``.

    What is uint8, float32 or float64 in C order already is not copied.
    """
    columns = getattr(x, "columns", None)
    try:
        array = np.asarray(x)
    except Exception as error:
        raise DataError(f"the images are no array: {error}", "all images have one size") from error
    if array.ndim not in (2, 3, 4):
        raise DataError(
            f"an array of {array.ndim} dimensions is not images",
            "give [n, features], [n, height, width] or [n, channels, height, width]",
        )
    if array.dtype == np.bool_:
        array = array.astype(np.uint8)
    elif array.dtype not in (np.uint8, np.float32, np.float64):
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError) as error:
            hint = "turn text into numbers, as scikit-learn's OneHotEncoder does"
            raise DataError(f"the images are not numbers: {error}", hint) from error
    if array.dtype != np.uint8 and not np.isfinite(array).all():
        raise DataError("the images hold NaN or infinity", "fill them in, or leave these images out")
    array = np.ascontiguousarray(array)
    sizes = array.shape[1:]
    image = {1: (*sizes, 1, 1), 2: (1, *sizes), 3: sizes}[len(sizes)]
    names = None
    if array.ndim == 2 and columns is not None:
        names = [str(name) for name in columns]
    return Pixels(array, (int(image[0]), int(image[1]), int(image[2])), names)


class Answers(NamedTuple):
    """What is right for each image."""

    #: Classes ``[n]`` of int64, or values ``[n, width]`` of float64.
    array: NDArray[Any]
    #: The classes, in order; ``None`` of values.
    classes: NDArray[Any] | None
    #: Names of the classes or of the values.
    names: list[str]
    #: Whether ``y`` was ``[n]``.
    is_flat: bool


def answers(y: ArrayLike, task: str | None, count: int) -> Answers:
    """``y`` as classes or values: as ``task`` says, else values where it holds floats."""
    array = np.asarray(y)
    if len(array) != count:
        raise DataError(f"{len(array)} answers for {count} images", "give one for each image")
    if task is None:
        task = "values" if array.dtype.kind == "f" else "classes"
    if task == "classes":
        if array.ndim != 1:
            raise DataError(f"classes of {array.ndim} dimensions", "give [n] classes")
        classes, labels = np.unique(array, return_inverse=True)
        names = [str(name) for name in classes.tolist()]
        return Answers(labels.astype(np.int64).reshape(-1), classes, names, True)
    if task != "values":
        raise DataError(f"there is no task {task!r}", "it is 'classes' or 'values'")
    if array.ndim not in (1, 2):
        raise DataError(f"values of {array.ndim} dimensions", "give [n] or [n, width] values")
    try:
        values = array.reshape(count, -1).astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"the values are not numbers: {error}", "task='classes' takes text") from error
    columns = getattr(y, "columns", None)
    name = getattr(y, "name", None)
    if columns is not None:
        names = [str(name) for name in columns]
    elif values.shape[1] == 1:
        names = [str(name) if name is not None else "y"]
    else:
        names = [f"y{column}" for column in range(values.shape[1])]
    return Answers(np.ascontiguousarray(values), None, names, array.ndim == 1)


class Division(NamedTuple):
    """How data are read, and which part of them is held out."""

    #: ``"classes"`` or ``"values"``; by default what ``y`` holds.
    task: str | None
    #: Part of the images that guides growth, from 0 to 1; by default what suits their number.
    held_out: float | None
    #: Fixes which.
    seed: int


class Given(NamedTuple):
    """Data in memory, for the engine."""

    request: dict[str, Any]
    answers: Answers
    #: Whether they are rows of a table.
    is_table: bool


def given(data: Any, y: ArrayLike | None, division: Division) -> Given:
    """``data`` and ``y`` as the engine takes them; ``y`` is ``None`` where ``data`` are pairs."""
    answered: Any = y
    if y is None:
        data, answered = collected(data)
    x = pixels(data)
    right = answers(answered, division.task, len(x.array))
    if len(x.array) < 2:
        raise DataError("1 sample is too few", "give more images: some are held out for validation")
    if division.held_out is not None and not 0 < division.held_out < 1:
        raise ConfigError(f"held_out = {division.held_out} is out of range", "it lies between 0 and 1")
    request = {
        "pixels": x.array,
        "image": x.image,
        "answers": right.array,
        "names": right.names,
        "is_regression": right.classes is None,
        "columns": x.columns,
        "held_out": division.held_out,
        "seed": division.seed,
    }
    return Given(request, right, x.image[1:] == (1, 1))


def collected(data: Iterable[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Images and answers of an iterable of ``(image, answer)`` pairs, or of batches of them: a data set or
    a loader of PyTorch, a generator."""
    images: list[NDArray[Any]] = []
    answers: list[NDArray[Any]] = []
    for number, pair in enumerate(_items(data)):
        try:
            image, answer = pair
            image, answer = np.asarray(image), np.asarray(answer)
        except (TypeError, ValueError) as error:
            hint = "yield pairs of an image and its class, or of batches of both"
            raise DataError(f"item {number} is not an image and an answer: {error}", hint) from error
        is_batch = answer.ndim > 0 and image.ndim > 1 and len(image) == len(answer)
        images.append(image if is_batch else image[np.newaxis])
        answers.append(answer if is_batch else answer[np.newaxis])
    if not images:
        raise DataError("there are no images", "an iterator can be read once only")
    try:
        return np.concatenate(images), np.concatenate(answers)
    except ValueError as error:
        raise DataError(f"the images differ: {error}", "all images have one size") from error


def _items(data: Any) -> Iterable[Any]:
    # Data sets of PyTorch need not end by themselves.
    if hasattr(data, "__getitem__") and hasattr(data, "__len__"):
        return (data[place] for place in range(len(data)))
    items: Iterable[Any] = data
    return items
