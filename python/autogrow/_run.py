"""Run folders and model files."""

from __future__ import annotations

import html
import json
import os
import tomllib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from . import _autogrow
from ._arrays import Division, given
from ._certificate import Certificate, certified
from ._errors import RunError
from ._history import History, of_events
from ._model import Model

#: Height of a report in a notebook, in pixels.
HEIGHT = 720


class Run:
    """A run folder, of a run that has ended or not."""

    #: The folder.
    folder: Path

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)

    @cached_property
    def model(self) -> Model:
        """The best model.

        :raises RunError: while the depth is not found.
        """
        model = Model(_autogrow.Model.read(os.fspath(self.folder)))
        model.history, model.outcome = self.history, self.outcome
        return model

    @cached_property
    def events(self) -> list[dict[str, Any]]:
        """Everything that happened, in order: the lines of ``journal.jsonl``."""
        return [json.loads(line) for line in self._read("journal.jsonl").splitlines() if line.strip()]

    @cached_property
    def history(self) -> History:
        """What every epoch has shown."""
        return of_events(self.events)

    @cached_property
    def outcome(self) -> dict[str, Any] | None:
        """The result; ``None`` while the run has not ended."""
        if not (self.folder / "result.json").is_file():
            return None
        result: dict[str, Any] = json.loads(self._read("result.json"))
        return result

    @property
    def certificate(self) -> Certificate | None:
        """What its depth is worth, once :meth:`certify` or ``autogrow certify`` has asked; ``None`` before."""
        if not (self.folder / "certificate.json").is_file():
            return None
        return Certificate(self._read("certificate.json"), self._objective())

    def certify(
        self,
        data: Any = None,
        y: ArrayLike | None = None,
        *,
        held_out: float | None = None,
        seeds: int = 1,
        price: float | None = None,
        callback: Callable[[dict[str, Any]], object] | None = None,
        verbose: bool = False,
    ) -> Certificate:
        """What its depth is worth, as :meth:`Model.certify` tells it; ``certificate.json`` and the report have it
        as well.

        ``data`` and ``y`` are those of :func:`train` again, and ``held_out`` too where it was given; none of them
        for a data set that has a name.
        """
        objective, arrays = self._objective(), None
        if data is not None:
            seed = tomllib.loads(self._read("config.toml"))["run"]["seed"]
            arrays = given(data, y, Division(objective, held_out, seed)).request
        folder = os.fspath(self.folder)
        return certified(folder, arrays, objective, seeds=seeds, price=price, callback=callback, verbose=verbose)

    def report(self) -> str:
        """The report of the run: a page of HTML that needs nothing else."""
        return _autogrow.report(os.fspath(self.folder))

    def _objective(self) -> str:
        """What the network learns: ``classes``, ``values`` or ``labels``."""
        return str((self.outcome or {}).get("objective", "classes"))

    def _read(self, name: str) -> str:
        try:
            return (self.folder / name).read_text()
        except OSError as error:
            raise RunError(f"{self.folder / name}: cannot be read ({error.strerror})") from error

    def _repr_html_(self) -> str:
        page = html.escape(self.report(), quote=True)
        return f'<iframe srcdoc="{page}" style="width: 100%; height: {HEIGHT}px; border: 0"></iframe>'

    def __repr__(self) -> str:
        return f"<autogrow.Run {self.folder}>"


def load(path: str | os.PathLike[str]) -> Run | Model:
    """A run folder, or a model file: safetensors that AutoGrow wrote.

    :raises RunError: where there is neither.
    """
    if (Path(path) / "config.toml").is_file():
        return Run(path)
    return Model(_autogrow.Model.read(os.fspath(path)))
