"""The contract of a detector, and the registry of all of them.

A detector is a frozen dataclass whose fields are its keys in the configuration; `@detector("name")` registers it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from importlib import import_module
from typing import Any, ClassVar, NamedTuple, Self, TypeVar

import numpy as np

from modeltop.core.metrics.registry import Metric
from modeltop.core.series import Breach, Flags, Floats, Levels, Series, SeriesKey, Severity
from modeltop.rules.baselines.base import NO_SERIES, Baseline, Places
from modeltop.rules.baselines.past import ROLLING
from modeltop.rules.detectors.limit import Limit

MODULES = {
    "threshold": "threshold",
    "drop": "drop",
    "band": "band",
    "shift": "cusum",
    "trend": "trend",
    "spike": "outlier",
    "difference": "difference",
}
"""Module of this folder by the name of the detector it registers, in the order in which they are listed to people."""

_DETECTORS: dict[str, type] = {}
C = TypeVar("C", bound=type)
T = TypeVar("T")
LEVEL_PHRASES = {Severity.CRITICAL: "is critical", Severity.WARNING: "warns"}


class QueryContext(NamedTuple):
    """How a rule applies its detector."""

    baseline: Baseline = ROLLING
    """The baseline of the rule."""
    min_count: float = 0
    """Support under which a period is neither evaluated nor part of a baseline."""
    other_series: Mapping[SeriesKey, Series] = NO_SERIES
    """The series among which a baseline that is another series is found: `history.series`."""


class Unevaluated(NamedTuple):
    """Why a rule says nothing about the newest value of a series."""

    text: str
    """A clause of numbers and our own words."""
    is_final: bool
    """True if it is skipped for good, False if it needs more history."""
    is_suspect: bool = False
    """True if the value would breach: then no one knows whether the model is well."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Scan:
    """How a detector grades each point of a series; every field has a row per point, which depends on no later one."""

    levels: Levels
    """Severity of each point while no alert is active."""
    excess: Floats
    """How far it lies beyond what is normal; larger is worse, in any unit, NaN or -inf if it cannot be compared."""
    continued: Levels = field(default_factory=lambda: np.empty(0, np.int8))
    """Severity up to which an active alert stays so; empty: that of the point."""
    baseline: Floats = field(default_factory=lambda: np.empty(0))
    """What the value is compared with, in the metric's unit."""
    scale: Floats = field(default_factory=lambda: np.empty(0))
    """One deviation from the baseline, in the metric's unit."""
    start: Places = field(default_factory=lambda: np.empty(0, np.int64))
    """Index of the point at which the breach of each started; empty: at the point itself."""
    weights: Places = field(default_factory=lambda: np.empty(0, np.int64))
    """How many breached points in a row each counts for; empty: one."""

    def __getitem__(self, rows: slice) -> Self:
        """Return the rows of some of the points; arrays are views."""
        return replace(self, **{each.name: getattr(self, each.name)[rows] for each in fields(self)})

    def where(self, mask: Flags, other: Self) -> Self:
        """Return the scan of the points in a mask from this one, of the rest from another with the same columns."""
        columns = {each.name: (getattr(self, each.name), getattr(other, each.name)) for each in fields(self)}
        return replace(self, **{name: np.where(mask, *pair) for name, pair in columns.items() if len(pair[0])})

    def levels_while(self, active: Severity) -> Levels:
        """Return the severity of each point while a level is active, which keeps a level alive."""
        if not len(self.continued):
            return self.levels
        return np.maximum(self.levels, np.minimum(self.continued, np.int8(active)))


class Detector(ABC):
    """A way to find breaches.

    Each series is scanned once by `prepare`, many at a time.
    """

    __slots__ = ()
    uses_baseline: ClassVar[bool] = False
    """Whether it compares with the baseline of the rule, so that naming one makes sense."""
    is_sequential: ClassVar[bool] = False
    """Whether it goes through a series point by point, which is slow for many series."""
    critical: Any
    """Setting of the critical level; None if there is none."""

    margin: float = 0.0
    """Distance back inside its limit that a recovering value must reach, in the metric's unit."""

    @property
    def good_periods(self) -> int:
        """Good points in a row that end what breaches, besides the rule's `recover`."""
        return 1

    @property
    def min_history(self) -> int:
        """Minimum number of evaluable periods before the evaluated one, besides those of the rule's baseline."""
        return 0

    @abstractmethod
    def prepare(self, series_batch: Sequence[Series], context: QueryContext) -> list[Scan | None]:
        """Return the scan of each series; None if no point breaches. Many at once may cost little more than one."""

    def breach(self, past: Series, scan: Any, level: Severity) -> Breach:
        """Return the breach of the last point of `past`, which has `level`: the value beside its baseline.

        Args:
            past: The series up to the point.
            scan: Of `prepare`, with as many rows.
            level: Of the point.
        """
        value, baseline = past.latest, float(scan.baseline[-1])
        message = f"{past.format(value)}, baseline {past.format(baseline)}"
        return Breach(level, value, baseline, message, is_baseline=True)

    def for_metric(self, metric: Metric) -> Self:  # noqa: ARG002  few depend on what is measured
        """Return the detector with the settings that hold for a metric."""
        return self

    def unevaluated_reason(self, series: Series, min_count: float) -> Unevaluated | None:  # noqa: ARG002
        """Return why the newest evaluable value is not evaluated, if not for the lack of `min_history`."""
        return None

    def limits(self) -> list[tuple[Severity, Limit]]:
        """Return its fixed limits for the chart, worst first; empty if they move with the data."""
        return []

    def validate(self, baseline: Baseline) -> None:  # noqa: B027  nearly all accept any
        """Raise ValueError, with the remedy, if it cannot compare with this baseline."""

    @abstractmethod
    def describe_normal(self) -> str:
        """Return the status of a value that does not breach, in a few words."""

    @abstractmethod
    def describe(self, name: str, show: Callable[[float], str], against: str) -> str:
        """Return the condition in plain words, such as `accuracy below 0.90 is critical`.

        Args:
            name: The name of the metric.
            show: Formats a value of the metric.
            against: The baseline in words.
        """


class SingleSeriesDetector(Detector):
    """A detector that scans each series by itself."""

    __slots__ = ()

    def prepare(self, series_batch: Sequence[Series], context: QueryContext) -> list[Scan | None]:
        """Return the scan of each series; None if no point breaches."""
        return [self._scan_one(series, context) for series in series_batch]

    @abstractmethod
    def _scan_one(self, series: Series, context: QueryContext) -> Scan | None:
        """Return the scan of a series; None if no point breaches."""


def configured_pairs(warn: T | None, critical: T | None) -> list[tuple[Severity, T]]:
    """Return the levels that are configured, each with its setting, worst first."""
    pairs = ((Severity.CRITICAL, critical), (Severity.WARNING, warn))
    return [(severity, setting) for severity, setting in pairs if setting is not None]


def describe_levels(warn: T | None, critical: T | None, show: Callable[[T], str]) -> str:
    """Return the threshold of each level, the milder first: `0.02 warns, 0.05 is critical`.

    Args:
        warn: Setting of the warning; None if there is none.
        critical: Setting of the critical level.
        show: Puts a setting into words.
    """
    pairs = reversed(configured_pairs(warn, critical))
    return ", ".join(f"{show(setting)} {LEVEL_PHRASES[severity]}" for severity, setting in pairs)


def detector(name: str) -> Callable[[C], C]:
    """Register a detector under the name that rules use for it."""

    def register(kind: C) -> C:
        _DETECTORS[name] = kind
        return kind

    return register


def detectors() -> dict[str, type]:
    """Return all detectors by name; imports those that no rule has used yet."""
    for module in MODULES.values():
        import_module(f"modeltop.rules.detectors.{module}")
    return {name: _DETECTORS[name] for name in MODULES} | _DETECTORS
