"""One wrong fact: a clock, a year or a status code. Each real alert is notified, nothing is false, nothing is lost.

Watchers and commands are real processes; the tests check what arrives at receivers on loopback. A cycle takes a
second.
"""

import json
import re
import shlex
import time
from datetime import timedelta

import pytest

YEAR = 2062
"""Written instead of this one, by a mistype_year of the keyboard."""
HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
FIVE_MINUTES = 5 * MINUTE
GOOD, BAD = 0.95, 0.5
PROBE = MINUTE + timedelta(seconds=1)
"""Time until a disabled receiver is probed for the first time."""


@pytest.fixture
def ops(machine):
    """The first receiver, and often the only one."""
    return machine.hooks["ops"]


@pytest.fixture
def fall_is_notified(machine, ops):
    """Lets a model fall now, and returns whether the receiver is notified of it within two cycles."""

    def fall(model, hook=ops):
        before = hook.models(about="metrics").count(model)
        machine.rows(model, BAD, ends=machine.clock.now - machine.clock.wall)
        return machine.within(lambda: hook.models(about="metrics").count(model) > before)

    return fall


def nothing_false(hook, *, triggers):
    """Each alert was notified once, no other was, and none was resolved."""
    assert [one["model"] for one in hook.alerts if one["kind"] == "resolve" or one.get("resolved")] == []
    assert hook.models(about="no data") == []
    assert sorted(hook.models()) == sorted(triggers)


# The clock


def test_a_clock_400_days_ahead_for_6_seconds_delays_no_alert_and_raises_no_false_one(machine, ops, fall_is_notified):
    machine.healthy("m1", "m2", "m3", ends=machine.clock.now - HOUR)
    watcher = machine.watch()
    machine.clock.set(400 * DAY)
    machine.cycles(3)
    nothing_false(ops, triggers=[])
    for clock in (None, machine.true_clock):
        state = machine.status(clock)
        assert (state["status"], state["code"]) == ("degraded", 1), "by whichever clock, it is not overdue"
    assert fall_is_notified("m1"), "performance alerts go out as always"
    machine.cycles(3)
    machine.clock.set(timedelta(0))
    assert fall_is_notified("m2")
    machine.cycles(2)
    nothing_false(ops, triggers=["m1", "m2"])
    assert len(watcher.problems("clock")) == 1
    assert machine.status()["status"] == "alive"


def test_a_note_an_ack_and_a_silence_from_a_host_400_days_ahead_stop_no_message(
    machine, ops, fall_is_notified, other_host
):
    machine.configure("ops", repeat="3s")
    machine.healthy("m1", "m2", "m3", ends=machine.clock.now - HOUR)
    watcher = machine.watch()
    assert fall_is_notified("m1")
    other_host.set(400 * DAY)
    for words in (("note", "m3", "moved"), ("ack", "m1/accuracy", "--why", "mine"),
                  ("silence", "add", "--model", "m2", "--why", "deploy")):  # fmt: skip
        code, output = machine.run(*words, clock=other_host)
        assert (code, "ahead of the watcher's, so that is not in force" in output) == (0, words[0] != "note")
    assert "not in force: set by a clock that was 1y ahead" in machine.run("silence", "list")[1]
    assert fall_is_notified("m2"), "a silence whose end was set by a wrong clock is not in force"
    before = ops.models().count("m1")
    assert machine.within(lambda: ops.models().count("m1") > before, cycles=4), "nor is such an acknowledgement"
    watcher.stop()
    machine.watch()
    assert fall_is_notified("m3")
    assert ops.models("resolve") == ops.models(about="no data") == []
    assert machine.status()["status"] == "alive"
    assert machine.run("ack", "m1/accuracy", "--why", "mine")[0] == 0
    machine.cycles(2)
    before = ops.models().count("m1")
    machine.cycles(5)
    assert ops.models().count("m1") == before, "an acknowledgement by a right clock holds"


def test_a_start_10_years_behind_notifies_once_and_settles_when_the_clock_returns(machine, ops, fall_is_notified):
    machine.configure("ops", repeat="4h")
    machine.healthy("m1", "m2", "m3", ends=machine.clock.now - HOUR)
    machine.clock.set(-3650 * DAY)
    watcher = machine.watch()
    assert fall_is_notified("m1")
    machine.cycles(3)
    machine.clock.set(timedelta(0))
    assert fall_is_notified("m2")
    machine.cycles(3)
    nothing_false(ops, triggers=["m1", "m2"])
    assert len(watcher.problems("clock")) == 1
    assert machine.status()["status"] == "alive"


def test_after_a_suspend_no_data_needs_a_second_evaluation_again(machine, ops, fall_is_notified):
    machine.configure("ops", no_data_wait="1m")
    machine.healthy("m1", "m2", ends=machine.clock.now - 13 * MINUTE, step=FIVE_MINUTES)  # late since 30 s
    watcher = machine.watch()
    machine.pass_time(8 * HOUR)
    machine.cycles(2)
    machine.rows("m1", GOOD, ends=machine.clock.now)
    machine.rows("m2", BAD, ends=machine.clock.now)
    assert machine.within(lambda: ops.models() == ["m2"])
    machine.cycles(2)
    nothing_false(ops, triggers=["m2"])
    assert not watcher.problems("clock"), "a suspend is no wrong clock"
    machine.pass_time(24 * HOUR)  # the 8 hours are a usual gap from now on
    machine.cycles(2)
    machine.pass_time(MINUTE)
    assert machine.within(lambda: set(ops.models(about="no data")) == {"m1", "m2"}), "true absence is not lost"


def test_a_clock_one_hour_ahead_and_back_raises_no_false_alert(machine, ops, fall_is_notified):
    machine.healthy("m1", "m2", "m3", ends=machine.clock.now, step=FIVE_MINUTES)
    watcher = machine.watch()
    machine.clock.set(HOUR)  # the hardware clock keeps summer time, and is taken for UTC
    machine.cycles(4)
    nothing_false(ops, triggers=[])
    assert fall_is_notified("m1")
    machine.clock.set(timedelta(0))
    assert fall_is_notified("m2")
    machine.cycles(2)
    nothing_false(ops, triggers=["m1", "m2"])
    assert len(watcher.problems("clock")) == 1
    assert machine.status()["status"] == "alive"


def test_a_start_one_hour_behind_and_back_repeats_nothing_before_its_time(machine, ops, fall_is_notified):
    machine.configure("ops", repeat="30m")
    machine.healthy("m1", "m2", "m3", ends=machine.clock.now, step=FIVE_MINUTES)
    machine.clock.set(-HOUR)
    watcher = machine.watch()
    assert fall_is_notified("m1")
    machine.clock.set(timedelta(0))
    assert fall_is_notified("m2")
    machine.cycles(2)
    nothing_false(ops, triggers=["m1", "m2"])
    assert len(watcher.problems("clock")) == 1
    assert machine.status()["status"] == "alive"


def test_a_command_settles_a_clock_that_disagrees_with_the_event_log(machine, ops, fall_is_notified):
    machine.healthy("new", ends=machine.clock.now, length=2)  # too few rows to be missed
    machine.clock.set(400 * DAY)
    machine.watch().stop()
    machine.clock.set(timedelta(0))
    watcher = machine.watch()
    machine.healthy("m1", "m2", "m3", ends=machine.clock.now - HOUR)
    machine.cycles(2)
    assert fall_is_notified("m1"), "performance alerts go out as always"
    assert len(watcher.problems("clock")) == 1
    assert machine.status()["code"] == 1
    command = re.search("if it is right: modeltop (watch .*--accept-clock)", machine.run("watch", "--status")[1])
    code, output = machine.run(*shlex.split(command[1]))
    assert (code, "from its next cycle on" in output) == (0, True), output
    assert machine.within(lambda: machine.status()["status"] == "alive")
    machine.rows("m1", GOOD, ends=machine.clock.now)
    assert machine.within(lambda: ops.models("resolve") == ["m1"])
    assert (ops.models(), ops.models(about="no data")) == (["m1"], [])
    machine.pass_time(4 * DAY)
    machine.rows("m1", GOOD, ends=machine.clock.now)
    assert machine.within(lambda: {"m2", "m3"} <= set(ops.models(about="no data")), cycles=6), "absence counts again"


# The year


@pytest.fixture
def mistype_year(machine):
    """A row of today, written with another year."""

    def write(model, value):
        machine.rows(model, value, ends=machine.clock.now.replace(year=YEAR, day=min(machine.clock.now.day, 28)))

    return write


def test_a_wrong_year_in_the_newest_row_heals_nothing_and_hides_no_silence(machine, ops, mistype_year):
    machine.healthy("m1", ends=machine.clock.now - 10 * MINUTE, step=FIVE_MINUTES)
    mistype_year("m1", GOOD)
    machine.watch()
    machine.rows("m1", BAD, ends=machine.clock.now)
    assert machine.within(lambda: ops.models() == ["m1"])
    machine.cycles(2)
    nothing_false(ops, triggers=["m1"])
    code, output = machine.run("check")
    assert (code, str(YEAR) in output) == (2, True), "critical, and the row is listed"
    code, output = machine.run("check", "--now", (machine.clock.now - FIVE_MINUTES).isoformat())
    assert code != 2, "--now bounds rows, too"
    machine.pass_time(HOUR)
    assert machine.within(lambda: ops.models(about="no data") == ["m1"], cycles=5)


def test_a_wrong_year_of_one_model_touches_no_other(machine, ops, fall_is_notified, mistype_year):
    machine.healthy("m1", "m2", "m3", "m4", ends=machine.clock.now - 10 * MINUTE, step=FIVE_MINUTES)
    watcher = machine.watch()
    mistype_year("m4", BAD)
    machine.cycles(3)
    assert ops.models() == [], "a row in the future is not evaluated"
    assert fall_is_notified("m1")
    assert fall_is_notified("m4")
    machine.cycles(2)
    nothing_false(ops, triggers=["m1", "m4"])
    assert not watcher.problems("clock")
    code, output = machine.run("check")
    assert (code, str(YEAR) in output) == (2, True)


def test_a_wrong_year_in_all_models_heals_nothing(machine, ops, fall_is_notified, mistype_year):
    machine.healthy("m1", "m2", "m3", ends=machine.clock.now - 10 * MINUTE, step=FIVE_MINUTES)
    machine.watch()
    assert fall_is_notified("m1")
    for model in ("m1", "m2", "m3"):
        mistype_year(model, GOOD)
    machine.cycles(3)
    assert fall_is_notified("m2")
    machine.cycles(2)
    nothing_false(ops, triggers=["m1", "m2"])
    code, output = machine.run("check")
    assert (code, str(YEAR) in output) == (2, True)


# The status code


@pytest.mark.parametrize("status", [404, 401, 403, 410])
def test_a_receiver_that_refuses_for_5_seconds_is_probed_and_gets_what_it_missed(
    machine, ops, fall_is_notified, status
):
    machine.configure("ops", "backup", more='[[routes]]\nreceivers = ["ops"]')
    backup = machine.hooks["backup"]
    machine.healthy("m0", "m1", "m2", ends=machine.clock.now - HOUR)
    machine.watch()
    assert fall_is_notified("m0")
    ops.status = status
    assert fall_is_notified("m1", backup), "the fallback has its messages meanwhile"
    output = machine.run("watch", "--status")[1]
    postponed = rf"receiver ops fails: answered {status}.*1 alert not delivered; next attempt \d+ [A-Z]"
    assert re.search(postponed, output), output
    machine.rows("m0", GOOD, ends=machine.clock.now)
    machine.cycles(5)
    ops.status = 200
    machine.pass_time(PROBE)
    assert machine.within(lambda: "m1" in json.dumps(ops.accepted)), "what is active"
    assert machine.within(lambda: ops.models("resolve") == ["m0"]), "the end of what it was notified of"
    assert fall_is_notified("m2")
    assert "m2" not in backup.models()
    state = machine.status()
    assert (state["status"], state["broken"]) == ("alive", [])


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_rejected_message_is_dropped_and_the_next_one_goes_out(machine, ops, fall_is_notified, status):
    machine.healthy("m1", "m2", ends=machine.clock.now - HOUR)
    machine.watch()
    ops.status = status
    machine.rows("m1", BAD, ends=machine.clock.now)
    assert machine.within(lambda: ops.attempts)
    machine.cycles(3)
    assert len(ops.attempts) <= 2, "it is not sent again and again"
    ops.status = 200
    assert fall_is_notified("m2")
    assert machine.status()["broken"] == []
    output = machine.run("story", "m1")[1]
    assert str(status) in output, "the event log shows it"
    machine.rows("m1", GOOD, ends=machine.clock.now)
    machine.cycles(3)
    assert ops.models("resolve") == [], "no resolve of what it was never notified of"


def test_an_overloaded_receiver_gets_each_message_once_and_meanwhile_there_is_no_heartbeat(machine, ops):
    machine.healthy("m1", ends=machine.clock.now - HOUR)
    machine.watch()
    ops.status = 503
    machine.rows("m1", BAD, ends=machine.clock.now)
    assert machine.within(lambda: ops.attempts)
    machine.cycles(1)  # the heartbeat of the cycle that first failed may be on its way
    before = len(machine.heartbeats.attempts)
    time.sleep(6)
    assert len(machine.heartbeats.attempts) <= before + 1, "nobody can be reached"
    ops.status = 200
    machine.pass_time(6 * MINUTE)
    assert machine.within(lambda: ops.models() == ["m1"])
    assert machine.within(lambda: len(machine.heartbeats.attempts) > before)
    assert len({body["key"] for _, body in ops.attempts}) == 1


def test_every_run_from_cron_says_what_was_not_delivered_until_it_is(machine, ops):
    machine.healthy("m1", ends=machine.clock.now - HOUR)
    assert machine.run("watch", "--once")[0] == 0
    heartbeats = len(machine.heartbeats.attempts)
    ops.status = 404
    machine.rows("m1", BAD, ends=machine.clock.now)
    for _ in range(3):
        code, output = machine.run("watch", "--once")
        assert code == 1
        assert re.search(r"ops fails: answered 404.*1 alert not delivered; next attempt", output), "on every run"
    assert len(machine.heartbeats.attempts) == heartbeats == 1, "no heartbeat while nobody can be reached"
    ops.status = 200
    machine.pass_time(PROBE)
    assert machine.run("watch", "--once")[0] == 0
    assert "m1" in json.dumps(ops.accepted)
    assert len(machine.heartbeats.attempts) == heartbeats + 1
