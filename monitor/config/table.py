"""Reading a table of settings with every mistake collected."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from difflib import get_close_matches
from typing import Any

_KINDS = {
    bool: "true or false",
    str: "a string",
    int: "a number",
    float: "a number",
    list: "an array",
    dict: "a table",
}
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class TableReader:
    """One table of the file: typed reads by key, and every mistake with its dotted key.

    A key that nobody asked for is a mistake, said by `finish` with the nearest of those that were.
    """

    def __init__(self, name: str, data: Mapping[str, Any], errors: list[str] | None = None) -> None:
        self.name = name
        self.data = data
        self.errors: list[str] = [] if errors is None else errors
        self._asked: list[str] = []
        self._parts: list[TableReader] = []

    def error(self, key: str, message: str) -> None:
        """Remember that the value of `key` is wrong."""
        self.errors.append(f"{self._dotted(key)}: {message}")

    def get(self, key: str, kinds: type | tuple[type, ...], expected: str) -> Any:
        """The value of `key`, None where it is absent or of another type (which is a mistake)."""
        self._asked.append(key)
        value = self.data.get(key)
        if value is None:
            return None
        wanted = kinds if isinstance(kinds, tuple) else (kinds,)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in wanted):
            self.error(key, f"{_kind(value)} where {expected} is expected")
            return None
        return value

    def text(self, key: str) -> str | None:
        """A string."""
        value: str | None = self.get(key, str, "a string")
        return value

    def number(self, key: str) -> float | None:
        """A finite number."""
        value = self.get(key, (int, float), "a number")
        if value is not None and not math.isfinite(value):
            self.error(key, f"{value} is not a finite number")
            return None
        return None if value is None else float(value)

    def integer(self, key: str, *, minimum: int, default: int) -> int:
        """A whole number from `minimum` up."""
        value = self.get(key, int, "a whole number")
        if value is not None and value < minimum:
            self.error(key, f"{value} is too small; the least is {minimum}")
            return default
        return default if value is None else int(value)

    def choice(self, key: str, allowed: Sequence[str], default: str) -> str:
        """One of the allowed words."""
        value = self.text(key)
        if value is None or value in allowed:
            return value or default
        self.error(key, f"{value!r} is none of {', '.join(allowed)}{_nearest(value, allowed)}")
        return default

    def duration(self, key: str) -> timedelta | None:
        """A positive length of time such as `90m`, `36h`, `2d`, `1w`."""
        value = self.text(key)
        if value is None:
            return None
        found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)\s*([smhdw])", value.strip())
        if found is None or float(found[1]) == 0:
            self.error(key, f"{value!r} is no length of time; write a number and s, m, h, d or w, such as 36h")
            return None
        return timedelta(seconds=float(found[1]) * UNITS[found[2]])

    def strings(self, key: str) -> tuple[str, ...] | None:
        """An array of strings; one string stands for an array of one."""
        value = self.get(key, (list, str), "an array of strings")
        if value is None:
            return None
        items = [value] if isinstance(value, str) else value
        if not all(isinstance(item, str) and item for item in items):
            self.error(key, "an array of strings, none of them empty, is expected")
            return None
        return tuple(items)

    def boolean(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self.get(key, bool, "true or false")
        return default if value is None else bool(value)

    def table(self, key: str) -> TableReader:
        """A table within; empty where it is absent."""
        data = self.get(key, dict, "a table") or {}
        return self._part(TableReader(self._dotted(key), data, self.errors))

    def tables(self, key: str) -> list[TableReader]:
        """An array of tables."""
        data = self.get(key, list, f"an array of tables, [[{key}]],") or []
        parts = []
        for number, item in enumerate(data, 1):
            name = f"{self._dotted(key)}[{number}]"
            if isinstance(item, dict):
                parts.append(self._part(TableReader(name, item, self.errors)))
            else:
                self.errors.append(f"{name}: {_kind(item)} where a table is expected")
        return parts

    def allow_unknown(self) -> None:
        """Take every key of this table for known."""
        self._asked += self.data

    def check_unknown_keys(self) -> None:
        """Say which keys of this table and of those within nobody asked for."""
        for key in self.data:
            if key not in self._asked:
                self.error(key, f"unknown key{_nearest(key, self._asked)}")
        for part in self._parts:
            part.check_unknown_keys()

    def _part(self, part: TableReader) -> TableReader:
        self._parts.append(part)
        return part

    def _dotted(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name else key


def _nearest(word: str, allowed: Sequence[str]) -> str:
    found = get_close_matches(word, allowed, n=1, cutoff=0.5)
    return f"; did you mean {found[0]}?" if found else f"; known here: {', '.join(sorted(set(allowed)))}"


def _kind(value: object) -> str:
    names = {
        bool: "true or false",
        str: "a string",
        int: "a number",
        float: "a number",
        list: "an array",
        dict: "a table",
    }
    return names.get(type(value), "a date or time")
