"""Everything that a binary tally says without a reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.measures import calibration, confusion, order
from monitor.measures.base import Measured, Why
from monitor.measures.confusion import Confusion, Cost, share
from monitor.measures.scores import Scores

if TYPE_CHECKING:
    from monitor.tallies.binary import BinaryTally


def measure(tally: BinaryTally, *, cost: Cost | None = None) -> dict[str, Measured]:
    """All binary metrics by their registered names; those of scores only if any row of the tally has one.

    Args:
        tally: K cells.
        cost: What errors cost; without it there is no `cost_per_1000_rows`.
    """
    table = Confusion.of(tally)
    found = confusion.measure(table)
    found |= rates(tally)
    if cost is not None:
        found["cost_per_1000_rows"] = confusion.cost_per_1000_rows(table, cost)
    scores = Scores.of(tally)
    if scores.rows.any():
        found |= calibration.measure(scores) | order.measure(scores)
    return found


def rates(tally: BinaryTally) -> dict[str, Measured]:
    """Shares of all rows, labelled or not: predicted positive, and labelled. Support: rows."""
    by = tally.count.sum(axis=3).astype(float)
    rows = by.sum(axis=(1, 2))
    return {
        "positive_rate": share(by[:, :, 1].sum(axis=1), rows, Why.NO_ROWS),
        "label_coverage": share(by[:, :2].sum(axis=(1, 2)), rows, Why.NO_ROWS),
    }
