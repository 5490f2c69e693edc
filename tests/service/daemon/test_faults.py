"""Disks, clocks and secrets that fail: alerts go out all the same, and it says what is wrong."""

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


def test_with_a_full_disk_alerts_go_out_once_and_say_that_it_is_not_saved(world, unwritable):
    world.rows("churn", *FINE)
    world.cycle()
    unwritable(off=True)
    world.rows("churn", BAD, begin="2025-03-09")
    world.cycle(looks=3)
    [message] = world.boxes["ops"].got
    assert "state was not saved" in message.text
    assert "state was not saved" in message.worst_section.sentence
    assert "the disk is full" in health.read_last_health(world.state).error
    assert world.log.count("state was not saved") == 1
    assert not world.facts.incidents


def test_what_was_remembered_meanwhile_is_saved_once_it_can_be(world, unwritable):
    world.rows("churn", *FINE, BAD)
    world.restart()
    unwritable(off=True)
    world.cycle(looks=2)
    unwritable(off=False)
    world.cycle()
    assert health.read_last_health(world.state).error is None
    assert "all well again" in world.log
    assert [one.level.name for one in world.facts.notifications.values()] == ["CRITICAL"]
    world.restart()
    world.cycle(looks=2)
    assert len(world.told()) == 1


def test_a_journal_of_a_newer_version_is_left_as_it_is_and_said(world):
    world.rows("churn", *FINE)
    world.cycle()
    [path] = world.state.glob("journal.*.jsonl")
    body = path.read_bytes().splitlines()[-1].partition(b",")[2].replace(b'"v":2', b'"v":99')
    newer = b'{"crc":"%08x",%s\n' % (zlib.crc32(body), body)
    path.write_bytes(path.read_bytes() + newer)
    before = path.read_bytes()
    world.rows("churn", BAD, begin="2025-03-09")
    world.cycle(looks=2)
    assert len(world.told()) == 1
    assert path.read_bytes() == before
    assert "newer modeltop" in health.read_last_health(world.state).error


def no_space(*_):
    raise OSError(28, "No space left on device")


def test_where_not_even_the_health_can_be_written_alerts_still_go_out(world, unwritable, monkeypatch):
    world.rows("churn", *FINE)
    world.cycle()
    unwritable(off=True)
    monkeypatch.setattr(durable, "_replace", no_space)
    monkeypatch.setattr(os, "pwrite", no_space)
    world.rows("churn", BAD, begin="2025-03-09")
    world.cycle(looks=2)
    assert len(world.told()) == 1
    assert "state was not saved" in world.log


@pytest.mark.parametrize("step", [timedelta(hours=1), timedelta(hours=-1), timedelta(days=-3652)])
def test_a_step_of_the_clock_sends_no_trigger_twice_and_resolves_nothing(world, step):
    world.receivers("ops", pace=NotificationPolicy(group=0, hourly=0, repeat=timedelta(hours=4)))
    world.rows("churn", *FINE, BAD)
    world.cycle()
    world.wall += step
    for _ in range(5):
        world.sleep(minutes=1)
        world.cycle()
    world.restart()
    world.cycle(looks=2)
    assert world.told() == [("trigger", "first", "churn")]
    newest = world.facts.last_event_at
    world.rows("churn", GOOD, begin="2025-03-10")
    world.cycle(looks=2)
    assert [one[1] for one in world.told()] == ["first", "over"]
    assert world.facts.last_event_at >= newest


@pytest.mark.parametrize("restarted", [False, True])
def test_a_clock_ten_years_behind_keeps_no_receiver_waiting_and_is_said(world, restarted):
    world.rows("churn", *FINE, BAD)
    world.boxes["ops"].answers = [NotifyError("answered 503")]
    world.cycle()
    world.wall -= timedelta(days=3652)
    if restarted:
        world.restart()
    else:
        world.sleep(seconds=2)
    world.cycle(looks=2)
    assert len(world.told()) == 1
    assert "the clock is 9y behind" in health.read_last_health(world.state).error


def test_a_day_that_is_longer_or_shorter_opens_and_closes_its_hours_once(world):
    office = (TimeInterval(start=time(1, 30), end=time(4), zone=BERLIN),)
    for night in ("2025-03-30", "2025-10-26"):
        begin = datetime.fromisoformat(night).replace(tzinfo=BERLIN).astimezone(UTC)
        name = f"at-{night}"
        world.receivers(name, routes=(Route("night", (name,), time_intervals=office),))
        world.wall = begin
        world.rows(name, *FINE, BAD, begin=f"{begin - timedelta(days=8):%Y-%m-%d}")
        told = []
        for _ in range(24):
            world.restart()
            world.cycle()
            told.append(sum(one[2] == name for one in world.told(name)))
            world.sleep(minutes=15)
        first = told.index(1)
        assert (begin + first * timedelta(minutes=15)).astimezone(BERLIN).time() == time(1, 30)
        assert told[-1] == 1


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        pytest.param(lambda path: path.chmod(0o644), "can be read by others", id="others can read it"),
        pytest.param(lambda path: path.unlink(), "cannot be read", id="it is gone"),
        pytest.param(lambda path: path.write_text("\n"), "is empty", id="it is empty"),
    ],
)
def test_a_secret_that_cannot_be_read_breaks_its_receiver_until_it_can(world, tmp_path, spoil, why):
    secret = tmp_path / "url"
    secret.write_text("http://127.0.0.1:1/token-5081")
    secret.chmod(0o600)
    spoil(secret)
    hook = Receiver("hook", Webhook(url=SecretRef(file=str(secret)), timeout=1))
    world.receivers("ops")
    world.config = replace(world.config, receivers={"hook": hook, **world.config.receivers})
    world.rows("churn", *FINE, BAD)
    world.cycle(looks=2)
    assert why in world.facts.receivers["hook"].disabled_reason
    assert health.read_last_health(world.state).disabled_receivers == ("hook",)
    assert world.told() == [("trigger", "first", "churn")]
    secret.write_text("http://127.0.0.1:1/token-5081")
    secret.chmod(0o600)
    world.cycle()
    assert world.facts.receivers["hook"].disabled_reason is None
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


def test_a_process_that_may_write_no_more_bytes_tells_all_the_same(world, tmp_path):
    world.rows("churn", *FINE, BAD)
    told = tmp_path / "told"
    os.mkfifo(told)  # a FIFO has no size that could be limited
    reader = os.open(told, os.O_RDONLY | os.O_NONBLOCK)
    config = tmp_path / "modeltop.toml"
    config.write_text(f'[receivers.pipe]\ntype = "command"\ncommand = ["/bin/sh", "-c", "cat > {told}"]\n')
    argv = [sys.executable, "-c", LIMITED, "0", str(world.store), str(config)]
    root = Path(__file__).parents[2]
    env = dict(os.environ, PYTHONPATH=str(root), HOME=str(tmp_path), PYTHONDONTWRITEBYTECODE="1")
    done = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    said = os.read(reader, 65536).decode()
    os.close(reader)
    assert done.returncode == 1, done.stderr
    assert "CRIT churn" in said
    assert "state was not saved" in said
    assert "state was not saved" in done.stderr
    assert "limit of this process" in done.stderr


def test_what_was_seen_but_never_saved_is_found_again_by_the_next_process(world, unwritable):
    world.rows("churn", *FINE)
    world.cycle()
    world.sleep(minutes=5)
    unwritable(off=True)
    world.boxes["ops"].answers = [NotifyError("answered 503")]
    world.rows("churn", BAD, GOOD, begin="2025-03-09")
    world.cycle()
    assert world.told() == []
    unwritable(off=False)
    world.restart()
    world.cycle(looks=2)
    assert [one[1] for one in world.told()] == ["late"]
