"""A lock that a foreign process keeps, and 20 users at once: everything is notified, no one is refused."""

import fcntl
import os
import signal
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest

from modeltop.alerting.event_log.event_log import EventLog
from modeltop.core.event import NoteAdded
from modeltop.core.incident import Note
from tests.trust.conftest import wait_until

BAD, HOUR = 0.5, timedelta(hours=1)
SOON = 10.0
"""Seconds on a machine that has other work; alone it is 2."""


@contextmanager
def kept_lock(machine):
    """Keep the lock of the event log, as a process that was stopped or hangs does."""
    folder = machine.home / "store" / "state"
    folder.mkdir(exist_ok=True)
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def test_a_kept_lock_delays_no_first_alert_and_the_state_is_saved_once_it_is_free(machine):
    ops = machine.hooks["ops"]
    machine.healthy("m1", "m2", ends=machine.clock.now - HOUR)
    watcher = machine.watch()
    with kept_lock(machine):
        for model in ("m1", "m2"):
            machine.rows(model, BAD, ends=machine.clock.now)
            assert wait_until(lambda: model in ops.models(), SOON)  # noqa: B023  it is called at once
        assert all("the watcher's state was not saved" in message["text"] for message in ops.accepted)
        assert machine.status()["status"] == "degraded"
    assert wait_until(lambda: machine.status()["status"] == "alive", 3 * SOON)
    watcher.stop()
    machine.watch()
    machine.cycles(2)
    assert ops.models() == ["m1", "m2"], "the next watcher knows what was sent"


def test_a_kept_lock_holds_up_neither_the_start_nor_the_end_of_a_watcher(machine):
    machine.healthy("m1", ends=machine.clock.now - HOUR)
    with kept_lock(machine):
        watcher = machine.watch()
        machine.cycles(2)
        watcher.process.send_signal(signal.SIGTERM)
        assert wait_until(lambda: watcher.process.poll() is not None, SOON)
        assert watcher.process.returncode == 0


@pytest.mark.skipif(os.getuid() != 0, reason="needs to become other users")
def test_20_users_who_are_the_first_in_a_shared_store_at_once_are_all_let_in(shared_store, monkeypatch):
    for name in ("chmod", "fchmod"):  # a disk on which it takes its time
        change = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *args, _change=change, **options: _slowly(_change, *args, **options))
    folder = shared_store / "state"
    users = [_as_user(44_400 + number, folder) for number in range(20)]
    assert [os.waitpid(process, 0)[1] for process in users] == [0] * 20
    assert len(EventLog(folder).state().notes) == 20


def _slowly(change, *args, **options):
    time.sleep(0.1)
    change(*args, **options)


def _as_user(user, folder):
    """Add a note as another user of the store's group, in a process of its own; its id."""
    if process := os.fork():
        return process
    try:
        os.setgroups([55555])
        os.setgid(55555)
        os.setuid(user)
        os.umask(0o077)
        log = EventLog(folder)
        log.append(NoteAdded(log.now(), Note("m1", "first", str(user), log.now())))
        os._exit(0)
    finally:
        os._exit(1)
