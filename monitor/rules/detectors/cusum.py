"""A sustained change against the series' own past, however small it is per period."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from modeltop.core.series import Breach, Direction, Floats, Series, Severity
from modeltop.core.stats.cusum import AlarmRun, Cusum, Sequences, alarm_runs
from modeltop.core.stats.few_cases import BIASED, without_bias
from modeltop.core.stats.robust import MAX_MAGNITUDE
from modeltop.core.stats.rolling import rows_of
from modeltop.core.text import format_exact
from modeltop.rules.detectors.base import LEVEL_PHRASES, Detector, QueryContext, Scan, configured_pairs, detector
from modeltop.rules.detectors.pointwise import adverse_difference, grade_levels, validate_levels

SKEWED_CASES = 5
"""Cases on which a value of unknown sampling error counts for half."""
BATCH_VALUES = 1 << 17
"""Values of several series that are scanned at once, at most: their arrays take some 10 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class SeriesBatch:
    """Series that are scanned together."""

    indices: list[int]
    sequences: Sequences
    """Their evaluable values, signed so that falls are bad; shares of known support as angles."""
    values: Floats
    """The same values as they are."""


def batch_series(all_series: Sequence[Series], selected: Sequence[int], min_count: float) -> Iterator[SeriesBatch]:
    """Yield batches of series: shares of known support apart from the rest.

    Args:
        all_series: Any series.
        selected: Indices of those to batch; those without an evaluable value are left out.
        min_count: Support under which a period is not evaluated.
    """
    pending: dict[bool, list[tuple[int, Series]]] = {False: [], True: []}
    count = {False: 0, True: 0}
    for index in selected:
        series = all_series[index]
        evaluable = series.evaluable(min_count)
        series = series if evaluable.all() else series[evaluable]
        if not len(series):
            continue
        if series.key.metric in BIASED:
            series = replace(series, values=without_bias(series.values, series.effective_support()))
        are_shares = series.proportion and series.support is not None
        pending[are_shares].append((index, series))
        count[are_shares] += len(series)
        if count[are_shares] >= BATCH_VALUES:
            yield _batch(pending[are_shares], are_shares=are_shares)
            pending[are_shares], count[are_shares] = [], 0
    yield from (_batch(members, are_shares=are_shares) for are_shares, members in pending.items() if members)


def _batch(members: Sequence[tuple[int, Series]], *, are_shares: bool) -> SeriesBatch:
    lengths = np.array([len(series) for _, series in members])
    values = np.clip(np.concatenate([series.values for _, series in members]), -MAX_MAGNITUDE, MAX_MAGNITUDE)
    signs = [-1.0 if series.better is Direction.LOWER else 1.0 for _, series in members]
    plain = values * np.repeat(signs, lengths)
    noise = trust = None
    if are_shares:
        support = np.concatenate([series.support for _, series in members if series.support is not None])
        cases = np.where(support > 0, support, 1.0)  # an unknown support counts as one case
        hits = np.clip(values * cases, 0, cases)
        values, noise = np.arcsin(np.sqrt((hits + 0.375) / (cases + 0.75))), 1 / (4 * cases + 2)
    elif any(series.support is not None or series.rows is not None for _, series in members):
        trust = _trusts(series for _, series in members)
    signed = values * np.repeat(signs, lengths) if are_shares else plain
    return SeriesBatch([index for index, _ in members], Sequences(signed, lengths, noise, trust), plain)


def _trusts(members: Iterable[Series]) -> Floats:
    """Return the trust in the values of some series, one behind the other.

    The metrics of a model often rest on the same rows; supports of equal length are weighed at once.
    """
    supports: dict[tuple[int, bool], Floats] = {}
    kinds: list[tuple[int, bool]] = []
    by_length: dict[tuple[int, bool], list[tuple[int, bool]]] = {}
    for series in members:
        support = series.effective_support()
        kind = id(support), series.support is None
        kinds.append(kind)
        if kind not in supports:
            supports[kind] = support
            by_length.setdefault((len(support), kind[1]), []).append(kind)
    trusts: dict[tuple[int, bool], Floats] = {}
    for (_, is_skewed), own in by_length.items():
        rows = _trust(rows_of([supports[kind] for kind in own]), skewed=SKEWED_CASES if is_skewed else 0)
        trusts |= zip(own, rows, strict=True)
    return np.concatenate([trusts[kind] for kind in kinds])


def _trust(supports: Floats, skewed: float) -> Floats:
    """Return the weight of each value, 0 to 1: less if it rests on fewer cases than those before it on average.

    Values of few cases are skewed, so that the deviation of those before does not bound them. A series is a row.
    """
    is_known = ~np.isnan(supports)
    cases = np.where(is_known, supports, 0.0)
    usual = np.zeros_like(cases)
    np.divide(np.cumsum(cases[:, :-1], axis=1), np.arange(1, cases.shape[1]), out=usual[:, 1:])
    ratio = np.divide(cases, usual, out=np.ones_like(cases), where=usual > 0)
    certainty = cases / (cases + skewed) if skewed else 1.0
    return np.where(is_known, np.sqrt(np.minimum(ratio, 1.0) * certainty), 1.0)


MAX_SLACK = 1e6
"""Deviations; the squares of far larger ones overflow."""


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
        if not 0 < self.slack < MAX_SLACK:
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

    def prepare(self, series_batch: Sequence[Series], context: QueryContext) -> list[Scan | None]:
        """Return the scan of each series; None if it never breaches. Many at once cost little more than one."""
        scans: list[Scan | None] = [None] * len(series_batch)
        selected = [
            index for index, series in enumerate(series_batch) if self.outside or series.better is not Direction.NEITHER
        ]
        for batch in batch_series(series_batch, selected, context.min_count):
            runs: dict[tuple[int, float], list[AlarmRun]] = {}
            for run in alarm_runs(batch.sequences, self._cusum, signs=(1.0, -1.0) if self.outside else (1.0,)):
                runs.setdefault((batch.indices[run.sequence], run.sign), []).append(run)
            for (index, _), own in runs.items():
                scan, other = self._scan(series_batch[index], own, context.min_count), scans[index]
                scans[index] = scan if other is None else other.where(other.excess >= scan.excess, scan)
        return scans

    def _scan(self, series: Series, runs: Iterable[AlarmRun], min_count: float) -> Scan:
        """Spread the runs of a series over its points; those that are not evaluable are in no run.

        How far a point lies off is the highest score in its run so far, 0 outside of runs.
        """
        points = np.flatnonzero(series.evaluable(min_count))
        peak, usual = np.zeros((2, len(series)))
        start = np.arange(len(series))
        for run in runs:
            places = points[run.start : run.start + len(run.scores)]
            peak[places], start[places] = np.maximum.accumulate(run.scores), places[0]
            usual[places] = series.values[points[max(run.start - self.periods, 0) : run.start]].mean()
        return Scan(levels=grade_levels(peak, self.warn, self.critical), excess=peak, baseline=usual, start=start)

    def breach(self, past: Series, scan: Scan, level: Severity) -> Breach:
        """Return the value beside the mean before the run that it is in."""
        breach = Detector.breach(self, past, scan, level)
        (size,) = adverse_difference(past.values[-1:] - scan.baseline[-1:], past.better, outside=self.outside).tolist()
        if size > 0:
            return breach
        # A run ends with the last of several good values.
        return replace(breach, message=breach.message.replace(", ", ", back to "))

    def describe_normal(self) -> str:
        """Return the status of a value that does not breach."""
        return "no sustained change" if self.outside else "no sustained decline"

    def describe(self, name: str, show: Callable[[float], str], against: str) -> str:  # noqa: ARG002
        """Return the condition, such as `recall: a sustained decline from its 60-period baseline warns ...`."""
        levels = [
            f"{LEVEL_PHRASES[severity]} (CUSUM, threshold {format_exact(threshold)} sigma)"
            for severity, threshold in reversed(configured_pairs(self.warn, self.critical))
        ]
        what = "change" if self.outside else "decline"
        return f"{name}: a sustained {what} from its {self.periods}-period baseline {', '.join(levels)}"
