"""The watcher has its logs computed, says when one fails, and waits for them only in a run from cron."""

import io
import sys
from datetime import UTC, datetime, timedelta

import pytest

from modeltop.config.load import Config
from modeltop.predictions import scheduler
from modeltop.predictions.spec import LogSettings, LogSpec
from modeltop.service.compute_jobs import ComputeJobs
from modeltop.service.log import DaemonLog as Says

NOON = datetime(2025, 1, 10, 12, tzinfo=UTC)
FAILS = "import sys; sys.exit('modeltop: no such file')"
WORKS = "import sys; sys.exit(print('modeltop: 3 periods', file=sys.stderr))"


@pytest.fixture
def watcher(tmp_path, monkeypatch):
    """What computes, its log, and what it says is wrong."""
    err, troubles = io.StringIO(), {}

    def build(code):
        monkeypatch.setattr(scheduler, "PROGRAM", (sys.executable, "-c", code))
        return ComputeJobs(tmp_path / "store", Says(err), troubles.__setitem__), err, troubles

    return build


@pytest.fixture
def config():
    return Config(logs={"churn": LogSettings(name="churn", spec=LogSpec(sources=("x",)), every=timedelta(hours=1))})


def test_a_log_that_fails_is_a_trouble_until_it_is_computed(watcher, config):
    computing, err, troubles = watcher(FAILS)
    computing.one_shot(config, NOON)
    assert troubles == {"log churn": "log churn was not computed: no such file"}
    computing, err, troubles = watcher(WORKS)
    computing.one_shot(config, NOON + timedelta(hours=2))
    assert troubles == {"log churn": None}
    assert "log churn: 3 periods" in err.getvalue()


def test_a_run_from_cron_computes_only_what_is_due(watcher, config):
    computing, err, _ = watcher(WORKS)
    for _ in range(2):
        computing.one_shot(config, NOON)
    assert err.getvalue().count("3 periods") == 1


def test_the_service_does_not_wait(watcher, config):
    computing, _, troubles = watcher("import time; time.sleep(600)")
    computing.tick(config, NOON)
    computing.tick(config, NOON)
    assert troubles == {}
    process = computing._schedule._running.process
    computing.end()
    assert process.poll() is not None


def test_a_new_configuration_holds_once_the_run_has_ended(watcher, config):
    computing, err, _ = watcher(WORKS)
    computing.one_shot(config, NOON)
    computing.one_shot(Config(), NOON + timedelta(days=1))
    assert computing._schedule is None
    assert err.getvalue().count("3 periods") == 1
