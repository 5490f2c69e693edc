"""What ended before a receiver could be told of it."""

from datetime import UTC, datetime, time, timedelta

import pytest

from modeltop.alerting.routing import MuteTimeInterval, NotificationPolicy, Route, TimeInterval
from modeltop.core.incident import Matchers
from modeltop.core.series import Condition

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
LOUD = NotificationPolicy(group=0, hourly=0)
MISSED = ["late+", "late-"]


def miss_incident(world, rows="c."):
    """An incident that begins and ends while slack is down."""
    world.add_rows("..")
    world.run_cycle()
    world.faults = {"slack": "refuse"}
    for row in rows:
        world.add_rows(row)
        world.run_cycle()


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(timedelta(0), MISSED, id="at once"),
        pytest.param(24 * HOUR - timedelta(seconds=1), MISSED, id="within a day"),
        pytest.param(24 * HOUR, [], id="a day later it is left to the journal"),
    ],
)
def test_what_was_missed_is_sent_once_for_a_day(new_world, describe, after, expected):
    world = new_world()
    miss_incident(world)
    (incident,) = world.state.incidents.values()
    world.repair()
    world.clock = incident.closed_at + max(after, MINUTE)
    assert describe(world.run_cycle()) == expected
    assert world.run_cycle() == []


@pytest.mark.parametrize("policy", [NotificationPolicy(), LOUD, NotificationPolicy(exempt=True)])
def test_trigger_and_resolve_go_out_in_one_message(new_world, policy):
    world = new_world({"slack": policy})
    miss_incident(world)
    world.repair()
    (batch,) = world.plan().batches
    assert [notification.action.value for notification in batch.notifications] == ["trigger", "resolve"]


def test_a_receiver_without_resolved_messages_is_sent_the_trigger_alone(new_world, describe):
    world = new_world({"slack": NotificationPolicy(resolved=False)})
    miss_incident(world)
    world.repair()
    assert describe(world.run_cycle()) == ["late+"]
    assert world.run_cycle() == []


def test_several_missed_incidents_are_sent_in_order_and_then_what_is_open(new_world, describe):
    world = new_world()
    miss_incident(world, "c....w....c")
    world.repair()
    expected = world.run_cycle()
    assert describe(expected) == [*MISSED, *MISSED, "first CRITICAL"]
    opened = [world.state.incidents[item.incident].opened_at for item in expected]
    assert opened == sorted(opened)


def test_what_opened_again_and_ended_unsent_is_due_anew(new_world, describe):
    world = new_world()
    for row in ("..c", "."):
        world.add_rows(row)
        world.run_cycle()
    world.faults = {"slack": "refuse"}
    last = max(world.rows["m"])
    world.rows["m"][last] = world.rows["m"][last - HOUR]
    world.run_cycle()
    world.add_rows(".")
    world.run_cycle()
    world.repair()
    assert describe(world.run_cycle()) == MISSED


@pytest.mark.parametrize(
    ("from_", "to", "expected"),
    [
        pytest.param("before", "after", [], id="silenced all the while"),
        pytest.param("before", "between", MISSED, id="the silence ended while it stood"),
        pytest.param("between", "after", MISSED, id="silenced once it had begun"),
    ],
)
def test_what_was_silenced_is_due_only_where_it_would_have_been_sent(new_world, describe, from_, to, expected):
    world = new_world()
    world.add_rows("..")
    world.run_cycle()
    world.faults = {"slack": "refuse"}
    for moment, row in (("before", "c"), ("between", "."), ("after", "")):
        if moment == to:
            world.expire()
        if moment == from_:
            world.silence(HOUR * 20)
        world.add_rows(row)
        world.run_cycle()
    world.repair()
    assert describe(world.run_cycle()) == expected


def test_what_is_silenced_now_waits(new_world, describe):
    world = new_world()
    miss_incident(world)
    world.repair()
    world.silence(2 * HOUR)
    assert world.run_cycle() == []
    world.expire()
    assert describe(world.run_cycle()) == MISSED


def test_what_came_and_went_in_a_mute_is_not_due(new_world):
    world = new_world()
    world.mutes = (MuteTimeInterval("night", Matchers(), (TimeInterval(start=time(0), end=time(4)),)),)
    world.clock = datetime(2025, 1, 6, tzinfo=UTC)
    miss_incident(world)
    world.repair()
    world.clock += 10 * HOUR
    assert world.run_cycle() == []


def test_what_came_in_a_mute_and_went_after_it_is_due(new_world, describe):
    world = new_world()
    world.mutes = (MuteTimeInterval("night", Matchers(), (TimeInterval(start=time(0), end=time(3)),)),)
    miss_incident(world)
    world.repair()
    assert describe(world.run_cycle()) == MISSED


def test_what_was_sent_to_nobody_between_two_silences_is_due(new_world, describe):
    world = new_world()
    world.add_rows("..")
    world.run_cycle()
    world.faults = {"slack": "refuse"}
    world.silence(HOUR, model="m")
    world.add_rows("c")
    world.run_cycle()
    world.expire()
    world.wait(HOUR / 2)
    world.silence(HOUR, severity="critical", name="second")
    world.add_rows(".")
    world.run_cycle()
    world.expire("second")
    world.repair()
    assert describe(world.run_cycle()) == MISSED


def test_an_inhibition_that_comes_later_does_not_make_it_forgotten(new_world, describe, model_wide_alert):
    world = new_world()
    miss_incident(world)
    for extra in ((model_wide_alert(world, Condition.NO_DATA),), ()):
        world.extra = extra
        world.wait(MINUTE)
        world.run_cycle()
    world.repair()
    assert describe(world.run_cycle()) == MISSED


def test_an_end_that_is_a_day_old_when_it_is_seen_is_due_to_nobody(new_world):
    world = new_world()
    miss_incident(world, "c")
    world.add_rows(".")
    world.clock += 25 * HOUR
    world.repair()
    assert world.run_cycle() == []
    assert [incident.status.value for incident in world.state.incidents.values()] == ["resolved"]


def test_nothing_is_due_to_a_receiver_that_is_new_when_it_ends(new_world):
    world = new_world()
    world.add_rows("..c")
    world.run_cycle()
    world.policies = {"slack": LOUD, "mail": LOUD}
    world.add_rows(".")
    assert {notification.receiver for notification in [*world.run_cycle(), *world.run_cycle()]} == {"slack"}


def test_outside_of_a_routes_hours_nothing_is_due(new_world):
    world = new_world()
    world.routes = (Route("day", ("slack",), time_intervals=(TimeInterval(start=time(9), end=time(18)),)),)
    miss_incident(world)
    world.repair()
    world.clock += 8 * HOUR
    assert world.run_cycle() == []


def test_escalation_is_not_due(new_world):
    world = new_world({"slack": LOUD, "boss": LOUD})
    world.routes = (Route("all", ("slack",), escalate_after=timedelta(minutes=30), escalate_to=("boss",)),)
    world.add_rows("..c")
    world.run_cycle()
    world.ack()
    world.add_rows(".")
    assert {notification.receiver for notification in world.run_cycle()} == {"slack"}


def test_a_fallback_is_sent_what_the_disabled_receiver_was_not_and_nothing_else(new_world, describe):
    world = new_world({"slack": LOUD, "mail": LOUD})
    world.routes = (Route("one", ("slack",)),)
    for row in ("..c", "."):
        world.add_rows(row)
        world.run_cycle()
    world.faults = {"slack": "refuse"}
    for row in ("...", "w", "."):
        world.add_rows(row)
        world.run_cycle()
    world.clock += HOUR
    world.faults = {"slack": "disable"}
    world.run_cycle()
    expected = world.run_cycle()
    assert (describe(expected), {item.receiver for item in expected}) == (MISSED, {"mail"})
    assert {item.level.name for item in expected} == {"WARNING"}


def test_what_was_withdrawn_is_due_to_nobody(new_world):
    world = new_world()
    miss_incident(world, "c")
    world.rows["m"][max(world.rows["m"])] = world.rows["m"][min(world.rows["m"])]
    world.run_cycle()
    world.repair()
    assert world.run_cycle() == []
