"""Values of the journal as JSON and back: a closed set of types, each checked on the way in; nothing else is built."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from monitor.records import Severity

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
