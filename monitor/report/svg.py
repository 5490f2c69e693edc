"""A line chart as inline SVG: no script, no font; the page's style sheet has the colors. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.diagnosis import Diagnosis, Pattern, SeriesPattern
from modeltop.core.series import Condition, Series, SeriesKey, Severity, to_datetime, to_datetime64
from modeltop.core.stats.robust import distinct, median
from modeltop.core.text import format_day, format_period, format_value, sanitize
from modeltop.diagnosis.phrases import pattern_name
from modeltop.report.phrases import describe_note, series_name
from modeltop.report.summary import window_length, window_text
from modeltop.report.trend_line import TrendLine, trend_line
from modeltop.rules.rule import rules_for
from modeltop.rules.snapshot import Snapshot

if TYPE_CHECKING:
    from modeltop.core.series import Floats, Times

WIDTH, HEIGHT = 400, 190
"""Units of the drawing: as many as a phone has pixels, so that its labels are readable there."""
LEFT, RIGHT, TOP, BOTTOM = 52, 46, 20, 20
"""Margins in units of the drawing: they fit the widest number, a limit, the start of a change, and dates."""
STRIP_TOP, STRIP_HEIGHT = 6, 22
"""Distance from the chart, and height, of the strip of the entire history."""
LABEL_HEIGHT = 12
"""Distance below which two labels would overlap."""
COLUMNS = 150
"""Columns of the drawing: a longer series is downsampled to the minimum and the maximum of each."""
MAX_DOTS = 30
MIN_SPAN = 0.05
"""Height of a line without axes, at least, as a ratio to its largest value."""
GAP_FACTOR = 3.5
"""Usual distances of periods without one that interrupt the line."""
MAX_VALUE = 1e150
"""Magnitude from which a value is not drawn: differences of larger ones overflow."""
TICK_STEPS = (1, 2, 2.5, 5, 10)
PATTERNS_WITHOUT_START = (Pattern.STEADY, Pattern.SEASONAL, Pattern.TOO_LITTLE)


@dataclass(frozen=True, slots=True, eq=False)
class SvgChart:
    """The values, limits and annotations that a chart shows."""

    title: str
    """Text for screen readers; may be foreign, as those of notes and of the change."""
    times: Times
    values: Floats
    """Values that are not finite are left out."""
    format_value: Callable[[float], str]
    """Format of a value beside the axis."""
    low: Floats | None = None
    high: Floats | None = None
    limits: Sequence[tuple[str, str, float]] = ()
    """CSS class, label and value of each horizontal line."""
    alert_spans: Sequence[tuple[str, np.datetime64, np.datetime64]] = ()
    """CSS class, start and end of each alert."""
    note_marks: Sequence[tuple[np.datetime64, str]] = ()
    """Time and text of each note."""
    change: tuple[np.datetime64, str] | None = None
    """Start of the change, and what it is, with its date."""
    trend_line: TrendLine | None = None
    history: Floats | None = None
    """Values of the entire history, for a strip below; None if the chart shows all of it."""
    format_date: Callable[[datetime], str] = format_period


class _Scale:
    """The mapping from times and values to coordinates.

    Args:
        chart: The chart to draw.
        shown: Indices of its finite values.
    """

    def __init__(self, chart: SvgChart, shown: np.ndarray) -> None:
        times = chart.times[shown].astype(np.int64).astype(np.float64)
        self.first, self.last = float(times[0]), float(times[-1])
        columns = [chart.values[shown], np.array([value for *_, value in chart.limits])]
        columns += [bound[shown] for bound in (chart.low, chart.high) if bound is not None]
        values = np.concatenate(columns)
        values = values[np.abs(values) < MAX_VALUE]
        low, high = float(values.min()), float(values.max())
        pad = (high - low) * 0.06 or abs(high) * 0.02 or 1.0
        self.low, self.high = low - pad, high + pad

    def xs(self, times: Times) -> Floats:
        span = self.last - self.first
        ratio = (times.astype(np.int64) - self.first) / span if span else np.full(len(times), 0.5)
        return np.asarray(LEFT + np.clip(ratio, 0.0, 1.0) * (WIDTH - LEFT - RIGHT))

    def ys(self, values: Floats) -> Floats:
        ratio = (values - self.low) / (self.high - self.low)
        return np.asarray(HEIGHT - BOTTOM - np.clip(ratio, 0.0, 1.0) * (HEIGHT - TOP - BOTTOM))

    def x(self, time: np.datetime64) -> str:
        return _number(self.xs(np.array([time], dtype="datetime64[us]"))[0])

    def y(self, value: float) -> str:
        return _number(self.ys(np.array([value]))[0])


def render_svg(chart: SvgChart) -> str:
    """Return the chart as one element; empty if no value is finite."""
    shown = np.flatnonzero(np.abs(chart.values) < MAX_VALUE)
    if not len(shown):
        return ""
    scale = _Scale(chart, shown)
    elements = [*_axes(chart, scale, shown), *_backdrop(chart, scale, shown), *_curve(chart, scale, shown)]
    elements += [*_trend(chart, scale), *_strip(chart)]
    height = HEIGHT if chart.history is None else HEIGHT + STRIP_TOP + STRIP_HEIGHT
    title = escape_text(chart.title)
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{title}"><title>{title}</title>'
        f"{''.join(elements)}</svg>"
    )


def render_spark(values: Floats, kind: str) -> str:
    """Return values as a line without axes, the newest marked in the color of a CSS class; empty if none is finite."""
    line = _spark_line(values, 2, 96, 2, 20)
    if not line:
        return ""
    end = line.removeprefix("M").rpartition("L")[2].split()
    dot = f'<circle class="{kind} now" cx="{end[0]}" cy="{end[1]}" r="2.5"/>'
    return f'<svg class="spark" viewBox="0 0 100 22" aria-hidden="true"><path class="line" d="{line}"/>{dot}</svg>'


def _spark_line(values: Floats, left: float, right: float, top: float, bottom: float) -> str:
    finite = np.flatnonzero(np.abs(values) < MAX_VALUE)
    if not len(finite):
        return ""
    drawn = _downsampled(values, finite, len(finite))
    low, high = float(values[drawn].min()), float(values[drawn].max())
    # What barely moves is drawn flat: noise that fills the height would look like an incident.
    span = max(high - low, MIN_SPAN * max(abs(low), abs(high))) or 1.0
    ratio = 0.5 + (values[drawn] - (low + high) / 2) / span
    x = left + (right - left) * drawn / max(len(values) - 1, 1)
    return f"M{_points(x, bottom - ratio * (bottom - top))}"


def _strip(chart: SvgChart) -> Iterator[str]:
    if chart.history is None:
        return
    top, right = HEIGHT + STRIP_TOP, WIDTH - RIGHT
    start = right - (right - LEFT) * len(chart.values) / len(chart.history)
    yield f'<path class="window" d="M{_number(start)} {top}H{right}V{top + STRIP_HEIGHT}H{_number(start)}Z"/>'
    line = _spark_line(chart.history, LEFT, right, top + 2, top + STRIP_HEIGHT - 2)
    yield f'<path class="line thin" d="{line}"/>'
    yield _label(LEFT - 6, top + STRIP_HEIGHT - 7, "all", "end")


def ticks(low: float, high: float) -> list[float]:
    """Return round values within a range, at most 6 of them.

    >>> ticks(0.861, 0.964)
    [0.875, 0.9, 0.925, 0.95]
    """
    size = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(size))
    step = next(factor * power for factor in TICK_STEPS if factor * power >= size * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    count = math.floor(high / step + 1e-9) - first + 1
    return [float(f"{(first + index) * step:.15g}") for index in range(count)]


def _axes(chart: SvgChart, scale: _Scale, shown: np.ndarray) -> Iterator[str]:
    right = WIDTH - RIGHT
    for value in ticks(scale.low, scale.high):
        y = float(scale.y(value))
        yield f'<path class="grid" d="M{LEFT} {_number(y)}H{right}"/>'
        yield _label(LEFT - 6, y + 4, chart.format_value(value), "end")
    first, last = chart.times[shown[[0, -1]]]
    for time, x, anchor in ((first, LEFT, "start"), (last, right, "end")):
        if anchor == "start" or first != last:
            yield _label(x, HEIGHT - 5, chart.format_date(to_datetime(time)), anchor)


def _label(x: float, y: float, text: str, anchor: str = "start", kind: str = "axis") -> str:
    return f'<text class="{kind}" x="{_number(x)}" y="{_number(y)}" text-anchor="{anchor}">{escape_text(text)}</text>'


def _backdrop(chart: SvgChart, scale: _Scale, shown: np.ndarray) -> Iterator[str]:
    bottom = HEIGHT - BOTTOM
    for kind, start, end in chart.alert_spans:
        left, right = scale.xs(np.array([start, end], dtype=chart.times.dtype))
        path = f"M{_number(left)} {TOP}H{_number(max(right, left + 2))}V{bottom}H{_number(left)}Z"
        yield f'<path class="span {kind}" d="{path}"/>'
    yield from _interval(chart, scale, shown)
    yield from _limit_lines(chart, scale)
    changes = [] if chart.change is None else [chart.change]
    for kind, marks in (("mark", chart.note_marks), ("begin", changes)):
        for time, text in marks:
            yield f'<path class="{kind}" d="M{scale.x(time)} {TOP}V{bottom}"><title>{escape_text(text)}</title></path>'
    for time, text in changes:
        x = float(scale.x(time))
        is_right = x > (LEFT + WIDTH - RIGHT) / 2
        yield _label(x + 14 if is_right else x - 14, TOP - 6, text, "end" if is_right else "start", "axis strong")


def _limit_lines(chart: SvgChart, scale: _Scale) -> Iterator[str]:
    labels: list[float] = []
    for kind, text, value in chart.limits:
        y = float(scale.y(value))
        yield f'<path class="limit {kind}" d="M{LEFT} {_number(y)}H{WIDTH - RIGHT}"/>'
        if all(abs(y - other) >= LABEL_HEIGHT for other in labels):
            labels.append(y)
            yield _label(WIDTH - RIGHT + 4, y + 4, text, kind=f"axis {kind}")


def _trend(chart: SvgChart, scale: _Scale) -> Iterator[str]:
    if (line := chart.trend_line) is not None:
        x = scale.xs(np.array([line.start, line.end], dtype=chart.times.dtype))
        days = float((line.end - line.start) / np.timedelta64(1, "D"))
        yield f'<path class="trend" d="M{_points(x, scale.ys(np.array([line.level, line.value_at(days)])))}"/>'


def _interval(chart: SvgChart, scale: _Scale, shown: np.ndarray) -> Iterator[str]:
    if chart.low is None or chart.high is None:
        return
    bounded = shown[np.isfinite(chart.low[shown]) & np.isfinite(chart.high[shown])]
    for run in _contiguous_runs(chart.times, bounded):
        drawn = run[distinct(np.linspace(0, len(run) - 1, min(len(run), COLUMNS)).astype(int))]
        if len(drawn) > 1:
            x = scale.xs(chart.times[drawn])
            upper = _points(x, scale.ys(chart.high[drawn]))
            lower = _points(x[::-1], scale.ys(chart.low[drawn])[::-1])
            yield f'<path class="band" d="M{upper}L{lower}Z"/>'


def _curve(chart: SvgChart, scale: _Scale, shown: np.ndarray) -> Iterator[str]:
    for run in _contiguous_runs(chart.times, shown):
        drawn = _downsampled(chart.values, run, len(shown))
        x, y = scale.xs(chart.times[drawn]), scale.ys(chart.values[drawn])
        if len(drawn) > 1:
            yield f'<path class="line" d="M{_points(x, y)}"/>'
        if len(shown) <= MAX_DOTS or len(drawn) == 1:
            for left, top in zip(x, y, strict=True):
                yield f'<circle class="dot" cx="{_number(left)}" cy="{_number(top)}" r="2"/>'


def _contiguous_runs(times: Times, indices: np.ndarray) -> list[np.ndarray]:
    gaps = np.diff(times[indices]).astype(np.int64)
    if not len(gaps):
        return [indices] if len(indices) else []
    return np.split(indices, np.flatnonzero(gaps > GAP_FACTOR * median(gaps)) + 1)


def _downsampled(values: Floats, run: np.ndarray, total: int) -> np.ndarray:
    columns = max(1, round(COLUMNS * len(run) / total))
    if len(run) <= 2 * columns:
        return run
    indices = {int(run[0]), int(run[-1])}
    for column in np.array_split(run, columns):
        indices |= {int(column[np.argmin(values[column])]), int(column[np.argmax(values[column])])}
    return np.array(sorted(indices))


def _points(x: Floats, y: Floats) -> str:
    return "L".join(f"{_number(left)} {_number(top)}" for left, top in zip(x, y, strict=True))


def _number(coordinate: float) -> str:
    return f"{coordinate:.1f}".removesuffix(".0")


def escape_text(foreign: object, limit: int = 300) -> str:
    """Return foreign text in which nothing is markup, neither between tags nor in an attribute.

    Args:
        foreign: Anything; its `str()` is used.
        limit: Maximum terminal cells, counted before markup is escaped.
    """
    return escape(sanitize(foreign, limit), quote=True)


def series_chart(
    series: Series, snapshot: Snapshot, diagnosis: Diagnosis | None = None, *, is_lead: bool = True
) -> SvgChart:
    """Return the chart of a series over the window that fits its incident.

    Args:
        series: At least one period.
        snapshot: Source of its rules, alerts and notes.
        diagnosis: Diagnosis of its model; None if there is none.
        is_lead: Whether there is room for a strip of its entire history.
    """
    key, metric = series.key, snapshot.catalog.get(series.key.metric)
    change = _change(series, snapshot, diagnosis)
    start, incident = None if change is None else change[0], snapshot.incident_of(key.model)
    # All metrics of a model share a time axis.
    shown = series[-window_length(series.times, start if incident is None else incident.started_at) :]
    is_diagnosed = diagnosis is not None and diagnosis.key == key
    return SvgChart(
        title=f"{series_name(key)} of {sanitize(key.model, 60)}, {window_text(series, len(shown))}, "
        f"latest {metric.format(series.latest)}",
        times=shown.times,
        values=shown.values,
        format_value=metric.format,
        low=shown.low,
        high=shown.high,
        limits=[
            (severity_class(severity), text, bound) for severity, text, bound in series_limits(series.key, snapshot)
        ],
        alert_spans=[
            (severity_class(alert.severity), to_datetime64(alert.since), end)
            for alert in snapshot.alerts
            if alert.key == key
            and alert.fired is not None
            and (end := to_datetime64(alert.resolved or series.newest)) >= shown.times[0]
        ],
        note_marks=[
            (time, describe_note(note, snapshot.clock))
            for note in snapshot.notes_about(key.model)
            if shown.times[0] <= (time := to_datetime64(note.at)) <= shown.times[-1]
        ],
        trend_line=trend_line(series, start, diagnosis.forecast) if diagnosis and is_diagnosed and start else None,
        change=None if change is None else (to_datetime64(change[0]), change[1]),
        history=series.values if is_lead and len(shown) < len(series) else None,
        format_date=lambda moment: format_day(moment, snapshot.taken_at),
    )


def _change(series: Series, snapshot: Snapshot, diagnosis: Diagnosis | None) -> tuple[datetime, str] | None:
    """Return start and description of the change of a series; of all series of an incident it is that of the lead."""
    pattern, incident = _pattern(series.key, diagnosis), snapshot.incident_of(series.key.model)
    started_at, name = None if pattern is None else pattern.started_at, "incident"
    if incident is not None and incident.condition is Condition.THRESHOLD:
        started_at = incident.started_at
    if started_at is None:
        return None
    if pattern is not None and pattern.started_at == started_at:
        name = pattern_name(pattern)
    return started_at, f"{name} since {format_day(started_at, snapshot.taken_at)}"


def severity_class(severity: Severity) -> str:
    """Return the CSS class of a severity."""
    return severity.name.lower()


def _pattern(key: SeriesKey, diagnosis: Diagnosis | None) -> SeriesPattern | None:
    patterns = () if diagnosis is None else (diagnosis.series_pattern, *diagnosis.other_patterns)
    changes = (pattern for pattern in patterns if pattern and pattern.pattern not in PATTERNS_WITHOUT_START)
    return next((pattern for pattern in changes if pattern.key == key), None)


def series_limits(key: SeriesKey, snapshot: Snapshot) -> list[tuple[Severity, str, float]]:
    """Return severity, text such as `< 0.90`, and value of each limit of a series, the most severe first."""
    skipped = {status.rule for status in snapshot.rule_statuses if status.key == key and status.skip_reason}
    limits = [
        (severity, f"{sign} {format_value(bound)}", bound)
        for rule in rules_for(snapshot.rules, key, snapshot.history.series)
        if rule.name not in skipped
        for severity, limit in rule.detector.limits()
        for sign, bound in (("<", limit.below), (">", limit.above))
        if bound is not None
    ]
    return sorted(limits, key=lambda limit: -limit[0])
