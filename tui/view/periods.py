"""The periods of a model as rows, the newest first: the selected metric in full, then the values of the others."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import overload

import numpy as np
from numpy.typing import NDArray

from modeltop.core.series import Direction, Series, SeriesKey, Severity, to_datetime, to_datetime64
from modeltop.core.text import display_width, format_day, pad, truncate
from modeltop.rules.change_summary import latest_interval
from modeltop_tui.view.changes import selected_series
from modeltop_tui.view.chart import nearest_index, point_levels
from modeltop_tui.view.filter import COMPARISON, STATUS, filter_words
from modeltop_tui.view.metrics import label, support_text
from modeltop_tui.view.rows import Row
from modeltop_tui.view.state import ScreenState, SnapshotIndex, snapshot_index
from modeltop_tui.view.styled_text import SHAPES, TINTS, Cells, TableRow, fit, format_table, paragraph

GAP = 2
FACTS = (("n", 6), ("change", 8), ("95 %", 14))
"""Columns about the selected metric, with their widths in cells."""
MAX_DETAILS, MAX_TABLE_WIDTH = 12, 78
"""Metrics and segments of an open period, the rest of which is counted; and the width of their table in cells."""

MONTHS = np.array(["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"])

Mask = NDArray[np.bool_]


class PeriodRows(Sequence[Row]):
    """The rows of one series; they are made on request, so that their number costs nothing.

    Args:
        index: Index of the snapshot.
        key: The selected series.
        words: Words that a period must match, as `_matches` reads them.
    """

    def __init__(self, index: SnapshotIndex, key: SeriesKey, words: str = "") -> None:
        self._index, self.key = index, key
        own = [series for series in index.series[key.model] if series.key.segment == key.segment]
        self.series = sorted(own, key=lambda series: series.key != key)
        self.times = index.snapshot.history.periods[key.model]
        self._levels = {series.key: _severities(index, series) for series in self.series}
        self._now = to_datetime(self.times[-1])
        units = (unit for unit in ("D", "m", "s") if (self.times == self.times.astype(f"datetime64[{unit}]")).all())
        self._clock = {"D": "", "m": "%H:%M"}.get(next(units, "s"), "%H:%M:%S")
        ends = (*self.times[:1], *self.times[-50:])
        self._date_width = max(len("period"), 2 + max(len(self._date(time)) for time in ends))
        # The title names the segment.
        names = [truncate(label(series.key._replace(segment="all")), 24) for series in self.series]
        self._columns = [(name, max(display_width(name), 8)) for name in names]
        first = self.series[0]
        has_interval = first.low is not None or (
            first.support is not None and index.snapshot.catalog.get(key.metric).proportion
        )
        columns = {0: first.support is not None, 1: True, 2: has_interval}
        self._facts = [number for number, is_known in columns.items() if is_known]
        self._columns[1:1] = [FACTS[number] for number in self._facts]
        months = MONTHS[self.times.astype("datetime64[M]").astype(int) % 12]
        dates = np.char.add(np.datetime_as_string(self.times, unit="m"), months) if words else months
        mask = np.ones(len(self.times), dtype=np.bool_)
        for word, excludes in filter_words(words):
            mask &= self._matches(word, dates) ^ excludes
        self._shown = np.flatnonzero(mask)[::-1]

    def __len__(self) -> int:
        return len(self._shown)

    @overload
    def __getitem__(self, row: int) -> Row: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[Row]: ...
    def __getitem__(self, row: int | slice) -> Row | Sequence[Row]:
        """Return a row, the newest period first."""
        if isinstance(row, slice):
            return [self[number] for number in range(*row.indices(len(self)))]
        time = self.times[self._shown[row]]
        line = self._line(time)
        return Row(line, lambda: [line, *self._details(time)])

    def heading(self, width: int) -> Cells:
        """Return the names of the columns."""
        names = "".join(f"{' ' * (GAP + size - display_width(name))}{name}" for name, size in self._columns)
        return fit(((pad("period", self._date_width), "head"), (names, "head")), width)

    def _matches(self, word: str, dates: NDArray[np.str_]) -> Mask:
        values, levels = self._aligned(self.series[0])
        if (match := COMPARISON.fullmatch(word)) is not None:
            named = [series for series in self.series if series.key.metric.casefold().startswith(match["metric"])]
            values = self._aligned(named[0])[0] if named else np.full(len(values), np.nan)
            limit = float(match["value"])
            return values < limit if match["sign"] == "<" else values > limit
        state = word.removeprefix(STATUS)
        severities = [severity for severity in Severity if severity.name.lower().startswith(state)]
        if word.startswith(STATUS) or (word.isalpha() and severities):
            return np.isin(levels, severities) & np.isfinite(values)
        found: Mask = np.char.find(dates, word.upper()) >= 0
        return found

    def _aligned(self, series: Series) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
        values, levels = np.full(len(self.times), np.nan), np.zeros(len(self.times), dtype=np.int8)
        at = np.searchsorted(self.times, series.times)
        values[at], levels[at] = series.values, self._levels[series.key][0]
        return values, levels

    def _line(self, time: np.datetime64) -> Cells:
        first, *others = self.series
        sizes = [GAP + size for _, size in self._columns]
        facts = [_point_texts(self._index, first, time)[1 + number] for number in self._facts]
        cells = [(f"{text:>{size}}", "dim") for text, size in zip(facts, sizes[1:], strict=False)]
        values = zip(others, sizes[1 + len(facts) :], strict=True)
        date = pad(self._date(time), self._date_width)
        return (
            (date, ""),
            self._value_cell(first, time, sizes[0]),
            *cells,
            *(self._value_cell(series, time, size) for series, size in values),
        )

    def _date(self, time: np.datetime64) -> str:
        moment = to_datetime(time)
        day = format_day(moment.replace(hour=0, minute=0), self._now)
        is_today = bool(self._clock) and moment.date() == self._now.date()
        return " ".join(filter(None, ("" if is_today else day, moment.strftime(self._clock) if self._clock else "")))

    def _value_cell(self, series: Series, time: np.datetime64, width: int) -> tuple[str, str]:
        levels, unevaluated = self._levels[series.key]
        text, at = _point_texts(self._index, series, time)[0], _position(series, time)
        if at is None:
            return f"{'-':>{width}}", "dim"
        severity = Severity(int(levels[at]))
        if severity:
            return f"{SHAPES[severity] + text:>{width}}", TINTS[severity]
        return f"{text:>{width}}", "dim" if unevaluated[at] else ""

    def _details(self, time: np.datetime64) -> list[Cells]:
        sign = -1.0 if self.series[0].better is Direction.LOWER else 1.0
        own = [series for series in self._index.series[self.key.model] if series.key.metric == self.key.metric]
        placed = [(_position(series, time), series) for series in own if series.key != self.key]
        valued = [(sign * float(series.values[at]), series) for at, series in placed if at is not None]
        segments = [series for _, series in sorted(valued, key=lambda pair: pair[0])]
        listed = [series for series in self.series[1:] if _position(series, time) is not None] + segments
        rows = [TableRow((label(s.key), *_point_texts(self._index, s, time))) for s in listed[:MAX_DETAILS]]
        more = [f"and {len(listed) - MAX_DETAILS} more segments"] if len(listed) > MAX_DETAILS else []
        kept = [at for at in range(5) if at < 2 or any(row.cells[at] not in ("", "?") for row in rows)]
        names = ("also", "value", "n", "change", "95 %")
        cells = [TableRow(tuple(row.cells[at] for at in kept)) for row in rows]
        table = format_table([names[at] for at in kept], cells, MAX_TABLE_WIDTH) if rows else []
        return table + [line for text in more for line in paragraph(text, MAX_TABLE_WIDTH)]


def _position(series: Series, time: np.datetime64) -> int | None:
    at = int(np.searchsorted(series.times, time))
    return at if at < len(series) and series.times[at] == time else None


def _point_texts(index: SnapshotIndex, series: Series, time: np.datetime64) -> tuple[str, str, str, str]:
    at, metric = _position(series, time), index.snapshot.catalog.get(series.key.metric)
    if at is None:
        return "-", "", "", ""
    value = float(series.values[at])
    change = metric.format_delta(value - float(series.values[at - 1])) if at else ""
    interval = latest_interval(series[: at + 1], metric)
    span = "" if interval is None else f"{metric.format(interval[0])} to {metric.format(interval[1])}"
    return metric.format(value), support_text(series, at), change, span


def _severities(index: SnapshotIndex, series: Series) -> tuple[NDArray[np.int8], Mask]:
    """Return the worst severity of each point, by the limits that it exceeds and by alerts without limits at the time.

    The second array is True for each point that no rule evaluates.
    """
    levels, unevaluated = point_levels(index, series)
    for alert in index.snapshot.alerts:
        rule = index.rules.get(alert.rule)
        has_limits = rule is not None and any(rule.detector.limits())  # these tell its level period by period
        if alert.key == series.key and alert.fired is not None and not has_limits:
            during = series.times >= to_datetime64(alert.since)
            during &= True if alert.resolved is None else series.times < to_datetime64(alert.resolved)
            levels[during] = np.maximum(levels[during], int(alert.severity))
    return levels, unevaluated


_cached_rows = lru_cache(maxsize=4)(PeriodRows)


def period_rows(state: ScreenState, words: str = "") -> PeriodRows | None:
    """Return the periods of the selected series that match some words; None without a series."""
    if state.snapshot is None or state.selection.key is None:
        return None
    return _cached_rows(snapshot_index(state.snapshot), state.selection.key, words)


def period_row(state: ScreenState) -> int:
    """Return the number of the row of the period at the chart's cursor."""
    series, rows = selected_series(state), period_rows(state)
    if series is None or rows is None or state.selection.cursor is None:
        return 0
    time = series.times[nearest_index(series, state.selection.cursor)]
    return len(rows) - 1 - int(np.searchsorted(rows.times, time))
