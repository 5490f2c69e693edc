"""Acknowledgements and silences in the event log take effect in the next snapshot."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from modeltop.config.load import Config
from modeltop.core.event import Acknowledged, SilenceCreated
from modeltop.core.incident import Acknowledgement, Matchers, Silence, WatcherHealth
from modeltop.core.series import Condition, Severity
from modeltop.service.pipeline import Pipeline, StateReader, state_reader_for

NOW = datetime(2025, 1, 11, tzinfo=UTC)
ROWS = "date,model,accuracy,f1_score\n" + "".join(f"2025-01-{day:02},churn,0.95,0.9\n" for day in range(1, 9))


@pytest.fixture
def pipeline_and_reader(tmp_path: Path):
    data = tmp_path / "metrics.csv"
    data.write_text(ROWS + "2025-01-09,churn,0.85,0.9\n2025-01-10,churn,0.85,0.7\n")
    state_reader = StateReader(tmp_path / "state", health=lambda _: WatcherHealth(NOW, NOW, 1, "host", 60.0))
    return Pipeline(Config(), [data], state_reader=state_reader), state_reader


def acknowledged(snapshot) -> Acknowledged:
    incident = snapshot.incident_of("churn")
    ack = Acknowledgement(incident.id, "churn", Severity.CRITICAL, "eva", "mine", NOW, NOW + timedelta(1), NOW, NOW)
    return Acknowledged(NOW, ack)


def test_an_acknowledgement_is_of_all_alerts_of_the_model(pipeline_and_reader):
    pipeline, state_reader = pipeline_and_reader
    before = pipeline.run(NOW)
    state_reader.event_log.append(acknowledged(before))
    assert pipeline.needs_run()
    after = pipeline.run(NOW)
    assert {ack.by for ack in after.acknowledgements.values()} == {"eva"}
    assert after.acknowledgements.keys() == {alert.id for alert in before.alerts if alert.is_active}
    assert not pipeline.needs_run()


def test_a_silence_suppresses_until_it_ends(pipeline_and_reader):
    pipeline, state_reader = pipeline_and_reader
    end = NOW + timedelta(hours=1)
    silence = Silence("51", Matchers(metric="acc*"), NOW, end, "eva", "a release", NOW)
    pipeline.run(NOW)
    state_reader.event_log.append(SilenceCreated(NOW, silence))
    suppressed = {alert.key.metric: alert.id in pipeline.run(NOW).suppressions for alert in pipeline.run(NOW).alerts}
    assert suppressed == {"accuracy": True, "f1_score": False}
    assert pipeline.run(end).suppressions == {}


def test_without_a_folder_nothing_is_read_and_the_error_is_given(monkeypatch, tmp_path):
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError))
    state_reader = state_reader_for(None, [tmp_path])
    assert state_reader.event_log is None
    assert "XDG_STATE_HOME" in state_reader.error
    assert (state_reader.watcher_health(), state_reader.has_changed(), state_reader.file_stats()) == (None, False, {})


def test_health_is_read_only_where_a_state_folder_exists(pipeline_and_reader):
    pipeline, state_reader = pipeline_and_reader
    assert pipeline.run(NOW).watcher_health is None
    state_reader.event_log.append(acknowledged(pipeline.run(NOW)))
    assert pipeline.run(NOW).watcher_health.host == "host"
    assert any(name.endswith(".jsonl") for name in pipeline.file_stats())


@pytest.mark.parametrize(
    ("days_ahead", "offset_days", "stopped", "doubted"),
    [
        pytest.param(400, 400, False, True, id="the machine's clock is off by as much as the watcher found"),
        pytest.param(-3650, -3650, False, True, id="behind too"),
        pytest.param(0, 400, False, False, id="this clock is right: another machine's, or set by now"),
        pytest.param(400, None, False, False, id="the watcher does not doubt its clock: it is late"),
        pytest.param(800, 400, False, False, id="the watcher has not run for long"),
        pytest.param(400, 400, True, False, id="the watcher was stopped"),
    ],
)
def test_by_a_clock_that_the_watcher_found_wrong_nothing_is_missing(
    tmp_path, days_ahead, offset_days, stopped, doubted
):
    (tmp_path / "metrics.csv").write_text(ROWS)
    (tmp_path / "state").mkdir()
    offset = None if offset_days is None else timedelta(days=offset_days).total_seconds()
    health = WatcherHealth(NOW, NOW, 1, "host", 60.0, clock_offset_seconds=offset, stopped=stopped)
    state_reader = StateReader(tmp_path / "state", health=lambda _: health)
    pipeline = Pipeline(Config(), [tmp_path / "metrics.csv"], live=True, state_reader=state_reader)
    snapshot = pipeline.run(NOW + timedelta(days=days_ahead))
    assert (snapshot.clock_doubt is not None) == doubted
    assert any(alert.condition is Condition.NO_DATA for alert in snapshot.alerts) == (not doubted)
    assert snapshot.severity >= Severity.UNKNOWN
