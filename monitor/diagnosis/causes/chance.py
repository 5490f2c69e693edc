"""Nothing happened: chance, or the season."""

from __future__ import annotations

from modeltop.core.diagnosis import Cause, Finding, Pattern
from modeltop.core.text import brief, plural
from modeltop.diagnosis.causes.base import Clause, cause, weighed
from modeltop.diagnosis.observations import Facts
from modeltop.diagnosis.phrases import lost

FEW = 100
"""Cases under which a share moves by 10 points by chance alone."""


@cause
def noise(facts: Facts) -> Finding | None:
    """The difference is within what chance makes of so few cases."""
    focus, series = facts.focus, facts.series
    if focus is None or series is None or focus.moved:
        return None
    pro = [Clause(0.7, f"the difference is {abs(focus.z):.1f} standard errors")]
    if focus.low is not None and focus.high is not None and focus.low <= 0 <= focus.high:
        pro.append(Clause(0.4, f"95 % of the difference {brief(focus.low)} to {brief(focus.high)} holds 0"))
    if (cases := series.latest_support) is not None and cases < FEW:
        pro.append(Clause(0.4, f"{plural(int(cases), 'case')} in the newest period"))
    broken = [*map(lost, facts.columns.broken[:1]), *facts.odd[:1]]
    return weighed(Cause.NOISE, pro, [Clause(0.4, said) for said in broken])


@cause
def season(facts: Facts) -> Finding | None:
    """It comes and goes with the calendar."""
    if facts.course is None or facts.course.pattern is not Pattern.SEASONAL:
        return None
    return weighed(Cause.SEASON, [Clause(0.9, "it repeats itself with the calendar")])
