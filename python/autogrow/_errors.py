"""What can go wrong. Each error has a cause, its text, and where one is known a hint what to do."""

from __future__ import annotations


class Error(Exception):
    """Any error of AutoGrow."""

    #: What to do about it; ``None`` where that is not known.
    hint: str | None

    def __init__(self, problem: str, hint: str | None = None) -> None:
        super().__init__(problem, hint)
        self.problem = problem
        self.hint = hint

    def __str__(self) -> str:
        return self.problem if self.hint is None else f"{self.problem} ({self.hint})"


class ConfigError(Error, ValueError):
    """A setting makes no sense, or there is none of this name."""


class DataError(Error, ValueError):
    """Data cannot be used."""


class RunError(Error, RuntimeError):
    """A run folder or a model file cannot be used."""


class DivergedError(Error, RuntimeError):
    """A loss or a gradient is not finite."""


class DeviceError(Error, RuntimeError):
    """The device cannot be used."""


class InternalError(Error, RuntimeError):
    """The engine has failed, by a fault of its own."""


class InterruptedWarning(UserWarning):
    """A run was interrupted; what it returns is what there was."""
