"""The store: which rows go to which file.

A later row wins over an earlier one, and all of a later part is later than all of an earlier part. So rows are
only ever appended to the newest part of a model. Where its columns do not hold them, the next part begins, with those
columns and the new ones: it holds whatever came before, so a part begins only when a metric is new.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from modeltop.history.store import durable
from modeltop.history.store.lock import locked
from modeltop.history.store.paths import family, part_name, part_of
from modeltop.history.store.row_format import HEADER_LIMIT, Record, check, columns_for, columns_of, encode, header


@dataclass(frozen=True, slots=True)
class _Step:
    """One write to come: lines for a part that is there, or a new part."""

    path: Path
    lines: tuple[bytes, ...]
    new: bool


@dataclass(frozen=True, slots=True)
class _Done:
    """One write that has happened, and the lengths it led from (None: no file) and to."""

    path: Path
    before: int | None
    after: int


class Store:
    """A folder of CSV files, one family of parts a model.

    It holds no file open: the folder may be deleted, moved and made anew between two calls.

    Args:
        folder: Made at the first append: private, or shared where the folder above is (setgid and group-writable).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._marks: dict[Path, durable.Mark] = {}

    def append(self, records: Iterable[Record]) -> None:
        """Keep the records, all or none; on return they are on the disk.

        Raises:
            StoreError: Nothing was kept: a record is impossible, or the folder, the lock or the disk cannot be had.
        """
        families: dict[str, list[Record]] = {}
        for record in records:
            check(record)
            families.setdefault(family(record.model), []).append(record)
        if not families:
            return
        with locked(self.folder):
            newest = self._newest()
            steps = [self._plan(name, newest.get(name, 0), rows) for name, rows in families.items()]
            self._carry_out(steps)

    def _newest(self) -> dict[str, int]:
        try:
            with os.scandir(self.folder) as entries:
                parts = [part for entry in entries if (part := part_of(entry.name))]
        except OSError as error:
            raise durable.failed(self.folder, error) from error
        # Sorted by number, the greatest stays.
        return dict(sorted(parts, key=lambda part: part[1]))

    def _plan(self, name: str, number: int, records: Sequence[Record]) -> _Step:
        existing = self._columns(self.folder / part_name(name, number)) if number else None
        columns = columns_for(records, existing)
        new = columns != existing
        path = self.folder / part_name(name, number + new)
        lines = tuple(encode(record, columns) for record in records)
        return _Step(path, (header(columns), *lines) if new else lines, new)

    @staticmethod
    def _columns(path: Path) -> tuple[str, ...] | None:
        try:
            return columns_of(durable.beginning(path, HEADER_LIMIT))
        except OSError as error:
            raise durable.failed(path, error) from error

    def _carry_out(self, steps: Iterable[_Step]) -> None:
        done: list[_Done] = []
        try:
            for step in steps:
                done.append(self._write(step))  # noqa: PERF401  what is done must be known when the next one fails
        except BaseException:
            for write in reversed(done):
                with contextlib.suppress(OSError):
                    durable.undo(write.path, write.before, write.after)
            raise

    def _write(self, step: _Step) -> _Done:
        try:
            if step.new:
                data = b"".join(step.lines)
                durable.create(step.path, data)
                mark = durable.Mark(len(data), step.lines[-1])
                before = None
            else:
                before, mark = durable.append(step.path, step.lines, self._marks.get(step.path))
        except OSError as error:
            raise durable.failed(step.path, error) from error
        self._marks[step.path] = mark
        return _Done(step.path, before, mark.end)
