"""A lasting change against the series' own past, however small it is a period."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from modeltop.core.series import Breach, Direction, Series, Severity
from modeltop.core.stats.cusum import Cusum, Sequences, any_alarm, scan
from modeltop.core.text import format_exact, format_value
from modeltop.rules.detectors.base import QueryContext, detector
from modeltop.rules.detectors.pointwise import adverse_difference, configured_pairs, grade_levels

if TYPE_CHECKING:
    from modeltop.core.series import Floats

if TYPE_CHECKING:
    from modeltop.core.series import Flags, Floats, Levels
    from modeltop.rules.baselines.base import Baseline, Places
    from modeltop.rules.detectors.limit import Limit


MAX_BATCH = 1_000
"""Series side by side: a call a step for as many costs little more than for one, and what is held of them at once
stays below 50 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class SeriesBatch:
    """Series of which the same is known."""

    indices: NDArray[np.int64]
    """Which of the series each column is."""
    sequences: Sequences
    """Their judged values, so that falls are bad."""
    min_count: float


def batch_series(many: Sequence[Series], asked: Sequence[int], min_count: float) -> Iterator[SeriesBatch]:
    """The series of the places `asked`: those whose chance is known apart, those of like length together."""
    kinds: tuple[list[int], list[int]] = ([], [])
    for place in asked:
        one = many[place]
        if len(one):
            kinds[one.proportion and one.support is not None].append(place)
    for shares, places in enumerate(kinds):
        places.sort(key=lambda place: len(many[place]))
        for first in range(0, len(places), MAX_BATCH):
            yield _batch(many, places[first : first + MAX_BATCH], min_count, shares=bool(shares))


def _batch(many: Sequence[Series], places: list[int], min_count: float, *, shares: bool) -> SeriesBatch:
    series = [many[place] for place in places]
    longest = max(map(len, series))
    values = np.full((len(series), longest), np.nan)
    support = values.copy() if any(one.support is not None for one in series) else None
    for row, one in enumerate(series):
        plain = min_count <= 0 and one.provisional is None and _finite(one.values)
        judged = slice(None) if plain else one.evaluable(min_count)
        own = one.values[judged]
        values[row, : len(own)] = own
        if one.support is not None and support is not None:
            support[row, : len(own)] = one.support[judged]
    signs = np.array([-1.0 if one.better is Direction.LOWER else 1.0 for one in series])
    sequences = _sequences(values, support, shares=shares)
    turned = Sequences(*(None if one is None else np.ascontiguousarray(one.T) for one in sequences))  # type: ignore[arg-type]
    return SeriesBatch(np.array(places), turned._replace(values=turned.values * signs), min_count)


def _finite(values: Floats) -> bool:
    return bool(np.isfinite(values).all())


def _sequences(values: Floats, support: Floats | None, *, shares: bool) -> Sequences:
    if support is None:
        return Sequences(values)
    if not shares:
        return Sequences(values, trust=_trust(support))
    known = np.where(support > 0, support, 1.0)  # of an unknown number of cases, one is known
    hits = np.clip(values * known, 0, known)
    return Sequences(np.arcsin(np.sqrt((hits + 0.375) / (known + 0.75))), noise=1 / (4 * known + 2))


def _trust(support: Floats) -> Floats:
    """What a value counts for that rests on fewer cases than those before it did on average."""
    known = np.nan_to_num(support)
    before = np.cumsum(known, axis=1) - known
    usual = before / np.maximum(np.arange(support.shape[1]), 1)
    share = np.divide(known, usual, out=np.ones_like(known), where=usual > 0)
    return np.sqrt(np.minimum(np.where(np.isnan(support), 1.0, share), 1.0))


MAX_UNSCREENED = 64
"""Series that cost no more to follow at once than to ask first whether they ever fall."""


@dataclass(frozen=True, slots=True, eq=False)
class ShiftScan:
    """The cumulative sum at each point of a series."""

    evaluable: Flags
    score: Floats
    """0 outside of runs."""
    peak: Floats
    """Highest score in the run so far."""
    start: Places
    """Place of the first point of the run; the point itself outside of runs."""

    def __getitem__(self, part: slice) -> ShiftScan:
        """The rows of a part of the points."""
        cut: list[Any] = [getattr(self, one.name)[part] for one in fields(self)]
        return ShiftScan(*cut)


@detector("shift")
@dataclass(frozen=True, slots=True)
class LastingShift:
    """Objects while a one-sided cumulative sum says that the metric has got worse and stayed so.

    See `modeltop.core.stats.cusum.Cusum` for the method, its sources and its error rates. A share of a known number of
    cases is compared as an angle, whose chance is known (Anscombe 1948, Biometrika 35); a value on fewer cases than
    usual counts for less.

    Raises ValueError if a parameter has no sense.
    """

    uses_baseline: ClassVar[bool] = False
    is_sequential: ClassVar[bool] = True

    warn: float | None = 3.7
    """The sum beyond which it warns, in standard deviations."""
    critical: float | None = None
    """The sum beyond which it is critical."""
    slack: float = 1.1
    """Deviations of a period that are nothing: half of the smallest change that is looked for."""
    periods: int = 60
    """Periods before the change that it is compared with, at most."""
    least: int = 10
    """With fewer there is too little history."""
    back: int = 3
    """Periods in a row near the old level that end it."""
    usual: int = 120
    """After so many periods the new level is what is usual, and it ends."""
    outside: bool = False
    """Whether it objects to a change for the better too."""

    def __post_init__(self) -> None:
        given = [value for _, value in configured_pairs(self.warn, self.critical)]
        if not given:
            raise ValueError("a shift needs `warn`, `critical` or both: such as warn = 3.7")
        if not all(math.isfinite(value) and value > 0 for value in (*given, self.slack)):
            raise ValueError("warn, critical and slack are numbers of deviations: give finite ones above 0")
        if len(given) == 2 and given[0] < given[1]:
            raise ValueError("warn lies above critical, so it would never be said: warn at the lower number")
        if self.least < 2 or self.periods < self.least or min(self.back, self.usual) < 1:
            raise ValueError("periods, least, back and usual are numbers of periods: least from 2 up to periods")

    @property
    def margin(self) -> float:
        """0: `back` says when it is over."""
        return 0.0

    @property
    def min_history(self) -> int:
        """Judged periods that it needs before the one it judges."""
        return self.least

    @property
    def _how(self) -> Cusum:
        first = min(value for _, value in configured_pairs(self.warn, self.critical))
        return Cusum(
            self.slack,
            first,
            max_reference=self.periods,
            min_reference=self.least,
            recovery_values=self.back,
            max_run=max(self.usual, self.least),
        )

    def prepare(self, series_batch: Sequence[Series], context: QueryContext) -> list[ShiftScan | None]:
        """Per series, how its sum goes; None where it never reaches a limit. Many at once cost little more than one."""
        found: list[ShiftScan | None] = [None] * len(series_batch)
        sides = (1.0, -1.0) if self.outside else (1.0,)
        asked = [place for place, one in enumerate(series_batch) if self.outside or one.better is not Direction.NEITHER]
        for sheet in batch_series(series_batch, asked, context.min_count):
            for side in sides:
                self._follow(sheet, side, series_batch, found)
        return found

    def _follow(self, sheet: SeriesBatch, side: float, many: Sequence[Series], found: list[ShiftScan | None]) -> None:
        sequences = sheet.sequences if side > 0 else sheet.sequences._replace(values=-sheet.sequences.values)
        few = len(sheet.indices) <= MAX_UNSCREENED
        some = np.arange(len(sheet.indices)) if few else np.flatnonzero(any_alarm(sequences, self._how))
        if not len(some):
            return
        scores = scan(sequences.take(some), self._how)
        for column in np.flatnonzero((scores.peak > self._how.threshold).any(axis=0)).tolist():
            place = int(sheet.indices[some[column]])
            judged = many[place].evaluable(sheet.min_count)
            rows = slice(int(judged.sum()))
            course = _to_all_points(
                judged, scores.score[rows, column], scores.peak[rows, column], scores.start[rows, column]
            )
            known = found[place]
            found[place] = course if known is None else _wider(known, course)

    def __call__(self, past: Series, basis: ShiftScan, current_level: Severity) -> Breach | None:
        """Say by how much the newest value differs from what was usual before the run that it is in."""
        level = int(self.levels(past, basis, current_level)[-1])
        if not level:
            return None
        before = past.values[: basis.start[-1]][basis.evaluable[: basis.start[-1]]][-self.periods :]
        usual, value = float(before.mean()), past.latest
        return Breach(Severity(level), value, usual, self._message(past, value, usual), is_baseline=True)

    def _message(self, past: Series, value: float, usual: float) -> str:
        (size,) = adverse_difference(np.array([value - usual]), past.better, outside=self.outside).tolist()
        if size <= 0:  # a run ends with the last of several good values
            return f"{format_value(value)} near its usual {format_value(usual)} again"
        return f"{format_value(value)} {'below' if value < usual else 'above'} its usual {format_value(usual)}"

    def levels(self, series: Series, basis: ShiftScan, current_level: Severity) -> Levels:  # noqa: ARG002
        """Per point the level that the run it is in has reached."""
        return grade_levels(basis.peak, self.warn, self.critical)

    def excess(self, series: Series, basis: ShiftScan, level: Severity) -> Floats:  # noqa: ARG002
        """Per point the sum."""
        return basis.score

    def onsets(self, basis: ShiftScan) -> Places:
        """Per point the first of the run that it is in."""
        return basis.start

    def limits(self) -> list[tuple[Severity, Limit]]:
        """None: it has no fixed ones."""
        return []

    def describe_normal(self) -> str:
        """What is true of a value that it does not object to."""
        return "not lastingly changed" if self.outside else "not lastingly worse"

    def possible_levels(self) -> list[Severity]:
        """The levels that have a number, worst first."""
        return [severity for severity, _ in configured_pairs(self.warn, self.critical)]

    def describe(self, name: str, show: Callable[[float], str], against: str) -> str:  # noqa: ARG002
        """What it asks.

        >>> LastingShift().describe("recall", format_value, "")
        'recall lastingly worse than over its past 60 periods warns (CUSUM above 3.7 deviations)'
        """
        said = {Severity.CRITICAL: "is critical", Severity.WARNING: "warns"}
        given = reversed(configured_pairs(self.warn, self.critical))
        parts = [f"{said[severity]} (CUSUM above {format_exact(value)} deviations)" for severity, value in given]
        what = "lastingly other than" if self.outside else "lastingly worse than"
        return f"{name} {what} over its past {self.periods} periods {', '.join(parts)}"

    def validate(self, kind: Baseline) -> None:
        """It has a reference of its own: the periods before a run."""


def _to_all_points(judged: Flags, score: Floats, peak: Floats, start: NDArray[np.int32]) -> ShiftScan:
    """From the judged points to all of them."""
    points = np.flatnonzero(judged)
    none = np.zeros((2, len(judged)))
    whole = ShiftScan(judged, none[0], none[1], np.arange(len(judged), dtype=np.int64))
    whole.score[points], whole.peak[points], whole.start[points] = score, peak, points[start]
    return whole


def _wider(one: ShiftScan, other: ShiftScan) -> ShiftScan:
    """Of two sides, at each point the one that lies further out."""
    mine = one.peak >= other.peak
    both: list[Any] = [np.where(mine, getattr(one, f.name), getattr(other, f.name)) for f in fields(one)]
    return ShiftScan(*both)
