"""Runs: what they find, how they end, and that they are those of the command line."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autogrow
from conftest import SHORT


def test_rows_are_learnt(rows: Any) -> None:
    x, y = rows
    model = autogrow.train(x, y, interval=4, epochs=30, threads=1)
    assert (model.predict(x) == y).mean() > 0.9
    assert model.network == "mlp1net"
    assert model.image == (4, 1, 1)
    assert model.history is not None and model.history["val_score"].max() > 85
    assert model.outcome is not None and model.outcome["parameters"] == model.parameters


def test_images_are_learnt(images: Any) -> None:
    x, y = images
    names = np.array(["dark", "bright"])[y]
    for given in (x, x[:, None], x.astype(np.float32) / 7 - 3):
        model = autogrow.train(given, names, width=4, **SHORT)
        assert set(model.predict(given)) == {"dark", "bright"}
        assert (model.predict(given) == names).all()
        assert model.network == "basic3resnet"
        assert len(model.depth) == 3


def test_values_are_learnt_in_their_unit(rows: Any) -> None:
    x, _ = rows
    y = np.stack([1e6 + 1e5 * x[:, 0], x[:, 1]], axis=1)
    model = autogrow.train(x, y, interval=4, epochs=30, threads=1)
    assert model.task == "values"
    error = np.abs(model.predict(x) - y).mean(axis=0) / y.std(axis=0)
    assert (error < 0.3).all(), error
    assert autogrow.train(x, y[:, 0], **SHORT).predict(x).shape == (240,)
    with pytest.raises(AttributeError):
        model.predict_proba(x)


def test_the_same_seed_gives_the_same_bits(rows: Any) -> None:
    x, y = rows
    one = autogrow.train(x, y, seed=3, **SHORT).to_bytes()
    assert autogrow.train(x, y, seed=3, **{**SHORT, "threads": 2}).to_bytes() == one
    assert autogrow.train(x, y, seed=4, **SHORT).to_bytes() != one


@pytest.mark.skipif("PROGRAM" not in os.environ, reason="the command was not built")
def test_a_named_data_set_gives_the_bits_of_the_command_line(tmp_path: Path) -> None:
    settings = {"network.width": 4, "data.fraction": 0.2}
    model = autogrow.train("digits", preset="quick", settings=settings, **{**SHORT, "seed": 5})
    program = os.environ["PROGRAM"]
    arguments = ["--quick", "--set", "network.width=4", "--set", "data.fraction=0.2", "--seed", "5"]
    arguments += ["--policy", "periodic", "--interval", "1", "--patience", "1", "--epochs", "2"]
    run = [program, "train", str(tmp_path / "run"), "--threads", "1", "--quiet", *arguments]
    subprocess.run(run, check=True)
    theirs = autogrow.load(tmp_path / "run")
    assert isinstance(theirs, autogrow.Run)
    assert theirs.model.to_bytes() == model.to_bytes()
    assert model.outcome is not None and theirs.outcome is not None
    assert theirs.outcome["test_accuracy"] == model.outcome["test_accuracy"]


def test_iterables_are_read(images: Any) -> None:
    x, y = images
    of_arrays = autogrow.train(x, y, width=4, **SHORT)
    of_pairs = autogrow.train(zip(x, y, strict=True), width=4, **SHORT)
    assert of_pairs.to_bytes() == of_arrays.to_bytes()


def test_a_callback_is_told_each_epoch_in_the_calling_thread(rows: Any) -> None:
    told: list[dict[str, Any]] = []
    threads = set()

    def callback(epoch: dict[str, Any]) -> None:
        told.append(epoch)
        threads.add(threading.get_ident())

    model = autogrow.train(*rows, callback=callback, **SHORT)
    assert threads == {threading.get_ident()}
    assert model.history is not None
    assert [epoch["epoch"] for epoch in told] == model.history["epoch"].tolist()
    assert told[-1]["phase"] == "fine-tuning"
    assert told[-1]["epochs_left"] == 0


def test_an_error_of_a_callback_ends_the_run_at_once(rows: Any) -> None:
    told = []

    def callback(epoch: dict[str, Any]) -> None:
        told.append(epoch["epoch"])
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        autogrow.train(*rows, callback=callback, **SHORT)
    assert told == [1]


def test_an_interrupted_run_gives_what_there_is(rows: Any) -> None:
    x, y = rows

    def callback(epoch: dict[str, Any]) -> None:
        if epoch["epoch"] == 12:
            signal.raise_signal(signal.SIGINT)

    with pytest.warns(autogrow.InterruptedWarning, match="after 12 epochs"):
        model = autogrow.train(x, y, callback=callback, **{**SHORT, "epochs": 100})
    assert model.interrupted
    assert model.history is not None and model.history.epochs == 12
    assert (model.predict(x) == y).mean() > 0.6


def test_a_run_that_has_nothing_yet_is_interrupted_like_any_call(rows: Any) -> None:
    x, y = np.tile(rows[0], (400, 1)), np.tile(rows[1], 400)
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        autogrow.train(x, y, threads=1, batch_size=2)
    timer.join()


def test_an_interrupted_run_in_a_folder_is_resumed(rows: Any, tmp_path: Path) -> None:
    def callback(epoch: dict[str, Any]) -> None:
        if epoch["epoch"] == 2:
            raise KeyboardInterrupt

    with pytest.warns(autogrow.InterruptedWarning):
        autogrow.train(*rows, folder=tmp_path / "run", callback=callback, **SHORT)
    run = autogrow.load(tmp_path / "run")
    assert isinstance(run, autogrow.Run)
    assert run.outcome is None
    assert run.history.epochs == 2


def test_two_threads_fit_at_once(rows: Any) -> None:
    alone = [autogrow.train(*rows, seed=seed, **SHORT).to_bytes() for seed in (0, 1)]
    found: dict[int, bytes] = {}
    # Each waits after its first epoch until the other is there too.
    both = threading.Barrier(2, timeout=120)

    def callback(epoch: dict[str, Any]) -> None:
        if epoch["epoch"] == 1:
            both.wait()

    def fit(seed: int) -> None:
        found[seed] = autogrow.train(*rows, seed=seed, callback=callback, **SHORT).to_bytes()

    threads = [threading.Thread(target=fit, args=(seed,)) for seed in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[0], found[1]] == alone


@pytest.mark.parametrize(
    ("error", "message", "hint", "arguments"),
    [
        (autogrow.ConfigError, "unknown network", "did you mean", {"network": "mlp1ne"}),
        (autogrow.ConfigError, "unknown configuration key", "did you mean", {"settings": {"run.sed": 1}}),
        (autogrow.ConfigError, "training.batch_size", None, {"settings": {"training.batch_size": "x"}}),
        (autogrow.ConfigError, "out of range", "it is", {"learning_rate": -1.0}),
        (autogrow.ConfigError, "network.depth", "network.depth=1", {"depth": (1, 1)}),
        (autogrow.ConfigError, "unknown preset", "valid", {"preset": "slow"}),
        (autogrow.ConfigError, "held_out", "between", {"held_out": 1.0}),
        (autogrow.DeviceError, "not built in", "build with", {"device": "cuda"}),
        (autogrow.DivergedError, "diverged", "learning_rate", {"learning_rate": 1e30}),
    ],
)
def test_errors_are_typed_and_have_hints(
    error: type[autogrow.Error], message: str, hint: str | None, arguments: dict[str, Any], rows: Any
) -> None:
    with pytest.raises(error, match=message) as caught:
        autogrow.train(*rows, **{**SHORT, **arguments})
    assert isinstance(caught.value, autogrow.Error)
    if hint is not None:
        assert caught.value.hint is not None and hint in caught.value.hint


def test_a_folder_that_holds_something_is_not_written_to(rows: Any, tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").touch()
    with pytest.raises(autogrow.RunError, match="holds `journal.jsonl` already") as caught:
        autogrow.train(*rows, folder=tmp_path, **SHORT)
    assert caught.value.hint is not None and "another folder" in caught.value.hint


def test_data_that_cannot_be_used_are_refused(rows: Any) -> None:
    x, y = rows
    with pytest.raises(autogrow.DataError, match="1 sample"):
        autogrow.train(x[:1], y[:1])
    with pytest.raises(autogrow.DataError, match="4x1x1"):
        autogrow.train(x, y, **SHORT).predict(x[:, :3])
    with pytest.raises(autogrow.ConfigError, match="unknown data set"):
        autogrow.train("digit")


def test_progress_is_shown(rows: Any, capfd: pytest.CaptureFixture[str]) -> None:
    autogrow.train(*rows, verbose=True, **SHORT)
    out, err = capfd.readouterr()
    assert out == ""
    assert err.splitlines()[0].startswith("epoch   1  growing")
