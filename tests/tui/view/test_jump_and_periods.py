"""Jumping by typing, the table of periods, and what is copied and exported."""

import csv
import io
import math
from dataclasses import replace

import pytest

from modeltop.core.series import SeriesKey
from modeltop.core.text import display_width
from modeltop_tui.view.clipboard import points_csv, selection_text
from modeltop_tui.view.navigation import jump_hint, jump_targets
from modeltop_tui.view.periods import periods_table
from modeltop_tui.view.state import ScreenState, Selection, TimeWindow
from modeltop_tui.view.styled_text import plain_text


@pytest.fixture
def state(make):
    return make.state(*make.ten_days("fraud-detector"), make.healthy("triage"), make.healthy("rate-fraud"))


@pytest.mark.parametrize(
    ("typed", "to"),
    [
        ("tri", ("triage", None)),
        ("fra", ("fraud-detector", None)),
        ("fra rec", ("fraud-detector", "recall")),
        ("fraud-detector > f1", ("fraud-detector", "f1_score")),
        ("avg", ("fraud-detector", "avg_confidence")),
        ("RATE", ("rate-fraud", None)),
        ("nothing", None),
        ("  ", None),
    ],
)
def test_parts_of_names_lead_to_the_likeliest_place(state, typed, to):
    result = next(iter(jump_targets(state, typed)), None)
    assert (result and (result[0], result[1] and result[1].metric)) == to


def test_the_hint_says_where_enter_goes(state):
    assert jump_hint(state, "tri") == "→ triage"
    assert jump_hint(state, "fra rec") == "→ fraud-detector > recall  and 1 more"
    assert jump_hint(state, "fra") == "→ fraud-detector  and 1 more"
    assert jump_hint(state, "zzz") == "nothing has this in its name"


def test_periods_stand_newest_first_and_breached_ones_are_marked(make):
    table = periods_table(make.state(*make.ten_days()))
    lines = [plain_text(table.line(row, 0)).split() for row in range(len(table))]
    assert lines[0] == ["2025-01-10", "▲0.870", "0.850", "0.840", "▲0.845", "0.840"]
    assert lines[-1][0] == "2025-01-01"
    assert plain_text(table.heading(0, 80)).split()[:3] == ["period", "accuracy", "precision"]


def test_a_period_that_a_metric_does_not_have_is_a_dash(make):
    table = periods_table(make.state(make.healthy("a"), make.series([0.1], model="a", metric="psi", days=[3])))
    assert plain_text(table.line(0, 0)).split() == ["2025-01-10", "0.950", "-"]
    assert plain_text(table.line(7, 0)).split() == ["2025-01-03", "0.950", "0.100"]


def test_columns_stand_under_their_names(make):
    table = periods_table(make.state(*make.ten_days(), make.series([1.0], metric="宽" * 40)))
    heads = plain_text(table.heading(0, table.width))
    assert display_width(heads) == table.width
    assert display_width(plain_text(table.line(0, 0))) == table.width
    assert display_width(plain_text(table.line(0, 2))) < table.width


def test_what_is_copied_says_where_what_since_when_and_by_how_much(make):
    text = selection_text(make.state(*make.ten_days()), make.clock).splitlines()
    assert text[0] == "fraud > f1_score, newest 2025-01-10, data 3m old"
    assert text[1] == "▲ CRIT f1_score 0.845 < 0.85, 1 period, since Jan 10 (rule default-f1_score)"
    assert "first 0.945→0.845 -0.100" in text


def test_nothing_to_copy_without_a_model(make):
    assert selection_text(ScreenState(), make.clock) == ""


def test_the_export_has_the_points_that_are_shown_exactly(make):
    state = make.state(make.series([0.1 + 0.2, 0.8], support=[math.nan, 12]))
    result = list(csv.reader(io.StringIO(points_csv(state))))
    assert result == [
        ["date", "model", "segment", "metric", "value", "count"],
        ["2025-01-01T00:00:00Z", "fraud", "all", "accuracy", "0.30000000000000004", ""],
        ["2025-01-02T00:00:00Z", "fraud", "all", "accuracy", "0.8", "12"],
    ]


def test_the_export_keeps_to_the_window_and_the_overlay(make):
    state = make.state(*make.ten_days(), selection=Selection("fraud", SeriesKey("fraud", "recall")))
    selection = replace(state.selection, overlay=True, time_window=TimeWindow(2 * 86_400.0))
    result = list(csv.DictReader(io.StringIO(points_csv(replace(state, selection=selection)))))
    assert [row["metric"] for row in result] == ["recall"] * 3 + ["precision"] * 3 + ["f1_score"] * 3
