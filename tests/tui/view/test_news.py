"""What is new since the user last looked, in the list, the header and the last line."""

from dataclasses import replace

import pytest

from modeltop.core.series import ReadProblem
from modeltop_tui.view.header import header_line
from modeltop_tui.view.models import model_cells
from modeltop_tui.view.news import changed_models, mark_seen, new_problems, state_changes
from modeltop_tui.view.state import ScreenState, snapshot_index
from modeltop_tui.view.styled_text import plain_text


def row(state, model):
    return plain_text(model_cells(state, model, 40))


@pytest.fixture
def state(fleet):
    return ScreenState(fleet)


@pytest.fixture
def current(fleet):
    return snapshot_index(fleet).incident_states


def test_nothing_is_new_before_anyone_has_looked(state):
    assert changed_models(state) == []
    assert "new" not in row(state, "churn")


def test_a_model_whose_state_the_user_has_not_seen_is_marked_and_named_in_a_wide_header(state, current):
    state = replace(state, seen={"fraud": current["fraud"]})
    assert changed_models(state) == ["churn"]
    assert row(state, "churn").split()[:3] == ["◆", "churn", "new"]
    assert "new" not in row(state, "fraud") + row(state, "ranker")
    assert "  new: churn  " in plain_text(header_line(state, state.snapshot.clock, 100))
    assert "data to 10 Jan" in plain_text(header_line(state, state.snapshot.clock, 70))
    assert "new:" not in plain_text(header_line(state, state.snapshot.clock, 70))


@pytest.mark.parametrize("seen", ["warning 00000000", "critical 12345678"], ids=["another incident", "another state"])
def test_another_incident_or_another_state_is_new(state, current, seen):
    assert changed_models(replace(state, seen={**current, "churn": seen})) == ["churn"]


def test_an_incident_that_ended_is_resolved_and_not_a_new_problem(state, current):
    state = replace(state, seen={**current, "ranker": "critical 12345678"})
    assert row(state, "ranker").endswith("ok, resolved")
    assert new_problems(state, 40) == ""


def test_many_new_problems_are_counted_after_the_worst(state):
    assert new_problems(replace(state, seen={}), 40) == "new: fraud and 1 more"


def test_a_model_that_was_looked_at_is_no_longer_new(state):
    state = mark_seen(replace(state, seen={}), "fraud")
    assert changed_models(state) == ["churn"]
    assert mark_seen(state, "ranker") is state


def test_an_input_that_cannot_be_read_is_no_news(make):
    before = ScreenState(make.snapshot(make.healthy("ranker")))
    broken = ReadProblem("gone.csv", "no such file", fatal=True)
    after = ScreenState(make.snapshot(make.healthy("ranker"), problems=[broken]))
    assert state_changes(before, after) == ("", False)
    assert changed_models(replace(after, seen={})) == []


def test_a_change_between_two_snapshots_is_named_by_both_states(make, fleet):
    before = ScreenState(make.snapshot(make.healthy("fraud"), make.healthy("churn"), make.healthy("ranker")))
    text, has_new_problem = state_changes(before, ScreenState(fleet))
    assert (text, has_new_problem) == ("fraud: ok → critical, churn: ok → warning", True)
    text, has_new_problem = state_changes(ScreenState(fleet), before)
    assert sorted(text.split(", ")) == ["churn: warning → ok", "fraud: critical → ok"]
    assert not has_new_problem
    assert state_changes(before, before) == ("", False)


def test_a_model_whose_data_was_removed_is_named_and_so_is_one_that_comes(make, fleet):
    without = ScreenState(make.snapshot(make.healthy("churn"), make.healthy("ranker")))
    text, has_new_problem = state_changes(ScreenState(fleet), without)
    assert sorted(text.split(", ")) == ["churn: warning → ok", "fraud: critical → not there"]
    assert not has_new_problem
    text, has_new_problem = state_changes(without, ScreenState(fleet))
    assert "fraud: not there → critical" in text.split(", ")
    assert has_new_problem
