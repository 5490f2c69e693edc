"""The bins of scores (`aggregates.score_bins`) as an expression: the same operations in the same order, in doubles."""

from __future__ import annotations

from modeltop.predictions.aggregates.score_bins import (
    BINS,
    GRID,
    LINEAR_START,
    LINEAR_WIDTH,
    MIN_PROBABILITY,
    MIN_SCORE,
    NO_SCORE,
    SLOTS,
    TAIL_BINS,
    TAIL_EDGE,
    TAIL_RATE,
)
from modeltop.predictions.engines.base import Expression

LOWEST, HIGHEST = SLOTS, SLOTS + 1
"""Slots for scores nearer to 0, or to 1, than `MIN_PROBABILITY`; they are added to the outermost bins when counted."""
OPEN_SLOTS = SLOTS + 2
"""Slots with these two."""
LINEAR_HALF_WIDTH = 0.5 - TAIL_EDGE


def score_bin(score: Expression) -> Expression:
    """Return the bin of a score within 0 and 1; missing if there is none."""
    import ibis

    return ibis.cases(_linear(score), *_tails(score))


def score_slot(score: Expression) -> Expression:
    """Return the bin of a score within 0 and 1, `LOWEST` or `HIGHEST`; `NO_SCORE` if there is none."""
    import ibis

    lowest = (score < MIN_PROBABILITY, float(LOWEST))
    highest = (score > 1.0 - MIN_PROBABILITY, float(HIGHEST))
    # Most scores are in the middle, so all other branches are evaluated for few rows.
    return ibis.cases(_linear(score), lowest, highest, *_tails(score), else_=float(NO_SCORE))


def _linear(score: Expression) -> tuple[Expression, Expression]:
    """Return a branch of one comparison for both edges: rounding there leaves the bin the same."""
    condition = (score - 0.5).abs() <= LINEAR_HALF_WIDTH
    return condition, _floor((score * GRID - LINEAR_START) / LINEAR_WIDTH) + TAIL_BINS


def _tails(score: Expression) -> tuple[tuple[Expression, Expression], tuple[Expression, Expression]]:
    return (score < 0.5, _tail(score)), (score >= 0.5, BINS - 1 - _tail(1.0 - score))


def _tail(distance: Expression) -> Expression:
    import ibis

    steps = _floor((ibis.greatest(distance, MIN_SCORE) / MIN_SCORE).ln() * TAIL_RATE)
    return ibis.least(steps, TAIL_BINS - 1.0)


def _floor(value: Expression) -> Expression:
    """Return the engine's own floor: Ibis's floor also casts, which costs a tenth of the entire query."""
    import ibis

    signature = (("float64",), "float64")
    return ibis.udf.scalar.builtin(_builtin, name="floor", signature=signature)(value)


def _builtin(_: float) -> float:
    """Represent a function of the engine, in the form that Ibis requires."""
    raise NotImplementedError
