"""What lies under the newest points of a model, for whoever asks why: `evidence/<slug>-<hash8>.csv`.

One line a bin, in columns that hold three kinds of lines:

- `reliability`: of the score of a binary model, of the confidence of one with several classes: rows with a label in
  [low, high), their mean score, and how often it came true;
- `feature`: rows by the bins of the reference, [low, high), by its categories, `other` and `missing`;
- `segment`: rows of a segment; its name is the slot.

The period is `reference`, or the start of one of the last 8 periods.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.text import format_exact
from modeltop.history.store.distributions import REFERENCE
from modeltop.predictions.aggregates.classification import BinaryCounts, MulticlassCounts
from modeltop.predictions.aggregates.feature import FeatureCounts, FeatureReference
from modeltop.predictions.metrics.calibration import GROUPS, binned_outcomes, calibration_curve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modeltop.predictions.aggregates.base import Aggregate

MAX_PERIODS = 8
"""Periods that are kept besides the reference."""

DistributionRow = tuple[str, ...]
"""Cells in the order of `HEADER`: foreign text."""


def reliability_lines(tally: Aggregate, periods: Iterable[str]) -> Iterator[DistributionRow]:
    """The curve of each cell; nothing without labelled scores.

    Args:
        tally: K cells.
        periods: What each is called.
    """
    if not isinstance(tally, BinaryCounts | MulticlassCounts):
        return
    name = "score" if isinstance(tally, BinaryCounts) else "confidence"
    rows, score, rate = calibration_curve(binned_outcomes(tally))
    for cell, period in enumerate(periods):
        for group in np.flatnonzero(rows[cell]).tolist():
            ends = (f"{format_exact(group / GROUPS)}", f"{format_exact((group + 1) / GROUPS)}")
            numbers = (rows[cell, group], score[cell, group], rate[cell, group])
            yield ("reliability", name, period, str(group), *ends, *map(_format_number, numbers))


def feature_lines(tally: FeatureCounts, periods: Iterable[str]) -> Iterator[DistributionRow]:
    """The histogram of the reference, then that of each cell."""
    slots = list(_slots(tally.reference))
    counts: list[tuple[str, NDArray[np.int64]]] = [(REFERENCE, tally.reference.count)]
    counts += zip(periods, tally.count, strict=True)
    for period, count in counts:
        for (slot, low, high), rows in zip(slots, count.tolist(), strict=True):
            if rows:
                yield ("feature", tally.reference.name, period, slot, low, high, str(rows), "", "")


def _slots(reference: FeatureReference) -> Iterator[tuple[str, str, str]]:
    """Name and ends of each slot, `other` and missing included."""
    if reference.edges is not None:
        ends = ["", *(format_exact(edge) for edge in reference.edges), ""]
        for place in range(reference.slots):
            yield str(place), ends[place], ends[place + 1]
    else:
        for name in reference.categories or ():
            yield name, "", ""
    yield "other", "", ""
    yield "missing", "", ""


def segment_lines(segments: Iterable[str], periods: Iterable[str], rows: Iterable[float]) -> Iterator[DistributionRow]:
    """How many rows each segment had."""
    for segment, period, count in zip(segments, periods, rows, strict=True):
        yield ("segment", segment, period, "", "", "", format_exact(count), "", "")


def _format_number(value: float) -> str:
    """Nine digits: parallel sums of floats differ behind them, and an unchanged file is not written again."""
    return "" if np.isnan(value) else format_exact(float(f"{value:.9g}"))
