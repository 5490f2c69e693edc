"""Alerts become incidents of models: which belong together, which one leads, when it started, how far it fell."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.alerting.grouping import group_incidents, ordered_incidents, with_incident_starts
from modeltop.core.incident import IncidentStatus
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import Alert, Breach, Condition, Direction, History, Series, SeriesKey, Severity, State

CATALOG = MetricRegistry()
DAY = timedelta(days=1)
FIRST = datetime(2025, 1, 1, tzinfo=UTC)
WARNING, UNKNOWN, CRITICAL = Severity.WARNING, Severity.UNKNOWN, Severity.CRITICAL
THRESHOLD, NO_DATA = Condition.THRESHOLD, Condition.NO_DATA


def day(number):
    return FIRST + (number - 1) * DAY


def alert(metric, fired, resolved=None, *, severity=CRITICAL, since=None, segment="all", model="triage", **changes):
    state = State.FIRING if resolved is None else State.RESOLVED
    breach = Breach(severity, 0.8, 0.9, "0.800 < 0.90")
    given = {"condition": THRESHOLD, "rule": "floor"} | changes
    name = f"{metric}-{segment}-{fired}-{given['rule']}"
    key, began = SeriesKey(model, metric, segment), day(fired if since is None else since)
    ended = None if resolved is None else day(resolved)
    about = (given["rule"], key, given["condition"], state, severity)
    return Alert(name, *about, began, day(fired), ended, breach, breach)


def series(metric, values, *, better=Direction.HIGHER, rows=None, segment="all", model="triage"):
    times = np.array([day(number + 1).replace(tzinfo=None) for number in range(len(values))], "datetime64[us]")
    counts = None if rows is None else np.array(rows, float)
    return Series(SeriesKey(model, metric, segment), better, times, np.array(values, float), rows=counts)


def history(*all_series, days=60):
    times = series("x", [0.0] * days).times
    models = {one.key.model: one.times for one in all_series} or {"triage": times}
    return History({one.key: one for one in all_series}, models)


def incidents(alerts, data=None, models=("triage",)):
    return ordered_incidents(group_incidents(alerts, data or history(), CATALOG), models)


def only(*alerts, data=None):
    (incident,) = incidents(alerts, data)
    return incident


def test_all_alerts_of_a_model_that_overlap_are_one_incident():
    incident = only(alert("accuracy", 10), alert("recall", 11, 13), alert("accuracy", 12, segment="region=north"))
    assert incident.alerts == ("accuracy-all-10-floor", "recall-all-11-floor", "accuracy-region=north-12-floor")
    assert (incident.status, incident.severity) == (IncidentStatus.OPEN, CRITICAL)


def test_two_models_are_two_incidents_in_the_order_of_models():
    found = incidents([alert("accuracy", 10), alert("accuracy", 9, model="churn")], models=("churn", "triage"))
    assert [incident.model for incident in found] == ["churn", "triage"]


def test_resolved_incidents_follow_newest_first():
    found = incidents([alert("accuracy", 2, 3), alert("accuracy", 40), alert("accuracy", 20, 22)])
    assert [incident.resolved_at for incident in found] == [None, day(22), day(3)]
    assert [incident.status for incident in found][1:] == [IncidentStatus.RESOLVED] * 2


@pytest.mark.parametrize(("fired", "count"), [(12, 1), (13, 2)])
def test_an_alert_within_two_usual_gaps_of_the_end_belongs_to_the_same_incident(fired, count):
    assert len(incidents([alert("accuracy", 5, 10), alert("recall", fired)])) == count


def test_the_id_is_that_of_the_model_and_its_first_alert():
    first = only(alert("accuracy", 10))
    assert first.id == only(alert("recall", 10), alert("precision", 11)).id
    assert len({first.id, only(alert("accuracy", 11)).id}) == 2


@pytest.mark.parametrize(
    ("alerts", "lead"),
    [
        ([alert("recall", 5, severity=WARNING), alert("recall", 9, rule="slide")], "recall-all-9-slide"),
        ([alert("*", 5, severity=UNKNOWN, condition=NO_DATA), alert("psi", 9, severity=WARNING)], "psi-all-9-floor"),
        ([alert("psi", 5), alert("ece", 9)], "ece-all-9-floor"),
        ([alert("ece", 5), alert("recall", 9)], "recall-all-9-floor"),
        ([alert("accuracy", 5, segment="region=north"), alert("recall", 9)], "recall-all-9-floor"),
        ([alert("recall", 5), alert("accuracy", 9)], "accuracy-all-9-floor"),
        ([alert("recall", 5), alert("rmse", 5), alert("mae", 9)], "mae-all-9-floor"),
        ([alert("avg_confidence", 5, severity=WARNING), alert("recall", 9, severity=WARNING)], "recall-all-9-floor"),
        ([alert("recall", 9), alert("precision", 5)], "precision-all-5-floor"),
        ([alert("recall", 9), alert("precision", 9)], "precision-all-9-floor"),
        ([alert("accuracy", 5, 7), alert("recall", 6)], "recall-all-6-floor"),
    ],
    ids=[
        "the worse",
        "a warning before what is unknown",
        "calibration before drift",
        "performance before calibration",
        "all rows before a segment",
        "accuracy before what derives from it",
        "mae before the other errors",
        "performance before confidence",
        "of equals the earlier",
        "then by name",
        "an active one before a resolved one",
    ],
)
def test_the_lead_is(alerts, lead):
    assert only(*alerts).lead == lead


def test_of_equals_that_fired_together_the_one_further_from_its_baseline_leads():
    healthy = [0.90, 0.92] * 10
    data = history(series("precision", [*healthy, 0.85]), series("recall", [*healthy, 0.60]))
    assert only(alert("precision", 21), alert("recall", 21), data=data).key.metric == "recall"


def test_size_alone_never_moves_the_lead_later():
    healthy = [0.90, 0.92] * 10
    data = history(series("precision", [*healthy, 0.7, 0.1]), series("recall", [*healthy, 0.60, 0.60]))
    assert only(alert("precision", 21), alert("recall", 21), data=data).key.metric == "recall"


def test_a_sudden_fall_starts_with_its_first_period():
    data = history(series("accuracy", [*[0.95, 0.96] * 15, 0.80, 0.70, 0.82], rows=[*[500] * 30, 100, 100, 200]))
    incident = only(alert("accuracy", 31), data=data)
    assert incident.started_at == day(31)
    assert incident.before == pytest.approx(0.955)
    assert incident.after == pytest.approx((0.80 + 0.70 + 2 * 0.82) / 4)
    assert (incident.worst_value, incident.worst_at, incident.now) == (0.70, day(32), 0.82)


def test_the_mean_of_an_incident_ends_with_its_last_bad_period():
    values = [*[0.95, 0.96] * 15, 0.80, 0.82, 0.94, 0.945]
    incident = only(alert("accuracy", 31), data=history(series("accuracy", values)))
    assert incident.after == pytest.approx(0.81)
    assert (incident.last_bad_at, incident.now) == (day(32), 0.945)


def test_a_decline_from_the_first_period_on_starts_with_it_and_has_its_value_before():
    data = history(series("accuracy", [0.96 - 0.01 * step for step in range(10)]))
    incident = only(alert("accuracy", 9), data=data)
    assert (incident.started_at, incident.before, incident.now) == (day(1), 0.96, pytest.approx(0.87))


def test_other_metrics_are_compared_with_the_same_periods_before():
    recall = series("recall", [*[0.9, 0.8] * 15, 0.5, 0.4])
    data = history(series("accuracy", [*[0.95, 0.96] * 15, 0.80, 0.82]), recall)
    assert only(alert("accuracy", 31), data=data).level_before(recall) == pytest.approx(0.85)


def test_alerts_against_a_baseline_start_with_the_incident_and_those_about_a_limit_with_the_limit():
    healthy = [0.951, 0.953, 0.95, 0.952, 0.949] * 6
    data = history(series("accuracy", [*healthy, *(0.951 - 0.01 * step for step in range(1, 16))]))
    drop, limit = alert("accuracy", 36, rule="drop"), alert("accuracy", 38)
    drop = replace(drop, breach=replace(drop.breach, is_baseline=True))
    found = incidents([drop, limit], data)
    started, unchanged = with_incident_starts([drop, limit], found, data)
    assert found[0].lead == drop.id
    assert started.since == found[0].started_at < drop.since
    assert started.periods - drop.periods == (drop.since - started.since).days
    assert unchanged is limit


def test_an_error_gets_worse_upwards():
    data = history(series("mae", [*[28.0, 29.0] * 15, 434.0, 30.0], better=Direction.LOWER))
    incident = only(alert("mae", 31), data=data)
    assert (incident.worst_value, incident.now) == (434.0, 30.0)


def test_a_slide_starts_before_it_crosses_the_limit():
    healthy = [0.951, 0.953, 0.95, 0.952, 0.949] * 6
    slide = [0.951 - 0.01 * step for step in range(1, 16)]
    data = history(series("accuracy", healthy + slide))
    started_at = only(alert("accuracy", 36), data=data).started_at
    assert day(30) <= started_at <= day(34)


def test_a_change_that_another_incident_ended_with_is_not_its_start():
    values = [*[0.95, 0.96] * 10, *[0.85, 0.86] * 10, *[0.80, 0.81] * 3]
    data = history(series("accuracy", values))
    now, _ = incidents([alert("accuracy", 21, 30), alert("accuracy", 41)], data)
    assert now.started_at == day(41)


def test_no_data_starts_with_the_newest_row_and_has_no_numbers():
    data = history(series("accuracy", [0.95] * 30))
    incident = only(alert("*", 33, severity=UNKNOWN, condition=NO_DATA), data=data)
    assert incident.started_at == day(30)
    assert (incident.before, incident.after, incident.worst_value, incident.now) == (None,) * 4


def test_once_resolved_the_severity_is_the_highest_reached_and_the_numbers_end_with_it():
    data = history(series("accuracy", [*[0.95] * 30, 0.7, 0.8, 0.96, 0.97]))
    incident = only(alert("accuracy", 31, 33), alert("recall", 31, 32, severity=WARNING), data=data)
    assert (incident.severity, incident.now, incident.resolved_at) == (CRITICAL, 0.8, day(33))


LEVELS = st.sampled_from([0.95, 0.96, 0.94, 0.7, 0.6])
SPANS = st.tuples(
    st.sampled_from(["accuracy", "recall", "psi", "ece"]), st.integers(3, 30), st.integers(1, 10), st.integers(0, 3)
)


@given(st.lists(LEVELS, min_size=45, max_size=45), st.lists(SPANS, min_size=1, max_size=8), st.integers(3, 44))
def test_later_rows_change_no_grouping_and_no_start(values, spans, moment):
    data = history(series("accuracy", values))
    past = history(series("accuracy", values[:moment]))
    whole = [alert(metric, fired, fired + length, since=fired - lag) for metric, fired, length, lag in spans]
    known = [
        alert(metric, fired, fired + length if fired + length <= moment else None, since=fired - lag)
        for metric, fired, length, lag in spans
        if fired <= moment
    ]
    by_id = {incident.id: incident for incident in incidents(whole, data)}
    for incident in incidents(known, past):
        later = by_id[incident.id]
        assert set(incident.alerts) <= set(later.alerts)
        assert not set(later.alerts) - set(incident.alerts) & {one.id for one in known}
        fired = max(one.fired for one in known if one.id == incident.lead)
        if later.lead == incident.lead and day(moment) >= fired + 2 * DAY:
            assert later.started_at == incident.started_at
