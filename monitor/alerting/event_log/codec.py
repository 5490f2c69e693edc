"""Values of the journal as JSON and back: a closed set of types, each checked on the way in; nothing else is built."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
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
"""Between two halves that JSON would join to one character."""


def encode(value: Any) -> Any:
    """The value as plain JSON: times in ISO 8601, enumerations by name, dataclasses by field, mappings as pairs.

    Raises:
        TypeError: It is of a type that has no place in the journal.
        ValueError: It is a naive datetime.
    """
    if value is None or type(value) in (bool, int):
        return value
    if isinstance(value, str):
        return _PAIR.split(value) if _PAIR.search(value) else value
    if isinstance(value, datetime):
        return _iso(value)
    if isinstance(value, Enum):
        return value.name.lower() if isinstance(value, Severity) else value.value
    return _encode_many(value)


def _encode_many(value: Any) -> Any:
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    if isinstance(value, Mapping):
        return [[encode(key), encode(item)] for key, item in value.items()]
    if is_dataclass(value):
        return {field.name: encode(getattr(value, field.name)) for field in fields(value)}
    raise TypeError(f"a {type(value).__name__} has no place in the journal")


def _iso(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError("a naive datetime has no place in the journal: give its zone")
    return moment.astimezone(UTC).isoformat()


@cache
def decoder(kind: Any) -> Decoder:
    """What makes a value of this type from JSON; it raises ValueError, KeyError or TypeError where it cannot.

    A field that is missing takes its default; one that is not known is passed over.

    Args:
        kind: An annotation: a dataclass, an enumeration, a scalar, or a tuple, mapping or union with None of those.
    """
    if kind in _SCALARS:
        return _SCALARS[kind]
    origin, inner = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return _optional(decoder(next(part for part in inner if part is not NoneType)))
    if origin is tuple:
        return _tuple(decoder(inner[0]))
    if origin is Mapping:
        return _mapping(decoder(inner[0]), decoder(inner[1]))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    return _dataclass(kind)


def _optional(inner: Decoder) -> Decoder:
    return lambda found: None if found is None else inner(found)


def _tuple(inner: Decoder) -> Decoder:
    return lambda found: tuple([inner(item) for item in _expect(list, found)])


def _mapping(key: Decoder, value: Decoder) -> Decoder:
    return lambda found: MappingProxyType({key(one): value(other) for one, other in _expect(list, found)})


def _dataclass(kind: Any) -> Decoder:
    hints = get_type_hints(kind)
    reads = [(field.name, decoder(hints[field.name]), _has_default(field)) for field in fields(kind)]

    def build(found: Any) -> Any:
        given = _expect(dict, found)
        return kind(**{name: read(given[name]) for name, read, spare in reads if not spare or name in given})

    return build


def _has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def _expect(kind: type, found: Any) -> Any:
    # Exactly: to Python True is an int.
    if type(found) is not kind:
        raise TypeError(f"expected {kind.__name__}, found {type(found).__name__}")
    return found


def _text(found: Any) -> str:
    pieces: list[str] = found if type(found) is list else [found]
    return "".join(_expect(str, piece) for piece in pieces)


def _moment(found: Any) -> datetime:
    moment = datetime.fromisoformat(_expect(str, found))
    if moment.utcoffset() != UTC.utcoffset(None):
        raise ValueError("a time of the journal is in UTC")
    return moment.replace(tzinfo=UTC)


_SCALARS: dict[Any, Decoder] = {
    str: _text,
    int: lambda found: _expect(int, found),
    bool: lambda found: _expect(bool, found),
    datetime: _moment,
    Severity: lambda found: Severity[_expect(str, found).upper()],
}


SCHEMA = 1

EVENT_TYPES: dict[str, type] = {
    "acknowledged": events.Acknowledged,
    "unacknowledged": events.Unacknowledged,
    "silenced": events.SilenceCreated,
    "expired": events.SilenceExpired,
    "noted": events.NoteAdded,
    "followed": events.IncidentChanged,
    "sending": events.SendStarted,
    "sent": events.SendFinished,
    "believed": events.NotificationSkipped,
    "receiver-changed": events.ReceiverChanged,
    "watching": events.LeaderChanged,
}
CHECKPOINT = "facts"
"""The kind of a line that holds all facts as they were when its file began."""

_NAMES = {kind: name for name, kind in EVENT_TYPES.items()}
_LINE = re.compile(rb'\{"crc":"(?P<crc>[0-9a-f]{8})",(?P<rest>"v":.*\})', re.DOTALL)


class UnreadableLine(Enum):
    """Why a line is no event of ours."""

    DAMAGED = auto()
    UNKNOWN = auto()
    """Of a kind that a later version writes."""
    BLANK = auto()


@dataclass(frozen=True, slots=True)
class NewerSchema:
    """A line of a schema that is not known here."""

    schema: int


def encode_event(event: Event) -> bytes:
    """The event as one line, ASCII throughout, with its newline."""
    return _line(_NAMES[type(event)], event)


def encode_checkpoint(facts: AlertingState) -> bytes:
    """All facts as one line."""
    return _line(CHECKPOINT, facts)


def _line(kind: str, value: Any) -> bytes:
    text = json.dumps({"v": SCHEMA, "kind": kind, "data": encode(value)}, separators=(",", ":"), allow_nan=False)
    rest = text[1:].encode("ascii")
    return b'{"crc":"%08x",%s\n' % (zlib.crc32(rest), rest)


def parse_line(line: bytes) -> Event | AlertingState | NewerSchema | UnreadableLine:
    r"""What a line says; whatever its bytes are, nothing is raised.

    >>> parse_line(b'{"crc":"00000000","v":1}'), parse_line(b"\n")
    (<Unread.DAMAGED: 1>, <Unread.BLANK: 3>)
    """
    stripped = line.strip()
    if not stripped:
        return UnreadableLine.BLANK
    found = _LINE.fullmatch(stripped)
    if not found or int(found["crc"], 16) != zlib.crc32(found["rest"]):
        return UnreadableLine.DAMAGED
    try:
        return _parsed(json.loads(b"{" + found["rest"]))
    except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError):
        return UnreadableLine.DAMAGED


def _parsed(record: dict[str, Any]) -> Event | AlertingState | NewerSchema | UnreadableLine:
    schema, kind = record["v"], record["kind"]
    if type(schema) is not int or schema < SCHEMA:
        return UnreadableLine.DAMAGED
    if schema > SCHEMA:
        return NewerSchema(schema)
    known = AlertingState if kind == CHECKPOINT else EVENT_TYPES.get(kind)
    if known is None:
        return UnreadableLine.UNKNOWN
    value: Event | AlertingState = decoder(known)(record["data"])
    return value
