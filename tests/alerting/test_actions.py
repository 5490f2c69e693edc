"""Two people act at once: the first wins, the second is told who, and since when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from modeltop.alerting import actions
from modeltop.alerting.grouping import group_incidents
from modeltop.alerting.state import apply_events
from modeltop.alerting.suppression import acknowledged_alerts
from modeltop.core.errors import UsageError
from modeltop.core.incident import AlertingState, Matchers
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import Alert, Condition, History, SeriesKey, Severity, State

NOON = datetime(2025, 1, 10, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def alert(name="1a2b3c4d", model="churn", metric="accuracy", **changes):
    key = SeriesKey(model, metric)
    default = Alert(name, "floor", key, Condition.THRESHOLD, State.FIRING, Severity.WARNING, NOON - DAY, NOON - DAY)
    return replace(default, **changes)


def snapshot_of(*alerts, state=None):
    """A snapshot as far as people's actions read it."""
    incidents = group_incidents(alerts, History({}, {}), MetricRegistry(), state=state)
    return SimpleNamespace(alerts=alerts, incidents=incidents)


def acknowledge(state, alert, by="ann", reason="", **changes):
    (incident,) = snapshot_of(alert, state=state).incidents
    given = {"now": NOON, "duration": DAY} | changes
    return apply_events(state, actions.acknowledge(state, incident, (alert,), by=by, reason=reason, **given))


def acknowledged_by(state, alert, now):
    """Who has an alert."""
    snapshot = snapshot_of(alert, state=state)
    return {ack.by for ack in acknowledged_alerts(snapshot.incidents, snapshot.alerts, state, now).values()}


ALERTS = [
    alert("1a2b3c4d", "churn", "accuracy"),
    alert("1a2b9999", "churn", "recall"),
    alert("beef0001", "teams/churn", "accuracy"),
    alert("beef0002", "beef", "accuracy"),
    alert("0000cafe", "gone", "accuracy", state=State.RESOLVED, resolved=NOON),
    alert(None, "young", "accuracy", state=State.PENDING),
]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("1a2b3", ["churn"]),
        ("1A2B3", ["churn"]),
        ("1a2b", ["churn"]),
        ("churn", ["churn"]),
        ("churn/recall", ["churn"]),
        ("teams/churn", ["teams/churn"]),
        ("teams/churn/accuracy", ["teams/churn"]),
        ("beef", ["beef"]),
        ("beef0", ["teams/churn", "beef"]),
        ("gone", []),
        ("0000", []),
        ("young", []),
        ("chur", []),
        ("", []),
        ("*", []),
    ],
)
def test_an_incident_is_named_by_its_model_one_of_its_metrics_or_the_start_of_an_id(target, expected):
    assert [incident.model for incident in actions.resolve_target(target, snapshot_of(*ALERTS))] == expected


def test_an_incident_answers_to_the_id_that_receivers_know_and_to_that_of_its_alert(followed):
    state = apply_events(AlertingState(), [followed(name="feed0000")])
    moved = alert(since=NOON - 2 * DAY)
    snapshot = snapshot_of(moved, state=state)
    assert actions.resolve_target("feed", snapshot) == actions.resolve_target("1a2b", snapshot) == [*snapshot.incidents]
    assert acknowledge(state, moved).acks[0].incident == "feed0000"


def test_the_second_person_is_told_who_has_it_and_since_when():
    state = acknowledge(AlertingState(), alert(), reason="rolling back")
    with pytest.raises(UsageError, match="acknowledged by ann at 10 Jan 12:00 UTC: rolling back"):
        acknowledge(state, alert(), by="bob", now=NOON + HOUR)


def test_the_same_person_may_extend_an_acknowledgement_and_keeps_the_reason():
    state = acknowledge(
        acknowledge(AlertingState(), alert(), reason="rolling back"), alert(), now=NOON + HOUR, duration=2 * DAY
    )
    (ack,) = state.acks
    assert (ack.reason, ack.at, ack.until) == ("rolling back", NOON + HOUR, NOON + HOUR + 2 * DAY)


@pytest.mark.parametrize(
    ("other", "now"),
    [
        pytest.param(alert(severity=Severity.CRITICAL), NOON + HOUR, id="it got worse"),
        pytest.param(alert(), NOON + DAY, id="the time has come"),
        pytest.param(alert(model="triage"), NOON, id="it is another"),
    ],
)
def test_another_person_may_acknowledge_once_it_is_not_in_force(other, now):
    state = acknowledge(acknowledge(AlertingState(), alert()), other, by="bob", now=now)
    assert acknowledged_by(state, other, now) == {"bob"}


@pytest.mark.parametrize("lasting", [timedelta(0), -HOUR, 31 * DAY])
def test_an_impossible_length_is_refused(lasting):
    with pytest.raises(UsageError, match="at most 30 days"):
        acknowledge(AlertingState(), alert(), duration=lasting)


def test_what_was_given_back_meanwhile_cannot_be_given_back_again():
    state = acknowledge(AlertingState(), alert())
    (ack,) = state.acks
    after = apply_events(state, actions.unacknowledge(state, ack, by="bob", now=NOON))
    assert acknowledged_by(after, alert(), NOON) == set()
    with pytest.raises(UsageError, match="no longer acknowledged by ann"):
        actions.unacknowledge(after, ack, by="eve", now=NOON)


def create_silence(matchers=None, *, start=NOON, lasting=HOUR, reason="a release", now=NOON):
    matchers = matchers or Matchers(model="churn")
    return actions.create_silence(matchers, ALERTS, start=start, end=start + lasting, by="ann", reason=reason, now=now)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"matchers": Matchers(rule="*")}, "would match everything"),
        ({"reason": " "}, "reason required"),
        ({"reason": "x" * 501}, "500 are enough"),
        ({"lasting": 31 * DAY}, "30 days at most"),
        ({"lasting": -HOUR}, "end before it starts"),
        ({"start": NOON - DAY}, "it would end 9 Jan 13:00 UTC, which is in the past"),
    ],
)
def test_a_silence_is_refused_with_the_reason(changes, error):
    with pytest.raises(UsageError, match=error):
        create_silence(**changes)


def test_different_silences_have_different_ids():
    names = {create_silence(Matchers(**{name: "x"}))[0].silence.id for name in Matchers.__slots__}
    names |= {
        create_silence(start=NOON + HOUR)[0].silence.id,
        create_silence(reason="b")[0].silence.id,
        create_silence(now=NOON + HOUR / 2)[0].silence.id,
    }
    assert len(names) == 8
    assert create_silence() == create_silence()


def test_a_silence_is_expired_once_and_by_an_unambiguous_id():
    both = [*create_silence(), *create_silence(reason="another")]
    state, (first, second) = apply_events(AlertingState(), both), [event.silence.id for event in both]
    with pytest.raises(UsageError, match="name one"):
        actions.expire_silence(state, "", by="bob", now=NOON)
    with pytest.raises(UsageError, match="no silence is called zzz"):
        actions.expire_silence(state, "zzz", by="bob", now=NOON)
    state = apply_events(state, actions.expire_silence(state, first[:7], by="bob", now=NOON + HOUR / 2))
    assert {silence.id for silence in state.silences if silence.active(NOON + HOUR / 2)} == {second}
    with pytest.raises(UsageError, match=f"silence {first} ended 10 Jan 12:30 UTC"):
        actions.expire_silence(state, first, by="eve", now=NOON + HOUR / 2)
    assert actions.expire_silence(state, "", by="eve", now=NOON + HOUR / 2)[0].silence == second, (
        "the only one that holds"
    )


@pytest.mark.parametrize(("model", "text"), [("churn", " "), ("", "x"), ("churn", "x" * 501)])
def test_an_empty_or_endless_note_is_refused(model, text):
    with pytest.raises(UsageError):
        actions.add_note(model, text, by="ann", now=NOON)
