"""DuckDB inside this process: what does not fit in its memory is spilled into a folder that goes with it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import duckdb
import ibis

from modeltop.core.errors import SourceError
from modeltop.core.text import sanitize
from modeltop.predictions.engines.base import (
    BATCH_ROWS,
    ROW_NUMBER,
    TABLE_SEPARATOR,
    Expression,
    LoadedSource,
    error_line,
    fetch,
)
from modeltop.predictions.engines.ibis_table import copy_table, redact_connection
from modeltop.predictions.files import FileFormat, LogFiles, find_log_files, stem

if TYPE_CHECKING:
    import pyarrow as pa

MEMORY_MB = 152
"""What DuckDB may hold beside its buffers for threads."""
MEMORY_MB_A_THREAD = 24
ARRAY_MB, ARRAY_ROW = 128, 64
"""What the arrays may hold in which each thread keeps its groups; bytes of a group of the widest that is common."""
GLOB_CHARS = frozenset("*?[]{}\\")
"""Characters that DuckDB reads as a pattern in a path."""


DATABASES = (".duckdb", ".ddb")
ATTACHED = "modeltop_log"
TABLES = "SELECT table_schema, table_name FROM information_schema.tables WHERE table_catalog = ? ORDER BY ALL"


class DuckEngine:
    """See `modeltop.predictions.engines.base.Engine`."""

    name = "duckdb"
    max_dictionary_size = 30
    has_file_statistics = True

    def __init__(self) -> None:
        self.cache: dict[object, Any] = {}
        self._folder = Path(tempfile.mkdtemp(prefix="modeltop-"))
        self._names = 0
        self._ordered = False
        threads = os.cpu_count() or 1
        self._ibis = ibis.duckdb.connect(
            ":memory:",
            temp_directory=self._folder / "spill",
            memory_limit=f"{MEMORY_MB + MEMORY_MB_A_THREAD * threads}MB",
            threads=threads,
            preserve_insertion_order=False,
            # Nothing is fetched from anywhere because a file's name asks for it.
            autoinstall_known_extensions=False,
        )
        self._duck = self._ibis.con
        # Bits of the number of a group, up to which groups are kept in an array and not hashed.
        bits = (ARRAY_MB * 1024 * 1024 // ARRAY_ROW // threads).bit_length() - 1
        for setting in ("TimeZone = 'UTC'", "enable_progress_bar = true", "enable_progress_bar_print = false"):
            self._duck.execute(f"SET {setting}")
        self._duck.execute(f"SET perfect_ht_threshold = {bits}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ibis.disconnect()
        shutil.rmtree(self._folder, ignore_errors=True)

    def open(self, sources: tuple[str, ...], *, ordered: bool = False) -> LoadedSource:
        """Files, folders, globs, `FILE.duckdb::TABLE`, or `CONNECTION::TABLE` of a database that Ibis reaches."""
        try:
            first = sources[0]
            if "://" in first and not first.startswith("duckdb://"):
                return self._ibis_table(first)
            if (
                len(sources) == 1
                and not Path(first).is_dir()
                and (TABLE_SEPARATOR in first or first.endswith(DATABASES))
            ):
                return self._database(first)
            return self._files(find_log_files(sources), ordered=ordered)
        except duckdb.Error as error:
            raise SourceError(f"{sanitize(', '.join(sources))} cannot be read: {error_line(error)}") from None

    def stream(self, expression: Expression) -> Iterator[pa.RecordBatch]:
        """Record batches of at most `BATCH` rows."""
        try:
            yield from self._duck.sql(self._ibis.compile(expression)).to_arrow_reader(BATCH_ROWS)
        except (duckdb.Error, OSError) as error:  # what goes wrong on the way is an error of Arrow's reader
            raise SourceError(f"the log cannot be read: {error_line(error)}") from None

    def head(self, table: Expression, rows: int) -> pa.Table:
        """The first rows; in their order, because only so DuckDB stops reading when it has them."""
        before = self._ordered
        self._in_order(wanted=True)
        found = fetch(self, table.limit(rows))
        self._in_order(wanted=before)
        return found

    def _in_order(self, *, wanted: bool) -> None:
        self._ordered = wanted
        self._duck.execute(f"SET preserve_insertion_order = {str(wanted).lower()}")

    def materialize(self, expression: Expression) -> Expression:
        """Rows written once as Parquet into the engine's own folder."""
        path = self._folder / f"{self._next()}.parquet"
        try:
            self._ibis.to_parquet(expression, path)
        except duckdb.Error as error:
            raise SourceError(f"the log cannot be read: {error_line(error)}") from None
        return self._ibis.read_parquet(path)

    def from_arrow(self, rows: pa.Table) -> Expression:
        """A table written as Parquet into the engine's own folder: Ibis makes views by a statement DuckDB 2 refuses."""
        from pyarrow import parquet

        path = self._folder / f"{self._next()}.parquet"
        parquet.write_table(rows, path)
        return self._ibis.read_parquet(path)

    def progress(self) -> float | None:
        """DuckDB's own estimate."""
        percent = self._duck.query_progress()
        return None if percent < 0 else min(percent / 100, 1.0)

    def _next(self) -> str:
        self._names += 1
        return f"modeltop_{self._names}"

    def _files(self, files: LogFiles, *, ordered: bool) -> LoadedSource:
        if ordered:
            self._in_order(wanted=True)
        paths = [os.fspath(self._literal_path(path)) for path in files.paths]
        match files.format:
            case FileFormat.CSV:
                # A first line that does not fit the others is not skipped, as DuckDB would, but told.
                how = {
                    "all_varchar": True,
                    "header": True,
                    "skip": 0,
                    "quote": '"',
                    "escape": '"',
                    "union_by_name": True,
                }
                table = self._ibis.read_csv(paths, delim=files.delimiter, **how)
            case FileFormat.PARQUET:
                table = self._ibis.read_parquet(paths, union_by_name=True, hive_partitioning=False)
            case FileFormat.JSON:
                table = self._ibis.read_json(paths, format="newline_delimited", union_by_name=True)
        if ordered:
            table = table.mutate(**{ROW_NUMBER: ibis.row_number()})
        csv = files.format is FileFormat.CSV
        parsed = files.format is not FileFormat.PARQUET
        return LoadedSource(
            table, stem(files.paths[0]), is_text=csv, parses_each_read=parsed or ordered, total_bytes=files.bytes
        )

    def _literal_path(self, path: Path) -> Path:
        """A path that DuckDB cannot take for a pattern or an address."""
        full = path.absolute()
        if not GLOB_CHARS & set(os.fspath(full)):
            return full
        link = self._folder / (self._next() + (".gz" if full.suffix.lower() == ".gz" else ""))
        link.symlink_to(full)
        return link

    def _ibis_table(self, source: str) -> LoadedSource:
        connection, _, name = source.rpartition(TABLE_SEPARATOR)
        if not connection:
            raise SourceError(f"{sanitize(redact_connection(source), 80)}: name the table, as in CONNECTION::TABLE")
        path = self._folder / f"{self._next()}.parquet"
        copy_table(connection, name, path)
        return LoadedSource(self._ibis.read_parquet(path), name, total_bytes=path.stat().st_size)

    def _database(self, source: str) -> LoadedSource:
        path, _, name = (
            source.removeprefix("duckdb://").rpartition(TABLE_SEPARATOR)
            if TABLE_SEPARATOR in source
            else (source, "", "")
        )
        if not Path(path).is_file():
            raise SourceError(f"{sanitize(path)} is no file: write FILE.duckdb::TABLE")
        self._ibis.attach(path, name=ATTACHED, read_only=True)
        known = self._duck.execute(TABLES, [ATTACHED]).fetchall()
        wanted = [(schema, table) for schema, table in known if name in ("", table, f"{schema}.{table}")]
        if len(wanted) != 1:
            there = f"it has {sanitize(', '.join(table for _, table in known), 200)}" if known else "it is empty"
            which = f"has no one table {sanitize(name, 60)}" if name else "has not one table"
            raise SourceError(f"{sanitize(path)} {which}: write FILE.duckdb::TABLE; {there}")
        schema, table = wanted[0]
        return LoadedSource(
            self._ibis.table(table, database=(ATTACHED, schema)), table, total_bytes=Path(path).stat().st_size
        )
