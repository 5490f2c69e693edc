"""The watcher has its logs computed, reports the ones that fail, and waits for them only in a run from cron."""

import io
import sys
from datetime import UTC, datetime, timedelta

import pytest

from modeltop.config.load import Config
from modeltop.predictions import scheduler
from modeltop.predictions.spec import LogSettings, LogSpec
from modeltop.service.compute_jobs import ComputeJobs
from modeltop.service.log import DaemonLog

NOON = datetime(2025, 1, 10, 12, tzinfo=UTC)
FAILS = "import sys; sys.exit('modeltop: no such file')"
WORKS = "import sys; sys.exit(print('modeltop: 3 periods', file=sys.stderr))"


@pytest.fixture
def make_jobs(tmp_path, monkeypatch):
    """Make the jobs; return them with their log and their errors."""
    err, errors = io.StringIO(), {}

    def build(code):
        monkeypatch.setattr(scheduler, "PROGRAM", (sys.executable, "-c", code))
        return ComputeJobs(tmp_path / "store", DaemonLog(err), errors.__setitem__), err, errors

    return build


@pytest.fixture
def config():
    return Config(logs={"churn": LogSettings(name="churn", spec=LogSpec(sources=("x",)), every=timedelta(hours=1))})


def test_a_log_that_fails_is_an_error_until_it_is_computed(make_jobs, config):
    jobs, err, errors = make_jobs(FAILS)
    jobs.run_due(config, NOON)
    assert errors == {"log churn": "log churn was not computed: no such file"}
    jobs, err, errors = make_jobs(WORKS)
    jobs.run_due(config, NOON + timedelta(hours=2))
    assert errors == {"log churn": None}
    assert "log churn: 3 periods" in err.getvalue()


def test_a_run_that_finds_nothing_due_still_reports_that_the_last_one_failed(make_jobs, config):
    make_jobs(FAILS)[0].run_due(config, NOON)
    jobs, err, errors = make_jobs(WORKS)
    errors.clear()
    jobs.run_due(config, NOON + timedelta(minutes=5))
    assert errors == {"log churn": "log churn was not computed: no such file"}
    assert err.getvalue() == ""


def test_a_run_from_cron_computes_only_what_is_due(make_jobs, config):
    jobs, err, _ = make_jobs(WORKS)
    for _ in range(2):
        jobs.run_due(config, NOON)
    assert err.getvalue().count("3 periods") == 1


def test_the_service_does_not_wait(make_jobs, config):
    jobs, _, errors = make_jobs("import time; time.sleep(600)")
    jobs.tick(config, NOON)
    jobs.tick(config, NOON)
    assert errors == {}
    process = jobs._scheduler._running.process
    jobs.stop()
    assert process.poll() is not None


def test_a_new_configuration_holds_once_the_run_has_ended(make_jobs, config):
    jobs, err, _ = make_jobs(WORKS)
    jobs.run_due(config, NOON)
    jobs.run_due(Config(), NOON + timedelta(days=1))
    assert jobs._scheduler is None
    assert err.getvalue().count("3 periods") == 1
