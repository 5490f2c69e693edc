"""Receivers that hang, fail, are disabled and recover, and what others are sent meanwhile."""

import math
from dataclasses import replace
from datetime import timedelta

from modeltop.alerting.event_log.event_log import EventLog
from modeltop.alerting.notifiers.base import Receiver, SecretRef
from modeltop.alerting.notifiers.webhook import Webhook
from modeltop.alerting.routing import NotificationPolicy
from modeltop.core.errors import NotifyError
from modeltop.core.event import SendStarted
from modeltop.service import health

GOOD, BAD, WORST = 0.95, 0.85, 0.7
FINE = (GOOD,) * 8
DOWN = NotifyError("answered 503")
FAILED = "ops has failed 3 times in a row: answered 503"


def test_a_receiver_that_hangs_delays_neither_another_nor_the_daemon(rule_world):
    rule_world.receivers("slow", "ops")
    rule_world.config = replace(rule_world.config, rules=(rule_world.rule(),))
    rule_world.inboxes["slow"].gate.clear()
    rule_world.rows("churn", *FINE, BAD)
    rule_world.run_cycle(runs=3, wait=["slow"])
    assert (len(rule_world.sent("ops")), len(rule_world.sent("slow"))) == (1, 0)
    rule_world.inboxes["slow"].gate.set()
    rule_world.settle()
    rule_world.run_cycle()
    assert len(rule_world.sent("slow")) == 1


def test_a_temporary_failure_is_retried_and_the_delay_survives_a_restart(rule_world):
    rule_world.rows("churn", *FINE, BAD)
    rule_world.inboxes["ops"].responses = [NotifyError("answered 429", retry_after=120)]
    rule_world.run_cycle()
    state = rule_world.alerting_state.receivers["ops"]
    assert (state.failures, state.error) == (1, "answered 429")
    rule_world.sleep(seconds=100)
    rule_world.restart()
    rule_world.run_cycle(runs=2)
    assert len(rule_world.inboxes["ops"].attempted) == 1
    assert 20 < rule_world.cycle.seconds_until_due() < 22
    rule_world.sleep(seconds=25)
    assert rule_world.cycle.seconds_until_due() == 0
    rule_world.cycle.send_due()
    rule_world.settle()
    assert len(rule_world.sent()) == 1
    assert len({message.key for message in rule_world.inboxes["ops"].attempted}) == 1
    assert rule_world.alerting_state.receivers["ops"].failures == 0


def test_an_incident_that_ended_while_the_receiver_was_down_is_sent_late_once(rule_world):
    rule_world.inboxes["ops"].responses = [DOWN] * 2
    rule_world.rows("churn", *FINE, BAD)
    rule_world.run_cycle()
    rule_world.rows("churn", GOOD, start="2025-03-10")
    rule_world.sleep(minutes=10)
    rule_world.run_cycle()
    assert rule_world.sent() == []
    rule_world.sleep(minutes=10)
    rule_world.run_cycle(runs=2)
    assert {entry[1] for entry in rule_world.sent()} == {"late"}
    assert len(rule_world.inboxes["ops"].received) == 1


def test_a_disabled_receiver_is_reported_and_the_next_takes_over(rule_world):
    rule_world.receivers("ops", "backup", routes=[])
    rule_world.config = replace(rule_world.config, rules=(replace(rule_world.rule(), receivers=("ops",)),))
    rule_world.inboxes["ops"].responses = [NotifyError("answered 410", permanent=True)]
    rule_world.rows("churn", *FINE, BAD)
    rule_world.run_cycle(runs=2)
    assert rule_world.sent("backup") == [("trigger", "first", "churn")]
    assert health.read_last_health(rule_world.state).disabled_receivers.keys() == {"ops"}
    assert rule_world.alerting_state.receivers["ops"].disabled_reason == "answered 410"
    assert "ops fails: answered 410" in rule_world.log


def test_a_disabled_receiver_is_probed_and_recovers_by_itself_with_all_that_it_missed(rule_world):
    rule_world.receivers("ops", "backup", routes=[])
    rule_world.config = replace(rule_world.config, rules=(replace(rule_world.rule(), receivers=("ops",)),))
    rule_world.inboxes["ops"].responses = [NotifyError("answered 404", permanent=True)] * 2
    for model in ("m1", "m2"):
        rule_world.rows(model, *FINE, BAD)
    rule_world.run_cycle(runs=2)
    for wait, attempts in ((59, 1), (2, 2), (299, 2)):
        rule_world.sleep(seconds=wait)
        rule_world.run_cycle()
        assert len(rule_world.inboxes["ops"].attempted) == attempts
    rule_world.sleep(seconds=2)
    rule_world.run_cycle()
    assert len(rule_world.inboxes["ops"].received) == 1, "one plain message of all active alerts"
    assert {entry[2] for entry in rule_world.sent("ops")} == {"m1", "m2"}
    assert rule_world.alerting_state.receivers["ops"].disabled_reason is None
    assert health.read_last_health(rule_world.state).disabled_receivers == {}
    assert "m1" in {entry[2] for entry in rule_world.sent("backup")}


def test_a_rejected_message_is_dropped_and_a_second_one_in_a_row_disables_the_receiver(rule_world):
    rejected = NotifyError("answered 413", rejects_message=True)
    rule_world.inboxes["ops"].responses = [rejected]
    rule_world.rows("m1", *FINE, BAD)
    rule_world.run_cycle(runs=3)
    assert len(rule_world.inboxes["ops"].attempted) == 1, "it is not sent again and again"
    error = health.read_last_health(rule_world.state).error
    assert error == "ops rejected a message, which was dropped: answered 413"
    rule_world.inboxes["ops"].responses = [rejected]
    rule_world.rows("m2", *FINE, BAD)
    rule_world.run_cycle(runs=2)
    assert rule_world.alerting_state.receivers["ops"].disabled_reason == "answered 413"
    rule_world.sleep(seconds=61)
    rule_world.run_cycle(runs=2)
    assert {entry[2] for entry in rule_world.sent()} == {"m1", "m2"}, "what it rejected may have been its own fault"


REJECTED = NotifyError("answered 400", rejects_message=True)


def test_a_rejected_group_is_sent_one_by_one_and_one_odd_alert_takes_no_other_with_it(rule_world):
    rule_world.receivers("ops", policy=NotificationPolicy(group=1, hourly=0))
    rule_world.inboxes["ops"].responses = [REJECTED, None, REJECTED]
    for model in ("m1", "m2", "m3", "m4"):
        rule_world.rows(model, *FINE, WORST)
    rule_world.run_cycle(runs=4)
    assert [len(message.sections) for message in rule_world.inboxes["ops"].attempted] == [4, 1, 1, 2]
    assert [entry[2] for entry in rule_world.sent()] == ["m1", "m3", "m4"]
    assert "ops rejected 4 alerts; sent one by one: answered 400" in rule_world.log
    assert rule_world.alerting_state.receivers["ops"].disabled_reason is None


def test_a_receiver_that_rejects_each_alert_by_itself_is_disabled(rule_world):
    rule_world.receivers("ops", policy=NotificationPolicy(group=1, hourly=0))
    rule_world.inboxes["ops"].responses = [REJECTED] * 3
    for model in ("m1", "m2", "m3"):
        rule_world.rows(model, *FINE, WORST)
    rule_world.run_cycle(runs=4)
    assert [len(message.sections) for message in rule_world.inboxes["ops"].attempted] == [3, 1, 1]
    assert rule_world.alerting_state.receivers["ops"].disabled_reason == "answered 400"
    rule_world.sleep(seconds=61)
    rule_world.run_cycle(runs=3)
    assert {entry[2] for entry in rule_world.sent()} == {"m1", "m2", "m3"}, "after the fault, everything is sent"


def test_a_message_that_is_rejected_while_the_clock_is_unreliable_is_not_dropped(rule_world):
    rule_world.rows("m1", *FINE)
    rule_world.run_cycle()
    rule_world.wall += timedelta(days=400)
    rule_world.inboxes["ops"].responses = [REJECTED]
    rule_world.rows("m1", BAD, start="2025-03-09")
    rule_world.run_cycle(runs=2)
    assert rule_world.sent() == []
    rule_world.wall -= timedelta(days=400)
    rule_world.run_cycle(runs=2)
    assert [entry[2] for entry in rule_world.sent()] == ["m1"], "at once when the clock is right again"
    message = rule_world.inboxes["ops"].attempted[0]
    assert message.clock_offset == timedelta(days=400), "a signature is of the time that is trusted"


def test_a_disabled_receiver_with_nothing_to_send_says_that_it_is_in_use_again(rule_world):
    rule_world.inboxes["ops"].responses = [NotifyError("answered 404", permanent=True)] * 2
    rule_world.rows("m1", *FINE, BAD)
    rule_world.run_cycle()
    rule_world.config = replace(rule_world.config, routes=())
    rule_world.cycle.reload()
    rule_world.sleep(seconds=61)
    rule_world.run_cycle()
    assert rule_world.alerting_state.receivers["ops"].probes == 2
    rule_world.sleep(seconds=301)
    rule_world.run_cycle()
    (message,) = rule_world.inboxes["ops"].received
    assert (message.title, message.is_test) == ("receiver ops works again", True)
    assert rule_world.alerting_state.receivers["ops"].disabled_reason is None
    rule_world.sleep(hours=2)
    rule_world.run_cycle()
    assert len(rule_world.inboxes["ops"].received) == 1, "once"


def test_a_pager_is_probed_by_its_next_alert_alone(rule_world):
    rule_world.receivers("ops", policy=NotificationPolicy(exempt=True))
    rule_world.inboxes["ops"].responses = [NotifyError("answered 404", permanent=True)]
    rule_world.rows("m1", *FINE, BAD)
    rule_world.run_cycle()
    rule_world.config = replace(rule_world.config, routes=())
    rule_world.cycle.reload()
    rule_world.sleep(hours=2)
    rule_world.run_cycle(runs=2)
    assert len(rule_world.inboxes["ops"].attempted) == 1
    assert rule_world.cycle.dispatcher.seconds_until_due() == math.inf


def test_the_status_says_why_a_receiver_fails_what_it_missed_and_when_it_is_tried_again(rule_world):
    rule_world.inboxes["ops"].responses = [NotifyError("answered 404: no such hook", permanent=True)]
    for model in ("m1", "m2"):
        rule_world.rows(model, *FINE, BAD)
    rule_world.run_cycle()
    lines = []
    command = "modeltop watch --store metrics --test"
    health.print_status(rule_world.state, rule_world.wall, lines.append, as_json=False, test_command=command)
    assert lines[1:] == [
        "  receiver ops fails: answered 404: no such hook; 2 alerts not delivered; next attempt 10 Mar 12:01 UTC",
        "    to try it now: modeltop watch --store metrics --test ops",
    ]


def test_other_settings_enable_a_disabled_receiver(rule_world):
    rule_world.inboxes["ops"].responses = [NotifyError("answered 401", permanent=True)]
    rule_world.rows("churn", *FINE, BAD)
    rule_world.run_cycle(runs=3)
    assert rule_world.sent() == []
    rule_world.receivers("ops", setting="another")
    rule_world.cycle.reload()
    rule_world.run_cycle(runs=2)
    assert len(rule_world.sent()) == 1
    assert health.read_last_health(rule_world.state).disabled_receivers == {}


def test_a_receiver_that_fails_three_times_is_reported(rule_world):
    rule_world.inboxes["ops"].responses = [DOWN] * 3
    rule_world.rows("churn", *FINE, BAD)
    for expected in (None, None, f"{FAILED}; 1 alert not delivered", None):
        rule_world.run_cycle()
        assert health.read_last_health(rule_world.state).error == expected
        rule_world.sleep(minutes=6)


def test_a_receiver_that_failed_is_probed_with_one_message(rule_world):
    for number in range(6):
        rule_world.rows(f"m{number}", *FINE, WORST)
    rule_world.inboxes["ops"].responses = [None, DOWN, DOWN]
    rule_world.run_cycle()
    assert len(rule_world.inboxes["ops"].attempted) == 2
    rule_world.sleep(seconds=3)
    rule_world.run_cycle()
    assert len(rule_world.inboxes["ops"].attempted) == 3
    rule_world.sleep(seconds=5)
    rule_world.run_cycle()
    assert len(rule_world.sent()) == 6
    assert rule_world.alerting_state.receivers["ops"].error is None


def test_only_the_probe_is_recorded_as_started(rule_world):
    for number in range(4):
        rule_world.rows(f"m{number}", *FINE, WORST)
    rule_world.inboxes["ops"].responses = [DOWN, DOWN]
    for _ in range(2):
        rule_world.run_cycle()
        rule_world.sleep(minutes=6)
    announced = [
        len(event.notifications) for event in EventLog(rule_world.state).events() if isinstance(event, SendStarted)
    ]
    assert announced == [4, 1]


def test_the_hourly_cap_counts_messages_of_one_moment_apart(rule_world):
    rule_world.receivers("ops", policy=NotificationPolicy(group=0, hourly=20))
    for number in range(4):
        rule_world.rows(f"m{number}", *FINE, WORST)
    rule_world.run_cycle()
    assert len(rule_world.alerting_state.receivers["ops"].recent_sends) == len(rule_world.inboxes["ops"].received) == 4


def test_a_variable_that_is_set_later_enables_its_receiver(rule_world, monkeypatch):
    hook = Receiver("hook", Webhook(url=SecretRef(env="LATE_URL"), timeout=1))
    rule_world.config = replace(rule_world.config, receivers={"hook": hook, **rule_world.config.receivers})
    rule_world.rows("churn", *FINE)
    rule_world.run_cycle()
    assert "LATE_URL is not set" in rule_world.alerting_state.receivers["hook"].disabled_reason
    monkeypatch.setenv("LATE_URL", "http://127.0.0.1:1/")
    rule_world.restart()
    rule_world.run_cycle()
    assert rule_world.alerting_state.receivers["hook"].disabled_reason is None
