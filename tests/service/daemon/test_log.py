"""The log of the daemon: sanitized, one line an entry, and no reason to stop."""

import io
import json
from datetime import UTC, datetime

import pytest

from modeltop.service.log import DaemonLog

NOW = datetime(2025, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("as_json", [False, True])
def test_foreign_text_in_the_log_is_sanitized_and_stays_one_line(as_json):
    stream = io.StringIO()
    DaemonLog(stream, as_json=as_json, clock=lambda: NOW).warning("x", "m\x1b[2J\nBcc: \u202e", model="a\x07b\r\nc")
    [line] = stream.getvalue().splitlines()
    assert not set(line) & set("\x1b\x07\r\u202e")
    assert "2025-03-01T00:00:00Z" in line
    if as_json:
        output = json.loads(line)
        assert (output["level"], output["event"], output["model"]) == ("warning", "x", "a\\x07b\\r\\nc")


def test_a_closed_stream_and_a_narrow_encoding_raise_nothing():
    closed = io.StringIO()
    closed.close()
    DaemonLog(closed).info("x", "y")
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    DaemonLog(narrow, clock=lambda: NOW).error("x", "宽")
    assert narrow.buffer.getvalue().endswith(b"\\u5bbd\n")
