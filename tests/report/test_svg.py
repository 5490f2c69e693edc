"""Charts drawn in place: every number is where it belongs."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltop.core.series import DATETIME_DTYPE
from modeltop.report.svg import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    SvgChart,
    SvgTrendLine,
    UsualBand,
    render_svg,
    ticks,
)

numbers = st.floats(allow_nan=False, allow_infinity=True)


def days(count: int) -> np.ndarray:
    return (np.datetime64("2025-01-01") + np.arange(count)).astype(DATETIME_DTYPE)


def line(values, **more) -> SvgChart:
    return SvgChart("t", days(len(values)), np.array(values, dtype=float), format_value=str, **more)


def places(chart: str, name: str) -> list[tuple[float, float]]:
    paths = [one.get("d") for one in ET.fromstring(chart).iter("path") if one.get("class") == name]
    return [(float(x), float(y)) for path in paths for x, y in re.findall(r"([\d.]+) ([\d.]+)", path)]


def test_the_least_value_lies_lowest_and_the_first_leftmost():
    (x1, y1), (x2, y2), (x3, y3) = places(render_svg(line([0.9, 0.5, 0.7])), "line")
    assert (x1, x3) == (LEFT, WIDTH - RIGHT)
    assert x1 < x2 < x3
    assert TOP <= y1 < y3 < y2 <= HEIGHT - BOTTOM


def test_a_limit_beyond_all_values_is_within_the_drawing():
    chart = render_svg(line([0.95, 0.96], limits=[("critical", 0.5)]))
    (limit,) = re.findall(r'class="limit critical" d="M\d+ ([\d.]+)', chart)
    assert max(y for _, y in places(chart, "line")) < float(limit) < HEIGHT - BOTTOM


def test_a_long_silence_breaks_the_line():
    times = days(30)
    kept = np.r_[0:10, 20:30]
    chart = render_svg(SvgChart("t", times[kept], np.linspace(0, 1, 20), format_value=str))
    assert chart.count('class="line"') == 2


def test_a_long_series_is_thinned_and_keeps_its_extremes():
    values = np.sin(np.arange(20_000.0))
    values[12_345] = 7.0
    drawn = places(render_svg(line(values)), "line")
    assert len(drawn) < 700
    assert min(drawn, key=lambda place: place[1])[0] == pytest.approx(
        LEFT + 12_345 / 19_999 * (WIDTH - LEFT - RIGHT), abs=0.1
    )


def test_an_interval_is_a_band_around_the_line():
    chart = render_svg(line([0.5, 0.6, 0.5], low=np.array([0.4, 0.5, 0.4]), high=np.array([0.6, 0.7, 0.6])))
    band = places(chart, "band")
    inside = places(chart, "line")
    assert min(y for _, y in band) < min(y for _, y in inside)
    assert max(y for _, y in band) > max(y for _, y in inside)


def test_what_is_usual_is_a_band_from_its_start_to_the_end():
    chart = render_svg(line([0.9, 0.9, 0.9, 0.5], usual=UsualBand(days(4)[1], 0.85, 0.95)))
    (path,) = (one for one in ET.fromstring(chart).iter("path") if one.get("class") == "usual")
    left, top, right, bottom, _ = map(float, re.findall(r"[\d.]+", path.get("d")))
    drawn = places(chart, "line")
    assert (left, right) == (drawn[1][0], WIDTH - RIGHT)
    assert top < drawn[0][1] < bottom < drawn[3][1]
    assert path[0].text == "usual: 0.85 to 0.95"


def test_the_begin_of_a_change_and_a_note_are_vertical_lines_at_their_time():
    chart = render_svg(line([0.9, 0.9, 0.5], begin=(days(3)[2], "sudden drop"), note_marks=[(days(3)[1], "release")]))
    found = {one.get("class"): (one.get("d"), one[0].text) for one in ET.fromstring(chart).iter("path") if len(one)}
    xs = [x for x, _ in places(chart, "line")]
    assert found == {
        "mark": (f"M{xs[1]:g} {TOP}V{HEIGHT - BOTTOM}", "release"),
        "begin": (f"M{xs[2]:g} {TOP}V{HEIGHT - BOTTOM}", "sudden drop"),
    }


def test_a_trend_runs_from_its_first_value_to_its_last():
    values = [0.9, 0.9, 0.8, 0.7]
    chart = render_svg(line(values, trend=SvgTrendLine(days(4)[1], days(4)[3], (0.9, 0.7))))
    drawn = places(chart, "line")
    assert places(chart, "trend") == [drawn[1], drawn[3]]


@given(st.lists(numbers, max_size=70))
@settings(max_examples=100)
def test_whatever_the_values_the_drawing_is_well_formed_and_within_its_frame(values):
    chart = render_svg(line(values, limits=[("critical", 0.5)]))
    assert ("<svg" in chart) == any(abs(value) < 1e150 for value in values)
    for x, y in places(chart, "line") if chart else ():
        assert LEFT <= x <= WIDTH - RIGHT
        assert TOP <= y <= HEIGHT - BOTTOM


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e9))
def test_ticks_are_round_and_within(low, size):
    found = ticks(low, low + size)
    assert 1 <= len(found) <= 6
    assert all(low - size * 1e-3 <= one <= low + size * 1.001 for one in found)
