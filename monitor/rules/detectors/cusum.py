"""A sustained change against the series' own past, however small it is per period."""

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
from modeltop.rules.baselines.base import Places
from modeltop.rules.detectors.base import LEVEL_PHRASES, Detector, QueryContext, configured_pairs, detector
from modeltop.rules.detectors.pointwise import PointArrays, adverse_difference, grade_levels, validate_levels

if TYPE_CHECKING:
    from modeltop.core.series import Flags, Floats, Levels

MAX_BATCH = 1_000
"""Series side by side: one step of as many costs little more than one of a single series, and their arrays stay below
50 MB."""
MAX_UNSCREENED = 64
"""Number of series that are scanned at once without first checking whether any alarm is raised."""


@dataclass(frozen=True, slots=True, eq=False)
class SeriesBatch:
    """Series of like length that are scanned side by side."""

    indices: NDArray[np.int64]
    """Index of the series in each column."""
    sequences: Sequences
    """Their evaluable values, signed so that falls are bad."""
    min_count: float


def batch_series(all_series: Sequence[Series], selected: Sequence[int], min_count: float) -> Iterator[SeriesBatch]:
    """Yield batches of series: shares of known support apart from the rest, those of like length together.

    Args:
        all_series: Any series.
        selected: Indices of those to batch; empty series are left out.
        min_count: Support under which a period is not evaluated.
    """
    groups: tuple[list[int], list[int]] = ([], [])
    for index in selected:
        series = all_series[index]
        if len(series):
            groups[series.proportion and series.support is not None].append(index)
    for are_shares, indices in enumerate(groups):
        indices.sort(key=lambda index: len(all_series[index]))
        for first in range(0, len(indices), MAX_BATCH):
            yield _batch(all_series, indices[first : first + MAX_BATCH], min_count, are_shares=bool(are_shares))


def _batch(all_series: Sequence[Series], indices: list[int], min_count: float, *, are_shares: bool) -> SeriesBatch:
    batch = [all_series[index] for index in indices]
    values = np.full((len(batch), max(map(len, batch))), np.nan)
    support = values.copy() if any(series.support is not None for series in batch) else None
    for row, series in enumerate(batch):
        # Nearly all series are evaluable throughout; a slice then saves a copy of each.
        is_complete = min_count <= 0 and series.provisional is None and bool(np.isfinite(series.values).all())
        evaluable = slice(None) if is_complete else series.evaluable(min_count)
        column = series.values[evaluable]
        values[row, : len(column)] = column
        if series.support is not None and support is not None:
            support[row, : len(column)] = series.support[evaluable]
    signs = np.array([-1.0 if series.better is Direction.LOWER else 1.0 for series in batch])
    by_row = _sequences(values, support, are_shares=are_shares)
    by_column = Sequences(*(None if array is None else np.ascontiguousarray(array.T) for array in by_row))  # type: ignore[arg-type]
    return SeriesBatch(np.array(indices), by_column._replace(values=by_column.values * signs), min_count)


def _sequences(values: Floats, support: Floats | None, *, are_shares: bool) -> Sequences:
    if support is None:
        return Sequences(values)
    if not are_shares:
        return Sequences(values, trust=_trust(support))
    cases = np.where(support > 0, support, 1.0)  # an unknown support counts as one case
    hits = np.clip(values * cases, 0, cases)
    return Sequences(np.arcsin(np.sqrt((hits + 0.375) / (cases + 0.75))), noise=1 / (4 * cases + 2))


def _trust(support: Floats) -> Floats:
    """Return the weight of each value, 0 to 1: less if it rests on fewer cases than those before it on average."""
    cases = np.nan_to_num(support)
    before = np.cumsum(cases, axis=1) - cases
    usual = before / np.maximum(np.arange(support.shape[1]), 1)
    ratio = np.divide(cases, usual, out=np.ones_like(cases), where=usual > 0)
    return np.sqrt(np.minimum(np.where(np.isnan(support), 1.0, ratio), 1.0))


@dataclass(frozen=True, slots=True, eq=False)
class ShiftScan(PointArrays):
    """The cumulative sum at each point of a series."""

    evaluable: Flags
    score: Floats
    """0 outside of runs."""
    peak: Floats
    """Highest score in the run so far."""
    start: Places
    """Index of the first point of the run; of the point itself outside of runs."""


@detector("shift")
@dataclass(frozen=True, slots=True)
class LastingShift(Detector):
    """Breached while a one-sided cumulative sum shows that the metric has got worse and stayed worse.

    See `modeltop.core.stats.cusum.Cusum` for the method, its sources and its error rates. A share of a known number of
    cases is compared as an angle, whose variance is known (Anscombe 1948, Biometrika 35); a value on fewer cases than
    usual counts for less.

    Raises:
        ValueError: A parameter has no sense.
    """

    is_sequential: ClassVar[bool] = True

    warn: float | None = 3.7
    """The sum beyond which it warns, in standard deviations."""
    critical: float | None = None
    """The sum beyond which it is critical."""
    slack: float = 1.1
    """Deviations of a period that are ignored: half of the smallest change to detect."""
    periods: int = 60
    """Periods before the change that it is compared with, at most."""
    least: int = 10
    """With fewer there is too little history."""
    back: int = 3
    """Periods in a row near the old level that end it."""
    usual: int = 120
    """After so many periods the new level is the normal one, and it ends."""
    outside: bool = False
    """Whether a change for the better breaches too."""

    def __post_init__(self) -> None:
        if self.warn is None and self.critical is None:
            raise ValueError("a shift needs `warn`, `critical` or both: such as warn = 3.7")
        message = "warn, critical and slack are numbers of deviations: give finite ones above 0"
        validate_levels(self.warn, self.critical, message, minimum=math.nextafter(0, 1))
        if not (math.isfinite(self.slack) and self.slack > 0):
            raise ValueError(message)
        if self.least < 2 or self.periods < self.least or min(self.back, self.usual) < 1:
            raise ValueError("periods, least, back and usual are numbers of periods: least from 2 up to periods")

    @property
    def min_history(self) -> int:
        """Minimum number of evaluable periods before the evaluated one."""
        return self.least

    @property
    def _cusum(self) -> Cusum:
        return Cusum(
            self.slack,
            min(threshold for _, threshold in configured_pairs(self.warn, self.critical)),
            max_reference=self.periods,
            min_reference=self.least,
            recovery_values=self.back,
            max_run=max(self.usual, self.least),
        )

    def prepare(self, series_batch: Sequence[Series], context: QueryContext) -> list[ShiftScan | None]:
        """Return the scan of each series; None if it never breaches. Many at once cost little more than one."""
        scans: list[ShiftScan | None] = [None] * len(series_batch)
        selected = [
            index for index, series in enumerate(series_batch) if self.outside or series.better is not Direction.NEITHER
        ]
        for batch in batch_series(series_batch, selected, context.min_count):
            for sign in (1.0, -1.0) if self.outside else (1.0,):
                self._scan_batch(batch, sign, series_batch, scans)
        return scans

    def _scan_batch(
        self, batch: SeriesBatch, sign: float, all_series: Sequence[Series], scans: list[ShiftScan | None]
    ) -> None:
        sequences = batch.sequences if sign > 0 else batch.sequences._replace(values=-batch.sequences.values)
        columns = np.arange(len(batch.indices))
        if len(columns) > MAX_UNSCREENED:
            columns = np.flatnonzero(any_alarm(sequences, self._cusum))
        if not len(columns):
            return
        paths = scan(sequences.take(columns), self._cusum)
        for column in np.flatnonzero((paths.peak > self._cusum.threshold).any(axis=0)).tolist():
            index = int(batch.indices[columns[column]])
            evaluable = all_series[index].evaluable(batch.min_count)
            rows = slice(int(evaluable.sum()))
            path = _at_all_points(
                evaluable, paths.score[rows, column], paths.peak[rows, column], paths.start[rows, column]
            )
            other = scans[index]
            scans[index] = path if other is None else _larger(other, path)

    def breach(self, past: Series, basis: ShiftScan, level: Severity) -> Breach:
        """Return by how much the value differs from the mean before the run that it is in."""
        start = basis.start[-1]
        before = past.values[:start][basis.evaluable[:start]][-self.periods :]
        usual, value = float(before.mean()), past.latest
        (size,) = adverse_difference(np.array([value - usual]), past.better, outside=self.outside).tolist()
        message = f"{format_value(value)} {'below' if value < usual else 'above'} its usual {format_value(usual)}"
        if size <= 0:  # a run ends with the last of several good values
            message = f"{format_value(value)} near its usual {format_value(usual)} again"
        return Breach(level, value, usual, message, is_baseline=True)

    def levels(self, series: Series, basis: ShiftScan, current_level: Severity) -> Levels:  # noqa: ARG002
        """Return the severity that the run of each point has reached."""
        return grade_levels(basis.peak, self.warn, self.critical)

    def excess(self, series: Series, basis: ShiftScan, level: Severity) -> Floats:  # noqa: ARG002
        """Return the cumulative sum at each point."""
        return basis.score

    def onsets(self, basis: ShiftScan) -> Places:
        """Return the index of the first point of the run that each point is in."""
        return basis.start

    def describe_normal(self) -> str:
        """Return the status of a value that does not breach."""
        return "not lastingly changed" if self.outside else "not lastingly worse"

    def describe(self, name: str, show: Callable[[float], str], against: str) -> str:  # noqa: ARG002
        """Return the condition, such as `recall lastingly worse than over its past 60 periods warns ...`."""
        levels = [
            f"{LEVEL_PHRASES[severity]} (CUSUM above {format_exact(threshold)} deviations)"
            for severity, threshold in reversed(configured_pairs(self.warn, self.critical))
        ]
        what = "lastingly other than" if self.outside else "lastingly worse than"
        return f"{name} {what} over its past {self.periods} periods {', '.join(levels)}"


def _at_all_points(evaluable: Flags, score: Floats, peak: Floats, start: NDArray[np.int32]) -> ShiftScan:
    """Spread the results for the evaluable points over all points; the others are in no run."""
    points = np.flatnonzero(evaluable)
    zeros = np.zeros((2, len(evaluable)))
    spread = ShiftScan(evaluable, zeros[0], zeros[1], np.arange(len(evaluable), dtype=np.int64))
    spread.score[points], spread.peak[points], spread.start[points] = score, peak, points[start]
    return spread


def _larger(first: ShiftScan, second: ShiftScan) -> ShiftScan:
    """Return, at each point, the scan of the direction with the larger sum."""
    mask = first.peak >= second.peak
    columns: list[Any] = [
        np.where(mask, getattr(first, field.name), getattr(second, field.name)) for field in fields(first)
    ]
    return ShiftScan(*columns)
