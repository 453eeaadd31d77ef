"""Models as files, as ONNX, as bytes."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autogrow
from conftest import SHORT


def test_a_model_is_what_it_was_after_a_file_or_a_pickle(rows: Any, tmp_path: Path) -> None:
    x, y = rows
    model = autogrow.train(x, y, **SHORT)
    model.save(tmp_path / "net.safetensors")
    read = autogrow.load(tmp_path / "net.safetensors")
    assert isinstance(read, autogrow.Model)
    again = pickle.loads(pickle.dumps(model))
    for other in (read, again):
        assert (other.outputs(x) == model.outputs(x)).all()
        # Classes that are numbers are numbers again.
        assert (other.predict(x) == model.predict(x)).all()
        assert (other.depth, other.network, other.names) == (model.depth, model.network, model.names)
    assert read.history is None
    assert (again.history["val_loss"] == model.history["val_loss"]).all()  # type: ignore[index]


def test_probabilities_are_the_softmax_of_outputs(rows: Any) -> None:
    model = autogrow.train(*rows, **SHORT)
    odds = np.exp(model.outputs(rows[0]).astype(float))
    assert np.allclose(model.predict_proba(rows[0]), odds / odds.sum(axis=1, keepdims=True), atol=1e-12)
    assert len(model.predict(rows[0][:0])) == 0


def test_a_file_that_is_no_model_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "net.safetensors").write_bytes(b"nothing")
    for path in (tmp_path / "net.safetensors", tmp_path / "missing", tmp_path):
        with pytest.raises(autogrow.RunError) as caught:
            autogrow.load(path)
        assert caught.value.hint


def test_weights_of_another_shape_are_refused(rows: Any) -> None:
    model = autogrow.train(*rows, **SHORT)
    weights = model.weights()
    same = model.with_weights(weights)
    assert (same.outputs(rows[0]) == model.outputs(rows[0])).all()
    weights["linear.bias"] = np.full_like(weights["linear.bias"], np.nan)
    with pytest.raises(autogrow.RunError, match="not finite"):
        model.with_weights(weights)
    weights["linear.bias"] = np.zeros(7, np.float32)
    with pytest.raises(autogrow.RunError, match="linear.bias"):
        model.with_weights(weights)


def test_onnx_models_compute_what_models_compute(rows: Any, tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    x, y = rows
    model = autogrow.train(x, y, **SHORT)
    for fold in (False, True):
        model.to_onnx(tmp_path / "net.onnx", fold_batch_norms=fold)
        session = runtime.InferenceSession(tmp_path / "net.onnx")
        (logits,) = session.run(None, {"images": x.astype(np.float32)[:, :, None, None]})
        assert np.abs(logits - model.outputs(x)).max() < 1e-4 * np.abs(logits).max()


def test_columns_of_a_data_frame_are_checked(rows: Any) -> None:
    pandas = pytest.importorskip("pandas")
    x, y = rows
    frame = pandas.DataFrame(x, columns=list("abcd"))
    model = autogrow.train(frame, y, **SHORT)
    assert model.columns == list("abcd")
    assert (model.outputs(frame) == model.outputs(x)).all()
    for wrong in (frame[list("dcba")], frame.rename(columns={"a": "e"})):
        with pytest.raises(autogrow.DataError, match="columns"):
            model.predict(wrong)


def test_a_history_is_a_frame(rows: Any) -> None:
    pytest.importorskip("pandas")
    history = autogrow.train(*rows, **SHORT).history
    assert history is not None
    frame = history.to_frame()
    assert list(frame.columns) == list(history)
    assert len(frame) == history.epochs


def test_run_folders_are_opened(rows: Any, tmp_path: Path) -> None:
    model = autogrow.train(*rows, folder=tmp_path / "run", **SHORT)
    run = autogrow.load(tmp_path / "run")
    assert isinstance(run, autogrow.Run)
    assert run.model.to_bytes() == model.to_bytes()
    assert model.history is not None
    for name, column in model.history.items():
        assert (run.history[name] == column).all(), name
    assert run.outcome == model.outcome
    assert run.events[0]["event"] == "started"
    assert run._repr_html_().startswith("<iframe srcdoc=")
    assert "<svg" in run.report()
