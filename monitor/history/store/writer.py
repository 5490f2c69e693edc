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
from modeltop.history.store.paths import file_prefix, parse_part_name, part_name
from modeltop.history.store.row_format import (
    HEADER_LIMIT,
    PeriodRow,
    encode_header,
    encode_row,
    extend_columns,
    parse_header,
    validate,
)


@dataclass(frozen=True, slots=True)
class _PlannedWrite:
    """One write to come: lines for a part that is there, or a new part."""

    path: Path
    lines: tuple[bytes, ...]
    new: bool


@dataclass(frozen=True, slots=True)
class _FinishedWrite:
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
        self._marks: dict[Path, durable.TailMark] = {}

    def append(self, records: Iterable[PeriodRow]) -> None:
        """Keep the records, all or none; on return they are on the disk.

        Raises:
            StoreError: Nothing was kept: a record is impossible, or the folder, the lock or the disk cannot be had.
        """
        families: dict[str, list[PeriodRow]] = {}
        for record in records:
            validate(record)
            families.setdefault(file_prefix(record.model), []).append(record)
        if not families:
            return
        with locked(self.folder):
            newest = self._newest_parts()
            steps = [self._plan(name, newest.get(name, 0), rows) for name, rows in families.items()]
            self._execute(steps)

    def _newest_parts(self) -> dict[str, int]:
        try:
            with os.scandir(self.folder) as entries:
                parts = [part for entry in entries if (part := parse_part_name(entry.name))]
        except OSError as error:
            raise durable.store_error(self.folder, error) from error
        # Sorted by number, the greatest stays.
        return dict(sorted(parts, key=lambda part: part[1]))

    def _plan(self, name: str, number: int, records: Sequence[PeriodRow]) -> _PlannedWrite:
        existing = self._columns(self.folder / part_name(name, number)) if number else None
        columns = extend_columns(records, existing)
        new = columns != existing
        path = self.folder / part_name(name, number + new)
        lines = tuple(encode_row(record, columns) for record in records)
        return _PlannedWrite(path, (encode_header(columns), *lines) if new else lines, new)

    @staticmethod
    def _columns(path: Path) -> tuple[str, ...] | None:
        try:
            return parse_header(durable.read_head(path, HEADER_LIMIT))
        except OSError as error:
            raise durable.store_error(path, error) from error

    def _execute(self, steps: Iterable[_PlannedWrite]) -> None:
        done: list[_FinishedWrite] = []
        try:
            for step in steps:
                done.append(self._write(step))  # noqa: PERF401  what is done must be known when the next one fails
        except BaseException:
            for write in reversed(done):
                with contextlib.suppress(OSError):
                    durable.rollback(write.path, write.before, write.after)
            raise

    def _write(self, step: _PlannedWrite) -> _FinishedWrite:
        try:
            if step.new:
                data = b"".join(step.lines)
                durable.create(step.path, data)
                mark = durable.TailMark(len(data), step.lines[-1])
                before = None
            else:
                before, mark = durable.append(step.path, step.lines, self._marks.get(step.path))
        except OSError as error:
            raise durable.store_error(step.path, error) from error
        self._marks[step.path] = mark
        return _FinishedWrite(step.path, before, mark.end)
