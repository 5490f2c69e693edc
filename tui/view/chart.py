"""The content of the chart: from the selected series to `ChartData`."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.metrics.registry import Metric
from modeltop.core.series import Series, SeriesKey, Severity, to_datetime
from modeltop.core.stats.robust import median
from modeltop.core.text import format_period, format_value, pluralize
from modeltop.rules.change_summary import latest_interval
from modeltop_tui.chart.data import ChartData, LimitLine, Trace
from modeltop_tui.view.changes import selected_series
from modeltop_tui.view.chart_annotations import chart_annotations, model_notes
from modeltop_tui.view.metrics import label, support_text
from modeltop_tui.view.state import ScreenState, SnapshotIndex, TimeWindow, snapshot_index
from modeltop_tui.view.styled_text import SHAPES, WORDS

if TYPE_CHECKING:
    from modeltop.core.diagnosis import TrendOutlook

GAP_STEPS = 1.75
"""Median steps from which a step is a gap: periods are missing in between."""
MICROSECONDS = 1e6


def seconds(series: Series) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the period starts as seconds since 1970, UTC."""
    return series.times.astype(np.int64) / MICROSECONDS


def chart_data(state: ScreenState) -> ChartData:
    """Return the chart of the selection; the same object as long as nothing in it changes."""
    series = selected_series(state)
    if series is None or state.snapshot is None:
        return _empty_chart(state.loading or "nothing is selected")
    index = snapshot_index(state.snapshot)
    others = tuple(related_series(index, series.key)) if state.selection.overlay else ()
    return _build_chart(index, series, others, state.selection.time_window, state.selection.cursor, state.outlook)


@lru_cache(maxsize=4)
def _empty_chart(message: str) -> ChartData:
    return ChartData((), (), "", 3, 0.0, 0.0, empty_message=message)


def related_series(index: SnapshotIndex, key: SeriesKey) -> list[Series]:
    """Return the other series of the model that are drawn beside `key`: same family of metrics, same segment."""
    catalog = index.snapshot.catalog
    family = catalog.get(key.metric).family
    if not family:
        return []
    others = (series for series in index.series.get(key.model, []) if series.key != key)
    return [s for s in others if s.key.segment == key.segment and catalog.get(s.key.metric).family == family]


@lru_cache(maxsize=8)
def _build_chart(
    index: SnapshotIndex,
    series: Series,
    others: tuple[Series, ...],
    window: TimeWindow | None,
    cursor: float | None,
    outlook: TrendOutlook | None,
) -> ChartData:
    start, end = time_span(series, window)
    notes = model_notes(index, series.key.model)
    annotations = chart_annotations(series, outlook, notes, (start, end), alone=not others)
    traces = [_trace(index, drawn, start, end) for drawn in (series, *others)]
    limits = _limits(index, series.key)
    metric = index.snapshot.catalog.get(series.key.metric)
    more = f" +{len(others)}" if others else ""
    title = f"{label(series.key)}{more} {_span_text(series, traces[0], window)}"
    if series.low is not None:
        title += f", now {_interval(series, metric)}"
    empty = _empty_message(traces[0], start, end)
    if annotations.trend is not None:
        end = max(end, annotations.trend.end)
    return ChartData(tuple(traces), limits, title, metric.digits, start, end, cursor, empty, annotations)


def time_span(series: Series, window: TimeWindow | None) -> tuple[float, float]:
    """Return both ends of the time axis in seconds since 1970, UTC."""
    times = seconds(series)
    first, last = float(times[0]), float(times[-1])
    if window is None:
        return first, last
    end = last if window.end is None else window.end
    return end - window.length, end


def _span_text(series: Series, trace: Trace, window: TimeWindow | None) -> str:
    """Return the extent of the chart in words: `10 days`, or `4 periods of 10` in a window."""
    shown = len(trace.times)
    if window is None and shown > 1 and np.all(np.diff(series.times) == np.timedelta64(1, "D")):
        return pluralize(shown, "day")
    if window is None:
        return pluralize(shown, "period")
    return f"{pluralize(shown, 'period')} of {len(series)}"


def _empty_message(trace: Trace, start: float, end: float) -> str:
    if len(trace.times):
        return ""
    first, last = (format_period(datetime.fromtimestamp(time, UTC)) for time in (start, end))
    return f"no points from {first} to {last}: 0 shows all"


def _trace(index: SnapshotIndex, series: Series, start: float, end: float) -> Trace:
    times = seconds(series)
    left, right = np.searchsorted(times, [start, end + 1e-6])
    shown = slice(int(left), int(right))
    gaps = np.zeros(len(times), dtype=np.bool_)
    steps = np.diff(times)
    if len(steps) > 1:
        gaps[1:] = steps > GAP_STEPS * median(steps)
    breaches, unevaluated = point_levels(index, series)
    return Trace(
        label(series.key), times[shown], series.values[shown], breaches[shown], unevaluated[shown], gaps[shown]
    )


def point_levels(index: SnapshotIndex, series: Series) -> tuple[np.ndarray, np.ndarray]:
    """Evaluate each point of a series against the limits of its rules.

    Returns:
        The worst `Severity` whose limit each point exceeds, 0 for none; and True for each point that no rule evaluates.
        Both of the length of the series.
    """
    breaches = np.zeros(len(series), dtype=np.int8)
    unevaluated = ~series.evaluable()
    for rule in index.rules_for(series.key):
        evaluable = series.evaluable(rule.min_count)
        unevaluated |= ~evaluable
        for severity, limit in rule.detector.limits():
            exceeded = limit.exceeded(series.values) & evaluable
            breaches[exceeded] = np.maximum(breaches[exceeded], int(severity))
    return breaches, unevaluated


def _limits(index: SnapshotIndex, key: SeriesKey) -> tuple[LimitLine, ...]:
    out: dict[tuple[str, float], LimitLine] = {}
    for rule in index.rules_for(key):
        for severity, limit in rule.detector.limits():
            for sign, value in (("<", limit.below), (">", limit.above)):
                if value is not None and (sign, value) not in out:
                    out[sign, value] = LimitLine(value, Severity(severity), f"{sign} {format_value(value)}")
    return tuple(out.values())


def cursor_readout(state: ScreenState) -> str:
    """Return the read-out of the chart's cursor: period, value and interval, support, exceeded limit."""
    series = selected_series(state)
    if series is None or state.snapshot is None or state.selection.cursor is None:
        return ""
    at = nearest_index(series, state.selection.cursor)
    breaches, unevaluated = (array[at] for array in point_levels(snapshot_index(state.snapshot), series))
    metric = state.snapshot.catalog.get(series.key.metric)
    severity = Severity(int(breaches))
    note = f" {SHAPES[severity]}{WORDS[severity]}" if severity else ""
    note += " not evaluated" if unevaluated else ""
    period = format_period(to_datetime(series.times[at]))
    value = f"{metric.format(float(series.values[at]))} {_interval(series[: at + 1], metric)}".rstrip()
    return f"{period}  {value}  n {support_text(series, at)}{note}"


def _interval(series: Series, metric: Metric) -> str:
    """Return the 95 % interval, or the bound, of the newest value; empty if there is none."""
    interval = latest_interval(series, metric)
    return "" if interval is None else f"[{metric.format(interval[0])}, {metric.format(interval[1])}]"


def nearest_index(series: Series, timestamp: float) -> int:
    """Return the index of the point nearest to a time in seconds since 1970, UTC."""
    return int(np.argmin(np.abs(seconds(series) - timestamp)))
