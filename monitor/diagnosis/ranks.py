"""Does the model still tell the likelier case from the less likely?"""

from __future__ import annotations

from monitor.diagnosis.facts import Facts
from monitor.diagnosis.said import went
from monitor.findings import Reading

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
