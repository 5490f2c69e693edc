"""How the metrics of a model have gone: each named by what is costly, and only where something cheap says it moved."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.diagnosis import Pattern, SeriesPattern
from modeltop.core.series import Direction, Series, SeriesKey, to_datetime64
from modeltop.core.stats.robust import median
from modeltop.diagnosis.context import ModelContext
from modeltop.diagnosis.timeseries.pattern import recent_pattern

if TYPE_CHECKING:
    from modeltop.core.series import Floats

MAX_PERIODS, MIN_PERIODS = 120, 10
"""Judged periods that are looked at, and with fewer than which nothing is said."""
STEP, SPIKE, WEEKLY = 4.5, 5.5, 0.4
"""From where something moved: a step and a spike in standard errors, and the correlation of a day with its weekday."""
WEEK = 7
MAX_TRIED, ENOUGH_DECLINES = 3, 2
"""Metrics that are named at most where no alert says which one is asked about, and how many in trouble are enough."""
FAMILIES = ("drift", "quality")
"""They explain: a course of theirs is no trouble of its own."""
CONFIDENCE = "avg_confidence"
DECLINES = (Pattern.DROP, Pattern.DECLINE)
TRANSIENT_FITS = ("level", "spike", "burst", "return")
"""Descriptions of what is as it was in the end."""
MIN_CONFIDENCE = 0.6
"""How sure the slower fall before another must be."""
SLIGHT = {Pattern.DECLINE: 0.1, Pattern.DROP: 0.15}
"""The share of a fall from which one before it counts as its beginning."""
CACHE_SIZE = 2048

_known: OrderedDict[int, tuple[Series, SeriesPattern]] = OrderedDict()


def pattern_of(series: Series) -> SeriesPattern:
    """The course of a series, remembered while the series is the same: without a new row it costs nothing."""
    known = _known.get(id(series))
    if known is not None and known[0] is series:
        return known[1]
    found = _from_its_onset(series, recent_pattern(series))
    _known[id(series)] = (series, found)
    while len(_known) > CACHE_SIZE:
        _known.popitem(last=False)
    return found


def _from_its_onset(series: Series, found: SeriesPattern) -> SeriesPattern:
    """A decline that only grew steeper began where the slower one did that led to it; so did a drop at its end.

    The course of all periods is described by its largest fall. So the periods before that are looked at once more: a
    fall that was still going on there, and that is more than a slight part of it, is its beginning. A drop stays one
    after another drop, and after a decline that is nothing beside it.
    """
    if found.pattern not in DECLINES or found.started_at is None or not found.size:
        return found
    early = recent_pattern(series[: int(np.searchsorted(series.times, to_datetime64(found.started_at)))])
    led = DECLINES if found.pattern is Pattern.DECLINE else (Pattern.DECLINE,)
    if early.pattern not in led or early.size is None or early.confidence < MIN_CONFIDENCE:
        return found
    if early.size / found.size < SLIGHT[found.pattern]:
        return found
    return replace(found, pattern=Pattern.DECLINE, started_at=early.started_at, size=found.size + early.size)


def no_change_probability(found: SeriesPattern) -> float:
    """How likely nothing happened that lasts, 0 to 1: the weight of the descriptions that end where they began."""
    if not found.fits:
        return 0.0
    best = found.fits[0].bic
    weights = {fit.name: math.exp((best - fit.bic) / 2) for fit in found.fits}
    return sum(weights.get(name, 0.0) for name in TRANSIENT_FITS) / sum(weights.values())


def metric_patterns(case: ModelContext, asked: SeriesKey | None) -> tuple[SeriesPattern, ...]:
    """Of the series that is asked about, else of the metrics that moved most; and of confidence, which tells why.

    Args:
        case: The model.
        asked: What an alert is about; None where none stands.
    """
    whole = case.overall_series()
    found = [pattern_of(one) for one in case.series if one.key == asked]
    if not found:
        found = list(_searched(case))
    confidence = whole.get(CONFIDENCE)
    if confidence is not None and found and instability(confidence) > 1:
        found.append(pattern_of(confidence))
    return tuple(found)


def _searched(case: ModelContext) -> Iterator[SeriesPattern]:
    """The most restless of those with a direction: known before estimated, shares of counts first."""
    ranked: list[tuple[tuple[bool, bool, float], Series]] = []
    for name, series in case.overall_series().items():
        metric = case.catalog.get(name)
        if (
            series.better is not Direction.NEITHER
            and metric.family not in FAMILIES
            and (size := instability(series)) > 1
        ):
            ranked.append(((metric.needs_labels, metric.proportion, size), series))
    ranked.sort(key=lambda one: one[0], reverse=True)
    wrong = 0
    for _, series in ranked[:MAX_TRIED]:
        if wrong >= ENOUGH_DECLINES:
            return
        found = pattern_of(series)
        wrong += found.pattern in DECLINES
        yield found


def instability(series: Series) -> float:
    """How much speaks for anything but a level, 1 being the least that counts; a few sums over the newest periods."""
    values = series.values[series.evaluable()][-MAX_PERIODS:]
    if len(values) < MIN_PERIODS:
        return 0.0
    steps = np.abs(np.diff(values))
    noise = float(median(steps)) / 0.954 or float(
        steps.mean()
    )  # of a normal series: the median of |a - b| is 0.954 sd
    if noise <= 0:
        return 0.0
    away = np.abs(values - median(values)) / noise
    return max(_step(values, noise) / STEP, float(away.max()) / SPIKE, _weekly(values) / WEEKLY)


def _step(values: Floats, noise: float) -> float:
    """The surest change of level, in standard errors of independent points."""
    n = len(values)
    count = np.arange(2, n - 1)
    sums = np.cumsum(values)
    apart = sums[count - 1] / count - (sums[-1] - sums[count - 1]) / (n - count)
    return float(np.max(np.abs(apart) / (noise * np.sqrt(1 / count + 1 / (n - count)))))


def _weekly(values: Floats) -> float:
    """Correlation of a period with the seventh before it."""
    if len(values) < 3 * WEEK:
        return 0.0
    centred = values - values.mean()
    power = float(centred @ centred)
    return 0.0 if power <= 0 or math.isinf(power) else float(centred[WEEK:] @ centred[:-WEEK]) / power
