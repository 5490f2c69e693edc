"""Nothing happened: chance, or the season."""

from __future__ import annotations

from modeltop.core.diagnosis import Cause, CauseHypothesis, Pattern
from modeltop.core.text import format_value, pluralize
from modeltop.diagnosis.causes.base import EvidenceItem, cause, combine_evidence
from modeltop.diagnosis.observations import Observations
from modeltop.diagnosis.phrases import describe_value_loss

SMALL_SAMPLE = 100
"""Cases under which a share moves by 10 points by chance alone."""


@cause
def noise(facts: Observations) -> CauseHypothesis | None:
    """The difference is within what chance makes of so few cases."""
    focus, series = facts.focus, facts.series
    if focus is None or series is None or focus.is_significant:
        return None
    pro = [EvidenceItem(0.7, f"the difference is {abs(focus.z):.1f} standard errors")]
    if focus.low is not None and focus.high is not None and focus.low <= 0 <= focus.high:
        pro.append(
            EvidenceItem(0.4, f"95 % of the difference {format_value(focus.low)} to {format_value(focus.high)} holds 0")
        )
    if (cases := series.latest_support) is not None and cases < SMALL_SAMPLE:
        pro.append(EvidenceItem(0.4, f"{pluralize(int(cases), 'case')} in the newest period"))
    broken = [*map(describe_value_loss, facts.feature_shifts.broken[:1]), *facts.value_anomalies[:1]]
    return combine_evidence(Cause.NOISE, pro, [EvidenceItem(0.4, said) for said in broken])


@cause
def season(facts: Observations) -> CauseHypothesis | None:
    """It comes and goes with the calendar."""
    if facts.pattern is None or facts.pattern.pattern is not Pattern.SEASONAL:
        return None
    return combine_evidence(Cause.SEASON, [EvidenceItem(0.9, "it repeats itself with the calendar")])
