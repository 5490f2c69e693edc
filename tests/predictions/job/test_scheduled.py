"""Configured logs are computed when they are due, one at a time, by processes that end when the watcher does."""

import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from modeltop.predictions.scheduler import Scheduler
from modeltop.predictions.spec import LogSettings, LogSpec

NOON = datetime(2025, 1, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SAYS = "import sys; print('modeltop: computed', sys.argv[2], file=sys.stderr)"
SLEEPS = "import time; time.sleep(600)"


@pytest.fixture
def schedule(tmp_path):
    made = []

    def build(code=SAYS, **every):
        logs = {name: LogSettings(spec=LogSpec(sources=("x",)), every=span) for name, span in every.items()}
        program = (sys.executable, "-c", code)
        made.append(Scheduler(logs, store=tmp_path / "store", config=None, program=program))
        return made[-1]

    yield build
    for one in made:
        one.close()


def finished(one, now):
    return one.check_unknown_keys(now, patience=timedelta(seconds=20))


def test_a_log_is_computed_when_it_is_due_and_not_before(schedule):
    one = schedule(churn=HOUR)
    assert one.tick(NOON) is None
    done = finished(one, NOON + timedelta(seconds=3))
    assert (done.name, done.code, done.message) == ("churn", 0, "computed churn")
    assert done.consume_key == timedelta(seconds=3)
    assert one.due(NOON + timedelta(minutes=59)) == []
    assert one.due(NOON + HOUR) == ["churn"]


def test_a_restart_does_not_forget_when_it_was_computed(schedule):
    one = schedule(churn=HOUR)
    one.tick(NOON)
    finished(one, NOON)
    assert schedule(churn=HOUR).due(NOON + timedelta(minutes=30)) == []


def test_one_is_computed_at_a_time_the_longest_overdue_first(schedule):
    one = schedule(churn=HOUR, fraud=2 * HOUR)
    names = []
    for _ in range(2):
        one.tick(NOON)
        names.append(finished(one, NOON).name)
    assert sorted(names) == ["churn", "fraud"]
    assert one.due(NOON + 2 * HOUR) == ["churn", "fraud"]


def test_a_log_without_a_schedule_is_never_computed_by_itself(schedule):
    one = schedule(churn=None)
    assert one.empty
    assert one.tick(NOON) is None
    assert one.due(NOON) == []


def test_a_run_that_fails_is_told_and_tried_again_when_it_is_due(schedule):
    one = schedule("import sys; sys.exit('modeltop: no such \\x1b[2J file')", churn=HOUR)
    one.tick(NOON)
    done = finished(one, NOON)
    assert (done.code, done.message) == (1, "no such \\x1b[2J file")
    assert one.due(NOON) == []


def test_what_is_being_computed_is_not_waited_for_and_ends_with_the_schedule(schedule):
    one = schedule(SLEEPS, churn=HOUR)
    one.tick(NOON)
    assert one.tick(NOON + 5 * HOUR) is None
    process = one._running.process
    before = time.monotonic()
    one.close()
    assert process.poll() is not None
    assert time.monotonic() - before < 30


def test_a_run_that_never_ends_is_ended(schedule):
    one = schedule(SLEEPS, churn=HOUR)
    one.tick(NOON)
    done = one.check_unknown_keys(NOON, patience=timedelta(seconds=0.1))
    assert done.code != 0
    assert one.due(NOON) == []
