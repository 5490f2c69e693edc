"""The distributions behind the newest periods of a model: `evidence/<slug>-<hash8>.csv`.

One line a bin, in columns that hold four kinds of lines:

- `reliability`: of the score of a binary model, of the confidence of one with several classes: rows with a label in
  [low, high), their mean score, and the rate of the outcome;
- `feature`: rows by the bins of the reference, [low, high), by its categories, `other` and `missing`;
- `values`: of a numeric feature, its smallest, largest and mean value (low, high, score), the rows that have one, and
  of the reference the standard deviation (rate);
- `segment`: rows of a segment; its name is the slot.

The period is `reference`, or the start of one of the last 8 periods.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from modeltop.core.series import NON_SEGMENT_PREFIXES, Times, to_datetime
from modeltop.core.text import format_exact
from modeltop.history.store.computed_format import ComputedHistory
from modeltop.history.store.distributions import HEADER, MAX_PERIODS, REFERENCE
from modeltop.history.store.row_format import encode_csv_line, format_iso
from modeltop.history.store.windowing import Windowing
from modeltop.predictions.aggregates.base import Aggregate, CellBatch
from modeltop.predictions.aggregates.classification import BinaryCounts, MulticlassCounts
from modeltop.predictions.aggregates.feature import FeatureCounts, FeatureReference
from modeltop.predictions.metrics.calibration import GROUPS, binned_outcomes, calibration_curve

DistributionRow = tuple[str, ...]
"""Cells in the order of `HEADER`; foreign text may be in them."""


@dataclass(slots=True)
class DistributionBuffer:
    """The distributions of many models, with only the newest periods in memory."""

    encoded: dict[str, bytes] = field(default_factory=dict)
    """Lines of the models that are finished, without the header."""
    _recent: list[tuple[np.datetime64, Aggregate]] = field(default_factory=list)
    """The newest periods of the current model, one cell each."""

    def add(self, cells: CellBatch[Aggregate]) -> None:
        """Add cells of all rows of the current model."""
        newest = np.argsort(cells.period, kind="stable")[-MAX_PERIODS:]
        self._recent += [(cells.period[index], cells.aggregate.take(np.array([index]))) for index in newest]
        self._recent = sorted(self._recent, key=lambda entry: entry[0])[-MAX_PERIODS:]

    def finish_model(self, history: ComputedHistory, reference: Aggregate | None, windowing: Windowing) -> None:
        """Encode the current model; anything added afterwards belongs to another.

        Args:
            history: All of its periods; distributions of others are left out.
            reference: One cell of the rows of its reference; None without one.
            windowing: How they were cut.
        """
        recent, self._recent = self._recent, []
        if not len(history):
            return
        rows = [] if reference is None else list(_reliability_rows(reference, REFERENCE))
        times = set(history.times.tolist())
        for start, aggregate in recent:
            if start.item() in times:
                rows += _reliability_rows(aggregate, _format_start(start))
        self.encoded[history.model] = windowing.encode() + _encode([*rows, *_segment_rows(history)])

    def add_feature(self, model: str, periods: Times, counts: FeatureCounts) -> None:
        """Add the histograms of a feature to a model that is finished."""
        newest = np.argsort(periods, kind="stable")[-MAX_PERIODS:]
        rows = _feature_rows(counts.take(newest), map(_format_start, periods[newest]))
        self.encoded[model] = self.encoded.get(model, b"") + _encode(rows)

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield each model with the content of its file; a model without distributions has none."""
        for model, data in self.encoded.items():
            if data:
                yield model, encode_csv_line(HEADER) + data


def _reliability_rows(aggregate: Aggregate, period: str) -> Iterator[DistributionRow]:
    """Yield the reliability curve of one cell; nothing without labeled scores."""
    if not isinstance(aggregate, BinaryCounts | MulticlassCounts):
        return
    name = "score" if isinstance(aggregate, BinaryCounts) else "confidence"
    rows, score, rate = calibration_curve(binned_outcomes(aggregate))
    for group in np.flatnonzero(rows[0]).tolist():
        bounds = (format_exact(group / GROUPS), format_exact((group + 1) / GROUPS))
        numbers = (rows[0, group], score[0, group], rate[0, group])
        yield ("reliability", name, period, str(group), *bounds, *map(_format_number, numbers))


def _feature_rows(counts: FeatureCounts, periods: Iterable[str]) -> Iterator[DistributionRow]:
    """Yield the histogram of the reference, then that of each period."""
    reference = counts.reference
    slots = list(_slots(reference))
    histograms: list[tuple[str, NDArray[np.int64]]] = [(REFERENCE, reference.count)]
    histograms += zip(periods, counts.count, strict=True)
    for period, histogram in histograms:
        for (slot, low, high), rows in zip(slots, histogram.tolist(), strict=True):
            if rows:
                yield ("feature", reference.name, period, slot, low, high, str(rows), "", "")
    if counts.total is None or counts.extremes is None or reference.total is None or reference.extremes is None:
        return
    totals, extremes = np.vstack([reference.total, counts.total]), np.vstack([reference.extremes, counts.extremes])
    for (period, histogram), total, (low, high) in zip(histograms, totals, extremes, strict=True):
        if rows := int(histogram[: reference.slots].sum()):
            deviation = reference.deviation if period == REFERENCE else float("nan")
            numbers = map(_format_number, (low, high, total.sum() / rows, deviation))
            yield ("values", reference.name, period, "", *islice(numbers, 2), str(rows), *numbers)


def _slots(reference: FeatureReference) -> Iterator[tuple[str, str, str]]:
    """Yield name, low and high of each slot, `other` and `missing` included."""
    if reference.edges is not None:
        edges = ["", *(format_exact(edge) for edge in reference.edges), ""]
        for index in range(reference.slots):
            yield str(index), edges[index], edges[index + 1]
    else:
        for name in reference.categories or ():
            yield name, "", ""
    yield "other", "", ""
    yield "missing", "", ""


def _segment_rows(history: ComputedHistory) -> Iterator[DistributionRow]:
    """Yield the rows of each segment in the newest periods."""
    of_rows = np.array([not segment.startswith(NON_SEGMENT_PREFIXES) for segment in history.segments])
    newest = np.unique(history.times)[-MAX_PERIODS:]
    for index in np.flatnonzero(of_rows & np.isin(history.times, newest)).tolist():
        start, rows = _format_start(history.times[index]), format_exact(history.rows[index])
        yield ("segment", history.segments[index], start, "", "", "", rows, "", "")


def _encode(rows: Iterable[DistributionRow]) -> bytes:
    return b"".join(map(encode_csv_line, rows))


def _format_start(start: np.datetime64) -> str:
    return format_iso(to_datetime(start))


def _format_number(value: float) -> str:
    """Return nine digits: parallel sums of floats differ after them, and an unchanged file is not written again."""
    return "" if np.isnan(value) else format_exact(float(f"{value:.9g}"))
