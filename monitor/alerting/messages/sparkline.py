"""The newest periods of a series in block characters, which a phone can show. Pure."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from modeltop.core.series import Series, to_datetime
from modeltop.core.stats.spacing import period_unit
from modeltop.core.text import format_day, format_value, pluralize

BLOCKS = "▁▂▃▄▅▆▇█"
MAX_POINTS = 24
"""Most periods that are drawn: with the two numbers beside them they fit across a phone."""


def sparkline(series: Series, now: datetime, limit: float | None = None) -> tuple[str, ...]:
    """Return two lines: blocks between the first and the last finite value, then limit and periods; none if empty."""
    finite = np.flatnonzero(np.isfinite(series.values))[-MAX_POINTS:]
    if not len(finite):
        return ()
    values = series.values[finite]
    start, end = (series.format(float(value)) for value in values[[0, -1]])
    drawn = f"{start} {block_characters(values.tolist())} {end}"
    first, last = (to_datetime(series.times[index]) for index in (finite[0], finite[-1]))
    count = pluralize(len(finite), period_unit(series))
    span = f"{count}, {format_day(first, now)}" + (f" – {format_day(last, now)}" if last != first else "")
    return drawn, span if limit is None else f"limit {format_value(limit, 4)} · {span}"


def block_characters(values: list[float]) -> str:
    """Return one block per finite value, scaled from the minimum to the maximum.

    >>> block_characters([0.96, 0.95, 0.93, 0.89, 0.87]), block_characters([1.0, 1.0])
    ('█▇▆▃▁', '▄▄')
    """
    low, high = min(values), max(values)
    if low == high:
        return BLOCKS[3] * len(values)
    step = (high - low) / (len(BLOCKS) - 1)
    return "".join(BLOCKS[round((value - low) / step)] for value in values)
