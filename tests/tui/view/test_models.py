"""The list of models."""

from dataclasses import replace

import pytest

from modeltop_tui.view.models import empty_list_message, model_cells
from modeltop_tui.view.state import ScreenState, Selection, SortOrder, visible_models
from modeltop_tui.view.styled_text import plain_text


def test_each_model_has_a_shape_and_a_word_worst_first(make, fleet):
    state = ScreenState(fleet)
    assert [plain_text(model_cells(state, model)) for model in visible_models(state)] == [
        "▲CRIT fraud",
        "◆WARN churn",
        "●     ranker",
    ]


def test_a_wide_list_says_what_is_wrong_too(fleet):
    lines = [plain_text(model_cells(ScreenState(fleet), model, 60)) for model in visible_models(ScreenState(fleet))]
    assert lines == [
        "▲CRIT fraud  f1_score 0.845 < 0.85 for 1 period, since 2025-01-10",
        "◆WARN churn  accuracy 0.91 < 0.92 for 2 periods, since 2025-01-09",
        "●     ranker",
    ]


def test_a_wide_list_says_which_metric_of_a_healthy_model_has_no_newest_value(fleet):
    text = "accuracy has no value on 2025-01-10, evaluated up to 2025-01-09"
    statuses = tuple(
        replace(status, sentence=text) if status.model == "ranker" else status for status in fleet.model_statuses
    )
    state = ScreenState(replace(fleet, model_statuses=statuses, missing_values={"ranker": text}))
    assert plain_text(model_cells(state, "ranker", 80)) == f"●     ranker  {text}"


@pytest.mark.parametrize(
    ("selection", "models"),
    [
        pytest.param({}, ["fraud", "churn", "ranker"], id="worst first"),
        pytest.param({"filter": "R"}, ["fraud", "churn", "ranker"], id="the filter minds no case"),
        pytest.param({"filter": "ra"}, ["fraud", "ranker"], id="the filter looks anywhere in the name"),
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
        (Selection(filter="zzz"), "no model has zzz in its name: / changes the filter"),
        (Selection(problems_only=True), "no problems: ! shows all models"),
    ],
)
def test_an_empty_list_says_why(make, selection, message):
    assert empty_list_message(make.state(make.healthy("ranker"), selection=selection)) == message


def test_no_rows_at_all_are_shown(make):
    assert empty_list_message(make.state()) == "no models: no rows were found"
