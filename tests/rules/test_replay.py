import csv
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from modeltop.core.series import Severity, State
from modeltop.rules.replay import replay
from modeltop.rules.state_machine import AlertStateMachine

WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL
VALUES = {".": 0.95, "w": 0.91, "x": 0.88, "m": 0.903, "?": 0.10, "i": np.inf, "p": 0.10}


@pytest.fixture
def story(daily):
    """A day a character: . good, w warning, x critical, m within the margin, ? few cases, i infinite, p provisional."""

    def make(days):
        present = [number + 1 for number, sign in enumerate(days) if sign != " "]
        signs = days.replace(" ", "")
        support = np.array([5.0 if sign == "?" else 1000.0 for sign in signs])
        provisional = np.array([sign == "p" for sign in signs])
        return daily([VALUES[sign] for sign in signs], days=present, support=support, provisional=provisional)

    return make


def transitions(series, rule, day):
    """Each episode as (state, severity, day of since, day of fired, day of resolved)."""
    moments = {None: None} | {day(number): number for number in range(1, 60)}
    return [
        (alert.state.value, alert.severity.name, moments[alert.since], moments[alert.fired], moments[alert.resolved])
        for alert in replay([series], rule)[0]
    ]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        pytest.param("......", [], id="a healthy model is quiet"),
        pytest.param(".x.", [], id="a blip is never told"),
        pytest.param(".x", [("pending", "CRITICAL", 2, None, None)], id="one bad day waits"),
        pytest.param(".xx", [("firing", "CRITICAL", 2, 3, None)], id="two days in a row fire"),
        pytest.param(".xx.", [("recovering", "CRITICAL", 2, 3, None)], id="one good day is not recovery"),
        pytest.param(".xx..", [("resolved", "CRITICAL", 2, 3, 5)], id="two good days are"),
        pytest.param(".xx.x.x.", [("recovering", "CRITICAL", 2, 3, None)], id="flapping stays one alert"),
        pytest.param(".xxmm", [("firing", "CRITICAL", 2, 3, None)], id="within the margin it goes on"),
        pytest.param(".mm.", [("recovering", "WARNING", 2, 3, None)], id="the margin starts nothing critical"),
        pytest.param(".x?x", [("firing", "CRITICAL", 2, 4, None)], id="a day of few cases neither counts nor breaks"),
        pytest.param(".xx???", [("firing", "CRITICAL", 2, 3, None)], id="no data is not recovery"),
        pytest.param(".xxip", [("firing", "CRITICAL", 2, 3, None)], id="nor is infinity or an unfinished day"),
        pytest.param("?i?p??", [], id="what is not judged never alerts"),
        pytest.param(".x   x", [("firing", "CRITICAL", 2, 6, None)], id="missing days break no row"),
        pytest.param("ww", [("firing", "WARNING", 1, 2, None)], id="a warning fires as one"),
        pytest.param("wxx", [("firing", "CRITICAL", 1, 2, None)], id="it begins with its warning"),
        pytest.param("xxww", [("firing", "WARNING", 1, 2, None)], id="critical falls back to its warning"),
        pytest.param("xxww..", [("resolved", "CRITICAL", 1, 2, 6)], id="the past remembers how bad it got"),
        pytest.param("xxw", [("recovering", "CRITICAL", 1, 2, None)], id="on its way back it is recovering"),
        pytest.param(
            "xx...xx",
            [("resolved", "CRITICAL", 1, 2, 4), ("firing", "CRITICAL", 6, 7, None)],
            id="after recovery a new alert begins",
        ),
    ],
)
def test_people_hear_only_of_changes_that_last(story, floor, day, days, expected):
    rule = floor(0.90, 0.92, margin=0.005, confirm=2, recover=2, min_count=30)
    assert transitions(story(days), rule, day) == expected


@pytest.mark.parametrize(
    ("confirm", "days", "expected"),
    [
        pytest.param((1, 3), "xx", [("firing", "WARNING", 1, 1, None)], id="critical waits while its warning is told"),
        pytest.param((1, 3), "xxx", [("firing", "CRITICAL", 1, 1, None)], id="and then the same alert gets worse"),
        pytest.param((3, 1), "wx", [("firing", "CRITICAL", 1, 2, None)], id="critical at once needs no warning before"),
        pytest.param((3, 1), "ww", [("pending", "WARNING", 1, None, None)], id="a warning may wait longer"),
    ],
)
def test_each_level_waits_for_its_own_number_of_days(story, floor, day, confirm, days, expected):
    assert transitions(story(days), floor(0.90, 0.92, confirm=confirm), day) == expected


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        pytest.param("x  x", [("firing", "CRITICAL", 1, 4, None)], id="a silence of just max_gap breaks nothing"),
        pytest.param("x   x", [("pending", "CRITICAL", 5, None, None)], id="a longer one starts anew"),
        pytest.param("x ? x", [("pending", "CRITICAL", 5, None, None)], id="a day not judged is silence"),
        pytest.param("xx      x", [("firing", "CRITICAL", 1, 2, None)], id="what fires goes on through any silence"),
    ],
)
def test_a_long_silence_starts_the_count_anew_but_ends_nothing(story, floor, day, days, expected):
    rule = floor(confirm=2, min_count=30, max_gap=timedelta(days=3))
    assert transitions(story(days), rule, day) == expected


def test_periods_before_a_long_silence_are_not_counted(story, floor):
    (alert,) = replay([story("x   x")], floor(confirm=2, max_gap=timedelta(days=3)))[0]
    assert alert.periods == 1


def test_what_is_active_keeps_its_beginning_through_a_long_silence(floor, day):
    machine = AlertStateMachine(floor(max_gap=timedelta(days=3)))
    for number in (1, 9):
        machine.advance(day(number), CRITICAL)
    assert (machine.since, machine.state) == (day(1), State.FIRING)


def test_an_episode_tells_its_worst_and_its_newest_value(daily, floor):
    support = np.array([10.0, 20.0, 30.0, 40.0, 50.0, np.nan])
    series = daily([0.95, 0.87, 0.84, 0.91, 0.95, 0.95], support=support)
    (alert,) = replay([series[:5]], floor(0.90, 0.92, recover=2))[0]
    assert (alert.worst_breach.message, alert.breach.message) == ("0.840 < 0.90", "0.910 < 0.92")
    assert (alert.periods, alert.count, alert.state) == (4, 40.0, State.RECOVERING)
    (ended,) = replay([series], floor(0.90, 0.92, recover=2))[0]
    assert (ended.periods, ended.count, ended.state) == (4, 40.0, State.RESOLVED)


def test_of_a_thousand_breached_periods_the_worst_the_newest_and_their_number_are_told(daily, floor):
    values = np.full(1_200, 0.95)
    values[100:1_100] = 0.85 + np.arange(1_000) / 1e5
    values[700] = 0.5
    (alert,) = replay([daily(values)], floor(0.90))[0]
    assert (alert.periods, alert.worst_breach.value, alert.breach.value) == (1_000, 0.5, values[1_099])
    (ongoing,) = replay([daily(values[:1_100])], floor(0.90))[0]
    assert (ongoing.state, ongoing.periods, ongoing.resolved) == (State.FIRING, 1_000, None)


def test_part_of_a_series_has_every_column_of_it(daily):
    numbers = np.arange(5.0)
    columns = dict.fromkeys(("support", "rows", "low", "high"), numbers)
    series = replace(daily(numbers, provisional=numbers > 3, **columns), proportion=True, usual_delay=7.0)
    for part in (series[1:3], series[np.array([1, 2])], series[(numbers > 0) & (numbers < 3)]):
        for name in series.__slots__:
            whole, own = getattr(series, name), getattr(part, name)
            assert (own == whole[1:3]).all() if isinstance(whole, np.ndarray) else own == whole


def test_the_worst_value_is_never_one_that_only_the_margin_holds(daily, floor):
    (alert,) = replay([daily([0.8999, 0.9049, 0.9049])], floor(margin=0.005))[0]
    assert (alert.worst_breach.message, alert.breach.message) == ("0.8999 < 0.90", "0.905 within 0.005 of 0.90")


def test_the_row_count_may_hold_a_point_but_is_no_support(daily, floor):
    series = daily([0.5, 0.8, 0.8], rows=np.array([5.0, 500.0, 500.0]))
    (alert,) = replay([series], floor(min_count=30))[0]
    assert (alert.count, alert.periods) == (None, 2)


def test_an_alert_keeps_its_name_while_it_lasts_and_shares_it_with_no_other(daily, floor):
    names = {replay([daily([0.8] * length)], floor())[0][0].id for length in (1, 2, 5)}
    assert names == {
        "a9f14540"
    }  # printf of rule, model, metric, segment, condition, since with NUL between | sha256sum
    others = [
        replay([daily([0.8], model="other")], floor())[0],
        replay([daily([0.8], segment="country=DE")], floor())[0],
        replay([daily([0.9, 0.8])], floor())[0],
    ]
    assert len(names.union(*({alert.id for alert in alerts} for alerts in others))) == 4


def test_a_pending_alert_has_no_name_yet(daily, floor):
    (alert,) = replay([daily([0.8])], floor(confirm=2))[0]
    assert (alert.id, alert.fired, alert.is_active) == (None, None, False)


def test_hostile_names_can_be_named(daily, floor):
    (alert,) = replay([daily([0.8], model="\ud800\x1b[2J")], floor())[0]
    assert len(alert.id) == 8


@pytest.mark.parametrize("metric", ["accuracy", "f1_score"])
def test_no_real_alert_rests_on_a_handful_of_games(daily, floor, reference_data, metric):
    with reference_data("forecast_history.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row[metric]]
    values, games = np.array([float(row[metric]) for row in rows]), np.array([float(row["count"]) for row in rows])
    blamed = {0: set(), 30: set()}
    for model in {row["model"] for row in rows}:
        mine = [row["model"] == model for row in rows]
        for min_count, blamed_values in blamed.items():
            alerts = replay([daily(values[mine], rows=games[mine])], floor(0.65, min_count=min_count))[0]
            blamed_values.update(breach.value for alert in alerts for breach in (alert.breach, alert.worst_breach))
    assert blamed[30] <= set(values[games >= 30])
    assert not blamed[0] <= set(values[games >= 30])
