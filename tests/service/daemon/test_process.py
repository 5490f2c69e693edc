"""The watcher as a service: it leads, stands by, takes over, reads anew, ends."""

import signal

import pytest

from modeltop.alerting.event_log.event_log import EventLog
from modeltop.core.event import LeaderChanged
from modeltop.service import health


def led(folder):
    return [event.is_leader for event in EventLog(folder).events() if isinstance(event, LeaderChanged)]


def test_it_tells_what_a_changed_file_says_and_ends_cleanly(configured, home, watch, until):
    service = watch()
    service.until("told ops of CRIT churn")
    configured.rows("churn", 0.96, begin="2025-03-10")
    service.until("told ops of RESOLVED churn")
    until(lambda: "RESOLVED" in (home / "told").read_text())
    service.signal(signal.SIGTERM)
    assert service.ended() == 0
    assert health.read_last_health(configured.state).stopped
    assert led(configured.state) == [True, False]


def test_a_second_one_stands_by_and_takes_over_from_one_that_was_killed(configured, home, watch):
    first = watch()
    first.until("told ops")
    second = watch("--json")
    second.until(f"process {first.process.pid} on")
    first.signal(signal.SIGKILL)
    second.until("leads from now on")
    configured.rows("churn", 0.96, begin="2025-03-10")
    second.until("RESOLVED churn")
    second.signal(signal.SIGINT)
    assert second.ended() == 0
    assert (home / "told").read_text().count("CRIT churn") == 1
    assert led(configured.state) == [True, True, False]


def test_a_changed_configuration_takes_effect_and_a_broken_one_is_said(configured, home, watch, until):
    service = watch()
    service.until("told ops")
    configured.configure("[watch]\nevry = '5m'\n")
    service.signal(signal.SIGHUP)
    service.until("the new configuration is not used: modeltop.toml: watch.evry")
    until(lambda: "evry" in (health.read_last_health(configured.state).error or ""))
    rule = '[[rules]]\nname = "floor"\nmetric = "accuracy"\ncritical = { below = 0.5 }\n'
    configured.configure(rule)
    service.signal(signal.SIGHUP)
    service.until("the configuration was read anew")
    service.until("told ops of")
    until(lambda: health.read_last_health(configured.state).error is None)
    until(lambda: (home / "told").read_text().count("churn") > 2)
    assert "WITHDRAWN" in (home / "told").read_text().upper()


def test_one_that_leads_and_lost_its_lock_file_takes_the_new_one(configured, watch):
    service = watch()
    service.until("told ops")
    (configured.state / "watch.lock").unlink()
    service.until("the lock file was removed or replaced")
    other = watch()
    other.until("leads; stands by")


@pytest.mark.slow
def test_who_hangs_keeps_nobody_from_ending(configured, watch):
    configured.configure(command="sleep 60")
    service = watch()
    service.until("fired: churn")
    service.signal(signal.SIGTERM)
    assert service.ended(20) == 0
    assert health.read_last_health(configured.state).stopped


@pytest.mark.slow
def test_of_two_started_together_one_leads_fifty_times_and_the_other_follows_a_kill(configured, watch, until):
    def how_many(both, word):
        return sum(word in one.said for one in both)

    for number in range(50):
        both = [watch(), watch()]
        until(lambda both=both: (how_many(both, "leads from now on"), how_many(both, "stands by")) == (1, 1))
        leader, follower = sorted(both, key=lambda one: "stands by" in one.said)
        leader.signal(signal.SIGKILL)
        follower.until("leads from now on", 60)
        follower.signal(signal.SIGTERM)
        assert (follower.ended(), leader.ended()) == (0, -signal.SIGKILL), number
    assert led(configured.state) == [True, True, False] * 50


def test_without_receivers_it_follows_alerts_and_says_that_nobody_is_told(configured, home, watch, until):
    (home / "modeltop.toml").write_text('[store]\npath = "store"\n')
    service = watch()
    service.until("no receiver is configured: nobody is told")
    service.until("fired: churn accuracy 0.70 < 0.90")
    until(lambda: health.read_last_health(configured.state) is not None)
