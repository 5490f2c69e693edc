"""`[sources.NAME]`: what the columns of files are, where header and rows do not show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modeltop.config.table import TableReader
from modeltop.config.write import to_toml
from modeltop.core.errors import UsageError
from modeltop.history.csv.layout import Layout, Source, Sources, flag
from modeltop.history.store.durable import write_atomically


def parse_sources(table: TableReader) -> Sources:
    """Return the sources of `[sources]`, in the order of the file."""
    return Sources(tuple(source for name in table.data if (source := _source(name, table.table(name)))))


def _source(name: str, table: TableReader) -> Source | None:
    if table.data.get("path", []) == []:
        table.error("path", 'missing; name the files, such as "exports/*.csv"')
    paths, layout = table.addresses("path"), table.build(Layout)
    return None if layout is None else Source(name, paths, layout)


def parse_flags(values: Mapping[str, str | list[str]]) -> Layout:
    """Return the flags of the command line by the fields of `Layout`; raise UsageError, a line per mistake."""
    if empty := [flag(name) for name, value in values.items() if not value or "" in list(value)]:
        raise UsageError(f"{empty[0]} is empty: is a variable not set?")
    table = TableReader("", values, Path())
    layout = table.build(Layout)
    if layout is None:
        mistakes = (message.partition(": ") for message in table.errors)
        raise UsageError("\n".join(f"{flag(key)}: {reason}" if key else reason for key, _, reason in mistakes))
    return layout


def with_absolute_paths(sources: object, folder: Path) -> dict[str, Any]:
    """Return `[sources]` for a configuration in another folder; nothing where there are none, or they are wrong."""
    if not isinstance(sources, dict) or not all(isinstance(table, dict) for table in sources.values()):
        return {}
    readers = {name: TableReader(name, table, folder) for name, table in sources.items()}
    return {"sources": {name: {**table.data, "path": [*table.addresses("path")]} for name, table in readers.items()}}


def source_lines(name: str, paths: Sequence[str], layout: Layout) -> list[str]:
    """Return the table of a source as it stands in a configuration."""
    table = {"path": paths[0] if len(paths) == 1 else list(paths), **layout.to_settings()}
    return [f"[sources.{name}]", *to_toml(table)]


def save_source(path: Path, name: str, lines: Sequence[str]) -> None:
    """Write the table of a source into a configuration, in place of one of the same name; all else stays as it is.

    Args:
        path: The file, which need not exist.
        name: Name of the source.
        lines: From `source_lines`.

    Raises:
        ConfigError: The file would be wrong with it, or is so already.
        StoreError: It cannot be written.
    """
    from modeltop.config.load import from_tables, parse_tables, read_text  # late: that module reads this one's tables

    before = read_text(path).splitlines() if path.exists() else []
    start = next((at for at, line in enumerate(before) if line.strip() == f"[sources.{name}]"), len(before))
    end = next((at for at in range(start + 1, len(before)) if before[at].lstrip().startswith("[")), len(before))
    while end > start + 1 and (not before[end - 1].strip() or before[end - 1].lstrip().startswith("#")):
        end -= 1  # they belong to the next table
    gap = [""] if start == len(before) and before and before[-1].strip() else []
    text = "\n".join([*before[:start], *gap, *lines, *before[end:]]) + "\n"
    from_tables(parse_tables(text, path), path, text)
    write_atomically(path, text.encode("utf-8"))
