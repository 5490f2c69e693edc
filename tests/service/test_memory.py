"""What people did is seen with the next look, and only then costs anything."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from modeltop.config.load import Config
from modeltop.core.event import Acknowledged, SilenceCreated
from modeltop.core.incident import Acknowledgement, Matchers, Silence, WatcherHealth
from modeltop.service.pipeline import Pipeline, StateReader, state_reader_for

NOW = datetime(2025, 1, 11, tzinfo=UTC)
ROWS = "date,model,accuracy,f1_score\n" + "".join(f"2025-01-{day:02},churn,0.95,0.9\n" for day in range(1, 9))


@pytest.fixture
def look(tmp_path: Path):
    data = tmp_path / "metrics.csv"
    data.write_text(ROWS + "2025-01-09,churn,0.85,0.9\n2025-01-10,churn,0.85,0.7\n")
    memory = StateReader(tmp_path / "state", health=lambda _: WatcherHealth(NOW, NOW, 1, "host", 60.0))
    return Pipeline(Config(), [data], state_reader=memory), memory


def taken(episode) -> Acknowledged:
    ack = Acknowledgement(
        episode.id, episode.rule, episode.key, episode.severity, "eva", "mine", NOW, NOW + timedelta(1), episode.since
    )
    return Acknowledged(NOW, ack)


def test_who_took_an_alert_is_seen_and_what_nobody_took_comes_first(look):
    observer, memory = look
    first, second = observer.run(NOW).alerts
    assert (first.key.metric, second.key.metric) == ("f1_score", "accuracy")
    memory.event_log.append(taken(first))
    assert observer.needs_run()
    after = observer.run(NOW)
    assert [one.key.metric for one in after.alerts] == ["accuracy", "f1_score"]
    assert after.acknowledgements[first.id].by == "eva"
    assert "accuracy" in after.model_statuses[0].sentence
    assert not observer.needs_run()


def test_a_silence_is_seen_until_it_ends(look):
    observer, memory = look
    end = NOW + timedelta(hours=1)
    silence = Silence("51", Matchers(metric="acc*"), NOW, end, "eva", "a release", NOW)
    observer.run(NOW)
    memory.event_log.append(SilenceCreated(NOW, silence))
    suppressed = {one.key.metric: one.id in observer.run(NOW).suppressions for one in observer.run(NOW).alerts}
    assert suppressed == {"accuracy": True, "f1_score": False}
    assert observer.run(end).suppressions == {}


def test_without_a_folder_nothing_is_read_and_the_reason_is_known(monkeypatch, tmp_path):
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError))
    memory = state_reader_for(None, [tmp_path])
    assert memory.event_log is None
    assert "XDG_STATE_HOME" in memory.error
    assert (memory.watcher_health(), memory.has_changed(), memory.file_stats()) == (None, False, {})


def test_health_is_asked_for_only_where_something_is_remembered(look):
    observer, memory = look
    assert observer.run(NOW).watcher_health is None
    memory.event_log.append(taken(observer.run(NOW).alerts[0]))
    assert observer.run(NOW).watcher_health.host == "host"
    assert any(name.endswith(".jsonl") for name in observer.file_stats())
