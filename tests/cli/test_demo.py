"""The demo is the fleet as if it were today, and an incident within a minute."""

import random
import time
from datetime import UTC, datetime

import pytest

from modeltop.cli import demo
from modeltop.config.load import load
from modeltop.core.series import Severity
from modeltop.service.pipeline import Pipeline

NOW = datetime(2026, 3, 1, 14, 30, tzinfo=UTC)


@pytest.fixture
def stage(tmp_path):
    demo.set_up(tmp_path, NOW)
    return tmp_path


def look(stage, now=NOW):
    return Pipeline(load(stage / "modeltop.toml"), [stage]).run(now)


def severities(snapshot):
    return {verdict.model: verdict.severity for verdict in snapshot.model_statuses}


def test_the_fleet_ends_today_with_the_same_alerts(stage):
    snapshot = look(stage)
    assert snapshot.history.problems == ()
    assert snapshot.history.periods["triage"][-1].astype("datetime64[D]").item() == NOW.date()
    by_model = severities(snapshot)
    assert by_model["triage"] is by_model["fraud-detector"] is Severity.CRITICAL
    assert by_model["search"] is Severity.UNKNOWN
    assert by_model["churn"] is Severity.CRITICAL
    assert by_model["spam-filter"] is by_model[demo.LIVE_MODEL] is Severity.OK


def test_an_incident_unfolds_within_a_minute(stage):
    noise, seen = random.Random(3), []
    for row in range(30):
        now = NOW + demo.STEP * (row + 1)
        with demo.live_file(stage).open("a") as file:
            file.write(demo.live_row(now, demo.incident_progress(row), noise))
        seen.append(severities(look(stage, now))[demo.LIVE_MODEL])
    assert seen[0] is Severity.OK
    assert seen[-1] is Severity.CRITICAL
    assert seen == sorted(seen)
    assert demo.STEP.total_seconds() * len(seen) <= 60


def test_the_feed_appends_complete_rows_until_it_is_left(stage, monkeypatch):
    monkeypatch.setattr(demo, "STEP", demo.STEP / 100)
    before = demo.live_file(stage).read_text()
    with demo.live_feed(stage):
        end = time.monotonic() + 10
        while demo.live_file(stage).read_text() == before and time.monotonic() < end:
            time.sleep(0.02)
    after = demo.live_file(stage).read_text()
    assert after.startswith(before)
    assert after.count("\n") > before.count("\n")
    assert all(row.count(",") == demo.HEADER.count(",") for row in after.splitlines())


def test_without_a_terminal_the_demo_prints_its_summary_and_leaves_nothing_behind(run, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    outcome = run("demo")
    assert outcome.code == 0
    assert "triage" in outcome.lines[0]
    assert not list(tmp_path.glob("modeltop-demo-*"))
