"""Many processes at once, processes that are killed, other users, full disks: what was told to be kept is kept."""

import contextlib
import errno
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from modeltop.alerting.event_log.event_log import EventLog
from modeltop.core.errors import StoreError
from modeltop.core.incident import AlertingState

SETUP = """
import json, os, random, signal, sys, time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from modeltop.core.event import NoteAdded
from modeltop.core.incident import Note
from modeltop.alerting.event_log.event_log import EventLog

folder, number, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
random.seed(seed)

def note(who, n):
    at = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=n)
    return NoteAdded(at, Note("churn", f"{who} {n} " + "x" * random.randrange(400), who, at))
"""
APPENDS = (
    SETUP
    + """
journal = EventLog(folder, limit=20_000)
for n in range(number):
    journal.append(note(str(seed), 2 * n), note(str(seed), 2 * n + 1))
"""
)
KILLED = (
    SETUP
    + """
for writer in range(number):
    heard, told = os.pipe()
    child = os.fork()
    if not child:
        journal, n = EventLog(folder, limit=3_000), 0
        while True:
            n += 1
            event = note(str(writer), n)
            journal.append(event)
            os.write(told, json.dumps([event.note.text]).encode() + b"\\n")
    os.close(told)
    first = os.read(heard, 1 << 20)
    time.sleep(random.uniform(0, 0.02))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while piece := os.read(heard, 1 << 20):
        first += piece
    os.close(heard)
    sys.stdout.write(first[: first.rfind(b"\\n") + 1].decode())
"""
)


@pytest.fixture
def start(tmp_path):
    """Runs the code in another process; the journal lies in a folder that is not there yet."""

    def run(code, number, seed, **kwargs):
        command = [sys.executable, "-c", code, str(tmp_path / "state"), str(number), str(seed)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kwargs)

    return run


def read_back(folder):
    state = EventLog(folder).state()
    return [note.text for note in state.notes], state.damaged_lines


def test_processes_that_append_at_once_lose_and_tear_nothing(tmp_path, start):
    writers = [start(APPENDS, 40, seed) for seed in range(4)]
    assert [(writer.communicate()[1], writer.returncode) for writer in writers] == [("", 0)] * 4
    texts, damaged = read_back(tmp_path / "state")
    assert (len(texts), damaged) == (320, 0)
    for seed in range(4):
        numbers = [int(text.split()[1]) for text in texts if text.startswith(f"{seed} ")]
        assert numbers == list(range(80)), "in the order of each writer"
    assert sum(1 for _ in EventLog(tmp_path / "state").events()) == 320
    assert len(list((tmp_path / "state").glob("*.jsonl"))) > 2, "files were rotated meanwhile"


def test_a_writer_that_is_killed_loses_nothing_that_was_acknowledged(tmp_path, start):
    output, _ = start(KILLED, 20, 1).communicate()
    writer_end = [json.loads(line)[0] for line in output.splitlines()]
    assert len({text.split()[0] for text in writer_end}) == 20
    texts, damaged = read_back(tmp_path / "state")
    assert set(writer_end) <= set(texts)
    assert len(texts) <= len(writer_end) + 20, "at most the one that each was writing"
    assert damaged <= 20


def test_a_reader_in_between_sees_complete_lines_only(tmp_path, start):
    reader, writer, before = EventLog(tmp_path / "state"), start(APPENDS, 60, 0), []
    while writer.poll() is None:
        texts = [note.text for note in reader.state().notes]
        assert texts[: len(before)] == before
        before = texts
    writer.communicate()
    assert (len(reader.state().notes), reader.state().damaged_lines) == (120, 0)
    assert reader.state() == EventLog(tmp_path / "state").state()


def modes(folder):
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}


@pytest.mark.parametrize(
    ("store", "folder", "file"), [(0o2770, 0o2770, 0o660), (0o2775, 0o2770, 0o660), (0o755, 0o700, 0o600)]
)
@pytest.mark.parametrize("umask", [0, 0o077])
def test_a_journal_is_shared_where_the_store_is_and_private_elsewhere(tmp_path, noted, store, folder, file, umask):
    (tmp_path / "store").mkdir()
    (tmp_path / "store").chmod(store)
    journal, old = EventLog(tmp_path / "store" / "state", limit=-1), os.umask(umask)
    try:
        journal.append(noted(1))
        journal.append(noted(2))
    finally:
        os.umask(old)
    expected = {".lock": file, "journal.000001.jsonl": file, "journal.000002.jsonl": file}
    assert modes(journal.folder) == {"state": folder} | expected


CALLS = ["open", "write", "fsync", "fstat", "pread", "link", "unlink", "fchmod", "ftruncate"]


@contextlib.contextmanager
def failing(step, number):
    """Let the step-th system call fail; yields a list of the calls made."""
    calls, real = [], {name: getattr(os, name) for name in CALLS}

    def wrap(name):
        def call(*args, **kwargs):
            calls.append(name)
            if len(calls) - 1 == step:
                raise OSError(number, os.strerror(number))
            return real[name](*args, **kwargs)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in CALLS:
            patch.setattr(os, name, wrap(name))
        yield calls


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO])
@pytest.mark.parametrize("limit", [10_000, -1], ids=["same file", "next file"])
def test_a_fault_at_any_step_leaves_before_or_after_and_says_why(tmp_path, noted, number, limit):
    for step in range(200):
        journal, error = EventLog(tmp_path / f"{step}" / "state", limit=limit), None
        journal.append(noted(1))
        with failing(step, number) as calls:
            try:
                journal.append(noted(2))
            except StoreError as caught:
                error = caught
        assert read_back(journal.folder) == (["released 1"] if error else ["released 1", "released 2"], 0), calls[step]
        journal.append(noted(3))
        assert read_back(journal.folder)[0][-1] == "released 3"
        if len(calls) <= step:
            break
    assert step > 8
    assert error is None


def test_a_disk_that_writes_short_leaves_the_file_as_it_was(journal, noted, monkeypatch):
    journal.append(noted(1))
    path = journal.folder / "journal.000001.jsonl"
    before, write = path.read_bytes(), os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:25]))
    with pytest.raises(StoreError, match="the disk is full: free some space, then try again"):
        journal.append(noted(2))
    assert path.read_bytes() == before


def test_where_there_is_no_room_for_a_checkpoint_one_line_more_is_still_written(journal, noted, monkeypatch):
    journal._limit = -1
    journal.append(noted(1))

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("modeltop.history.store.durable.create", full)
    journal.append(noted(2))
    assert read_back(journal.folder) == (["released 1", "released 2"], 0)
    assert len(list(journal.folder.glob("*.jsonl"))) == 1


def test_what_cannot_be_decided_is_not_written_and_the_lock_is_released(journal, noted):
    def refuse(state):
        raise ValueError(len(state.notes))

    journal.append(noted(1))
    with pytest.raises(ValueError, match="1"):
        journal.update(refuse)
    assert journal.update(lambda _: ()) == EventLog(journal.folder).state()
    journal.append(noted(2))
    assert len(journal.state().notes) == 2


def test_a_decision_sees_what_was_written_a_moment_before(journal, noted):
    other = EventLog(journal.folder)
    other.state()
    journal.append(noted(1))
    assert len(other.update(lambda state: [noted(2)] if state.notes else []).notes) == 2


AS_USER = (
    SETUP
    + """
os.setgroups([55555]); os.setgid(number); os.setuid(number); os.umask(0o077)
try:
    EventLog(folder).append(note("user", number))
except Exception as error:
    print(type(error).__name__, error)
print(len(EventLog(folder).state().notes), EventLog(folder).state().read_only_reason)
"""
)


@pytest.fixture
def append_as_two_users(shared_store):
    """Give the shared store a mode; return the state folder and what two users print, one after the other."""

    def run(mode):
        shared_store.chmod(mode)
        command = [sys.executable, "-c", AS_USER, str(shared_store / "state")]
        users = [[*command, str(user), "0"] for user in (44441, 44442)]
        output = [subprocess.run(user, capture_output=True, text=True, check=True).stdout for user in users]
        return shared_store / "state", *(text.splitlines() for text in output)

    return run


def test_two_users_who_share_a_group_share_the_journal(append_as_two_users):
    state, *output = append_as_two_users(0o2770)
    assert output == [["1 None"], ["2 None"]]
    assert {path.stat().st_gid for path in state.rglob("*")} == {55555}


def test_a_user_without_permission_is_told_so_and_nothing_is_written(append_as_two_users):
    state, first, (output, read) = append_as_two_users(0o2755)
    assert first == ["1 None"]
    assert output.startswith("StoreError cannot write ")
    assert "permission denied: change its permissions" in output
    assert read == f"0 {state} cannot be read: Permission denied: change its permissions"
    assert len(EventLog(state).state().notes) == 1


def test_a_file_in_place_of_the_folder_is_left_alone(tmp_path, noted):
    (tmp_path / "state").write_text("precious")
    assert EventLog(tmp_path / "state").state() == AlertingState()
    with pytest.raises(StoreError, match="cannot write"):
        EventLog(tmp_path / "state").append(noted())
    assert Path(tmp_path / "state").read_text() == "precious"
