"""Disks, clocks and secrets that fail: alerts are sent all the same, and the fault is reported."""

import os
import subprocess
import sys
import zlib
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from modeltop.alerting.notifiers.base import Receiver, SecretRef
from modeltop.alerting.notifiers.webhook import Webhook
from modeltop.alerting.routing import NotificationPolicy, Route, TimeInterval
from modeltop.core.errors import NotifyError
from modeltop.history.store import durable
from modeltop.service import health

GOOD, BAD = 0.95, 0.7
FINE = (GOOD,) * 8
BERLIN = ZoneInfo("Europe/Berlin")


def test_with_a_full_disk_alerts_are_sent_once_with_a_notice(world, fail_writes):
    world.rows("churn", *FINE)
    world.run_cycle()
    fail_writes(off=True)
    world.rows("churn", BAD, start="2025-03-09")
    world.run_cycle(runs=3)
    [message] = world.inboxes["ops"].received
    assert "state was not saved" in message.text
    assert "state was not saved" in message.worst_section.sentence
    assert "the disk is full" in health.read_last_health(world.state).error
    assert world.log.count("state was not saved") == 1
    assert not world.alerting_state.incidents


def test_buffered_events_are_saved_once_they_can_be(world, fail_writes):
    world.rows("churn", *FINE, BAD)
    world.restart()
    fail_writes(off=True)
    world.run_cycle(runs=2)
    fail_writes(off=False)
    world.run_cycle()
    assert health.read_last_health(world.state).error is None
    assert "journal: recovered" in world.log
    assert [entry.level.name for entry in world.alerting_state.notifications.values()] == ["CRITICAL"]
    world.restart()
    world.run_cycle(runs=2)
    assert len(world.sent()) == 1


def test_an_event_log_of_a_newer_version_is_not_changed_and_reported(world):
    world.rows("churn", *FINE)
    world.run_cycle()
    [path] = world.state.glob("journal.*.jsonl")
    body = path.read_bytes().splitlines()[-1].partition(b",")[2].replace(b'"v":3', b'"v":99')
    newer = b'{"crc":"%08x",%s\n' % (zlib.crc32(body), body)
    path.write_bytes(path.read_bytes() + newer)
    before = path.read_bytes()
    world.rows("churn", BAD, start="2025-03-09")
    world.run_cycle(runs=2)
    assert len(world.sent()) == 1
    assert path.read_bytes() == before
    assert "newer modeltop" in health.read_last_health(world.state).error


def no_space(*_):
    raise OSError(28, "No space left on device")


def test_alerts_are_sent_where_not_even_the_health_can_be_written(world, fail_writes, monkeypatch):
    world.rows("churn", *FINE)
    world.run_cycle()
    fail_writes(off=True)
    monkeypatch.setattr(durable, "_replace", no_space)
    monkeypatch.setattr(os, "pwrite", no_space)
    world.rows("churn", BAD, start="2025-03-09")
    world.run_cycle(runs=2)
    assert len(world.sent()) == 1
    assert "state was not saved" in world.log


@pytest.mark.parametrize("step", [timedelta(hours=1), timedelta(hours=-1), timedelta(days=-3652)])
def test_a_step_of_the_clock_sends_no_trigger_twice_and_resolves_nothing(world, step):
    world.receivers("ops", policy=NotificationPolicy(group=0, hourly=0, repeat=timedelta(hours=4)))
    world.rows("churn", *FINE, BAD)
    world.run_cycle()
    world.wall += step
    for _ in range(5):
        world.sleep(minutes=1)
        world.run_cycle()
    world.restart()
    world.run_cycle(runs=2)
    assert world.sent() == [("trigger", "first", "churn")]
    newest = world.alerting_state.last_event_at
    world.rows("churn", GOOD, start="2025-03-10")
    world.run_cycle(runs=2)
    assert [entry[1] for entry in world.sent()] == ["first", "over"]
    assert world.alerting_state.last_event_at >= newest


@pytest.mark.parametrize("restarted", [False, True])
def test_a_clock_ten_years_behind_delays_no_receiver_and_is_reported(world, restarted):
    world.rows("churn", *FINE, BAD)
    world.inboxes["ops"].responses = [NotifyError("answered 503")]
    world.run_cycle()
    world.wall -= timedelta(days=3652)
    world.sleep(seconds=2)
    if restarted:
        world.restart()
    world.run_cycle(runs=2)
    assert len(world.sent()) == 1
    assert "clock unreliable: 9y behind" in health.read_last_health(world.state).error


def test_a_time_interval_starts_and_ends_once_on_days_of_clock_changes(world):
    intervals = (TimeInterval(start=time(1, 30), end=time(4), zone=BERLIN),)
    for night in ("2025-03-30", "2025-10-26"):
        start = datetime.fromisoformat(night).replace(tzinfo=BERLIN).astimezone(UTC)
        name = f"at-{night}"
        world.receivers(name, routes=(Route("night", (name,), time_intervals=intervals),))
        world.monotonic += (start - world.wall).total_seconds()
        world.wall = start
        world.rows(name, *FINE, BAD, start=f"{start - timedelta(days=8):%Y-%m-%d}")
        sent = []
        for _ in range(24):
            world.restart()
            world.run_cycle()
            sent.append(sum(entry[2] == name for entry in world.sent(name)))
            world.sleep(minutes=15)
        first = sent.index(1)
        assert (start + first * timedelta(minutes=15)).astimezone(BERLIN).time() == time(1, 30)
        assert sent[-1] == 1


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        pytest.param(lambda path: path.chmod(0o644), "can be read by others", id="others can read it"),
        pytest.param(lambda path: path.unlink(), "cannot be read", id="it is gone"),
        pytest.param(lambda path: path.write_text("\n"), "is empty", id="it is empty"),
    ],
)
def test_an_unreadable_secret_disables_its_receiver_until_it_can_be_read(world, tmp_path, damage, reason):
    secret = tmp_path / "url"
    secret.write_text("http://127.0.0.1:1/token-5081")
    secret.chmod(0o600)
    damage(secret)
    hook = Receiver("hook", Webhook(url=SecretRef(file=str(secret)), timeout=1))
    world.receivers("ops")
    world.config = replace(world.config, receivers={"hook": hook, **world.config.receivers})
    world.rows("churn", *FINE, BAD)
    world.run_cycle(runs=2)
    assert reason in world.alerting_state.receivers["hook"].disabled_reason
    assert health.read_last_health(world.state).disabled_receivers.keys() == {"hook"}
    assert world.sent() == [("trigger", "first", "churn")]
    secret.write_text("http://127.0.0.1:1/token-5081")
    secret.chmod(0o600)
    world.run_cycle()
    assert world.alerting_state.receivers["hook"].disabled_reason is None
    assert "token-5081" not in world.log


LIMITED = """
import resource, sys
from modeltop_tui.__main__ import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
sys.argv = ["modeltop", "watch", "--once", "--store", sys.argv[2], "--config", sys.argv[3]]
sys.exit(main())
"""


def test_a_process_at_its_file_size_limit_still_sends(world, tmp_path):
    world.rows("churn", *FINE, BAD)
    sent = tmp_path / "told"
    os.mkfifo(sent)  # a FIFO has no size that could be limited
    reader = os.open(sent, os.O_RDONLY | os.O_NONBLOCK)
    config = tmp_path / "modeltop.toml"
    config.write_text(f'[receivers.pipe]\ntype = "command"\ncommand = ["/bin/sh", "-c", "cat > {sent}"]\n')
    argv = [sys.executable, "-c", LIMITED, "0", str(world.store), str(config)]
    root = Path(__file__).parents[3]
    env = dict(os.environ, PYTHONPATH=str(root / ".dev"), HOME=str(tmp_path))
    process = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    output = os.read(reader, 65536).decode()
    os.close(reader)
    assert process.returncode == 1, process.stderr
    assert "critical churn" in output
    assert "state was not saved" in output
    assert "state was not saved" in process.stderr
    assert "limit of this process" in process.stderr


def test_changes_that_were_never_saved_are_detected_again_by_the_next_process(world, fail_writes):
    world.rows("churn", *FINE)
    world.run_cycle()
    world.sleep(minutes=5)
    fail_writes(off=True)
    world.inboxes["ops"].responses = [NotifyError("answered 503")]
    world.rows("churn", BAD, GOOD, start="2025-03-09")
    world.run_cycle()
    assert world.sent() == []
    fail_writes(off=False)
    world.restart()
    world.run_cycle(runs=2)
    assert [entry[1] for entry in world.sent()] == ["late"]
