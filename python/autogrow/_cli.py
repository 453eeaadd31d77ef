"""The command ``autogrow``, which is that of the engine."""

from __future__ import annotations

import signal
import sys

from . import _autogrow


def main() -> None:
    """Runs the command that the process was started with."""
    # The engine listens for Ctrl-C itself: the first one asks a run to stop, the second one ends it.
    if sys.argv[1:2] in (["suite"], ["reproduce"]):
        # They start the program again, run by run, and here the program is Python.
        sys.exit(f"autogrow {sys.argv[1]} needs the program itself: cargo install autogrow-cli")
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(_autogrow.main(["autogrow", *sys.argv[1:]]))
