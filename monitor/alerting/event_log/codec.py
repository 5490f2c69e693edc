"""Lines of the event log: events as JSON behind a checksum, and back.

Reading builds a closed set of types and checks each value; whatever the bytes are, nothing is raised.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from modeltop.core import event as events
from modeltop.core.event import Event
from modeltop.core.incident import AlertingState
from modeltop.core.series import Severity

Decoder = Callable[[Any], Any]

_PAIR = re.compile("(?<=[\ud800-\udbff])(?=[\udc00-\udfff])")
"""Boundary between two surrogates that JSON would join to one character."""


def encode(value: Any) -> Any:
    """Return a value as plain JSON: times in ISO 8601, enumerations by name, records by field, mappings as pairs.

    Raises:
        TypeError: The event log has no values of its type.
        ValueError: It is a naive datetime.
    """
    if value is None or type(value) in (bool, int):
        return value
    if isinstance(value, str):
        return _PAIR.split(value) if _PAIR.search(value) else value
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a naive datetime has no place in the journal: give its zone")
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Enum):
        return value.name.lower() if isinstance(value, Severity) else value.value
    return _encode_container(value)


def _encode_container(value: Any) -> Any:
    if hasattr(value, "_asdict"):
        return {name: encode(item) for name, item in value._asdict().items()}
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    if isinstance(value, Mapping):
        return [[encode(key), encode(item)] for key, item in value.items()]
    if is_dataclass(value):
        return {field.name: encode(getattr(value, field.name)) for field in fields(value)}
    raise TypeError(f"a {type(value).__name__} has no place in the journal")


@cache
def decoder(annotation: Any) -> Decoder:
    """Return a function that builds a value from JSON; it raises ValueError, KeyError or TypeError.

    Types are dataclasses, named tuples, enumerations, scalars, and tuples, mappings and unions with None of those. A
    missing field gets its default; an unknown field is ignored.
    """
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is UnionType:
        decode = decoder(next(arg for arg in args if arg is not NoneType))
        return lambda value: None if value is None else decode(value)
    if origin is tuple:
        decode = decoder(args[0])
        return lambda value: tuple([decode(item) for item in _expect(list, value)])
    if origin is Mapping:
        decode_key, decode_item = decoder(args[0]), decoder(args[1])
        return lambda value: MappingProxyType(
            {decode_key(key): decode_item(item) for key, item in _expect(list, value)}
        )
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return annotation
    return _record(annotation)


def _record(cls: Any) -> Decoder:
    hints = get_type_hints(cls)
    if is_dataclass(cls):
        names = [field.name for field in fields(cls)]
        required = {f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING}
    else:
        names, required = cls._fields, set(cls._fields) - set(cls._field_defaults)
    decoders = {name: decoder(hints[name]) for name in names}

    def build(value: Any) -> Any:
        record = _expect(dict, value)
        given = [name for name in decoders if name in record or name in required]
        return cls(**{name: decoders[name](record[name]) for name in given})

    return build


def _expect(expected: type, value: Any) -> Any:
    # Not isinstance, because to Python True is an int.
    if type(value) is not expected:
        raise TypeError(f"expected {expected.__name__}, got {type(value).__name__}")
    return value


def _decode_text(value: Any) -> str:
    chunks: list[str] = value if type(value) is list else [value]
    return "".join(_expect(str, chunk) for chunk in chunks)


def _decode_moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(_expect(str, value))
    if moment.utcoffset() != UTC.utcoffset(None):
        raise ValueError("a time of the journal is in UTC")
    return moment.replace(tzinfo=UTC)


_SCALARS: dict[Any, Decoder] = {
    str: _decode_text,
    int: lambda value: _expect(int, value),
    bool: lambda value: _expect(bool, value),
    datetime: _decode_moment,
    Severity: lambda value: Severity[_expect(str, value).upper()],
}


SCHEMA = 3
"""Version of the lines, incremented when a field changes its name or meaning. 2: an incident was one alert."""

EVENT_TYPES: dict[str, type] = {
    "acknowledged": events.Acknowledged,
    "unacknowledged": events.Unacknowledged,
    "silenced": events.SilenceCreated,
    "expired": events.SilenceExpired,
    "noted": events.NoteAdded,
    "baseline-restarted": events.BaselineRestarted,
    "followed": events.IncidentChanged,
    "sending": events.SendStarted,
    "sent": events.SendFinished,
    "believed": events.NotificationSkipped,
    "receiver-changed": events.ReceiverChanged,
    "watching": events.LeaderChanged,
    "receiver-tested": events.ReceiverTested,
    "clock-accept-requested": events.ClockAcceptRequested,
    "clock-accepted": events.ClockAccepted,
}
CHECKPOINT = "facts"
"""The `kind` of a line that holds all of the state as it was when its file was started."""

_KINDS = {event_type: kind for kind, event_type in EVENT_TYPES.items()}
_LINE = re.compile(rb'\{"crc":"(?P<crc>[0-9a-f]{8})",(?P<rest>"v":.*\})', re.DOTALL)


class UnreadableLine(Enum):
    """Why a line is no event."""

    DAMAGED = auto()
    UNKNOWN = auto()
    """Of a kind that a later version writes."""
    BLANK = auto()


@dataclass(frozen=True, slots=True)
class OtherSchema:
    """Raised for a line of another schema version."""

    schema: int
    """From 1; never `SCHEMA`."""


def encode_event(event: Event) -> bytes:
    """Return an event as one line, ASCII throughout, with its newline."""
    return _encode_line(_KINDS[type(event)], event)


def encode_checkpoint(state: AlertingState) -> bytes:
    """Return all of the state as one line."""
    return _encode_line(CHECKPOINT, state)


def _encode_line(kind: str, value: Any) -> bytes:
    text = json.dumps({"v": SCHEMA, "kind": kind, "data": encode(value)}, separators=(",", ":"), allow_nan=False)
    rest = text[1:].encode("ascii")
    return b'{"crc":"%08x",%s\n' % (zlib.crc32(rest), rest)


def parse_line(line: bytes) -> Event | AlertingState | OtherSchema | UnreadableLine:
    r"""Return the content of a line; never raises, whatever its bytes are.

    >>> parse_line(b'{"crc":"00000000","v":1}'), parse_line(b"\n")
    (<UnreadableLine.DAMAGED: 1>, <UnreadableLine.BLANK: 3>)
    """
    stripped = line.strip()
    if not stripped:
        return UnreadableLine.BLANK
    match = _LINE.fullmatch(stripped)
    if not match or int(match["crc"], 16) != zlib.crc32(match["rest"]):
        return UnreadableLine.DAMAGED
    try:
        return _decode_record(json.loads(b"{" + match["rest"]))
    except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError):
        return UnreadableLine.DAMAGED


def _decode_record(record: dict[str, Any]) -> Event | AlertingState | OtherSchema | UnreadableLine:
    schema, kind = record["v"], record["kind"]
    if type(schema) is not int or schema < 1:
        return UnreadableLine.DAMAGED
    if schema != SCHEMA:
        return OtherSchema(schema)
    event_type = AlertingState if kind == CHECKPOINT else EVENT_TYPES.get(kind)
    if event_type is None:
        return UnreadableLine.UNKNOWN
    value: Event | AlertingState = decoder(event_type)(record["data"])
    return value
