"""Annotations, drawn where nothing else is."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltop.core.text import display_width
from modeltop_tui.chart.data import Annotations, ChartTrend, PlotTheme, VerticalMarker
from modeltop_tui.chart.draw import draw_chart

PLAIN = PlotTheme(colours=False)
ASCII = PlotTheme(ascii=True, colours=False)
SIGNS = "┈┊╎~:'+⡀⠄⠂⠁"


def rows(chart, width=46, height=12, theme=PLAIN):
    return draw_chart(chart, width, height, theme).plain.split("\n")


@pytest.fixture
def fallen(make):
    """Thirty good days, then ten under the limit."""
    values = [0.95, 0.94] * 15 + [0.85] * 10
    return make.chart(make.trace(values, breaches=dict.fromkeys(range(30, 40), 3)), limits=[make.floor])


def with_(chart, **overlays):
    end = max(chart.end, overlays["trend"].end) if "trend" in overlays else chart.end
    return replace(chart, end=end, annotations=Annotations(**overlays))


@pytest.mark.parametrize(("theme", "sign"), [(PLAIN, "┊"), (ASCII, ":")], ids=["unicode", "ascii"])
def test_the_start_of_a_change_is_a_line_with_its_name_at_the_top(make, fallen, theme, sign):
    drawn = rows(with_(fallen, change=VerticalMarker(make.january + 30 * make.day, "drop")), theme=theme)
    assert f"{sign}drop" in drawn[0]
    column = drawn[0].index(f"{sign}drop")
    below = [row[column] for row in drawn[1:10]]
    assert below.count(sign) >= 6
    assert set(below) - {sign} <= {row[column] for row in rows(fallen, theme=theme)}


@pytest.mark.parametrize(("theme", "sign"), [(PLAIN, "╎"), (ASCII, "'")], ids=["unicode", "ascii"])
def test_a_note_is_a_line_with_the_start_of_its_text_at_the_bottom(make, fallen, theme, sign):
    drawn = rows(with_(fallen, notes=(VerticalMarker(make.january + 5 * make.day, "release 2.3"),)), theme=theme)
    assert f"{sign}release 2.3" in "\n".join(drawn[6:10])


def test_words_with_no_room_at_the_right_stand_at_the_left_of_their_line(make, fallen):
    drawn = "\n".join(rows(with_(fallen, notes=(VerticalMarker(make.january + 39 * make.day, "price list"),))))
    assert "price list" in drawn
    assert "╎price list" not in drawn


def test_a_long_note_is_cut_where_something_is_drawn(make, fallen):
    notes = (VerticalMarker(make.january + 2 * make.day, "W" * 60), VerticalMarker(make.january + 18 * make.day, "b"))
    drawn = "\n".join(rows(with_(fallen, notes=notes)))
    assert "WWWW…" in drawn
    assert "W" * 30 not in drawn


@pytest.mark.parametrize(
    ("caption", "seen"),
    [("30 November, about 09:00", "09:00"), ("30 Nov", "30 Nov")],
    ids=["the short form", "the caption itself"],
)
def test_the_start_of_a_change_is_never_cut(make, fallen, caption, seen):
    change = VerticalMarker(make.january + 30 * make.day, caption, caption[-5:])
    drawn = "\n".join(rows(with_(fallen, change=change), width=30, height=5))
    assert seen in drawn
    assert "…" not in drawn
    assert "about" not in drawn


@pytest.mark.parametrize("theme", [PLAIN, ASCII], ids=["unicode", "ascii"])
def test_a_trend_leads_on_after_the_newest_point(make, fallen, theme):
    trend = ChartTrend(make.january + 30 * make.day, make.january + 48 * make.day, 0.87, 0.78)
    drawn = rows(with_(fallen, trend=trend), theme=theme)
    signs = "+" if theme.ascii else "⡀⠄⠂⠁"
    after = {y for y, row in enumerate(drawn[:10]) for sign in row[40:] if sign in signs}
    assert len(after) >= 2


def test_where_a_trend_leads_is_within_the_drawing(make):
    chart = make.chart(make.trace([0.95, 0.94, 0.93, 0.92]))
    trend = ChartTrend(make.january, make.january + 6 * make.day, 0.95, 0.86)
    assert "0.86┤" not in "\n".join(rows(chart))
    assert "0.86┤" in "\n".join(rows(with_(chart, trend=trend)))


def test_what_lies_beyond_the_time_that_is_shown_is_not_drawn(make, fallen):
    outside = VerticalMarker(make.january - make.day, "before")
    assert rows(with_(fallen, change=outside, notes=(outside,))) == rows(fallen)


moments = st.builds(
    VerticalMarker,
    st.floats(-5, 60).map(lambda days: 1735689600.0 + 86400 * days),
    st.sampled_from(["drop", "", "宽" * 20, "e" + "\u0301" * 2, "[bold]x[/bold]", "release 2.3 of the model", "🙂"]),
)


@settings(max_examples=120, deadline=None)
@given(
    values=st.lists(st.floats(-3, 3), min_size=1, max_size=50),
    size=st.tuples(st.integers(1, 120), st.integers(1, 36)),
    theme=st.sampled_from([PLAIN, ASCII, PlotTheme()]),
    change=st.none() | moments,
    notes=st.lists(moments, max_size=5),
)
def test_no_overlay_hides_a_point_or_a_limit_or_changes_the_size(make, values, size, theme, change, notes):
    trace = make.trace(values, breaches={len(values) - 1: 3})
    chart = make.chart(trace, limits=[make.floor])
    bare, drawn = (
        rows(chart, *size, theme=theme),
        rows(with_(chart, change=change, notes=tuple(notes)), *size, theme=theme),
    )
    assert [display_width(row) for row in drawn] == [size[0]] * size[1]
    assert theme is not ASCII or "\n".join(drawn).isascii()
    if all(caption.caption.isascii() for caption in (*notes, *([change] if change else []))):
        cells = zip("".join(bare), "".join(drawn), strict=True)
        assert all(before == after for before, after in cells if before != " ")


@settings(max_examples=60, deadline=None)
@given(
    levels=st.tuples(st.floats(-10, 10), st.floats(-10, 10)),
    start=st.floats(-5, 15),
    days=st.floats(0, 30),
    theme=st.sampled_from([PLAIN, ASCII]),
)
def test_a_trend_may_lead_anywhere(make, levels, start, days, theme):
    chart = make.chart(make.trace([0.9, 0.8, 0.7] * 5))
    trend = ChartTrend(make.january + start * make.day, make.january + (start + days) * make.day, *levels)
    assert [display_width(row) for row in rows(with_(chart, trend=trend), theme=theme)] == [46] * 12


def test_several_notes_in_one_column_are_one_line(make, fallen):
    notes = tuple(VerticalMarker(make.january + 5 * make.day + n, f"note {n}") for n in range(3))
    drawn = "\n".join(rows(with_(fallen, notes=notes)))
    assert "╎note 2" in drawn
    assert "note 0" not in drawn


def test_a_breach_on_the_line_where_the_change_started_is_still_seen(make, fallen):
    change = VerticalMarker(float(fallen.traces[0].times[30]), "drop")
    bare, drawn = "\n".join(rows(fallen)), "\n".join(rows(with_(fallen, change=change)))
    assert drawn.count("▲") == bare.count("▲")
    assert np.sum(fallen.traces[0].breaches > 0) == 10
