"""A line chart as inline SVG: no script, no font; the page's style sheet has the colours. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from html import escape
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from modeltop.core.diagnosis import Diagnosis, Forecast, Pattern, SeriesPattern
from modeltop.core.incident import Note
from modeltop.core.series import Series, SeriesKey, Severity, to_datetime, to_datetime64
from modeltop.core.stats.robust import distinct, median
from modeltop.core.text import format_period, pluralize, sanitize
from modeltop.diagnosis.phrases import pattern_name
from modeltop.diagnosis.timeseries.forecast import DAY, UsualBand, trend_line, usual_band
from modeltop.report.phrases import describe_note, series_name
from modeltop.rules.rule import rules_for
from modeltop.rules.snapshot import Snapshot

if TYPE_CHECKING:
    from modeltop.core.series import Floats, Times

if TYPE_CHECKING:
    from datetime import datetime


WIDTH, HEIGHT = 640, 170
LEFT, RIGHT, TOP, BOTTOM = 58, 10, 10, 22
"""Margins in units of the drawing; a number on the left takes the widest."""
COLUMNS = 280
"""A longer series is thinned to the least and the greatest of each column."""
MAX_DOTS = 60
"""Periods up to which each is also a dot."""
GAP_FACTOR = 3.5
"""A line ends where the next period is as many usual distances away."""
LARGEST = 1e150
"""What is larger has no place on an axis."""
STEPS = (1, 2, 2.5, 5, 10)


class SvgTrendLine(NamedTuple):
    """A straight line."""

    start: np.datetime64
    end: np.datetime64
    values: tuple[float, float]
    """At both ends."""


@dataclass(frozen=True, slots=True, eq=False)
class SvgChart:
    """What is drawn."""

    title: str
    """Read to those who do not see it; foreign text may be in it."""
    times: Times
    values: Floats
    """Those that are not finite are left out."""
    format_value: Callable[[float], str]
    """A value as the axis says it."""
    low: Floats | None = None
    high: Floats | None = None
    limits: Sequence[tuple[str, float]] = ()
    """Class and value of each level line."""
    alert_spans: Sequence[tuple[str, np.datetime64, np.datetime64]] = ()
    """Class, begin and end of each alert."""
    note_marks: Sequence[tuple[np.datetime64, str]] = ()
    """Moment and words of each note; foreign text may be in them."""
    usual_band: UsualBand | None = None
    """Drawn from its start to the end."""
    change: tuple[np.datetime64, str] | None = None
    """When the course changed, and how, in our own words."""
    trend_line: SvgTrendLine | None = None


class _Scale:
    """From moments and values to places in the drawing."""

    def __init__(self, line: SvgChart, shown: np.ndarray) -> None:
        times = line.times[shown].astype(np.int64).astype(np.float64)
        self.first, self.last = float(times[0]), float(times[-1])
        levels = [line.values[shown], np.array([value for _, value in line.limits])]
        levels += [np.array(line.usual_band[1:])] if line.usual_band is not None else []
        levels += [ends[shown] for ends in (line.low, line.high) if ends is not None]
        known = np.concatenate(levels)
        known = known[np.abs(known) < LARGEST]
        low, high = float(known.min()), float(known.max())
        pad = (high - low) * 0.06 or abs(high) * 0.02 or 1.0
        self.low, self.high = low - pad, high + pad

    def x(self, stamps: Times) -> Floats:
        span = self.last - self.first
        share = (stamps.astype(np.int64) - self.first) / span if span else np.full(len(stamps), 0.5)
        return np.asarray(LEFT + np.clip(share, 0.0, 1.0) * (WIDTH - LEFT - RIGHT))

    def y(self, values: Floats) -> Floats:
        share = (values - self.low) / (self.high - self.low)
        return np.asarray(HEIGHT - BOTTOM - np.clip(share, 0.0, 1.0) * (HEIGHT - TOP - BOTTOM))


def render_svg(line: SvgChart) -> str:
    """The chart as one element; empty where no value is finite."""
    shown = np.flatnonzero(np.abs(line.values) < LARGEST)
    if not len(shown):
        return ""
    scale = _Scale(line, shown)
    parts = [*_axes(line, scale, shown), *_backdrop(line, scale, shown), *_curve(line, scale, shown)]
    parts += _trend(line, scale)
    title = _text(line.title)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}"><title>{title}</title>'
        f"{''.join(parts)}</svg>"
    )


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round values within a range, at most `most` + 1 of them.

    >>> ticks(0.861, 0.964)
    [0.875, 0.9, 0.925, 0.95]
    """
    size = (high - low) / most
    power = 10.0 ** math.floor(math.log10(size))
    step = next(one * power for one in STEPS if one * power >= size * (1 - 1e-9))
    begin = math.ceil(low / step - 1e-9)
    count = math.floor(high / step + 1e-9) - begin + 1
    return [float(f"{(begin + index) * step:.15g}") for index in range(count)]


def _axes(line: SvgChart, scale: _Scale, shown: np.ndarray) -> Iterator[str]:
    right = WIDTH - RIGHT
    for value in ticks(scale.low, scale.high):
        y = _at(scale.y(np.array([value]))[0])
        yield f'<path class="grid" d="M{LEFT} {y}H{right}"/>'
        yield f'<text class="axis" x="{LEFT - 6}" y="{y}" dy="4" text-anchor="end">{_text(line.format_value(value))}</text>'
    ends = line.times[shown[[0, -1]]]
    for stamp, x, anchor in ((ends[0], LEFT, "start"), (ends[-1], right, "end")):
        if anchor == "start" or ends[0] != ends[1]:
            when = format_period(to_datetime(stamp))
            yield f'<text class="axis" x="{x}" y="{HEIGHT - 6}" text-anchor="{anchor}">{when}</text>'


def _backdrop(line: SvgChart, scale: _Scale, shown: np.ndarray) -> Iterator[str]:
    """Alerts, what is usual, the interval, limits, notes, the begin of a change: what lies under the curve."""
    base = HEIGHT - BOTTOM
    yield from _usual(line, scale)
    for kind, begin, end in line.alert_spans:
        left, right = scale.x(np.array([begin, end], dtype=line.times.dtype))
        yield f'<path class="span {kind}" d="M{_at(left)} {TOP}H{_at(max(right, left + 2))}V{base}H{_at(left)}Z"/>'
    yield from _band(line, scale, shown)
    for kind, value in line.limits:
        yield f'<path class="limit {kind}" d="M{LEFT} {_at(scale.y(np.array([value]))[0])}H{WIDTH - RIGHT}"/>'
    for kind, (stamp, words) in (
        *(("mark", one) for one in line.note_marks),
        *([("begin", line.change)] if line.change else []),
    ):
        x = _at(scale.x(np.array([stamp], dtype=line.times.dtype))[0])
        yield f'<path class="{kind}" d="M{x} {TOP}V{base}"><title>{_text(words)}</title></path>'


def _usual(line: SvgChart, scale: _Scale) -> Iterator[str]:
    if line.usual_band is not None:
        left = _at(scale.x(np.array([line.usual_band.start], dtype=line.times.dtype))[0])
        low, high = (_at(y) for y in scale.y(np.array(line.usual_band[1:])))
        said = f"usual: {line.format_value(line.usual_band.low)} to {line.format_value(line.usual_band.high)}"
        path = f"M{left} {high}H{WIDTH - RIGHT}V{low}H{left}Z"
        yield f'<path class="usual" d="{path}"><title>{_text(said)}</title></path>'


def _trend(line: SvgChart, scale: _Scale) -> Iterator[str]:
    if line.trend_line is not None:
        x = scale.x(np.array([line.trend_line.start, line.trend_line.end], dtype=line.times.dtype))
        yield f'<path class="trend" d="M{_points(x, scale.y(np.array(line.trend_line.values)))}"/>'


def _band(line: SvgChart, scale: _Scale, shown: np.ndarray) -> Iterator[str]:
    if line.low is None or line.high is None:
        return
    known = shown[np.isfinite(line.low[shown]) & np.isfinite(line.high[shown])]
    for piece in _pieces(line.times, known):
        kept = piece[distinct(np.linspace(0, len(piece) - 1, min(len(piece), COLUMNS)).astype(int))]
        if len(kept) > 1:
            x = scale.x(line.times[kept])
            there, back = _points(x, scale.y(line.high[kept])), _points(x[::-1], scale.y(line.low[kept])[::-1])
            yield f'<path class="band" d="M{there}L{back}Z"/>'


def _curve(line: SvgChart, scale: _Scale, shown: np.ndarray) -> Iterator[str]:
    dots = len(shown) <= MAX_DOTS
    for piece in _pieces(line.times, shown):
        kept = _thinned(line.values, piece, len(shown))
        x, y = scale.x(line.times[kept]), scale.y(line.values[kept])
        if len(kept) > 1:
            yield f'<path class="line" d="M{_points(x, y)}"/>'
        if dots or len(kept) == 1:
            for left, top in zip(x, y, strict=True):
                yield f'<circle class="dot" cx="{_at(left)}" cy="{_at(top)}" r="2"/>'


def _pieces(times: Times, index: np.ndarray) -> list[np.ndarray]:
    """The periods in stretches without a long silence."""
    gaps = np.diff(times[index]).astype(np.int64)
    if not len(gaps):
        return [index] if len(index) else []
    return np.split(index, np.flatnonzero(gaps > GAP_FACTOR * median(gaps)) + 1)


def _thinned(values: Floats, piece: np.ndarray, total: int) -> np.ndarray:
    """The least and the greatest of each column, in order of time, and both ends."""
    columns = max(1, round(COLUMNS * len(piece) / total))
    if len(piece) <= 2 * columns:
        return piece
    kept = {int(piece[0]), int(piece[-1])}
    for part in np.array_split(piece, columns):
        kept |= {int(part[np.argmin(values[part])]), int(part[np.argmax(values[part])])}
    return np.array(sorted(kept))


def _points(x: Floats, y: Floats) -> str:
    return "L".join(f"{_at(left)} {_at(top)}" for left, top in zip(x, y, strict=True))


def _at(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _text(foreign: str) -> str:
    return escape(sanitize(foreign, 300), quote=True)


PATTERNS_WITHOUT_START = (Pattern.STEADY, Pattern.SEASONAL, Pattern.TOO_LITTLE)
"""Courses that have no begin."""


def series_chart(series: Series, snapshot: Snapshot, found: Diagnosis | None = None) -> SvgChart:
    """What is drawn of a series.

    Args:
        series: At least one period.
        snapshot: Has its rules, alerts and notes.
        found: The diagnosis of its model, where it was explained.
    """
    key, metric = series.key, snapshot.catalog.get(series.key.metric)
    course = _course(key, found)
    begin = course.started_at if course is not None else None
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
            (severity_class(one.severity), to_datetime64(one.since), to_datetime64(one.resolved or series.newest))
            for one in snapshot.alerts
            if one.key == key and one.fired is not None
        ],
        note_marks=_marks(series, snapshot),
        usual_band=usual_band(series, begin),
        trend_line=_fitted_trend(series, begin, found.forecast) if found is not None and found.key == key else None,
        change=None
        if course is None or begin is None
        else (to_datetime64(begin), f"{pattern_name(course)} since {format_period(begin)}"),
    )


def severity_class(severity: Severity) -> str:
    """The class of the style sheet that colours it."""
    return severity.name.lower()


def model_notes(model: str, snapshot: Snapshot) -> list[Note]:
    """What people wrote down about a model."""
    return [note for note in snapshot.alerting_state.notes if fnmatchcase(model, note.model)]


def _course(key: SeriesKey, found: Diagnosis | None) -> SeriesPattern | None:
    """The course of the series, where it changed."""
    known = () if found is None else (found.series_pattern, *found.other_patterns)
    return next(
        (one for one in known if one is not None and one.key == key and one.pattern not in PATTERNS_WITHOUT_START), None
    )


def _limits(series: Series, snapshot: Snapshot) -> list[tuple[str, float]]:
    return [
        (severity_class(severity), side)
        for rule in rules_for(snapshot.rules, series.key)
        if not _is_left_out(rule.name, series, snapshot)
        for severity, limit in rule.detector.limits()
        for side in (limit.below, limit.above)
        if side is not None
    ]


def _is_left_out(rule: str, series: Series, snapshot: Snapshot) -> bool:
    return any(one.rule == rule and one.key == series.key and one.skip_reason for one in snapshot.rule_statuses)


def _marks(series: Series, snapshot: Snapshot) -> list[tuple[np.datetime64, str]]:
    """The notes within its time."""
    first, last = series.times[0], series.times[-1]
    known = [(to_datetime64(note.at), note) for note in model_notes(series.key.model, snapshot)]
    return [(at, describe_note(note, snapshot.clock)) for at, note in known if first <= at <= last]


def _fitted_trend(series: Series, begin: datetime | None, forecast: Forecast | None) -> SvgTrendLine | None:
    line = trend_line(series, begin, forecast) if begin is not None else None
    if line is None:
        return None
    return SvgTrendLine(line.start, line.end, (line.level, line.value_at(float((line.end - line.start) / DAY))))
