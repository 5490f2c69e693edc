"""How far the newest period of a series, provisional or not, has moved, and how much of that may be chance."""

from __future__ import annotations

import math
from datetime import timedelta
from decimal import Decimal

import numpy as np

from modeltop.core.metrics.registry import Metric
from modeltop.core.series import Comparison, Series, to_datetime
from modeltop.core.stats.intervals import Interval, newcombe, wilson
from modeltop.rules.baselines.past import ROLLING, PastBaseline, Rolling

LOOKBACKS = (("7d", timedelta(days=7)), ("30d", timedelta(days=30)))


def change_summary(series: Series, metric: Metric, baseline: PastBaseline = ROLLING) -> tuple[Comparison, ...]:
    """Return the changes up to the newest period, from the nearest comparison to the widest.

    Args:
        series: Of the metric; infinite values are passed over, and if the newest is none there is no comparison.
        metric: The metric of the series.
        baseline: The earlier periods to compare with beside the nearest and the first.

    Returns:
        At most one each, in this order: `previous`, `7d` and `30d` (the newest period at or before that date, counted
        back from the newest), `first`, `reference` (the mean of the baseline's window).
    """
    earlier = np.flatnonzero(np.isfinite(series.values[:-1]))
    if not len(earlier) or not np.isfinite(series.latest):
        return ()
    indices = {"previous": int(earlier[-1])}
    for name, span in LOOKBACKS:
        within = series.times[earlier] <= series.times[-1] - np.timedelta64(span)
        if within.any():
            indices[name] = int(earlier[within][-1])
    indices["first"] = int(earlier[0])
    periods = {name: series[index : index + 1] for name, index in indices.items()}
    comparisons = [
        _compare(series, metric, name, period, period.latest, period.latest_support) for name, period in periods.items()
    ]
    window = baseline.window(series)
    if window is not None:
        comparisons.append(_compare(series, metric, "reference", window, *_pooled_mean(window)))
    return tuple(comparisons)


def _compare(
    series: Series, metric: Metric, against: str, earlier: Series, before: float, support_before: float | None
) -> Comparison:
    after, support = series.latest, series.latest_support
    low, high = (metric.proportion and newcombe(after, support, before, support_before)) or (None, None)
    return Comparison(
        key=series.key,
        against=against,
        before=before,
        after=after,
        delta=float(Decimal(repr(after)) - Decimal(repr(before))),  # of the numbers as they are written
        low=low,
        high=high,
        before_at=to_datetime(earlier.times[0]),
        count=support,
    )


def _pooled_mean(window: Series) -> tuple[float, float | None]:
    """Return the mean of a window and its support: weighted by support if all of it is known, else plain."""
    support = math.nan if window.support is None else float(window.support.sum())
    if not 0 < support < math.inf:
        return float(window.values.mean()), None
    return float(np.average(window.values, weights=window.support)), support


def latest_interval(series: Series, metric: Metric) -> Interval | None:
    """Return the 95 % interval of the newest value: that of the data, else Wilson's of a share of known support."""
    if not len(series):
        return None
    low, high = (math.nan if column is None else float(column[-1]) for column in (series.low, series.high))
    if math.isfinite(low) and math.isfinite(high):
        return low, high
    return wilson(series.latest, series.latest_support) if metric.proportion else None


def baseline_note(series: Series, baseline: PastBaseline = ROLLING) -> str | None:
    """Return what a comparison with a baseline needs, such as `needs 10 earlier periods, has 9`; None if nothing."""
    if baseline.window(series) is not None:
        return None
    if not isinstance(baseline, Rolling):
        return f"not enough periods for {baseline.describe()}"
    return f"needs {baseline.min_periods} earlier periods, has {int(series[:-1].evaluable().sum())}"
