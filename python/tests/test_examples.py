"""The examples run to their end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sklearn")

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_an_example_runs(example: Path) -> None:
    if "import torch" in example.read_text():
        pytest.importorskip("torch")
    run = subprocess.run([sys.executable, str(example), "--quick"], check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "depth" in run.stdout or "accuracy" in run.stdout
