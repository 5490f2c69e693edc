"""Charts as SVG: every number is where it belongs, and a series is drawn with its diagnosis, alerts and notes."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import theilslopes

from modeltop.core.diagnosis import Diagnosis, Forecast, Pattern, SeriesPattern
from modeltop.core.incident import AlertingState, Note
from modeltop.core.series import DATETIME_DTYPE, SeriesKey, Severity, to_datetime
from modeltop.report.svg import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, SvgChart, render_svg, series_chart, ticks
from modeltop.report.trend_line import TrendLine

KEY = SeriesKey("m", "accuracy")
numbers = st.floats(allow_nan=False, allow_infinity=True)


def days(count: int) -> np.ndarray:
    return (np.datetime64("2025-01-01") + np.arange(count).astype("timedelta64[D]")).astype(DATETIME_DTYPE)


def chart_of(values, **more) -> SvgChart:
    return SvgChart("t", days(len(values)), np.array(values, dtype=float), format_value=str, **more)


def points(chart: str, name: str) -> list[tuple[float, float]]:
    paths = [path.get("d") for path in ET.fromstring(chart).iter("path") if path.get("class") == name]
    return [(float(x), float(y)) for path in paths for x, y in re.findall(r"([\d.]+) ([\d.]+)", path)]


def test_the_minimum_lies_lowest_and_the_first_value_leftmost():
    (x1, y1), (x2, y2), (x3, y3) = points(render_svg(chart_of([0.9, 0.5, 0.7])), "line")
    assert (x1, x3) == (LEFT, WIDTH - RIGHT)
    assert x1 < x2 < x3
    assert TOP <= y1 < y3 < y2 <= HEIGHT - BOTTOM


def test_a_limit_beyond_all_values_is_within_the_drawing():
    chart = render_svg(chart_of([0.95, 0.96], limits=[("critical", "< 0.50", 0.5)]))
    (limit,) = re.findall(r'class="limit critical" d="M\d+ ([\d.]+)', chart)
    assert max(y for _, y in points(chart, "line")) < float(limit) < HEIGHT - BOTTOM


def test_a_long_gap_breaks_the_line():
    times = days(30)
    indices = np.r_[0:10, 20:30]
    chart = render_svg(SvgChart("t", times[indices], np.linspace(0, 1, 20), format_value=str))
    assert chart.count('class="line"') == 2


def test_a_long_series_is_downsampled_and_keeps_its_extremes():
    values = np.sin(np.arange(20_000.0))
    values[12_345] = 7.0
    drawn = points(render_svg(chart_of(values)), "line")
    assert len(drawn) < 700
    assert min(drawn, key=lambda point: point[1])[0] == pytest.approx(
        LEFT + 12_345 / 19_999 * (WIDTH - LEFT - RIGHT), abs=0.1
    )


def test_an_interval_is_a_band_around_the_line():
    chart = render_svg(chart_of([0.5, 0.6, 0.5], low=np.array([0.4, 0.5, 0.4]), high=np.array([0.6, 0.7, 0.6])))
    band = points(chart, "band")
    inside = points(chart, "line")
    assert min(y for _, y in band) < min(y for _, y in inside)
    assert max(y for _, y in band) > max(y for _, y in inside)


def test_the_start_of_a_change_and_a_note_are_vertical_lines_at_their_time():
    chart = render_svg(
        chart_of([0.9, 0.9, 0.5], change=(days(3)[2], "sudden drop"), note_marks=[(days(3)[1], "release")])
    )
    marks = {
        path.get("class"): (path.get("d"), path[0].text) for path in ET.fromstring(chart).iter("path") if len(path)
    }
    xs = [x for x, _ in points(chart, "line")]
    assert marks == {
        "mark": (f"M{xs[1]:g} {TOP}V{HEIGHT - BOTTOM}", "release"),
        "begin": (f"M{xs[2]:g} {TOP}V{HEIGHT - BOTTOM}", "sudden drop"),
    }


def test_a_trend_runs_from_its_first_value_to_its_last():
    values = [0.9, 0.9, 0.8, 0.7]
    chart = render_svg(chart_of(values, trend_line=TrendLine(days(4)[1], days(4)[3], 0.9, -0.1)))
    drawn = points(chart, "line")
    assert points(chart, "trend") == [drawn[1], drawn[3]]


@given(st.lists(numbers, max_size=70))
@settings(max_examples=100)
def test_whatever_the_values_the_drawing_is_well_formed_and_within_its_frame(values):
    chart = render_svg(chart_of(values, limits=[("critical", "< 0.50", 0.5)]))
    assert ("<svg" in chart) == any(abs(value) < 1e150 for value in values)
    for x, y in points(chart, "line") if chart else ():
        assert LEFT <= x <= WIDTH - RIGHT
        assert TOP <= y <= HEIGHT - BOTTOM


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e9))
def test_ticks_are_round_and_within(low, size):
    values = ticks(low, low + size)
    assert 1 <= len(values) <= 6
    assert all(low - size * 1e-3 <= value <= low + size * 1.001 for value in values)


@pytest.fixture
def falling(make_snapshot):
    """Return 30 days of about 0.95, then 10 that lose a point a day, but for one."""
    snapshot = make_snapshot()
    series = snapshot.history.series[KEY]
    values = 0.95 + 0.002 * np.sin(np.arange(40.0))
    values[30:] -= 0.01 * np.arange(10)
    values[35] = 0.95
    return snapshot, replace(series, values=values)


def diagnosis(series, pattern=Pattern.DECLINE, **changes):
    start = to_datetime(series.times[30])
    series_pattern = SeriesPattern(series.key, pattern, start, -0.09, 0.9)
    return replace(Diagnosis("m", Severity.WARNING, series.key, "", series_pattern, (), (), ""), **changes)


def test_the_trend_is_that_of_theil_and_sen_since_the_start(falling):
    snapshot, series = falling
    slope, level, *_ = theilslopes(series.values[30:], np.arange(10.0), method="joint")
    drawn = series_chart(series, snapshot, diagnosis(series, forecast=Forecast(slope, -1.0, 0.0, 0.01)))
    assert (drawn.trend_line.start, drawn.trend_line.end) == (series.times[30], series.times[39])
    assert (drawn.trend_line.level, drawn.trend_line.value_at(9.0)) == pytest.approx((level, level + 9 * slope))


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        pytest.param(Pattern.DROP, "sudden drop since 31 Jan", id="a change has a begin"),
        pytest.param(Pattern.SEASONAL, None, id="a season has none"),
        pytest.param(Pattern.STEADY, None, id="nor has what is steady"),
    ],
)
def test_the_pattern_and_its_start_are_named(falling, pattern, text):
    snapshot, series = falling
    change = series_chart(series, snapshot, diagnosis(series, pattern)).change
    assert (change and change[1]) == text


def test_another_metric_shows_its_own_pattern(falling, make_snapshot):
    snapshot, series = falling
    other = make_snapshot().history.series[SeriesKey("m", "recall")]
    series_pattern = SeriesPattern(other.key, Pattern.DROP, to_datetime(other.times[20]), -0.1, 0.9)
    drawn = series_chart(
        other, snapshot, diagnosis(series, other_patterns=(series_pattern,), forecast=Forecast(-0.01, -1.0, 0.0, 0.01))
    )
    assert drawn.change == (other.times[20], "sudden drop since 21 Jan")
    assert drawn.trend_line is None


def test_notes_within_its_time_are_marked(falling):
    snapshot, series = falling
    at = to_datetime(series.times[10])
    notes = (
        Note("m", "released", "ana", at),
        Note("*", "long ago", "bob", at - timedelta(days=99)),
        Note("n", "x", "y", at),
    )
    drawn = series_chart(series, replace(snapshot, alerting_state=AlertingState(notes=notes)))
    assert [(when, words.endswith("ana: released")) for when, words in drawn.note_marks] == [(series.times[10], True)]
