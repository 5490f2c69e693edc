"""An incident is told whole, in the order of time, and nothing of another model's."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.alerting.timeline import TimelineEntry, build_timeline
from modeltop.core.event import (
    Acknowledged,
    IncidentTransition,
    NoteAdded,
    NotificationAction,
    NotificationReason,
    SendStarted,
    SilenceCreated,
    SilenceExpired,
    Unacknowledged,
)
from modeltop.core.incident import Acknowledgement, IncidentStatus, Matchers, Note, Silence
from modeltop.core.series import Severity
from modeltop.report.timeline import timeline_lines

NOON = datetime(2025, 1, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def at(hours):
    return NOON + hours * HOUR


def ack(hours, by="ann", name="1a2b3c4d"):
    return Acknowledged(
        at(hours), Acknowledgement(name, "churn", Severity.WARNING, by, "rolling back", at(hours), at(30), NOON, NOON)
    )


def silence(hours, lasting, name="5e5e5e5e", model="churn"):
    created = Silence(name, Matchers(model=model), at(hours), at(hours + lasting), "bob", "a release", at(hours))
    return SilenceCreated(at(hours), created)


def noted(hours, text, model="churn"):
    return NoteAdded(at(hours), Note(model, text, "eve", at(hours)))


@pytest.fixture
def life(followed, sent, delivery):
    """An incident that fired, was told, taken, got worse, was silenced and ended; and what belongs to others."""
    worse = {"level": Severity.CRITICAL, "peak_severity": Severity.CRITICAL}
    over = worse | {"resolved_at": at(9), "closed_at": at(9), "status": IncidentStatus.RESOLVED}
    return [
        followed(at=at(0)),
        SendStarted(at(0), (delivery(),)),
        sent(at=at(1)),
        followed(at=at(1), name="0ther000", model="other"),
        sent(at=at(1), name="0ther000", model="other", to="pager"),
        ack(2),
        noted(3, "v2 is out"),
        noted(3, "not about it", "other"),
        followed(IncidentTransition.ESCALATED, at=at(4), message="0.810 < 0.85", **worse),
        SendStarted(
            at(4),
            (delivery(NotificationAction.TRIGGER, NotificationReason.ESCALATED, to="mail", level=Severity.CRITICAL),),
        ),
        sent(
            NotificationAction.TRIGGER,
            NotificationReason.ESCALATED,
            at=at(5),
            to="slack",
            level=Severity.CRITICAL,
            given_up="404 no such hook",
        ),
        Unacknowledged(at(6), "1a2b3c4d", "bob"),
        silence(7, 24),
        SilenceExpired(at(8), "5e5e5e5e", "eve"),
        silence(7, 24, "0ther000", "other"),
        silence(-9, 1, "before00"),
        followed(IncidentTransition.RESOLVED, at=at(9), **over),
        noted(20, "long after"),
        silence(20, 1, "after000"),
    ]


def test_an_incident_is_reported_from_its_first_event_to_its_last(life):
    (incident_timeline,) = build_timeline(life, "churn").incidents
    assert [
        ((entry.at - NOON) / HOUR, entry.event, entry.actor, entry.text) for entry in incident_timeline.entries
    ] == [
        (0, "fired", "", "0.870 < 0.90"),
        (1, "notified", "slack", "warning"),
        (2, "acknowledged", "ann", "rolling back"),
        (3, "noted", "eve", "v2 is out"),
        (4, "worse", "", "0.810 < 0.85"),
        (4, "ack-ended", "ann", "the incident got worse"),
        (4, "sending", "mail", "critical, got worse"),
        (5, "abandoned", "slack", "critical, got worse: 404 no such hook"),
        (6, "unacknowledged", "bob", ""),
        (7, "silenced", "bob", "until 11 Jan 19:00 UTC: a release"),
        (8, "silence-ended", "eve", ""),
        (9, "resolved", "", "0.870 < 0.90"),
    ]
    assert (incident_timeline.id, incident_timeline.incident.peak_severity) == ("1a2b3c4d", Severity.CRITICAL)


def test_every_note_about_the_model_is_reported_whenever_it_was(life):
    timeline = build_timeline([*life, noted(-999, "of all", "*")], "churn")
    assert [note.text for note in timeline.notes] == ["of all", "v2 is out", "long after"]


def test_what_arrived_at_the_second_attempt_is_reported_once(followed, sent, delivery):
    tries = [SendStarted(at(1), (delivery(),)), SendStarted(at(2), (delivery(),))]
    (incident_timeline,) = build_timeline([followed(), *tries], "churn").incidents
    assert [(entry.at, entry.event) for entry in incident_timeline.entries][1:] == [(at(1), "sending")]
    (incident_timeline,) = build_timeline([followed(), *tries, sent(at=at(3))], "churn").incidents
    assert [(entry.at, entry.event) for entry in incident_timeline.entries][1:] == [(at(3), "notified")]


def test_what_a_person_acknowledged_without_a_watcher_is_reported_too():
    (incident_timeline,) = build_timeline([ack(0), noted(1, "v2")], "churn").incidents
    assert (incident_timeline.incident, [entry.event for entry in incident_timeline.entries]) == (
        None,
        ["acknowledged", "noted"],
    )


def test_a_silence_of_an_incident_that_no_watcher_saw_is_reported_too():
    events = [ack(0), Unacknowledged(at(1), "1a2b3c4d", "bob"), silence(2, 24), silence(2, 24, "0ther000", "other")]
    (incident_timeline,) = build_timeline(events, "churn").incidents
    assert [entry.event for entry in incident_timeline.entries] == ["acknowledged", "unacknowledged", "silenced"]


def test_a_silence_without_an_incident_is_reported_with_its_end():
    alone = build_timeline([silence(2, 24), silence(3, 24, "0ther000", "other"), noted(1, "v2")], "churn", at(27))
    assert (alone.incidents, [(entry.at, entry.event) for entry in alone.silences]) == (
        (),
        [(at(2), "silenced"), (at(26), "silence-ended")],
    )
    lines = [line.split("UTC  ")[1] for line in timeline_lines(alone, "churn", at(27))]
    assert lines == ["note by eve: v2", "silenced by bob: until 11 Jan 14:00 UTC: a release", "silence ended"]


def test_a_silence_of_an_incident_is_not_reported_twice(followed):
    timeline = build_timeline([followed(), silence(2, 24)], "churn", at(3))
    assert [entry.event for entry in timeline.incidents[0].entries] == ["fired", "silenced"]
    assert timeline.silences == ()


def test_the_open_incident_of_the_data_is_reported_where_no_watcher_recorded_one(followed):
    recorded = followed(at=at(-48))
    events = [ack(0), silence(2, 24), noted(3, "still looking")]
    entries = (TimelineEntry(at(-48), "fired", "", "0.870 < 0.90"), TimelineEntry(at(-24), "joined", "", "0.8 < 0.85"))
    (incident_timeline,) = build_timeline(events, "churn", current=(recorded.incident, entries)).incidents
    assert [(entry.event, entry.text) for entry in incident_timeline.entries] == [
        ("fired", "0.870 < 0.90"),
        ("joined", "0.8 < 0.85"),
        ("acknowledged", "rolling back"),
        ("silenced", "until 11 Jan 14:00 UTC: a release"),
        ("noted", "still looking"),
    ]
    known = build_timeline([recorded], "churn", current=(recorded.incident, entries)).incidents
    assert [entry.text for (one,) in [known] for entry in one.entries] == ["0.870 < 0.90"]


def test_a_note_on_an_incident_that_is_open_is_part_of_it(followed):
    (incident_timeline,) = build_timeline([followed(), noted(9999, "still looking")], "churn").incidents
    assert [entry.event for entry in incident_timeline.entries] == ["fired", "noted"]


def test_of_an_unknown_model_nothing_is_reported(life):
    assert (build_timeline(life, "chur").incidents, build_timeline(life, "chur").notes) == ((), ())


@given(data=st.data())
def test_any_events_make_a_timeline_in_order(alike_events, data):
    events = data.draw(alike_events)
    timeline = build_timeline(events, "a")
    for incident_timeline in timeline.incidents:
        moments = [entry.at for entry in incident_timeline.entries]
        assert moments == sorted(moments)
        assert moments
