"""The package as a whole: what it imports, its command, its memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import autogrow
from autogrow import _autogrow
from conftest import SHORT


def python(code: str) -> str:
    """What a fresh Python prints."""
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return run.stdout


def test_importing_needs_nothing_but_numpy() -> None:
    code = "import sys, autogrow; print([m for m in ('sklearn', 'torch', 'pandas') if m in sys.modules])"
    assert python(code) == "[]\n"


def test_without_scikit_learn_the_rest_works() -> None:
    code = """
import sys
sys.modules["sklearn"] = None
import autogrow
try:
    autogrow.AutoGrowClassifier
except ImportError as error:
    print(error)
"""
    assert "pip install scikit-learn" in python(code)


def test_the_command_is_that_of_the_engine() -> None:
    script = [sys.executable, "-c", "from autogrow._cli import main; main()"]
    version = subprocess.run([*script, "--version"], check=True, capture_output=True, text=True)
    assert version.stdout.startswith(f"autogrow {autogrow.__version__}")
    wrong = subprocess.run([*script, "evaluate", "missing"], check=False, capture_output=True, text=True)
    assert wrong.returncode == 4
    assert "hint" in wrong.stderr


def test_a_panic_does_not_cross(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(autogrow.InternalError, match="on purpose") as caught:
        _autogrow.fail()
    assert isinstance(caught.value, Exception)
    assert caught.value.hint is not None and "report" in caught.value.hint
    assert "panicked" in capfd.readouterr().err


def test_the_engine_does_not_trust_sizes() -> None:
    model = autogrow.train([[0.0], [1.0]] * 8, [0, 1] * 8, **SHORT)._engine
    for image in ((0, 0, 0), (1, 1, 2), (1 << 40, 1 << 40, 1 << 40)):
        with pytest.raises(autogrow.DataError):
            model.outputs(bytearray(8), image, 1)


def test_a_version_is_told() -> None:
    assert autogrow.__version__.count(".") == 2
    assert set(autogrow.__all__) <= {*dir(autogrow), "AutoGrowClassifier", "AutoGrowRegressor"}


@pytest.mark.skipif(not Path("/proc/self/statm").is_file(), reason="there is no /proc")
def test_fits_do_not_grow_memory(rows: Any) -> None:
    code = """
import numpy as np, autogrow
from pathlib import Path
x, y = np.random.default_rng(0).normal(size=(24, 3)), np.arange(24) % 2
def pages():
    return int(Path("/proc/self/statm").read_text().split()[1])
def fit(times):
    for seed in range(times):
        model = autogrow.train(x, y, seed=seed, policy="none", epochs=1, width=4, threads=1)
        model.predict(x)
        if seed % 10 == 0:
            model.certify(x, y)
fit(FIRST)
before = pages()
fit(THEN)
print((pages() - before) * 4096)
"""
    first, then = (200, 800) if "ALL" in os.environ else (50, 100)
    grown = int(python(code.replace("FIRST", str(first)).replace("THEN", str(then))))
    # A hundred models that are kept are 5 MB.
    assert grown < 2e6, grown
