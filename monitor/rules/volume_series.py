"""The row counts of each model as a series, so that rules can watch them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from modeltop.core.series import Direction, Series, SeriesKey
from modeltop.rules.detectors.volume import ROWS


class VolumeSeries:
    """One series of row counts per model, kept as long as the series that it comes from is the same."""

    def __init__(self) -> None:
        self._known: dict[SeriesKey, tuple[Series, Series]] = {}

    def update(self, history: Mapping[SeriesKey, Series]) -> dict[SeriesKey, Series]:
        """Return the series of row counts by key, of models whose row counts are known and that have no such metric."""
        sources: dict[SeriesKey, Series] = {}
        for key, series in history.items():
            own = SeriesKey(key.model, ROWS)
            if key.segment == "all" and series.rows is not None and own not in history:
                longest = sources.setdefault(own, series)
                sources[own] = series if len(series) > len(longest) else longest
        known = self._known
        self._known = {
            key: known[key] if key in known and known[key][0] is source else (source, _row_counts(key, source))
            for key, source in sources.items()
        }
        return {key: volume for key, (_, volume) in self._known.items()}


def _row_counts(key: SeriesKey, source: Series) -> Series:
    assert source.rows is not None, "a source of row counts has some"
    is_known = np.isfinite(source.rows)
    provisional = None if source.provisional is None else source.provisional[is_known]
    rows = source.rows[is_known]
    return Series(key, Direction.NEITHER, source.times[is_known], rows, rows=rows, provisional=provisional)
