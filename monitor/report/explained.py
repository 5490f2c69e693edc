"""Why the models that alert do so. A report stands also where that cannot be worked out, and then it says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.findings import Diagnosis
from monitor.message.reasons import Ask, reason
from monitor.snapshot import Snapshot

MOST = 30
"""Models that are explained, the worst: each takes some 30 ms, and where a hundred are bad the cause is not in them."""


@dataclass(frozen=True, slots=True)
class Explained:
    """What was found out."""

    by_model: Mapping[str, Diagnosis] = field(default_factory=dict)
    failed: tuple[str, ...] = ()
    """What could not be worked out, a clause each, made safe."""

    def of(self, model: str) -> Diagnosis | None:
        """The diagnosis of a model; None where it does not alert, or is none of the worst."""
        return self.by_model.get(model)


def explained(snapshot: Snapshot, most: int = MOST, ask: Ask | None = None) -> Explained:
    """The diagnoses of the worst models that alert.

    Args:
        snapshot: What is looked at.
        most: Models at most.
        ask: Makes one; None: `monitor.inquiry`.
    """
    alerting = {one.key.model for one in snapshot.episodes if one.stands}
    worst = [verdict.model for verdict in snapshot.verdicts if verdict.model in alerting][:most]
    answers = {model: reason(snapshot, model, ask) for model in worst}
    found = {model: one.found for model, one in answers.items() if one.found is not None}
    return Explained(found, tuple(one.failed for one in answers.values() if one.failed))
