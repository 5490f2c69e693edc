"""One process leads, and its lock ends with it."""

import os
import signal
import subprocess
import sys

import pytest

from modeltop.core.errors import StoreError
from modeltop.history.store.paths import LEADER_LOCK
from modeltop.service.leader import LeaderLock, LockHolder, has_leader, read_holder

ME = LockHolder(4711, "alpha")
HOLD = """
import sys
from pathlib import Path
from modeltop.history.store.paths import LEADER_LOCK
from modeltop.service.leader import LeaderLock, LockHolder
leader = LeaderLock(Path(sys.argv[1]), LockHolder(int(sys.argv[2]), "beta"))
print(leader.acquire(), flush=True)
sys.stdin.read()
"""


def start(folder, pid=1):
    argv = [sys.executable, "-c", HOLD, str(folder), str(pid)]
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_the_first_leads_and_the_second_reads_who_does(tmp_path):
    with LeaderLock(tmp_path, ME) as first, LeaderLock(tmp_path, LockHolder(1, "b")) as second:
        assert [first.acquire(), second.acquire(), first.acquire()] == [True, False, True]
        assert has_leader(tmp_path)
        assert str(read_holder(tmp_path)) == "process 4711 on alpha"


def test_another_leads_as_soon_as_the_first_releases(tmp_path):
    with LeaderLock(tmp_path, ME) as first, LeaderLock(tmp_path, LockHolder(1, "b")) as second:
        assert first.acquire()
        first.release()
        assert not has_leader(tmp_path)
        assert second.acquire()
        assert read_holder(tmp_path) == LockHolder(1, "b")


def test_a_killed_leader_leads_no_more(tmp_path):
    process = start(tmp_path)
    assert process.stdout.readline() == "True\n"
    with LeaderLock(tmp_path, ME) as other:
        assert not other.acquire()
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert other.acquire()


@pytest.mark.slow
def test_of_two_started_together_fifty_times_one_leads_each_time(tmp_path):
    for _ in range(50):
        processes = [start(tmp_path, 1), start(tmp_path, 2)]
        outputs = [process.stdout.readline() for process in processes]
        for process in processes:
            process.communicate()
        assert sorted(outputs) == ["False\n", "True\n"]


def test_the_lock_file_stays_the_same_whoever_leads(tmp_path):
    inodes = set()
    for number in range(3):
        with LeaderLock(tmp_path, LockHolder(number, "a")) as leader:
            assert leader.acquire()
            inodes.add((tmp_path / LEADER_LOCK).stat().st_ino)
    assert len(inodes) == 1


def test_a_leader_whose_lock_file_is_gone_may_acquire_it_again(tmp_path):
    with LeaderLock(tmp_path, ME) as leader:
        assert leader.acquire()
        (tmp_path / LEADER_LOCK).unlink()
        assert not leader.is_held()
        assert leader.acquire()
        assert has_leader(tmp_path)


def test_a_leader_whose_lock_file_was_replaced_gives_way(tmp_path):
    with LeaderLock(tmp_path, ME) as first, LeaderLock(tmp_path, LockHolder(1, "b")) as second:
        assert first.acquire()
        (tmp_path / LEADER_LOCK).unlink()
        assert second.acquire()
        assert not first.acquire()


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: path.mkdir(), id="a folder is in its place"),
        pytest.param(lambda path: path.symlink_to("elsewhere"), id="a link is in its place"),
        pytest.param(os.mkfifo, id="a FIFO is in its place"),
        pytest.param(lambda path: path.parent.rmdir(), id="the folder is gone"),
    ],
)
def test_without_a_lock_that_can_be_written_nobody_leads(tmp_path, damage):
    folder = tmp_path / "state"
    folder.mkdir()
    damage(folder / LEADER_LOCK)
    with LeaderLock(folder, ME) as leader, pytest.raises(StoreError, match="cannot write"):
        leader.acquire()


def test_a_lock_without_locks_is_refused(tmp_path, monkeypatch):
    def refuse(descriptor, how):
        raise OSError(37, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    with LeaderLock(tmp_path, ME) as leader, pytest.raises(StoreError, match="no locks"):
        leader.acquire()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "x", "host": 1}', '{"host": "a"}', "[" * 3000])
def test_an_invalid_lock_file_has_no_holder(tmp_path, text):
    (tmp_path / LEADER_LOCK).write_text(text)
    assert read_holder(tmp_path) is None


def test_a_shared_folder_has_a_lock_that_the_group_can_take(tmp_path):
    for mode, expected in ((0o700, 0o600), (0o2770, 0o660)):
        folder = tmp_path / f"{mode:o}"
        folder.mkdir()
        folder.chmod(mode)
        with LeaderLock(folder, ME) as leader:
            leader.acquire()
        assert (folder / LEADER_LOCK).stat().st_mode & 0o777 == expected
