"""Cells that are numbers or flags."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from monitor.metrics.base import Metric
from monitor.text import plain

if TYPE_CHECKING:
    from monitor.records import Flags, Floats

EMPTY = frozenset({"", "nan", "na", "n/a", "#n/a", "null", "none", "-"})
"""Cells of a number column that say there is no value, in lower case."""
TRUE = frozenset({"true", "t", "yes", "y", "1", "1.0"})
FALSE = frozenset({"", "false", "f", "no", "n", "0", "0.0"})

COUNT = Metric("count", bounds=(0, None))
"""What a number of rows or cases can be."""

_NUMBER = re.compile(r"[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?)", re.ASCII | re.IGNORECASE)
_COMMA = re.compile(r"[+-]?\d*,\d+(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def number(cell: str, *, comma: bool = False) -> float:
    """The number in a cell; NaN where it says that there is none.

    Args:
        cell: As written.
        comma: A comma stands for the decimal point, as where a semicolon stands between the cells.

    Raises:
        ValueError: With the reason and the remedy.

    >>> number("0.95"), number("0,95", comma=True), number(" 1e-3 ")
    (0.95, 0.95, 0.001)
    """
    text = cell.strip(" \t")
    if _NUMBER.fullmatch(text):
        return float(text)
    if comma and _COMMA.fullmatch(text):
        return float(text.replace(",", "."))
    if text.lower() in EMPTY:
        return math.nan
    raise ValueError(f"`{cell[:40]}` is no number: {_remedy(text)}")


def _remedy(text: str) -> str:
    if text.endswith("%"):
        return "write a fraction, such as 0.95 for 95%"
    if "," in text:
        return "write a decimal point and no thousands separators"
    return "write one such as 0.95, or leave the cell empty"


def plain_numbers(cells: Sequence[str]) -> Floats | None:
    """All cells at once, None if one of them needs a closer look."""
    joined = "".join(cells)
    if "_" in joined or not joined.isascii():
        return None  # float() takes 1_000 and digits of other scripts, pandas does not
    try:
        return np.array([float(cell) if cell else math.nan for cell in cells], dtype=np.float64)
    except ValueError:
        return None


def flag(cell: str) -> bool:
    """Whether a cell says yes. Raises ValueError with the reason and the remedy."""
    text = cell.strip().lower()
    if text in TRUE:
        return True
    if text in FALSE:
        return False
    raise ValueError(f"`{cell[:40]}` is neither true nor false: write one of them")


def out_of_bounds(values: Floats, metric: Metric) -> Flags:
    """True where a value cannot be; infinite values are bounded only where the metric is `COUNT`."""
    low, high = metric.bounds
    wrong: Flags = np.isinf(values) if metric is COUNT else np.zeros(len(values), dtype=np.bool_)
    with np.errstate(invalid="ignore"):  # comparing NaN
        if low is not None:
            wrong |= (values < low) & np.isfinite(values)
        if high is not None:
            wrong |= (values > high) & np.isfinite(values)
    return wrong


def bounds_message(value: float, metric: Metric) -> str:
    """Why a number is refused, and what to write."""
    low, high = metric.bounds
    if metric is COUNT:
        return f"{plain(value)} is no count: write a whole number, 0 or more"
    if low is not None and high is not None:
        limits = f"between {plain(low)} and {plain(high)}"
    else:
        limits = f"{plain(low)} or more" if low is not None else f"{plain(high or 0.0)} or less"
    if high == 1 and 1 < value <= 100:
        return f"{plain(value)} is not {limits}: write a fraction, such as {plain(value / 100)}"
    return f"{plain(value)} is not {limits}: correct the cell, or rename the column if it is another metric"
