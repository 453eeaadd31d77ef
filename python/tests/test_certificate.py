"""Certificates: what a depth is worth, in memory, from a folder and from an estimator."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autogrow

#: A run of a depth that has a neighbour on both sides.
FIXED: dict[str, Any] = {"policy": "none", "depth": 2, "epochs": 3, "width": 4, "threads": 1}


def test_neighbours_are_compared_on_the_images_that_were_held_out(rows: Any) -> None:
    x, y = rows
    model = autogrow.train(x, y, **FIXED)
    assert model.certificate is None
    certificate = model.certify(x, y)
    assert model.certificate is certificate
    found, shallower, deeper = certificate.found, certificate.shallower, certificate.deeper
    assert shallower is not None and model.outcome is not None
    assert [shallower.depth, found.depth, deeper.depth] == [(1,), (2,), (3,)]
    assert shallower.macs < found.macs == model.macs < deeper.macs
    assert found.accuracy == model.outcome["test_accuracy"]
    assert found.gain is None and found.p is None
    assert shallower.gain == pytest.approx(found.accuracy - shallower.accuracy)
    assert deeper.gain == pytest.approx(deeper.accuracy - found.accuracy)
    assert deeper.error is not None and deeper.error >= 0
    # Half a point for each doubling of the cost.
    assert deeper.price == pytest.approx(0.5 * np.log2(deeper.macs / found.macs))
    assert deeper.p is not None and 0 < deeper.p[0] <= 1
    assert certificate.best in {shallower.depth, found.depth, deeper.depth}


def test_the_verdict_is_a_sentence_and_a_table(rows: Any) -> None:
    certificate = autogrow.train(*rows, **FIXED).certify(*rows, price=1000)
    assert certificate.best == (1,)
    assert repr(certificate) == (
        "<autogrow.Certificate: 1 is the better depth at 1000 points a doubling of cost: "
        "2 is not worth its cost over 1; 3 would not be worth its cost>"
    )
    page = certificate._repr_html_()
    assert page.startswith("<section") and page.count("<tr>") == 4
    again = pickle.loads(pickle.dumps(certificate))
    assert again == certificate and repr(again) == repr(certificate)
    assert json.loads(json.dumps(certificate.to_dict()))["found"]["depth"] == "2"


def test_more_seeds_add_to_the_first(rows: Any) -> None:
    model = autogrow.train(*rows, **FIXED)
    once, twice = model.certify(*rows), model.certify(*rows, seeds=2)
    assert (len(once.deeper.accuracies), len(twice.deeper.accuracies)) == (1, 2)
    assert twice.deeper.accuracies[0] == once.deeper.accuracies[0]
    assert twice.deeper.accuracy == pytest.approx(np.mean(twice.deeper.accuracies))
    assert twice.found.accuracies[0] == once.found.accuracy


def test_a_run_is_certified_as_its_folder_is(rows: Any, tmp_path: Path) -> None:
    x, y = rows
    names = np.array(["low", "middle", "high"])[y]
    model = autogrow.train(x, names, held_out=0.3, folder=tmp_path / "run", certify=True, seed=7, **FIXED)
    run = autogrow.load(tmp_path / "run")
    assert isinstance(run, autogrow.Run)
    assert run.certificate == model.certificate
    (tmp_path / "run" / "certificate.json").unlink()
    assert run.certificate is None
    assert run.certify(x, names, held_out=0.3) == model.certificate == run.certificate
    assert "Is the depth worth it?" in run.report()
    with pytest.raises(autogrow.RunError, match="other images"):
        run.certify(x, names)


def test_values_have_no_p(rows: Any) -> None:
    x, _ = rows
    certificate = autogrow.train(x, x[:, 0], certify=True, **FIXED).certificate
    assert certificate is not None
    assert certificate.deeper.p is None
    assert "variance explained" in certificate._repr_html_()


@pytest.mark.skipif("PROGRAM" not in os.environ, reason="the command was not built")
def test_a_named_data_set_gives_the_certificate_of_the_command_line(tmp_path: Path) -> None:
    settings = {"network.width": 4, "data.fraction": 0.1}
    model = autogrow.train(
        "digits", depth=(2, 1, 1), policy="none", epochs=2, settings=settings, threads=1, folder=tmp_path / "run"
    )
    ours = model.certify()
    command = [os.environ["PROGRAM"], "certify", str(tmp_path / "run"), "--json"]
    theirs = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert {name: theirs[name] for name in ours.to_dict()} == ours.to_dict()


def test_epochs_are_told_and_end_it(rows: Any) -> None:
    told: list[tuple[str, str]] = []
    model = autogrow.train(*rows, **FIXED)
    before = model.to_bytes()
    model.certify(*rows, callback=lambda epoch: told.append((epoch["phase"], epoch["depth"])))
    assert told == [("certifying", depth) for depth in "111333"]
    # Nothing of the model has changed.
    assert model.to_bytes() == before

    def interrupt(epoch: dict[str, Any]) -> None:
        if epoch["phase"] == "certifying":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.certify(*rows, callback=interrupt)
    with pytest.warns(autogrow.InterruptedWarning, match="there is no certificate"):
        model = autogrow.train(*rows, certify=True, callback=interrupt, **FIXED)
    assert model.certificate is None and not model.interrupted
    assert model.to_bytes() == before


def test_what_cannot_be_certified_is_told_with_a_hint(rows: Any, tmp_path: Path) -> None:
    x, y = rows
    model = autogrow.train(x, y, **FIXED)
    model.save(tmp_path / "net.safetensors")
    saved = autogrow.load(tmp_path / "net.safetensors")
    assert isinstance(saved, autogrow.Model)
    for error, message, certify in [
        (autogrow.DataError, "not kept with a run", model.certify),
        (autogrow.RunError, "other images", lambda: model.certify(x[::-1], y)),
        (autogrow.ConfigError, "seeds = 0", lambda: model.certify(x, y, seeds=0)),
        (autogrow.ConfigError, "price", lambda: model.certify(x, y, price=-1)),
        (autogrow.RunError, "is not known", lambda: saved.certify(x, y)),
        (autogrow.RunError, "is not known", lambda: pickle.loads(pickle.dumps(model)).certify(x, y)),
        (autogrow.RunError, "not a run folder", lambda: autogrow.Run(tmp_path).certify()),
    ]:
        with pytest.raises(error, match=message) as caught:
            certify()
        assert caught.value.hint


def test_an_estimator_certifies_where_it_is_asked_to(rows: Any) -> None:
    sklearn = pytest.importorskip("sklearn")
    x, y = rows
    plain = autogrow.AutoGrowClassifier(random_state=0, **FIXED).fit(x, y)
    assert plain.certificate_ is None
    asked = sklearn.base.clone(plain).set_params(certify=True).fit(x, y)
    assert (asked.decision_function(x) == plain.decision_function(x)).all()
    assert asked.certificate_ == plain.network_.certify(x, y)
    assert asked.certificate_.found.depth == asked.depth_
    assert pickle.loads(pickle.dumps(asked)).certificate_ == asked.certificate_
    regressor = autogrow.AutoGrowRegressor(random_state=0, certify=True, **FIXED).fit(x, x[:, 0])
    assert regressor.certificate_.deeper.depth == (3,)
