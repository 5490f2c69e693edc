"""`[logs.NAME]`: prediction logs that `compute` turns into history, by hand or on the watcher's schedule."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from modeltop.config.table import UNITS, TableReader
from modeltop.core.text import format_exact
from modeltop.predictions.spec import ALL_FEATURES, LogSettings, LogSpec, Task

COST_KEYS = ("fp", "fn")
"""What `cost` may put a price on: false positives and false negatives."""
LENGTH = "write a number and s, m, h, d or w, such as 7d"


def parse_logs(table: TableReader, base: Path, timezone: str = "UTC") -> dict[str, LogSettings]:
    """`[logs.NAME]`, by name.

    Args:
        table: `[logs]`.
        base: The folder of the configuration: paths are relative to it.
        timezone: Holds for a log that names none.
    """
    return {name: _settings(name, table.table(name), base, timezone) for name in table.data}


def _settings(name: str, part: TableReader, base: Path, timezone: str) -> LogSettings:
    sources = strings(part, "source")
    if not sources:
        part.error("source", "missing; a log needs a file, a folder, a glob or FILE.duckdb::TABLE")
    task = part.choice("task", tuple(task.value for task in Task), "")
    labels = part.text("labels")
    log = LogSpec(
        sources=tuple(_from(base, source) for source in sources),
        model=part.text("model"),
        timestamp=part.text("timestamp"),
        prediction=part.text("prediction"),
        label=part.text("label"),
        scores=strings(part, "score"),
        id=part.text("id"),
        labels=None if labels is None else _from(base, labels),
        segments=strings(part, "segments"),
        features=tuple(ALL_FEATURES if name == "all" else name for name in strings(part, "features")),
        task=Task(task) if task else None,
        positive=_value(part, "positive"),
        threshold=part.number("threshold"),
        period=part.text("period") or "D",
        timezone=part.text("timezone") or timezone,
        reference=part.text("reference"),
        start=part.text("start"),
        every=part.text("spacing"),
    )
    return LogSettings(
        spec=log,
        name=name,
        engine=part.text("engine") or "duckdb",
        cost=_cost(part),
        label_delay=part.duration("label_delay"),
        per_class=bool(part.get("per_class", bool, "true or false")),
        since=part.duration("since"),
        every=part.duration("every"),
    )


def strings(part: TableReader, key: str) -> tuple[str, ...]:
    """One string, or an array of them."""
    found = part.get(key, (str, list), "a string or an array of strings")
    items = [found] if isinstance(found, str) else found or []
    if not all(isinstance(item, str) for item in items):
        part.error(key, "an array of strings is expected")
        return ()
    return tuple(items)


def _value(part: TableReader, key: str) -> str | None:
    """A value as it stands in a log, which may be a number or true there."""
    value = part.get(key, (str, int, float, bool), "a value of the label")
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


def _cost(part: TableReader) -> dict[str, float]:
    inner = part.table("cost")
    found = {key: price for key in COST_KEYS if (price := inner.number(key)) is not None}
    for key, price in found.items():
        if price < 0:
            inner.error(key, f"{format_exact(price)} is negative; an error costs 0 or more")
    return found


def _from(base: Path, source: str) -> str:
    """A path relative to the configuration's folder; a connection string as it is."""
    return source if "://" in source else str(base / Path(source).expanduser())


def duration(text: str) -> timedelta | None:
    """A length of time as a person writes it; None where it is none, or 0.

    >>> duration("7d"), duration("soon")
    (datetime.timedelta(days=7), None)
    """
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)\s*([smhdw])", text.strip())
    if found is None or float(found[1]) == 0:
        return None
    return timedelta(seconds=float(found[1]) * UNITS[found[2]])
