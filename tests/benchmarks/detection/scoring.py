"""From the moments at which something alerted to what people would say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

YEAR = 365.25


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one watcher of one fallen series did."""

    delay: int | None
    """Changed periods it needed, the alerting one among them, so 1 at best; None where it never alerted."""
    false: int
    """Alerts that began before anything changed."""
    healthy: int
    """Periods before anything changed."""


def outcome(alerts: Sequence[int], begin: int | None, periods: int) -> Outcome:
    """Sort alerts, which are places of periods, into found and false.

    Args:
        alerts: Where an alert was first told.
        begin: The first changed period; None where nothing changes.
        periods: Length of the series.
    """
    end = periods if begin is None else begin
    after = [place for place in alerts if place >= end]
    return Outcome(min(after) - end + 1 if after else None, sum(place < end for place in alerts), end)


@dataclass(frozen=True, slots=True)
class Score:
    """Many outcomes in numbers."""

    delays: tuple[int | None, ...]
    false: int
    years: float
    """Healthy metric-years that were watched."""

    @property
    def found(self) -> float:
        """Share that was found at all."""
        return float(np.mean([delay is not None for delay in self.delays])) if self.delays else float("nan")

    @property
    def median(self) -> float:
        """Median periods to detection; what was never found counts as infinitely late."""
        late = [np.inf if delay is None else float(delay) for delay in self.delays]
        return float(np.median(late)) if late else float("nan")

    @property
    def rate(self) -> float:
        """False alerts per metric-year."""
        return self.false / self.years if self.years else float("nan")

    def within(self, periods: float) -> float:
        """Share that was found in so many periods or fewer."""
        return float(np.mean([delay is not None and delay <= periods for delay in self.delays]))


def score(outcomes: Sequence[Outcome]) -> Score:
    """All outcomes together; the delays of those in which something changed."""
    years = sum(one.healthy for one in outcomes) / YEAR
    return Score(tuple(one.delay for one in outcomes), sum(one.false for one in outcomes), years)


def interval(events: int, years: float) -> tuple[float, float]:
    """95 % interval of a rate per year, from a count of events (Byar's approximation of the Poisson one)."""
    low = 0.0 if events == 0 else events * (1 - 1 / (9 * events) - 1.96 / (3 * events**0.5)) ** 3
    more = events + 1
    high = more * (1 - 1 / (9 * more) + 1.96 / (3 * more**0.5)) ** 3
    return low / years, high / years
