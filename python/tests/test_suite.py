"""Suites, which start the command again for each run, from the package's own command."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

#: Two searches, each with its baseline, that take a second.
SUITE = """
title = "Two initializers"
baseline = { network.depth = "found", growth.policy = "none" }

[set]
network.width = 4
data.fraction = 0.1
growth = { interval = 1, patience = 2 }
fine_tune.epochs = 1

[axes]
growth.initializer = ["zero", "gaussian"]
"""

#: The script that the wheel installs, where it is installed.
SCRIPT = Path(sysconfig.get_path("scripts"), "autogrow.exe" if sys.platform == "win32" else "autogrow")


@pytest.mark.parametrize("is_script", [False, True], ids=["module", "script"])
def test_a_suite_comes_to_its_end(is_script: bool, tmp_path: Path) -> None:
    if is_script and not SCRIPT.is_file():
        pytest.skip("the wheel is not installed")
    command = [str(SCRIPT)] if is_script else [sys.executable, "-m", "autogrow"]
    (tmp_path / "own.toml").write_text(SUITE)
    # Runs are made in a folder of their own: what lies there is not imported.
    (tmp_path / "out" / "runs" / "autogrow").mkdir(parents=True)
    (tmp_path / "out" / "runs" / "autogrow" / "__init__.py").write_text("raise SystemExit('shadowed')")

    def suite(*more: str) -> Any:
        words = ["suite", "own.toml", "--out", "out", "--threads", "1", "--json", *more]
        run = subprocess.run([*command, *words], check=False, capture_output=True, text=True, cwd=tmp_path)
        assert run.returncode == 0, run.stderr + run.stdout
        return json.loads(run.stdout)

    ended = suite("--jobs", "2")
    # Both searches may find the same net, and then share its baseline.
    assert ended["finished"] == 4 and ended["failed"] == []
    rows = ended["suites"][0]["rows"]
    assert all(row["seeds"][0]["outcome"]["test_accuracy"] > 10 for row in rows)
    assert (tmp_path / "out" / "own.csv").read_text().count("\n") == 3
    # What has a result is not trained again.
    assert suite()["suites"][0]["rows"] == rows


def test_a_built_in_suite_is_planned(tmp_path: Path) -> None:
    words = ["reproduce", "figure4", "--scale", "smoke", "--data", "digits", "--dry-run", "--json"]
    command = [sys.executable, "-m", "autogrow", *words]
    run = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)
    assert run.returncode == 0, run.stderr + run.stdout
    assert json.loads(run.stdout)["runs"]
