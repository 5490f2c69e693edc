"""`[sources.NAME]`: what the columns of files are, where their header and rows do not say so."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modeltop.config.table import TableReader
from modeltop.core.errors import UsageError
from modeltop.history.csv.layout import Layout, Source, Sources, flag


def parse_sources(table: TableReader) -> Sources:
    """Return the sources of `[sources]`, in the order of the file.

    Args:
        table: `[sources]`; paths in it are relative to the folder of the configuration.
    """
    return Sources(tuple(source for name in table.data if (source := _source(name, table.table(name)))))


def _source(name: str, table: TableReader) -> Source | None:
    if table.data.get("path", []) == []:
        table.error("path", 'missing; name the files, such as "exports/*.csv"')
    paths, layout = table.addresses("path"), table.build(Layout)
    return None if layout is None else Source(name, paths, layout)


def parse_flags(values: Mapping[str, str | list[str]]) -> Layout:
    """Return what flags of the command line say, by the fields of `Layout`.

    Raises:
        UsageError: A value is wrong, or two flags contradict each other; one line per mistake.
    """
    if empty := [flag(name) for name, value in values.items() if not value or "" in list(value)]:
        raise UsageError(f"{empty[0]} is empty: is a variable not set?")
    table = TableReader("", values, Path())
    layout = table.build(Layout)
    if layout is None:
        mistakes = (message.partition(": ") for message in table.errors)
        raise UsageError("\n".join(f"{flag(key)}: {reason}" if key else reason for key, _, reason in mistakes))
    return layout


def with_absolute_paths(sources: object, folder: Path) -> dict[str, Any]:
    """Return `[sources]` for a configuration in another folder; nothing where there are none, or they are wrong.

    Args:
        sources: As `tomllib` gives them.
        folder: The folder of the configuration that they are from.
    """
    if not isinstance(sources, dict) or not all(isinstance(table, dict) for table in sources.values()):
        return {}
    readers = {name: TableReader(name, table, folder) for name, table in sources.items()}
    return {"sources": {name: {**table.data, "path": [*table.addresses("path")]} for name, table in readers.items()}}
