"""Registry of the benchmarks, and what their results consist of."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Self

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Result:
    """Result of a benchmark: one line of the output."""

    name: str
    value: float | None
    """None where it could not be measured."""
    target: float | None = None
    """Greatest value that is promised; None where nothing is."""
    unit: str = ""
    note: str = ""

    @property
    def verdict(self) -> str:
        """Comparison of the value with the target."""
        if self.value is None:
            return "not measured"
        if self.target is None:
            return "for comparison"
        if self.value <= self.target:
            return "reached"
        return f"missed by {format_number(self.value - self.target)}{self.unit}"

    @property
    def formatted_value(self) -> str:
        """Value with its unit."""
        return "-" if self.value is None else f"{format_number(self.value)}{self.unit}"

    def format_line(self) -> str:
        """Format the result as a line of the output."""
        target = "" if self.target is None else f"≤ {format_number(self.target)}{self.unit}"
        return f"{self.name:<54} {self.formatted_value:>9}  {target:>9}  {self.verdict:<19}  {self.note}".rstrip()


@dataclass(slots=True, weakref_slot=True)
class PairedTimings:
    """Seconds of two callables that run alternately, so that other load of the machine affects both."""

    subject: list[float] = field(default_factory=list)
    baseline: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """Median ratio of the paired timings."""
        return median(a / b for a, b in zip(self.subject, self.baseline, strict=True))

    def note(self, name: str) -> str:
        """Format both medians and the fastest runs in milliseconds; `name` is that of the baseline."""
        medians = f"{median(self.subject) * 1000:.0f} ms, {name} {median(self.baseline) * 1000:.0f} ms"
        return f"{medians}; best {min(self.subject) * 1000:.0f} and {min(self.baseline) * 1000:.0f} ms"


def time_interleaved(runs: int, subject: Callable[[], float], baseline: Callable[[], float]) -> PairedTimings:
    """Time both `runs` times alternately, after one run of each to warm up; both return their seconds."""
    subject(), baseline()
    timings = PairedTimings()
    for _ in range(runs):
        timings.subject.append(subject())
        timings.baseline.append(baseline())
    return timings


@dataclass(frozen=True, slots=True)
class Text:
    """Lines of the output that are no result, such as a table."""

    text: str

    def format_line(self) -> str:
        """Return the lines."""
        return self.text


class BenchmarkContext:
    """Number of runs, options of single benchmarks, and a temporary folder that is removed on exit."""

    def __init__(self, runs: int, options: argparse.Namespace | None = None) -> None:
        self.runs = runs
        self.options = argparse.Namespace() if options is None else options
        self._folder = tempfile.TemporaryDirectory(prefix="modeltop-benchmark-")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def folder(self, name: str) -> Path:
        """Return the folder of that name, which benchmarks share."""
        path = Path(self._folder.name) / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    @cached_property
    def fleet(self) -> Path:
        """Folder with 1,000 models, 730 days, 6 metrics of 4 decimals, written once."""
        from tests.benchmarks.fleet_data import write_fleet

        return write_fleet(self.folder("fleet"))


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Registered benchmark."""

    name: str
    title: str
    measure: Callable[[BenchmarkContext], Iterable[Result | Text]]


BENCHMARKS: dict[str, Benchmark] = {}
Measure = Callable[[BenchmarkContext], Iterator[Result] | Iterator[Result | Text]]


def benchmark(name: str) -> Callable[[Measure], Measure]:
    """Register a function as a benchmark; the first line of its docstring is the title."""

    def register(measure: Measure) -> Measure:
        BENCHMARKS[name] = Benchmark(name, (measure.__doc__ or name).strip().splitlines()[0], measure)
        return measure

    return register


def format_number(value: float) -> str:
    """Format with three significant digits, integers and from 100 on without decimals.

    >>> format_number(0.7512), format_number(12345.6), format_number(0)
    ('0.751', '12,346', '0')
    """
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
