"""What is worth a word about a model that has no alert: a value far below its baseline, a decline inside the limits."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.metrics.registry import Metric, MetricRegistry
from modeltop.core.series import Concern, ConcernKind, Direction, Series, SeriesKey, to_datetime
from modeltop.core.stats.robust import MAX_MAGNITUDE, median
from modeltop.core.stats.trend_tests import significant_trends, theil_sen_lines
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


def find_concerns(
    all_series: Mapping[SeriesKey, Series],
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
    measured = {
        key: (series, metric)
        for key, series in all_series.items()
        if len(series) > MIN_PERIODS and material_drop(metric := catalog.get(key.metric)) is not None
    }
    tails = {key: _evaluable_tail(series) for key, (series, _) in measured.items()}
    found: dict[SeriesKey, tuple[Concern, ...]] = {}
    for key in _below_baseline(tails):
        if concern := _far_below(tails[key]):
            found[key] = (concern,)
    if declining:
        overall = {key: tail for key, tail in tails.items() if key.segment == "all"}
        for key in _declining(overall):
            concern = _decline(overall[key], measured[key][1], rules.get(key, ()))
            found[key] = (*found.get(key, ()), concern)
    return found


def _evaluable_tail(series: Series) -> Series:
    tail = series[-TAIL:]
    evaluable = tail.evaluable() & (np.abs(tail.values) < MAX_MAGNITUDE)
    return tail if evaluable.all() else tail[evaluable]


def _by_length(tails: Mapping[SeriesKey, Series], most: int, least: int) -> Iterator[tuple[list[SeriesKey], int]]:
    """Yield the series with as many newest values, at most and at least so many, and their number."""
    keys: dict[int, list[SeriesKey]] = {}
    for key, tail in tails.items():
        if len(tail) >= least:
            keys.setdefault(min(len(tail), most), []).append(key)
    yield from ((own, length) for length, own in keys.items())


def _signed(tails: Mapping[SeriesKey, Series], keys: Sequence[SeriesKey], length: int) -> Floats:
    """Return the newest values of series, shape (series, length), signed so that falls are bad."""
    signs = np.array([-1.0 if tails[key].better is Direction.LOWER else 1.0 for key in keys])
    return signs[:, None] * np.stack([tails[key].values[-length:] for key in keys])


def _below_baseline(tails: Mapping[SeriesKey, Series]) -> Iterator[SeriesKey]:
    """Yield the series whose newest value may lie far below: four deviations of the median are three of the mean."""
    for keys, length in _by_length(tails, BASELINE_PERIODS + 1, MIN_BASELINE + 1):
        values = _signed(tails, keys, length)
        before = values[:, :-1]
        is_far = before.mean(axis=1) - values[:, -1] >= (FAR_BELOW - 1) * before.std(axis=1)
        yield from (keys[row] for row in np.flatnonzero(is_far).tolist())


def _far_below(tail: Series) -> Concern | None:
    drops, last = Drops(tail, periods=BASELINE_PERIODS), len(tail) - 1
    normal = drops.normal_before(last)
    (size,) = drops.deviations(slice(last, last + 1), normal).tolist()
    if size < FAR_BELOW:
        return None
    return Concern(ConcernKind.BELOW_BASELINE, tail.key, tail.newest, 1, normal.level, tail.latest)


def _declining(tails: Mapping[SeriesKey, Series]) -> Iterator[SeriesKey]:
    """Yield the series that get significantly worse, by enough to matter."""
    for keys, length in _by_length(tails, PERIODS, MIN_PERIODS):
        values = _signed(tails, keys, length)
        falling = np.flatnonzero(values[:, : length // 3].mean(axis=1) > values[:, -(length // 3) :].mean(axis=1))
        if not len(falling):
            continue
        times = np.stack([_days(tails[keys[row]], length) for row in falling.tolist()])
        rows = significant_trends(times, values[falling], P_FIRES)
        starts, ends = theil_sen_lines(times[rows], values[falling[rows]])
        for row, start, end in zip(falling[rows].tolist(), starts.tolist(), ends.tolist(), strict=True):
            if start - end >= _smallest_change(tails[keys[row]], start):
                yield keys[row]


def _days(tail: Series, length: int) -> Floats:
    times = tail.times[-length:]
    return np.asarray((times - times[0]) / DAY)


def _smallest_change(tail: Series, start: float) -> float:
    return MIN_CHANGE if tail.better is Direction.HIGHER else MIN_ERROR_CHANGE * abs(start)


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
