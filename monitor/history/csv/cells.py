"""Cells of text as numbers and flags, and the bounds that numbers must keep."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modeltop.core.metrics.registry import Metric
from modeltop.core.series import Flags, Floats
from modeltop.core.text import format_exact
from modeltop.history.csv.number_formats import LARGEST, PLAIN

TRUE = frozenset({"true", "t", "yes", "y", "1", "1.0"})
FALSE = frozenset({"", "false", "f", "no", "n", "0", "0.0"})
COUNT = Metric("count", bounds=(0, 1e15))
"""Metric name of the columns with row or case counts: 0, or from 1 up to where a float has all whole numbers."""


def parse_number(cell: str) -> float:
    """Return the number in a cell with a decimal point; infinity beyond `LARGEST`, NaN for one of `NULL_VALUES`.

    Raises:
        ValueError: It is no number; the message names the remedy.

    >>> parse_number("0.95"), parse_number(" 1e-3 "), parse_number("1.797e308")
    (0.95, 0.001, inf)
    """
    value = PLAIN.parse(cell)
    return math.copysign(math.inf, value) if abs(value) > LARGEST else value


def are_fractions(values: Floats) -> Flags:
    """Return which values are no whole numbers: sums of weights, or counts with thousands separators."""
    return np.asarray(np.isfinite(values) & (values != np.floor(values)))


def parse_flag(cell: str) -> bool:
    """Return whether a cell is true; an empty one is not.

    Raises:
        ValueError: It is neither true nor false; the message names the remedy.
    """
    text = cell.strip().lower()
    if text in TRUE:
        return True
    if text in FALSE:
        return False
    raise ValueError(f"`{cell[:40]}` is neither true nor false: write one of them")


def out_of_bounds(values: Floats, metrics: Sequence[Metric], groups: NDArray[np.integer[Any]] | None = None) -> Flags:
    """Return a mask of the values outside of the bounds of their metrics; a count is not between 0 and 1 either.

    Args:
        values: One number per row.
        metrics: One metric, or the metric of each group.
        groups: Per row an index into `metrics`; None for a single metric.
    """
    lows = np.array([-np.inf if metric.bounds[0] is None else metric.bounds[0] for metric in metrics])
    highs = np.array([np.inf if metric.bounds[1] is None else metric.bounds[1] for metric in metrics])
    if groups is not None:
        lows, highs = lows[groups], highs[groups]
    with np.errstate(invalid="ignore"):  # comparing NaN
        mask: Flags = (values < lows) | (values > highs)
        return mask | (values > 0) & (values < 1) if metrics[0] is COUNT else mask


def bounds_message(value: float, metric: Metric) -> str:
    """Return why a number is refused as the value of a metric, and a valid example."""
    low, high = metric.bounds
    if metric is COUNT:
        remedy = "1e15 or less" if value > (high or 0) else "0 or more"
        return f"{value:.15g} is not a count: write a whole number, {remedy}"
    if low is not None and high is not None:
        limits = f"between {format_exact(low)} and {format_exact(high)}"
    else:
        limits = f"{format_exact(low)} or more" if low is not None else f"{format_exact(high or 0.0)} or less"
    if high == 1 and 1 < value <= 100:
        return f"{format_exact(value)} is not {limits}: write a fraction, such as {format_exact(value / 100)}"
    return f"{format_exact(value)} is not {limits}: correct the cell, or rename the column if it is another metric"
