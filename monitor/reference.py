"""Which periods a series is compared with."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from monitor.records import Series

MOST = 60
LEAST = 10


def earlier(past: Series, *, most: int = MOST, least: int = LEAST, min_count: float = 0) -> Series | None:
    """The newest judged periods before the last one of `past`: what that one is compared with by default.

    Args:
        past: A series that ends with the period in question.
        most: Periods in the window at most.
        least: With fewer there is too little history to compare with, and the result is None.
        min_count: Periods that rest on fewer cases are no reference.
    """
    before = past[:-1]
    index = np.flatnonzero(before.judged(min_count))[-most:]
    if len(index) < max(least, 1):
        return None
    cut: dict[str, Any] = {field.name: getattr(before, field.name) for field in fields(before)}
    for name, column in cut.items():
        if isinstance(column, np.ndarray):
            cut[name] = column[index]
    return Series(**cut)
