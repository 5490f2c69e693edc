"""What is worth a word about a model that has no alert: values far off their baseline, a decline inside the limits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from modeltop.core.metrics.phrases import format_change, format_values, series_subject
from modeltop.core.metrics.registry import Metric, MetricRegistry
from modeltop.core.series import (
    Alert,
    Concern,
    ConcernKind,
    Direction,
    Flags,
    Floats,
    Series,
    SeriesKey,
    Times,
    to_datetime,
    to_datetime64,
)
from modeltop.core.stats.collapse import WEEK, are_weekly, without_season
from modeltop.core.stats.distributions import norm_isf
from modeltop.core.stats.robust import MAX_MAGNITUDE
from modeltop.core.stats.rolling import rows_of
from modeltop.core.stats.spacing import median_gap
from modeltop.core.stats.trend_tests import mann_kendall_rows, significant_trends, theil_sen_lines
from modeltop.core.text import format_day, format_value, pluralize
from modeltop.rules.detectors.baseline_drop import MIN_BASELINE, Drops
from modeltop.rules.detectors.confidence import MIN_CHANGE, MIN_PERIODS, P_FIRES, PERIODS, ConfidenceShift, fit_turn
from modeltop.rules.detectors.cusum import LastingShift
from modeltop.rules.detectors.material import Material, large_drop, material_drop
from modeltop.rules.detectors.threshold import Threshold
from modeltop.rules.rule import Rule

BASELINE_PERIODS = 60
FAR_OFF = 4.0
"""Deviations on the bad side of the baseline from which on one value is worth a word."""
UNCONFIRMED = 3
"""Newest values that may lie so far off without an alert: more are a sustained drop."""
MIN_ERROR_CHANGE = 0.20
"""Change of an error along a trend that is worth a word, as a fraction of where the trend started."""
STEP = 0.10
"""Where no configured limit lies ahead, a forecast is to the next multiple of this."""
HORIZON_DAYS = 365.0
"""Furthest forecast."""
TAIL = 90
"""Newest periods of a series that are looked at."""
ACCEPTED_AFTER = LastingShift().usual
"""Periods after which the level of a drop is the normal one."""
NO_ALERTS: Mapping[SeriesKey, Sequence[Alert]] = MappingProxyType({})
DAY = np.timedelta64(1, "D")


class _Newest(NamedTuple):
    """The newest periods of a series."""

    series: Series
    values: Floats
    """Its evaluable values among them that are in no earlier drop."""
    points: Flags | None = None
    """Which of its newest periods those are; None: all."""

    def evaluable(self) -> Series:
        """Return the series at the points of `values`."""
        newest = self.series[-TAIL:]
        return newest if self.points is None else newest[self.points]


def find_concerns(
    all_series: Iterable[Series],
    rules: Mapping[SeriesKey, Sequence[Rule]],
    catalog: MetricRegistry,
    *,
    declining: bool = True,
    earlier: Mapping[SeriesKey, Sequence[Alert]] = NO_ALERTS,
) -> dict[SeriesKey, tuple[Concern, ...]]:
    """Return the concerns about the newest periods of many series, without those that have none.

    Args:
        all_series: The series.
        rules: The rules that apply to each; those of them that have a limit say where a decline leads.
        catalog: Tells which metrics measure performance.
        declining: Whether to look for declines.
        earlier: The alerts that are over, by series: their periods are not normal.
    """
    series_by_metric: dict[str, list[Series]] = {}
    for series in all_series:
        if len(series) > MIN_BASELINE:
            series_by_metric.setdefault(series.key.metric, []).append(series)
    metrics = {name: catalog.get(name) for name in series_by_metric}
    measured = {name for name, metric in metrics.items() if material_drop(metric) is not None}
    watched = (
        series
        for name, own in series_by_metric.items()
        for series in own
        if name in measured or series.key.segment == "all"
    )
    tails = list(_tails(watched, earlier))
    found: dict[SeriesKey, tuple[Concern, ...]] = {}
    for concern in _off_baseline(tails, metrics, rules):
        found.setdefault(concern.key, (concern,))
    if declining:
        overall = (tail for tail in tails if tail.series.key.segment == "all" and tail.series.key.metric in measured)
        for tail, values in _declining(overall):
            concern = _decline(tail, values, metrics[tail.key.metric], rules.get(tail.key, ()))
            found[tail.key] = (*found.get(tail.key, ()), concern)
    return found


def _tails(all_series: Iterable[Series], earlier: Mapping[SeriesKey, Sequence[Alert]]) -> Iterator[_Newest]:
    newest = [_Newest(series, series.values[-TAIL:]) for series in all_series]
    for own, values in _signed(newest, TAIL, 1):
        flags = rows_of([tail.series.evaluable()[-TAIL:] for tail in own]) & (np.abs(values) < MAX_MAGNITUDE)
        are_whole = np.asarray(flags.all(axis=1)).tolist()
        for tail, evaluable, is_whole in zip(own, flags, are_whole, strict=True):
            alerts = earlier.get(tail.series.key)
            if is_whole and not alerts:
                yield tail
                continue
            spans = [_span(alert, tail.series.times[-TAIL:]) for alert in alerts or ()]
            points = evaluable & ~np.logical_or.reduce(spans) if spans else evaluable
            yield tail if points.all() else tail._replace(values=tail.values[points], points=points)


def _span(alert: Alert, times: Times) -> Flags:
    """Return which periods an alert covers that is over; none if its level was accepted as the normal one."""
    if alert.resolved is None or alert.fired is None or alert.periods >= ACCEPTED_AFTER:
        return np.zeros(len(times), dtype=np.bool_)
    return (times >= to_datetime64(alert.since)) & (times < to_datetime64(alert.resolved))


def _signed(tails: Iterable[_Newest], most: int, least: int) -> Iterator[tuple[list[_Newest], Floats]]:
    """Yield tails of equal length with their newest values, at most and at least so many, signed so that falls are bad.

    The values of each are a row.
    """
    by_length: dict[int, list[_Newest]] = {}
    for tail in tails:
        length = len(tail.values)
        if length >= least:
            by_length.setdefault(min(length, most), []).append(tail)
    for length, own in by_length.items():
        signs = np.array([-1.0 if tail.series.better is Direction.LOWER else 1.0 for tail in own])
        yield own, signs[:, None] * rows_of([tail.values[-length:] for tail in own])


def _off_baseline(
    tails: Sequence[_Newest], metrics: Mapping[str, Metric], rules: Mapping[SeriesKey, Sequence[Rule]]
) -> Iterator[Concern]:
    """Yield that newest values lie far off their baseline: on the bad side, and of confidence on either."""
    directed = [tail for tail in tails if tail.series.better is not Direction.NEITHER]
    two_sided: list[_Newest] = []
    smallest: dict[SeriesKey, Material] = {}
    for tail in tails:
        shifts = (
            rule.detector for rule in rules.get(tail.series.key, ()) if isinstance(rule.detector, ConfidenceShift)
        )
        for shift in shifts:
            two_sided.append(tail)
            smallest[tail.series.key] = Material(absolute=shift.least_change)
    for sign, group in ((1.0, [*directed, *two_sided]), (-1.0, two_sided)):
        for own, signed in _signed(group, BASELINE_PERIODS + 1, MIN_BASELINE + 1):
            for row in np.flatnonzero(_may_be_off(sign * signed)).tolist():
                series = own[row].evaluable()
                material = smallest.get(series.key) or _worth_a_word(metrics[series.key.metric])
                if concern := _far_off(series, sign, material):
                    yield concern


def _worth_a_word(metric: Metric) -> Material:
    """Return which drops are: of a metric that measures performance any, of others a large one."""
    return Material() if material_drop(metric) else large_drop(metric)


def _may_be_off(values: Floats) -> Flags:
    """Return which rows may end far below: four deviations of the median are at least three of the mean."""
    off = np.zeros(len(values), dtype=np.bool_)
    for count in range(1, UNCONFIRMED + 1):
        before = values[:, :-count]
        off |= before.mean(axis=1) - values[:, -count:].max(axis=1) >= (FAR_OFF - 1) * before.std(axis=1)
    return off


def _far_off(tail: Series, sign: float, smallest: Material) -> Concern | None:
    """Return the concern that the newest values, as many as do, lie far below those before the first of them."""
    drops = Drops(tail, sign, BASELINE_PERIODS)
    for count in range(min(UNCONFIRMED, len(tail) - MIN_BASELINE), 0, -1):
        first = len(tail) - count
        rows, normal = slice(first, len(tail)), drops.normal_before(first)
        is_far = drops.deviations(rows, normal).min() >= FAR_OFF
        if is_far and drops.below(rows, normal).min() >= smallest.sudden(normal.level):
            since = to_datetime(tail.times[first])
            return Concern(ConcernKind.BELOW_BASELINE, tail.key, since, count, normal.level, tail.latest)
    return None


def _declining(tails: Iterable[_Newest]) -> Iterator[tuple[Series, Floats]]:
    """Yield the newest periods of the series that get significantly worse, by enough to matter.

    Beside each are the values less their weekly season, if there is one.
    """
    for own, signed in _signed(tails, PERIODS, MIN_PERIODS):
        third = signed.shape[1] // 3
        places = np.flatnonzero(signed[:, :third].mean(axis=1) > signed[:, -third:].mean(axis=1))
        weekly = are_weekly(signed[places]) if signed.shape[1] == PERIODS else np.zeros(len(places), dtype=np.bool_)
        for season, group in ((1, places[~weekly]), (WEEK, places[weekly])):
            yield from _falling([own[place] for place in group.tolist()], signed[group], season)


def _falling(tails: Sequence[_Newest], signed: Floats, season: int) -> Iterator[tuple[Series, Floats]]:
    places = np.flatnonzero(np.abs(mann_kendall_rows(signed, season)) >= norm_isf(P_FIRES / 2))
    if not len(places):
        return
    falling, values = [tails[place].evaluable() for place in places.tolist()], signed[places]
    times = np.stack([series.times[-values.shape[1] :] for series in falling])
    days = (times - times[:, :1]) / DAY
    rows = significant_trends(days, values, P_FIRES, season=season)
    starts, ends = theil_sen_lines(days[rows], values[rows], season)
    for row, start, end in zip(rows.tolist(), starts.tolist(), ends.tolist(), strict=True):
        is_share = falling[row].better is Direction.HIGHER
        if start - end >= (MIN_CHANGE if is_share else MIN_ERROR_CHANGE * abs(start)):
            own = falling[row].values[-values.shape[1] :]
            yield falling[row], own if season == 1 else without_season(own)


def _decline(tail: Series, values: Floats, metric: Metric, rules: Sequence[Rule]) -> Concern:
    window, newest = tail[-PERIODS:], float(values[-1])
    turn = fit_turn(values)
    first = max(turn.start - 1, 0)
    limit = _next_limit(newest, metric, rules)
    pace = (turn.after - turn.before) / (len(window) - 1 - first)
    gap = median_gap(window.times) / timedelta(days=1)
    periods = math.inf if limit is None or not pace else math.ceil((limit - newest) / pace - 1e-9)
    is_near = 0 <= periods * gap <= HORIZON_DAYS
    return Concern(
        ConcernKind.DECLINING,
        tail.key,
        since=to_datetime(window.times[first]),
        periods=len(window) - first,
        before=turn.before,
        value=newest,
        limit=limit if is_near else None,
        limit_at=tail.newest + timedelta(days=periods * gap) if is_near else None,
    )


def _next_limit(newest: float, metric: Metric, rules: Sequence[Rule]) -> float | None:
    """Return the next limit that the metric would cross: the nearest configured one ahead, else the next tenth."""
    is_lower = metric.better is Direction.LOWER
    limits = [limit for rule in rules if isinstance(rule.detector, Threshold) for _, limit in rule.detector.limits()]
    sides = [limit.above if is_lower else limit.below for limit in limits]
    ahead = [side for side in sides if side is not None and (side > newest if is_lower else side < newest)]
    if ahead:
        return min(ahead) if is_lower else max(ahead)
    low, high = metric.bounds
    if low is None or high is None:
        return None
    steps = newest / STEP
    tenth = round((math.floor(steps + 1e-9) + 1 if is_lower else math.ceil(steps - 1e-9) - 1) * STEP, 10)
    return tenth if low < tenth < high else None


def describe_concern(concern: Concern, metric: Metric, unit: str, now: datetime) -> str:
    """Return a concern in one clause, such as `declining: accuracy -0.09 in 10 days; below 0.80 around 17 Jan`.

    Args:
        concern: The concern.
        metric: Its metric.
        unit: What a period of its series is.
        now: Dates of another year have their year.
    """
    subject, lasted = series_subject(concern.key), pluralize(concern.periods, unit)
    if concern.kind is ConcernKind.BELOW_BASELINE:
        levels = format_change(metric, concern.before, concern.value)
        return f"{lasted} far {concern.side} baseline, not confirmed: {subject} {levels}"
    (delta,) = format_values(metric, concern.value - concern.before)
    text = f"declining: {subject} {delta} in {lasted}"
    if concern.limit is None or concern.limit_at is None:
        return text
    side = "above" if metric.better is Direction.LOWER else "below"
    return f"{text}; at this pace {side} {format_value(concern.limit)} around {format_day(concern.limit_at, now)}"
