"""How far a series has moved, and how much of that may be chance.

The newest period, provisional or not, is compared with earlier ones, because it is the one that the screen shows as
the latest. Alerts are not made here: they judge complete periods only, in `modeltop.rules.replay`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.metrics.registry import Metric
from modeltop.core.series import Comparison, Series, to_datetime
from modeltop.core.stats.intervals import Interval, newcombe, wilson
from modeltop.core.text import format_exact, format_period
from modeltop.rules.baselines.past import ROLLING, PastBaseline, Rolling

if TYPE_CHECKING:
    from modeltop.core.series import Floats

LOOKBACKS = (("7d", timedelta(days=7)), ("30d", timedelta(days=30)))
WORDS = {
    "previous": "since previous ({})",
    "7d": "since 7d back ({})",
    "30d": "since 30d back ({})",
    "first": "since first ({})",
    "reference": "against reference (from {})",
}


def change_summary(series: Series, metric: Metric, reference: PastBaseline = ROLLING) -> tuple[Comparison, ...]:
    """What has changed up to the newest period, from the nearest comparison to the widest.

    Args:
        series: The series.
        metric: What it is.
        reference: With which of its earlier periods it is compared beside the nearest and the first.

    Returns:
        At most one each, in this order: `previous`, `7d` and `30d` (the newest period at or before that date, counted
        back from the newest), `first`, `reference` (the mean of its window). A comparison for
        which there is no period is absent; so are all where the newest value is not finite. Earlier periods whose
        value is infinite are passed over.
    """
    if not len(series) or not np.isfinite(series.latest):
        return ()
    return tuple(_changes(series, metric, reference))


def _changes(series: Series, metric: Metric, reference: PastBaseline) -> Iterator[Comparison]:
    earlier = np.flatnonzero(np.isfinite(series.values[:-1]))
    if not len(earlier):
        return
    yield _since(series, metric, "previous", int(earlier[-1]))
    for name, span in LOOKBACKS:
        within = series.times[earlier] <= series.times[-1] - np.timedelta64(span)
        if within.any():
            yield _since(series, metric, name, int(earlier[within][-1]))
    yield _since(series, metric, "first", int(earlier[0]))
    window = reference.window(series)
    if window is not None:
        mean, cases = _pooled(window)
        yield _change(series, metric, against="reference", start=window, before=mean, cases=cases)


def _since(series: Series, metric: Metric, against: str, index: int) -> Comparison:
    period = series[index : index + 1]
    return _change(series, metric, against=against, start=period, before=period.latest, cases=_support(period))


def _change(
    series: Series, metric: Metric, *, against: str, start: Series, before: float, cases: float | None
) -> Comparison:
    after, support = series.latest, _support(series)
    low, high = (metric.proportion and newcombe(after, support, before, cases)) or (None, None)
    return Comparison(
        key=series.key,
        against=against,
        before=before,
        after=after,
        delta=_difference(after, before),
        low=low,
        high=high,
        before_at=to_datetime(start.times[0]),
        count=support,
    )


def _difference(after: float, before: float) -> float:
    """`after - before` of the numbers as they are written: 0.87 - 0.96 is -0.09, not -0.08999999999999997."""
    return float(Decimal(repr(after)) - Decimal(repr(before)))


def _pooled(window: Series) -> tuple[float, float | None]:
    """The mean of a window and the cases it rests on: weighted by support if all of it is known, else plain."""
    cases = math.nan if window.support is None else float(window.support.sum())
    if not 0 < cases < math.inf:
        return float(window.values.mean()), None
    return float(np.average(window.values, weights=window.support)), cases


def _support(series: Series) -> float | None:
    """Cases the newest value rests on; None where unknown."""
    return _finite(series.support)


def _finite(column: Floats | None) -> float | None:
    return None if column is None or not np.isfinite(column[-1]) else float(column[-1])


def latest_interval(series: Series, metric: Metric) -> Interval | None:
    """The 95 % interval of the newest value.

    Returns:
        The one that came with the data, if it gave both ends; else Wilson's where the metric is a share of a
        support that is known; else None.
    """
    if not len(series):
        return None
    low, high = _finite(series.low), _finite(series.high)
    if low is not None and high is not None:
        return low, high
    return wilson(series.latest, _support(series)) if metric.proportion else None


def baseline_note(series: Series, reference: PastBaseline = ROLLING) -> str | None:
    """Why there is no comparison with a reference; None where there is one.

    Such as `too little history: 7 earlier periods of 10`.
    """
    if reference.window(series) is not None:
        return None
    if not isinstance(reference, Rolling):
        return f"too little history for {reference.describe()}"
    return f"too little history: {int(series[:-1].evaluable().sum())} earlier periods of {reference.min_periods}"


def describe_change(change: Comparison, metric: Metric) -> str:
    """The change in words, such as `-0.090 since first (2025-01-01), 95 % -0.112 to -0.068, n 1200`.

    It says `n unknown` where the support is, and `may be chance` where the interval reaches over zero. Numbers,
    dates and our own words only: no foreign text.
    """
    parts = [f"{metric.format_delta(change.delta)} {WORDS[change.against].format(format_period(change.before_at))}"]
    if change.low is not None and change.high is not None:
        low, high = (metric.format_delta(end) for end in (change.low, change.high))
        parts.append(f"95 % {low} to {high}" + (": may be chance" if change.low <= 0 <= change.high else ""))
    parts.append("n unknown" if change.count is None else f"n {format_exact(change.count)}")
    return ", ".join(parts)
