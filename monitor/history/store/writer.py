"""The store: a folder of CSV files, each model's in parts.

A later row wins over an earlier one. Rows are only ever appended to the newest part of a model; if its columns do not
include those of a row, a new part starts with its columns and the new ones: only for a new metric.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from modeltop.history.store import durable
from modeltop.history.store.lock import locked
from modeltop.history.store.paths import file_prefix, parse_part_name, part_name
from modeltop.history.store.row_format import (
    HEADER_LIMIT,
    PeriodRow,
    encode_csv_line,
    encode_row,
    extend_columns,
    parse_header,
    validate,
)


@dataclass(frozen=True, slots=True)
class _PlannedWrite:
    """One write to come: lines for an existing part, or a new part."""

    path: Path
    lines: tuple[bytes, ...]
    is_new: bool


class _FinishedWrite(NamedTuple):
    """One write that has happened, and can be rolled back: its file, and the bytes of that before and after."""

    path: Path
    before: int | None
    after: int


class Store:
    """A folder of CSV files, one family of parts a model.

    It holds no file open: the folder may be deleted, moved and made anew between two calls. The first append makes it,
    private, or shared if its parent folder is (setgid and group-writable).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._marks: dict[Path, durable.TailMark] = {}

    def append(self, rows: Iterable[PeriodRow]) -> None:
        """Store the rows, all or none; on return they are on the disk.

        Raises:
            StoreError: Nothing was stored: a row is invalid, or the folder, the lock or the disk is not available.
        """
        rows_by_prefix: dict[str, list[PeriodRow]] = {}
        for row in rows:
            validate(row)
            rows_by_prefix.setdefault(file_prefix(row.model), []).append(row)
        if not rows_by_prefix:
            return
        with locked(self.folder):
            newest = self._newest_parts()
            self._execute([self._plan(prefix, newest.get(prefix, 0), rows) for prefix, rows in rows_by_prefix.items()])

    def _newest_parts(self) -> dict[str, int]:
        with durable.as_store_error(self.folder), os.scandir(self.folder) as entries:
            parts = [part for entry in entries if (part := parse_part_name(entry.name))]
        # Of several parts of one prefix the last in the dict stays, so they go in by number.
        return dict(sorted(parts, key=lambda part: part[1]))

    def _plan(self, prefix: str, number: int, rows: Sequence[PeriodRow]) -> _PlannedWrite:
        existing = None
        if number:
            newest = self.folder / part_name(prefix, number)
            with durable.as_store_error(newest):
                existing = parse_header(durable.read_head(newest, HEADER_LIMIT))
        columns = extend_columns(rows, existing)
        is_new = columns != existing
        path = self.folder / part_name(prefix, number + is_new)
        lines = tuple(encode_row(row, columns) for row in rows)
        return _PlannedWrite(path, (encode_csv_line(columns), *lines) if is_new else lines, is_new)

    def _execute(self, planned: Iterable[_PlannedWrite]) -> None:
        done: list[_FinishedWrite] = []
        try:
            for write in planned:
                done.append(self._write(write))  # noqa: PERF401  done writes are rolled back when the next one fails
        except BaseException:
            for finished in reversed(done):
                with contextlib.suppress(OSError):
                    durable.rollback(finished.path, finished.before, finished.after)
            raise

    def _write(self, planned: _PlannedWrite) -> _FinishedWrite:
        path, lines = planned.path, planned.lines
        before = None
        with durable.as_store_error(path):
            if planned.is_new:
                data = b"".join(lines)
                durable.create(path, data)
                mark = durable.TailMark(len(data), lines[-1])
            else:
                before, mark = durable.append(path, lines, self._marks.get(path))
        self._marks[path] = mark
        return _FinishedWrite(path, before, mark.end)
