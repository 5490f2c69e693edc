"""The selection as text, and its points as CSV."""

import csv
import io
import math
from dataclasses import replace

from modeltop.core.series import SeriesKey
from modeltop_tui.view.clipboard import model_text, points_csv
from modeltop_tui.view.state import ChartComparison, ScreenState, Selection, TimeWindow


def test_what_is_copied_says_where_what_since_when_and_by_how_much(make):
    text = model_text(make.state(*make.ten_days()), make.clock).splitlines()
    assert text[0] == "fraud > f1_score, newest 2025-01-10, data 3 m old"
    assert text[1] == "▲ critical: f1_score 0.845 < 0.85, for 1 day, since 10 Jan (rule f1-floor)"
    assert "1 Jan    0.945→0.845    -0.100" in text


def test_nothing_to_copy_without_a_model(make):
    assert model_text(ScreenState(), make.clock) == ""


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


def test_the_export_has_the_compared_models(make):
    state = make.state(*(make.series([0.9], model=name) for name in ("a", "b")))
    state = replace(state, selection=replace(state.selection, comparison=ChartComparison()))
    assert [row["model"] for row in csv.DictReader(io.StringIO(points_csv(state)))] == ["a", "b"]
