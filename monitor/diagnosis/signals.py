"""Does the model still tell the likelier case from the less likely?"""

from __future__ import annotations

from modeltop.core.diagnosis import Contribution, Pair, Reading
from modeltop.diagnosis.observations import ESTIMATED, Facts
from modeltop.diagnosis.phrases import went
from modeltop.diagnosis.segments import Cut

MOST = 0.6
"""Share of the fall from which it is one segment's."""
RATHER = 1.3
"""Times its share of the cases that it must make of the fall."""
ALIKE = 0.3
"""Of its fall: another that fell by as much fell as well."""


def lone(facts: Facts, cut: Cut) -> Contribution | None:
    """The segment that makes most of the fall, far more than its share, while no other fell."""
    first = cut.parts[0]
    whole = sum(one.total for one in cut.parts)
    own = cut.readings.get(first.segment)
    if not whole or own is None or not own.moved or facts.loss(own) <= 0:
        return None
    alike = [
        found
        for name, found in cut.readings.items()
        if name != first.segment and found.moved and facts.loss(found) > ALIKE * facts.loss(own)
    ]
    share = first.total / whole
    return None if alike or share < MOST or share < RATHER * first.share[1] else first


def lonely(facts: Facts) -> tuple[Cut, Contribution] | None:
    """The segment of any cut that makes the largest part; None where no segment fell alone."""
    found = [(cut, part) for cut in facts.cuts if (part := lone(facts, cut)) is not None]
    return max(found, key=lambda one: abs(one[1].total)) if found else None


FOLLOWED, STAYED = 0.8, 0.4
"""Share of the realised fall from which the expectation fell as well, and under which it stayed."""


def judged(facts: Facts) -> tuple[Pair, ...]:
    """The pairs whose realised metric got worse by more than chance."""
    return tuple(pair for pair in facts.pairs if pair.realised.moved and facts.loss(pair.realised) > 0)


def share(pair: Pair) -> float:
    """Change of what was expected by that of what came true: 1 is all of it, 0 none; below 0 it moved away."""
    return pair.expected.delta / pair.realised.delta if pair.realised.delta else 0.0


def best(facts: Facts) -> Pair | None:
    """The pair to go by: an estimate before confidence, as it is calibrated; None where there is neither."""
    pairs = judged(facts)
    estimated = next((pair for pair in pairs if pair.expected.key.metric.startswith(ESTIMATED)), None)
    return estimated or (pairs[0] if pairs else None)


def follow(facts: Facts) -> float | None:
    """The share of the pair to go by."""
    pair = best(facts)
    return None if pair is None else share(pair)


def grade(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high` on, straight between.

    >>> grade(0.5, 0.0, 1.0), grade(2.0, 0.0, 1.0)
    (0.5, 1.0)
    """
    return min(1.0, max(0.0, (value - low) / (high - low)))


RANKING = ("roc_auc", "average_precision", "gini")
"""Metrics of order alone: no threshold, no calibration."""
LEAST = 0.003
"""By which both must move: with many rows less is sure, and nothing to anybody."""


def ranks(facts: Facts) -> Reading | None:
    """A metric of ranking that is as good as before: not moved, or by less than a twentieth of what it lacks."""
    for name in RANKING:
        found = facts.readings.get(name)
        if found is not None and (not found.moved or facts.loss(found) <= max(0.002, 0.05 * (1 - found.before))):
            return found
    return None


def as_good(facts: Facts) -> bool:
    """Whether order and probabilities are both as good as before: then what fell is what is made of the scores."""
    brier = facts.readings.get("brier_score")
    return ranks(facts) is not None and brier is not None and not brier.moved


def exchange(facts: Facts) -> str | None:
    """That precision rose as recall fell, or the other way, as a clause; None where they did not clearly."""
    precision, recall = facts.readings.get("precision"), facts.readings.get("recall")
    if precision is None or recall is None or not (precision.moved and recall.moved):
        return None
    clear = min(abs(precision.delta), abs(recall.delta)) >= LEAST and precision.delta * recall.delta < 0
    if not clear:
        return None
    if facts.focus in (precision, recall):
        other = precision if facts.focus is recall else recall
        return f"{other.key.metric} {other.word} {went(other)} against it"
    return f"precision {went(precision)} against recall {went(recall)}"
