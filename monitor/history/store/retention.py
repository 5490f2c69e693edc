"""Retention: which files of a store hold nothing but old periods. Files are deleted, rows of a file never.

A file that others append to is not replaced, so a part goes once all of its periods are old, and the newest part of a
model only with the model. `close_part` lets a model go on in a new part, so that the old one can go later.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import to_datetime
from modeltop.history.reader import Reader
from modeltop.history.store import durable
from modeltop.history.store.distributions import DISTRIBUTIONS_FOLDER
from modeltop.history.store.paths import parse_part_name, part_name
from modeltop.history.store.row_format import HEADER_LIMIT, encode_csv_line, parse_header

_OF_MODEL = re.compile(r"(?P<prefix>[a-z0-9-]+-[0-9a-f]{8})(?:\.\d{1,9})?(?:\.computed)?\.csv(?:\.previous)?")


class StoredFile(NamedTuple):
    """One file of a model."""

    path: Path
    size: int
    """In bytes."""
    models: tuple[str, ...]
    """Names of its rows; none if it has no rows, or holds distributions."""
    oldest: datetime | None
    newest: datetime | None
    """Starts of its first and last period; None without any."""


class Retention(NamedTuple):
    """What a store can lose, and why the rest stays."""

    removable: tuple[StoredFile, ...]
    """Parts that hold only old periods, and all files of models without a newer one."""
    growing: tuple[StoredFile, ...]
    """Newest parts of models that are still recorded, with old periods in them."""
    unreadable: tuple[Path, ...]
    """Files of which not all can be read: nothing of their models is removable."""


def find_removable(folder: Path, before: datetime) -> Retention:
    """Return what a store holds of periods that start before a moment, aware.

    Raises:
        StoreError: The folder cannot be read.
    """
    files: dict[str, list[StoredFile]] = defaultdict(list)
    unreadable: dict[str, list[Path]] = defaultdict(list)
    for path in _files_of_models(folder):
        match = _OF_MODEL.fullmatch(path.name)
        assert match is not None, "only such files are listed"
        has_rows = path.parent == folder and not path.name.endswith(".previous")
        stored = _describe(path) if has_rows else StoredFile(path, path.stat().st_size, (), None, None)
        if stored is None:
            unreadable[match["prefix"]].append(path)
        else:
            files[match["prefix"]].append(stored)
    removable: list[StoredFile] = []
    growing: list[StoredFile] = []
    for prefix, group in files.items():
        if prefix in unreadable:
            continue
        dated = [file for file in group if file.newest is not None and file.oldest is not None]
        if dated and all(file.newest < before for file in dated if file.newest):
            removable += group
            continue
        newest_part = max((part_number(file.path) for file in group), default=0)
        parts = [file for file in dated if part_number(file.path)]
        removable += [
            file
            for file in parts
            if file.newest is not None and file.newest < before and part_number(file.path) < newest_part
        ]
        growing += [
            file
            for file in parts
            if file.oldest is not None and file.oldest < before and part_number(file.path) == newest_part
        ]
    return Retention(tuple(removable), tuple(growing), tuple(path for paths in unreadable.values() for path in paths))


def part_number(path: Path) -> int:
    """Return the number of a part, counted from 1; 0 for a file that is none."""
    part = parse_part_name(path.name)
    return 0 if part is None else part[1]


def remove(files: Iterable[StoredFile]) -> list[StoredFile]:
    """Delete the files that are as long as they were when they were found, and return these; the lock must be held.

    Raises:
        StoreError: One cannot be deleted; those before it are.
    """
    removed = []
    for file in files:
        with durable.as_store_error(file.path):
            if file.path.stat().st_size == file.size:
                file.path.unlink()
                removed.append(file)
    return removed


def close_part(path: Path) -> Path | None:
    """Let later rows of a model go to a new part with the same columns; the lock of the store must be held.

    Returns:
        The new part; None if this one is no longer the newest, or its header is not the store's own.

    Raises:
        StoreError: It cannot be written.
    """
    part = parse_part_name(path.name)
    if part is None:
        return None
    successor = path.with_name(part_name(part[0], part[1] + 1))
    with durable.as_store_error(successor):
        columns = parse_header(durable.read_head(path, HEADER_LIMIT))
        if columns is None or successor.exists():
            return None
        durable.create(successor, encode_csv_line(columns))
    return successor


def _files_of_models(folder: Path) -> Iterator[Path]:
    for parent in (folder, folder / DISTRIBUTIONS_FOLDER):
        if parent == folder or parent.is_dir():
            with durable.as_store_error(parent):
                names = sorted(path.name for path in parent.iterdir())
            yield from (parent / name for name in names if _OF_MODEL.fullmatch(name))


def _describe(path: Path) -> StoredFile | None:
    """Return what a file holds; None if not all of it can be read."""
    history = Reader([str(path)], catalog=MetricRegistry()).read()
    if any(problem.fatal or problem.line is not None for problem in history.problems):
        return None
    times = [times for times in history.periods.values() if len(times)]
    oldest = min((to_datetime(each[0]) for each in times), default=None)
    return StoredFile(path, path.stat().st_size, tuple(history.periods), oldest, history.newest)
