"""When periods end that no calendar ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from monitor.records import Floats, Times

NEVER = np.datetime64("9999-01-01", "us")
"""The end of a period that still grows."""


def of_chunks(times: Times, rows: Floats, size: int) -> Times:
    """Periods of `size` rows each: one ends where the next begins; the last one only once it is full.

    Args:
        times: Starts, sorted.
        rows: Of each period; earlier ones may have fewer where rows were left out.
        size: Rows of a full period.
    """
    ends = of_spans(times)
    if len(ends) and rows[-1] < size:
        ends[-1] = NEVER
    return ends


def of_spans(times: Times) -> Times:
    """Periods named by a column: one ends where the next begins, the last one after the usual distance.

    Args:
        times: Starts, sorted.

    Returns:
        NaT where there is one period alone: nobody knows when it ends.
    """
    if len(times) < 2:
        return np.full(len(times), np.datetime64("NaT"), dtype=times.dtype)
    steps = np.diff(times)
    return np.concatenate([times[1:], times[-1:] + np.sort(steps)[len(steps) // 2]])
