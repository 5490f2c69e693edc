"""Events that cannot be written yet are part of the state, and written in order once they can be."""

from datetime import UTC, datetime, timedelta

import pytest

from modeltop.alerting.event_log.event_log import EventLog
from modeltop.core.errors import StoreError
from modeltop.core.event import NoteAdded
from modeltop.core.incident import Note
from modeltop.service.event_buffer import BufferedEventLog

NOW = datetime(2025, 3, 1, tzinfo=UTC)


def note_event(number):
    return NoteAdded(NOW + timedelta(seconds=number), Note("m", str(number), "ann", NOW))


def note_texts(state):
    return [note.text for note in state.notes]


class FlakyEventLog:
    """An event log whose disk is full from time to time."""

    def __init__(self, folder):
        self.event_log, self.is_full = EventLog(folder), False

    def state(self):
        return self.event_log.state()

    def append(self, *events, timeout):
        if self.is_full:
            raise StoreError("full")
        self.event_log.append(*events, timeout=timeout)


@pytest.fixture
def event_log(tmp_path):
    return FlakyEventLog(tmp_path)


def test_buffered_events_are_part_of_the_state_and_saved_in_order_later(event_log):
    buffer = BufferedEventLog(event_log)
    buffer.append(note_event(0))
    event_log.is_full = True
    for number in (1, 2):
        buffer.append(note_event(number))
    assert (note_texts(buffer.state()), buffer.error) == (["0", "1", "2"], "full")
    assert note_texts(event_log.state()) == ["0"]
    event_log.is_full = False
    buffer.append(note_event(3))
    assert (note_texts(event_log.state()), buffer.error) == (["0", "1", "2", "3"], None)


def test_events_of_other_processes_are_part_of_the_state(event_log, tmp_path):
    buffer = BufferedEventLog(event_log)
    event_log.is_full = True
    buffer.append(note_event(1))
    EventLog(tmp_path).append(note_event(2))
    assert sorted(note_texts(buffer.state())) == ["1", "2"]
    event_log.is_full = False
    assert buffer.save()
    assert sorted(note_texts(EventLog(tmp_path).state())) == ["1", "2"]
