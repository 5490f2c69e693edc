"""A default limit that is in force only where the model's own past shows that chance alone does not cross it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from modeltop.core.series import Flags, Series, Severity
from modeltop.core.stats.distributions import NORMAL_MAD
from modeltop.core.stats.robust import median
from modeltop.core.text import format_value
from modeltop.rules.baselines.base import Places
from modeltop.rules.detectors.base import QueryContext, Scan, Unevaluated
from modeltop.rules.detectors.threshold import Threshold

MIN_EARLY, MIN_DECISION, LAST_DECISION = 2, 8, 30
"""Evaluated points before one beyond the limit from which on the limit may apply, and is decided on; and those of the
last decision."""
IN_FORCE, AT_ONCE = 3.0, 5.0
"""Deviations between the usual value and the limit from which on the limit applies, and from which on one value beyond
it is enough where its sampling error is not known."""
CERTAIN = 1.645
"""Deviations beyond the limit that one value alone lies by chance once in 20: the one-sided 5 % quantile."""
EARLY_DISTANCE, EARLY_DEVIATIONS = 0.05, 3.0
"""How far a value must lie beyond the limit before the first decision."""
MIN_DEVIATION = 0.002
TOLERANCE = 1e-9
"""Rounding of a difference of two decimals."""


class _Decision(NamedTuple):
    """Whether the limit applies, by the first evaluated points of a series."""

    usual: float
    """Their median."""
    deviation: float
    distance: float
    """From the limit up to the median; negative if the usual value lies below the limit."""

    @property
    def is_in_force(self) -> bool:
        return self.distance >= IN_FORCE * self.deviation - TOLERANCE


@dataclass(frozen=True, slots=True)
class Floor(Threshold):
    """A critical limit below which it is in force only on series whose usual value lies three deviations above it.

    Decided by the evaluated points before: at the first one beyond the limit that 8 precede, and for good after the
    30th. A deviation is the largest of what successive differences (von Neumann 1941, Annals of Mathematical
    Statistics 12), the spread of the values and their number of cases show. Where it is in force it fires at once on a
    value that chance does not reach, else on the second value in a row, for which its rule has `confirm` = 2.
    """

    def _scan_one(self, series: Series, context: QueryContext) -> Scan | None:
        is_beyond = self.exceeded(series)
        if not is_beyond.any():
            return None
        points = np.flatnonzero(series.evaluable(context.min_count))
        pool, places = series[points], np.flatnonzero(is_beyond[points])
        first = _first_decision_at(places)
        breach = np.zeros(len(pool), dtype=np.bool_)
        weights = np.ones(len(pool), dtype=np.int64)
        early = places[places < MIN_DECISION]
        breach[early], weights[early] = self._early_breaches(pool, early), 2
        for start, stop, size in ((first, LAST_DECISION, first), (LAST_DECISION, len(pool), LAST_DECISION)):
            own = places[(places >= start) & (places < stop)]
            decision = self._decide(pool[:size]) if len(own) else None
            if decision and decision.is_in_force:
                breach[own] = True
                weights[own] += self._fires_alone(pool[own], decision)
        if not breach.any():
            return None
        critical = np.int8(Severity.CRITICAL)
        return Scan(
            levels=_spread(points, critical * breach, len(series)),
            excess=self._floor - series.values,
            # What is active stays so below the limit, whatever is decided later.
            continued=_spread(points, critical * is_beyond[points], len(series)),
            weights=_spread(points, weights, len(series)),  # 2 fires alone, 1 takes another point in a row
        )

    def _early_breaches(self, pool: Series, places: Places) -> Flags:
        """Return which of the first points breach: those far beyond a limit that all points before them have met."""
        if not len(places) or places[0] < MIN_EARLY:
            return np.zeros(len(places), dtype=np.bool_)
        distance, cases = self._floor - pool.values[places], pool.effective_support()[places]
        share = np.clip(pool.values[places], 0, 1)
        variance = np.maximum(share * (1 - share), self._floor * (1 - self._floor))
        error = np.sqrt(np.where(cases > 0, variance / np.maximum(cases, 1), 0.0))
        return (distance >= EARLY_DISTANCE - TOLERANCE) & (distance >= EARLY_DEVIATIONS * error)

    def _fires_alone(self, pool: Series, decision: _Decision) -> Flags:
        """Return which values below the limit are too far for chance, so that no second one is waited for."""
        alone = np.full(len(pool), decision.distance >= AT_ONCE * decision.deviation - TOLERANCE)
        if pool.support is None:
            return alone
        variance = np.clip(pool.values * (1 - pool.values), 0, None)
        error = np.sqrt(variance / np.where(pool.support > 0, pool.support, 1.0))
        is_certain = self._floor - pool.values >= CERTAIN * np.maximum(decision.deviation, error) - TOLERANCE
        return np.where(np.isfinite(pool.support), is_certain, alone)

    def _decide(self, first: Series) -> _Decision:
        """Decide whether it is in force, by the first evaluated points of a series."""
        values, usual = first.values, float(median(first.values))
        steps = np.diff(values)
        estimates = [NORMAL_MAD * float(median(np.abs(steps))) / math.sqrt(2), MIN_DEVIATION]
        if len(first) == LAST_DECISION:
            estimates += [NORMAL_MAD * float(median(np.abs(values - usual))), float(values.std(ddof=1))]
        cases = first.effective_support()
        cases = cases[cases > 0]
        if len(cases):
            # The binomial deviation × overdispersion, which is at least 1: the larger of the two that make it.
            chance = math.sqrt(max(usual * (1 - usual), 0.0) / float(median(cases)))
            estimates += [chance, math.sqrt(float((steps**2).mean()) / 2)]
        return _Decision(usual, max(estimates), usual - self._floor)

    def unevaluated_reason(self, series: Series, min_count: float) -> Unevaluated | None:
        """Return why it is not in force at the newest evaluable value; None if it is, or no value tells."""
        if not self.exceeded(series).any():
            return None
        pool = series[series.evaluable(min_count)]
        places = np.flatnonzero(self.exceeded(pool))
        if not len(places):
            return None
        first, before = _first_decision_at(places), len(pool) - 1
        if before < first:
            return self._early_reason(places, before)
        decision = self._decide(pool[: LAST_DECISION if before >= LAST_DECISION else first])
        if decision.is_in_force:
            return None
        limit = format_value(self._floor)
        problem = f"this model is usually at {decision.usual:.3f}{', too close' if decision.distance > 0 else ''}"
        return Unevaluated(f"default limit {limit} skipped: {problem}. Set your own: `[[rules]]`", is_final=True)

    @staticmethod
    def _early_reason(places: Places, before: int) -> Unevaluated | None:
        if places[0] >= MIN_EARLY or places[-1] < before:
            return None
        needed = MIN_EARLY if before < MIN_EARLY else MIN_DECISION
        text = f"needs {needed} earlier periods, has {before}"
        return Unevaluated(text, is_final=False, is_suspect=before < MIN_EARLY)

    def describe(self, name: str, show: Callable[[float], str], against: str = "") -> str:  # noqa: ARG002
        """Return the condition, with how many periods it takes."""
        return (
            f"{name} below {show(self._floor)} is critical on a model that is usually well above it: for 2 periods in "
            "a row, or for one if significant"
        )

    @property
    def _floor(self) -> float:
        assert self.critical is not None, "a floor is critical"
        assert self.critical.below is not None, "a floor has a lower side"
        return self.critical.below


def _first_decision_at(places: Places) -> int:
    """Return the position of the first point beyond the limit that 8 precede; at most that of the last decision."""
    return int(min([*places[places >= MIN_DECISION][:1].tolist(), LAST_DECISION]))


def _spread(points: Places, column: Any, length: int) -> Any:
    spread = np.zeros(length, column.dtype)
    spread[points] = column
    return spread
