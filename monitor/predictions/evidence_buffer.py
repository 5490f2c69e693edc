"""The evidence of each model, as it comes: the newest periods alone are held."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.series import to_datetime
from modeltop.history.store.computed_format import ComputedHistory
from modeltop.history.store.distributions import HEADER, REFERENCE
from modeltop.history.store.row_format import encode_csv_line, format_iso
from modeltop.predictions.collect import ALL
from modeltop.predictions.distributions import (
    MAX_PERIODS,
    DistributionRow,
    feature_lines,
    reliability_lines,
    segment_lines,
)
from modeltop.predictions.reference_stats import ReferenceStats

if TYPE_CHECKING:
    from modeltop.core.series import Times
    from modeltop.predictions.aggregates.base import Aggregate, CellBatch
    from modeltop.predictions.aggregates.feature import FeatureCounts


@dataclass(slots=True)
class DistributionBuffer:
    """Lines of evidence by model."""

    encoded: dict[str, bytes] = field(default_factory=dict)
    """Models that are finished, encoded, without the header."""
    _recent: list[tuple[np.datetime64, list[DistributionRow]]] = field(default_factory=list)
    """Of the model that is being gathered: the curves of its newest periods."""

    def add(self, cells: CellBatch[Aggregate]) -> None:
        """Take in whole periods of the model that is being gathered."""
        newest = np.argsort(cells.period, kind="stable")[-MAX_PERIODS:]
        for place in newest.tolist():
            time = cells.period[place]
            lines = list(reliability_lines(cells.aggregate.take(slice(place, place + 1)), [format_period_start(time)]))
            self._recent.append((time, lines))
        self._recent = sorted(self._recent, key=lambda entry: entry[0])[-MAX_PERIODS:]

    def finish_model(self, sheet: ComputedHistory, references: ReferenceStats) -> None:
        """The model is whole."""
        known = references.aggregates.get(sheet.model)
        lines = [] if known is None else list(reliability_lines(known, [REFERENCE]))
        lines += [one for _, several in self._recent for one in several]
        self.encoded[sheet.model] = _encoded([*lines, *_segments(sheet)])
        self._recent = []

    def add_feature(self, model: str, periods: Times, tally: FeatureCounts) -> None:
        """Add the histograms of a feature of a model that is finished."""
        newest = np.argsort(periods, kind="stable")[-MAX_PERIODS:]
        lines = feature_lines(tally.take(newest), [format_period_start(time) for time in periods[newest]])
        self.encoded[model] = self.encoded.get(model, b"") + _encoded(lines)

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Model and content, header first; a model without evidence has no file."""
        for model, data in self.encoded.items():
            if data:
                yield model, encode_csv_line(HEADER) + data


def _segments(sheet: ComputedHistory) -> Iterator[DistributionRow]:
    cut = np.array([segment == ALL or not segment.startswith(("feature=", "class=")) for segment in sheet.segments])
    newest = np.unique(sheet.times)[-MAX_PERIODS:]
    at = np.flatnonzero(cut & np.isin(sheet.times, newest))
    return segment_lines(
        sheet.segments[at].tolist(), map(format_period_start, sheet.times[at]), sheet.rows[at].tolist()
    )


def _encoded(lines: Iterable[DistributionRow]) -> bytes:
    return b"".join(encode_csv_line(cells) for cells in lines)


def format_period_start(time: np.datetime64) -> str:
    """A period as the store writes it."""
    return format_iso(to_datetime(time))
