"""Causes in which nothing happened: sampling noise and season."""

from __future__ import annotations

from modeltop.core.diagnosis import Cause, CauseHypothesis, Pattern
from modeltop.core.series import Series, Severity
from modeltop.core.text import pluralize
from modeltop.diagnosis.causes.base import EvidenceItem, cause, combine_evidence
from modeltop.diagnosis.observations import Observations
from modeltop.diagnosis.timeseries.forecast import forecast_trend

MAX_CRITICAL_PERIODS = 2
"""Periods for which an alert is critical from which it is no chance."""
SMALL_SAMPLE = 100
"""Cases below which a proportion changes by 10 points by chance alone."""


@cause
def noise(observations: Observations) -> CauseHypothesis | None:
    """Weigh whether the difference is within the sampling error of so few cases."""
    focus, series = observations.focus, observations.series
    if focus is None or series is None or focus.direction != "as before" or forecast_trend(series) is not None:
        return None
    if observations.is_declining or _was_critical(observations, series):
        return None
    pro = [EvidenceItem(0.8, "the difference is within its 95 % interval")]
    if (cases := series.latest_support) is not None and cases < SMALL_SAMPLE:
        pro.append(EvidenceItem(0.4, f"{pluralize(int(cases), 'case')} in the newest period"))
    contra = [EvidenceItem(0.4, fault.clause) for fault in observations.faults[:2]]
    return combine_evidence(Cause.NOISE, pro, contra)


def _was_critical(observations: Observations, series: Series) -> bool:
    incident = observations.context.incident
    # Once it is over its own alerts count too: its cause stays.
    past = incident.started_at if incident is not None and incident.resolved_at is not None else None
    return any(
        alert.key == series.key
        and alert.severity is Severity.CRITICAL
        and alert.periods >= MAX_CRITICAL_PERIODS
        and (alert.resolved is None or (past is not None and alert.since >= past))
        for alert in observations.context.alerts
    )


@cause
def season(observations: Observations) -> CauseHypothesis | None:
    """Weigh whether it recurs with the calendar."""
    if observations.pattern is None or observations.pattern.pattern is not Pattern.SEASONAL:
        return None
    return combine_evidence(Cause.SEASON, [EvidenceItem(0.9, "it repeats with the calendar")])
