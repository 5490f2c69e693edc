"""The alerts, the other rules, and problems."""

from dataclasses import replace
from datetime import timedelta

import pytest

from modeltop.core.incident import WatcherHealth
from modeltop.core.series import ReadProblem, SeriesKey
from modeltop.core.text import display_width
from modeltop.rules.defaults import default_rules
from modeltop.service.clock import describe_offset
from modeltop_tui.view.alerts import entries
from modeltop_tui.view.state import ScreenState, Selection
from modeltop_tui.view.styled_text import plain_text


def alert_lines(state, width=30):
    return [plain_text(line).rstrip() for entry in entries(state, width) for line in entry.lines]


def test_alerts_are_followed_by_the_rules_that_hold_and_the_other_models(make, fleet):
    state = ScreenState(fleet, Selection(model="churn", key=SeriesKey("churn", "accuracy")))
    assert alert_lines(state, 60) == [
        "◆ accuracy 0.91 < 0.92",
        "  2 periods, since Jan 9",
        "▲ fraud: f1_score 0.845 < 0.85",
        "  1 period, since Jan 10",
        "▲ fraud: accuracy 0.87 < 0.90",
        "  4 periods, since Jan 7",
    ]


def test_a_rule_that_holds_is_listed_too(make):
    assert alert_lines(make.state(make.healthy("ranker")), 60) == ["● accuracy 0.95: ok, not below 0.90"]


def test_a_rule_that_was_left_out_is_shown_with_the_reason(make):
    text = " ".join(alert_lines(make.state(make.series([0.5] * 10), rules=default_rules())))
    assert "accuracy 0.50: default limit" in text


def test_pending_is_told_apart_from_an_alert(make):
    state = make.state(make.series([0.95] * 9 + [0.85]), rules=[make.floor_rule(confirm=(2, 2))])
    assert alert_lines(state, 60) == ["  accuracy 0.85 < 0.90", "  pending: 1 period, since Jan 10"]


def test_a_silent_model_and_a_source_that_cannot_be_read_are_alerts(make):
    broken = ReadProblem("gone.csv", "no such file; check the path", fatal=True)
    state = make.state(make.series([0.95] * 5), now=make.clock, problems=[broken])
    text = " ".join(alert_lines(state, 90))
    assert "○ fraud: no rows for 5d" in text
    assert text.count("no such file; check the path") == 1


def test_the_year_is_shown_where_it_is_not_this_one(make):
    state = make.state(*make.ten_days(), clock=make.clock + 400 * make.day)
    assert "  2 periods, since 2025-01-09" in alert_lines(state)


def test_a_bad_row_is_listed_with_its_line_and_reason(make):
    state = make.state(make.healthy("a"), problems=[ReadProblem("a.csv", "'x' is no number", line=17)])
    assert "a.csv:17: 'x' is no number" in alert_lines(state, 60)


def test_errors_of_the_watcher_are_listed_in_full_with_the_command_that_settles_them(make):
    state = make.state(make.healthy("a"))
    error = describe_offset(timedelta(days=400), "modeltop watch --store /metrics --accept-clock")
    health = WatcherHealth(
        make.clock, make.clock, 7, "host", 60.0, error=error, disabled_receivers={"ops": "answered 404; next attempt 1"}
    )
    watched = replace(state, snapshot=replace(state.snapshot, watcher_health=health))
    text = " ".join(line.strip() for line in alert_lines(watched, 70))
    assert "if it is right: modeltop watch --store /metrics --accept-clock" in text
    assert "watcher: receiver ops fails: answered 404; next attempt 1" in text
    stopped = replace(watched, snapshot=replace(state.snapshot, watcher_health=replace(health, stopped=True)))
    assert "watcher" not in " ".join(alert_lines(stopped, 70))


@pytest.mark.parametrize("width", [10, 30, 46, 80])
def test_no_line_of_a_pane_is_too_wide(make, width):
    state = make.state(make.series([0.9] * 9 + [0.6], support=[1000] * 10, model="a-model-with-a-long-name"))
    lines = [line for entry in entries(state, width) for line in entry.lines]
    assert all(display_width(plain_text(line)) <= max(width, 14) for line in lines)
