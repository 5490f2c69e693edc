"""The newest periods of a series in block characters, which a phone can show. Pure."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from modeltop.core.series import Series, to_datetime
from modeltop.core.stats.spacing import period_unit
from modeltop.core.text import block_characters, format_day, format_value, pluralize

MAX_POINTS = 24
"""Most periods that are drawn: with the two numbers beside them they fit across a phone."""


def sparkline(series: Series, now: datetime, limit: float | None = None) -> tuple[str, ...]:
    """Return two lines: blocks between the first and the last finite value, then limit and periods; none if empty."""
    finite = np.flatnonzero(np.isfinite(series.values))[-MAX_POINTS:]
    if not len(finite):
        return ()
    values = series.values[finite].tolist()
    start, end = (series.format(value) for value in (values[0], values[-1]))
    drawn = f"{start} {block_characters(values, min(values), max(values))} {end}"
    first, last = (to_datetime(series.times[index]) for index in (finite[0], finite[-1]))
    count = pluralize(len(finite), period_unit(series))
    span = f"{count}, {format_day(first, now)}" + (f" – {format_day(last, now)}" if last != first else "")
    return drawn, span if limit is None else f"limit {format_value(limit, 4)} · {span}"
