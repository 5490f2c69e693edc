"""Did the model notice? How much of the fall its own expectation has followed."""

from __future__ import annotations

from monitor.diagnosis.facts import ESTIMATED, Facts
from monitor.findings import Pair

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
