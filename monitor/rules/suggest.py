"""Limits that the past of a series suggests. Pure: a limit is proposed, never set.

A floor or a ceiling goes where a healthy period of the past lies once in a hundred, or where chance alone would put
one of the smallest periods judged, whichever is further out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.metrics.registry import Metric
from modeltop.core.series import Direction, Series
from modeltop.core.stats.robust import median
from modeltop.rules.detectors.limit import Limit

if TYPE_CHECKING:
    from modeltop.core.series import Flags, Floats

MIN_PERIODS = 20
"""Healthy periods without which no limit is proposed."""
MIN_CASES = 30
"""A share of fewer cases is mostly chance."""
MAX_UNEVALUATED_SHARE = 0.25
"""Share of the periods, those of fewest cases, that may be left unjudged."""
TAIL_PROBABILITY = 0.01
TAIL_QUANTILE = 2.326
"""Deviations below which a normal value lies once in a hundred."""
OUTLIER_CUTOFF = 3.5
"""Robust deviations from the median at which a period is no healthy one (Iglewicz and Hoaglin 1993)."""
ROBUST = 1.4826
"""From the median absolute deviation to the standard deviation, where values are normal."""
MAX_ROUNDS = 10
SEASONS = 4
"""Bad stretches in each half of the past from which on they are how the model is."""
EXPLANATORY_FAMILIES = ("drift", "quality")
"""Families that explain, and do not page."""


@dataclass(frozen=True, slots=True)
class SuggestedLimits:
    """Limits for one series, and what they rest on."""

    warn: Limit
    critical: Limit | None
    """Twice as far from the usual value; None where no value can lie there."""
    min_count: int
    """Cases below which a period is not judged; 0 where counts are unknown."""
    median: float
    """The median of the healthy periods."""
    healthy_periods: int
    excluded_periods: int
    """Judged periods that were set aside as not healthy."""
    by_chance: bool
    """True if chance in the smallest periods, not the past's own spread, decided the limit."""


def suggest_limits(series: Series, metric: Metric) -> SuggestedLimits | str:
    """Limits for a series, or in a clause why there are none.

    Args:
        series: All of its past; incidents in it are set aside as long as most periods are healthy.
        metric: What it is; only one of known direction can have a limit.
    """
    if metric.better is Direction.NEITHER:
        return "it has no better direction"
    if metric.family in EXPLANATORY_FAMILIES:
        return "it explains, and does not alert by itself"
    least = _min_count(series)
    judged = series.evaluable(least)
    values = series.values[judged]
    if len(values) < MIN_PERIODS:
        return f"too little history: {len(values)} of {MIN_PERIODS} periods"
    sign = 1.0 if metric.better is Direction.HIGHER else -1.0
    kept = _healthy(sign * values)
    if int(kept.sum()) < MIN_PERIODS:
        return f"too little healthy history: {int(kept.sum())} of {MIN_PERIODS} periods"
    # The row count is too many cases for a share of fewer: it says nothing of chance.
    cases = least if metric.proportion and series.support is not None else 0
    return _limits(sign * values[kept], sign, metric, least, cases=cases, aside=int((~kept).sum()))


def _min_count(series: Series) -> int:
    """Half the cases of a usual period, less where many are smaller, at least 30; 0 where they are unknown."""
    counts = series.support if series.support is not None else series.rows
    if counts is None:
        return 0
    known = counts[series.evaluable() & np.isfinite(counts) & (counts >= MIN_CASES)]
    if not len(known):
        return MIN_CASES
    return _two_digits(min(float(median(known)) / 2, float(np.quantile(known, MAX_UNEVALUATED_SHARE))))


def _two_digits(number: float) -> int:
    """Cut to two digits: nobody sets a limit of 1,873 cases."""
    size = 10 ** max(0, math.floor(math.log10(number)) - 1)
    return max(MIN_CASES, int(number // size * size))


def _healthy(good: Floats) -> Flags:
    """Which periods lie not far on the bad side; higher is better.

    The spread is that of the good half, which no incident widens. Looked at again and again, as an incident also
    moves the median.
    """
    kept: Flags = np.ones(len(good), dtype=np.bool_)
    for _ in range(MAX_ROUNDS):
        middle = float(median(good[kept]))
        above = good[kept & (good >= middle)] - middle
        spread = ROBUST * float(median(above))
        still = good >= middle - OUTLIER_CUTOFF * spread if spread else np.ones(len(good), dtype=np.bool_)
        if (still == kept).all():
            break
        kept = still
    return np.ones(len(good), dtype=np.bool_) if _recurs(kept) else kept


def _recurs(kept: Flags) -> bool:
    """Whether bad stretches come back all through the past: a season, not incidents."""
    begins = ~kept & np.concatenate([[True], kept[:-1]])
    halves = int(begins[: len(kept) // 2].sum()), int(begins[len(kept) // 2 :].sum())
    return min(halves) >= SEASONS


def _limits(good: Floats, sign: float, metric: Metric, least: int, *, cases: int, aside: int) -> SuggestedLimits | str:
    """From healthy values, higher being better, to limits in the metric's own direction."""
    middle = float(median(good))
    # Of few periods the rarest are not among them yet, so the spread has a word as well.
    spread = max(middle - float(np.quantile(good, TAIL_PROBABILITY)), TAIL_QUANTILE * float(good.std()))
    chance = _chance(abs(middle), cases)
    step = 10.0**-metric.digits
    far = max(spread, chance, step)
    warn, critical = (_rounded(middle - times * far, step) * sign for times in (1, 2))
    if not _reachable(warn, metric):
        return f"no value can lie {'below' if sign > 0 else 'above'} what is usual"
    return SuggestedLimits(
        warn=_limit(warn, sign),
        critical=_limit(critical, sign) if _reachable(critical, metric) else None,
        min_count=least,
        median=sign * middle,
        healthy_periods=len(good),
        excluded_periods=aside,
        by_chance=chance >= max(spread, step),
    )


def _chance(share: float, cases: int) -> float:
    """How far chance takes a share of so many cases once in a hundred; 0 where it is no share or cases are unknown."""
    return TAIL_QUANTILE * math.sqrt(share * (1 - share) / cases) if cases and 0 <= share <= 1 else 0.0


def _rounded(good: float, step: float) -> float:
    """Rounded away from the healthy values, to the decimals that the metric is shown with."""
    digits = max(0, round(-math.log10(step)))
    return round(math.floor(good / step + 1e-9) * step, digits)


def _limit(value: float, sign: float) -> Limit:
    return Limit(below=value) if sign > 0 else Limit(above=value)


def _reachable(limit: float, metric: Metric) -> bool:
    """Whether any possible value lies beyond the limit."""
    end = metric.bounds[0] if metric.better is Direction.HIGHER else metric.bounds[1]
    return end is None or (limit > end if metric.better is Direction.HIGHER else limit < end)
