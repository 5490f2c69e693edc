"""What a receiver is told, look by look: each paragraph of the specification as a table."""

from datetime import timedelta

import pytest

from modeltop.alerting.dispatch import plan_notifications
from modeltop.alerting.routing import NotificationPolicy, Route
from modeltop.core.event import SendFinished
from modeltop.core.incident import AlertingState, Matchers, NotificationKey, ReceiverState
from modeltop.core.series import Severity

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
LOUD = NotificationPolicy(group=0, hourly=0)


@pytest.mark.parametrize(
    ("cycles", "expected"),
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
        pytest.param(["..", "w....c.", "."], ["late+", "late-"] * 2, id="so is each of two"),
        pytest.param(["..", "c....w"], ["late+", "late-", "first WARNING"], id="and then what stands"),
    ],
)
def test_receivers_are_notified_of_what_changed(new_world, describe, cycles, expected):
    world = new_world()
    for rows in cycles:
        world.add_rows(rows)
        world.run_cycle()
    assert describe(world.accepted) == expected


@pytest.mark.parametrize(
    ("repeat", "elapsed", "expected"),
    [
        (4 * HOUR, 4 * HOUR - MINUTE, []),
        (4 * HOUR, 4 * HOUR, ["repeat CRITICAL"]),
        (None, 400 * HOUR, []),
    ],
)
def test_an_open_incident_is_sent_again_after_a_while(new_world, describe, repeat, elapsed, expected):
    world = new_world({"slack": NotificationPolicy(repeat=repeat)})
    world.add_rows("..c")
    world.run_cycle()
    world.wait(elapsed)
    assert describe(world.run_cycle()) == expected
    assert world.run_cycle() == []


def test_an_acknowledged_incident_is_not_sent_again_until_the_acknowledgement_ends(new_world, describe):
    world = new_world()
    world.add_rows("..w")
    world.run_cycle()
    world.ack(length=9 * HOUR)
    world.wait(8 * HOUR)
    assert world.run_cycle() == []
    world.wait(9 * HOUR)
    assert describe(world.run_cycle()) == ["repeat WARNING"]


def test_an_acknowledgement_does_not_keep_back_what_gets_worse(new_world, describe):
    world = new_world()
    world.add_rows("..w")
    world.run_cycle()
    world.ack()
    world.add_rows("c")
    assert describe(world.run_cycle()) == ["worse CRITICAL"]
    world.add_rows("w")
    world.run_cycle()
    world.clock += 5 * HOUR
    assert describe(world.run_cycle()) == ["repeat WARNING"], "what got worse is nobody's any more"


def test_an_acknowledgement_is_sent_once_to_receivers_that_take_it(new_world, describe):
    world = new_world({"slack": LOUD, "pager": NotificationPolicy(exempt=True, acknowledges=True)})
    world.add_rows("..c")
    world.run_cycle()
    world.ack()
    expected = world.run_cycle()
    assert (describe(expected), [item.receiver for item in expected]) == (["acknowledged CRITICAL"], ["pager"])
    assert world.run_cycle() == []


def test_the_resolve_is_sent_even_if_silenced_and_acknowledged_and_the_next_trigger_once_it_is_not(new_world, describe):
    world = new_world()
    world.add_rows("..c")
    world.run_cycle()
    world.ack()
    world.silence(48 * HOUR)
    world.add_rows(".")
    assert describe(world.run_cycle()) == ["over"]
    world.add_rows("c")
    assert world.run_cycle() == []
    world.expire()
    assert describe(world.run_cycle()) == ["first CRITICAL"]


def test_a_resolve_and_the_next_trigger_are_sent_in_one_cycle(new_world, describe):
    world = new_world()
    world.add_rows("..c")
    world.run_cycle()
    world.faults = {"slack": "refuse"}
    for row in "....c":
        world.add_rows(row)
        world.run_cycle()
    world.repair()
    assert describe(world.run_cycle()) == ["over", "first CRITICAL"]


def test_an_alert_soon_after_the_end_reopens_the_incident_under_its_own_name(new_world, describe):
    world = new_world()
    for row in ["..c", ".", "c"]:
        world.add_rows(row)
        world.run_cycle()
    assert describe(world.accepted) == ["first CRITICAL", "over", "first CRITICAL"]
    assert len({notification.incident for notification in world.accepted}) == 1
    assert len({notification.idempotency_key for notification in world.accepted}) == 3


def one_metric_then_another(world, *, good=0, second="c"):
    """A metric fires, and so many rows later another one of the same model."""
    world.add_rows("..c")
    world.add_rows("...", model="m/recall")
    world.run_cycle()
    world.add_rows("c" * (good + 1))
    world.add_rows("." * good + second, model="m/recall")
    return world.run_cycle()


def test_what_joins_soon_after_the_start_is_part_of_the_next_message(new_world, describe):
    world = new_world()
    assert one_metric_then_another(world, good=2) == []
    world.clock += 4 * HOUR
    (reminder,) = world.run_cycle()
    assert describe([reminder]) == ["repeat CRITICAL"]
    assert [key.metric for key in reminder.members] == ["accuracy", "recall"]


def test_what_joins_later_is_sent_once_under_the_same_name(new_world, describe):
    world = new_world({"slack": NotificationPolicy(repeat=None, group=0, hourly=0)})
    (joined,) = one_metric_then_another(world, good=3)
    assert describe(world.accepted) == ["first CRITICAL", "joined CRITICAL"]
    assert len({notification.incident for notification in world.accepted}) == 1
    assert [key.metric for key in joined.members] == ["accuracy", "recall"]
    assert world.run_cycle() == []


def test_at_most_one_alert_that_joins_is_sent_a_period(new_world, describe):
    world = new_world({"slack": NotificationPolicy(repeat=None, group=0, hourly=0)})
    world.add_rows("......", model="m/precision")
    one_metric_then_another(world, good=3)
    world.add_rows("c", model="m/precision", at=max(world.rows["m"]))
    assert world.run_cycle() == []
    world.wait(HOUR)
    assert describe(world.run_cycle()) == ["joined CRITICAL"]


def test_a_series_that_was_a_member_before_is_no_news(new_world, describe):
    world = new_world({"slack": NotificationPolicy(repeat=None, group=0, hourly=0)})
    one_metric_then_another(world, good=0)
    for row in ".....c":
        world.add_rows("c")
        world.add_rows(row, model="m/recall")
        world.run_cycle()
    assert describe(world.accepted) == ["first CRITICAL"]


@pytest.mark.parametrize(("second", "expected"), [("w", []), ("c", ["joined CRITICAL"])])
def test_only_a_critical_alert_that_joins_late_ends_an_acknowledgement(new_world, describe, second, expected):
    world = new_world()
    world.add_rows("..c")
    world.add_rows("...", model="m/recall")
    world.run_cycle()
    world.ack()
    world.add_rows("cccc")
    world.add_rows("..." + second, model="m/recall")
    assert describe(world.run_cycle()) == expected


def test_a_receiver_of_one_metric_is_sent_its_end_though_the_incident_goes_on(new_world, describe):
    world = new_world(routes=(Route("recall", ("slack",), Matchers(metric="recall")),))
    one_metric_then_another(world, good=0)
    for row in ".c":
        world.add_rows("c")
        world.add_rows(row, model="m/recall")
        world.run_cycle()
    assert describe(world.accepted) == ["first CRITICAL", "over", "first CRITICAL"]
    assert len({notification.incident for notification in world.accepted}) == 1
    assert len({notification.idempotency_key for notification in world.accepted}) == 3
    assert {key.metric for notification in world.accepted for key in notification.members} == {"recall"}


def test_a_silence_of_one_metric_leaves_the_others(new_world, describe):
    world = new_world()
    world.silence(48 * HOUR, metric="accuracy")
    one_metric_then_another(world, good=3)
    assert describe(world.accepted) == ["first CRITICAL"]
    assert [key.metric for key in world.accepted[0].members] == ["recall"]


def test_after_a_failure_nothing_is_sent_until_it_may_be_tried_again_and_others_are_not_kept_waiting(
    new_world, describe
):
    world = new_world({"slack": LOUD, "mail": LOUD})
    world.add_rows("..c")
    world.faults = {"slack": "refuse"}
    assert [notification.receiver for notification in world.run_cycle()] == ["mail"]
    world.faults = {}
    assert (world.run_cycle(), world.plan().retry_at) == ([], world.state.receivers["slack"].retry_at)
    world.clock = world.state.receivers["slack"].retry_at
    assert [notification.receiver for notification in world.run_cycle()] == ["slack"]


def test_after_a_failure_the_rest_of_a_receivers_messages_wait_and_keep_their_order(new_world):
    world = new_world()
    world.add_rows("..c", model="a")
    world.add_rows("..c", model="b")
    world.track()
    first, second = world.plan().batches
    world.faults = {"slack": "refuse"}
    world.deliver()
    assert len(world.state.notifications) == 0
    world.repair()
    assert world.plan().batches == (first, second)


def test_for_a_receiver_without_resolved_messages_the_end_is_recorded_without_one(new_world, describe):
    world = new_world({"slack": NotificationPolicy(resolved=False)})
    for row in ["..c", ".", "c"]:
        world.add_rows(row)
        world.run_cycle()
    assert describe(world.accepted) == ["first CRITICAL", "first CRITICAL"]
    world.add_rows(".")
    world.run_cycle()
    assert [entry.level for entry in world.state.notifications.values()] == [Severity.OK]


def test_a_receiver_that_no_route_names_any_more_is_sent_the_resolve_and_nothing_else(new_world, describe):
    world = new_world({"slack": LOUD, "mail": LOUD})
    world.add_rows("..w")
    world.run_cycle()
    world.routes = (Route("one", ("mail",)),)
    for row in ["c", "."]:
        world.add_rows(row)
        world.run_cycle()
    assert describe(notification for notification in world.accepted if notification.receiver == "slack") == [
        "first WARNING",
        "over",
    ]


def test_a_receiver_that_is_not_configured_any_more_is_sent_nothing(new_world):
    world = new_world({"slack": LOUD, "mail": LOUD})
    world.add_rows("..c")
    world.run_cycle()
    world.policies = {"mail": LOUD}
    world.add_rows(".")
    assert [notification.receiver for notification in world.run_cycle()] == ["mail"]


def test_a_new_receiver_is_sent_only_what_is_open(new_world, describe):
    world = new_world()
    for row in ["..c", ".", "w"]:
        world.add_rows(row)
        world.run_cycle()
    world.policies = {"slack": LOUD, "mail": LOUD}
    expected = world.run_cycle()
    assert (describe(expected), [item.receiver for item in expected]) == (["first WARNING"], ["mail"])


def test_while_a_receiver_is_disabled_another_is_notified_and_once_it_works_it_is_sent_what_is_open(
    new_world, describe
):
    world = new_world({"slack": LOUD, "mail": LOUD})
    world.routes = (Route("one", ("slack",)),)
    world.faults = {"slack": "disable"}
    world.add_rows("..c")
    assert world.run_cycle() == []
    assert [notification.receiver for notification in world.run_cycle()] == ["mail"]
    world.repair()
    assert [notification.receiver for notification in world.run_cycle()] == ["slack"]
    world.add_rows(".")
    expected = world.run_cycle()
    assert (describe(expected), {item.receiver for item in expected}) == (["over"] * 2, {"slack", "mail"})


def test_a_trigger_that_failed_for_good_is_followed_by_no_resolve(new_world):
    world = new_world()
    world.faults = {"slack": "disable"}
    world.add_rows("..c")
    world.run_cycle()
    world.add_rows(".")
    world.track()
    assert NotificationKey("slack", "m") not in world.state.notifications
    world.clock += 25 * HOUR
    world.repair()
    assert world.run_cycle() == []


def test_a_kill_before_the_record_repeats_the_message_with_its_key(new_world):
    world = new_world()
    world.faults = {"slack": "kill"}
    world.add_rows("..c")
    (first,) = world.run_cycle()
    world.faults = {}
    (second,) = world.run_cycle()
    assert first == second
    assert world.run_cycle() == []


@pytest.mark.parametrize(
    ("cycles", "expected"),
    [
        pytest.param("cwcwc", ["first CRITICAL", *["worse CRITICAL"] * 2], id="worse again and again"),
        pytest.param("crr", ["first CRITICAL", *["repeat CRITICAL"] * 2], id="repeated again and again"),
        pytest.param("c.uu.u", ["first CRITICAL", "over"] * 2 + ["first CRITICAL"], id="opened again and again"),
    ],
)
def test_what_is_sent_a_second_time_has_another_key(new_world, describe, cycles, expected):
    world = new_world()
    world.add_rows("..")
    for run_cycle in cycles:
        if run_cycle == "r":
            world.wait(5 * HOUR)
        elif run_cycle == "u":  # the last row turns out to be bad, or good after all
            last = max(world.rows["m"])
            world.rows["m"][last] = Severity.CRITICAL if world.rows["m"][last] is Severity.OK else Severity.OK
        else:
            world.add_rows(run_cycle)
        world.run_cycle()
    assert describe(world.accepted) == expected
    assert len({notification.idempotency_key for notification in world.accepted}) == len(expected)


def test_a_kill_between_trigger_and_resolve_of_a_missed_incident_repeats_the_resolve_with_its_key(new_world):
    world = new_world({"slack": NotificationPolicy(exempt=True)})
    for row in ("..c", "."):
        world.add_rows(row)
        world.track()
    ((trigger, resolve),) = [batch.notifications for batch in world.plan().batches]
    world.write(SendFinished(world.now, (trigger,)))
    ((again,),) = [batch.notifications for batch in world.plan().batches]
    assert (again.action, again.idempotency_key) == (resolve.action, resolve.idempotency_key)


def test_what_got_better_is_said_when_it_would_have_been_repeated(new_world, describe):
    world = new_world()
    world.add_rows("..c")
    world.run_cycle()
    world.add_rows("www")
    world.run_cycle()
    world.wait(HOUR + MINUTE)
    assert describe(world.run_cycle()) == ["repeat WARNING"]


def test_an_acknowledged_incident_is_not_escalated(new_world):
    world = new_world({"slack": LOUD, "boss": LOUD})
    world.routes = (Route("all", ("slack",), escalate_after=30 * MINUTE, escalate_to=("boss",)),)
    world.add_rows("..c")
    world.run_cycle()
    world.ack(length=2 * HOUR)
    world.wait(HOUR)
    assert world.run_cycle() == []
    world.wait(2 * HOUR)
    assert [notification.receiver for notification in world.run_cycle()] == ["boss"]


def test_the_worst_is_sent_first_then_what_has_been_open_longest(new_world):
    world = new_world()
    world.faults = {"slack": "refuse"}
    for model, level in (("a", "w"), ("b", "c"), ("c", "c")):
        world.add_rows("..", level, model=model, at=world.clock)
        world.run_cycle()
    world.repair()
    assert [notification.entry_key.model for notification in world.run_cycle()] == ["b", "c", "a"]


def test_a_message_that_was_rejected_is_not_sent_again_nor_resolved_and_what_gets_worse_is_sent(new_world, describe):
    world = new_world()
    world.faults = {"slack": "drop"}
    world.add_rows("..w")
    world.run_cycle()
    world.faults = {}
    world.clock += HOUR
    assert world.run_cycle() == []
    other = world.copy()
    other.add_rows(".")
    assert other.run_cycle() == []
    world.add_rows("c")
    assert describe(world.run_cycle()) == ["first CRITICAL"]


def test_a_message_that_was_rejected_is_tried_again_after_the_repeat_interval(new_world, describe):
    world = new_world()
    world.faults = {"slack": "drop"}
    world.add_rows("..w")
    world.run_cycle()
    world.faults = {}
    world.wait(4 * HOUR)
    assert describe(world.run_cycle()) == ["first WARNING"]


def test_a_disabled_receiver_is_probed_by_one_message_of_all_that_is_open(new_world, describe):
    world = new_world({"slack": NotificationPolicy(group=0, hourly=1), "mail": LOUD})
    world.routes = (Route("one", ("slack",)),)
    world.faults = {"slack": "disable"}
    for model in "mno":
        world.add_rows("..c", model=model)
    world.run_cycle()
    assert {item.receiver for item in world.run_cycle()} == {"mail"}, "meanwhile the fallback has them"
    assert [batch.receiver for batch in world.plan().batches] == []
    assert world.plan().retry_at == world.state.receivers["slack"].retry_at, "it is probed even with nothing to send"
    world.faults = {}
    world.wait(MINUTE + MINUTE)
    (batch,) = world.plan().batches
    assert (batch.receiver, len(batch.notifications)) == ("slack", 3)
    assert {item.receiver for item in world.run_cycle()} == {"slack"}
    assert world.state.receivers["slack"].disabled_reason is None


@pytest.mark.parametrize(("policy", "expected"), [(LOUD, ("slack",)), (NotificationPolicy(exempt=True), ())])
def test_a_disabled_receiver_with_nothing_to_be_sent_is_probed_unless_it_is_a_pager(new_world, policy, expected):
    world = new_world({"slack": policy})
    receiver = ReceiverState(world.clock - HOUR, disabled_reason="404", retry_at=world.clock - MINUTE)
    state = AlertingState(receivers={"slack": receiver})
    assert plan_notifications(state, world.config, world.clock).recovery_messages == expected


def test_a_receiver_whose_messages_are_not_grouped_is_probed_with_one(new_world):
    world = new_world({"slack": NotificationPolicy(exempt=True)})
    world.faults = {"slack": "disable"}
    for model in "mno":
        world.add_rows("..c", model=model)
    world.run_cycle()
    world.wait(2 * MINUTE)
    assert [len(batch.notifications) for batch in world.plan().batches] == [1]


def test_a_silence_or_an_acknowledgement_by_a_clock_that_is_ahead_is_not_in_force(new_world, describe):
    world = new_world()
    world.add_rows("..w")
    world.run_cycle()
    other = world.copy()
    other.clock += timedelta(days=400)
    other.ack()
    other.silence()
    world.write(*other.journal[-2:])
    world.last_line = None
    world.clock += 5 * HOUR
    assert describe(world.run_cycle()) == ["repeat WARNING"]
