"""Configured logs are computed when they are due, one at a time, by processes that end when the watcher does."""

import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from modeltop.history.store.generation import RUN_LOCK_FOLDER
from modeltop.history.store.lock import locked
from modeltop.predictions import scheduler as scheduler_module
from modeltop.predictions.scheduler import Scheduler
from modeltop.predictions.spec import LogSettings, LogSpec

NOON = datetime(2025, 1, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
WORKS = "import sys; print('modeltop: computed', sys.argv[2], file=sys.stderr)"
SLEEPS = "import time; time.sleep(600)"


@pytest.fixture
def schedule(tmp_path, monkeypatch):
    schedulers = []

    def build(code=WORKS, **every):
        logs = {name: LogSettings(spec=LogSpec(sources=("x",)), every=span) for name, span in every.items()}
        monkeypatch.setattr(scheduler_module, "PROGRAM", (sys.executable, "-c", code))
        schedulers.append(Scheduler(logs, store=tmp_path / "store", config=None))
        return schedulers[-1]

    yield build
    for scheduler in schedulers:
        scheduler.close()


def wait(scheduler, now):
    return scheduler.wait(now, patience=timedelta(seconds=20))


def test_a_log_is_computed_when_it_is_due_and_not_before(schedule):
    scheduler = schedule(churn=HOUR)
    assert scheduler.tick(NOON) is None
    result = wait(scheduler, NOON + timedelta(seconds=3))
    assert (result.name, result.exit_code, result.message) == ("churn", 0, "computed churn")
    assert result.duration == timedelta(seconds=3)
    assert scheduler.due(NOON + timedelta(minutes=59)) == []
    assert scheduler.due(NOON + HOUR) == ["churn"]


def test_a_restart_remembers_when_a_log_was_computed(schedule):
    scheduler = schedule(churn=HOUR)
    scheduler.tick(NOON)
    wait(scheduler, NOON)
    assert schedule(churn=HOUR).due(NOON + timedelta(minutes=30)) == []


def test_logs_are_computed_one_at_a_time_the_longest_overdue_first(schedule):
    scheduler = schedule(churn=HOUR, fraud=2 * HOUR)
    names = []
    for _ in range(2):
        scheduler.tick(NOON)
        names.append(wait(scheduler, NOON).name)
    assert sorted(names) == ["churn", "fraud"]
    assert scheduler.due(NOON + 2 * HOUR) == ["churn", "fraud"]


def test_a_run_by_hand_that_goes_on_holds_up_nothing(schedule, tmp_path):
    scheduler = schedule(churn=HOUR)
    with locked(tmp_path / "store" / RUN_LOCK_FOLDER):
        scheduler.tick(NOON)
        assert wait(scheduler, NOON).exit_code == 0
        assert scheduler.due(NOON) == []


def test_a_log_without_a_schedule_is_never_computed_by_itself(schedule):
    scheduler = schedule(churn=None)
    assert scheduler.tick(NOON) is None
    assert scheduler.due(NOON) == []


def test_a_run_that_fails_is_reported_and_tried_again_when_it_is_due(schedule):
    scheduler = schedule("import sys; sys.exit('modeltop: no such \\x1b[2J file')", churn=HOUR)
    scheduler.tick(NOON)
    result = wait(scheduler, NOON)
    assert (result.exit_code, result.message) == (1, "no such \\x1b[2J file")
    assert scheduler.due(NOON) == []


def test_a_running_process_is_not_waited_for_and_ends_with_the_scheduler(schedule):
    scheduler = schedule(SLEEPS, churn=HOUR)
    scheduler.tick(NOON)
    assert scheduler.tick(NOON + 5 * HOUR) is None
    process = scheduler._running.process
    before = time.monotonic()
    scheduler.close()
    assert process.poll() is not None
    assert time.monotonic() - before < 30


def test_a_run_that_never_ends_is_ended(schedule):
    scheduler = schedule(SLEEPS, churn=HOUR)
    scheduler.tick(NOON)
    result = scheduler.wait(NOON, patience=timedelta(seconds=0.1))
    assert result.exit_code != 0
    assert scheduler.due(NOON) == []
