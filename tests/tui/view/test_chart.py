"""What the chart shows."""

from dataclasses import replace

import numpy as np
import pytest

from modeltop.core.series import SeriesKey, Severity
from modeltop.rules.defaults import default_rules
from modeltop_tui.view.chart import chart_data, cursor_readout
from modeltop_tui.view.state import ChartComparison, ScreenState, Selection, TimeWindow


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


def test_the_limit_of_any_line_of_the_overlay_is_drawn_and_named(make):
    state = make.state(*make.ten_days(), selection=Selection("fraud", SeriesKey("fraud", "precision"), overlay=True))
    assert [(limit.label, limit.value) for limit in chart_data(state).limits] == [("F1 < 0.85", 0.85)]
    alone = replace(state, selection=replace(state.selection, key=SeriesKey("fraud", "f1_score")))
    assert [limit.label for limit in chart_data(alone).limits] == ["< 0.85"]


def test_the_same_content_is_the_same_object_so_that_nothing_is_drawn_twice(make):
    state = make.state(*make.ten_days())
    assert chart_data(state) is chart_data(replace(state, selection=replace(state.selection, filter="fra")))


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        (9, "10 Jan  0.845  n ? ▲ critical  prev -0.020  limit -0.005"),
        (0, "1 Jan  0.945  n ?  limit +0.095"),
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
    assert cursor_readout(state, 56).endswith("  limit -0.050")


def test_with_the_overlay_the_cursor_reads_the_family(make):
    state = make.state(*make.ten_days())
    selection = replace(state.selection, overlay=True, cursor=make.start.timestamp())
    texts = [cursor_readout(replace(state, selection=selection), width) for width in (36, 40, 44, 80)]
    assert texts == [
        "1 Jan  1 0.945  2 0.950  3 0.940",
        "1 Jan  F1 0.945  prec 0.950  rec 0.940",
        "1 Jan  F1 0.945  n ?  prec 0.950  rec 0.940",
        "1 Jan  F1 0.945  n ?  limit +0.095  prec 0.950  rec 0.940",
    ]


def test_the_cursor_says_what_was_not_judged(make):
    state = make.state(make.series([0.95, 0.5], support=[900, 3]), rules=[make.floor_rule(min_count=30)])
    selection = replace(state.selection, cursor=(make.start + make.day).timestamp())
    texts = [cursor_readout(replace(state, selection=selection), width) for width in (25, 36, 50)]
    assert texts == [
        "2 Jan  0.500  n 3",
        "2 Jan  0.500  n 3 not evaluated",
        "2 Jan  0.500 [0.125, 0.875]  n 3 not evaluated",
    ]


def test_a_metric_that_came_with_an_interval_shows_it(make):
    state = make.state(make.series([0.95, 0.94], metric="roc_auc", low=[0.9, 0.93], high=[0.99, 0.96]))
    assert chart_data(state).title == "roc_auc, 2 days, now [0.930, 0.960]"
    selection = replace(state.selection, cursor=make.start.timestamp())
    assert cursor_readout(replace(state, selection=selection), 40) == "1 Jan  0.950 [0.900, 0.990]  n ?"


def test_infinite_values_are_kept_and_held(make):
    line = chart_data(make.state(make.series([1.0, np.inf, 2.0], metric="log_loss"))).traces[0]
    assert line.unevaluated.tolist() == [False, True, False]


def test_nothing_selected_draws_nothing():
    assert chart_data(ScreenState(loading="loading 1/2 files")).empty_message == "loading 1/2 files"


def compared(state, **options):
    """The state with a comparison."""
    return replace(state, selection=replace(state.selection, comparison=ChartComparison(**options)))


@pytest.fixture
def models(make):
    """Models of which the first is the worst, and the third measures every second day."""
    values = {"one": 0.80, "two": 0.91, "three": 0.92, "four": 0.93, "five": 0.94}
    days = {"three": range(1, 20, 2)}
    lines = [make.series([0.95] * 9 + [value], model=name, days=days.get(name)) for name, value in values.items()]
    return make.state(*lines, make.series([0.1] * 10, model="two", metric="brier"))


def test_a_comparison_draws_the_selected_model_then_the_worst_and_counts_the_others(models):
    chart = chart_data(compared(models))
    assert [line.name for line in chart.traces] == ["one", "two", "three", "four"]
    assert chart.title == "accuracy, worst 4 of 5 models, 10 days"
    at_five = replace(models, selection=Selection("five", SeriesKey("five", "accuracy")))
    assert [line.name for line in chart_data(compared(at_five)).traces] == ["five", "one", "two", "three"]
    assert chart_data(compared(at_five)).title == "accuracy, this and worst 3 of 5 models, 10 days"
    named = chart_data(compared(at_five, models=("two", "three", "gone")))
    assert ([line.name for line in named.traces], named.title) == (
        ["five", "two", "three"],
        "accuracy, 3 models, 10 days",
    )


def test_a_comparison_marks_no_breach_and_reaches_to_the_newest_point_of_all(make, models):
    chart = chart_data(compared(models))
    assert not any(line.breaches.any() for line in chart.traces)
    assert chart.end == (make.start + 18 * make.day).timestamp()
    ended = replace(models.selection, time_window=TimeWindow(86_400.0, make.start.timestamp() + 5 * 86_400.0))
    assert chart_data(compared(replace(models, selection=ended))).end == ended.time_window.end


def test_a_limit_is_drawn_if_all_compared_models_have_it(make):
    lines = [make.series([0.95] * 10, model=name) for name in ("a", "b", "c")]
    rule = make.floor_rule()
    assert [one.label for one in chart_data(compared(make.state(*lines, rules=[rule]))).limits] == ["< 0.90"]
    assert chart_data(compared(make.state(*lines, rules=[replace(rule, model="a")]))).limits == ()


def test_a_metric_that_is_better_low_is_worst_where_it_is_high(make):
    lines = [
        make.series([value] * 10, model=name, metric="log_loss") for name, value in zip("abc", (1, 2, 3), strict=True)
    ]
    state = make.state(*lines, selection=Selection("a", SeriesKey("a", "log_loss")))
    assert [line.name for line in chart_data(compared(state)).traces] == ["a", "c", "b"]


def test_segments_of_one_model_are_compared(make):
    segments = [make.series([value] * 10, segment=f"country={name}") for name, value in (("DE", 0.7), ("AT", 0.9))]
    state = compared(make.state(make.series([0.8] * 10), *segments), by_segment=True)
    assert [line.name for line in chart_data(state).traces] == ["all", "country=DE", "country=AT"]
    assert chart_data(state).title == "accuracy, 3 segments, 10 days"


def test_the_cursor_reads_all_compared_models_at_the_nearest_period(make, models):
    def read(day, width=90):
        selection = replace(models.selection, cursor=(make.start + day * make.day).timestamp())
        return cursor_readout(compared(replace(models, selection=selection), models=("two", "three")), width)

    assert read(8, 50) == "9 Jan  one 0.950  n ?  two 0.950  three 0.950"
    late = replace(models, selection=Selection("three", SeriesKey("three", "accuracy"), cursor=1e12))
    assert cursor_readout(compared(late, models=("two",)), 32) == "19 Jan  three 0.920  n ?  two -"
    assert read(8, 20) == "9 Jan  1 0.950  2 0.950  3 0.950", "a number is never cut here"


def test_where_there_is_room_the_cursor_reads_interval_and_cases_of_all(make):
    state = make.state(*(make.series([0.5, 0.5], model=name, support=[100, 100]) for name in "ab"), rules=[])
    state = compared(replace(state, selection=replace(state.selection, cursor=make.start.timestamp())))
    texts = [cursor_readout(state, width) for width in (25, 40, 48, 80)]
    assert texts == [
        "1 Jan  a 0.500  b 0.500",
        "1 Jan  a 0.500 [0.404, 0.596]  b 0.500",
        "1 Jan  a 0.500 [0.404, 0.596]  n 100  b 0.500",
        "1 Jan  a 0.500 [0.404, 0.596]  n 100  b 0.500 [0.404, 0.596]  n 100",
    ]


def test_a_range_in_the_past_is_in_the_title(make):
    state = make.state(*make.ten_days())
    window = TimeWindow(2 * 86_400.0, (make.start + 4 * make.day).timestamp())
    assert chart_data(replace(state, selection=replace(state.selection, time_window=window))).title == (
        "f1_score, 3 Jan to 5 Jan, 3 of 10 days"
    )
    one_day = replace(window, length=0.0)
    assert chart_data(replace(state, selection=replace(state.selection, time_window=one_day))).title == (
        "f1_score, 5 Jan, 1 of 10 days"
    )
