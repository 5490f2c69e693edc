"""Everything that a binary tally says without a reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.measures import calibration, confusion, order
from monitor.measures.base import Measured, Why
from monitor.measures.confusion import Confusion, Cost, share
from monitor.measures.scores import Scores, decisions

if TYPE_CHECKING:
    from monitor.records import Floats
    from monitor.tallies.binary import BinaryTally


def compute_binary(tally: BinaryTally, *, cost: Cost | None = None) -> dict[str, Measured]:
    """All binary metrics by their registered names; those of scores only if any row of the tally has one.

    Args:
        tally: K cells.
        cost: What errors cost; without it there is no `cost_per_1000_rows`.
    """
    decided = decisions(tally)
    table = Confusion.of(decided)
    found = confusion.compute_confusion(table)
    found |= rates(decided)
    if cost is not None:
        found["cost_per_1000_rows"] = confusion.cost_per_1000_rows(table, cost)
    scores = Scores.of(tally, decided)
    if scores.rows.any():
        found |= calibration.compute_calibration(scores) | order.compute_ranking(scores)
    return found


def rates(decided: Floats) -> dict[str, Measured]:
    """Shares of all rows, labelled or not: predicted positive, and labelled. Support: rows."""
    rows = decided.sum(axis=(1, 2))
    return {
        "positive_rate": share(decided[:, :, 1].sum(axis=1), rows, Why.NO_ROWS),
        "label_coverage": share(decided[:, :2].sum(axis=(1, 2)), rows, Why.NO_ROWS),
    }
