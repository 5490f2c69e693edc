"""The evidence of each model, as it comes: the newest periods alone are held."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.series import to_datetime
from modeltop.history.store.computed_format import Sheet
from modeltop.history.store.distributions import HEADER, REFERENCE
from modeltop.history.store.row_format import iso, line
from modeltop.predictions.collect import ALL
from modeltop.predictions.distributions import LAST, Line, feature_lines, reliability_lines, segment_lines
from modeltop.predictions.reference_stats import References

if TYPE_CHECKING:
    from modeltop.core.series import Times
    from modeltop.predictions.aggregates.base import Cells, Tally
    from modeltop.predictions.aggregates.feature import FeatureTally


@dataclass(slots=True)
class Pages:
    """Lines of evidence by model."""

    done: dict[str, bytes] = field(default_factory=dict)
    """Models that are finished, encoded, without the header."""
    _recent: list[tuple[np.datetime64, list[Line]]] = field(default_factory=list)
    """Of the model that is being gathered: the curves of its newest periods."""

    def add(self, cells: Cells[Tally]) -> None:
        """Take in whole periods of the model that is being gathered."""
        newest = np.argsort(cells.period, kind="stable")[-LAST:]
        for place in newest.tolist():
            time = cells.period[place]
            lines = list(reliability_lines(cells.tally.take(slice(place, place + 1)), [named(time)]))
            self._recent.append((time, lines))
        self._recent = sorted(self._recent, key=lambda entry: entry[0])[-LAST:]

    def finish(self, sheet: Sheet, references: References) -> None:
        """The model is whole."""
        known = references.tallies.get(sheet.model)
        lines = [] if known is None else list(reliability_lines(known, [REFERENCE]))
        lines += [one for _, several in self._recent for one in several]
        self.done[sheet.model] = _encoded([*lines, *_segments(sheet)])
        self._recent = []

    def feature(self, model: str, periods: Times, tally: FeatureTally) -> None:
        """Add the histograms of a feature of a model that is finished."""
        newest = np.argsort(periods, kind="stable")[-LAST:]
        lines = feature_lines(tally.take(newest), [named(time) for time in periods[newest]])
        self.done[model] = self.done.get(model, b"") + _encoded(lines)

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Model and content, header first; a model without evidence has no file."""
        for model, data in self.done.items():
            if data:
                yield model, line(HEADER) + data


def _segments(sheet: Sheet) -> Iterator[Line]:
    cut = np.array([segment == ALL or not segment.startswith(("feature=", "class=")) for segment in sheet.segments])
    newest = np.unique(sheet.times)[-LAST:]
    at = np.flatnonzero(cut & np.isin(sheet.times, newest))
    return segment_lines(sheet.segments[at].tolist(), map(named, sheet.times[at]), sheet.rows[at].tolist())


def _encoded(lines: Iterable[Line]) -> bytes:
    return b"".join(line(cells) for cells in lines)


def named(time: np.datetime64) -> str:
    """A period as the store writes it."""
    return iso(to_datetime(time))
