"""The reader of one table of settings, driven by the fields of dataclasses; every mistake is collected."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from difflib import get_close_matches
from enum import Enum
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from modeltop.alerting.notifiers.base import SecretRef
from modeltop.alerting.routing import SecretSource
from modeltop.core.text import DURATION_HINT, parse_duration

T = TypeVar("T")

_TYPE_NAMES = {
    bool: "true or false",
    str: "a string",
    int: "a number",
    float: "a number",
    list: "an array",
    dict: "a table",
}
MAX_UNKNOWN = 20
"""Unknown keys of a table that are each reported, with the nearest name."""

MAX_INTEGER = 10**15
"""Integers from which arithmetic overflows; TOML's own limit of 64 bits is ignored by the parser."""


class TableReader:
    """One table of the file: typed reads by key, and every mistake with its dotted key.

    Each read returns None where the key is absent, or where its value is wrong, which is a mistake. A key that was
    never read is a mistake as well, reported by `check_unknown_keys` with the nearest of those that were. It has a
    method for each type of value that a file can hold, which is why it has so many.

    Args:
        name: Dotted name of the table; empty for the file itself.
        data: As `tomllib` gives it.
        base: Folder from which relative paths count.
        errors: Where mistakes are collected, in the order in which they are met.
    """

    def __init__(self, name: str, data: Mapping[str, Any], base: Path, errors: list[str] | None = None) -> None:
        self.name = name
        self.data = data
        self.base = base
        self.errors: list[str] = [] if errors is None else errors
        self._read_keys: list[str] = []
        self._children: list[TableReader] = []

    def error(self, key: str, message: str) -> None:
        """Note that the value of `key` is wrong."""
        self.errors.append(f"{self._dotted(key)}: {message}")

    def build(self, kind: type[T], *, minimum: int | None = None) -> T | None:
        """Return an instance of a dataclass whose fields are keys of this table.

        Args:
            kind: The dataclass; a ValueError of its constructor is a mistake of this table.
            minimum: Smallest value of its integers.

        Returns:
            None, with every mistake noted, where a value is wrong or a field without default is missing.
        """
        error_count = len(self.errors)
        values = self.read(kind, minimum=minimum)
        absent = [field for field in fields(kind) if field.name not in values]  # type: ignore[arg-type]
        if len(self.errors) > error_count or any(self.data.get(field.name, "") != "" for field in absent):
            return None
        for field in absent:
            if field.default is MISSING and field.default_factory is MISSING:
                is_secret = SecretRef in _alternatives(_type_hints(kind)[field.name])
                self.error(
                    field.name, f"missing; give {f'{field.name}_env or {field.name}_file' if is_secret else 'it'}"
                )
        if len(self.errors) > error_count:
            return None
        try:
            return kind(**values)
        except ValueError as error:
            self.errors.append(f"{self.name}: {error}")
            return None

    def read(
        self, kind: type[Any], *names: str, keys: Mapping[str, str] | None = None, minimum: int | None = None
    ) -> dict[str, Any]:
        """Return the values of fields of a dataclass, each read by the field's type.

        Args:
            kind: The dataclass.
            names: The fields to read; all where none is named.
            keys: Key by field, where it is not the field's name.
            minimum: Smallest value of the integers among them.

        Returns:
            By field; what is absent, empty text or wrong is left out.
        """
        hints = _type_hints(kind)
        values = {
            name: self._value((keys or {}).get(name, name), hints[name], minimum)
            for name in names or [field.name for field in fields(kind)]
        }
        return {name: value for name, value in values.items() if value is not None and value != ""}

    def _value(self, key: str, hint: Any, minimum: int | None) -> Any:
        for alternative in _alternatives(hint):
            kind = get_origin(alternative) or alternative
            if kind is int:
                return self.integer(key, minimum=minimum)
            if kind in _READERS:
                return _READERS[kind](self, key)
            if isinstance(kind, type) and is_dataclass(kind):
                return self._nested(key, kind)
            if isinstance(kind, type) and issubclass(kind, Enum):
                word = self.choice(key, [member.value for member in kind])
                return None if word is None else kind(word)
        raise TypeError(f"{key}: no setting is read as {hint}")

    def _nested(self, key: str, kind: type[Any]) -> Any:
        inner = self.table(key)
        if self.data.get(key) == {}:
            self.error(key, f"empty; give one of {', '.join(field.name for field in fields(kind))}")
        if any(field.name in inner.data for field in fields(kind)):
            return inner.build(kind)
        inner.read(kind)  # nothing but unknown keys, whose nearest valid ones are to be named
        return None

    def get(self, key: str, kinds: type[T] | tuple[type[T], ...], expected: str) -> T | None:
        """Return the value of `key`, unchanged.

        Args:
            key: A key of this table.
            kinds: The types that it may have; `bool` is none of the integers.
            expected: What a value of another type should have been, for the message.
        """
        self._read_keys.append(key)
        value: T | None = self.data.get(key)
        if value is None:
            return None
        allowed = kinds if isinstance(kinds, tuple) else (kinds,)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in allowed):
            self.error(key, f"{_type_name(value)} where {expected} is expected")
            return None
        if isinstance(value, int) and abs(value) >= MAX_INTEGER:
            self.error(key, "a number of more than 15 digits; write a smaller one, or with an exponent")
            return None
        if isinstance(value, str) and "\0" in value:
            self.error(key, "there is a NUL in it")
            return None
        return value

    def text(self, key: str) -> str | None:
        """Return a string, which may be empty."""
        return self.get(key, str, "a string")

    def boolean(self, key: str) -> bool | None:
        """Return a boolean, `true` or `false` in TOML."""
        return self.get(key, bool, "true or false")

    def number(self, key: str) -> float | None:
        """Return a number that is neither infinite nor NaN."""
        value = self.get(key, (int, float), "a number")
        if value is not None and not math.isfinite(value):
            self.error(key, f"{value} is not a finite number")
            return None
        return None if value is None else float(value)

    def integer(self, key: str, *, minimum: int | None = None) -> int | None:
        """Return a whole number, `minimum` or more."""
        value = self.get(key, int, "a whole number")
        if value is not None and minimum is not None and value < minimum:
            self.error(key, f"{value} is too small; the least is {minimum}")
            return None
        return value

    def choice(self, key: str, allowed: Sequence[str]) -> str | None:
        """Return one of the allowed words."""
        value = self.text(key)
        if value is None or value in allowed:
            return value
        self.error(key, f"{value!r} is not one of {', '.join(allowed)}{_nearest(value, allowed)}")
        return None

    def strings(self, key: str) -> tuple[str, ...] | None:
        """Return an array of strings; one string represents an array of one."""
        value: Any = self.get(key, (list, str), "a string or an array of strings")
        if value is None:
            return None
        items = [value] if isinstance(value, str) else value
        if not all(isinstance(item, str) and item and "\0" not in item for item in items):
            self.error(key, "an array of strings is expected, none of them empty or with a NUL")
            return None
        return tuple(items)

    def duration(self, key: str) -> timedelta | None:
        """Return a positive length of time such as `36h`."""
        text = self.text(key)
        duration = None if text is None else parse_duration(text)
        if text is not None and duration is None:
            self.error(key, f"invalid duration {text!r}; {DURATION_HINT}")
        return duration

    def moment(self, key: str) -> datetime | None:
        """Return a date or a moment, which is in UTC where it names no zone."""
        value: Any = self.get(key, (date, str), "a date such as 2025-01-31")
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                self.error(key, f"{value!r} is not a date; write one such as 2025-01-31")
                return None
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day, tzinfo=UTC)
        moment: datetime | None = value
        try:
            return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC) if moment is not None else None
        except OverflowError:
            self.error(key, f"{value} is outside of the years 1 to 9999")
            return None

    def time_of_day(self, key: str) -> time | None:
        """Return a time of day, TOML's own or text such as `09:00`; `24:00` is midnight."""
        value: Any = self.get(key, (time, str), "a time of day such as 09:00")
        if value is None or isinstance(value, time):
            return value
        match = re.fullmatch(r"(\d{1,2}):(\d{2})", value)
        hour, minute = (int(match[1]), int(match[2])) if match else (24, 60)
        if minute > 59 or hour * 60 + minute > 24 * 60:
            self.error(key, f"{value!r} is not a time of day; write one such as 09:00")
            return None
        return time(hour % 24, minute)

    def zone(self, key: str) -> tzinfo | None:
        """Return a time zone of the IANA database by its name."""
        name = self.text(key)
        if name is None:
            return None
        if name == "UTC":
            return UTC
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.error(key, f"{name!r} is not a time zone; use a name such as Europe/Berlin")
            return None

    def path(self, key: str) -> Path | None:
        """Return a path, relative to the folder of the configuration."""
        text = self.text(key)
        if text and (len(os.fsencode(text)) > 4000 or max(map(len, os.fsencode(text).split(b"/"))) > 255):
            self.error(key, "a path longer than file systems allow; write a shorter one")
            return None
        return Path(self.resolve(text)) if text else None

    def resolve(self, text: str) -> str:
        """Return the text of a path with `~` expanded, relative to the folder of the configuration."""
        return os.path.join(self.base, os.path.expanduser(text))  # noqa: PTH111, PTH118  neither fails on an unknown user

    def addresses(self, key: str) -> tuple[str, ...]:
        """Return paths or globs, absolute; addresses such as `mlflow:...` as they are."""
        texts = self.strings(key) or ()
        is_address = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:").match
        return tuple(text if is_address(text) else os.path.abspath(self.resolve(text)) for text in texts)  # noqa: PTH100  a Path knows no globs

    def secret(self, key: str) -> SecretRef | None:
        """Return where a secret is stored: `KEY_env` names a variable, or `KEY_file` a path."""
        env, file = self.text(f"{key}_env"), self.text(f"{key}_file")
        if key in self.data:
            self.allow(key)
            self.error(key, f"do not write a secret here; give {key}_env, the name of a variable, or {key}_file")
        elif env and file:
            self.error(f"{key}_file", f"either {key}_env or {key}_file, not both")
        if env:
            return SecretRef(env=env)
        return SecretRef(file=self.resolve(file)) if file else None

    def table(self, key: str) -> TableReader:
        """Return a table within; an empty one where it is absent."""
        data = self.get(key, dict, "a table") or {}
        return self._child(self._dotted(key), data)

    def tables(self, key: str) -> list[TableReader]:
        """Return an array of tables; empty where it is absent."""
        data = self.get(key, list, f"an array of tables, [[{key}]],") or []
        tables = []
        for number, item in enumerate(data, 1):
            name = f"{self._dotted(key)}[{number}]"
            if isinstance(item, dict):
                tables.append(self._child(name, item))
            else:
                self.errors.append(f"{name}: {_type_name(item)} where a table is expected")
        return tables

    def allow(self, *keys: str) -> None:
        """Take keys for valid ones without reading them."""
        self._read_keys += keys

    def check_unknown_keys(self) -> None:
        """Note the keys of this table, and of those within, that were never read."""
        read_keys = set(self._read_keys)
        unknown = [key for key in self.data if key not in read_keys]
        for key in unknown[:MAX_UNKNOWN]:
            self.error(key, f"unknown key{_nearest(key, self._read_keys)}")
        if len(unknown) > MAX_UNKNOWN:
            self.errors.append(f"{self.name or 'top level'}: {len(unknown) - MAX_UNKNOWN:,} more unknown keys")
        for child in self._children:
            child.check_unknown_keys()

    def _child(self, name: str, data: Mapping[str, Any]) -> TableReader:
        child = TableReader(name, data, self.base, self.errors)
        self._children.append(child)
        return child

    def _dotted(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name else key


_READERS: Mapping[Any, Callable[[TableReader, str], Any]] = {
    str: TableReader.text,
    bool: TableReader.boolean,
    float: TableReader.number,
    tuple: TableReader.strings,
    timedelta: TableReader.duration,
    datetime: TableReader.moment,
    time: TableReader.time_of_day,
    tzinfo: TableReader.zone,
    Path: TableReader.path,
    SecretRef: TableReader.secret,
    SecretSource: TableReader.secret,
}
"""The method that reads a field, by its type; integers, words of an `Enum` and dataclasses within beside these."""


_type_hints: Callable[[Any], dict[str, Any]] = cache(get_type_hints)


def _alternatives(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _nearest(word: str, allowed: Sequence[str]) -> str:
    matches = get_close_matches(word, allowed, n=1, cutoff=0.5)
    return f"; did you mean {matches[0]}?" if matches else f"; known here: {', '.join(sorted(set(allowed)))}"


def _type_name(value: object) -> str:
    other = "a date or time" if isinstance(value, date | time) else f"`{type(value).__name__}`"  # of Python's own
    return _TYPE_NAMES.get(type(value), other)
