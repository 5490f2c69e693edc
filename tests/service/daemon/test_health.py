"""The health file, the log of problems, and the heartbeat."""

import http.server
import io
import os
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from modeltop.alerting.notifiers.base import SecretRef
from modeltop.core.errors import StoreError
from modeltop.core.incident import WatcherHealth
from modeltop.history.store import durable
from modeltop.service import health
from modeltop.service.health import (
    HEALTH_FILE_NAME,
    DaemonIdentity,
    HealthFile,
    HealthReporter,
    Heartbeat,
)
from modeltop.service.leader import LockHolder
from modeltop.service.log import DaemonLog

AT = datetime(2025, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
GOOD = WatcherHealth(at=AT, started_at=AT - timedelta(hours=1), pid=17, host="alpha", interval_seconds=60.0)
BAD = replace(
    GOOD, error="the disk is full", disabled_receivers={"slack": "answered 404", "mail\x1b[2J": "x"}, stopped=True
)


@pytest.mark.parametrize("written", [GOOD, BAD, replace(GOOD, one_shot=True)])
def test_what_was_written_is_read(tmp_path, written):
    health.HealthFile(tmp_path).write(written)
    assert health.read_last_health(tmp_path) == written


def test_a_cycle_in_which_nothing_changed_moves_only_the_time_of_the_file(tmp_path):
    health_file = HealthFile(tmp_path)
    health_file.write(GOOD)
    before = (tmp_path / HEALTH_FILE_NAME).stat()
    later = replace(GOOD, at=AT + timedelta(minutes=1))
    health_file.write(later)
    after = (tmp_path / HEALTH_FILE_NAME).stat()
    assert (before.st_ino, before.st_mtime_ns) != (after.st_ino, after.st_mtime_ns)
    assert before.st_ino == after.st_ino
    assert health.read_last_health(tmp_path) == later


def test_a_changed_state_replaces_the_file(tmp_path):
    health_file = HealthFile(tmp_path)
    health_file.write(GOOD)
    before = (tmp_path / HEALTH_FILE_NAME).stat().st_ino
    health_file.write(BAD)
    assert (tmp_path / HEALTH_FILE_NAME).stat().st_ino != before
    assert health.read_last_health(tmp_path) == BAD


def test_a_removed_file_is_written_again(tmp_path):
    health_file = HealthFile(tmp_path)
    health_file.write(GOOD)
    (tmp_path / HEALTH_FILE_NAME).unlink()
    health_file.write(GOOD)
    assert health.read_last_health(tmp_path) == GOOD


def test_on_a_full_disk_the_old_file_is_overwritten_in_place(tmp_path, monkeypatch):
    health_file = HealthFile(tmp_path)
    health_file.write(GOOD)
    monkeypatch.setattr(durable, "_replace", no_space)
    health_file.write(BAD)
    assert health.read_last_health(tmp_path) == BAD


def test_where_nothing_can_be_written_an_error_is_raised(tmp_path, monkeypatch):
    monkeypatch.setattr(durable, "_replace", no_space)
    with pytest.raises(StoreError, match="the disk is full"):
        HealthFile(tmp_path).write(GOOD)


def no_space(*_):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "{}", '{"at": "x"}', "[" * 5000, '{"at": "2025-01-01", "started": 1}'],
)
def test_a_file_that_is_not_ours_is_no_health(tmp_path, text):
    (tmp_path / HEALTH_FILE_NAME).write_text(text)
    assert health.read_last_health(tmp_path) is None


def test_no_file_and_a_fifo_are_no_health_and_do_not_block(tmp_path):
    assert health.read_last_health(tmp_path) is None
    os.mkfifo(tmp_path / HEALTH_FILE_NAME)
    assert health.read_last_health(tmp_path) is None


@pytest.mark.parametrize(
    ("state", "seconds", "overdue"),
    [
        (GOOD, 190, False),
        (GOOD, 191, True),
        (replace(GOOD, stopped=True), 10_000, False),
        (GOOD, -36_000, False),
    ],
)
def test_a_watcher_is_overdue_when_three_cycles_are_missing(state, seconds, overdue):
    assert state.is_overdue(AT + timedelta(seconds=seconds)) == overdue


def test_a_lasting_problem_is_logged_when_it_starts_changes_and_ends(tmp_path):
    stream = io.StringIO()
    log = DaemonLog(stream, clock=lambda: AT)
    reporter = HealthReporter(DaemonIdentity(tmp_path, LockHolder(1, "here")), log, AT)
    for error in (None, "a", "a", "b", "b", None, None):
        reporter.set_error("disk", error)
    assert [line.split()[-1] for line in stream.getvalue().splitlines()] == ["a", "b", "recovered"]


@pytest.fixture
def ping_server(monkeypatch):
    """A server that counts pings; its address stands in HEART."""
    paths, responses = [], [200]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            paths.append(self.path)
            self.send_response(responses[0])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("HEART", f"http://127.0.0.1:{server.server_port}/ping/token-4711")
        yield paths, responses
        server.shutdown()
        thread.join()


def test_a_failed_heartbeat_is_reported_without_its_address(ping_server):
    paths, responses = ping_server
    heartbeat = Heartbeat()
    heartbeat.ping(SecretRef(env="HEART"))
    heartbeat.wait(10)
    assert (paths, heartbeat.error) == (["/ping/token-4711"], None)
    responses[0] = 500
    heartbeat.ping(SecretRef(env="HEART"))
    heartbeat.wait(10)
    assert "answered 500" in heartbeat.error
    assert "4711" not in heartbeat.error
    heartbeat.ping(None)
    assert heartbeat.error is None


def test_each_completed_cycle_pings_and_one_that_failed_does_not(world, ping_server):
    world.receivers("ops", heartbeat=SecretRef(env="HEART"))
    world.rows("churn", 0.95, 0.95)
    for expected in (1, 2):
        world.run_cycle()
        world.cycle._heartbeat.wait(10)
        assert len(ping_server[0]) == expected
    world.cycle.settings.pipeline.run = lambda _: 1 / 0
    world.run_cycle()
    world.cycle._heartbeat.wait(10)
    assert len(ping_server[0]) == 2


def test_a_heartbeat_without_its_secret_is_reported():
    heartbeat = Heartbeat()
    heartbeat.ping(SecretRef(env="MODELTOP_NO_SUCH_VARIABLE"))
    heartbeat.wait(10)
    assert "MODELTOP_NO_SUCH_VARIABLE is not set" in heartbeat.error
