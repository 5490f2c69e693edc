"""Does the model still tell the likelier case from the less likely?"""

from __future__ import annotations

from modeltop.core.diagnosis import BeforeAfter, ExpectedVsRealized, SegmentContribution
from modeltop.diagnosis.observations import ESTIMATED, Observations
from modeltop.diagnosis.phrases import format_change
from modeltop.diagnosis.segments import Segmentation

MIN_DOMINANT_SHARE = 0.6
"""Share of the fall from which it is one segment's."""
MIN_OVERREPRESENTATION = 1.3
"""Times its share of the cases that it must make of the fall."""
COMPARABLE_FALL = 0.3
"""Of its fall: another that fell by as much fell as well."""


def dominant_segment(facts: Observations, cut: Segmentation) -> SegmentContribution | None:
    """The segment that makes most of the fall, far more than its share, while no other fell."""
    first = cut.contributions[0]
    whole = sum(one.total for one in cut.contributions)
    own = cut.before_after.get(first.segment)
    if not whole or own is None or not own.is_significant or facts.loss(own) <= 0:
        return None
    alike = [
        found
        for name, found in cut.before_after.items()
        if name != first.segment and found.is_significant and facts.loss(found) > COMPARABLE_FALL * facts.loss(own)
    ]
    share = first.total / whole
    return None if alike or share < MIN_DOMINANT_SHARE or share < MIN_OVERREPRESENTATION * first.share[1] else first


def most_dominant_segment(facts: Observations) -> tuple[Segmentation, SegmentContribution] | None:
    """The segment of any cut that makes the largest part; None where no segment fell alone."""
    found = [(cut, part) for cut in facts.segmentations if (part := dominant_segment(facts, cut)) is not None]
    return max(found, key=lambda one: abs(one[1].total)) if found else None


FOLLOWED_FROM, UNMOVED_BELOW = 0.8, 0.4
"""Share of the realised fall from which the expectation fell as well, and under which it stayed."""


def worsened_pairs(facts: Observations) -> tuple[ExpectedVsRealized, ...]:
    """The pairs whose realised metric got worse by more than chance."""
    return tuple(pair for pair in facts.pairs if pair.realized.is_significant and facts.loss(pair.realized) > 0)


def followed_share(pair: ExpectedVsRealized) -> float:
    """Change of what was expected by that of what came true: 1 is all of it, 0 none; below 0 it moved away."""
    return pair.expected.delta / pair.realized.delta if pair.realized.delta else 0.0


def best_pair(facts: Observations) -> ExpectedVsRealized | None:
    """The pair to go by: an estimate before confidence, as it is calibrated; None where there is neither."""
    pairs = worsened_pairs(facts)
    estimated = next((pair for pair in pairs if pair.expected.key.metric.startswith(ESTIMATED)), None)
    return estimated or (pairs[0] if pairs else None)


def expectation_followed(facts: Observations) -> float | None:
    """The share of the pair to go by."""
    pair = best_pair(facts)
    return None if pair is None else followed_share(pair)


def linear_ramp(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high` on, straight between.

    >>> linear_ramp(0.5, 0.0, 1.0), linear_ramp(2.0, 0.0, 1.0)
    (0.5, 1.0)
    """
    return min(1.0, max(0.0, (value - low) / (high - low)))


RANKING = ("roc_auc", "average_precision", "gini")
"""Metrics of order alone: no threshold, no calibration."""
MIN_CHANGE = 0.003
"""By which both must move: with many rows less is sure, and nothing to anybody."""


def ranking_held(facts: Observations) -> BeforeAfter | None:
    """A metric of ranking that is as good as before: not moved, or by less than a twentieth of what it lacks."""
    for name in RANKING:
        found = facts.before_after.get(name)
        if found is not None and (
            not found.is_significant or facts.loss(found) <= max(0.002, 0.05 * (1 - found.before))
        ):
            return found
    return None


def ranking_and_calibration_held(facts: Observations) -> bool:
    """Whether order and probabilities are both as good as before: then what fell is what is made of the scores."""
    brier = facts.before_after.get("brier_score")
    return ranking_held(facts) is not None and brier is not None and not brier.is_significant


def precision_recall_tradeoff(facts: Observations) -> str | None:
    """That precision rose as recall fell, or the other way, as a clause; None where they did not clearly."""
    precision, recall = facts.before_after.get("precision"), facts.before_after.get("recall")
    if precision is None or recall is None or not (precision.is_significant and recall.is_significant):
        return None
    clear = min(abs(precision.delta), abs(recall.delta)) >= MIN_CHANGE and precision.delta * recall.delta < 0
    if not clear:
        return None
    if facts.focus in (precision, recall):
        other = precision if facts.focus is recall else recall
        return f"{other.key.metric} {other.direction} {format_change(other)} against it"
    return f"precision {format_change(precision)} against recall {format_change(recall)}"
