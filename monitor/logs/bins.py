"""The bins of `monitor.tallies.bins` as an expression: the same operations in the same order, in double precision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.tallies.bins import BINS, FINEST, FIRST_STEP, SMALLEST, STEPS, TAIL, TAIL_RATE, TAIL_STARTS

if TYPE_CHECKING:
    from monitor.logs.engine import Expression


def bin_of(score: Expression) -> Expression:
    """The bin of a score within 0 and 1; missing where there is none."""
    import ibis

    linear = _floor((score * FINEST - FIRST_STEP) / STEPS) + TAIL
    lower = _tail(score)
    upper = BINS - 1 - _tail(1.0 - score)
    middle = (score >= TAIL_STARTS) & (score < 1.0 - TAIL_STARTS)
    return ibis.cases((middle, linear), (score < TAIL_STARTS, lower), (score.notnull(), upper))


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
