"""Does the model still tell the likelier case from the less likely?"""

from __future__ import annotations

from monitor.diagnosis.facts import Facts
from monitor.findings import Reading

RANKING = ("roc_auc", "average_precision", "gini")
"""Metrics of order alone: no threshold, no calibration."""


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
