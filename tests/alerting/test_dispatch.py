"""What a receiver is told, look by look: each paragraph of the specification as a table."""

from datetime import timedelta

import pytest

from modeltop.alerting.routing import NotificationPolicy, Route
from modeltop.core.event import SendFinished
from modeltop.core.incident import NotificationKey
from modeltop.core.series import Severity

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
LOUD = NotificationPolicy(group=0, hourly=0)


@pytest.mark.parametrize(
    ("looks", "told"),
    [
        pytest.param(["..c"], ["first CRITICAL"], id="what fires is told"),
        pytest.param(["..w"], ["first WARNING"], id="a warning too"),
        pytest.param(["..c", "c", "c"], ["first CRITICAL"], id="once, however often it is looked at"),
        pytest.param(["..c", "."], ["first CRITICAL", "over"], id="its end is told"),
        pytest.param(["..w", "c"], ["first WARNING", "worse CRITICAL"], id="what gets worse is told"),
        pytest.param(["..c", "w"], ["first CRITICAL"], id="what gets better has no message of its own"),
        pytest.param(["..c", "w", "c"], ["first CRITICAL", "worse CRITICAL"], id="worse again after better is told"),
        pytest.param(["..c", ".", "c"], ["first CRITICAL", "over", "first CRITICAL"], id="a second time is a new one"),
        pytest.param(["..c.c", ""], ["first CRITICAL"], id="the first look tells only what stands"),
        pytest.param(["..c.", "."], [], id="the first look tells nothing of the past"),
        pytest.param(["..", "c."], ["late+", "late-"], id="what came and went between two looks is owed, once"),
        pytest.param(["..", "w.c.", "."], ["late+", "late-"] * 2, id="so is each of two"),
        pytest.param(["..", "c.w"], ["late+", "late-", "first WARNING"], id="and then what stands"),
    ],
)
def test_people_are_told_what_changed(world, said, looks, told):
    here = world()
    for rows in looks:
        here.report(rows)
        here.look()
    assert said(here.accepted) == told


@pytest.mark.parametrize(
    ("repeat", "passed", "told"),
    [
        (4 * HOUR, 4 * HOUR - MINUTE, []),
        (4 * HOUR, 4 * HOUR, ["repeat CRITICAL"]),
        (None, 400 * HOUR, []),
    ],
)
def test_what_stands_is_told_again_after_a_while(world, said, repeat, passed, told):
    here = world({"slack": NotificationPolicy(repeat=repeat)})
    here.report("..c")
    here.look()
    here.wait(passed)
    assert said(here.look()) == told
    assert here.look() == []


def test_who_has_it_is_not_asked_again_until_the_acknowledgement_ends(world, said):
    here = world()
    here.report("..w")
    here.look()
    here.ack(length=9 * HOUR)
    here.wait(8 * HOUR)
    assert here.look() == []
    here.wait(9 * HOUR)
    assert said(here.look()) == ["repeat WARNING"]


def test_an_acknowledgement_does_not_keep_back_what_gets_worse(world, said):
    here = world()
    here.report("..w")
    here.look()
    here.ack()
    here.report("c")
    assert said(here.look()) == ["worse CRITICAL"]
    here.report("w")
    here.look()
    here.clock += 5 * HOUR
    assert said(here.look()) == ["repeat WARNING"], "what got worse is nobody's any more"


def test_that_somebody_has_it_is_told_once_to_who_can_be_told(world, said):
    here = world({"slack": LOUD, "pager": NotificationPolicy(exempt=True, acknowledges=True)})
    here.report("..c")
    here.look()
    here.ack()
    told = here.look()
    assert (said(told), [one.receiver for one in told]) == (["taken CRITICAL"], ["pager"])
    assert here.look() == []


def test_the_end_is_told_even_if_silenced_and_acknowledged_and_the_next_once_it_is_not(world, said):
    here = world()
    here.report("..c")
    here.look()
    here.ack()
    here.silence(48 * HOUR)
    here.report(".")
    assert said(here.look()) == ["over"]
    here.report("c")
    assert here.look() == []
    here.expire()
    assert said(here.look()) == ["first CRITICAL"]


def test_an_end_and_the_next_begin_are_told_in_one_cycle(world, said):
    here = world()
    here.report("..c")
    here.look()
    here.ways = {"slack": "refuse"}
    for row in ".c":
        here.report(row)
        here.look()
    here.mend()
    assert said(here.look()) == ["over", "first CRITICAL"]


def test_after_a_failure_nothing_is_told_until_it_may_be_tried_again_and_others_are_not_kept_waiting(world, said):
    here = world({"slack": LOUD, "mail": LOUD})
    here.report("..c")
    here.ways = {"slack": "refuse"}
    assert [one.receiver for one in here.look()] == ["mail"]
    here.ways = {}
    assert (here.look(), here.plan().retry_at) == ([], here.facts.receivers["slack"].retry_at)
    here.clock = here.facts.receivers["slack"].retry_at
    assert [one.receiver for one in here.look()] == ["slack"]


def test_after_a_failure_the_rest_of_a_receivers_messages_wait_and_keep_their_order(world):
    here = world()
    here.report("..c", model="a")
    here.report("..c", model="b")
    here.follow()
    first, second = here.plan().batches
    here.ways = {"slack": "refuse"}
    here.deliver()
    assert len(here.facts.notifications) == 0
    here.mend()
    assert here.plan().batches == (first, second)


def test_who_wants_no_resolved_messages_believes_silently_that_it_is_over(world, said):
    here = world({"slack": NotificationPolicy(resolved=False)})
    for row in ["..c", ".", "c"]:
        here.report(row)
        here.look()
    assert said(here.accepted) == ["first CRITICAL", "first CRITICAL"]
    here.report(".")
    here.look()
    assert [one.level for one in here.facts.notifications.values()] == [Severity.OK]


def test_who_is_no_longer_named_is_told_the_end_and_nothing_else(world, said):
    here = world({"slack": LOUD, "mail": LOUD})
    here.report("..w")
    here.look()
    here.routes = (Route("one", ("mail",)),)
    for row in ["c", "."]:
        here.report(row)
        here.look()
    assert said(one for one in here.accepted if one.receiver == "slack") == ["first WARNING", "over"]


def test_who_is_not_configured_any_more_is_told_nothing(world):
    here = world({"slack": LOUD, "mail": LOUD})
    here.report("..c")
    here.look()
    here.paces = {"mail": LOUD}
    here.report(".")
    assert [one.receiver for one in here.look()] == ["mail"]


def test_a_new_receiver_is_told_only_what_stands(world, said):
    here = world()
    for row in ["..c", ".", "w"]:
        here.report(row)
        here.look()
    here.paces = {"slack": LOUD, "mail": LOUD}
    told = here.look()
    assert (said(told), [one.receiver for one in told]) == (["first WARNING"], ["mail"])


def test_while_a_receiver_is_broken_another_is_told_and_once_it_works_it_is_told_what_stands(world, said):
    here = world({"slack": LOUD, "mail": LOUD})
    here.routes = (Route("one", ("slack",)),)
    here.ways = {"slack": "reject"}
    here.report("..c")
    assert here.look() == []
    assert [one.receiver for one in here.look()] == ["mail"]
    here.mend()
    assert [one.receiver for one in here.look()] == ["slack"]
    here.report(".")
    told = here.look()
    assert (said(told), {one.receiver for one in told}) == (["over"] * 2, {"slack", "mail"})


def test_a_trigger_that_failed_for_good_is_followed_by_no_end(world):
    here = world()
    here.ways = {"slack": "reject"}
    here.report("..c")
    here.look()
    here.report(".")
    here.follow()
    assert (
        NotificationKey("slack", "floor", next(iter(here.facts.incidents.values())).key) not in here.facts.notifications
    )
    here.clock += 25 * HOUR
    here.mend()
    assert here.look() == []


def test_a_kill_before_the_record_repeats_the_message_with_its_key(world):
    here = world()
    here.ways = {"slack": "kill"}
    here.report("..c")
    (first,) = here.look()
    here.ways = {}
    (second,) = here.look()
    assert first == second
    assert here.look() == []


@pytest.mark.parametrize(
    ("looks", "told"),
    [
        pytest.param("cwcwc", ["first CRITICAL", *["worse CRITICAL"] * 2], id="worse again and again"),
        pytest.param("crr", ["first CRITICAL", *["repeat CRITICAL"] * 2], id="repeated again and again"),
        pytest.param("c.uu.u", ["first CRITICAL", "over"] * 2 + ["first CRITICAL"], id="opened again and again"),
    ],
)
def test_what_is_told_a_second_time_has_another_key(world, said, looks, told):
    here = world()
    here.report("..")
    for look in looks:
        if look == "r":
            here.wait(5 * HOUR)
        elif look == "u":  # the last row turns out to be bad, or good after all
            last = max(here.rows["m"])
            here.rows["m"][last] = Severity.CRITICAL if here.rows["m"][last] is Severity.OK else Severity.OK
        else:
            here.report(look)
        here.look()
    assert said(here.accepted) == told
    assert len({one.idempotency_key for one in here.accepted}) == len(told)


def test_a_kill_between_begin_and_end_of_what_is_late_repeats_the_end_with_its_key(world):
    here = world({"slack": NotificationPolicy(exempt=True)})
    for row in ("..c", "."):
        here.report(row)
        here.follow()
    ((begin, end),) = [batch.notifications for batch in here.plan().batches]
    here.write(SendFinished(here.now, (begin,)))
    ((again,),) = [batch.notifications for batch in here.plan().batches]
    assert (again.action, again.idempotency_key) == (end.action, end.idempotency_key)


def test_what_got_better_is_said_when_it_would_have_been_repeated(world, said):
    here = world()
    here.report("..c")
    here.look()
    here.report("www")
    here.look()
    here.wait(HOUR + MINUTE)
    assert said(here.look()) == ["repeat WARNING"]


def test_what_somebody_has_is_not_told_to_more(world):
    here = world({"slack": LOUD, "boss": LOUD})
    here.routes = (Route("all", ("slack",), escalate_after=30 * MINUTE, escalate_to=("boss",)),)
    here.report("..c")
    here.look()
    here.ack(length=2 * HOUR)
    here.wait(HOUR)
    assert here.look() == []
    here.wait(2 * HOUR)
    assert [one.receiver for one in here.look()] == ["boss"]


def test_the_worst_is_told_first_then_what_has_been_open_longest(world):
    here = world()
    here.ways = {"slack": "refuse"}
    for model, level in (("a", "w"), ("b", "c"), ("c", "c")):
        here.report("..", level, model=model, at=here.clock)
        here.look()
    here.mend()
    assert [one.entry_key.key.model for one in here.look()] == ["b", "c", "a"]
