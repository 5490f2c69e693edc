"""What the chart shows."""

from dataclasses import replace

import numpy as np
import pytest

from modeltop.core.series import SeriesKey, Severity
from modeltop.rules.defaults import default_rules
from modeltop_tui.view.chart import chart_data, cursor_readout
from modeltop_tui.view.state import ScreenState, Selection


def test_the_points_the_limit_and_what_crossed_it(make):
    state = make.state(*make.ten_days(), selection=Selection("fraud", SeriesKey("fraud", "accuracy")))
    chart = chart_data(state)
    assert chart.title == "accuracy, 10 days"
    assert chart.traces[0].values.tolist()[-2:] == [0.89, 0.87]
    assert np.flatnonzero(chart.traces[0].breaches).tolist() == [8, 9]
    assert [(limit.value, limit.severity, limit.label) for limit in chart.limits] == [
        (0.9, Severity.CRITICAL, "< 0.90")
    ]


def test_of_two_limits_the_worse_marks_the_point(make):
    state = make.state(make.series([0.95, 0.91, 0.85]), rules=[make.floor_rule(warn=0.92)])
    assert chart_data(state).traces[0].breaches.tolist() == [0, Severity.WARNING, Severity.CRITICAL]


@pytest.mark.parametrize(
    ("columns", "unevaluated"),
    [
        pytest.param({"provisional": [0, 0, 1]}, [False, False, True], id="not complete"),
        pytest.param({"support": [100, 5, 100]}, [False, True, False], id="too few cases"),
    ],
)
def test_points_that_no_rule_evaluates_are_never_breaches(make, columns, unevaluated):
    state = make.state(make.series([0.5, 0.5, 0.5], **columns), rules=[make.floor_rule(min_count=30)])
    line = chart_data(state).traces[0]
    assert line.unevaluated.tolist() == unevaluated
    assert (line.breaches > 0).tolist() == [not flag for flag in unevaluated]


def test_a_floor_that_was_left_out_is_not_drawn(make):
    chart = chart_data(make.state(make.series([0.5] * 10), rules=default_rules()))
    assert chart.limits == ()
    assert not chart.traces[0].breaches.any()


def test_a_missing_season_is_a_gap(make):
    state = make.state(make.series([0.9] * 6, days=[1, 2, 3, 30, 31, 32]))
    assert np.flatnonzero(chart_data(state).traces[0].gaps).tolist() == [3]


def test_the_overlay_draws_the_family_beside_the_metric(make):
    state = make.state(*make.ten_days(), make.series([0.9] * 10, metric="recall", segment="country=DE"))
    chart = chart_data(replace(state, selection=replace(state.selection, overlay=True)))
    assert [line.name for line in chart.traces] == ["f1_score", "precision", "recall"]
    assert chart.title == "1 F1 2 prec 3 rec, 10 days"


def test_the_same_content_is_the_same_object_so_that_nothing_is_drawn_twice(make):
    state = make.state(*make.ten_days())
    assert chart_data(state) is chart_data(replace(state, selection=replace(state.selection, filter="fra")))


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        (9, "2025-01-10  0.845  n ? ▲ critical  prev -0.020  limit -0.005"),
        (0, "2025-01-01  0.945  n ?  limit +0.095"),
    ],
)
def test_the_cursor_reads_out_date_value_and_support(make, steps, text):
    state = make.state(*make.ten_days())
    stamp = (make.start + steps * make.day).timestamp()
    assert cursor_readout(replace(state, selection=replace(state.selection, cursor=stamp)), 100) == text


def test_the_cursor_reads_out_the_change_to_the_baseline_where_there_is_room(make):
    state = make.state(make.series([0.95] * 20 + [0.85]), rules=[make.floor_rule()])
    state = replace(state, selection=replace(state.selection, cursor=(make.start + 20 * make.day).timestamp()))
    assert cursor_readout(state, 80).endswith("  prev -0.100  limit -0.050  base -0.100")
    assert cursor_readout(state, 64).endswith("  limit -0.050")


def test_with_the_overlay_the_cursor_reads_the_family(make):
    state = make.state(*make.ten_days())
    selection = replace(state.selection, overlay=True, cursor=make.start.timestamp())
    assert cursor_readout(replace(state, selection=selection), 40) == "2025-01-01  0.945  prec 0.950  rec 0.940  n ?"


def test_the_cursor_says_what_was_not_judged(make):
    state = make.state(make.series([0.95, 0.5], support=[900, 3]), rules=[make.floor_rule(min_count=30)])
    selection = replace(state.selection, cursor=(make.start + make.day).timestamp())
    assert (
        cursor_readout(replace(state, selection=selection), 40) == "2025-01-02  0.500 [0.125, 0.875]  n 3 not evaluated"
    )


def test_a_metric_that_came_with_an_interval_shows_it(make):
    state = make.state(make.series([0.95, 0.94], metric="roc_auc", low=[0.9, 0.93], high=[0.99, 0.96]))
    assert chart_data(state).title == "roc_auc, 2 days, now [0.930, 0.960]"
    selection = replace(state.selection, cursor=make.start.timestamp())
    assert cursor_readout(replace(state, selection=selection), 40) == "2025-01-01  0.950 [0.900, 0.990]  n ?"


def test_infinite_values_are_kept_and_held(make):
    line = chart_data(make.state(make.series([1.0, np.inf, 2.0], metric="log_loss"))).traces[0]
    assert line.unevaluated.tolist() == [False, True, False]


def test_nothing_selected_draws_nothing():
    assert chart_data(ScreenState(loading="loading 1/2 files")).empty_message == "loading 1/2 files"
