"""A line chart as inline SVG: no script, no font; the page's style sheet has the colors. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.diagnosis import Diagnosis, Pattern, SeriesPattern
from modeltop.core.incident import Note
from modeltop.core.series import Series, SeriesKey, Severity, to_datetime, to_datetime64
from modeltop.core.stats.robust import distinct, median
from modeltop.core.text import format_period, pluralize, sanitize
from modeltop.diagnosis.phrases import pattern_name
from modeltop.diagnosis.timeseries.forecast import TrendLine, UsualBand, trend_line, usual_band
from modeltop.report.phrases import describe_note, series_name
from modeltop.rules.rule import rules_for
from modeltop.rules.snapshot import Snapshot

if TYPE_CHECKING:
    from modeltop.core.series import Floats, Times

WIDTH, HEIGHT = 640, 170
LEFT, RIGHT, TOP, BOTTOM = 58, 10, 10, 22
"""Margins in units of the drawing; the left one fits the widest number."""
COLUMNS = 280
"""Columns of the drawing: a longer series is downsampled to the minimum and the maximum of each."""
MAX_DOTS = 60
"""Periods up to which each is also a dot."""
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
    limits: Sequence[tuple[str, float]] = ()
    """CSS class and value of each horizontal line."""
    alert_spans: Sequence[tuple[str, np.datetime64, np.datetime64]] = ()
    """CSS class, start and end of each alert."""
    note_marks: Sequence[tuple[np.datetime64, str]] = ()
    """Time and text of each note."""
    usual_band: UsualBand | None = None
    """Drawn from its start to the end."""
    change: tuple[np.datetime64, str] | None = None
    """Start and description of the pattern of the series."""
    trend_line: TrendLine | None = None


class _Scale:
    """The mapping from times and values to coordinates.

    Args:
        chart: The chart to draw.
        shown: Indices of its finite values.
    """

    def __init__(self, chart: SvgChart, shown: np.ndarray) -> None:
        times = chart.times[shown].astype(np.int64).astype(np.float64)
        self.first, self.last = float(times[0]), float(times[-1])
        columns = [chart.values[shown], np.array([value for _, value in chart.limits])]
        columns += [np.array(chart.usual_band[1:])] if chart.usual_band is not None else []
        columns += [bound[shown] for bound in (chart.low, chart.high) if bound is not None]
        values = np.concatenate(columns)
        values = values[np.abs(values) < MAX_VALUE]
        low, high = float(values.min()), float(values.max())
        pad = (high - low) * 0.06 or abs(high) * 0.02 or 1.0
        self.low, self.high = low - pad, high + pad

    def xs(self, times: Times) -> Floats:
        """Return horizontal coordinates; times beyond the series lie on its edge."""
        span = self.last - self.first
        ratio = (times.astype(np.int64) - self.first) / span if span else np.full(len(times), 0.5)
        return np.asarray(LEFT + np.clip(ratio, 0.0, 1.0) * (WIDTH - LEFT - RIGHT))

    def ys(self, values: Floats) -> Floats:
        """Return vertical coordinates, which grow downwards."""
        ratio = (values - self.low) / (self.high - self.low)
        return np.asarray(HEIGHT - BOTTOM - np.clip(ratio, 0.0, 1.0) * (HEIGHT - TOP - BOTTOM))

    def x(self, time: np.datetime64) -> str:
        """Return the horizontal coordinate of one time, as SVG has it."""
        return _number(self.xs(np.array([time], dtype="datetime64[us]"))[0])

    def y(self, value: float) -> str:
        """Return the vertical coordinate of one value, as SVG has it."""
        return _number(self.ys(np.array([value]))[0])


def render_svg(chart: SvgChart) -> str:
    """Return the chart as one element; empty if no value is finite."""
    shown = np.flatnonzero(np.abs(chart.values) < MAX_VALUE)
    if not len(shown):
        return ""
    scale = _Scale(chart, shown)
    elements = [*_axes(chart, scale, shown), *_backdrop(chart, scale, shown), *_curve(chart, scale, shown)]
    elements += _trend(chart, scale)
    title = escape_text(chart.title)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}"><title>{title}</title>'
        f"{''.join(elements)}</svg>"
    )


def ticks(low: float, high: float, max_steps: int = 5) -> list[float]:
    """Return round values within a range, at most `max_steps` + 1 of them.

    >>> ticks(0.861, 0.964)
    [0.875, 0.9, 0.925, 0.95]
    """
    size = (high - low) / max_steps
    power = 10.0 ** math.floor(math.log10(size))
    step = next(factor * power for factor in TICK_STEPS if factor * power >= size * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    count = math.floor(high / step + 1e-9) - first + 1
    return [float(f"{(first + index) * step:.15g}") for index in range(count)]


def _axes(chart: SvgChart, scale: _Scale, shown: np.ndarray) -> Iterator[str]:
    right = WIDTH - RIGHT
    for value in ticks(scale.low, scale.high):
        y, label = scale.y(value), escape_text(chart.format_value(value))
        yield f'<path class="grid" d="M{LEFT} {y}H{right}"/>'
        yield f'<text class="axis" x="{LEFT - 6}" y="{y}" dy="4" text-anchor="end">{label}</text>'
    first, last = chart.times[shown[[0, -1]]]
    for time, x, anchor in ((first, LEFT, "start"), (last, right, "end")):
        if anchor == "start" or first != last:
            label = format_period(to_datetime(time))
            yield f'<text class="axis" x="{x}" y="{HEIGHT - 6}" text-anchor="{anchor}">{label}</text>'


def _backdrop(chart: SvgChart, scale: _Scale, shown: np.ndarray) -> Iterator[str]:
    """Yield the background: the usual band, alerts, the interval, limits, notes, the start of the change."""
    bottom = HEIGHT - BOTTOM
    if (usual := chart.usual_band) is not None:
        text = f"usual: {chart.format_value(usual.low)} to {chart.format_value(usual.high)}"
        left = scale.x(usual.start)
        path = f"M{left} {scale.y(usual.high)}H{WIDTH - RIGHT}V{scale.y(usual.low)}H{left}Z"
        yield f'<path class="usual" d="{path}"><title>{escape_text(text)}</title></path>'
    for kind, start, end in chart.alert_spans:
        left, right = scale.xs(np.array([start, end], dtype=chart.times.dtype))
        path = f"M{_number(left)} {TOP}H{_number(max(right, left + 2))}V{bottom}H{_number(left)}Z"
        yield f'<path class="span {kind}" d="{path}"/>'
    yield from _interval(chart, scale, shown)
    for kind, value in chart.limits:
        yield f'<path class="limit {kind}" d="M{LEFT} {scale.y(value)}H{WIDTH - RIGHT}"/>'
    changes = [] if chart.change is None else [chart.change]
    for kind, marks in (("mark", chart.note_marks), ("begin", changes)):
        for time, text in marks:
            yield f'<path class="{kind}" d="M{scale.x(time)} {TOP}V{bottom}"><title>{escape_text(text)}</title></path>'


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
    """Return the indices split where periods are missing for long."""
    gaps = np.diff(times[indices]).astype(np.int64)
    if not len(gaps):
        return [indices] if len(indices) else []
    return np.split(indices, np.flatnonzero(gaps > GAP_FACTOR * median(gaps)) + 1)


def _downsampled(values: Floats, run: np.ndarray, total: int) -> np.ndarray:
    """Return the indices of the minimum and the maximum of each column, in order of time, and both ends."""
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


def series_chart(series: Series, snapshot: Snapshot, diagnosis: Diagnosis | None = None) -> SvgChart:
    """Return the chart of a series.

    Args:
        series: At least one period.
        snapshot: Source of its rules, alerts and notes.
        diagnosis: Diagnosis of its model; None if there is none.
    """
    key, metric = series.key, snapshot.catalog.get(series.key.metric)
    pattern = _pattern(key, diagnosis)
    start = pattern.started_at if pattern is not None else None
    is_diagnosed = diagnosis is not None and diagnosis.key == key
    return SvgChart(
        title=f"{series_name(key)} of {sanitize(key.model, 60)}, {pluralize(len(series), 'period')}, "
        f"latest {metric.format(series.latest)}",
        times=series.times,
        values=series.values,
        format_value=metric.format,
        low=series.low,
        high=series.high,
        limits=_limits(series, snapshot),
        alert_spans=[
            (severity_class(alert.severity), to_datetime64(alert.since), to_datetime64(alert.resolved or series.newest))
            for alert in snapshot.alerts
            if alert.key == key and alert.fired is not None
        ],
        note_marks=[
            (time, describe_note(note, snapshot.clock))
            for note in model_notes(key.model, snapshot)
            if series.times[0] <= (time := to_datetime64(note.at)) <= series.times[-1]
        ],
        usual_band=usual_band(series, start),
        trend_line=trend_line(series, start, diagnosis.forecast) if diagnosis and is_diagnosed and start else None,
        change=None
        if pattern is None or start is None
        else (to_datetime64(start), f"{pattern_name(pattern)} since {format_period(start)}"),
    )


def severity_class(severity: Severity) -> str:
    """Return the CSS class of a severity."""
    return severity.name.lower()


def model_notes(model: str, snapshot: Snapshot) -> list[Note]:
    """Return the notes about a model."""
    return [note for note in snapshot.alerting_state.notes if fnmatchcase(model, note.model)]


def _pattern(key: SeriesKey, diagnosis: Diagnosis | None) -> SeriesPattern | None:
    """Return the pattern of the series, if that has a start."""
    patterns = () if diagnosis is None else (diagnosis.series_pattern, *diagnosis.other_patterns)
    changes = (pattern for pattern in patterns if pattern and pattern.pattern not in PATTERNS_WITHOUT_START)
    return next((pattern for pattern in changes if pattern.key == key), None)


def _limits(series: Series, snapshot: Snapshot) -> list[tuple[str, float]]:
    skipped = {status.rule for status in snapshot.rule_statuses if status.key == series.key and status.skip_reason}
    return [
        (severity_class(severity), bound)
        for rule in rules_for(snapshot.rules, series.key, snapshot.history.series)
        if rule.name not in skipped
        for severity, limit in rule.detector.limits()
        for bound in (limit.below, limit.above)
        if bound is not None
    ]
