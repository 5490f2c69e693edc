"""A line says what was meant, is plain ASCII, and is never believed when a byte of it is wrong."""

import json
from datetime import datetime, timedelta, timezone
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.alerting.event_log.codec import (
    EVENT_TYPES,
    SCHEMA,
    OtherSchema,
    UnreadableLine,
    encode_checkpoint,
    encode_event,
    parse_line,
)
from modeltop.core.event import Event, NoteAdded
from modeltop.core.incident import AlertingState


def test_every_event_has_a_kind():
    assert set(EVENT_TYPES.values()) == set(get_args(Event))


@given(data=st.data())
def test_every_event_is_read_as_it_was_written(any_event, data):
    event = data.draw(any_event)
    line = encode_event(event)
    assert parse_line(line) == event
    assert (line.count(b"\n"), line[-1:]) == (1, b"\n")
    assert line[:-1].decode("ascii").isprintable()
    assert json.loads(line)["v"] == SCHEMA


@given(data=st.data())
def test_a_checkpoint_is_read_as_it_was_written(any_facts, data):
    state = data.draw(any_facts)
    assert parse_line(encode_checkpoint(state)) == state


@given(data=st.data())
def test_a_line_with_one_wrong_byte_is_not_believed(any_event, data):
    line = encode_event(data.draw(any_event))
    at = data.draw(st.integers(0, len(line) - 2))
    wrong = line[:at] + bytes([line[at] ^ data.draw(st.integers(1, 255))]) + line[at + 1 :]
    assert parse_line(wrong) is UnreadableLine.DAMAGED


@given(st.binary(max_size=200))
def test_no_bytes_raise(line):
    assert parse_line(line) in (UnreadableLine.DAMAGED, UnreadableLine.BLANK)


AT = "2025-01-10T12:00:00+00:00"
DATA = {"at": AT, "note": {"model": "m", "text": "t", "by": "ann", "at": AT}}
RECORD = {"v": SCHEMA, "kind": "noted", "data": DATA}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"v": SCHEMA + 1}, OtherSchema(SCHEMA + 1), id="a newer schema"),
        pytest.param({"v": SCHEMA + 1, "kind": "poem"}, OtherSchema(SCHEMA + 1), id="a newer schema of another kind"),
        pytest.param({"v": 1, "data": {}}, OtherSchema(1), id="an older schema, whatever its fields are"),
        pytest.param({"kind": "poem"}, UnreadableLine.UNKNOWN, id="another kind"),
        pytest.param({"v": 0}, UnreadableLine.DAMAGED, id="a schema that never was"),
        pytest.param({"v": True}, UnreadableLine.DAMAGED, id="no schema"),
        pytest.param({"kind": ["noted"]}, UnreadableLine.DAMAGED, id="no kind"),
        pytest.param({"data": {}}, UnreadableLine.DAMAGED, id="without its fields"),
        pytest.param({"data": [1]}, UnreadableLine.DAMAGED, id="no fields at all"),
        pytest.param({"data": DATA | {"at": "2025-01-10T12:00:00"}}, UnreadableLine.DAMAGED, id="a naive time"),
        pytest.param({"data": DATA | {"at": 5}}, UnreadableLine.DAMAGED, id="a time that is a number"),
        pytest.param({"data": DATA | {"note": "x"}}, UnreadableLine.DAMAGED, id="text where an object stands"),
    ],
)
def test_a_complete_line_of_another_version_is_no_damaged_one(signed, changes, expected):
    assert parse_line(signed(RECORD | changes)) == expected


def test_a_field_that_a_later_version_added_is_passed_over(signed):
    assert isinstance(parse_line(signed(RECORD | {"data": DATA | {"mood": "calm"}})), NoteAdded)
    assert parse_line(signed(RECORD)) == parse_line(signed(RECORD | {"mood": "calm"}))


def test_a_time_is_kept_in_utc_to_the_microsecond(noted):
    at = datetime(2025, 1, 10, 14, 3, 27, 123456, tzinfo=timezone(timedelta(hours=2)))
    (event,) = [parse_line(encode_event(NoteAdded(at, noted().note)))]
    assert event.at.isoformat() == "2025-01-10T12:03:27.123456+00:00"


@pytest.mark.parametrize("at", [datetime(2025, 1, 10), {"2025-01-10"}, 5.5], ids=str)  # noqa: DTZ001
def test_what_is_no_moment_is_refused_when_it_is_written(noted, at):
    with pytest.raises((ValueError, TypeError)):
        encode_event(NoteAdded(at, noted().note))


def test_an_empty_state_has_a_checkpoint():
    assert parse_line(encode_checkpoint(AlertingState())) == AlertingState()
