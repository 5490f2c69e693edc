"""The watcher's health is one small file: cheap to write, cheap to read, never half."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from modeltop.core.errors import StoreError
from modeltop.core.incident import WatcherHealth
from modeltop.history.store import durable
from modeltop.service import health
from modeltop.service.health import HEALTH_FILE_NAME, HealthFile, HealthReport

AT = datetime(2025, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
GOOD = WatcherHealth(at=AT, started_at=AT - timedelta(hours=1), pid=17, host="alpha", interval_seconds=60.0)
BAD = replace(GOOD, error="the disk is full", disabled_receivers=("slack", "mail\x1b[2J"), stopped=True)


@pytest.mark.parametrize("written", [GOOD, BAD])
def test_what_was_written_is_read(tmp_path, written):
    health.HealthFile(tmp_path).write(HealthReport(written))
    assert health.read_last_health(tmp_path) == written


def test_it_says_that_it_runs_from_cron(tmp_path):
    report = HealthReport(GOOD, one_shot=True)
    health.HealthFile(tmp_path).write(report)
    assert health.read_health(tmp_path) == report


def test_a_cycle_in_which_nothing_changed_moves_only_the_time_of_the_file(tmp_path):
    record = HealthFile(tmp_path)
    record.write(HealthReport(GOOD))
    before = (tmp_path / HEALTH_FILE_NAME).stat()
    later = replace(GOOD, at=AT + timedelta(minutes=1))
    record.write(HealthReport(later))
    after = (tmp_path / HEALTH_FILE_NAME).stat()
    assert (before.st_ino, before.st_mtime_ns) != (after.st_ino, after.st_mtime_ns)
    assert before.st_ino == after.st_ino
    assert health.read_last_health(tmp_path) == later


def test_a_changed_state_replaces_the_file_whole(tmp_path):
    record = HealthFile(tmp_path)
    record.write(HealthReport(GOOD))
    before = (tmp_path / HEALTH_FILE_NAME).stat().st_ino
    record.write(HealthReport(BAD))
    assert (tmp_path / HEALTH_FILE_NAME).stat().st_ino != before
    assert health.read_last_health(tmp_path) == BAD


def test_a_file_that_was_removed_is_made_anew(tmp_path):
    record = HealthFile(tmp_path)
    record.write(HealthReport(GOOD))
    (tmp_path / HEALTH_FILE_NAME).unlink()
    record.write(HealthReport(GOOD))
    assert health.read_last_health(tmp_path) == GOOD


def test_on_a_full_disk_the_old_file_is_overwritten_where_it_lies(tmp_path, monkeypatch):
    record = HealthFile(tmp_path)
    record.write(HealthReport(GOOD))
    monkeypatch.setattr(durable, "_replace", no_space)
    record.write(HealthReport(BAD))
    assert health.read_last_health(tmp_path) == BAD


def test_where_nothing_can_be_written_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(durable, "_replace", no_space)
    with pytest.raises(StoreError, match="the disk is full"):
        HealthFile(tmp_path).write(HealthReport(GOOD))


def no_space(*_):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "{}", '{"at": "x"}', "[" * 5000, '{"at": "2025-01-01", "started": 1}'],
)
def test_a_file_that_is_not_ours_says_nothing(tmp_path, text):
    (tmp_path / HEALTH_FILE_NAME).write_text(text)
    assert health.read_last_health(tmp_path) is None


def test_no_file_and_a_fifo_say_nothing_and_block_nobody(tmp_path):
    assert health.read_last_health(tmp_path) is None
    os.mkfifo(tmp_path / HEALTH_FILE_NAME)
    assert health.read_last_health(tmp_path) is None


@pytest.mark.parametrize(
    ("state", "seconds", "late"),
    [
        (GOOD, 190, False),
        (GOOD, 191, True),
        (replace(GOOD, stopped=True), 10_000, False),
        (GOOD, -36_000, False),
    ],
)
def test_a_watcher_is_late_when_three_cycles_are_missing(state, seconds, late):
    assert state.is_overdue(AT + timedelta(seconds=seconds)) == late
