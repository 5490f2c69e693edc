"""One wrong fact: a clock, a year or a status code. Each real alert is notified, nothing is false, nothing is lost.

Watchers and commands are real processes; what arrives at receivers on loopback is judged. A cycle takes a second.
"""

import json
import re
import shlex
import time
from datetime import timedelta

import pytest

YEAR = 2062
"""Written instead of this one, by a slip of the keyboard."""
HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
FIVE_MINUTES = 5 * MINUTE
GOOD, BAD = 0.95, 0.5
PROBE = MINUTE + timedelta(seconds=1)
"""Until a receiver that was marked is probed for the first time."""


@pytest.fixture
def ops(machine):
    """The first receiver, and often the only one."""
    return machine.hooks["ops"]


@pytest.fixture
def falls(machine, ops):
    """Let a model fall now; whether the receiver is notified of it within two cycles."""

    def fall(model, hook=ops):
        before = hook.heard(about="metrics").count(model)
        machine.rows(model, BAD, ends=machine.clock.now - machine.clock.wall)
        return machine.within(lambda: hook.heard(about="metrics").count(model) > before)

    return fall


def nothing_false(hook, *, triggers):
    """Each alert was notified once, no other was, and none is said to be over."""
    assert [one["model"] for one in hook.alerts if one["kind"] == "resolve" or one.get("resolved")] == []
    assert hook.heard(about="no data") == []
    assert sorted(hook.heard()) == sorted(triggers)


# The clock


def test_a_clock_400_days_ahead_for_6_seconds_delays_nothing_and_invents_nothing(machine, ops, falls):
    machine.healthy("m1", "m2", "m3", ends=machine.clock.now - HOUR)
    watcher = machine.watch()
    machine.clock.set(400 * DAY)
    machine.cycles(3)
    nothing_false(ops, triggers=[])
    state = machine.status()
    assert (state["status"], state["code"]) == ("in trouble", 1), "by the same wrong clock it is not overdue"
    assert falls("m1"), "performance alerts go out as always"
    machine.cycles(3)
    machine.clock.set(timedelta(0))
    assert falls("m2")
    machine.cycles(2)
    nothing_false(ops, triggers=["m1", "m2"])
    assert len(watcher.complaints("clock")) == 1
    assert machine.status()["status"] == "alive"


def test_a_note_an_ack_and_a_silence_from_a_host_400_days_ahead_stop_no_message(machine, ops, falls, elsewhere):
    machine.configure("ops", repeat="3s")
    machine.healthy("m1", "m2", "m3", ends=machine.clock.now - HOUR)
    watcher = machine.watch()
    assert falls("m1")
    elsewhere.set(400 * DAY)
    for words in (("note", "m3", "moved"), ("ack", "m1/accuracy", "--why", "mine"),
                  ("silence", "add", "--model", "m2", "--why", "deploy")):  # fmt: skip
        code, said = machine.run(*words, clock=elsewhere)
        assert (code, "ahead of the watcher's, so that is not in force" in said) == (0, words[0] != "note")
    assert "not in force: set by a clock that was 1y ahead" in machine.run("silence", "list")[1]
    assert falls("m2"), "a silence whose end was set by a wrong clock is not in force"
    before = ops.heard().count("m1")
    assert machine.within(lambda: ops.heard().count("m1") > before, cycles=4), "nor is such an acknowledgement"
    watcher.stop()
    machine.watch()
    assert falls("m3")
    assert ops.heard("resolve") == ops.heard(about="no data") == []
    assert machine.status()["status"] == "alive"
    assert machine.run("ack", "m1/accuracy", "--why", "mine")[0] == 0
    machine.cycles(2)
    before = ops.heard().count("m1")
    machine.cycles(5)
    assert ops.heard().count("m1") == before, "an acknowledgement by a right clock holds"


def test_a_start_10_years_behind_notifies_once_and_settles_when_the_clock_returns(machine, ops, falls):
    machine.configure("ops", repeat="4h")
    machine.healthy("m1", "m2", "m3", ends=machine.clock.now - HOUR)
    machine.clock.set(-3650 * DAY)
    watcher = machine.watch()
    assert falls("m1")
    machine.cycles(3)
    machine.clock.set(timedelta(0))
    assert falls("m2")
    machine.cycles(3)
    nothing_false(ops, triggers=["m1", "m2"])
    assert len(watcher.complaints("clock")) == 1
    assert machine.status()["status"] == "alive"


def test_after_a_suspend_absence_needs_a_second_look_again(machine, ops, falls):
    machine.configure("ops", no_data_wait="1m")
    machine.healthy("m1", "m2", ends=machine.clock.now - 13 * MINUTE, step=FIVE_MINUTES)  # late since 30 s
    watcher = machine.watch()
    machine.pass_time(8 * HOUR)
    machine.cycles(2)
    machine.rows("m1", GOOD, ends=machine.clock.now)
    machine.rows("m2", BAD, ends=machine.clock.now)
    assert machine.within(lambda: ops.heard() == ["m2"])
    machine.cycles(2)
    nothing_false(ops, triggers=["m2"])
    assert not watcher.complaints("clock"), "a suspend is no wrong clock"
    machine.pass_time(24 * HOUR)  # the 8 hours are a usual gap from now on
    machine.cycles(2)
    machine.pass_time(MINUTE)
    assert machine.within(lambda: set(ops.heard(about="no data")) == {"m1", "m2"}), "true absence is not lost"


def test_a_clock_one_hour_ahead_and_back_invents_no_absence(machine, ops, falls):
    machine.healthy("m1", "m2", "m3", ends=machine.clock.now, step=FIVE_MINUTES)
    watcher = machine.watch()
    machine.clock.set(HOUR)  # the hardware clock keeps summer time, and is taken for UTC
    machine.cycles(4)
    nothing_false(ops, triggers=[])
    assert falls("m1")
    machine.clock.set(timedelta(0))
    assert falls("m2")
    machine.cycles(2)
    nothing_false(ops, triggers=["m1", "m2"])
    assert len(watcher.complaints("clock")) == 1
    assert machine.status()["status"] == "alive"


def test_a_start_one_hour_behind_and_back_repeats_nothing_before_its_time(machine, ops, falls):
    machine.configure("ops", repeat="30m")
    machine.healthy("m1", "m2", "m3", ends=machine.clock.now, step=FIVE_MINUTES)
    machine.clock.set(-HOUR)
    watcher = machine.watch()
    assert falls("m1")
    machine.clock.set(timedelta(0))
    assert falls("m2")
    machine.cycles(2)
    nothing_false(ops, triggers=["m1", "m2"])
    assert len(watcher.complaints("clock")) == 1
    assert machine.status()["status"] == "alive"


def test_a_command_settles_a_clock_that_disagrees_with_the_event_log(machine, ops, falls):
    machine.healthy("new", ends=machine.clock.now, length=2)  # too few rows to be missed
    machine.clock.set(400 * DAY)
    machine.watch().stop()
    machine.clock.set(timedelta(0))
    watcher = machine.watch()
    machine.healthy("m1", "m2", "m3", ends=machine.clock.now - HOUR)
    machine.cycles(2)
    assert falls("m1"), "performance alerts go out as always"
    assert len(watcher.complaints("clock")) == 1
    assert machine.status()["code"] == 1
    command = re.search("if it is right: modeltop (watch .*--accept-clock)", machine.run("watch", "--status")[1])
    code, said = machine.run(*shlex.split(command[1]))
    assert (code, "from its next cycle on" in said) == (0, True), said
    assert machine.within(lambda: machine.status()["status"] == "alive")
    machine.rows("m1", GOOD, ends=machine.clock.now)
    assert machine.within(lambda: ops.heard("resolve") == ["m1"])
    assert (ops.heard(), ops.heard(about="no data")) == (["m1"], [])
    machine.pass_time(4 * DAY)
    machine.rows("m1", GOOD, ends=machine.clock.now)
    assert machine.within(lambda: {"m2", "m3"} <= set(ops.heard(about="no data")), cycles=6), "absence counts again"


# The year


@pytest.fixture
def slip(machine):
    """A row of today, written with another year."""

    def write(model, value):
        machine.rows(model, value, ends=machine.clock.now.replace(year=YEAR, day=min(machine.clock.now.day, 28)))

    return write


def test_a_wrong_year_in_the_newest_row_heals_nothing_and_hides_no_silence(machine, ops, slip):
    machine.healthy("m1", ends=machine.clock.now - 10 * MINUTE, step=FIVE_MINUTES)
    slip("m1", GOOD)
    machine.watch()
    machine.rows("m1", BAD, ends=machine.clock.now)
    assert machine.within(lambda: ops.heard() == ["m1"])
    machine.cycles(2)
    nothing_false(ops, triggers=["m1"])
    code, said = machine.run("check")
    assert (code, str(YEAR) in said) == (2, True), "critical, and the row is listed"
    code, said = machine.run("check", "--now", (machine.clock.now - FIVE_MINUTES).isoformat())
    assert code != 2, "--now bounds rows, too"
    machine.pass_time(HOUR)
    assert machine.within(lambda: ops.heard(about="no data") == ["m1"], cycles=5)


def test_a_wrong_year_of_one_model_touches_no_other(machine, ops, falls, slip):
    machine.healthy("m1", "m2", "m3", "m4", ends=machine.clock.now - 10 * MINUTE, step=FIVE_MINUTES)
    watcher = machine.watch()
    slip("m4", BAD)
    machine.cycles(3)
    assert ops.heard() == [], "a row of the future is not evaluated"
    assert falls("m1")
    assert falls("m4")
    machine.cycles(2)
    nothing_false(ops, triggers=["m1", "m4"])
    assert not watcher.complaints("clock")
    code, said = machine.run("check")
    assert (code, str(YEAR) in said) == (2, True)


def test_a_wrong_year_in_all_models_heals_nothing(machine, ops, falls, slip):
    machine.healthy("m1", "m2", "m3", ends=machine.clock.now - 10 * MINUTE, step=FIVE_MINUTES)
    machine.watch()
    assert falls("m1")
    for model in ("m1", "m2", "m3"):
        slip(model, GOOD)
    machine.cycles(3)
    assert falls("m2")
    machine.cycles(2)
    nothing_false(ops, triggers=["m1", "m2"])
    code, said = machine.run("check")
    assert (code, str(YEAR) in said) == (2, True)


# The status code


@pytest.mark.parametrize("status", [404, 401, 403, 410])
def test_a_receiver_that_refuses_for_5_seconds_is_probed_and_gets_what_is_owed(machine, ops, falls, status):
    machine.configure("ops", "backup", more='[[routes]]\nreceivers = ["ops"]')
    backup = machine.hooks["backup"]
    machine.healthy("m0", "m1", "m2", ends=machine.clock.now - HOUR)
    machine.watch()
    assert falls("m0")
    ops.status = status
    assert falls("m1", backup), "the fallback has its messages meanwhile"
    said = machine.run("watch", "--status")[1]
    assert re.search(rf"receiver ops fails: answered {status}.*1 alert not delivered; next attempt 20", said), said
    machine.rows("m0", GOOD, ends=machine.clock.now)
    machine.cycles(5)
    ops.status = 200
    machine.pass_time(PROBE)
    assert machine.within(lambda: "m1" in json.dumps(ops.took)), "what is active"
    assert machine.within(lambda: ops.heard("resolve") == ["m0"]), "what it was notified of is over"
    assert falls("m2")
    assert "m2" not in backup.heard()
    state = machine.status()
    assert (state["status"], state["broken"]) == ("alive", [])


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_message_that_is_refused_is_dropped_and_the_next_one_goes_out(machine, ops, falls, status):
    machine.healthy("m1", "m2", ends=machine.clock.now - HOUR)
    machine.watch()
    ops.status = status
    machine.rows("m1", BAD, ends=machine.clock.now)
    assert machine.within(lambda: ops.tried)
    machine.cycles(3)
    assert len(ops.tried) <= 2, "it is not sent again and again"
    ops.status = 200
    assert falls("m2")
    assert machine.status()["broken"] == []
    said = machine.run("story", "m1")[1]
    assert str(status) in said, "the event log shows it"
    machine.rows("m1", GOOD, ends=machine.clock.now)
    machine.cycles(3)
    assert ops.heard("resolve") == [], "no resolve of what it never heard of"


def test_a_receiver_that_is_overloaded_gets_each_message_once_and_no_heartbeat_claims_otherwise(machine, ops):
    machine.healthy("m1", ends=machine.clock.now - HOUR)
    machine.watch()
    ops.status = 503
    machine.rows("m1", BAD, ends=machine.clock.now)
    assert machine.within(lambda: ops.tried)
    machine.cycles(1)  # the heartbeat of the cycle that first failed may be on its way
    before = len(machine.beats.tried)
    time.sleep(6)
    assert len(machine.beats.tried) <= before + 1, "nobody can be reached"
    ops.status = 200
    machine.pass_time(6 * MINUTE)
    assert machine.within(lambda: ops.heard() == ["m1"])
    assert machine.within(lambda: len(machine.beats.tried) > before)
    assert len({body["key"] for _, body in ops.tried}) == 1


def test_a_lone_receiver_from_cron_says_on_every_run_what_it_could_not_and_gets_it_in_the_end(machine, ops):
    machine.healthy("m1", ends=machine.clock.now - HOUR)
    assert machine.run("watch", "--once")[0] == 0
    beats = len(machine.beats.tried)
    ops.status = 404
    machine.rows("m1", BAD, ends=machine.clock.now)
    for _ in range(3):
        code, said = machine.run("watch", "--once")
        assert code == 1
        assert re.search(r"ops\b.*404", said), "said on every run"
    assert len(machine.beats.tried) == beats == 1, "no heartbeat while nobody can be reached"
    ops.status = 200
    machine.pass_time(PROBE)
    assert machine.run("watch", "--once")[0] == 0
    assert "m1" in json.dumps(ops.took)
    assert len(machine.beats.tried) == beats + 1
