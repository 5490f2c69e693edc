"""The one sentence: what, since when, how much, why, what now."""

from __future__ import annotations

from collections.abc import Sequence

from modeltop.core.diagnosis import Cause, Finding, Pattern, Reading, Step
from modeltop.core.series import Condition, to_datetime
from modeltop.core.text import brief, clip, day, width
from modeltop.diagnosis.advice import why_not_yet
from modeltop.diagnosis.before_after import DOUBT
from modeltop.diagnosis.observations import Facts
from modeltop.diagnosis.patterns import TROUBLE, doubt
from modeltop.diagnosis.phrases import name, rows

LONGEST = 160
HOW = {Pattern.DROP: " suddenly", Pattern.DECLINE: " gradually"}
WHY = {
    Cause.DATA_DRIFT: "data drift",
    Cause.FEATURE_DRIFT: "feature drift",
    Cause.CONCEPT_DRIFT: "concept drift",
    Cause.LABEL_SHIFT: "the base rate moved",
    Cause.UPSTREAM: "broken upstream",
    Cause.BUSINESS: "the business changed",
    Cause.OUTAGE: "data outage",
    Cause.SEGMENT: "one segment only",
    Cause.NOISE: "may be chance",
    Cause.SEASON: "seasonal",
    Cause.THRESHOLD: "threshold effect",
    Cause.CALIBRATION: "calibration is off",
    Cause.UNKNOWN: "not enough to tell why",
}
PLAIN = (Cause.NOISE, Cause.SEASON, Cause.OUTAGE, Cause.UNKNOWN)
"""What is said as it is: no rows are no rows, and the others say themselves how sure they are."""
SURE = ((0.8, ""), (0.6, "likely "), (0.0, "perhaps "))
"""The word before a cause, from its weight on."""
ALIKE = 0.05
"""A cause that is ahead of the next by less is not sure, whatever its weight."""
CALLED = 0.6
"""How sure a course must be to be called sudden or gradual."""
NOW = {
    Step.NOTHING: "nothing to do",
    Step.WAIT: "wait",
    Step.TICKET: "open a ticket",
    Step.FIX_PIPELINE: "fix the pipeline first",
    Step.ROLL_BACK: "roll back",
    Step.RECALIBRATE: "recalibrate",
    Step.MOVE_THRESHOLD: "move the threshold",
    Step.RETRAIN: "retrain",
    Step.LOOK: "look at what changed then",
}
LOOK = {Cause.SEGMENT: "look into that segment", Cause.BUSINESS: "look at what that changed"}
"""What to look at, where it is known."""


def sentence(facts: Facts, findings: Sequence[Finding], steps: Sequence[Step]) -> str:
    """At most `LONGEST` cells; foreign names in it are made safe. The model's name is not in it."""
    if not findings:
        return facts.case.standing or "nothing is wrong"
    what, now = happened(facts), _next(facts, findings[0].cause, steps)
    if findings[0].cause is Cause.SEASON:
        return clip(f"{what}; {now[-1]}", LONGEST)
    if findings[0].cause is Cause.UNKNOWN and facts.over:
        return clip(f"{what}, which is over; {now[-1]}", LONGEST)
    doubted = facts.course is not None and facts.course.pattern in TROUBLE and doubt(facts.course) > DOUBT
    why = likely(findings, doubted=doubted)
    tries = [f"{what}: {why} ({because}); {then}" for because in findings[0].because for then in now]
    return next((text for text in tries if width(text) <= LONGEST), clip(f"{what}: {why}; {now[-1]}", LONGEST))


def likely(findings: Sequence[Finding], *, doubted: bool = False) -> str:
    """The likeliest cause and how sure it is, such as `likely data drift`; `doubted`: whether anything lasts at all."""
    first, *rest = findings
    if first.cause in PLAIN:
        return WHY[first.cause]
    rival = max((one.weight for one in rest), default=0.0)
    weight = 0.0 if doubted or first.weight - rival < ALIKE else first.weight
    return next(word for least, word in SURE if weight >= least) + WHY[first.cause]


def _next(facts: Facts, cause: Cause, steps: Sequence[Step]) -> tuple[str, ...]:
    """The next step, longest first: with its numbers, and that it can wait for the morning where it can."""
    first = steps[0]
    if first is Step.WAIT and cause is not Cause.NOISE:
        return f"wait: {why_not_yet(facts)}", NOW[first]
    if first is Step.WAIT:
        return "wait for more cases", NOW[first]
    ways = [f"retrain on {rows(facts.labels)} new labels"] if first is Step.RETRAIN and facts.labels else []
    ways.append(LOOK.get(cause, NOW[first]) if first is Step.LOOK else NOW[first])
    return (*(f"ticket: {way}" for way in ways if Step.TICKET in steps), *ways)


def happened(facts: Facts) -> str:
    """What, when and how much, such as `accuracy fell suddenly from 0.957 to 0.846 on 2025-06-26`."""
    if facts.silent is not None and facts.silent.condition is Condition.NO_DATA:
        newest = max((one.times[-1] for one in facts.case.series if len(one)), default=None)
        return "no rows" if newest is None else f"no rows since {day(to_datetime(newest))}"
    if facts.silent is not None or facts.series is None:
        return "a source cannot be read"
    key, pattern = facts.series.key, facts.course.pattern if facts.course is not None else Pattern.STEADY
    metric = name(key.metric) + ("" if key.segment == "all" else f" of {name(key.segment)}")
    if pattern is Pattern.SEASONAL:
        return f"{metric} goes up and down with the week"
    if facts.focus is None or facts.span is None:
        return f"{metric} {brief(facts.series.latest)}"
    if facts.course is not None and facts.course.sure < CALLED and pattern is not Pattern.SPIKE:
        pattern = Pattern.STEADY  # It moved; how is not sure.
    return _moved(metric, pattern, facts.focus, day(to_datetime(facts.span.begin)))


def _moved(metric: str, pattern: Pattern, focus: Reading, when: str) -> str:
    moved = "rose" if focus.delta > 0 else "fell"
    if pattern is Pattern.SPIKE:
        return f"{metric} {moved} to {brief(focus.after)} for a short time on {when}"
    at = {Pattern.DROP: "on", Pattern.DECLINE: "since about"}.get(pattern, "since")
    return f"{metric} {moved}{HOW.get(pattern, '')} from {brief(focus.before)} to {brief(focus.after)} {at} {when}"
