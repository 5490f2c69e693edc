"""The first and the last line."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from modeltop.core.incident import SharedStart
from modeltop.core.series import Condition, ReadProblem, Severity
from modeltop.core.text import display_width
from modeltop_tui.view.header import data_age, header_line, keys_line, shared_line, tabs_line
from modeltop_tui.view.state import ScreenState, SortOrder, snapshot_index
from modeltop_tui.view.styled_text import plain_text


@pytest.fixture
def state(make):
    return make.state(*make.ten_days("fraud-detector"), make.healthy("ranker"))


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (80, "2 models: ▲1 critical  ●1 ok" + " " * 29 + "data to 10 Jan, 3 m old"),
        (60, "2 models: ▲1 critical  ●1 ok" + " " * 9 + "data to 10 Jan, 3 m old"),
        (40, "2 models: ▲1 critical  ●1 ok" + " " * 5 + "3 m old"),
        (32, "▲1 ●1" + " " * 4 + "data to 10 Jan, 3 m old"),
        (17, "▲1 ●1     3 m old"),
    ],
)
def test_the_least_important_goes_first_and_the_severities_never(state, make, width, text):
    assert plain_text(header_line(state, make.clock, width)).rstrip() == text


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (100, "9 models dropped on 26 Mar, 4 models have no data since 1 Apr: look for a shared cause"),
        (60, "9 models dropped on 26 Mar: look for a shared cause"),
        (30, "9 models dropped on 26 Mar"),
    ],
)
def test_what_models_share_is_as_long_as_there_is_room_for(state, make, width, text):
    sentences = [(9, "models dropped on 26 Mar"), (4, "models have no data since 1 Apr")]
    shared = tuple(
        SharedStart(Condition.THRESHOLD, ("a",) * count, make.start, f"{count} {clause}: look for a shared cause")
        for count, clause in sentences
    )
    state = replace(state, snapshot=replace(state.snapshot, shared_starts=shared))
    assert plain_text(shared_line(state, width)).rstrip() == text


@pytest.mark.parametrize(
    ("change", "text"),
    [
        pytest.param({"paused": True}, "PAUSED", id="paused"),
        pytest.param({"error": "not read: disk gone"}, "not read: disk gone", id="the last look failed"),
        pytest.param({"selection": {"sort": SortOrder.NAME}}, "by name", id="another order"),
    ],
)
def test_what_differs_from_the_usual_is_shown(state, make, change, text):
    selection = replace(state.selection, **change.pop("selection", {}))
    assert text in plain_text(header_line(replace(state, selection=selection, **change), make.clock, 120))


def test_sources_that_cannot_be_read_and_bad_rows_are_counted(make):
    problems = [ReadProblem("b.csv", "permission denied", fatal=True), ReadProblem("a.csv", "no number", line=3)]
    state = make.state(*make.ten_days(), problems=problems)
    text = plain_text(header_line(state, make.clock, 140))
    assert "1 error: b.csv: permission denied; 1 problem" in text


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (100, "2 models: ▲1 critical  ○1 unknown  1 error: /var/lib/metrics/b.csv: permi…; 1 problem  3 m old"),
        (90, "▲1 ○1  1 error: /var/lib/metrics/b.csv:…; 1 problem  data to 10 Jan, 3 m old"),
        (54, "▲1 ○1  1 error; 1 problem  data to 10 Jan, 3 m old"),
        (44, "▲1 ○1  1 error; 1 problem  3 m old"),
    ],
)
def test_trouble_is_shortened_before_it_is_left_out(make, width, text):
    problems = [ReadProblem("/var/lib/metrics/b.csv", "permission denied", fatal=True), ReadProblem("a", "b", line=3)]
    state = make.state(*make.ten_days(), problems=problems)
    assert re.sub("  +", "  ", plain_text(header_line(state, make.clock, width))) == text


def test_unknown_ranks_between_critical_and_warning(make, fleet):
    silent = make.series([0.9] * 5, model="search")
    index = make.snapshot(*make.ten_days(), silent, now=make.clock)
    assert snapshot_index(index).state_counts == {(Severity.CRITICAL, "critical"): 1, (Severity.UNKNOWN, "no data"): 1}
    for snapshot, text in ((index, "▲1 critical  ○1 no data"), (fleet, "▲1 critical  ◆1 warning  ●1 ok")):
        assert text in plain_text(header_line(ScreenState(snapshot), make.clock, 100))


@pytest.mark.parametrize(
    ("later", "text"),
    [
        (timedelta(seconds=0), "3 m old"),
        (timedelta(seconds=-130), "<1 m old"),
        (timedelta(minutes=57), "1 h old"),
        (timedelta(days=-1), "dated ahead"),
    ],
)
def test_the_age_is_true_and_coarse(state, make, later, text):
    assert data_age(state, make.clock + later) == text


def test_before_the_first_look_the_line_says_so(make):
    assert "loading 3/40 files" in plain_text(header_line(ScreenState(loading="loading 3/40 files"), make.clock, 80))


@pytest.mark.parametrize("width", [20, 30, 40, 60, 80])
def test_help_and_quit_are_the_last_keys_to_go(width):
    keys = [("↑↓", "model"), ("←→", "metric"), ("z", "zoom"), ("e", "next problem"), ("?", "help"), ("q", "quit")]
    line = plain_text(keys_line(keys, width))
    assert line.rstrip().endswith("? help  q quit")
    assert display_width(line) == width


def test_tabs_shrink_to_their_digits():
    names = ["Models", "Metrics", "Chart", "Alerts", "Changes"]
    assert plain_text(tabs_line(names, 3, 80)).rstrip() == " 1 Models  2 Metrics  3 Chart  4 Alerts  5 Changes"
    assert plain_text(tabs_line(names, 3, 40)).rstrip() == " 1  2  3 Chart  4  5"


def test_an_unreliable_clock_is_named_in_any_width(state):
    doubted = replace(state, snapshot=replace(state.snapshot, clock_doubt="the newest rows are up to 2h in the future"))
    wide, narrow = (plain_text(header_line(doubted, state.snapshot.clock, width)) for width in (200, 80))
    assert "clock unreliable: the newest rows are up to 2h in the future" in wide
    assert "clock unreliable" in narrow
