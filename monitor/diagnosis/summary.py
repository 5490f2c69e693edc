"""The one sentence: what, since when, how much, why, what now."""

from __future__ import annotations

from collections.abc import Sequence

from modeltop.core.diagnosis import Action, BeforeAfter, Cause, CauseHypothesis, Pattern
from modeltop.core.series import Condition, to_datetime
from modeltop.core.text import display_width, format_period, format_value, truncate
from modeltop.diagnosis.advice import retraining_blocker
from modeltop.diagnosis.before_after import MAX_NO_CHANGE_PROBABILITY
from modeltop.diagnosis.observations import Observations
from modeltop.diagnosis.patterns import DECLINES, no_change_probability
from modeltop.diagnosis.phrases import format_count, safe_name

MAX_CELLS = 160
PATTERN_ADVERBS = {Pattern.DROP: " suddenly", Pattern.DECLINE: " gradually"}
CAUSE_NAMES = {
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
CERTAINTY_WORDS = ((0.8, ""), (0.6, "likely "), (0.0, "perhaps "))
"""The word before a cause, from its weight on."""
RIVAL_MARGIN = 0.05
"""A cause that is ahead of the next by less is not sure, whatever its weight."""
MIN_CONFIDENCE = 0.6
"""How sure a course must be to be called sudden or gradual."""
ACTION_PHRASES = {
    Action.NOTHING: "nothing to do",
    Action.WAIT: "wait",
    Action.TICKET: "open a ticket",
    Action.FIX_PIPELINE: "fix the pipeline first",
    Action.ROLL_BACK: "roll back",
    Action.RECALIBRATE: "recalibrate",
    Action.MOVE_THRESHOLD: "move the threshold",
    Action.RETRAIN: "retrain",
    Action.INVESTIGATE: "look at what changed then",
}
INVESTIGATE_PHRASES = {Cause.SEGMENT: "look into that segment", Cause.BUSINESS: "look at what that changed"}
"""What to look at, where it is known."""


def summary_sentence(facts: Observations, findings: Sequence[CauseHypothesis], steps: Sequence[Action]) -> str:
    """At most `LONGEST` cells; foreign names in it are made safe. The model's name is not in it."""
    if not findings:
        return facts.context.status_sentence or "nothing is wrong"
    what, now = describe_change(facts), _next(facts, findings[0].cause, steps)
    if findings[0].cause is Cause.SEASON:
        return truncate(f"{what}; {now[-1]}", MAX_CELLS)
    if findings[0].cause is Cause.UNKNOWN and facts.is_over:
        return truncate(f"{what}, which is over; {now[-1]}", MAX_CELLS)
    doubted = (
        facts.pattern is not None
        and facts.pattern.pattern in DECLINES
        and no_change_probability(facts.pattern) > MAX_NO_CHANGE_PROBABILITY
    )
    why = describe_cause(findings, doubted=doubted)
    tries = [f"{what}: {why} ({because}); {then}" for because in findings[0].evidence_for for then in now]
    return next(
        (text for text in tries if display_width(text) <= MAX_CELLS), truncate(f"{what}: {why}; {now[-1]}", MAX_CELLS)
    )


def describe_cause(findings: Sequence[CauseHypothesis], *, doubted: bool = False) -> str:
    """The likeliest cause and how sure it is, such as `likely data drift`; `doubted`: whether anything lasts at all."""
    first, *rest = findings
    if first.cause in PLAIN:
        return CAUSE_NAMES[first.cause]
    rival = max((one.weight for one in rest), default=0.0)
    weight = 0.0 if doubted or first.weight - rival < RIVAL_MARGIN else first.weight
    return next(word for least, word in CERTAINTY_WORDS if weight >= least) + CAUSE_NAMES[first.cause]


def _next(facts: Observations, cause: Cause, steps: Sequence[Action]) -> tuple[str, ...]:
    """The next step, longest first: with its numbers, and that it can wait for the morning where it can."""
    first = steps[0]
    if first is Action.WAIT and cause is not Cause.NOISE:
        return f"wait: {retraining_blocker(facts)}", ACTION_PHRASES[first]
    if first is Action.WAIT:
        return "wait for more cases", ACTION_PHRASES[first]
    ways = (
        [f"retrain on {format_count(facts.labels_since_change)} new labels"]
        if first is Action.RETRAIN and facts.labels_since_change
        else []
    )
    ways.append(
        INVESTIGATE_PHRASES.get(cause, ACTION_PHRASES[first]) if first is Action.INVESTIGATE else ACTION_PHRASES[first]
    )
    return (*(f"ticket: {way}" for way in ways if Action.TICKET in steps), *ways)


def describe_change(facts: Observations) -> str:
    """What, when and how much, such as `accuracy fell suddenly from 0.957 to 0.846 on 2025-06-26`."""
    if facts.no_data_alert is not None and facts.no_data_alert.condition is Condition.NO_DATA:
        newest = max((one.times[-1] for one in facts.context.series if len(one)), default=None)
        return "no rows" if newest is None else f"no rows since {format_period(to_datetime(newest))}"
    if facts.no_data_alert is not None or facts.series is None:
        return "a source cannot be read"
    key, pattern = facts.series.key, facts.pattern.pattern if facts.pattern is not None else Pattern.STEADY
    metric = safe_name(key.metric) + ("" if key.segment == "all" else f" of {safe_name(key.segment)}")
    if pattern is Pattern.SEASONAL:
        return f"{metric} goes up and down with the week"
    if facts.focus is None or facts.windows is None:
        return f"{metric} {format_value(facts.series.latest)}"
    if facts.pattern is not None and facts.pattern.confidence < MIN_CONFIDENCE and pattern is not Pattern.SPIKE:
        pattern = Pattern.STEADY  # It moved; how is not sure.
    return _moved(metric, pattern, facts.focus, format_period(to_datetime(facts.windows.onset)))


def _moved(metric: str, pattern: Pattern, focus: BeforeAfter, when: str) -> str:
    moved = "rose" if focus.delta > 0 else "fell"
    if pattern is Pattern.SPIKE:
        return f"{metric} {moved} to {format_value(focus.after)} for a short time on {when}"
    at = {Pattern.DROP: "on", Pattern.DECLINE: "since about"}.get(pattern, "since")
    return f"{metric} {moved}{PATTERN_ADVERBS.get(pattern, '')} from {format_value(focus.before)} to {format_value(focus.after)} {at} {when}"
