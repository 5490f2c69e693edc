"""The bins of scores (`aggregates.score_bins`) as an expression: the same operations in the same order, in doubles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modeltop.predictions.aggregates.score_bins import (
    BINS,
    FINEST,
    FIRST_STEP,
    NO_SCORE,
    SLOTS,
    SMALLEST,
    SMALLEST_PROBABILITY,
    STEPS,
    TAIL,
    TAIL_RATE,
    TAIL_STARTS,
)

if TYPE_CHECKING:
    from modeltop.predictions.engines.base import Expression

LOWEST, HIGHEST = SLOTS, SLOTS + 1
"""Slots for scores whose distance from 0 or from 1 is below `SMALLEST_PROBABILITY`. Whoever counts
puts them into the outermost bins."""
OPEN_SLOTS = SLOTS + 2
MIDDLE = 0.5 - TAIL_STARTS


def score_bin(score: Expression) -> Expression:
    """The bin of a score within 0 and 1; missing where there is none."""
    import ibis

    return ibis.cases(_linear(score), _lower(score), _upper(score))


def score_slot(score: Expression) -> Expression:
    """The bin of a score within 0 and 1, `LOWEST` or `HIGHEST`; `NO_SCORE` where there is none."""
    import ibis

    lowest = (score < SMALLEST_PROBABILITY, float(LOWEST))
    highest = (score > 1.0 - SMALLEST_PROBABILITY, float(HIGHEST))
    # Most scores are in the middle, so all other questions are asked of few rows.
    return ibis.cases(_linear(score), lowest, highest, _lower(score), _upper(score), else_=float(NO_SCORE))


def _linear(score: Expression) -> tuple[Expression, Expression]:
    """One comparison for both ends: they, and what rounding brings in, are in the same bin either way."""
    return (score - 0.5).abs() <= MIDDLE, _floor((score * FINEST - FIRST_STEP) / STEPS) + TAIL


def _lower(score: Expression) -> tuple[Expression, Expression]:
    return score < 0.5, _tail(score)


def _upper(score: Expression) -> tuple[Expression, Expression]:
    return score >= 0.5, BINS - 1 - _tail(1.0 - score)


def _tail(distance: Expression) -> Expression:
    import ibis

    steps = _floor((ibis.greatest(distance, SMALLEST) / SMALLEST).ln() * TAIL_RATE)
    return ibis.least(steps, TAIL - 1.0)


def _floor(value: Expression) -> Expression:
    """The engine's own function: that of Ibis also casts, which costs a tenth of the whole query."""
    import ibis

    signature = (("float64",), "float64")
    return ibis.udf.scalar.builtin(_of_engine, name="floor", signature=signature)(value)


def _of_engine(_: float) -> float:
    """Stands for a function that the engine has."""
    raise NotImplementedError
