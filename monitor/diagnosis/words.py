"""The one sentence: what, since when, how much, why, what now."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.diagnosis.facts import Facts
from monitor.diagnosis.said import name
from monitor.findings import Cause, Finding, Pattern, Reading, Step
from monitor.records import Condition, to_datetime
from monitor.text import brief, clip, day, width

LONGEST = 160
HOW = {Pattern.DROP: " suddenly", Pattern.DECLINE: " gradually"}
WHY = {
    Cause.DATA_DRIFT: "data drift",
    Cause.FEATURE_DRIFT: "feature drift",
    Cause.CONCEPT_DRIFT: "concept drift",
    Cause.LABEL_SHIFT: "the base rate moved",
    Cause.UPSTREAM: "something broke upstream",
    Cause.BUSINESS: "the business changed",
    Cause.OUTAGE: "data outage",
    Cause.SEGMENT: "one segment only",
    Cause.NOISE: "may be chance",
    Cause.SEASON: "seasonal",
    Cause.THRESHOLD: "threshold effect",
    Cause.CALIBRATION: "calibration is off",
    Cause.UNKNOWN: "not enough to tell why",
}
NOW = {
    Step.NOTHING: "nothing to do",
    Step.WAIT: "wait",
    Step.TICKET: "open a ticket",
    Step.FIX_PIPELINE: "fix the pipeline first",
    Step.ROLL_BACK: "roll back",
    Step.RECALIBRATE: "recalibrate",
    Step.MOVE_THRESHOLD: "move the threshold",
    Step.RETRAIN: "retrain",
    Step.LOOK: "look at the evidence",
}


def sentence(facts: Facts, findings: Sequence[Finding], steps: Sequence[Step]) -> str:
    """At most `LONGEST` cells; foreign names in it are made safe. The model's name is not in it."""
    if not findings:
        return facts.case.standing or "nothing is wrong"
    why, now = WHY[findings[0].cause], NOW[steps[0]]
    what = happened(facts)
    if findings[0].cause is Cause.SEASON:
        return clip(f"{what}; {now}", LONGEST)
    if findings[0].cause is Cause.UNKNOWN and facts.over:
        return clip(f"{what}, which is over; {now}", LONGEST)
    for because in findings[0].because:
        full = f"{what}: {why} ({because}); {now}"
        if width(full) <= LONGEST:
            return full
    return clip(f"{what}: {why}; {now}", LONGEST)


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
    return _moved(metric, pattern, facts.focus, day(to_datetime(facts.span.begin)))


def _moved(metric: str, pattern: Pattern, focus: Reading, when: str) -> str:
    moved = "rose" if focus.delta > 0 else "fell"
    if pattern is Pattern.SPIKE:
        return f"{metric} {moved} to {brief(focus.after)} for a short time on {when}"
    at = "on" if pattern is Pattern.DROP else "since"
    return f"{metric} {moved}{HOW.get(pattern, '')} from {brief(focus.before)} to {brief(focus.after)} {at} {when}"
