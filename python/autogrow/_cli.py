"""The command ``autogrow``, which is that of the engine."""

from __future__ import annotations

import signal
import sys

from . import _autogrow


def main() -> None:
    """Runs the command that the process was started with."""
    # The engine listens for Ctrl-C itself: the first one asks a run to stop, the second one ends it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # A suite starts the command again, run by run. -P: in a folder in which anything may lie.
    launcher = [sys.executable, "-P", "-m", "autogrow"]
    sys.exit(_autogrow.main(["autogrow", *sys.argv[1:]], launcher))
