"""Many writers, a reader in between, and writers that are killed: every acknowledged row is there, and none is torn."""

import json
import os
import subprocess
import sys
import time
from datetime import datetime

import pytest

from modeltop.history.store.lock import locked

WRITERS, ROWS = 8, 500

KILLED = '''
"""Forks writers and kills each at a random moment; prints the rows that each was acknowledged."""
import json, os, random, signal, sys, time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from modeltop.history.store.writer import Store
from modeltop.history.store.row_format import PeriodRow

folder, kills, model, seed = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
random.seed(seed)
start = datetime(2025, 1, 1, tzinfo=UTC)

def work(writer, pipe):
    store, number = Store(folder), 0
    while True:
        batch = []
        for _ in range(random.choice((1, 1, 5, 400))):
            number += 1
            values = {random.choice(("accuracy", "psi", f"kpi{writer % 9}")): float(f"0.{number:05d}1")}
            batch.append(PeriodRow(model, start + timedelta(minutes=number), values, segment=f"w{writer}"))
        store.append(batch)
        os.write(pipe, json.dumps([writer, [[r.date.isoformat(), *r.values.items()] for r in batch]]).encode() + b"\\n")

for writer in range(kills):
    reading, pipe = os.pipe()
    child = os.fork()
    if not child:
        random.seed(seed + writer)
        work(writer, pipe)
    os.close(pipe)
    os.set_blocking(reading, False)
    # Every other one lives until it has stored something, however busy the machine is.
    text, delay, end = b"", random.uniform(0, 0.02), None
    while end is None or time.monotonic() < end:
        if end is None and (text or writer % 2):
            end = time.monotonic() + delay
        try:
            text += os.read(reading, 1 << 20)
        except BlockingIOError:
            time.sleep(0.0002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.set_blocking(reading, True)
    while chunk := os.read(reading, 1 << 20):
        text += chunk
    os.close(reading)
    sys.stdout.write(text[: text.rfind(b"\\n") + 1].decode())
'''


@pytest.fixture
def kill_writers(tmp_path):
    """Kills so many writers; the acknowledged values by writer, date and metric."""

    def run(kills, model, seed=1):
        command = [sys.executable, "-c", KILLED, tmp_path / "store", str(kills), model, str(seed)]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        acknowledged = {}
        for writer, rows in map(json.loads, result.stdout.splitlines()):
            for date, (metric, value) in rows:
                acknowledged[f"w{writer}", datetime.fromisoformat(date), metric] = value
        return acknowledged

    return run


@pytest.mark.parametrize(("kills", "model"), [(200, "churn"), (40, 'two\nlines "quoted"')])
def test_no_acknowledged_row_is_lost_however_writers_are_killed(tmp_path, kill_writers, rows_of, kills, model):
    acknowledged = kill_writers(kills, model)
    assert len({writer for writer, _, _ in acknowledged}) >= kills // 2
    stored = {}
    for path in (tmp_path / "store").glob("*.csv"):
        for row in rows_of(path):
            is_complete = None not in row and None not in row.values()
            for metric, text in list(row.items())[4:-1] if is_complete else ():
                if text:
                    stored[row["segment"], datetime.fromisoformat(row["date"]), metric] = float(text)
    assert {key: stored.get(key) for key in acknowledged} == acknowledged
    assert all(f"{value:.6f}".endswith("1") for value in stored.values()), "a value was cut short"


def test_the_reader_finds_every_acknowledged_row_after_kills(tmp_path, kill_writers, history_of):
    acknowledged = kill_writers(15, "churn", seed=7)
    history = history_of(tmp_path / "store")
    values = {
        (key.segment, datetime.fromisoformat(f"{time}+00:00"), key.metric): value
        for key, series in history.series.items()
        for time, value in zip(series.times, series.values.tolist(), strict=True)
    }
    assert {key: values.get(key) for key in acknowledged} == acknowledged


def rows_from(writer, per_write):
    """CSV text for `record -`, in chunks of so many rows; each value names its writer and row."""
    lines = [
        f"2025-01-01T00:00:{n // 100:02d}.{n % 100:02d}Z,churn,w{writer},0.{writer}{n:03d}5\n" for n in range(ROWS)
    ]
    lines[0] = "date,model,segment,accuracy\n" + lines[0]
    return ["".join(lines[at : at + per_write]) for at in range(0, ROWS, per_write)]


def start_recording(folder):
    command = [sys.executable, "-m", "modeltop", "record", "-", "--store", folder]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


WAITING = "the last line has no end yet"


def read_until(folder, rows, history_of, wanted):
    """Read over and over until so many rows are there; whatever is seen meanwhile must be complete."""
    deadline, seen = time.monotonic() + 60, 0
    while seen < rows:
        assert time.monotonic() < deadline, f"only {seen} of {rows} rows came"
        history = history_of(folder) if folder.exists() else None
        for key, series in history.series.items() if history else ():
            assert series.values.tolist() == wanted[key.segment][: len(series)]
        # A reader may come in the middle of a write: such a tail waits, and no value is read of it.
        torn = (
            [problem for problem in history.problems if problem.line and WAITING not in problem.message]
            if history
            else []
        )
        assert torn == []
        seen = sum(map(len, history.series.values())) if history else 0


def test_eight_writers_and_a_reader_leave_four_thousand_whole_rows(tmp_path, history_of):
    folder = tmp_path / "store"
    writers = [start_recording(folder) for _ in range(WRITERS)]
    chunks = [rows_from(number, per_write=50) for number in range(WRITERS)]
    wanted = {f"w{number}": [float(f"0.{number}{n:03d}5") for n in range(ROWS)] for number in range(WRITERS)}
    for number, turn in enumerate(zip(*chunks, strict=True), start=1):
        for writer, chunk in zip(writers, turn, strict=True):
            writer.stdin.write(chunk)
            writer.stdin.flush()
        read_until(folder, number * 50 * WRITERS, history_of, wanted)
    for writer in writers:
        _, stderr = writer.communicate()
        assert (writer.returncode, stderr.split(" of ")[0]) == (0, "modeltop: recorded 500 rows")
    history = history_of(folder)
    assert {key.segment: series.values.tolist() for key, series in history.series.items()} == wanted
    (path,) = folder.glob("*.csv")
    assert path.read_bytes().count(b"\n") == WRITERS * ROWS + 1


def test_a_lock_has_its_permissions_before_its_name(tmp_path, monkeypatch):
    """Between the two another user of the group would be refused."""
    tmp_path.chmod(0o2770)
    folder = tmp_path / "store"
    for name in ("chmod", "fchmod"):
        change = getattr(os, name)

        def checked(target, mode, *, change=change, **options):
            named = [path for path in (folder, folder / ".lock") if path.exists()]
            assert all(path.stat().st_mode & 0o060 == 0o060 for path in named)
            change(target, mode, **options)

        monkeypatch.setattr(os, name, checked)
    old = os.umask(0o077)
    try:
        with locked(folder):
            assert [path.name for path in folder.iterdir()] == [".lock"]
    finally:
        os.umask(old)
