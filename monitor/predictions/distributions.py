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

from modeltop.core.text import plain
from modeltop.history.store.distributions import REFERENCE
from modeltop.predictions.aggregates.classification import BinaryTally, MulticlassTally
from modeltop.predictions.aggregates.feature import FeatureReference, FeatureTally
from modeltop.predictions.metrics import calibration, multiclass_scores
from modeltop.predictions.metrics.calibration import GROUPS, Scores, reliability

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modeltop.predictions.aggregates.base import Tally

LAST = 8
"""Periods that are kept besides the reference."""

Line = tuple[str, ...]
"""Cells in the order of `HEADER`: foreign text."""


def reliability_lines(tally: Tally, periods: Iterable[str]) -> Iterator[Line]:
    """The curve of each cell; nothing without labelled scores.

    Args:
        tally: K cells.
        periods: What each is called.
    """
    if isinstance(tally, BinaryTally):
        name, outcomes = "score", calibration.outcomes(Scores.of(tally))
    elif isinstance(tally, MulticlassTally):
        name, outcomes = "confidence", multiclass_scores.outcomes(tally)
    else:
        return
    curve = reliability(outcomes)
    for cell, period in enumerate(periods):
        for group in np.flatnonzero(curve.rows[cell]).tolist():
            ends = (f"{plain(group / GROUPS)}", f"{plain((group + 1) / GROUPS)}")
            numbers = (curve.rows[cell, group], curve.score[cell, group], curve.rate[cell, group])
            yield ("reliability", name, period, str(group), *ends, *map(_short, numbers))


def feature_lines(tally: FeatureTally, periods: Iterable[str]) -> Iterator[Line]:
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
        ends = ["", *(plain(edge) for edge in reference.edges), ""]
        for place in range(reference.slots):
            yield str(place), ends[place], ends[place + 1]
    else:
        for name in reference.categories or ():
            yield name, "", ""
    yield "other", "", ""
    yield "missing", "", ""


def segment_lines(segments: Iterable[str], periods: Iterable[str], rows: Iterable[float]) -> Iterator[Line]:
    """How many rows each segment had."""
    for segment, period, count in zip(segments, periods, rows, strict=True):
        yield ("segment", segment, period, "", "", "", plain(count), "", "")


def _short(value: float) -> str:
    """Nine digits: parallel sums of floats differ behind them, and an unchanged file is not written again."""
    return "" if np.isnan(value) else plain(float(f"{value:.9g}"))
