"""The patterns of a model's metrics; fitting is slow, so only metrics that moved by a cheap score are fitted."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from modeltop.core.diagnosis import SeriesPattern
from modeltop.core.series import Direction, Floats, Series, SeriesKey
from modeltop.core.stats.robust import median
from modeltop.diagnosis.context import CONFIDENCE, ModelContext
from modeltop.diagnosis.timeseries.pattern import DECLINES, MAX_PERIODS, MIN_PERIODS, recent_pattern
from modeltop.rules.suggest import EXPLANATORY_FAMILIES

MIN_STEP_Z, MIN_SPIKE_Z, MIN_WEEKLY_CORRELATION = 4.5, 5.5, 0.4
"""Minimum size of a movement: a step and a spike in standard errors, and the correlation of a day with its weekday."""
WEEK = 7
MAX_FITTED, ENOUGH_DECLINES = 3, 2
"""Maximum number of metrics to fit if no alert selects one; fitting stops early after this many declines."""
pattern_of = lru_cache(maxsize=2048)(recent_pattern)


def metric_patterns(context: ModelContext, key: SeriesKey | None) -> tuple[SeriesPattern, ...]:
    """Return the patterns of the series of an alert, else of those that moved most, then of a moved confidence."""
    patterns = [pattern_of(series) for series in context.series if series.key == key]
    if not patterns:
        patterns = list(_most_unstable(context))
    confidence = context.overall_series().get(CONFIDENCE)
    if confidence is not None and patterns and instability(confidence) > 1:
        patterns.append(pattern_of(confidence))
    return tuple(patterns)


def _most_unstable(context: ModelContext) -> Iterator[SeriesPattern]:
    ranked: list[tuple[tuple[bool, bool, float], Series]] = []
    for name, series in context.overall_series().items():
        metric = context.catalog.get(name)
        if series.better is Direction.NEITHER or metric.family in EXPLANATORY_FAMILIES:
            continue
        if (score := instability(series)) > 1:
            ranked.append(((metric.needs_labels, metric.proportion, score), series))
    ranked.sort(key=lambda pair: pair[0], reverse=True)
    declines = 0
    for _, series in ranked[:MAX_FITTED]:
        if declines >= ENOUGH_DECLINES:
            return
        pattern = pattern_of(series)
        declines += pattern.pattern in DECLINES
        yield pattern


def instability(series: Series) -> float:
    """Score how far the newest 120 evaluable periods are from one level, by a few sums; above 1 something moved."""
    values = series.values[series.evaluable()][-MAX_PERIODS:]
    if len(values) < MIN_PERIODS:
        return 0.0
    differences = np.abs(np.diff(values))
    # Of a normal series the median of |a - b| is 0.954 standard deviations.
    deviation = float(median(differences)) / 0.954 or float(differences.mean())
    if deviation <= 0:
        return 0.0
    spike_z = float((np.abs(values - median(values)) / deviation).max())
    step_z, correlation = _largest_step(values) / deviation, _weekly_correlation(values)
    return max(step_z / MIN_STEP_Z, spike_z / MIN_SPIKE_Z, correlation / MIN_WEEKLY_CORRELATION)


def _largest_step(values: Floats) -> float:
    n = len(values)
    count = np.arange(2, n - 1)
    sums = np.cumsum(values)
    difference = sums[count - 1] / count - (sums[-1] - sums[count - 1]) / (n - count)
    return float(np.max(np.abs(difference) / np.sqrt(1 / count + 1 / (n - count))))


def _weekly_correlation(values: Floats) -> float:
    if len(values) < 3 * WEEK:
        return 0.0
    centred = values - values.mean()
    power = float(centred @ centred)
    return 0.0 if power <= 0 or math.isinf(power) else float(centred[WEEK:] @ centred[:-WEEK]) / power
