"""P9 to P15, over random histories that come late, are corrected, split and merge, with faults, kills and people."""

from collections import defaultdict
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.alerting.incidents import MISSED_LIMIT
from modeltop.alerting.routing import NotificationPolicy
from modeltop.core.event import NotificationAction
from modeltop.core.incident import IncidentStatus as Stands
from modeltop.core.incident import NotificationKey

HOUR = timedelta(hours=1)
MONTH = timedelta(days=29)
PACES = st.sampled_from(
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
def lives(happenings):
    """Lists of happenings of the named kinds, many looks among them."""

    def of(*kinds, most=30):
        return st.lists(st.one_of(st.just(("look",)), *(happenings[kind] for kind in kinds)), max_size=most)

    return of


def by_receiver(accepted):
    """Deliveries per receiver; of those that a kill had repeated, the first."""
    found = defaultdict(dict)
    for one in accepted:
        found[one.receiver].setdefault(one.idempotency_key, one)
    return {name: list(of_name.values()) for name, of_name in found.items()}


@given(data=st.data())
def test_p9_triggers_and_the_resolve_of_one_incident_alternate(world, live, lives, data):
    accepted = live(world(data.draw(PACES)), data.draw(lives("steps", "silences", "acks", "faults")))
    for deliveries in by_receiver(accepted).values():
        firing = {}
        for one in deliveries:
            if one.action is NotificationAction.TRIGGER:
                assert firing.setdefault(one.entry_key, one.incident) == one.incident, "the one before was not resolved"
            else:
                assert firing.get(one.entry_key) == one.incident, f"{one.action} of what was not triggered"
            if one.action is NotificationAction.RESOLVE:
                del firing[one.entry_key]


@given(data=st.data())
def test_no_two_different_things_have_one_key(world, live, lives, data):
    accepted = live(world(data.draw(PACES)), data.draw(lives("steps", "silences", "acks", "faults")))
    keys = [one.idempotency_key for one in accepted]
    assert len(keys) == len(set(keys))


@given(data=st.data())
def test_a_kill_makes_nobody_hear_the_end_of_what_they_never_heard_of(world, live, lives, data):
    accepted = live(world(data.draw(PACES)), data.draw(lives("steps", "silences", "acks", "faults", "kills")))
    for deliveries in by_receiver(accepted).values():
        heard = set()
        for one in deliveries:
            heard |= {one.incident} if one.action is NotificationAction.TRIGGER else set()
            assert one.incident in heard


@given(data=st.data())
def test_p10_while_silenced_only_resolve_goes_out(world, live, lives, data):
    here = world(data.draw(PACES))
    live(here, data.draw(lives("steps", "faults", "acks")))
    here.silence(MONTH)
    before = len(here.accepted)
    live(here, data.draw(lives("steps", "faults", "acks", most=10)))
    assert all(one.action is NotificationAction.RESOLVE for one in here.accepted[before:])


def settle(here):
    """Everything works again, nothing is silenced any more, and there is time enough."""
    here.expire()
    here.mend()
    here.look()
    here.clock = here.now + 2 * HOUR
    here.look()
    here.look()


@given(data=st.data())
def test_p11_once_everything_works_again_belief_names_the_open_incident_and_its_level(world, live, lives, data):
    here = world(data.draw(PACES))
    live(here, [*data.draw(lives("steps", "silences", "acks", "faults", "kills")), ("look",)])
    settle(here)
    believed = {key: (one.incident, one.level) for key, one in here.facts.notifications.items() if one.level}
    open_ones = here.open_incidents()
    assert believed == {
        NotificationKey(name, one.rule, one.key): (one.id, one.level) for one in open_ones for name in here.paces
    }


@given(data=st.data())
def test_nothing_is_lost_once_everything_works_again(world, live, lives, data):
    here = world(data.draw(PACES))
    live(here, [("look",), *data.draw(lives("steps", "acks", "faults", "kills")), ("look",)])
    settle(here)
    heard = {(one.receiver, one.incident) for one in here.accepted if one.action is NotificationAction.TRIGGER}
    for one in here.facts.incidents.values():
        fresh = one.closed_at is None or here.now - one.closed_at < MISSED_LIMIT - 3 * HOUR
        if one.status is not Stands.WITHDRAWN and fresh:
            assert {(name, one.id) for name in here.paces} <= heard


@given(data=st.data(), receiver=st.sampled_from(["slack", "mail"]))
def test_p12_a_crash_between_send_and_record_repeats_only_equal_keys(world, live, lives, data, receiver):
    here = world(data.draw(PACES))
    live(here, data.draw(lives("steps", "silences", "acks", "faults")))
    here.mend()
    here.follow()
    here.ways = {receiver: "kill"}
    killed = {(one.action, one.incident): one.idempotency_key for one in here.deliver() if one.receiver == receiver}
    here.ways = {}
    again = {(one.action, one.incident): one.idempotency_key for one in here.look() if one.receiver == receiver}
    assert killed.items() <= again.items()


@given(data=st.data())
def test_p13_a_second_look_without_new_data_sends_nothing(world, live, lives, data):
    here = world(
        {"slack": NotificationPolicy(group=0, hourly=0), "mail": NotificationPolicy(acknowledges=True, hourly=0)}
    )
    live(here, [*data.draw(lives("steps", "silences", "acks", "faults")), ("look",)])
    here.mend()
    here.look()
    here.look()
    assert here.follow() == ()
    here.clock = here.now + timedelta(seconds=59)
    assert (here.look(), here.plan().skipped) == ([], ())


@given(data=st.data(), jump=st.sampled_from([HOUR, -HOUR, timedelta(days=-3652)]))
def test_p14_no_clock_jump_sends_a_trigger_twice_or_resolves_anything(world, live, lives, data, jump):
    here = world(
        {"slack": NotificationPolicy(repeat=None, group=0, hourly=0), "mail": NotificationPolicy(repeat=None, hourly=0)}
    )
    live(here, [*data.draw(lives("steps", "acks", "faults")), ("look",)])
    here.mend()
    here.look()
    here.look()
    here.clock += jump
    assert here.look() == []
    here.clock -= jump
    assert here.look() == []


@given(data=st.data())
def test_p15_a_silence_that_comes_and_goes_without_new_data_changes_nothing(world, live, lives, data):
    here = world({"slack": NotificationPolicy(hourly=0), "mail": NotificationPolicy(exempt=True, acknowledges=True)})
    live(here, [*data.draw(lives("steps", "acks", "faults")), ("look",)])
    here.mend()
    other = here.twin()
    other.silence(MONTH)
    for one in (here, other):
        one.look()
    other.expire()
    live(other, [("look",)])
    assert sorted(heard(other.accepted)) == sorted(heard(here.accepted))
    later = data.draw(lives("steps", "acks", most=10))
    assert heard(live(other, [*later, ("look",)])) == heard(live(here, [*later, ("look",)]))


def heard(accepted):
    return [(one.receiver, one.action.value, one.reason.value, one.incident, one.level) for one in accepted]
