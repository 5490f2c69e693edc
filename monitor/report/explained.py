"""Why the models that alert do so. A report stands also where that cannot be worked out, and then it says so."""

from __future__ import annotations

from monitor.message.reasons import MOST, Ask, Reasons
from monitor.snapshot import Snapshot


def explained(snapshot: Snapshot, most: int = MOST, ask: Ask | None = None) -> Reasons:
    """The reasons of the worst models that alert, already asked for.

    Args:
        snapshot: What is looked at.
        most: Models at most.
        ask: Makes one; None: `monitor.inquiry`.
    """
    reasons = Reasons(snapshot, most, ask)
    for verdict in snapshot.verdicts:  # the worst first
        reasons.of(verdict.model)
    return reasons
