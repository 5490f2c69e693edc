"""P9 to P15, over random histories that come late, are corrected, split and merge, with faults, kills and people."""

from collections import defaultdict
from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from modeltop.alerting.incidents import MISSED_LIMIT
from modeltop.alerting.routing import NotificationPolicy
from modeltop.core.event import NotificationAction
from modeltop.core.incident import IncidentStatus, NotificationKey

HOUR = timedelta(hours=1)
MONTH = timedelta(days=29)
POLICIES = st.sampled_from(
    [
        {"slack": NotificationPolicy(group=0, hourly=0)},
        {"slack": NotificationPolicy(hourly=3), "mail": NotificationPolicy(repeat=None)},
        {
            "slack": NotificationPolicy(exempt=True, acknowledges=True),
            "mail": NotificationPolicy(repeat=2 * HOUR, group=1, hourly=2),
        },
    ]
)


@pytest.fixture(scope="module")
def scenarios(strategies):
    """Lists of happenings of the named kinds, many looks among them."""

    def of(*kinds, max_size=30):
        return st.lists(st.one_of(st.just(("run_cycle",)), *(strategies[kind] for kind in kinds)), max_size=max_size)

    return of


def by_receiver(accepted):
    """Deliveries per receiver; of those that a kill had repeated, the first."""
    by_name = defaultdict(dict)
    for notification in accepted:
        by_name[notification.receiver].setdefault(notification.idempotency_key, notification)
    return {name: list(of_name.values()) for name, of_name in by_name.items()}


@given(data=st.data())
def test_p9_triggers_and_the_resolve_of_one_incident_alternate(new_world, simulate, scenarios, data):
    accepted = simulate(
        new_world(data.draw(POLICIES)), data.draw(scenarios("steps", "silences", "acks", "faults", "drops"))
    )
    for deliveries in by_receiver(accepted).values():
        firing = {}
        for notification in deliveries:
            if notification.action is NotificationAction.TRIGGER:
                assert firing.setdefault(notification.entry_key, notification.incident) == notification.incident, (
                    "the one before was not resolved"
                )
            else:
                assert firing.get(notification.entry_key) == notification.incident, (
                    f"{notification.action} of what was not triggered"
                )
            if notification.action is NotificationAction.RESOLVE:
                del firing[notification.entry_key]


@given(data=st.data())
def test_no_two_different_things_have_one_key(new_world, simulate, scenarios, data):
    accepted = simulate(
        new_world(data.draw(POLICIES)), data.draw(scenarios("steps", "silences", "acks", "faults", "drops"))
    )
    keys = [notification.idempotency_key for notification in accepted]
    assert len(keys) == len(set(keys))


@given(data=st.data())
def test_a_kill_sends_no_resolve_of_what_was_never_triggered(new_world, simulate, scenarios, data):
    accepted = simulate(
        new_world(data.draw(POLICIES)), data.draw(scenarios("steps", "silences", "acks", "faults", "kills"))
    )
    for deliveries in by_receiver(accepted).values():
        summaries = set()
        for notification in deliveries:
            summaries |= {notification.incident} if notification.action is NotificationAction.TRIGGER else set()
            assert notification.incident in summaries


@given(data=st.data())
def test_p10_while_silenced_only_resolve_goes_out(new_world, simulate, scenarios, data):
    world = new_world(data.draw(POLICIES))
    simulate(world, data.draw(scenarios("steps", "faults", "acks")))
    world.silence(MONTH)
    before = len(world.accepted)
    simulate(world, data.draw(scenarios("steps", "faults", "acks", max_size=10)))
    assert all(notification.action is NotificationAction.RESOLVE for notification in world.accepted[before:])


def settle(world):
    """Everything works again, nothing is silenced any more, and there is time enough."""
    world.expire()
    world.repair()
    world.run_cycle()
    world.clock = world.now + 2 * HOUR
    world.run_cycle()
    world.run_cycle()


@given(data=st.data())
def test_p11_once_everything_works_again_entries_name_the_open_incident_and_its_level(
    new_world, simulate, scenarios, data
):
    world = new_world(data.draw(POLICIES))
    simulate(world, [*data.draw(scenarios("steps", "silences", "acks", "faults", "kills")), ("run_cycle",)])
    settle(world)
    believed = {key: (entry.incident, entry.level) for key, entry in world.state.notifications.items() if entry.level}
    open_ones = world.open_incidents()
    assert believed == {
        NotificationKey(name, incident.model): (incident.id, incident.level)
        for incident in open_ones
        for name in world.policies
    }


@given(data=st.data())
def test_nothing_is_lost_once_everything_works_again(new_world, simulate, scenarios, data):
    world = new_world(data.draw(POLICIES))
    happenings = data.draw(scenarios("steps", "acks", "faults", "drops", "kills"))
    simulate(world, [("run_cycle",), *happenings, ("run_cycle",)])
    settle(world)
    summaries = {
        (notification.receiver, notification.incident)
        for notification in world.accepted
        if notification.action is NotificationAction.TRIGGER
    }
    for incident in world.state.incidents.values():
        fresh = incident.closed_at is None or world.now - incident.closed_at < MISSED_LIMIT - 3 * HOUR
        if incident.status is not IncidentStatus.WITHDRAWN and fresh:
            assert {(name, incident.id) for name in world.policies} <= summaries | world.dropped


@given(data=st.data(), receiver=st.sampled_from(["slack", "mail"]))
def test_p12_a_crash_between_send_and_record_repeats_only_equal_keys(new_world, simulate, scenarios, data, receiver):
    world = new_world(data.draw(POLICIES))
    simulate(world, data.draw(scenarios("steps", "silences", "acks", "faults")))
    world.repair()
    world.track()
    world.faults = {receiver: "kill"}
    killed = {
        (notification.action, notification.incident): notification.idempotency_key
        for notification in world.deliver()
        if notification.receiver == receiver
    }
    world.faults = {}
    again = {
        (notification.action, notification.incident): notification.idempotency_key
        for notification in world.run_cycle()
        if notification.receiver == receiver
    }
    assert killed.items() <= again.items()


@given(data=st.data())
def test_p13_a_second_cycle_without_new_data_sends_nothing(new_world, simulate, scenarios, data):
    world = new_world(
        {"slack": NotificationPolicy(group=0, hourly=0), "mail": NotificationPolicy(acknowledges=True, hourly=0)}
    )
    simulate(world, [*data.draw(scenarios("steps", "silences", "acks", "faults", "drops")), ("run_cycle",)])
    world.repair()
    world.run_cycle()
    world.run_cycle()
    assert world.track() == ()
    soon = world.now + timedelta(seconds=59)
    assume(not any(world.now < silence.end <= soon for silence in world.state.silences))
    assume(not any(world.now < ack.until <= soon for ack in world.state.acks))
    assume(not any(world.now < entry.at + 4 * HOUR <= soon for entry in world.state.notifications.values()))
    world.clock = soon
    assert (world.run_cycle(), world.plan().skipped) == ([], ())


@given(data=st.data(), jump=st.sampled_from([HOUR, -HOUR, timedelta(days=-3652)]))
def test_p14_no_clock_jump_sends_a_trigger_twice_or_resolves_anything(new_world, simulate, scenarios, data, jump):
    world = new_world(
        {"slack": NotificationPolicy(repeat=None, group=0, hourly=0), "mail": NotificationPolicy(repeat=None, hourly=0)}
    )
    simulate(world, [*data.draw(scenarios("steps", "acks", "faults")), ("run_cycle",)])
    world.repair()
    world.run_cycle()
    world.run_cycle()
    world.clock += jump
    assert world.run_cycle() == []
    world.clock -= jump
    assert world.run_cycle() == []


@given(data=st.data())
def test_p15_a_silence_that_comes_and_goes_without_new_data_changes_nothing(new_world, simulate, scenarios, data):
    world = new_world(
        {"slack": NotificationPolicy(hourly=0), "mail": NotificationPolicy(exempt=True, acknowledges=True)}
    )
    simulate(world, [*data.draw(scenarios("steps", "acks", "faults")), ("run_cycle",)])
    world.repair()
    other = world.copy()
    other.silence(MONTH)
    other.run_cycle()
    other.expire()
    # The silence's own events took microseconds, in which a reminder may come due: both go on from one moment.
    world.clock = other.clock = other.now
    for item in (world, other):
        simulate(item, [("run_cycle",)])
    assert sorted(summaries(other.accepted)) == sorted(summaries(world.accepted))
    later = data.draw(scenarios("steps", "acks", max_size=10))
    # Of both only what is sent from here on: before, the silence may have put one receiver's messages behind another's.
    past = len(world.accepted)
    sent = [summaries(simulate(item, [*later, ("run_cycle",)])[past:]) for item in (other, world)]
    assert sent[0] == sent[1]


def summaries(accepted):
    return [
        (
            notification.receiver,
            notification.action.value,
            notification.reason.value,
            notification.incident,
            notification.level,
        )
        for notification in accepted
    ]
