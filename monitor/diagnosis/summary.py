"""The summary sentence of a diagnosis: problem, start, size, cause and next step."""

from __future__ import annotations

from collections.abc import Sequence

from modeltop.core.diagnosis import Action, BeforeAfter, Cause, CauseHypothesis, Pattern
from modeltop.core.series import to_datetime
from modeltop.core.text import display_width, format_period, format_value, truncate
from modeltop.diagnosis.advice import retraining_blocker
from modeltop.diagnosis.before_after import MAX_NO_CHANGE_PROBABILITY
from modeltop.diagnosis.context import ALL
from modeltop.diagnosis.observations import Observations
from modeltop.diagnosis.patterns import DECLINES, MIN_CONFIDENCE
from modeltop.diagnosis.phrases import safe_name

MAX_CELLS = 160
PATTERN_ADVERBS = {Pattern.DROP: " suddenly", Pattern.DECLINE: " gradually"}
CAUSE_PHRASES = {
    Cause.LABEL_SHIFT: "the base rate moved",
    Cause.BUSINESS: "the business changed",
    Cause.NOISE: "may be chance",
    Cause.CALIBRATION: "calibration is off",
    Cause.UNKNOWN: "not enough to tell why",
}
"""Causes whose name does not fit a sentence."""
UNQUALIFIED_CAUSES = (Cause.NOISE, Cause.SEASON, Cause.OUTAGE, Cause.UNKNOWN)
"""Causes without a word of certainty: no rows are no rows, and the other names contain it."""
CERTAINTY_WORDS = ((0.8, ""), (0.6, "likely "), (0.0, "perhaps "))
"""Word before a cause, from its weight on."""
RIVAL_MARGIN = 0.05
"""Lead in weight below which a cause is not certain, whatever its weight."""
ACTION_PHRASES = {Action.MOVE_THRESHOLD: "move the threshold", Action.INVESTIGATE: "look at what changed then"}
"""Actions whose name does not fit a sentence."""
INVESTIGATE_PHRASES = {Cause.SEGMENT: "look into that segment", Cause.BUSINESS: "look at what that changed"}
"""What to investigate, by cause."""


def summary_sentence(
    observations: Observations, hypotheses: Sequence[CauseHypothesis], actions: Sequence[Action]
) -> str:
    """Return the summary in at most `MAX_CELLS` cells, sanitized, without the model's name.

    Args:
        observations: The change.
        hypotheses: Causes, most likely first; none if nothing is wrong.
        actions: The next actions, at least one.
    """
    if not hypotheses:
        return observations.context.status_sentence or "nothing is wrong"
    cause = hypotheses[0].cause
    change, next_steps = describe_change(observations), _next_steps(observations, cause, actions)
    if cause is Cause.SEASON:
        return truncate(f"{change}; {next_steps[-1]}", MAX_CELLS)
    if cause is Cause.UNKNOWN and observations.is_over:
        return truncate(f"{change}, which is over; {next_steps[-1]}", MAX_CELLS)
    pattern = observations.pattern
    is_doubted = pattern is not None and pattern.no_change_probability > MAX_NO_CHANGE_PROBABILITY
    reason = describe_cause(hypotheses, doubted=is_doubted and pattern is not None and pattern.pattern in DECLINES)
    texts = [f"{change}: {reason} ({item}); {step}" for item in hypotheses[0].evidence_for for step in next_steps]
    shortest = truncate(f"{change}: {reason}; {next_steps[-1]}", MAX_CELLS)
    return next((text for text in texts if display_width(text) <= MAX_CELLS), shortest)


def describe_cause(hypotheses: Sequence[CauseHypothesis], *, doubted: bool = False) -> str:
    """Return the likeliest cause and its certainty, such as `likely data drift`; none is certain if doubted."""
    first, *rest = hypotheses
    phrase = CAUSE_PHRASES.get(first.cause, first.cause.value)
    if first.cause in UNQUALIFIED_CAUSES:
        return phrase
    rival = max((hypothesis.weight for hypothesis in rest), default=0.0)
    weight = 0.0 if doubted or first.weight - rival < RIVAL_MARGIN else first.weight
    return next(word for min_weight, word in CERTAINTY_WORDS if weight >= min_weight) + phrase


def _next_steps(observations: Observations, cause: Cause, actions: Sequence[Action]) -> list[str]:
    """Return the next step, longest text first: with its numbers, and as a ticket if it can wait."""
    first = actions[0]
    phrase = ACTION_PHRASES.get(first, first.value)
    if first is Action.WAIT:
        reason = "wait for more cases" if cause is Cause.NOISE else f"wait: {retraining_blocker(observations)}"
        return [reason, phrase]
    if first is Action.INVESTIGATE:
        phrase = INVESTIGATE_PHRASES.get(cause, phrase)
    texts = [phrase]
    if first is Action.RETRAIN and observations.labels_since_change:
        texts.insert(0, f"retrain on {observations.labels_since_change:,} new labels")
    return [f"ticket: {text}" for text in texts if Action.TICKET in actions] + texts


def describe_change(observations: Observations) -> str:
    """Return what, when and how much, such as `accuracy fell suddenly from 0.957 to 0.846 on 2025-06-26`."""
    alert, series, focus = observations.no_data_alert, observations.series, observations.focus
    if alert is not None:
        newest = max((series.times[-1] for series in observations.context.series if len(series)), default=None)
        return "no rows" if newest is None else f"no rows since {format_period(to_datetime(newest))}"
    if series is None:
        return "no metric changed"
    pattern = observations.pattern.pattern if observations.pattern is not None else Pattern.STEADY
    metric = safe_name(series.key.metric)
    if series.key.segment != ALL:
        metric += f" of {safe_name(series.key.segment)}"
    if pattern is Pattern.SEASONAL:
        return f"{metric} goes up and down with the week"
    if focus is None or observations.windows is None:
        return f"{metric} {format_value(series.latest)}"
    is_uncertain = observations.pattern is not None and observations.pattern.confidence < MIN_CONFIDENCE
    if is_uncertain and pattern is not Pattern.SPIKE:
        pattern = Pattern.STEADY  # It moved; how is uncertain.
    return _describe_move(metric, pattern, focus, format_period(to_datetime(observations.windows.onset)))


def _describe_move(metric: str, pattern: Pattern, focus: BeforeAfter, onset: str) -> str:
    verb = "rose" if focus.delta > 0 else "fell"
    before, after = format_value(focus.before), format_value(focus.after)
    if pattern is Pattern.SPIKE:
        return f"{metric} {verb} to {after} for a short time on {onset}"
    at = {Pattern.DROP: "on", Pattern.DECLINE: "since about"}.get(pattern, "since")
    return f"{metric} {verb}{PATTERN_ADVERBS.get(pattern, '')} from {before} to {after} {at} {onset}"
