"""The row counts of each model and its segments as series, so that rules can watch them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from modeltop.core.diagnosis import ROW_COUNT
from modeltop.core.series import MAX_SEGMENTS, Direction, Series, SeriesKey, Times, segment_column
from modeltop.core.stats.robust import distinct
from modeltop.rules.rule import is_offline


class VolumeSeries:
    """A series of row counts per model and segment, kept as long as the series that it comes from are the same."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[list[Series], list[Series]]] = {}

    def update(self, history: Mapping[SeriesKey, Series]) -> dict[SeriesKey, Series]:
        """Return the series of row counts by key, of models whose row counts are known and that have no such metric."""
        sources: dict[tuple[str, str], dict[SeriesKey, Series]] = {}
        for key, series in history.items():
            column = _column(key.segment)
            own = SeriesKey(key.model, ROW_COUNT, key.segment)
            if column is not None and series.rows is not None and own not in history:
                longest = sources.setdefault((key.model, column), {}).setdefault(own, series)
                if len(series) > len(longest):
                    sources[key.model, column][own] = series
        known = self._known
        self._known = {
            cut: known[cut] if cut in known and known[cut][0] == list(own.values()) else _counted(own)
            for cut, own in sources.items()
            if len(own) <= MAX_SEGMENTS and (not cut[1] or (cut[0], "") in sources)
        }
        return {volume.key: volume for _, volumes in self._known.values() for volume in volumes}


@lru_cache(maxsize=4096)
def _column(segment: str) -> str | None:
    """Return the column of a segment, empty for all rows; None for what no rows are counted of."""
    if segment == "all":
        return ""
    return None if is_offline(segment) else segment_column(segment) or None


def _counted(sources: Mapping[SeriesKey, Series]) -> tuple[list[Series], list[Series]]:
    """Return the sources, and their row counts: 0 in a period in which only other segments of the column have rows."""
    times = distinct(np.concatenate([series.times for series in sources.values()]))
    volumes = [_row_counts(key, source, times if len(sources) > 1 else source.times) for key, source in sources.items()]
    return list(sources.values()), volumes


def _row_counts(key: SeriesKey, source: Series, times: Times) -> Series:
    assert source.rows is not None, "a source of row counts has some"
    times = times[times >= source.times[0]]
    rows, provisional = np.zeros(len(times)), np.zeros(len(times), dtype=np.bool_)
    places = np.searchsorted(times, source.times)
    rows[places] = source.rows
    if source.provisional is not None:
        provisional[places] = source.provisional
    is_known = np.isfinite(rows)
    rows = rows[is_known]
    provisional = provisional[is_known]
    return Series(key, Direction.NEITHER, times[is_known], rows, rows=rows, provisional=provisional, digits=0)
