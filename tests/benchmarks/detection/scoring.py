"""Detection delay, detection rate and false alert rate of detectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

PERIODS_PER_YEAR = 365.25


@dataclass(frozen=True, slots=True)
class DetectionResult:
    """Result of one detector on one series."""

    delay: int | None
    """Periods from the changepoint to the alert, both included, so 1 at best; None without an alert."""
    false_alerts: int
    """Alerts that started before the changepoint."""
    healthy_periods: int
    """Periods before the changepoint."""


def evaluate_alerts(alerts: Sequence[int], changepoint: int | None, periods: int) -> DetectionResult:
    """Divide alerts into the detection and false ones.

    Args:
        alerts: Indices of the periods at which alerts start.
        changepoint: Index of the first changed period; None where nothing changes.
        periods: Length of the series.
    """
    end = periods if changepoint is None else changepoint
    detections = [index for index in alerts if index >= end]
    return DetectionResult(min(detections) - end + 1 if detections else None, sum(index < end for index in alerts), end)


@dataclass(frozen=True, slots=True)
class DetectionScore:
    """Summary of the results of one detector on many series."""

    delays: tuple[int | None, ...]
    false_alerts: int
    healthy_years: float
    """Metric-years before the changepoints."""

    @property
    def detection_rate(self) -> float:
        """Share of the drops that were detected at all."""
        return float(np.mean([delay is not None for delay in self.delays])) if self.delays else float("nan")

    @property
    def median_delay(self) -> float:
        """Median delay in periods; a drop that was never detected counts as infinitely late."""
        delays = [np.inf if delay is None else float(delay) for delay in self.delays]
        return float(np.median(delays)) if delays else float("nan")

    @property
    def false_alert_rate(self) -> float:
        """False alerts per metric-year."""
        return self.false_alerts / self.healthy_years if self.healthy_years else float("nan")

    def detected_within(self, periods: float) -> float:
        """Return the share of the drops that were detected with a delay of at most so many periods."""
        return float(np.mean([delay is not None and delay <= periods for delay in self.delays]))


def summarize(results: Sequence[DetectionResult]) -> DetectionScore:
    """Combine the results of many series."""
    years = sum(result.healthy_periods for result in results) / PERIODS_PER_YEAR
    return DetectionScore(
        tuple(result.delay for result in results), sum(result.false_alerts for result in results), years
    )


def rate_interval(events: int, years: float) -> tuple[float, float]:
    """Return the 95 % interval of a rate per year, by Byar's approximation of the Poisson one (Breslow & Day 1987)."""
    low = 0.0 if events == 0 else events * (1 - 1 / (9 * events) - 1.96 / (3 * events**0.5)) ** 3
    events_plus_one = events + 1
    high = events_plus_one * (1 - 1 / (9 * events_plus_one) + 1.96 / (3 * events_plus_one**0.5)) ** 3
    return low / years, high / years
