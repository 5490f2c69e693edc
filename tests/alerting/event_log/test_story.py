"""An incident is told whole, in the order of time, and nothing of another model's."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.alerting.timeline import tell
from modeltop.core.event import Acknowledged, Course, Expired, Kind, Noted, Reason, Sending, Silenced, Unacknowledged
from modeltop.core.incident import Ack, Matchers, Note, Silence, Standing
from modeltop.core.series import SeriesKey, Severity

NOON = datetime(2025, 1, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
KEY = SeriesKey("churn", "accuracy")


def at(hours):
    return NOON + hours * HOUR


def ack(hours, by="ann", name="1a2b3c4d"):
    return Acknowledged(
        at(hours), Ack(name, "floor", KEY, Severity.WARNING, by, "rolling back", at(hours), at(30), NOON)
    )


def silence(hours, lasting, name="5e5e5e5e", model="churn"):
    made = Silence(name, Matchers(model=model), at(hours), at(hours + lasting), "bob", "a release", at(hours))
    return Silenced(at(hours), made)


def noted(hours, text, model="churn"):
    return Noted(at(hours), Note(model, text, "eve", at(hours)))


@pytest.fixture
def life(followed, sent, delivery):
    """An incident that fired, was told, taken, got worse, was silenced and ended; and what belongs to others."""
    worse = {"level": Severity.CRITICAL, "worst": Severity.CRITICAL}
    over = worse | {"resolved": at(9), "closed": at(9), "standing": Standing.RESOLVED}
    return [
        followed(at=at(0)),
        Sending(at(0), (delivery(),)),
        sent(at=at(1)),
        followed(at=at(1), name="0ther000", model="other"),
        sent(at=at(1), name="0ther000", model="other", to="pager"),
        ack(2),
        noted(3, "v2 is out"),
        noted(3, "not about it", "other"),
        followed(Course.WORSE, at=at(4), message="0.81 < 0.85", **worse),
        Sending(at(4), (delivery(Kind.TRIGGER, Reason.WORSE, to="mail", level=Severity.CRITICAL),)),
        sent(Kind.TRIGGER, Reason.WORSE, at=at(5), to="slack", level=Severity.CRITICAL, given_up="404 no such hook"),
        Unacknowledged(at(6), "1a2b3c4d", "bob"),
        silence(7, 24),
        Expired(at(8), "5e5e5e5e", "eve"),
        silence(7, 24, "0ther000", "other"),
        silence(-9, 1, "before00"),
        followed(Course.RESOLVED, at=at(9), **over),
        noted(20, "long after"),
        silence(20, 1, "after000"),
    ]


def test_an_incident_is_told_from_its_first_line_to_its_last(life):
    (chapter,) = tell(life, "churn").chapters
    assert [((line.at - NOON) / HOUR, line.what, line.who, line.text) for line in chapter.lines] == [
        (0, "fired", "", "0.87 < 0.90"),
        (1, "told", "slack", "trigger, first, warning"),
        (2, "acknowledged", "ann", "rolling back"),
        (3, "noted", "eve", "v2 is out"),
        (4, "worse", "", "0.81 < 0.85"),
        (4, "telling", "mail", "trigger, worse, critical"),
        (5, "given-up", "slack", "trigger, worse, critical: 404 no such hook"),
        (6, "given-back", "bob", ""),
        (7, "silenced", "bob", "a release"),
        (8, "silence-ended", "eve", ""),
        (9, "resolved", "", "0.87 < 0.90"),
    ]
    assert (chapter.id, chapter.rule, chapter.key, chapter.incident.worst) == (
        "1a2b3c4d",
        "floor",
        KEY,
        Severity.CRITICAL,
    )


def test_every_note_about_the_model_is_told_whenever_it_was(life):
    story = tell([*life, noted(-999, "of all", "*")], "churn")
    assert [note.text for note in story.notes] == ["of all", "v2 is out", "long after"]


def test_what_arrived_at_the_second_try_is_told_once(followed, sent, delivery):
    tries = [Sending(at(1), (delivery(),)), Sending(at(2), (delivery(),))]
    (chapter,) = tell([followed(), *tries], "churn").chapters
    assert [(line.at, line.what) for line in chapter.lines][1:] == [(at(1), "telling")]
    (chapter,) = tell([followed(), *tries, sent(at=at(3))], "churn").chapters
    assert [(line.at, line.what) for line in chapter.lines][1:] == [(at(3), "told")]


def test_what_a_person_took_without_a_watcher_is_told_too():
    (chapter,) = tell([ack(0), noted(1, "v2")], "churn").chapters
    assert (chapter.incident, [line.what for line in chapter.lines]) == (None, ["acknowledged"])


def test_a_note_on_an_incident_that_is_open_is_part_of_it(followed):
    (chapter,) = tell([followed(), noted(9999, "still looking")], "churn").chapters
    assert [line.what for line in chapter.lines] == ["fired", "noted"]


def test_of_a_model_that_nobody_heard_of_nothing_is_told(life):
    assert (tell(life, "chur").chapters, tell(life, "chur").notes) == ((), ())


@given(data=st.data())
def test_whatever_happened_can_be_told(alike_events, data):
    events = data.draw(alike_events)
    story = tell(events, "a")
    for chapter in story.chapters:
        moments = [line.at for line in chapter.lines]
        assert moments == sorted(moments)
        assert moments
