"""Limits that the past of a series suggests, proposed and never set.

They lie where a healthy period does once in a hundred, or further out, by the noise of the smallest periods.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from modeltop.core.metrics.registry import Metric
from modeltop.core.series import Direction, Flags, Floats, Series
from modeltop.core.stats.distributions import NORMAL_MAD
from modeltop.core.stats.robust import MAX_MAGNITUDE, median
from modeltop.rules.detectors.limit import Limit

MIN_PERIODS = 20
"""Minimum number of healthy periods for a limit to be suggested."""
MIN_CASES = 30
"""A share of fewer cases is mostly chance."""
MAX_UNEVALUATED_RATIO = 0.25
"""Fraction of the periods, those of fewest cases, that may be left out by `min_count`."""
TAIL_PROBABILITY = 0.01
TAIL_QUANTILE = 2.326
"""Standard deviations below which a normal value lies with `TAIL_PROBABILITY`."""
OUTLIER_CUTOFF = 3.5
"""Robust deviations from the median beyond which a period is not healthy (Iglewicz and Hoaglin 1993)."""
MAX_ROUNDS = 10
MIN_SEASONS = 4
"""Bad stretches in each half of the past from which on they are a season, not incidents."""
EXPLANATORY_FAMILIES = ("drift", "quality")
"""Families of metrics that explain, and do not page."""


@dataclass(frozen=True, slots=True)
class SuggestedLimits:
    """Limits for one series, and their basis."""

    warn: Limit
    critical: Limit | None
    """Twice as far from the median; None if no value can lie there."""
    min_count: int
    """Cases below which a period is not evaluated; 0 if counts are unknown."""
    median: float
    """The median of the healthy periods."""
    healthy_periods: int
    excluded_periods: int
    """Evaluable periods that are not healthy."""
    by_chance: bool
    """True if chance in the smallest periods, not the past's own spread, decided the limit."""


def suggest_limits(series: Series, metric: Metric) -> SuggestedLimits | str:
    """Return limits for a series with all its past, or in a clause why there are none.

    Incidents are excluded as long as most periods are healthy.
    """
    if metric.better is Direction.NEITHER:
        return "higher is not known to be better or worse"
    if metric.family in EXPLANATORY_FAMILIES:
        return "it explains, and does not alert by itself"
    min_count = _min_count(series)
    values = series.values[series.evaluable(min_count) & (np.abs(series.values) < MAX_MAGNITUDE)]
    if len(values) < MIN_PERIODS:
        return f"needs {MIN_PERIODS} periods, has {len(values)}"
    sign = 1.0 if metric.better is Direction.HIGHER else -1.0
    healthy = _healthy(sign * values)
    if int(healthy.sum()) < MIN_PERIODS:
        return f"needs {MIN_PERIODS} normal periods, has {int(healthy.sum())}"
    # The row count is no substitute for the support of a proportion, which rests on fewer cases.
    support = min_count if metric.proportion and series.support is not None else 0
    return _limits(sign * values[healthy], sign, metric, min_count, support=support, excluded=int((~healthy).sum()))


def _min_count(series: Series) -> int:
    """Return half the cases of a median period, less if many are smaller, at least 30; 0 if they are unknown."""
    counts = series.support if series.support is not None else series.rows
    if counts is None:
        return 0
    counts = counts[series.evaluable() & np.isfinite(counts) & (counts >= MIN_CASES)]
    if not len(counts):
        return MIN_CASES
    count = min(float(median(counts)) / 2, float(np.quantile(counts, MAX_UNEVALUATED_RATIO)))
    # Truncate to two digits, because a limit of 1,873 cases looks odd.
    size = 10 ** max(0, math.floor(math.log10(count)) - 1)
    return max(MIN_CASES, int(count // size * size))


def _healthy(values: Floats) -> Flags:
    """Return which periods lie not far on the bad side; higher is better.

    The spread is that of the better half, which no incident widens. Repeated, as an incident also moves the median.
    """
    everything: Flags = np.ones(len(values), dtype=np.bool_)
    healthy = everything
    for _ in range(MAX_ROUNDS):
        center = float(median(values[healthy]))
        above = values[healthy & (values >= center)] - center
        scale = NORMAL_MAD * float(median(above))
        previous, healthy = healthy, values >= center - OUTLIER_CUTOFF * scale if scale else everything
        if (healthy == previous).all():
            break
    starts = ~healthy & np.concatenate([[True], healthy[:-1]])
    halves = int(starts[: len(healthy) // 2].sum()), int(starts[len(healthy) // 2 :].sum())
    return everything if min(halves) >= MIN_SEASONS else healthy


def _limits(
    values: Floats, sign: float, metric: Metric, min_count: int, *, support: int, excluded: int
) -> SuggestedLimits | str:
    """Compute limits, in the metric's own direction, from healthy values that are higher when better."""
    center = float(median(values))
    # Of few periods the rarest are not among them yet, so the standard deviation counts as well.
    spread = max(center - float(np.quantile(values, TAIL_PROBABILITY)), TAIL_QUANTILE * float(values.std()))
    by_chance = 0.0
    if support and 0 <= (proportion := abs(center)) <= 1:
        by_chance = TAIL_QUANTILE * math.sqrt(proportion * (1 - proportion) / support)
    step = 10.0**-metric.digits
    distance = max(spread, by_chance, step)
    # Rounded away from the healthy values, to the decimals that the metric is shown with.
    steps = (math.floor((center - times * distance) / step + 1e-9) for times in (1, 2))
    warn, critical = (round(count * step, max(0, metric.digits)) * sign for count in steps)
    if not _is_reachable(warn, metric):
        return f"no value is possible {'below' if sign > 0 else 'above'} the normal range"
    return SuggestedLimits(
        warn=_limit(warn, sign),
        critical=_limit(critical, sign) if _is_reachable(critical, metric) else None,
        min_count=min_count,
        median=sign * center,
        healthy_periods=len(values),
        excluded_periods=excluded,
        by_chance=by_chance >= max(spread, step),
    )


def _limit(value: float, sign: float) -> Limit:
    return Limit(below=value) if sign > 0 else Limit(above=value)


def _is_reachable(limit: float, metric: Metric) -> bool:
    """Return whether any possible value lies beyond the limit."""
    bound = metric.bounds[0] if metric.better is Direction.HIGHER else metric.bounds[1]
    return bound is None or (limit > bound if metric.better is Direction.HIGHER else limit < bound)
