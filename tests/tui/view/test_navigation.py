"""Where a key moves the selection."""

from dataclasses import replace

import pytest

from modeltop.core.series import SeriesKey
from modeltop_tui.view.chart import chart_data, time_span
from modeltop_tui.view.navigation import (
    MOVES,
    clamp_selection,
    prefetch_targets,
    select_series,
)
from modeltop_tui.view.state import ChartComparison, ScreenState, Selection, TimeWindow, snapshot_index

DAY = 86_400.0


def move(state, *moves):
    """The state after some moves, each `name` or `name-` or `name+3`."""
    for text in moves:
        name, sign, count = text.partition("+") if "+" in text else text.partition("-")
        steps = int(count or 1) * (-1 if sign == "-" else 1)
        state = replace(state, selection=clamp_selection(replace(state, selection=MOVES[name](state, steps))))
    return state


def position(state):
    return state.selection.model, state.selection.key and state.selection.key.metric


@pytest.fixture
def state(fleet):
    return ScreenState(fleet, clamp_selection(ScreenState(fleet)))


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        pytest.param([], ("fraud", "f1_score"), id="opens on the worst model and its worst metric"),
        pytest.param(["model"], ("churn", "accuracy"), id="the next model, on what is wrong with it"),
        pytest.param(["model-"], ("fraud", "f1_score"), id="nothing is above the first"),
        pytest.param(["model+99"], ("ranker", "accuracy"), id="as far as the list goes"),
        pytest.param(["metric-3"], ("fraud", "accuracy"), id="a metric to the left"),
        pytest.param(["metric-2", "model+2"], ("ranker", "accuracy"), id="a judged metric where the same is missing"),
        pytest.param(["problem"], ("churn", "accuracy"), id="problems go from model to model"),
        pytest.param(["metric+2", "problem"], ("churn", "accuracy"), id="also from another metric"),
        pytest.param(["problem-"], ("churn", "accuracy"), id="backwards they begin at the end"),
        pytest.param(["problem+2"], ("fraud", "f1_score"), id="problems go round"),
        pytest.param(["model+2", "problem"], ("fraud", "f1_score"), id="from a healthy model to the worst"),
        pytest.param(["model+2", "problems_only"], ("fraud", "f1_score"), id="a hidden model is left"),
        pytest.param(["model", "sort"], ("churn", "accuracy"), id="another order moves nobody"),
    ],
)
def test_keys_move_the_selection(state, moves, expected):
    assert position(move(state, *moves)) == expected


def test_the_selection_stays_on_its_model_when_the_order_changes(make, state):
    at_churn = move(state, "model")
    worse = make.snapshot(*make.ten_days(), make.series([0.95] * 9 + [0.1], model="churn"), make.healthy("ranker"))
    assert position(ScreenState(worse, clamp_selection(replace(at_churn, snapshot=worse)))) == ("churn", "accuracy")


def test_a_model_that_is_gone_gives_way_to_the_worst(make, state):
    left = make.snapshot(*make.ten_days())
    assert clamp_selection(replace(move(state, "model"), snapshot=left)).model == "fraud"


def test_the_same_metric_is_kept_from_model_to_model(make):
    lines = [
        make.series([0.9] * 10, model=model, metric=metric) for model in "ab" for metric in ("psi", "brier", "mcc")
    ]
    state = make.state(*lines, rules=[])
    assert position(move(state, "metric+2", "model")) == ("b", "mcc")


def test_an_empty_snapshot_selects_nothing_and_no_key_fails(make):
    state = make.state()
    assert position(state) == (None, None)
    assert all(position(move(state, name)) == (None, None) for name in MOVES)


def test_before_anything_is_loaded_no_key_fails():
    assert all(MOVES[name](ScreenState(), 1) is not None for name in MOVES)


@pytest.mark.parametrize(
    ("moves", "days"),
    [
        pytest.param([], (1, 10), id="all of time"),
        pytest.param(["zoom"], (5.5, 10), id="half of it, at the newest end"),
        pytest.param(["zoom", "shift-"], (3.25, 7.75), id="half a window earlier"),
        pytest.param(["zoom", "shift-", "shift"], (5.5, 10), id="and back"),
        pytest.param(["zoom", "shift-9"], (1, 5.5), id="not before the first point"),
        pytest.param(["zoom", "zoom-"], (1, 10), id="out again"),
        pytest.param(["zoom+9"], (6, 10), id="not nearer than a few points"),
        pytest.param(["zoom+2", "all_time"], (1, 10), id="all at once"),
        pytest.param(["cursor_switch", "side-5", "zoom"], (2.75, 7.25), id="around the cursor"),
        pytest.param(["zoom", "cursor_switch", "side-7"], (3, 7.5), id="the window follows the cursor"),
    ],
)
def test_the_time_range(make, moves, days):
    state = move(make.state(*make.ten_days()), *moves)
    span = time_span(snapshot_index(state.snapshot), state.selection.model, state.selection.time_window)
    first = make.start.timestamp() - DAY
    assert tuple((edge - first) / DAY for edge in span) == pytest.approx(days)


@pytest.mark.parametrize(
    ("fallen", "length"),
    [
        pytest.param(0, 59, id="a healthy model: 60 periods"),
        pytest.param(4, 27, id="a new incident: 28"),
        pytest.param(20, 59, id="an older one: three times its age"),
        pytest.param(50, 179, id="the full history where little of it would be hidden"),
    ],
)
def test_the_time_range_fits_the_incident(make, fallen, length):
    state = make.state(make.series([0.95] * (180 - fallen) + [0.8] * fallen))
    start, end = time_span(snapshot_index(state.snapshot), "fraud", None)
    assert ((end - start) / DAY, (end - make.start.timestamp()) / DAY) == (length, 179)
    everything = move(state, "all_time")
    assert time_span(snapshot_index(state.snapshot), "fraud", everything.selection.time_window)[0] == pytest.approx(
        make.start.timestamp()
    )
    assert move(everything, "all_time").selection == state.selection


def test_a_window_at_the_newest_end_follows_new_rows(make):
    state = move(make.state(*make.ten_days()), "zoom")
    longer = make.snapshot(make.series([0.9] * 12, metric="f1_score"))
    chart = chart_data(replace(state, snapshot=longer))
    assert chart.end - make.start.timestamp() == 11 * DAY


def test_the_cursor_moves_by_points_and_stays_on_them(make):
    state = make.state(make.series([0.9, 0.8, 0.7], days=[1, 2, 9]))
    start = make.start.timestamp()
    at = [
        move(state, "cursor_switch", *moves).selection.cursor
        for moves in ([], ["side-"], ["side-9"], ["side-9", "side"])
    ]
    assert [(stamp - start) / DAY for stamp in at] == [8, 1, 0, 1]


def test_a_jump_to_a_metric_that_is_not_there_looks_at_the_model(state):
    assert position(replace(state, selection=select_series(state, "churn", SeriesKey("churn", "gone")))) == (
        "churn",
        "accuracy",
    )


def test_a_window_without_points_is_shown(make):
    state = make.state(make.series([0.9, 0.9], days=[1, 90]))
    chart = chart_data(
        replace(
            state, selection=replace(state.selection, time_window=TimeWindow(DAY, make.start.timestamp() + 40 * DAY))
        )
    )
    assert chart.empty_message == "no points from 2025-02-09 to 2025-02-10 (0: full history)"


def test_the_models_that_the_next_key_may_go_to(make, state):
    models = [target for target in prefetch_targets(state) if isinstance(target, str)]
    assert models == ["fraud", "churn", "ranker"]
    nine_models = make.state(*(make.healthy(f"m{number}") for number in range(9)))
    around = [target for target in prefetch_targets(move(nine_models, "model+4")) if isinstance(target, str)]
    assert around == ["m4", "m5", "m3", "m6", "m2"]
    assert prefetch_targets(ScreenState()) == ()


def test_of_each_the_series_that_will_be_seen_then(state):
    series = [(target.model, target.metric) for target in prefetch_targets(state) if isinstance(target, SeriesKey)]
    beside = {("fraud", "recall"), ("fraud", "avg_confidence")}
    assert series[:2] == [("fraud", "f1_score"), ("churn", "accuracy")], "what is selected, then the next problem"
    assert beside < set(series)
    assert {position(move(state, "model")), position(move(state, "model+2"))} < set(series)


def test_of_one_model_alone_its_problems_are_passed_through_where_a_series_is_shown(make, state):
    assert [position(move(state, *["problem_model"] * times))[0] for times in (1, 2)] == ["churn", "fraud"]
    assert position(move(state, "problem_model-"))[0] == "churn"
    alone = make.state(*make.ten_days())
    assert position(move(alone, "problem")) != position(move(alone))
    assert move(alone, "problem_model").selection == move(alone).selection
    assert MOVES["problem_model"](ScreenState(), 1) == ScreenState().selection


@pytest.fixture
def comparing(make):
    """Models with accuracy, two of which are worst in recall and one of which has no accuracy."""
    lines = [make.healthy(name) for name in ("a", "b", "c")]
    lines += [make.series([0.95] * 9 + [0.3], model=name, metric="recall") for name in ("b", "d")]
    selection = Selection("a", SeriesKey("a", "accuracy"), comparison=ChartComparison())
    return make.state(*lines, rules=[make.floor_rule(metric="recall")], selection=selection)


@pytest.mark.parametrize(
    ("models", "target", "key", "expected", "goes_on"),
    [
        pytest.param((), "b", None, "accuracy", True, id="the metric that is compared, not the worst"),
        pytest.param((), "d", None, "recall", False, id="a model without the metric"),
        pytest.param(("a", "c"), "c", None, "accuracy", True, id="a model of the comparison"),
        pytest.param(("a", "c"), "b", None, "recall", False, id="a model outside of it"),
        pytest.param((), "b", "recall", "recall", False, id="another metric of another model"),
        pytest.param(("a", "c"), "a", "accuracy", "accuracy", True, id="the same again"),
    ],
)
def test_a_comparison_follows_its_metric_through_its_models_and_ends_elsewhere(
    comparing, models, target, key, expected, goes_on
):
    comparison = ChartComparison(models)
    state = replace(comparing, selection=replace(comparing.selection, comparison=comparison))
    selection = select_series(state, target, key and SeriesKey(target, key))
    assert selection.key == SeriesKey(target, expected)
    assert selection.comparison == (comparison if goes_on else None)


def test_another_metric_of_the_model_is_compared_in_its_place(comparing):
    at_b = replace(comparing, selection=select_series(comparing, "b"))
    assert at_b.selection.comparison is not None
    selection = select_series(at_b, "b", SeriesKey("b", "recall"))
    assert (selection.key.metric, selection.comparison) == ("recall", ChartComparison())


def test_a_comparison_of_segments_ends_with_its_model(comparing):
    by_segment = replace(comparing.selection, comparison=ChartComparison(by_segment=True))
    assert select_series(replace(comparing, selection=by_segment), "b").comparison is None


@pytest.mark.parametrize(("days", "is_kept"), [(5, False), (15, True)])
def test_a_start_keeps_a_range_only_if_the_incident_starts_in_it(make, days, is_kept):
    window = TimeWindow(days * DAY)
    state = make.state(make.series([0.95] * 50 + [0.5] * 10), selection=Selection(time_window=window))
    assert state.selection.time_window == (window if is_kept else None)
    chosen = replace(state, selection=replace(state.selection, time_window=window))
    assert clamp_selection(chosen).time_window == window, "chosen while one looks"
