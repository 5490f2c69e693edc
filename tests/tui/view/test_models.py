"""The list of models."""

from dataclasses import replace

import pytest

from modeltop.core.series import ReadProblem
from modeltop_tui.view.models import (
    describe_state,
    empty_list_message,
    list_position,
    model_cells,
    models_title,
    no_match_message,
)
from modeltop_tui.view.state import ScreenState, Selection, SortOrder, snapshot_index, visible_models
from modeltop_tui.view.styled_text import plain_text


def test_each_model_is_listed_with_its_incident_the_worst_first(fleet):
    state = ScreenState(fleet)
    assert [plain_text(model_cells(state, model, 31)) for model in visible_models(state)] == [
        "▲ fraud          acc -0.090 10d",
        "◆ churn          acc -0.040  2d",
        "● ranker         ok",
    ]


def test_what_is_no_value_is_named_with_its_age(make):
    broken = ReadProblem("gone.csv", "no such file", fatal=True)
    state = make.state(make.series([0.95] * 5, model="search"), now=make.clock, problems=[broken])
    assert describe_state(snapshot_index(state.snapshot), "search").split("  ")[0] == "no data"
    assert describe_state(snapshot_index(state.snapshot), "gone.csv").startswith("unreadable")


def test_what_is_not_confirmed_and_what_is_not_evaluated_are_no_plain_ok(make):
    pending = make.state(make.series([0.95] * 9 + [0.85]), rules=[make.floor_rule(confirm=(2, 2))])
    assert describe_state(snapshot_index(pending.snapshot), "fraud") == "ok, pending"
    unknown = make.state(make.series([0.5] * 10, metric="my-kpi"), rules=[])
    assert describe_state(snapshot_index(unknown.snapshot), "fraud") == "not evaluated"


def test_a_healthy_model_with_a_metric_without_a_newest_value_is_incomplete(fleet):
    state = ScreenState(replace(fleet, missing_values={"ranker": "accuracy has no value on 2025-01-10"}))
    assert plain_text(model_cells(state, "ranker", 31)).endswith("ok, incomplete")


@pytest.mark.parametrize(
    ("selection", "models"),
    [
        pytest.param({}, ["fraud", "churn", "ranker"], id="worst first"),
        pytest.param({"filter": "R"}, ["fraud", "churn", "ranker"], id="the filter minds no case"),
        pytest.param({"filter": "ra"}, ["fraud", "ranker"], id="the filter looks anywhere in the name"),
        pytest.param({"filter": "ra !rank"}, ["fraud"], id="each word must match, and ! excludes"),
        pytest.param({"filter": "status:CRIT"}, ["fraud"], id="by state"),
        pytest.param({"filter": "!status:ok"}, ["fraud", "churn"], id="all but a state"),
        pytest.param({"filter": "recall<0.9"}, ["fraud"], id="by the newest value of a metric"),
        pytest.param({"filter": "acc>.9"}, ["churn", "ranker"], id="by the start of the name of a metric"),
        pytest.param({"filter": 'status:warning "ur"'}, ["churn"], id="a word in quotes"),
        pytest.param({"filter": "crit"}, ["fraud", "churn", "ranker"], id="a filter without a match hides nothing"),
        pytest.param({"filter": "!"}, ["fraud", "churn", "ranker"], id="a word that is only begun"),
        pytest.param({"problems_only": True}, ["fraud", "churn"], id="problems only"),
        pytest.param({"sort": SortOrder.NAME}, ["churn", "fraud", "ranker"], id="by name"),
    ],
)
def test_which_models_are_listed(fleet, selection, models):
    assert list(visible_models(ScreenState(fleet, Selection(**selection)))) == models


def test_the_oldest_data_can_come_first(make):
    old = make.series([0.95] * 3, model="old")
    state = make.state(*make.ten_days(), old, selection=Selection(sort=SortOrder.STALE))
    assert visible_models(state)[0] == "old"


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (Selection(filter="zzz"), ""),
        (Selection(problems_only=True), "no problems (! shows all models)"),
    ],
)
def test_an_empty_list_says_why(make, selection, message):
    assert empty_list_message(make.state(make.healthy("ranker"), selection=selection)) == message


def test_the_title_has_the_filters_and_how_many_models_match(fleet):
    titles = [
        models_title(ScreenState(fleet, one)) for one in (Selection(), Selection(filter="ra", problems_only=True))
    ]
    assert titles == ["Models", "Models: 1 of 3 /ra problems"]


def test_a_filter_without_a_match_is_said(fleet):
    state = ScreenState(fleet, Selection(filter="crit"))
    assert models_title(state) == "Models /crit: no match"
    assert no_match_message(state) == 'no model matches "crit" (/ to edit, Esc to clear)'
    assert no_match_message(ScreenState(fleet, Selection(filter="ra"))) == ""


@pytest.mark.parametrize("word", ["status:unknown", "status:nodata", 'status:"no data"', "status:no"])
def test_a_model_without_data_is_found_by_each_word_for_its_state(make, word):
    silent = make.series([0.95] * 5, model="search")
    state = make.state(silent, make.healthy("ranker"), now=make.clock, selection=Selection(filter=word))
    assert visible_models(state) == ("search",)


def test_the_word_new_finds_what_the_user_has_not_seen(fleet):
    seen = {"fraud": snapshot_index(fleet).incident_states["fraud"]}
    assert visible_models(ScreenState(fleet, Selection(filter="new"), seen=seen)) == ("churn",)


@pytest.mark.parametrize(
    ("in_view", "room", "text"),
    [
        pytest.param(range(1), 40, "1-1 of 3, 1 more warning below", id="below"),
        pytest.param(range(1), 20, "1-1 of 3, ◆1 below", id="in a narrow list"),
        pytest.param(range(1), 10, "◆1 below", id="in a very narrow one"),
        pytest.param(range(1, 3), 40, "1-1 of 3, 1 more critical above", id="above"),
        pytest.param(range(2), 40, "1-1 of 3", id="what is ok is not counted"),
    ],
)
def test_the_frame_says_how_many_of_the_worst_are_out_of_view(fleet, in_view, room, text):
    assert list_position(ScreenState(fleet), "1-1 of 3", in_view, room) == text


def test_long_names_that_differ_at_the_end_stay_apart(make):
    models = ["payments-fraud-detector-eu", "payments-fraud-detector-us"]
    state = make.state(*(series for model in models for series in make.ten_days(model)))
    names = [plain_text(model_cells(state, model, 31)).split()[1] for model in models]
    assert names == ["payment…tor-eu", "payment…tor-us"]


def test_no_rows_at_all_are_shown(make):
    assert empty_list_message(make.state()) == "no models: no rows were found"
