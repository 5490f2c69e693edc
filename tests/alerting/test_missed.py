"""What ended before a receiver could be told of it."""

from datetime import UTC, datetime, time, timedelta

import pytest

from modeltop.alerting.routing import MuteTimeInterval, NotificationPolicy, Route, TimeInterval
from modeltop.core.incident import Matchers
from modeltop.core.series import Condition

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
LOUD = NotificationPolicy(group=0, hourly=0)
LATE = ["late+", "late-"]


def missed(here, rows="c."):
    """An incident that begins and ends while slack is down."""
    here.report("..")
    here.look()
    here.ways = {"slack": "refuse"}
    for row in rows:
        here.report(row)
        here.look()


@pytest.mark.parametrize(
    ("after", "told"),
    [
        pytest.param(timedelta(0), LATE, id="at once"),
        pytest.param(24 * HOUR - timedelta(seconds=1), LATE, id="within a day"),
        pytest.param(24 * HOUR, [], id="a day later it is left to the journal"),
    ],
)
def test_what_was_missed_is_told_once_for_a_day(world, said, after, told):
    here = world()
    missed(here)
    (incident,) = here.facts.incidents.values()
    here.mend()
    here.clock = incident.closed_at + max(after, MINUTE)
    assert said(here.look()) == told
    assert here.look() == []


@pytest.mark.parametrize("pace", [NotificationPolicy(), LOUD, NotificationPolicy(exempt=True)])
def test_begin_and_end_go_out_in_one_message(world, pace):
    here = world({"slack": pace})
    missed(here)
    here.mend()
    (bundle,) = here.plan().batches
    assert [one.action.value for one in bundle.notifications] == ["trigger", "resolve"]


def test_who_wants_no_resolved_messages_is_told_the_begin_alone(world, said):
    here = world({"slack": NotificationPolicy(resolved=False)})
    missed(here)
    here.mend()
    assert said(here.look()) == ["late+"]
    assert here.look() == []


def test_each_of_several_that_were_missed_is_told_in_order_and_then_what_stands(world, said):
    here = world()
    missed(here, "c.w.c")
    here.mend()
    told = here.look()
    assert said(told) == [*LATE, *LATE, "first CRITICAL"]
    opened = [here.facts.incidents[one.incident].opened_at for one in told]
    assert opened == sorted(opened)


def test_what_opened_again_and_ended_unheard_is_owed_anew(world, said):
    here = world()
    for row in ("..c", "."):
        here.report(row)
        here.look()
    here.ways = {"slack": "refuse"}
    last = max(here.rows["m"])
    here.rows["m"][last] = here.rows["m"][last - HOUR]
    here.look()
    here.report(".")
    here.look()
    here.mend()
    assert said(here.look()) == LATE


@pytest.mark.parametrize(
    ("from_", "to", "told"),
    [
        pytest.param("before", "after", [], id="silenced all the while"),
        pytest.param("before", "between", LATE, id="the silence ended while it stood"),
        pytest.param("between", "after", LATE, id="silenced once it had begun"),
    ],
)
def test_what_was_silenced_is_owed_only_where_it_would_have_been_told(world, said, from_, to, told):
    here = world()
    here.report("..")
    here.look()
    here.ways = {"slack": "refuse"}
    for moment, row in (("before", "c"), ("between", "."), ("after", "")):
        if moment == to:
            here.expire()
        if moment == from_:
            here.silence(HOUR * 20)
        here.report(row)
        here.look()
    here.mend()
    assert said(here.look()) == told


def test_what_is_silenced_now_waits(world, said):
    here = world()
    missed(here)
    here.mend()
    here.silence(2 * HOUR)
    assert here.look() == []
    here.expire()
    assert said(here.look()) == LATE


def test_what_came_and_went_in_a_mute_is_not_owed(world):
    here = world()
    here.mutes = (MuteTimeInterval("night", Matchers(), (TimeInterval(start=time(0), end=time(4)),)),)
    here.clock = datetime(2025, 1, 6, tzinfo=UTC)
    missed(here)
    here.mend()
    here.clock += 10 * HOUR
    assert here.look() == []


def test_what_came_in_a_mute_and_went_after_it_is_owed(world, said):
    here = world()
    here.mutes = (MuteTimeInterval("night", Matchers(), (TimeInterval(start=time(0), end=time(3)),)),)
    missed(here)
    here.mend()
    assert said(here.look()) == LATE


def test_what_was_told_to_nobody_between_two_silences_is_owed(world, said):
    here = world()
    here.report("..")
    here.look()
    here.ways = {"slack": "refuse"}
    here.silence(HOUR, model="m")
    here.report("c")
    here.look()
    here.expire()
    here.wait(HOUR / 2)
    here.silence(HOUR, severity="critical", name="second")
    here.report(".")
    here.look()
    here.expire("second")
    here.mend()
    assert said(here.look()) == LATE


def test_what_covers_the_model_only_later_does_not_make_it_forgotten(world, said, whole):
    here = world()
    missed(here)
    for extra in ((whole(here, Condition.NO_DATA),), ()):
        here.extra = extra
        here.wait(MINUTE)
        here.look()
    here.mend()
    assert sorted(said(here.look())) == sorted([*LATE, *LATE])


def test_an_end_that_is_a_day_old_when_it_is_seen_is_owed_to_nobody(world):
    here = world()
    missed(here, "c")
    here.report(".")
    here.clock += 25 * HOUR
    here.mend()
    assert here.look() == []
    assert [one.status.value for one in here.facts.incidents.values()] == ["resolved"]


def test_who_is_new_when_it_ends_owes_nothing(world):
    here = world()
    here.report("..c")
    here.look()
    here.paces = {"slack": LOUD, "mail": LOUD}
    here.report(".")
    assert {one.receiver for one in [*here.look(), *here.look()]} == {"slack"}


def test_outside_of_a_routes_hours_nothing_is_owed(world):
    here = world()
    here.routes = (Route("day", ("slack",), time_intervals=(TimeInterval(start=time(9), end=time(18)),)),)
    missed(here)
    here.mend()
    here.clock += 8 * HOUR
    assert here.look() == []


def test_escalation_is_not_owed(world):
    here = world({"slack": LOUD, "boss": LOUD})
    here.routes = (Route("all", ("slack",), escalate_after=timedelta(minutes=30), escalate_to=("boss",)),)
    here.report("..c")
    here.look()
    here.ack()
    here.report(".")
    assert {one.receiver for one in here.look()} == {"slack"}


def test_who_takes_over_owes_what_the_broken_one_was_not_told_and_nothing_else(world, said):
    here = world({"slack": LOUD, "mail": LOUD})
    here.routes = (Route("one", ("slack",)),)
    for row in ("..c", "."):
        here.report(row)
        here.look()
    here.ways = {"slack": "refuse"}
    for row in ("w", "."):
        here.report(row)
        here.look()
    here.clock += HOUR
    here.ways = {"slack": "reject"}
    here.look()
    told = here.look()
    assert (said(told), {one.receiver for one in told}) == (LATE, {"mail"})
    assert {one.level.name for one in told} == {"WARNING"}


def test_what_was_withdrawn_is_owed_to_nobody(world):
    here = world()
    missed(here, "c")
    here.rows["m"][max(here.rows["m"])] = here.rows["m"][min(here.rows["m"])]
    here.look()
    here.mend()
    assert here.look() == []
