"""How far a run is, in a line that changes: in terminals and notebooks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any


class Line:
    """Shows the last epoch, unless it is not ``shown``. Where there is neither a terminal nor a notebook, a line an
    epoch. Left, it stays as it is."""

    def __init__(self, shown: bool) -> None:
        self._shown = shown
        self._display = _notebook() if shown else None
        self._is_terminal = shown and sys.stderr is not None and sys.stderr.isatty()

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        if self._display is None and self._is_terminal:
            print(file=sys.stderr)

    def before(self, callback: Callable[[dict[str, Any]], object] | None) -> Callable[[dict[str, Any]], object] | None:
        """A callback that shows the epoch, and then is ``callback``."""
        if not self._shown:
            return callback

        def both(epoch: dict[str, Any]) -> None:
            self._show(epoch)
            if callback is not None:
                callback(epoch)

        return both

    def _show(self, epoch: Mapping[str, Any]) -> None:
        left = epoch["epochs_left"]
        more = "" if left is None else f", {left} to come at least"
        text = (
            f"epoch {epoch['epoch']:>3}  {epoch['phase']:<11}  {epoch['depth']}"
            f"  loss {epoch['train_loss']:.4f}  train {epoch['train_score']:.2f} %"
            f"  val {epoch['val_score']:.2f} %{more}"
        )
        if self._display is not None:
            self._display.update({"text/plain": text}, raw=True)
        elif self._is_terminal:
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
        else:
            print(text, file=sys.stderr)


def _notebook() -> Any:
    """A place in the notebook that runs this; none elsewhere."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    from IPython.display import display

    return display({"text/plain": ""}, raw=True, display_id=True)
