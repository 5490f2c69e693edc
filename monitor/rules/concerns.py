"""What is worth a word about a model that has no alert: a value far below its baseline, a decline inside the limits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from modeltop.core.metrics.registry import Metric, MetricRegistry
from modeltop.core.series import Concern, ConcernKind, Direction, Series, SeriesKey, to_datetime
from modeltop.core.stats.distributions import norm_isf
from modeltop.core.stats.robust import MAX_MAGNITUDE, median
from modeltop.core.stats.trend_tests import mann_kendall_rows, significant_trends, theil_sen_lines
from modeltop.core.text import format_period, format_value
from modeltop.rules.detectors.baseline_drop import MIN_BASELINE, Drops
from modeltop.rules.detectors.confidence import MIN_CHANGE, MIN_PERIODS, P_FIRES, PERIODS, fit_turn
from modeltop.rules.detectors.material import material_drop
from modeltop.rules.detectors.threshold import Threshold
from modeltop.rules.rule import Rule

if TYPE_CHECKING:
    from modeltop.core.series import Floats

BASELINE_PERIODS = 60
FAR_BELOW = 4.0
"""Deviations below the baseline from which on one value is worth a word."""
MIN_ERROR_CHANGE = 0.20
"""Change of an error along a trend that is worth a word, as a fraction of where the trend began."""
STEP = 0.10
"""Where no configured limit lies ahead, a forecast is to the next multiple of this."""
HORIZON_DAYS = 365.0
"""Furthest forecast."""
TAIL = 90
"""Newest periods of a series that are looked at."""
DAY = np.timedelta64(1, "D")


class _Newest(NamedTuple):
    """The newest periods of a series."""

    series: Series
    values: Floats
    """Its evaluable values among them."""

    def evaluable(self) -> Series:
        """Return the series at the points of `values`."""
        newest = self.series[-TAIL:]
        return newest[newest.evaluable() & (np.abs(newest.values) < MAX_MAGNITUDE)]


def find_concerns(
    all_series: Iterable[Series],
    rules: Mapping[SeriesKey, Sequence[Rule]],
    catalog: MetricRegistry,
    *,
    declining: bool = True,
) -> dict[SeriesKey, tuple[Concern, ...]]:
    """Return the concerns about the newest periods of many series, without those that have none.

    Args:
        all_series: The series.
        rules: The rules that apply to each; those of them that have a limit say where a decline leads.
        catalog: Tells which metrics measure performance.
        declining: Whether to look for declines.
    """
    series_by_metric: dict[str, list[Series]] = {}
    for series in all_series:
        if len(series) > MIN_PERIODS:
            series_by_metric.setdefault(series.key.metric, []).append(series)
    metrics = {name: catalog.get(name) for name in series_by_metric}
    measured = [own for name, own in series_by_metric.items() if material_drop(metrics[name]) is not None]
    tails = list(_tails(chain.from_iterable(measured)))
    found: dict[SeriesKey, tuple[Concern, ...]] = {concern.key: (concern,) for concern in _below_baseline(tails)}
    if declining:
        for tail in _declining(tail for tail in tails if tail.series.key.segment == "all"):
            concern = _decline(tail, metrics[tail.key.metric], rules.get(tail.key, ()))
            found[tail.key] = (*found.get(tail.key, ()), concern)
    return found


def _tails(all_series: Iterable[Series]) -> Iterator[_Newest]:
    newest = [_Newest(series, series.values[-TAIL:]) for series in all_series]
    for own, values in _signed(newest, TAIL, 1):
        flags = np.stack([tail.series.evaluable()[-TAIL:] for tail in own]) & (np.abs(values) < MAX_MAGNITUDE)
        for tail, mask in zip(own, flags, strict=True):
            yield tail if mask.all() else tail._replace(values=tail.values[mask])


def _signed(tails: Iterable[_Newest], most: int, least: int) -> Iterator[tuple[list[_Newest], Floats]]:
    """Yield tails of equal length with their newest values, at most and at least so many, signed so that falls are bad.

    The values of each are a row.
    """
    by_length: dict[int, list[_Newest]] = {}
    for tail in tails:
        if len(tail.values) >= least:
            by_length.setdefault(min(len(tail.values), most), []).append(tail)
    for length, own in by_length.items():
        signs = np.array([-1.0 if tail.series.better is Direction.LOWER else 1.0 for tail in own])
        yield own, signs[:, None] * np.stack([tail.values[-length:] for tail in own])


def _below_baseline(tails: Iterable[_Newest]) -> Iterator[Concern]:
    """Yield that newest values lie far below: four deviations of the median are at least three of the mean."""
    for own, values in _signed(tails, BASELINE_PERIODS + 1, MIN_BASELINE + 1):
        before = values[:, :-1]
        is_far = before.mean(axis=1) - values[:, -1] >= (FAR_BELOW - 1) * before.std(axis=1)
        for row in np.flatnonzero(is_far).tolist():
            if concern := _far_below(own[row].evaluable()):
                yield concern


def _far_below(tail: Series) -> Concern | None:
    drops, last = Drops(tail, periods=BASELINE_PERIODS), len(tail) - 1
    normal = drops.normal_before(last)
    (size,) = drops.deviations(slice(last, last + 1), normal).tolist()
    if size < FAR_BELOW:
        return None
    return Concern(ConcernKind.BELOW_BASELINE, tail.key, tail.newest, 1, normal.level, tail.latest)


def _declining(tails: Iterable[_Newest]) -> Iterator[Series]:
    """Yield the newest periods of the series that get significantly worse, by enough to matter."""
    for own, signed in _signed(tails, PERIODS, MIN_PERIODS):
        third = signed.shape[1] // 3
        places = np.flatnonzero(signed[:, :third].mean(axis=1) > signed[:, -third:].mean(axis=1))
        places = places[np.abs(mann_kendall_rows(signed[places])) >= norm_isf(P_FIRES / 2)]
        if not len(places):
            continue
        falling, values = [own[place].evaluable() for place in places.tolist()], signed[places]
        times = np.stack([series.times[-values.shape[1] :] for series in falling])
        days = (times - times[:, :1]) / DAY
        rows = significant_trends(days, values, P_FIRES)
        starts, ends = theil_sen_lines(days[rows], values[rows])
        for row, start, end in zip(rows.tolist(), starts.tolist(), ends.tolist(), strict=True):
            if start - end >= _smallest_change(falling[row], start):
                yield falling[row]


def _smallest_change(series: Series, start: float) -> float:
    return MIN_CHANGE if series.better is Direction.HIGHER else MIN_ERROR_CHANGE * abs(start)


def _decline(tail: Series, metric: Metric, rules: Sequence[Rule]) -> Concern:
    window = tail[-PERIODS:]
    turn = fit_turn(window.values)
    first = max(turn.start - 1, 0)
    limit = _next_limit(tail, metric, rules)
    pace = (turn.after - turn.before) / (len(window) - 1 - first)
    gap = float(median(np.diff(window.times) / DAY))
    periods = math.inf if limit is None or not pace else math.ceil((limit - tail.latest) / pace - 1e-9)
    is_near = 0 <= periods * gap <= HORIZON_DAYS
    return Concern(
        ConcernKind.DECLINING,
        tail.key,
        since=to_datetime(window.times[first]),
        periods=len(window) - first,
        before=turn.before,
        value=tail.latest,
        limit=limit if is_near else None,
        limit_at=tail.newest + timedelta(days=periods * gap) if is_near else None,
    )


def _next_limit(tail: Series, metric: Metric, rules: Sequence[Rule]) -> float | None:
    """Return the next limit that the metric would cross: the nearest configured one ahead, else the next tenth."""
    is_lower = metric.better is Direction.LOWER
    limits = [limit for rule in rules if isinstance(rule.detector, Threshold) for _, limit in rule.detector.limits()]
    sides = [limit.above if is_lower else limit.below for limit in limits]
    ahead = [side for side in sides if side is not None and (side > tail.latest if is_lower else side < tail.latest)]
    if ahead:
        return min(ahead) if is_lower else max(ahead)
    low, high = metric.bounds
    if low is None or high is None:
        return None
    steps = tail.latest / STEP
    tenth = round((math.floor(steps + 1e-9) + 1 if is_lower else math.ceil(steps - 1e-9) - 1) * STEP, 10)
    return tenth if low < tenth < high else None


def describe_concern(concern: Concern, metric: Metric) -> str:
    """Return a concern in one clause without the model's name; that of a metric that is not registered is foreign.

    Args:
        concern: The concern.
        metric: Its metric.
    """
    name = metric.name if concern.key.segment == "all" else f"{concern.key.segment}: {metric.name}"
    before, value = format_value(concern.before), format_value(concern.value)
    if concern.kind is ConcernKind.BELOW_BASELINE:
        return f"{name} {value}, baseline {before}: 1 period far below baseline, not confirmed"
    text = (
        f"{name} declining: {metric.format_delta(concern.value - concern.before)} since {format_period(concern.since)}"
    )
    if concern.limit is None or concern.limit_at is None:
        return text
    side = "above" if metric.better is Direction.LOWER else "below"
    return f"{text}; at this pace {side} {format_value(concern.limit)} around {format_period(concern.limit_at)}"
