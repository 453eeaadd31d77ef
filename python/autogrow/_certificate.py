"""What a found depth is worth: :class:`Certificate`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from . import _autogrow
from ._errors import ConfigError
from ._progress import Line


@dataclass(frozen=True)
class Contender:
    """A network of a certificate. What compares it with the found one is ``None`` of the found one itself."""

    #: Sub-modules (blocks) of each sub-network (stage).
    depth: tuple[int, ...]
    #: Percent of the test images: accuracy of classes, R2 times 100 of values. Mean over the seeds.
    accuracy: float
    #: The same for each seed.
    accuracies: tuple[float, ...]
    #: Multiply-accumulate operations for one image.
    macs: int
    #: Percentage points that the deeper of the two networks is ahead by on the test images.
    gain: float | None = None
    #: Standard error of ``gain``.
    error: float | None = None
    #: Percentage points that the cost of the deeper one asks for.
    price: float | None = None
    #: Probability of so uneven a disagreement between equals, for each seed (exact test of McNemar);
    #: ``None`` of values.
    p: tuple[float, ...] | None = None
    #: Which of the two is the better one at this price.
    verdict: Literal["deeper", "shallower", "undecided"] | None = None


class Certificate:
    """A found network beside the same network one level shallower and one deeper, each trained to the end from
    where growth left it, on the same batches.

    :meth:`Model.certify`, :meth:`Run.certify` and ``certify=True`` make certificates. They can be pickled.
    """

    #: The found network.
    found: Contender
    #: One level shallower; ``None`` where there is no such network.
    shallower: Contender | None
    #: One level deeper.
    deeper: Contender
    #: Percentage points that a doubling of the multiply-accumulate operations has to bring.
    price: float
    #: Number of test images.
    images: int
    #: The better depth at this price: the found one, unless a neighbour is better by more than the error.
    best: tuple[int, ...]

    def __init__(self, text: str, objective: str) -> None:
        self._text, self._objective = text, objective
        document = json.loads(text)
        self.found = _contender(document["found"])
        self.shallower = None if document["shallower"] is None else _contender(document["shallower"])
        self.deeper = _contender(document["deeper"])
        self.price = float(document["price"])
        self.images = int(document["images"])
        best, self._sentences = _autogrow.verdict(text)
        self.best = _depth(best)

    def to_dict(self) -> dict[str, Any]:
        """What ``certificate.json`` holds."""
        document: dict[str, Any] = json.loads(self._text)
        return document

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Certificate) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        best = "-".join(map(str, self.best))
        why = "; ".join(sentence[0].lower() + sentence[1:].rstrip(".") for sentence in self._sentences)
        return f"<autogrow.Certificate: {best} is the better depth at {self.price:g} points a doubling of cost: {why}>"

    def _repr_html_(self) -> str:
        return _autogrow.certificate_html(self._text, self._objective)


def certified(
    run: _autogrow.Finished | str,
    data: dict[str, Any] | None,
    objective: str,
    *,
    seeds: int = 1,
    price: float | None = None,
    callback: Callable[[dict[str, Any]], object] | None = None,
    verbose: bool = False,
) -> Certificate:
    """The certificate of a run, or of the run in a folder, on the arrays that the engine was given for it."""
    if seeds < 1:
        raise ConfigError(f"seeds = {seeds} is out of range", "it is 1 or more")
    with Line(verbose) as line:
        return Certificate(_autogrow.certify(run, data, seeds, price, line.before(callback)), objective)


def _contender(document: dict[str, Any]) -> Contender:
    accuracies = tuple(document["test_percent"])
    p = document.get("p")
    return Contender(
        depth=_depth(document["depth"]),
        accuracy=sum(accuracies) / len(accuracies),
        accuracies=accuracies,
        macs=document["macs"],
        gain=document.get("gain"),
        error=document.get("error"),
        price=document.get("asked"),
        p=None if p is None else tuple(p),
        verdict=document.get("verdict"),
    )


def _depth(text: str) -> tuple[int, ...]:
    return tuple(int(count) for count in text.split("-"))
