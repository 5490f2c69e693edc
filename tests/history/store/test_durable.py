"""Whatever fails at whatever step: the files are as before or as after, and one clear line gives the reason."""

import contextlib
import errno
import fcntl
import os
import stat
import subprocess
import sys

import pytest

from modeltop.core.errors import StoreError
from modeltop.core.series import SeriesKey
from modeltop.history.store.durable import write_atomically
from modeltop.history.store.lock import LOCK, locked
from modeltop.history.store.writer import Store

CALLS = ["open", "write", "fsync", "fstat", "stat", "pread", "link", "unlink", "mkdir", "chmod", "fchmod", "scandir"]
CALLS += ["close", "replace", "ftruncate", "truncate"]


@contextlib.contextmanager
def failing(step, number=errno.EIO, short=None):
    """Let the step-th system call fail, or write only `short` of its bytes; yield the list of calls."""
    calls, real = [], {name: getattr(os, name) for name in CALLS}

    def wrap(name):
        def call(*args, **kwargs):
            calls.append(name)
            if len(calls) - 1 != step:
                return real[name](*args, **kwargs)
            if name == "close":
                real[name](*args)
            if name == "write" and short is not None:
                return real["write"](args[0], args[1][: int(short * len(args[1]))])
            raise OSError(number, os.strerror(number))

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in CALLS:
            patch.setattr(os, name, wrap(name))
        yield calls


def states(read, prepare, **fault):
    """Run `work` with a fault at each step in turn; yield the files before and after, the error and the call."""
    step = 0
    while True:
        folder, write = prepare()
        error, before = None, read(folder)
        with failing(step, **fault) as calls:
            try:
                write()
            except StoreError as raised:
                error = raised
        yield before, read(folder), error, calls[step : step + 1]
        if len(calls) <= step:
            return
        step += 1


def fault_cases(tmp_path_factory, record, kind):
    """Return a function that sets up a store and returns the write to be tried."""

    def prepare():
        store = Store(tmp_path_factory.mktemp("fault") / "store")
        if kind != "first":
            store.append([record()])
        if kind == "torn":
            with (store.folder / "churn-88b2072e.csv").open("ab") as file:
                file.write(b'2025-01-02,churn,"a')
        store = store if kind == "same process" else Store(store.folder)
        new = [record(n=5)]
        if kind == "next part":
            new = [record(n=5, values={"psi": 0.1})]
        if kind == "many":
            new = [record(n=5), record("new", n=5), record("other", n=5), record(n=6)]
        return store.folder, lambda: store.append(new)

    return prepare


@pytest.mark.parametrize("kind", ["first", "append", "same process", "torn", "next part", "many"])
@pytest.mark.parametrize("fault", [{}, {"short": 0}, {"short": 0.5}, {"number": errno.ENOSPC}], ids=str)
def test_a_fault_at_any_step_leaves_before_or_after(tmp_path_factory, record, files, kind, fault):
    results = list(states(files, fault_cases(tmp_path_factory, record, kind), **fault))
    after = results[-1][1]
    assert len(results) > 10
    for before, now, error, call in results:
        assert now == (before if error else after), call
        assert error is None or "\n" not in str(error)
    assert any(error for *_, error, _ in results)


def test_a_fault_is_reported_with_path_reason_and_remedy(store, record):
    store.append([record()])
    with failing(step=-1) as calls:
        store.append([record()])
    with failing(calls.index("write"), errno.ENOSPC), pytest.raises(StoreError) as caught:
        store.append([record()])
    path = store.folder / "churn-88b2072e.csv"
    assert str(caught.value) == f"cannot write {path}: the disk is full: free some space, then try again"


@pytest.mark.parametrize("fault", [{}, {"short": 0.5}], ids=str)
@pytest.mark.parametrize("old", [None, b"old"])
def test_replacing_a_file_leaves_the_old_or_the_new_one(tmp_path_factory, files, fault, old):
    def work():
        path = tmp_path_factory.mktemp("fault") / "out.csv"
        if old is not None:
            path.write_bytes(old)
        return path.parent, lambda: write_atomically(path, b"new")

    for before, now, error, call in states(files, work, **fault):
        assert now in (before, {"out.csv": b"new"}), call
        assert error or now == {"out.csv": b"new"}, call


def test_bytes_that_another_writer_put_behind_ours_are_never_cut_off(store, record, rows_of, monkeypatch):
    """A script that takes no lock appends between our short write and the repair."""
    store.append([record()])
    path = store.folder / "churn-88b2072e.csv"
    write = os.write

    def short(descriptor, data):
        write(descriptor, data[:12])
        path.write_bytes(path.read_bytes() + b"\n2025-01-07,churn,all,,0.7,\n")
        return 12

    monkeypatch.setattr(os, "write", short)
    with pytest.raises(StoreError):
        store.append([record(n=5)])
    monkeypatch.undo()
    assert [row["date"] for row in rows_of(path)] == ["2025-01-01", "2025-01-06", "2025-01-07"]


@pytest.mark.parametrize(
    ("tail", "sealed"),
    [
        pytest.param(b"2025-01-02,chu", b"2025-01-02,chu\n", id="in a name"),
        pytest.param(b"2025-01-02,churn,all,,0.8,", b"2025-01-02,churn,all,,0.8,\n", id="complete but for its end"),
        pytest.param(b'2025-01-02,churn,"eu\nwe', b'2025-01-02,churn,"eu\nwe"\n', id="in a quoted name"),
        pytest.param(b'2025-01-02,churn,"eu\n', b'2025-01-02,churn,"eu\n"\n', id="at a line break in a quoted name"),
        pytest.param(b'2025-01-02,churn,"eu"', b'2025-01-02,churn,"eu"\n', id="behind a quoted name"),
        pytest.param(b'2025-01-02,chu"rn,"eu"', b'2025-01-02,chu"rn,"eu"\n', id="with a stray quote"),
        pytest.param(b"2025-01-02,churn,all,,0.8,\r", b"2025-01-02,churn,all,,0.8,\r\n", id="in a CRLF"),
    ],
)
@pytest.mark.parametrize("warm", [False, True], ids=["another process", "the same process"])
def test_a_torn_tail_is_closed_and_spoils_no_other_row(store, record, history_of, tail, sealed, warm):
    store.append([record()])
    path = store.folder / "churn-88b2072e.csv"
    path.write_bytes(path.read_bytes() + tail)
    (store if warm else Store(store.folder)).append([record(n=5), record(n=6)])
    assert path.read_bytes().endswith(sealed + b"2025-01-06,churn,all,,0.9,\n2025-01-07,churn,all,,0.9,\n")
    series = history_of(store.folder).series[SeriesKey("churn", "accuracy")]
    assert [str(time)[:10] for time in series.times][-2:] == ["2025-01-06", "2025-01-07"]


def test_a_row_cut_anywhere_is_never_read_as_another_value(store, record, history_of):
    store.append([record(n=n, values={"accuracy": 0.951, "recall": 0.123456}, count=1234) for n in range(2)])
    path = store.folder / "churn-88b2072e.csv"
    complete = path.read_bytes()
    for length in range(complete.rindex(b"\n", 0, -1) + 1, len(complete) + 1):
        path.write_bytes(complete[:length])
        store.append([record(n=2, values={"accuracy": 0.951, "recall": 0.123456}, count=1234)])
        for series in history_of(store.folder).series.values():
            assert set(series.values) <= {0.951, 0.123456}
            assert set(series.rows) == {1234}
            assert {str(time)[:10] for time in series.times} <= {"2025-01-01", "2025-01-02", "2025-01-03"}


def test_a_folder_that_is_a_file_is_reported_and_left_alone(tmp_path, record):
    (tmp_path / "store").write_text("precious")
    for folder in (tmp_path / "store", tmp_path / "store" / "inner"):
        with pytest.raises(StoreError, match=r"name another folder by --store|a file is where a folder should be"):
            Store(folder).append([record()])
    assert (tmp_path / "store").read_text() == "precious"


@pytest.mark.parametrize("make", ["folder", "link", "dangling link", "fifo"])
@pytest.mark.parametrize("name", ["churn-88b2072e.csv", LOCK])
def test_what_stands_in_the_place_of_a_file_is_never_followed_nor_waited_for(store, record, tmp_path, make, name):
    store.folder.mkdir()
    path, victim = store.folder / name, tmp_path / "victim"
    if make != "dangling link":
        victim.write_text("precious\n")
    {"folder": path.mkdir, "fifo": lambda: os.mkfifo(path)}.get(make, lambda: path.symlink_to(victim))()
    with pytest.raises(StoreError, match="cannot write"):
        store.append([record()])
    assert not victim.exists() if make == "dangling link" else victim.read_text() == "precious\n"


def test_a_lock_that_another_process_holds_is_waited_for_and_then_reported(tmp_path):
    with locked(tmp_path), pytest.raises(StoreError, match="another process has been holding"), locked(tmp_path, 0.05):
        pytest.fail("two hold the lock")


def test_a_lock_on_a_file_that_was_replaced_meanwhile_does_not_count(tmp_path, monkeypatch):
    """The folder is deleted and made anew by a writer who holds the new lock, between our opening and locking."""
    flock, others = fcntl.flock, []

    def replaced_before_locking(descriptor, operation):
        if not others:
            (tmp_path / LOCK).unlink()
            others.append((tmp_path / LOCK).open("w"))
            flock(others[0], fcntl.LOCK_EX)
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", replaced_before_locking)
    with pytest.raises(StoreError, match="another process has been holding"), locked(tmp_path, 0.05):
        pytest.fail("two hold the lock")
    others[0].close()


def test_nobody_is_told_before_the_bytes_and_the_name_are_durable(store, record):
    for steps in (["write", "fsync", "link", "fsync"], ["write", "fsync"]):
        with failing(step=-1) as calls:
            store.append([record()])
        assert [call for call in calls[calls.index("write") :] if call in ("write", "link", "fsync")] == steps


def test_a_file_system_without_locks_is_reported(store, record, monkeypatch):
    def flock(descriptor, operation):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(StoreError, match="this file system has no locks: name a folder on a local disk"):
        store.append([record()])


FULL = """
import resource, sys
from datetime import UTC, datetime
from pathlib import Path
from modeltop.core.errors import StoreError
from modeltop.core.series import SeriesKey
from modeltop.history.store.writer import Store
from modeltop.history.store.row_format import PeriodRow
store = Store(Path(sys.argv[1]))
record = PeriodRow("churn", datetime(2025, 1, 1, tzinfo=UTC), {"accuracy": 0.9})
store.append([record] * 3)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
try:
    store.append([record] * 3)
except StoreError as error:
    print(error)
"""


@pytest.mark.parametrize("room", [0, 1, 40], ids=["no byte more", "one byte more", "one row and a half more"])
def test_a_write_that_the_system_itself_cuts_short_leaves_the_file_as_it_was(tmp_path, rows_of, room):
    path = tmp_path / "churn-88b2072e.csv"
    size = len(b"date,model,segment,count,accuracy,provisional\n") + 3 * len(b"2025-01-01,churn,all,,0.9,\n")
    result = subprocess.run(
        [sys.executable, "-c", FULL, tmp_path, str(size + room)], capture_output=True, text=True, check=True
    )
    assert result.stdout.startswith(f"cannot write {path}: ")
    assert path.stat().st_size == size
    assert len(rows_of(path)) == 3


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes to read-only folders")
def test_a_read_only_folder_is_reported(store, record):
    store.folder.mkdir(mode=0o500)
    with pytest.raises(StoreError, match="permission denied: change its permissions"):
        store.append([record()])


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_folder_that_may_not_be_written_is_reported(store, record, number):
    store.folder.mkdir()
    with failing(step=-1) as calls:
        Store(store.folder).append([record()])
    for path in store.folder.iterdir():
        path.unlink()
    with failing(calls.index("open"), number), pytest.raises(StoreError, match=r"permission denied|read-only"):
        store.append([record()])
    assert not list(store.folder.iterdir())


def test_a_name_left_over_by_a_crash_never_costs_the_part_it_is_linked_to(store, record, files):
    """Killed between giving a new part its name and taking the first name away."""
    store.append([record()])
    complete = files(store.folder)
    os.link(store.folder / "churn-88b2072e.csv", store.folder / ".newborn")
    store.append([record(values={"psi": 0.1})])
    now = files(store.folder)
    assert ".newborn" not in now
    assert now.items() >= complete.items()


def test_a_file_is_made_and_replaced_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "out.csv"
    write_atomically(path, b"one")
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [path]


def test_permissions_stay_as_they_were(tmp_path):
    path = tmp_path / "out.csv"
    path.touch()
    path.chmod(0o640)
    write_atomically(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_new_file_takes_the_permissions_of_its_folder(tmp_path):
    tmp_path.chmod(0o750)
    write_atomically(tmp_path / "out.csv", b"new")
    assert stat.S_IMODE((tmp_path / "out.csv").stat().st_mode) == 0o640


def test_a_link_stays_and_its_target_is_replaced(tmp_path):
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "real.csv", tmp_path / "out.csv"
    target.write_text("old")
    link.symlink_to(target)
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_device_or_a_folder_is_never_replaced_by_a_file(tmp_path, make):
    make(tmp_path / "out.csv")
    before = (tmp_path / "out.csv").stat().st_mode
    with pytest.raises(StoreError, match="is where a file should be: move it away"):
        write_atomically(tmp_path / "out.csv", b"new")
    assert (tmp_path / "out.csv").stat().st_mode == before


def test_a_missing_folder_is_reported(tmp_path):
    with pytest.raises(StoreError, match="cannot write"):
        write_atomically(tmp_path / "none" / "out.csv", b"new")
