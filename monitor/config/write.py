"""Settings as TOML text, which `tomllib` reads back as the same values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from modeltop.core.errors import ConfigError
from modeltop.core.text import format_exact, sanitize

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {"\\": "\\\\", '"': '\\"'}


def to_toml(data: Mapping[str, object], name: str = "") -> Iterator[str]:
    """Yield the lines of a table: its values, then the tables within, each under its header.

    Args:
        data: The table, by key.
        name: Its dotted name; empty for the file itself.

    Raises:
        ConfigError: A string is not Unicode, as TOML strings are.
    """
    for key, value in data.items():
        if not _is_tables(value):
            yield f"{_key(key)} = {value_to_toml(value)}"
    for key, value in data.items():
        inner = f"{name}.{_key(key)}" if name else _key(key)
        for item in value if isinstance(value, list) and _is_tables(value) else ():
            yield from ("", f"[[{inner}]]", *to_toml(item, inner))
        if isinstance(value, Mapping):
            yield from ("", f"[{inner}]", *to_toml(value, inner))


def _is_tables(value: object) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, Mapping) for item in value)
    return isinstance(value, Mapping)


def value_to_toml(value: object) -> str:
    """Return a value in one line.

    >>> value_to_toml({"below": 0.9}), value_to_toml(["a", True]), value_to_toml(30)
    ('{ below = 0.9 }', '["a", true]', '30')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return format_exact(value)
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_key(key)} = {value_to_toml(item)}' for key, item in value.items())} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(value_to_toml, value))}]"
    return _string(value) if isinstance(value, str) else str(value)


def _key(text: str) -> str:
    return text if _BARE_KEY.fullmatch(text) else _string(text)


def _string(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ConfigError(f"{sanitize(text, 80)} is not Unicode: a configuration cannot name it") from None
    # Unprintable characters are escaped, so that the file shows all of its content.
    chars = (_ESCAPES.get(char) or (char if char.isprintable() else f"\\U{ord(char):08X}") for char in text)
    return f'"{"".join(chars)}"'
