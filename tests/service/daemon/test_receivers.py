"""A receiver that hangs, fails, breaks, and works again; what others are told meanwhile."""

from dataclasses import replace

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


def test_a_receiver_that_hangs_keeps_neither_another_nor_the_watcher_waiting(ruled):
    ruled.receivers("slow", "ops")
    ruled.config = replace(ruled.config, rules=(ruled.rule(),))
    ruled.boxes["slow"].gate.clear()
    ruled.rows("churn", *FINE, BAD)
    ruled.cycle(looks=3, wait=["slow"])
    assert (len(ruled.told("ops")), len(ruled.told("slow"))) == (1, 0)
    ruled.boxes["slow"].gate.set()
    ruled.settle()
    ruled.cycle()
    assert len(ruled.told("slow")) == 1


def test_a_failure_that_may_pass_is_tried_again_and_the_budget_survives_a_restart(ruled):
    ruled.rows("churn", *FINE, BAD)
    ruled.boxes["ops"].answers = [NotifyError("answered 429", retry_after=120)]
    ruled.cycle()
    state = ruled.facts.receivers["ops"]
    assert (state.failures, state.error) == (1, "answered 429")
    ruled.sleep(seconds=100)
    ruled.restart()
    ruled.cycle(looks=2)
    assert len(ruled.boxes["ops"].tried) == 1
    assert 20 < ruled.rounds.seconds_until_due() < 22
    ruled.sleep(seconds=25)
    assert ruled.rounds.seconds_until_due() == 0
    ruled.rounds.send_due()
    ruled.settle()
    assert len(ruled.told()) == 1
    assert len({message.key for message in ruled.boxes["ops"].tried}) == 1
    assert ruled.facts.receivers["ops"].failures == 0


def test_what_fired_and_ended_while_the_receiver_was_down_is_told_late_once(ruled):
    ruled.boxes["ops"].answers = [DOWN] * 2
    ruled.rows("churn", *FINE, BAD)
    ruled.cycle()
    ruled.rows("churn", GOOD, begin="2025-03-10")
    ruled.sleep(minutes=10)
    ruled.cycle()
    assert ruled.told() == []
    ruled.sleep(minutes=10)
    ruled.cycle(looks=2)
    assert {one[1] for one in ruled.told()} == {"late"}
    assert len(ruled.boxes["ops"].got) == 1


def test_a_receiver_that_is_broken_is_said_and_the_next_takes_over(ruled):
    ruled.receivers("ops", "backup", routes=[])
    ruled.config = replace(ruled.config, rules=(replace(ruled.rule(), receivers=("ops",)),))
    ruled.boxes["ops"].answers = [NotifyError("answered 410", permanent=True)]
    ruled.rows("churn", *FINE, BAD)
    ruled.cycle(looks=2)
    assert ruled.told("backup") == [("trigger", "first", "churn")]
    assert health.read_last_health(ruled.state).disabled_receivers == ("ops",)
    assert ruled.facts.receivers["ops"].disabled_reason == "answered 410"
    assert "ops is broken: answered 410" in ruled.log


def test_other_settings_mend_a_broken_receiver(ruled):
    ruled.boxes["ops"].answers = [NotifyError("answered 401", permanent=True)]
    ruled.rows("churn", *FINE, BAD)
    ruled.cycle(looks=3)
    assert ruled.told() == []
    ruled.receivers("ops", setting="another")
    ruled.rounds.reload()
    ruled.cycle(looks=2)
    assert len(ruled.told()) == 1
    assert health.read_last_health(ruled.state).disabled_receivers == ()


def test_a_receiver_that_fails_again_and_again_is_said(ruled):
    ruled.boxes["ops"].answers = [DOWN] * 3
    ruled.rows("churn", *FINE, BAD)
    for expected in (None, None, "ops has failed 3 times in a row: answered 503", None):
        ruled.cycle()
        assert health.read_last_health(ruled.state).error == expected
        ruled.sleep(minutes=6)


def test_a_receiver_that_failed_is_asked_with_one_message_whether_it_works_again(ruled):
    for number in range(6):
        ruled.rows(f"m{number}", *FINE, WORST)
    ruled.boxes["ops"].answers = [None, DOWN, DOWN]
    ruled.cycle()
    assert len(ruled.boxes["ops"].tried) == 2
    ruled.sleep(seconds=3)
    ruled.cycle()
    assert len(ruled.boxes["ops"].tried) == 3
    ruled.sleep(seconds=5)
    ruled.cycle()
    assert len(ruled.told()) == 6
    assert ruled.facts.receivers["ops"].error is None


def test_of_one_that_failed_no_more_is_announced_than_the_one_message(ruled):
    for number in range(4):
        ruled.rows(f"m{number}", *FINE, WORST)
    ruled.boxes["ops"].answers = [DOWN, DOWN]
    for _ in range(2):
        ruled.cycle()
        ruled.sleep(minutes=6)
    announced = [len(one.notifications) for one in EventLog(ruled.state).events() if isinstance(one, SendStarted)]
    assert announced == [4, 1]


def test_the_hourly_cap_counts_messages_of_one_moment_apart(ruled):
    ruled.receivers("ops", pace=NotificationPolicy(group=0, hourly=20))
    for number in range(4):
        ruled.rows(f"m{number}", *FINE, WORST)
    ruled.cycle()
    assert len(ruled.facts.receivers["ops"].recent_sends) == len(ruled.boxes["ops"].got) == 4


def test_a_variable_that_is_set_at_last_mends_the_receiver_that_lacked_it(ruled, monkeypatch):
    hook = Receiver("hook", Webhook(url=SecretRef(env="LATE_URL"), timeout=1))
    ruled.config = replace(ruled.config, receivers={"hook": hook, **ruled.config.receivers})
    ruled.rows("churn", *FINE)
    ruled.cycle()
    assert "LATE_URL is not set" in ruled.facts.receivers["hook"].disabled_reason
    monkeypatch.setenv("LATE_URL", "http://127.0.0.1:1/")
    ruled.restart()
    ruled.cycle()
    assert ruled.facts.receivers["hook"].disabled_reason is None
