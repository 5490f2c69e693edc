"""`watch --accept-clock` asks for nothing where nothing is wrong, and names both clocks where something is."""

from datetime import UTC, datetime, timedelta

import pytest

from modeltop.alerting.event_log.event_log import EventLog
from modeltop.alerting.event_log.location import state_folder
from modeltop.cli.main import main
from modeltop.core.event import LeaderChanged


@pytest.fixture
def store(tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "m.csv").write_text("date,accuracy\n2025-01-01,0.9\n")
    return tmp_path / "store"


def test_a_clock_that_agrees_with_the_event_log_needs_nothing(store, capsys):
    assert main(["watch", "--accept-clock", "--store", str(store)]) == 2
    assert "the clock agrees with the event log: nothing to accept" in capsys.readouterr().err


def test_a_clock_behind_the_event_log_is_named_and_accepted_at_the_next_start(store, capsys):
    log = EventLog(state_folder(store, []))
    log.append(LeaderChanged(datetime.now(UTC) + timedelta(days=400), 1, "host", is_leader=True))
    assert main(["watch", "--accept-clock", "--store", str(store)]) == 0
    said = capsys.readouterr().out
    for moment in (datetime.now(UTC), datetime.now(UTC) + timedelta(days=400)):
        assert f"{moment.day} {moment:%b %Y}" in said
    assert "from its next start on" in said
    assert log.state().clock_accept_requested
