"""What is taken for images and answers, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from autogrow import DataError
from autogrow._arrays import answers, collected, pixels


def test_what_is_right_already_is_not_copied() -> None:
    for kind in (np.uint8, np.float32, np.float64):
        x = np.zeros((3, 2, 4, 5), kind)
        given = pixels(x)
        assert given.array is x
        assert given.image == (2, 4, 5)
    assert pixels(np.zeros((3, 7))).image == (7, 1, 1)
    assert pixels(np.zeros((3, 4, 5))).image == (1, 4, 5)


def test_other_numbers_become_floats() -> None:
    assert pixels(np.zeros((3, 2), np.int64)).array.dtype == np.float64
    assert pixels(np.zeros((3, 2), np.float16)).array.dtype == np.float64
    assert pixels([[1, 2], [3, 4]]).array.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert pixels(np.zeros((3, 2), bool)).array.dtype == np.uint8
    turned = np.zeros((4, 3)).T
    assert pixels(turned).array.flags.c_contiguous


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros(3), "1 dimensions"),
        (np.zeros((2, 2, 2, 2, 2)), "5 dimensions"),
        (np.array([["red"], ["blue"]]), "not numbers"),
        (np.array([[1.0], [np.nan]]), "NaN"),
    ],
)
def test_what_is_no_image_is_refused_with_a_hint(x: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        pixels(x)
    assert caught.value.hint
    # As scikit-learn's callers expect it.
    assert isinstance(caught.value, ValueError)


def test_floats_are_values_and_all_else_is_a_class() -> None:
    assert answers([0.5, 1.5], None, 2).classes is None
    assert answers(["b", "a", "b"], None, 3).array.tolist() == [1, 0, 1]
    assert answers([1.0, 0.0], "classes", 2).classes is not None
    assert answers([[1, 2], [3, 4]], "values", 2).names == ["y0", "y1"]
    with pytest.raises(DataError, match="2 answers for 3 images"):
        answers([0, 1], None, 3)
    with pytest.raises(DataError, match="not numbers"):
        answers(["a", "b"], "values", 2)


def test_samples_and_batches_come_to_the_same() -> None:
    x, y = np.arange(24.0).reshape(6, 4), np.arange(6) % 2
    batches = ((x[i : i + 4], y[i : i + 4]) for i in (0, 4))
    for data in (list(zip(x, y, strict=True)), batches):
        images, labels = collected(data)
        assert images.tolist() == x.tolist()
        assert labels.tolist() == y.tolist()
    with pytest.raises(DataError, match="item 0"):
        collected([1, 2])
    with pytest.raises(DataError, match="no images"):
        collected([])
    with pytest.raises(DataError, match="differ"):
        collected([(np.zeros(2), 0), (np.zeros(3), 1)])


def test_columns_of_a_data_frame_are_named() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"size": [1, 2], "weight": [0.5, 1.5]})
    assert pixels(frame).columns == ["size", "weight"]
    assert answers(pandas.Series([0.5, 1.5], name="price"), None, 2).names == ["price"]
