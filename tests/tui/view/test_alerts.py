"""The alerts, the other rules, and problems."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from modeltop.core.diagnosis import Forecast, TrendOutlook
from modeltop.core.incident import WatcherHealth
from modeltop.core.series import ReadProblem, SeriesKey
from modeltop.core.text import display_width
from modeltop.rules.defaults import default_rules
from modeltop.service.clock import describe_offset
from modeltop_tui.view.alerts import alerts_title, describe_hidden, entries, forecast_text
from modeltop_tui.view.state import ScreenState, Selection
from modeltop_tui.view.styled_text import plain_text


def alert_lines(state, width=30, *, folded=False):
    return [plain_text(line).rstrip() for entry in entries(state, width, folded=folded) for line in entry.lines]


def test_the_alerts_of_the_selected_model_are_listed_with_their_age(make, fleet):
    state = ScreenState(fleet, Selection(model="fraud", key=SeriesKey("fraud", "accuracy")))
    assert alert_lines(state) == ["▲ accuracy 0.870 < 0.90     4d", "▲ f1_score 0.845 < 0.85     1d"]
    wide = alert_lines(state, 60)
    assert [line.split("  ")[-1].strip() for line in wide] == ["for 4 days, since 7 Jan", "for 1 day, since 10 Jan"]
    assert alerts_title(state, 30) == "Alerts of fraud: 2"
    assert alerts_title(state, 60) == "Alerts: 2 critical, none acknowledged"


@pytest.fixture
def fallen(make):
    """A model of which four metrics fell on one day, and which is less confident since."""

    def line(metric, drop, noise=0.004):
        rng = np.random.default_rng(len(metric))
        return make.series(np.append(0.95 + rng.normal(0, noise, 60), [0.95 - drop] * 4), metric=metric)

    drops = {"accuracy": 0.15, "precision": 0.15, "recall": 0.2, "f1_score": 0.2, "avg_confidence": 0.05}
    return make.state(*(line(*item) for item in drops.items()), rules=default_rules())


def test_alerts_that_started_together_share_a_line_where_they_are_folded(fallen):
    lines = alert_lines(fallen, folded=True)
    assert "◆ 4 metrics below baseline  4d" in lines
    assert lines.count("◆ less confident            4d") == 1
    unfolded = alert_lines(fallen)
    assert "◆ recall below baseline     4d" in unfolded
    assert any("recall below baseline 0.9" in line for line in alert_lines(fallen, 50))
    folded = max((entry.alerts for entry in entries(fallen, 30, folded=True)), key=len)
    assert {alert.key.metric for alert in folded} == {"accuracy", "precision", "recall", "f1_score"}


def test_a_rule_that_holds_is_listed_too(make):
    assert alert_lines(make.state(make.healthy("ranker")), 60) == ["● accuracy 0.950: ok, not below 0.90"]


def test_a_rule_that_was_left_out_is_shown_with_the_reason(make):
    text = " ".join(alert_lines(make.state(make.series([0.5] * 10), rules=default_rules())))
    assert "accuracy 0.500: default" in text


def test_what_rules_need_is_said_once_and_without_the_mark_of_what_is_ok(make):
    state = make.state(*make.ten_days(), rules=default_rules())
    lines = alert_lines(state, 90)
    assert lines[3:] == ["  baselines of 5 metrics: not evaluated, needs 10 earlier periods, has 9"]
    alone = make.state(make.series([0.95] * 10), rules=default_rules())
    assert "  accuracy baseline: not evaluated, needs 10 earlier periods, has 9" in alert_lines(alone, 90)
    assert describe_hidden(entries(state, 90), brief=False) == "3 more alerts, 5 not evaluated"
    assert describe_hidden(entries(state, 90), brief=True) == "3 more alerts"
    assert describe_hidden(entries(alone, 90), brief=False) == "1 more ok, 1 more not evaluated"


def test_a_value_on_too_few_cases_has_no_mark_of_what_is_ok(make):
    state = make.state(make.series([0.7], support=[15]), rules=[make.floor_rule(min_count=30)])
    assert alert_lines(state, 90) == ["  accuracy 0.700: only 15 cases (min 30): not evaluated"]


def test_the_alert_that_leads_the_incident_comes_first_then_the_worst_and_oldest(make):
    late = make.series([0.95] * 62 + [0.80] * 2, model="fraud", metric="f1_score")
    early = make.series([0.95] * 60 + [0.88] * 4, model="fraud")
    rules = [make.floor_rule(), replace(make.floor_rule(), name="f1", metric="f1_score")]
    state = make.state(late, early, rules=rules)
    (incident,) = state.snapshot.incidents
    assert alert_lines(state) == ["▲ accuracy 0.880 < 0.90     4d", "▲ f1_score 0.800 < 0.90     2d"]
    (f1,) = (alert.id for alert in state.snapshot.alerts if alert.key.metric == "f1_score")
    led = replace(state, snapshot=replace(state.snapshot, incidents=(replace(incident, lead=f1),)))
    assert alert_lines(led)[0] == "▲ f1_score 0.800 < 0.90     2d"


def test_rules_that_hold_on_segments_share_a_line_where_they_are_folded(make):
    segments = [make.healthy("ranker", segment=f"country={number}") for number in range(20)]
    few = make.series([0.95], model="ranker", segment="few", support=[3])
    rules = [make.floor_rule(segment="*", min_count=5)]
    state = make.state(make.healthy("ranker"), *segments, few, rules=rules)
    assert len(alert_lines(state, 60)) == 22
    assert [line.strip() for line in alert_lines(state, 60, folded=True)] == [
        "● accuracy 0.950: ok, not below 0.90",
        "● 20 rules on segments: ok",
        "1 rule on segments: not evaluated",
    ]


def test_pending_is_told_apart_from_an_alert(make):
    state = make.state(make.series([0.95] * 9 + [0.85]), rules=[make.floor_rule(confirm=(2, 2))])
    assert alert_lines(state, 40) == ["  accuracy 0.850 < 0.90       pending 1d"]
    assert alerts_title(state, 40) == "Alerts of fraud: 0"


def test_a_silent_model_and_a_source_that_cannot_be_read_are_alerts(make):
    broken = ReadProblem("gone.csv", "no such file; check the path", fatal=True)
    state = make.state(make.series([0.95] * 5), now=make.clock, problems=[broken])
    selections = (Selection(model="fraud"), Selection(model="gone.csv"))
    texts = [" ".join(alert_lines(replace(state, selection=selection), 90)) for selection in selections]
    assert "○ no rows for 5 days, expected within 2.5 days" in " ".join(texts)
    assert sum(text.count("no such file; check the path") for text in texts) == 1


def test_what_a_trend_leads_to_is_below_the_alerts(make):
    forecast = Forecast(-0.01, -0.02, -0.005, 0.001, limit=0.80, days=7.0, at=make.start + 16 * make.day, crossed=0.90)
    state = replace(make.state(*make.ten_days()), outlook=TrendOutlook(None, forecast))
    assert forecast_text(state) == "f1_score already below 0.90; 0.80 by about 17 Jan"
    assert forecast_text(replace(state, outlook=None)) == ""


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


def test_folded_alerts_on_segments_are_told_from_those_on_all_rows(make):
    names, parts = ("precision", "recall"), ("all", "country=DE", "country=FR")
    fallen = [0.95, 0.94] * 48 + [0.75] * 4
    series = [make.series(fallen, metric=name, segment=part) for part in parts for name in names]
    folded = [text.split("  ")[0] for text in alert_lines(make.state(*series, rules=default_rules()), 40, folded=True)]
    assert "◆ 2 metrics below baseline" in folded
    assert "◆ 2 segments below baseline" in folded


def test_the_name_of_the_model_in_the_title_is_cut_before_it_is_left_out(make):
    state = make.state(make.series([0.5] * 10, model="payments-fraud-detector-eu"))
    assert alerts_title(state, 30) == "Alerts of payme…r-eu: 1"
    assert alerts_title(state, 30, note="4 more alerts") == "Alerts: 1"
