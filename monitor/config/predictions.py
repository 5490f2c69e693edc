"""`[logs.NAME]`: prediction logs that `compute` turns into history, by hand or on the watcher's schedule."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from modeltop.config.table import TableReader
from modeltop.core.text import format_exact
from modeltop.predictions.spec import ALL_FEATURES, LogSettings, LogSpec

COST_KEYS = ("fp", "fn")
_SPEC_FIELDS = [field.name for field in fields(LogSpec) if field.name != "positive"]
_SPEC_KEYS = {"sources": "source", "scores": "score", "every": "spacing"}


def parse_logs(table: TableReader, timezone: str) -> dict[str, LogSettings]:
    """Return the logs of `[logs]` by name.

    Args:
        table: `[logs]`; paths in it are relative to the folder of the configuration.
        timezone: Name of the zone of a log that names none.
    """
    return {name: _log(name, table.table(name), timezone) for name in table.data}


def _log(name: str, table: TableReader, timezone: str) -> LogSettings:
    if table.data.get("source", []) == []:
        table.error("source", "missing; a log needs a file, a folder, a glob or FILE.duckdb::TABLE")
    spec = {"sources": (), "timezone": timezone, **table.read(LogSpec, *_SPEC_FIELDS, keys=_SPEC_KEYS)}
    spec["sources"] = tuple(_resolve(table, source) for source in spec["sources"])
    spec["features"] = tuple(ALL_FEATURES if name == "all" else name for name in spec.get("features", ()))
    if "labels" in spec:
        spec["labels"] = _resolve(table, spec["labels"])
    settings = table.read(LogSettings, "engine", "label_delay", "per_class", "since", "every")
    positive = table.get("positive", (str, int, float, bool), "a value of the label")
    positive = None if positive is None else str(positive).lower() if isinstance(positive, bool) else str(positive)
    return LogSettings(spec=LogSpec(**spec, positive=positive), name=name, cost=_cost(table), **settings)


def _cost(table: TableReader) -> dict[str, float]:
    inner = table.table("cost")
    prices = {key: price for key in COST_KEYS if (price := inner.number(key)) is not None}
    for key, price in prices.items():
        if price < 0:
            inner.error(key, f"{format_exact(price)} is negative; an error costs 0 or more")
    return prices


def _resolve(table: TableReader, source: str) -> str:
    return source if "://" in source else str(Path(table.resolve(source)))
