"""One line of the journal: a JSON object that begins with a checksum of all that follows in it.

    {"crc":"8c736521","v":1,"kind":"noted","data":{...}}

The checksum is the CRC-32 of the bytes from `"v"` to the last brace. That much holds for every schema; what stands in
`data` is the schema's. A field that was added to an event without a default, or an event that changes its meaning,
is a new schema; a new kind of event is not.
"""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from monitor import events
from monitor.events import Event
from monitor.facts import Facts
from monitor.journal.codec import decoder, encode

SCHEMA = 1

KINDS: dict[str, type] = {
    "acknowledged": events.Acknowledged,
    "unacknowledged": events.Unacknowledged,
    "silenced": events.Silenced,
    "expired": events.Expired,
    "noted": events.Noted,
    "followed": events.Followed,
    "sending": events.Sending,
    "sent": events.Sent,
    "believed": events.Believed,
    "receiver-changed": events.ReceiverChanged,
    "watching": events.Watching,
}
CHECKPOINT = "facts"
"""The kind of a line that holds all facts as they were when its file began."""

_NAMES = {kind: name for name, kind in KINDS.items()}
_LINE = re.compile(rb'\{"crc":"(?P<crc>[0-9a-f]{8})",(?P<rest>"v":.*\})', re.DOTALL)


class Unread(Enum):
    """Why a line is no event of ours."""

    DAMAGED = auto()
    UNKNOWN = auto()
    """Of a kind that a later version writes."""
    BLANK = auto()


@dataclass(frozen=True, slots=True)
class Newer:
    """A line of a schema that is not known here."""

    schema: int


def line_of(event: Event) -> bytes:
    """The event as one line, ASCII throughout, with its newline."""
    return _line(_NAMES[type(event)], event)


def checkpoint_of(facts: Facts) -> bytes:
    """All facts as one line."""
    return _line(CHECKPOINT, facts)


def _line(kind: str, value: Any) -> bytes:
    text = json.dumps({"v": SCHEMA, "kind": kind, "data": encode(value)}, separators=(",", ":"), allow_nan=False)
    rest = text[1:].encode("ascii")
    return b'{"crc":"%08x",%s\n' % (zlib.crc32(rest), rest)


def parse(line: bytes) -> Event | Facts | Newer | Unread:
    r"""What a line says; whatever its bytes are, nothing is raised.

    >>> parse(b'{"crc":"00000000","v":1}'), parse(b"\n")
    (<Unread.DAMAGED: 1>, <Unread.BLANK: 3>)
    """
    stripped = line.strip()
    if not stripped:
        return Unread.BLANK
    found = _LINE.fullmatch(stripped)
    if not found or int(found["crc"], 16) != zlib.crc32(found["rest"]):
        return Unread.DAMAGED
    try:
        return _parsed(json.loads(b"{" + found["rest"]))
    except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError):
        return Unread.DAMAGED


def _parsed(record: dict[str, Any]) -> Event | Facts | Newer | Unread:
    schema, kind = record["v"], record["kind"]
    if type(schema) is not int or schema < SCHEMA:
        return Unread.DAMAGED
    if schema > SCHEMA:
        return Newer(schema)
    known = Facts if kind == CHECKPOINT else KINDS.get(kind)
    if known is None:
        return Unread.UNKNOWN
    value: Event | Facts = decoder(known)(record["data"])
    return value
