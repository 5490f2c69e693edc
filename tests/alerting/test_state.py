"""What each event changes, and what is forgotten when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.alerting.state import apply_events, without_expired
from modeltop.core.event import (
    Acknowledged,
    ClockAccepted,
    ClockAcceptRequested,
    IncidentTransition,
    LeaderChanged,
    NoteAdded,
    NotificationAction,
    NotificationReason,
    NotificationSkipped,
    ReceiverChanged,
    ReceiverTested,
    SendStarted,
    SilenceCreated,
    SilenceExpired,
    Unacknowledged,
)
from modeltop.core.incident import (
    Acknowledgement,
    AlertingState,
    IncidentStatus,
    Matchers,
    Note,
    NotificationEntry,
    NotificationKey,
    ReceiverState,
    Silence,
)
from modeltop.core.series import SeriesKey, Severity

NOON = datetime(2025, 1, 10, 12, tzinfo=UTC)
KEY = SeriesKey("churn", "accuracy")
SLACK = NotificationKey("slack", "churn")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def apply_event(state, event):
    return apply_events(state, [event])


def ack(by="ann", at=NOON, **changes):
    return replace(Acknowledgement("1a2b3c4d", "churn", Severity.WARNING, by, "", at, at + DAY, NOON, NOON), **changes)


def silence(name="5e5e5e5e", start=NOON, lasting=HOUR):
    return Silence(name, Matchers(model="churn"), start, start + lasting, "ann", "a release", NOON)


def watched(at):
    return LeaderChanged(at, 1, "host", is_leader=True)


@given(data=st.data())
def test_applying_an_event_twice_changes_nothing_more(any_facts, any_event, data):
    event = data.draw(any_event)
    once = apply_event(data.draw(any_facts), event)
    assert apply_event(once, event) == once


@given(data=st.data())
def test_applying_events_one_by_one_or_together_is_the_same(alike_events, data):
    events = data.draw(alike_events)
    one_by_one = AlertingState()
    for event in events:
        one_by_one = apply_event(one_by_one, event)
    assert apply_events(AlertingState(), events) == one_by_one
    at = data.draw(st.integers(0, len(events)))
    assert apply_events(apply_events(AlertingState(), events[:at]), events[at:]) == one_by_one


@given(data=st.data())
def test_the_state_that_is_given_is_not_changed(any_facts, any_event, data):
    state = data.draw(any_facts)
    copy = replace(state, **{name: dict(getattr(state, name)) for name in ("incidents", "notifications", "receivers")})
    apply_event(state, data.draw(any_event))
    assert state == copy


def test_an_acknowledgement_stands_until_it_is_given_back():
    state = apply_event(AlertingState(), Acknowledged(NOON, ack()))
    assert state.acks == (ack(),)
    assert apply_event(state, Unacknowledged(NOON + HOUR, "another", "bob")).acks == (ack(),)
    assert apply_event(state, Unacknowledged(NOON + HOUR, "1a2b3c4d", "bob")).acks == ()


def test_of_two_acknowledgements_of_one_incident_the_later_stands():
    both = [Acknowledged(NOON, ack()), Acknowledged(NOON, ack("bob")), Acknowledged(NOON, ack(incident="other"))]
    assert [ack.by for ack in apply_events(AlertingState(), both).acks] == ["bob", "ann"]


def test_a_silence_that_a_person_ends_ends_at_that_moment_and_never_later():
    state = apply_events(
        AlertingState(), [SilenceCreated(NOON, silence()), SilenceExpired(NOON + HOUR / 2, "5e5e5e5e", "bob")]
    )
    assert state.silences == (replace(silence(lasting=HOUR / 2), expired_at=NOON + HOUR / 2),)
    assert apply_event(state, SilenceExpired(NOON + HOUR, "5e5e5e5e", "eve")).silences == state.silences


@pytest.mark.parametrize(
    ("kind", "reason", "level", "recorded"),
    [
        (NotificationAction.TRIGGER, NotificationReason.FIRST, Severity.WARNING, Severity.WARNING),
        (NotificationAction.TRIGGER, NotificationReason.ESCALATED, Severity.CRITICAL, Severity.CRITICAL),
        (NotificationAction.RESOLVE, NotificationReason.RESOLVED, Severity.CRITICAL, Severity.OK),
        (NotificationAction.RESOLVE, NotificationReason.WITHDRAWN, Severity.CRITICAL, Severity.OK),
        (NotificationAction.ACKNOWLEDGE, NotificationReason.ACKNOWLEDGED, Severity.CRITICAL, None),
    ],
)
def test_what_was_sent_is_recorded_and_nothing_that_was_abandoned(sent, kind, reason, level, recorded):
    state = apply_event(AlertingState(), sent(kind, reason, level=level))
    members = (KEY,) if kind is NotificationAction.TRIGGER else ()
    entry = recorded is not None and NotificationEntry("1a2b3c4d", recorded, NOON, members)
    assert state.notifications == ({SLACK: entry} if entry else {})
    dropped = apply_event(AlertingState(), sent(kind, reason, level=level, given_up="413")).notifications
    keys = {SLACK: (f"1a2b3c4d-{reason.value}",)} if kind is not NotificationAction.RESOLVE else {}
    assert {key: entry.rejected_keys for key, entry in dropped.items()} == keys
    assert all(entry.level is Severity.OK for entry in dropped.values()), "no resolve of what it never heard of"


def test_a_resolve_that_was_abandoned_is_not_sent_again(sent):
    first = apply_event(AlertingState(), sent(NotificationAction.TRIGGER, NotificationReason.FIRST))
    assert (
        apply_event(first, sent(NotificationAction.RESOLVE, NotificationReason.RESOLVED, given_up="gone"))
        .notifications[SLACK]
        .level
        is Severity.OK
    )


def test_a_sent_acknowledgement_is_recorded_until_the_next_trigger(sent):
    first = apply_event(AlertingState(), sent(NotificationAction.TRIGGER, NotificationReason.FIRST))
    acknowledged = apply_event(
        first, sent(NotificationAction.ACKNOWLEDGE, NotificationReason.ACKNOWLEDGED, at=NOON + HOUR)
    )
    assert acknowledged.notifications[SLACK] == replace(first.notifications[SLACK], acknowledged=True)
    rejected = apply_event(first, sent(NotificationAction.ACKNOWLEDGE, NotificationReason.ACKNOWLEDGED, given_up="413"))
    assert rejected.notifications[SLACK] == replace(
        first.notifications[SLACK], rejected_keys=("1a2b3c4d-acknowledged",), rejected_at=NOON
    )
    again = apply_event(acknowledged, sent(NotificationAction.TRIGGER, NotificationReason.REPEAT, at=NOON + 2 * HOUR))
    assert not again.notifications[SLACK].acknowledged


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        pytest.param({}, True, id="as it was"),
        pytest.param({"level": Severity.WARNING}, True, id="better"),
        pytest.param({"level": Severity.CRITICAL}, True, id="as bad as it was taken"),
        pytest.param({"closed_at": NOON + HOUR}, False, id="over"),
    ],
)
def test_an_acknowledgement_ends_for_good_with_the_incident(followed, change, holds):
    took = Acknowledged(NOON, replace(ack(), level=Severity.CRITICAL))
    state = apply_events(AlertingState(), [followed(), took, followed(at=NOON + HOUR, **change)])
    assert bool(state.acks) == holds


def test_an_acknowledgement_ends_for_good_where_it_gets_worse(followed):
    warning = {"level": Severity.WARNING}
    events = [followed(**warning), Acknowledged(NOON, replace(ack(), level=Severity.WARNING))]
    events += [
        followed(IncidentTransition.ESCALATED, at=NOON + HOUR, level=Severity.CRITICAL),
        followed(at=NOON + 2 * HOUR, **warning),
    ]
    assert apply_events(AlertingState(), events).acks == ()


def test_what_is_only_about_to_be_sent_is_not_recorded(delivery):
    state = apply_events(AlertingState(), [watched(NOON), SendStarted(NOON, (delivery(),))])
    assert state == AlertingState(last_event_at=NOON)


def test_an_entry_may_change_without_a_message():
    entry = NotificationEntry("1a2b3c4d", Severity.WARNING, NOON)
    assert apply_event(AlertingState(), NotificationSkipped(NOON, SLACK, entry)).notifications == {SLACK: entry}


def test_messages_of_the_last_hour_are_counted_by_receiver(sent):
    events = [ReceiverChanged(NOON, "slack", ReceiverState(NOON))]
    events += [sent(at=NOON + minutes * HOUR / 60) for minutes in (0, 30, 30, 59, 70)]
    events += [sent(at=NOON + HOUR, given_up="gone"), sent(to="mail", at=NOON + HOUR)]
    state = apply_events(AlertingState(), events)
    assert [(at - NOON) / HOUR * 60 for at in state.receivers["slack"].recent_sends] == [30, 59, 70]
    assert set(state.receivers) == {"slack"}, "a receiver is known by its own event alone"


def test_an_incident_is_as_it_was_last_seen(followed):
    worse = {"level": Severity.CRITICAL, "peak_severity": Severity.CRITICAL}
    state = apply_events(AlertingState(), [followed(), followed(IncidentTransition.ESCALATED, at=NOON + HOUR, **worse)])
    assert [(incident.level, incident.peak_severity) for incident in state.incidents.values()] == [
        (Severity.CRITICAL, Severity.CRITICAL)
    ]


@pytest.mark.parametrize(("after", "count"), [(5 * DAY, 1), (5 * DAY + HOUR, 0)])
def test_silences_are_listed_for_five_days_after_their_end(after, count):
    state = apply_events(AlertingState(), [SilenceCreated(NOON, silence()), watched(NOON + HOUR + after)])
    assert len(without_expired(state).silences) == count


@pytest.mark.parametrize(("after", "count"), [(30 * DAY, 1), (30 * DAY + HOUR, 0)])
def test_what_is_over_is_forgotten_after_thirty_days(followed, sent, after, count):
    over = followed(IncidentTransition.RESOLVED, resolved_at=NOON, closed_at=NOON, status=IncidentStatus.RESOLVED)
    resolved = sent(NotificationAction.RESOLVE, NotificationReason.RESOLVED)
    state = apply_events(AlertingState(), [over, resolved, Acknowledged(NOON, ack(until=NOON)), watched(NOON + after)])
    kept = without_expired(state)
    assert [len(kept.incidents), len(kept.notifications), len(kept.acks)] == [count] * 3


def test_what_is_open_is_never_forgotten(followed, sent):
    state = without_expired(apply_events(AlertingState(), [followed(), sent(), watched(NOON + 3650 * DAY)]))
    assert (len(state.incidents), len(state.notifications)) == (1, 1)


def test_a_clock_ten_years_back_forgets_nothing_and_does_not_turn_time_back(followed):
    state = apply_events(AlertingState(), [SilenceCreated(NOON, silence()), followed(), watched(NOON - 3650 * DAY)])
    assert (len(state.silences), len(state.incidents), state.last_event_at) == (1, 1, NOON)


@pytest.mark.parametrize(
    "event",
    [
        Acknowledged(NOON + 400 * DAY, ack()),
        Unacknowledged(NOON + 400 * DAY, "1a2b3c4d", "bob"),
        SilenceCreated(NOON + 400 * DAY, silence()),
        SilenceExpired(NOON + 400 * DAY, "5e5e5e5e", "bob"),
        NoteAdded(NOON + 400 * DAY, Note("churn", "moved", "ann", NOON)),
        ReceiverTested(NOON + 400 * DAY, "slack"),
        ClockAcceptRequested(NOON + 400 * DAY, "ann"),
    ],
)
def test_the_clocks_of_people_do_not_move_the_time_of_the_watcher(event):
    assert apply_events(AlertingState(), [watched(NOON), event]).last_event_at == NOON


def test_a_receiver_that_took_a_test_is_in_use_again():
    broken = ReceiverState(NOON, disabled_reason="404", failures=2, probes=2, rejections=1, retry_at=NOON, error="404")
    state = apply_events(AlertingState(), [ReceiverChanged(NOON, "slack", broken), ReceiverTested(NOON, "slack")])
    assert state.receivers == {"slack": ReceiverState(NOON, recovered_at=NOON)}
    assert apply_event(state, ReceiverTested(NOON, "mail")).receivers == state.receivers


def test_an_accepted_clock_sets_time_back_and_leaves_nothing_later_than_it(followed, sent):
    later, day = NOON + 400 * DAY, timedelta(days=1)
    made = replace(silence(), created_at=later, start=later, end=later + HOUR)
    mine = replace(ack(), at=later, until=later + day)
    receiver = ReceiverState(later, retry_at=later + HOUR, recent_sends=(NOON - HOUR, later))
    events = [followed(at=later, opened_at=later), sent(at=later), ReceiverChanged(later, "slack", receiver)]
    events += [SilenceCreated(later, made), Acknowledged(later, mine), ClockAcceptRequested(later, "ann")]
    before = apply_events(AlertingState(), events)
    assert before.clock_accept_requested
    state = apply_event(before, ClockAccepted(NOON, later))
    assert (state.last_event_at, state.clock_accept_requested) == (NOON, False)
    assert [incident.opened_at for incident in state.incidents.values()] == [NOON]
    assert state.notifications[SLACK].at == NOON
    assert state.receivers["slack"] == ReceiverState(NOON, retry_at=NOON, recent_sends=(NOON - HOUR,))
    assert [(one.created_at, one.start, one.end) for one in state.silences] == [(NOON, NOON, NOON + HOUR)]
    assert [(one.at, one.until) for one in state.acks] == [(NOON, NOON + day)], "what a person set lasts as long"


def test_a_silence_that_is_expired_by_a_clock_that_is_ahead_is_over_at_once():
    expired = SilenceExpired(NOON + 400 * DAY, "5e5e5e5e", "bob")
    state = apply_events(AlertingState(), [SilenceCreated(NOON, silence()), expired])
    assert not state.silences[0].is_credible(NOON + HOUR / 2)
    (accepted,) = apply_event(state, ClockAccepted(NOON + HOUR / 2, NOON)).silences
    assert (accepted.end, accepted.is_credible(NOON + HOUR / 2)) == (NOON + HOUR / 2, True)


def test_an_acknowledgement_by_a_clock_that_is_ahead_ends_with_the_incident_all_the_same(followed):
    mine = replace(ack(), at=NOON + 400 * DAY, until=NOON + 401 * DAY)
    events = [followed(), Acknowledged(mine.at, mine), followed(at=NOON + HOUR, closed_at=NOON + HOUR)]
    assert apply_events(AlertingState(), events).acks == ()
