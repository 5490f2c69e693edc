"""The content of the chart: from the selected series to `ChartData`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from math import inf
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from modeltop.core.metrics.registry import Metric
from modeltop.core.series import Series, SeriesKey, Severity, to_datetime
from modeltop.core.stats.robust import median
from modeltop.core.stats.spacing import period_unit
from modeltop.core.text import display_width, format_day, format_period, format_value, pluralize, sanitize
from modeltop.report.summary import change_cells, window_length
from modeltop.rules.change_summary import latest_interval
from modeltop_tui.chart.data import Annotations, ChartData, LimitLine, Trace
from modeltop_tui.chart.markers import MAX_LINES
from modeltop_tui.view.changes import selected_series
from modeltop_tui.view.chart_annotations import chart_annotations
from modeltop_tui.view.metric_tree import badness
from modeltop_tui.view.metrics import (
    downsample_means,
    label,
    short_name,
    support_text,
)
from modeltop_tui.view.state import (
    ALL_TIME,
    ChartComparison,
    ScreenState,
    SnapshotIndex,
    TimeWindow,
    snapshot_index,
)
from modeltop_tui.view.styled_text import SHAPES, WORDS, Cells, spark

if TYPE_CHECKING:
    from modeltop.core.diagnosis import TrendOutlook
    from modeltop.core.series import Floats, Times

GAP_STEPS = 1.75
"""Median steps from which a step is a gap: periods are missing in between."""
MICROSECONDS = 1e6
MIN_STRIP_WIDTH = 10


def seconds(times: Times) -> Floats:
    """Return period starts as seconds since 1970, UTC."""
    return times.astype(np.int64) / MICROSECONDS


def fitted_periods(index: SnapshotIndex, model: str) -> int:
    """Return how many of the newest periods of a model are shown if nobody has chosen a range."""
    times, incident = index.snapshot.history.periods[model], index.incidents.get(model)
    return window_length(times, None if incident is None else incident.started_at)


def time_span(index: SnapshotIndex, model: str, window: TimeWindow | None) -> tuple[float, float]:
    """Return both ends of the time axis, the same for all metrics of a model, in seconds since 1970, UTC."""
    times = seconds(index.snapshot.history.periods[model])
    first, last = float(times[0]), float(times[-1])
    if window is None:
        return float(times[-fitted_periods(index, model)]), last
    end = last if window.end is None else window.end
    return max(first, end - window.length), end


def spark_start(state: ScreenState) -> float:
    """Return the left end of the time axis, from which the sparks start as well."""
    series = selected_series(state)
    if series is None or state.snapshot is None:
        return -inf
    return time_span(snapshot_index(state.snapshot), series.key.model, state.selection.time_window)[0]


def chart_data(state: ScreenState) -> ChartData:
    """Return the chart of the selection; the same object as long as nothing in it changes."""
    series = selected_series(state)
    if series is None or state.snapshot is None:
        return _empty_chart(state.loading or "no metric is selected")
    selection, drawn, compared = state.selection, drawn_series(state), _compared_text(state)
    window, cursor = selection.time_window, selection.cursor
    return _build_chart(snapshot_index(state.snapshot), drawn, window, cursor, state.outlook, compared=compared)


def drawn_series(state: ScreenState) -> tuple[Series, ...]:
    """Return the series of the chart: the selected one, then those that it is compared with, or its family."""
    series = selected_series(state)
    if series is None or state.snapshot is None:
        return ()
    if state.selection.comparison is not None:
        return compared_series(state)[:MAX_LINES]
    return (series, *(related_series(snapshot_index(state.snapshot), series.key) if state.selection.overlay else ()))


def compared_series(state: ScreenState) -> tuple[Series, ...]:
    """Return the selected series, then all that it is compared with, the worst first; none without a comparison."""
    selected, comparison = selected_series(state), state.selection.comparison
    if selected is None or state.snapshot is None or comparison is None:
        return ()
    worst_first = _compared(snapshot_index(state.snapshot), selected.key, comparison)
    return (selected, *(one for one in worst_first if one is not selected))


def _compared_text(state: ScreenState) -> str:
    selected, comparison, count = selected_series(state), state.selection.comparison, len(compared_series(state))
    if selected is None or state.snapshot is None or comparison is None:
        return ""
    worst_first = _compared(snapshot_index(state.snapshot), selected.key, comparison)
    is_worst = selected in worst_first[:MAX_LINES]
    drawn = f"worst {MAX_LINES} of " if is_worst else f"this and worst {MAX_LINES - 1} of "
    return (drawn if count > MAX_LINES else "") + pluralize(count, "segment" if comparison.by_segment else "model")


@lru_cache(maxsize=8)
def _compared(index: SnapshotIndex, key: SeriesKey, comparison: ChartComparison) -> tuple[Series, ...]:
    if comparison.by_segment:
        compared = [one for one in index.series[key.model] if one.key.metric == key.metric]
    else:
        models = dict.fromkeys((*(comparison.models or index.model_statuses), key.model))
        keys = (key._replace(model=model) for model in models)
        compared = [index.snapshot.history.series[one] for one in keys if one in index.snapshot.history.series]
    return tuple(sorted(compared, key=lambda one: (-int(index.severity(one.key)), badness(index, one.key))))


class Figure(NamedTuple):
    """One of several charts of a model."""

    keys: tuple[SeriesKey, ...]
    chart: ChartData
    is_history: bool = False


def chart_figures(state: ScreenState, max_count: int) -> tuple[Figure, ...]:
    """Return a chart of each metric of the selected model on one time axis, and of the full history if there is room.

    A selected segment is one more.

    Args:
        state: The state that is shown.
        max_count: Number of charts; if it is too small, families of metrics share one, and the first are shown with
            that of the selection.
    """
    selected = selected_series(state)
    if selected is None or state.snapshot is None:
        return ()
    index, selection = snapshot_index(state.snapshot), state.selection
    every = index.series[selected.key.model]
    shown = [one for one in every if one.key.segment == "all" or one is selected]
    shown = shown if len(shown) > 1 else [one for one in every if one.key.segment == selected.key.segment]
    groups: list[tuple[Series, ...]] = [(series,) for series in shown]
    related = [{series.key, *(one.key for one in related_series(index, series.key))} for series in shown]
    families = {tuple(one for one in shown if one.key in keys) for keys in related}
    for family in sorted(families, key=len, reverse=True):
        if len(groups) > max_count:
            groups = list(dict.fromkeys(family if group[0] in family else group for group in groups))
    at = next(number for number, group in enumerate(groups) if selected in group)
    groups = groups if len(groups) <= max_count else [*groups[: max_count - 1], groups[max(at, max_count - 1)]]
    model, cursor, figures = selected.key.model, selection.cursor, list[Figure]()
    for group in groups:
        outlook = state.outlook if group[0] is selected else None
        chart = _build_chart(index, group, selection.time_window, cursor, outlook, small=True)
        figures.append(Figure(tuple(one.key for one in group), chart))
    is_complete = time_span(index, model, selection.time_window) == time_span(index, model, ALL_TIME)
    if len(figures) < max_count and not is_complete:
        figures.append(
            Figure(
                (selected.key,), _build_chart(index, (selected,), ALL_TIME, cursor, None, small=True), is_history=True
            )
        )
    return tuple(figures)


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


@lru_cache(maxsize=128)
def _build_chart(
    index: SnapshotIndex,
    group: tuple[Series, ...],
    window: TimeWindow | None,
    cursor: float | None,
    outlook: TrendOutlook | None,
    *,
    small: bool = False,
    compared: str = "",
) -> ChartData:
    series, *others = group
    start, end = time_span(index, series.key.model, window)
    if compared and (window is None or window.end is None):
        end = max(end, *(float(seconds(one.times[-1:])[0]) for one in group))
    annotations = chart_annotations(index, series, outlook, (start, end), alone=not others and not small)
    traces = [_trace(index, drawn, start, end) for drawn in group]
    limits = _limits(index, series.key)
    if compared:
        limits = tuple(one for one in limits if all(one in _limits(index, other.key) for other in others))
        traces = [_without_marks(trace, name) for trace, name in zip(traces, line_names(group), strict=True)]
        annotations = Annotations()
    else:
        drawn_limits = {(one.label, one.value) for one in limits}
        limits += tuple(
            replace(limit, label=f"{short_name(other.key.metric)} {limit.label}")
            for other in others
            for limit in _limits(index, other.key)
            if (limit.label, limit.value) not in drawn_limits
        )
    metric = index.snapshot.catalog.get(series.key.metric)
    title = f"{_subject(group, compared)}, {_span_text(series, traces[0], window)}"
    if series.low is not None and not compared:
        title += f", now {_interval(series, metric)}"
    empty = _empty_message(traces[0], start, end)
    if annotations.trend is not None:
        end = max(end, annotations.trend.end)
    return ChartData(tuple(traces), limits, title, metric.digits, start, end, cursor, empty, annotations, not small)


def _subject(group: tuple[Series, ...], compared: str) -> str:
    key = group[0].key
    if compared:
        by_segment = len({one.key.model for one in group}) < len(group)
        return f"{label(key._replace(segment='all') if by_segment else key)}, {compared}"
    names = (f"{number} {short_name(one.key.metric)}" for number, one in enumerate(group, 1))
    return " ".join(names) if len(group) > 1 else label(key)


def line_names(group: Sequence[Series]) -> list[str]:
    """Return the names of several lines in the terms in which they differ: models, segments or metrics."""
    keys = [one.key for one in group]
    if len({key.model for key in keys}) > 1:
        return [sanitize(key.model, 80) for key in keys]
    if len({key.segment for key in keys}) > 1:
        return [sanitize(key.segment, 80) for key in keys]
    return [short_name(key.metric) for key in keys]


def _span_text(series: Series, trace: Trace, window: TimeWindow | None) -> str:
    shown, unit = len(trace.times), period_unit(series)
    if shown == len(series):
        return pluralize(shown, unit)
    extent = f"{shown} of {pluralize(len(series), unit)}"
    if window is None or window.end is None or not shown:
        return f"last {extent}" if window is None or window.end is None else extent
    ends = (datetime.fromtimestamp(float(time), UTC) for time in (trace.times[0], trace.times[-1]))
    return f"{' to '.join(dict.fromkeys(format_day(end, series.newest) for end in ends))}, {extent}"


def history_strip(state: ScreenState, width: int) -> Cells:
    """Return the full history of the selected series in one line, with the part that the chart shows in brackets.

    Empty if the chart shows all of it.
    """
    series = selected_series(state)
    if series is None or state.snapshot is None:
        return ()
    index = snapshot_index(state.snapshot)
    start, end = time_span(index, series.key.model, state.selection.time_window)
    times = seconds(series.times)
    left, right = np.searchsorted(times, [start, end + 1e-6]).tolist()
    if right - left == len(times):
        return ()
    lead = f" {format_day(to_datetime(series.times[0]), series.newest)} "
    cells = min(width - len(lead) - 3, len(times))
    if cells < MIN_STRIP_WIDTH:
        return ()
    blocks = spark(downsample_means(series.values, cells), cells)
    first = min(round(left / len(times) * cells), cells - 1)
    last = max(round(right / len(times) * cells), first + 1)
    return (lead + blocks[:first], "dim"), ("[", ""), (blocks[first:last], ""), ("]", ""), (blocks[last:], "dim")


def _empty_message(trace: Trace, start: float, end: float) -> str:
    if len(trace.times):
        return ""
    first, last = (format_period(datetime.fromtimestamp(time, UTC)) for time in (start, end))
    return f"no points from {first} to {last} (0: full history)"


def _trace(index: SnapshotIndex, series: Series, start: float, end: float) -> Trace:
    times = seconds(series.times)
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


def _without_marks(trace: Trace, name: str) -> Trace:
    """Return the line of a comparison: marks of breaches would hide which line is which."""
    zeros = np.zeros(len(trace.times), dtype=np.int8)
    return replace(trace, name=name, breaches=zeros, unevaluated=zeros.astype(np.bool_))


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


def cursor_readout(state: ScreenState, width: int) -> str:
    """Return the read-out of the chart's cursor: the period, then each line's value.

    As far as `width` cells have room, of the selected series also, in this order: whether it exceeds a limit, interval,
    support, changes to the previous point, the nearest limit and the baseline; then interval and support of the others.
    """
    series = selected_series(state)
    if series is None or state.snapshot is None or state.selection.cursor is None:
        return ""
    index, (_, *others) = snapshot_index(state.snapshot), drawn_series(state)
    at = nearest_index(series, state.selection.cursor)
    time = float(seconds(series.times[at : at + 1])[0])
    breaches, unevaluated = (array[at] for array in point_levels(index, series))
    severity = Severity(int(breaches))
    mark = f" {SHAPES[severity]}" if severity else " not evaluated" if unevaluated else ""
    value, interval, support = _point_texts(index, series, at)
    period = format_day(to_datetime(series.times[at]), series.newest)
    points = [_point_texts(index, one, _index_at(one, time)) for one in others]
    for names in (line_names((series, *others)), [str(number + 1) for number in range(len(others) + 1)]):
        lead = f"{period}  {f'{names[0]} ' if others else ''}{value}"
        rest = "".join(f"  {name} {texts[0]}" for name, texts in zip(names[1:], points, strict=True))
        if display_width(lead + rest) <= width:
            break
    facts = [interval, support, mark, f" {WORDS[severity]}" if severity else "", *_changes(index, series, at)]
    room, kept = width - display_width(lead + rest), set[int]()
    for number in (2, 0, 1, *range(4, len(facts)), 3):
        if display_width(facts[number]) <= room:
            room -= display_width(facts[number])
            kept.add(number)
    texts_of = ("".join(texts).removesuffix("  n ?") for texts in points)
    detailed = "".join(f"  {name} {text}" for name, text in zip(names[1:], texts_of, strict=True))
    rest = detailed if display_width(detailed) <= room + display_width(rest) else rest
    return lead + "".join(fact for number, fact in enumerate(facts) if number in kept) + rest


def _index_at(series: Series, time: float) -> int | None:
    at, steps = nearest_index(series, time), np.diff(seconds(series.times))
    half = median(steps) / 2 if len(steps) else 0.0
    return at if abs(float(seconds(series.times[at : at + 1])[0]) - time) <= half else None


def _point_texts(index: SnapshotIndex, series: Series, at: int | None) -> tuple[str, str, str]:
    if at is None:
        return "-", "", ""
    metric = index.snapshot.catalog.get(series.key.metric)
    interval = _interval(series[: at + 1], metric)
    spaced = f" {interval}" if interval else ""
    return metric.format(float(series.values[at])), spaced, f"  n {support_text(series, at)}"


def _changes(index: SnapshotIndex, series: Series, at: int) -> list[str]:
    metric, value = index.snapshot.catalog.get(series.key.metric), float(series.values[at])
    limits = sorted((abs(value - limit.value), limit.value) for limit in _limits(index, series.key))
    baseline = change_cells(series, index.snapshot).get("reference")
    references = {
        "prev": float(series.values[at - 1]) if at else None,
        "limit": limits[0][1] if limits else None,
        "base": None if baseline is None else baseline.change.before,
    }
    return [f"  {name} {metric.format_delta(value - one)}" for name, one in references.items() if one is not None]


def value_at(state: ScreenState, series: Series) -> tuple[str, str, Severity]:
    """Return the value of a series at the cursor, its change from the previous point, and the limit it exceeds."""
    assert state.snapshot is not None
    assert state.selection.cursor is not None
    at, metric = nearest_index(series, state.selection.cursor), state.snapshot.catalog.get(series.key.metric)
    change = metric.format_delta(float(series.values[at] - series.values[at - 1])) if at else ""
    severity = Severity(int(point_levels(snapshot_index(state.snapshot), series)[0][at]))
    return metric.format(float(series.values[at])), change, severity


def _interval(series: Series, metric: Metric) -> str:
    interval = latest_interval(series, metric)
    return "" if interval is None else f"[{metric.format(interval[0])}, {metric.format(interval[1])}]"


def nearest_index(series: Series, timestamp: float) -> int:
    """Return the index of the point nearest to a time in seconds since 1970, UTC."""
    return int(np.argmin(np.abs(seconds(series.times) - timestamp)))
