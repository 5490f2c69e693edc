"""What a row of the table is, and how its numbers are taken."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Self

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table."""

    what: str
    value: float | None
    """None where it could not be measured."""
    figure: float | None = None
    """What `value` must not exceed; None where nothing was promised."""
    unit: str = ""
    note: str = ""

    @property
    def verdict(self) -> str:
        """How the value stands to the figure."""
        if self.value is None:
            return "not measured"
        if self.figure is None:
            return "for comparison"
        if self.value <= self.figure:
            return "reached"
        return f"missed by {number(self.value - self.figure)}{self.unit}"

    @property
    def shown(self) -> str:
        """The value with its unit."""
        return "-" if self.value is None else f"{number(self.value)}{self.unit}"

    def line(self) -> str:
        """The finding as a line of the table."""
        figure = "" if self.figure is None else f"≤ {number(self.figure)}{self.unit}"
        return f"{self.what:<54} {self.shown:>9}  {figure:>9}  {self.verdict:<19}  {self.note}".rstrip()


@dataclass(slots=True, weakref_slot=True)
class Pairs:
    """What two things took, run in turns so that whatever else the machine does falls on both."""

    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The median of the ratios of neighbours."""
        return median(a / b for a, b in zip(self.ours, self.theirs, strict=True))

    def note(self, name: str) -> str:
        """Both medians in milliseconds, and the best runs: what other work on the machine disturbed least."""
        middle = f"{median(self.ours) * 1000:.0f} ms, {name} {median(self.theirs) * 1000:.0f} ms"
        return f"{middle}; best {min(self.ours) * 1000:.0f} and {min(self.theirs) * 1000:.0f} ms"


def in_turns(runs: int, ours: Callable[[], float], theirs: Callable[[], float]) -> Pairs:
    """Both once to warm up, then A B A B."""
    ours(), theirs()
    pairs = Pairs()
    for _ in range(runs):
        pairs.ours.append(ours())
        pairs.theirs.append(theirs())
    return pairs


class Bench:
    """What the rows share: how often, and a folder that goes away in the end."""

    def __init__(self, runs: int) -> None:
        self.runs = runs
        self._folder = tempfile.TemporaryDirectory(prefix="modeltop-benchmark-")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def folder(self, name: str) -> Path:
        """A folder of that name; there is only one."""
        path = Path(self._folder.name) / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    @cached_property
    def fleet(self) -> Path:
        """1,000 models, 730 days, 6 metrics of 4 decimals, written once."""
        from tests.benchmarks.fleet_data import write_fleet

        return write_fleet(self.folder("fleet"))


@dataclass(frozen=True, slots=True)
class Row:
    """A question that the benchmarks answer."""

    name: str
    title: str
    measure: Callable[[Bench], Iterable[Finding]]


ROWS: dict[str, Row] = {}


def row(name: str) -> Callable[[Callable[[Bench], Iterator[Finding]]], Callable[[Bench], Iterator[Finding]]]:
    """Enter a function into the table; its docstring is the title."""

    def enter(measure: Callable[[Bench], Iterator[Finding]]) -> Callable[[Bench], Iterator[Finding]]:
        ROWS[name] = Row(name, (measure.__doc__ or name).strip().splitlines()[0], measure)
        return measure

    return enter


def number(value: float) -> str:
    """Three digits, and whole numbers in full.

    >>> number(0.7512), number(12345.6), number(0)
    ('0.751', '12,346', '0')
    """
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
