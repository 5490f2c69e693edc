"""The daemon as a process: it leads, stands by, takes over, reloads, ends."""

import signal

import pytest

from modeltop.alerting.event_log.event_log import EventLog
from modeltop.core.event import LeaderChanged
from modeltop.service import health


def leadership_changes(folder):
    return [event.is_leader for event in EventLog(folder).events() if isinstance(event, LeaderChanged)]


def test_it_sends_what_a_changed_file_means_and_ends_cleanly(configured, tmp_path, watch, wait_until):
    daemon = watch()
    daemon.wait_for_log("notified ops: critical churn")
    configured.rows("churn", 0.96, start="2025-03-10")
    daemon.wait_for_log("notified ops: resolved churn")
    wait_until(lambda: "resolved" in (tmp_path / "told").read_text())
    daemon.signal(signal.SIGTERM)
    assert daemon.wait_for_exit() == 0
    assert health.read_last_health(configured.state).stopped
    assert leadership_changes(configured.state) == [True, False]


def test_a_second_process_stands_by_and_takes_over_from_a_killed_leader(configured, tmp_path, watch):
    first = watch()
    first.wait_for_log("notified ops")
    second = watch("--json")
    second.wait_for_log(f"process {first.process.pid} on")
    first.signal(signal.SIGKILL)
    second.wait_for_log("leads from now on")
    configured.rows("churn", 0.96, start="2025-03-10")
    second.wait_for_log("resolved churn")
    second.signal(signal.SIGINT)
    assert second.wait_for_exit() == 0
    assert (tmp_path / "told").read_text().count("critical churn") == 1
    assert leadership_changes(configured.state) == [True, True, False]


def test_a_changed_configuration_takes_effect_and_an_invalid_one_is_reported(configured, tmp_path, watch, wait_until):
    daemon = watch()
    daemon.wait_for_log("notified ops")
    configured.configure("[watch]\nevry = '5m'\n")
    daemon.signal(signal.SIGHUP)
    daemon.wait_for_log("the new configuration is not used: modeltop.toml: watch.evry")
    wait_until(lambda: "evry" in (health.read_last_health(configured.state).error or ""))
    rule = '[[rules]]\nname = "floor"\nmetric = "accuracy"\ncritical = { below = 0.5 }\n'
    configured.configure(rule)
    daemon.signal(signal.SIGHUP)
    daemon.wait_for_log("the configuration was reloaded")
    daemon.wait_for_log("notified ops:")
    wait_until(lambda: health.read_last_health(configured.state).error is None)
    wait_until(lambda: (tmp_path / "told").read_text().count("churn") > 2)
    assert "withdrawn" in (tmp_path / "told").read_text()


def test_a_leader_that_lost_its_lock_file_acquires_the_new_one(configured, watch, wait_until):
    daemon = watch()
    daemon.wait_for_log("notified ops")
    (configured.state / "watch.lock").unlink()
    daemon.wait_for_log("the lock file was removed or replaced")
    other = watch()
    other.wait_for_log(f"process {daemon.process.pid} on")
    assert "leads; standing by" in other.output
    assert "leads from now on" not in other.output
    wait_until(lambda: len(leadership_changes(configured.state)) > 2)
    assert leadership_changes(configured.state) == [True, False, True]


@pytest.mark.slow
def test_a_receiver_that_hangs_does_not_delay_the_end(configured, watch):
    configured.configure(command="sleep 60")
    daemon = watch()
    daemon.wait_for_log("fired: churn")
    daemon.signal(signal.SIGTERM)
    assert daemon.wait_for_exit(20) == 0
    assert health.read_last_health(configured.state).stopped


@pytest.mark.slow
def test_of_two_started_together_one_leads_and_the_other_takes_over_fifty_times(configured, watch, wait_until):
    def how_many(daemons, word):
        return sum(word in daemon.output for daemon in daemons)

    for number in range(50):
        daemons = [watch(), watch()]
        wait_until(
            lambda daemons=daemons: (how_many(daemons, "leads from now on"), how_many(daemons, "standing by")) == (1, 1)
        )
        leader, follower = sorted(daemons, key=lambda daemon: "standing by" in daemon.output)
        leader.signal(signal.SIGKILL)
        follower.wait_for_log("leads from now on", 60)
        follower.signal(signal.SIGTERM)
        assert (follower.wait_for_exit(), leader.wait_for_exit()) == (0, -signal.SIGKILL), number
    assert leadership_changes(configured.state) == [True, True, False] * 50


def test_without_receivers_it_tracks_incidents_and_logs_a_warning(configured, tmp_path, watch, wait_until):
    (tmp_path / "modeltop.toml").write_text('[store]\npath = "store"\n')
    daemon = watch()
    daemon.wait_for_log("no receiver is configured: no one is notified")
    daemon.wait_for_log("fired: churn accuracy 0.700 < 0.90")
    wait_until(lambda: health.read_last_health(configured.state) is not None)
    (incident,) = EventLog(configured.state).state().incidents.values()
    assert (incident.model, incident.members[0].key.metric) == ("churn", "accuracy")
    assert daemon.process.poll() is None
    assert not (tmp_path / "told").exists()
