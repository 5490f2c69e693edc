"""Causes in which nothing happened: sampling noise and season."""

from __future__ import annotations

from modeltop.core.diagnosis import Cause, CauseHypothesis, Pattern
from modeltop.core.text import format_value, pluralize
from modeltop.diagnosis.causes.base import EvidenceItem, cause, combine_evidence
from modeltop.diagnosis.observations import Observations
from modeltop.diagnosis.phrases import describe_value_loss

SMALL_SAMPLE = 100
"""Cases below which a proportion changes by 10 points by chance alone."""


@cause
def noise(observations: Observations) -> CauseHypothesis | None:
    """Weigh whether the difference is within the sampling error of so few cases."""
    focus, series = observations.focus, observations.series
    if focus is None or series is None or focus.is_significant:
        return None
    pro = [EvidenceItem(0.7, f"the difference is {abs(focus.z):.1f} standard errors")]
    if focus.low is not None and focus.high is not None and focus.low <= 0 <= focus.high:
        interval = f"{format_value(focus.low)} to {format_value(focus.high)}"
        pro.append(EvidenceItem(0.4, f"95 % of the difference {interval} holds 0"))
    if (cases := series.latest_support) is not None and cases < SMALL_SAMPLE:
        pro.append(EvidenceItem(0.4, f"{pluralize(int(cases), 'case')} in the newest period"))
    losses = map(describe_value_loss, observations.feature_shifts.broken[:1])
    contra = [EvidenceItem(0.4, clause) for clause in (*losses, *observations.value_anomalies[:1])]
    return combine_evidence(Cause.NOISE, pro, contra)


@cause
def season(observations: Observations) -> CauseHypothesis | None:
    """Weigh whether it recurs with the calendar."""
    if observations.pattern is None or observations.pattern.pattern is not Pattern.SEASONAL:
        return None
    return combine_evidence(Cause.SEASON, [EvidenceItem(0.9, "it repeats itself with the calendar")])
