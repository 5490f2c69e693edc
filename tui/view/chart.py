"""From the selected series to the content of the chart."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.metrics.registry import Metric, MetricRegistry
from modeltop.core.series import Series, SeriesKey, Severity
from modeltop.core.stats.robust import median
from modeltop.core.text import format_period, format_value, pluralize
from modeltop.rules.change_summary import latest_interval
from modeltop_tui.chart.data import ChartData, LimitLine, Trace
from modeltop_tui.view.changes import selected_series
from modeltop_tui.view.chart_annotations import chart_annotations, model_notes
from modeltop_tui.view.metrics import label
from modeltop_tui.view.state import ScreenState, SnapshotIndex, TimeWindow, snapshot_index
from modeltop_tui.view.styled_text import SHAPES, WORDS

if TYPE_CHECKING:
    from modeltop.core.diagnosis import TrendOutlook

GAP = 1.75
"""A step longer than this many median steps is a gap: periods are missing in between."""
MICRO = 1e6


def seconds(series: Series) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Period starts as seconds since 1970, UTC."""
    return series.times.astype(np.int64) / MICRO


def chart_data(scene: ScreenState) -> ChartData:
    """The chart of the selection; the same object as long as nothing in it changes."""
    series = selected_series(scene)
    if series is None or scene.snapshot is None:
        return _nothing(scene.loading or "nothing is selected")
    known = snapshot_index(scene.snapshot)
    others = tuple(related_series(known, series.key)) if scene.selection.overlay else ()
    return _drawn(known, series, others, scene.selection.time_window, scene.selection.cursor, scene.outlook)


@lru_cache(maxsize=4)
def _nothing(why: str) -> ChartData:
    return ChartData((), (), "", 3, 0.0, 0.0, empty_message=why)


def related_series(known: SnapshotIndex, key: SeriesKey) -> list[Series]:
    """The other series of the model that are drawn beside `key`: same family of metrics, same segment."""
    catalog: MetricRegistry = known.snapshot.catalog
    name = catalog.get(key.metric).family
    return [
        series
        for series in known.series.get(key.model, [])
        if name
        and series.key != key
        and series.key.segment == key.segment
        and catalog.get(series.key.metric).family == name
    ]


@lru_cache(maxsize=8)
def _drawn(
    known: SnapshotIndex,
    series: Series,
    others: tuple[Series, ...],
    window: TimeWindow | None,
    cursor: float | None,
    told: TrendOutlook | None,
) -> ChartData:
    start, end = time_span(series, window)
    notes = model_notes(known, series.key.model)
    overlays = chart_annotations(series, told, notes, (start, end), alone=not others)
    lines = [_line(known, each, start, end) for each in (series, *others)]
    limits = _limits(known, series.key)
    metric = known.snapshot.catalog.get(series.key.metric)
    more = f" +{len(others)}" if others else ""
    title = f"{label(series.key)}{more} {_span_words(series, lines[0], window)}"
    if series.low is not None:
        title += f", now {_interval(series, metric)}"
    empty = _empty(lines[0], start, end)
    if overlays.trend is not None:
        end = max(end, overlays.trend.end)
    return ChartData(tuple(lines), limits, title, metric.digits, start, end, cursor, empty, overlays)


def time_span(series: Series, window: TimeWindow | None) -> tuple[float, float]:
    """The ends of the time axis."""
    times = seconds(series)
    first, last = float(times[0]), float(times[-1])
    if window is None:
        return first, last
    end = last if window.end is None else window.end
    return end - window.length, end


def _span_words(series: Series, line: Trace, window: TimeWindow | None) -> str:
    """The extent of the chart in words: `10 days`, or both ends where a part is shown."""
    shown = len(line.times)
    if window is None and shown > 1 and np.all(np.diff(series.times) == np.timedelta64(1, "D")):
        return pluralize(shown, "day")
    if window is None:
        return pluralize(shown, "period")
    return f"{pluralize(shown, 'period')} of {len(series)}"


def _empty(line: Trace, start: float, end: float) -> str:
    if len(line.times):
        return ""
    ends = [format_period(moment) for moment in map(_moment, (start, end))]
    return f"no points from {ends[0]} to {ends[1]}: 0 shows all"


def _moment(stamp: float) -> datetime:
    return datetime.fromtimestamp(stamp, UTC)


def _line(known: SnapshotIndex, series: Series, start: float, end: float) -> Trace:
    times = seconds(series)
    left, right = np.searchsorted(times, [start, end + 1e-6])
    part = slice(int(left), int(right))
    gaps = np.zeros(len(times), dtype=np.bool_)
    steps = np.diff(times)
    if len(steps) > 1:
        gaps[1:] = steps > GAP * median(steps)
    breaches, held = point_levels(known, series)
    return Trace(label(series.key), times[part], series.values[part], breaches[part], held[part], gaps[part])


def point_levels(known: SnapshotIndex, series: Series) -> tuple[np.ndarray, np.ndarray]:
    """Per point, the worst limit it crossed, and whether no rule judged it."""
    breaches = np.zeros(len(series), dtype=np.int8)
    held = ~series.evaluable()
    rules = known.rules_for(series.key)
    for rule in rules:
        judged = series.evaluable(rule.min_count)
        held |= ~judged
        for severity, limit in rule.detector.limits():
            crossed = limit.exceeded(series.values) & judged
            breaches[crossed] = np.maximum(breaches[crossed], int(severity))
    return breaches, held


def _limits(known: SnapshotIndex, key: SeriesKey) -> tuple[LimitLine, ...]:
    out: dict[tuple[str, float], LimitLine] = {}
    for rule in known.rules_for(key):
        for severity, limit in rule.detector.limits():
            for sign, value in (("<", limit.below), (">", limit.above)):
                if value is not None and (sign, value) not in out:
                    out[sign, value] = LimitLine(value, Severity(severity), f"{sign} {format_value(value)}")
    return tuple(out.values())


def cursor_readout(scene: ScreenState) -> str:
    """What the chart's cursor stands on: date, value and interval, support, limits crossed."""
    series = selected_series(scene)
    if series is None or scene.snapshot is None or scene.selection.cursor is None:
        return ""
    at = nearest_index(series, scene.selection.cursor)
    metric = scene.snapshot.catalog.get(series.key.metric)
    known = series.support is not None and np.isfinite(series.support[at])
    count = f"{series.support[at]:.0f}" if known and series.support is not None else "?"
    breaches, held = point_levels(snapshot_index(scene.snapshot), series)
    note = f" {SHAPES[Severity(int(breaches[at]))]}{WORDS[Severity(int(breaches[at]))]}" if breaches[at] else ""
    note += " not judged" if held[at] else ""
    moment = _moment(float(seconds(series)[at]))
    value = f"{metric.format(float(series.values[at]))} {_interval(series[: at + 1], metric)}".rstrip()
    return f"{format_period(moment)}  {value}  n {count}{note}"


def _interval(series: Series, metric: Metric) -> str:
    """The 95 % interval, or the bound, of the newest value; empty where it is not known."""
    ends = latest_interval(series, metric)
    return "" if ends is None else f"[{metric.format(ends[0])}, {metric.format(ends[1])}]"


def nearest_index(series: Series, stamp: float) -> int:
    """The index of the point nearest to a time."""
    return int(np.argmin(np.abs(seconds(series) - stamp)))
