"""`[receivers.NAME]`: who can be told. The fields of a notifier are its keys."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from monitor.notify.base import Notifier, Receiver, Secret, kind_of, kinds
from monitor.routing import Pace
from monitor.settings.table import Table

_ABSENT = object()


def parse_receivers(table: Table, base: Path) -> dict[str, Receiver]:
    """The receivers by name, in the order in which they stand: the next one takes over where one is broken.

    Args:
        table: `[receivers]`.
        base: The folder from which relative paths count.
    """
    parts = {name: table.table(name) for name in table.data}
    found: dict[str, Receiver] = {}
    for name, part in parts.items():
        kind = part.choice("type", kinds(), "")
        if "type" not in part.data:
            part.mistake("type", f"missing; one of {', '.join(kinds())}")
        notifier = _notifier(part, kind_of(kind), base) if kind else None
        pace = _pace(part, list(parts), name, notifier)
        if notifier is None and not kind:
            part.forgive()  # which keys it may have depends on its type
        if notifier is not None:
            found[name] = Receiver(name, notifier, pace)
    return found


def _pace(part: Table, names: list[str], own: str, notifier: Notifier | None) -> Pace:
    usual = Pace()
    fallback = part.text("fallback")
    if fallback is not None and (fallback not in names or fallback == own):
        part.mistake("fallback", f"{fallback!r} is no other receiver; configured: {', '.join(names)}")
    never = part.data.get("repeat") == "never"
    asked = part.text("repeat") if never else part.duration("repeat")
    repeat = asked if isinstance(asked, timedelta) else None if never else usual.repeat
    return Pace(
        repeat=repeat,
        group=part.whole("group", least=0, default=usual.group),
        hourly=part.whole("hourly", least=0, default=usual.hourly),
        resolved=part.flag("resolved", default=usual.resolved),
        exempt=notifier is not None and notifier.exempt,
        acknowledges=notifier is not None and notifier.acknowledges,
        fallback=fallback,
    )


def _notifier(part: Table, kind: type[Notifier], base: Path) -> Notifier | None:
    before = len(part.mistakes)
    given: dict[str, object] = {}
    hints = get_type_hints(kind)
    parameters: tuple[Field[Any], ...] = fields(kind)  # type: ignore[arg-type]  # a notifier is a dataclass
    for parameter in parameters:
        value = _value(part, parameter.name, hints[parameter.name], base)
        if value is not _ABSENT:
            given[parameter.name] = value
        elif parameter.default is MISSING and parameter.default_factory is MISSING:
            wanted = f"{parameter.name}_env or {parameter.name}_file" if _is_secret(hints[parameter.name]) else "it"
            if len(part.mistakes) == before:
                part.mistake(parameter.name, f"missing; give {wanted}")
    if len(part.mistakes) > before:
        return None
    try:
        return kind(**given)
    except ValueError as error:
        part.mistakes.append(f"{part.name}: {error}")
        return None


def _options(hint: Any) -> list[Any]:
    union = () if get_origin(hint) in _READERS else get_args(hint)
    return list(union or (hint,))


def _is_secret(hint: Any) -> bool:
    return Secret in _options(hint)


def _value(part: Table, key: str, hint: Any, base: Path) -> object:
    """The value of a field by its type; `_ABSENT` where it is not given, or wrong (which is a mistake)."""
    if _is_secret(hint):
        return parse_secret(part, key, base) or _ABSENT
    for option in _options(hint):
        origin = get_origin(option) or option
        if origin in _READERS or (isinstance(origin, type) and issubclass(origin, Enum)):
            found = _enum(part, key, origin) if origin not in _READERS else _READERS[origin](part, key, base)
            return _ABSENT if found is None or key not in part.data else found
    raise TypeError(f"{key}: no setting is read as {hint}")


def parse_secret(part: Table, key: str, base: Path) -> Secret | None:
    """Where the secret `key` is kept: `key_env`, a variable, or `key_file`, a path that counts from `base`."""
    env, file = part.text(f"{key}_env"), part.text(f"{key}_file")
    if key in part.data:
        part.get(key, object, "nothing")
        part.mistake(key, f"a secret does not stand here; give {key}_env, the name of a variable, or {key}_file")
    elif env and file:
        part.mistake(f"{key}_file", f"either {key}_env or {key}_file, not both")
    if env:
        return Secret(env=env)
    return Secret(file=_path(file, base)) if file else None


def _path(text: str, base: Path) -> str:
    return os.path.join(base, os.path.expanduser(text))  # noqa: PTH111, PTH118  neither fails on an unknown user


def _enum(part: Table, key: str, kind: type[Enum]) -> Enum | None:
    words = [member.value for member in kind]
    word = part.choice(key, words, "")
    return kind(word) if word else None


def _mapping(part: Table, key: str, _: Path) -> Mapping[str, str] | None:
    inner = part.table(key)
    return {name: text for name in inner.data if (text := inner.text(name)) is not None}


_READERS: Mapping[Any, Any] = {
    str: lambda part, key, _: part.text(key),
    bool: lambda part, key, _: part.get(key, bool, "true or false"),
    int: lambda part, key, _: part.get(key, int, "a whole number"),
    float: lambda part, key, _: part.number(key),
    tuple: lambda part, key, _: part.texts(key),
    timedelta: lambda part, key, _: part.duration(key),
    Path: lambda part, key, base: (text := part.text(key)) and Path(_path(text, base)),
    dict: _mapping,
    Mapping: _mapping,
}
