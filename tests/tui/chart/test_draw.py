import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltop.core.text import display_width
from modeltop_tui.chart.data import PlotTheme
from modeltop_tui.chart.draw import draw_chart

PLAIN = PlotTheme(colours=False)
ASCII = PlotTheme(ascii=True, colours=False)
THEMES = [PlotTheme(), PlotTheme(light=True), PLAIN, ASCII]


def rows(chart, width=46, height=12, theme=PLAIN):
    return draw_chart(chart, width, height, theme).plain.split("\n")


def drawn_text(chart, *size, theme=PLAIN):
    return "\n".join(rows(chart, *size, theme=theme))


any_value = st.floats(allow_nan=True, allow_infinity=True, width=64)
points = st.tuples(any_value, st.sampled_from([0, 0, 1, 3]), st.booleans(), st.booleans())


@settings(max_examples=120, deadline=None)
@given(
    data=st.lists(st.lists(points, min_size=1, max_size=60), max_size=4),
    size=st.tuples(st.integers(1, 130), st.integers(1, 40)),
    theme=st.sampled_from(THEMES),
    digits=st.integers(0, 6),
    limit=st.floats(-10, 10),
    cursor=st.booleans(),
)
def test_whatever_the_values_a_drawing_has_exactly_the_size_asked_for(make, data, size, theme, digits, limit, cursor):
    traces = []
    for each in data:
        values, breaches, unevaluated, gaps = zip(*each, strict=True)
        traces.append(
            make.trace(
                values,
                breaches=dict(enumerate(breaches)),
                unevaluated=np.flatnonzero(unevaluated),
                gaps=np.flatnonzero(gaps),
            )
        )
    limits = [type(make.floor)(limit, make.floor.severity, "< limit")]
    chart = make.chart(*traces, limits=limits, digits=digits, cursor=make.january if cursor else None)
    drawn = rows(chart, *size, theme=theme)
    assert [display_width(row) for row in drawn] == [size[0]] * size[1]
    assert theme is not ASCII or "\n".join(drawn).isascii()


@pytest.mark.parametrize("name", ["宽" * 40, "e" + "\u0301" * 2, "🙂 eu", "[bold]x[/bold]", "\\x1b]0;x"])
@pytest.mark.parametrize("theme", [PLAIN, ASCII], ids=["unicode", "ascii"])
def test_a_foreign_name_in_the_legend_keeps_the_width(make, name, theme):
    chart = make.chart(make.trace([0.9, 0.8], name=name), make.trace([0.5, 0.6], name="recall"))
    drawn = rows(chart, 40, 10, theme=theme)
    assert {display_width(row) for row in drawn} == {40}
    assert "2 recall" in drawn[0]


def test_long_names_in_the_legend_that_differ_at_the_end_stay_apart(make):
    names = ("payments-fraud-detector-eu", "payments-fraud-detector-us")
    legend = rows(make.chart(*(make.trace([0.9, 0.8], name=name) for name in names)), 40, 10)[0]
    assert legend.split() == ["1", "payments…ctor-eu", "2", "payments…ctor-us"]


@pytest.mark.parametrize(
    ("theme", "critical", "warning", "trace"),
    [(PLAIN, "▲", "◆", "─"), (ASCII, "X", "!", "=")],
    ids=["unicode", "ascii"],
)
def test_severity_is_a_shape(make, theme, critical, warning, trace):
    drawn = drawn_text(make.both, theme=theme)
    assert drawn.count(critical) == 2
    assert drawn.count(warning) == 2
    assert f"{trace}< 0.90{trace}" in drawn
    assert "< 0.92" in drawn
    assert f"{trace}< 0.92" not in drawn


def test_the_sign_of_a_breach_stands_where_the_line_is(make):
    values = 0.9 + 0.05 * np.sin(np.arange(80) / 4)
    healthy = make.chart(make.trace(values))
    breached = make.chart(make.trace(values, breaches=dict.fromkeys(np.flatnonzero(values < 0.87).tolist(), 3)))
    before, after = rows(healthy), rows(breached)
    signs = [(y, x) for y, row in enumerate(after) for x, sign in enumerate(row) if sign == "▲"]
    assert len(signs) > 10
    assert all("⠀" < before[y][x] <= "⣿" for y, x in signs)


def test_a_value_below_its_limit_is_never_drawn_above_the_line(make):
    for value in np.linspace(0.85, 0.8999, 60):
        drawn = rows(make.chart(make.trace([0.95, value], breaches={1: 3}), limits=[make.floor]))
        limit = next(y for y, row in enumerate(drawn) if "─< 0.90" in row)
        assert next(y for y, row in enumerate(drawn) if "▲" in row) >= limit


def test_the_line_breaks_at_a_gap(make):
    times = make.january + make.day * np.array([0, 1, 2, 20, 21, 22])
    drawn = rows(make.chart(make.trace([0.9, 0.91, 0.9, 0.92, 0.91, 0.9], times=times, gaps=[3])))
    middle = [row[14:36].replace("│", " ") for row in drawn[:-2]]
    assert not "".join(middle).strip()


def test_a_point_between_two_gaps_is_seen(make):
    times = make.january + make.day * np.array([0, 1, *range(30, 59)])
    values = np.full(31, 0.9)
    values[0] = 0.8
    assert "•" in drawn_text(make.chart(make.trace(values, times=times, gaps=[1, 2])))


def test_what_no_rule_judges_is_marked_as_such(make):
    drawn = drawn_text(
        make.chart(make.trace(make.ten_days, unevaluated=[9], breaches={9: 3, 8: 3}), limits=[make.floor])
    )
    assert drawn.count("○") == 1
    assert drawn.count("▲") == 1


def test_infinite_values_are_arrows_at_the_edge(make):
    drawn = rows(make.chart(make.trace([0.9, np.inf, 0.8, -np.inf, 0.9])))
    assert "↑" in drawn[0]
    assert "↓" in drawn[-3]


@pytest.mark.parametrize("values", [[], [np.inf], [np.nan, np.nan]], ids=["no point", "infinite", "undefined"])
def test_without_a_finite_value_it_says_so(make, values):
    drawn = rows(make.chart(*([make.trace(values)] if values else [])), 30, 5)
    assert drawn[2].strip() == "no values in this range"


def test_one_point_is_drawn_with_its_date(make):
    drawn = drawn_text(make.chart(make.trace([0.95]), limits=[make.floor]))
    assert "•" in drawn
    assert "2025-01-01" in drawn


def test_equal_values_are_a_level_line_with_an_axis(make):
    drawn = rows(make.chart(make.trace([0.9] * 5)))
    assert sum("•" in row for row in drawn) == 1
    assert [row.split("┤")[0] for row in drawn if "┤" in row] == ["0.91", "0.90", "0.89"] or "0.900" in "".join(drawn)


def test_a_limit_far_away_is_named_at_the_edge_and_does_not_flatten_the_line(make):
    far = type(make.floor)(0.2, make.floor.severity, "< 0.20")
    drawn = rows(make.chart(make.trace(make.ten_days), limits=[far]))
    assert "↓ < 0.20" in drawn[-3]
    assert not any("0.5" in row for row in drawn)


def test_of_ten_thousand_points_the_worst_is_kept(make):
    rng = np.random.default_rng(7)
    values = 0.95 + rng.normal(0, 0.001, 10_000)
    values[[4000, 4001]] = 0.9, 0.93  # the breach is neither the lowest nor the highest of its column
    chart = make.chart(make.trace(values, breaches={4001: 3}, unevaluated=[4000]))
    drawn = drawn_text(chart, 80, 20)
    assert drawn.count("▲") == 1


def test_a_family_is_told_apart_by_numbers(make):
    traces = [
        make.trace(np.array(make.ten_days) - 0.03 * i, name=n) for i, n in enumerate(["precision", "recall", "f1"])
    ]
    head, *body = rows(make.chart(*traces), 60, 14)
    assert head.split() == ["1", "precision", "2", "recall", "3", "f1"]
    canvas = "".join(row[5:] for row in body[:-2])
    assert {"1", "2", "3"} <= set(canvas)


def test_the_cursor_is_a_line_through_all_rows(make):
    chart = make.chart(make.trace(make.ten_days), cursor=make.january + 4 * make.day)
    canvas = [row[5:] for row in rows(chart)[:-2]]
    assert sum("│" in row for row in canvas) >= len(canvas) - 1


def test_colours_are_of_the_sixteen_and_can_be_left_out(make):
    numbers = {
        span.style.color.number
        for theme in (PlotTheme(), PlotTheme(light=True))
        for span in draw_chart(make.both, 46, 12, theme).spans
        if not isinstance(span.style, str) and span.style.color is not None
    }
    assert numbers
    assert all(number is not None and number < 16 for number in numbers)
    colorless = {str(span.style) for span in draw_chart(make.both, 46, 12, PLAIN).spans}
    assert colorless <= {"", "none", "default", "dim"}


def test_the_same_chart_is_drawn_once(make):
    assert draw_chart(make.ten, 46, 12, PLAIN) is draw_chart(make.ten, 46, 12, PLAIN)


@pytest.mark.parametrize(
    ("size", "seen", "unseen"),
    [
        pytest.param((20, 5), "Jan", "", id="the smallest with both axes"),
        pytest.param((19, 5), "Jan", "┤", id="narrow: no value axis"),
        pytest.param((20, 4), "┤", "Jan", id="low: no time axis"),
        pytest.param((12, 3), "▲", "┤", id="neither"),
        pytest.param((1, 1), "▲", "┤", id="one cell"),
    ],
)
def test_in_little_room_the_axes_go_and_the_breach_stays(make, size, seen, unseen):
    drawn = drawn_text(make.ten, *size)
    assert "▲" in drawn
    assert seen in drawn
    assert not unseen or unseen not in drawn
