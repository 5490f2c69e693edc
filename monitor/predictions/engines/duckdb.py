"""DuckDB inside this process: data beyond its memory is spilled into a temporary folder."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import duckdb
import ibis

from modeltop.core.errors import SourceError
from modeltop.core.text import sanitize
from modeltop.history.files import partition_of
from modeltop.history.locations import storage_reason
from modeltop.predictions.engines.base import (
    BATCH_ROWS,
    GLOB_CHARS,
    ROW_NUMBER,
    TABLE_SEPARATOR,
    Engine,
    Expression,
    LoadedSource,
    error_line,
    fetch,
    read_errors,
)
from modeltop.predictions.files import FileFormat, LogFiles, find_log_files, stem, text_encoding, write_utf8

if TYPE_CHECKING:
    import pyarrow as pa

MEMORY_MB, MEMORY_MB_PER_THREAD = 152, 24
"""DuckDB's memory limit: a base, and its buffers for each thread."""
ARRAY_MB, ARRAY_BYTES_PER_GROUP = 128, 64
"""Memory of all arrays in which threads count their groups; bytes of a group of the widest that is common."""
DATABASES = (".duckdb", ".ddb")
"""Suffixes of database files."""
TABLES = (
    "SELECT table_schema, table_name, table_type FROM information_schema.tables WHERE table_catalog = ? ORDER BY ALL"
)


class DuckEngine(Engine):
    """The engine that embeds DuckDB in this process, in memory."""

    max_dictionary_size = 30
    has_file_statistics = True

    def __init__(self) -> None:
        self.cache: dict[object, Any] = {}
        self._folder = Path(tempfile.mkdtemp(prefix="modeltop-"))
        self._name_count = 0
        self._ordered = False
        self._log_files: list[Path] = []
        threads = os.cpu_count() or 1
        self._ibis = ibis.duckdb.connect(
            ":memory:",
            temp_directory=self._folder / "spill",
            memory_limit=f"{MEMORY_MB + MEMORY_MB_PER_THREAD * threads}MB",
            threads=threads,
            preserve_insertion_order=False,
            # Neither a file's name nor its content may cause a download, or load what lies in the home folder.
            autoinstall_known_extensions=False,
            autoload_known_extensions=False,
        )
        self._duck = self._ibis.con
        # Bits of the key of a group, up to which groups are counted in an array and not hashed.
        bits = (ARRAY_MB * 1024 * 1024 // ARRAY_BYTES_PER_GROUP // threads).bit_length() - 1
        for setting in ("TimeZone = 'UTC'", "enable_progress_bar = true", "enable_progress_bar_print = false"):
            self._duck.execute(f"SET {setting}")
        self._duck.execute(f"SET perfect_ht_threshold = {bits}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ibis.disconnect()
        shutil.rmtree(self._folder, ignore_errors=True)

    def open(self, sources: tuple[str, ...], *, ordered: bool = False) -> LoadedSource:
        """Open files, folders, globs, `FILE.duckdb::TABLE`, or `CONNECTION::TABLE` of a database that Ibis reaches."""
        with read_errors(sanitize(", ".join(sources)), duckdb.Error):
            if not ordered:
                return self._open(sources)
            self._preserve_order(ordered=True)
            source = self._open(sources)
            return replace(source, table=source.table.mutate(**{ROW_NUMBER: ibis.row_number()}), parses_each_read=True)

    def _open(self, sources: tuple[str, ...]) -> LoadedSource:
        first = sources[0]
        if "://" in first and not first.lower().startswith("duckdb://"):
            return self._open_ibis_table(first)
        is_database = TABLE_SEPARATOR in first or first.endswith(DATABASES)
        if is_database and len(sources) == 1 and not Path(first).is_dir():
            return self._open_database(first)
        return self._open_files(find_log_files(sources))

    def lock(self) -> None:
        """Let DuckDB reach nothing but the opened files and the engine's own folder, which no statement can undo."""
        for setting, paths in (("allowed_paths", self._log_files), ("allowed_directories", [self._folder])):
            # DuckDB compares what links lead to.
            quoted = ", ".join("'" + os.path.realpath(path).replace("'", "''") + "'" for path in paths)
            self._duck.execute(f"SET {setting} = [{quoted}]")
        self._duck.execute("SET enable_external_access = false")
        self._duck.execute("SET lock_configuration = true")

    def stream(self, expression: Expression) -> Iterator[pa.RecordBatch]:
        """Yield record batches of at most `BATCH_ROWS` rows."""
        with read_errors("the log", duckdb.Error, OSError):  # an error after the first batch is one of Arrow's reader
            yield from self._duck.sql(self._ibis.compile(expression)).to_arrow_reader(BATCH_ROWS)

    def head(self, table: Expression, rows: int) -> pa.Table:
        """Return the first rows; in their order, because only so DuckDB stops reading when it has them."""
        before = self._ordered
        self._preserve_order(ordered=True)
        result = fetch(self, table.limit(rows))
        self._preserve_order(ordered=before)
        return result

    def _preserve_order(self, *, ordered: bool) -> None:
        self._ordered = ordered
        self._duck.execute(f"SET preserve_insertion_order = {str(ordered).lower()}")

    def materialize(self, expression: Expression) -> Expression:
        """Write the rows as Parquet into the engine's own folder, and return them from there."""
        path = self._folder / f"{self._next_name()}.parquet"
        with read_errors("the log", duckdb.Error):
            self._ibis.to_parquet(expression, path)
        return self._ibis.read_parquet(path)

    def from_arrow(self, rows: pa.Table) -> Expression:
        """Write a table as Parquet into the engine's own folder: Ibis makes views by a statement DuckDB 2 refuses."""
        from pyarrow import parquet

        path = self._folder / f"{self._next_name()}.parquet"
        parquet.write_table(rows, path)
        return self._ibis.read_parquet(path)

    def progress(self) -> float | None:
        """Return DuckDB's own estimate, 0 to 1."""
        percent = self._duck.query_progress()
        return None if percent < 0 else min(percent / 100, 1.0)

    def _next_name(self) -> str:
        self._name_count += 1
        return f"modeltop_{self._name_count}"

    def _open_files(self, files: LogFiles) -> LoadedSource:
        is_csv = files.format is FileFormat.CSV
        paths = [os.fspath(self._literal_path(path, text_encoding(path) if is_csv else None)) for path in files.paths]
        table = self._read(files, paths, with_folders=False)
        if keys := files.folder_keys(table.columns):
            table = self._read(files, paths, with_folders=True)
        return LoadedSource(
            table,
            stem(files.paths[0]),
            is_text=files.format is FileFormat.CSV,
            parses_each_read=files.format is not FileFormat.PARQUET,
            total_bytes=files.bytes,
            empty=files.empty,
            folder_keys=keys,
        )

    def _read(self, files: LogFiles, paths: list[str], *, with_folders: bool) -> Expression:
        """Return the table of files; with folders, the keys in their names (`day=2025-01-31`) are columns of text."""
        common: dict[str, Any] = {"union_by_name": True, "hive_partitioning": with_folders}
        if with_folders:
            common["hive_types_autocast"] = False
        match files.format:
            case FileFormat.CSV:
                # A first line that does not fit the others is an error; DuckDB would skip it.
                return self._ibis.read_csv(
                    paths,
                    delim=files.delimiter,
                    all_varchar=True,
                    header=True,
                    skip=0,
                    quote='"',
                    escape='"',
                    **common,
                )
            case FileFormat.PARQUET:
                return self._ibis.read_parquet(paths, **common)
            case FileFormat.JSON:
                return self._ibis.read_json(paths, format="newline_delimited", **common)

    def _literal_path(self, path: Path, encoding: str | None) -> Path:
        """Return a path that DuckDB cannot mistake for a pattern, a URL or other partitions: a link if necessary.

        Of a file in another encoding than UTF-8 it is a copy.
        """
        absolute = path.absolute()
        self._log_files.append(absolute)
        keys = partition_of(os.fspath(absolute))
        is_plain = not GLOB_CHARS & set(os.fspath(absolute))
        if encoding is None and is_plain and sum("=" in part for part in absolute.parent.parts) == len(keys):
            return absolute
        folders = (quote(f"{key}={value}", safe="= ") for key, value in keys.items())  # DuckDB unquotes them
        suffix = ".gz" if encoding is None and absolute.suffix.lower() == ".gz" else ""
        link = self._folder.joinpath(self._next_name(), *folders, f"log{suffix}")
        link.parent.mkdir(parents=True)
        if encoding is None:
            link.symlink_to(absolute)
        else:
            write_utf8(absolute, encoding, link)
        return link

    def _open_ibis_table(self, source: str) -> LoadedSource:
        connection, _, name = source.rpartition(TABLE_SEPARATOR)
        if not connection:
            if (reason := storage_reason(source)) is not None:
                raise SourceError(f"{sanitize(source, 80)}: {reason.replace('modeltop check', 'modeltop compute')}")
            raise SourceError(f"{sanitize(source, 80)}: name the table, as in CONNECTION::TABLE")
        path = self._folder / f"{self._next_name()}.parquet"
        _copy_table(connection, name, path)
        return LoadedSource(self._ibis.read_parquet(path), name, total_bytes=path.stat().st_size)

    def _open_database(self, source: str) -> LoadedSource:
        path, name = source, ""
        if TABLE_SEPARATOR in source:
            path, _, name = source.rpartition(TABLE_SEPARATOR)
            path = path[len("duckdb://") :] if path.lower().startswith("duckdb://") else path
        if not Path(path).is_file():
            raise SourceError(f"{sanitize(path)} is not a file: write FILE.duckdb::TABLE")
        catalog = self._next_name()
        self._ibis.attach(path, name=catalog, read_only=True)
        existing = self._duck.execute(TABLES, [catalog]).fetchall()
        matches = [each for each in existing if name in ("", each[1], f"{each[0]}.{each[1]}")]
        if len(matches) != 1:
            tables = sanitize(", ".join(table for _, table, _ in existing), 200)
            hint = f"write FILE.duckdb::TABLE; it {f'has {tables}' if existing else 'is empty'}"
            problem = f"has no one table {sanitize(name, 60)}" if name else "has not one table"
            raise SourceError(f"{sanitize(path)} {problem}: {hint}")
        ((schema, table, kind),) = matches
        if kind != "BASE TABLE":
            # What it is made of may be any file of this machine.
            raise SourceError(
                f"{sanitize(table, 60)} in {sanitize(path)} is a view: write it into a table of that file"
            )
        expression = self._ibis.table(table, database=(catalog, schema))
        return LoadedSource(expression, table, total_bytes=Path(path).stat().st_size)


def _copy_table(connection: str, name: str, path: Path) -> None:
    """Write a table, `SCHEMA.TABLE` if it has a schema, as Parquet a batch at a time: memory stays flat.

    The connection may hold a password, which is never shown.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    shown = sanitize(connection, 80)
    scheme = urlsplit(connection).scheme
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of libraries about each other
            backend = _connect_read_only(connection)
            with contextlib.ExitStack() as stack:
                stack.callback(backend.disconnect)
                reader = _table(backend, name).to_pyarrow_batches(chunk_size=BATCH_ROWS)
                with pq.ParquetWriter(path, reader.schema) as writer:
                    for batch in reader:
                        writer.write_batch(batch)
    except ImportError as error:
        missing = error.name or f"what {sanitize(scheme, 20)} needs"
        raise SourceError(f"{missing} is not installed: pip install 'ibis-framework[{sanitize(scheme, 20)}]'") from None
    except pa.ArrowException as error:
        raise SourceError(f"{shown} cannot be read: {error_line(error)}") from None
    except SourceError:
        raise
    except Exception as error:  # noqa: BLE001  each database has errors of its own; the text may quote the connection
        raise SourceError(
            f"{shown} has no table {sanitize(name, 60)} that can be read ({type(error).__name__})"
        ) from None


def _table(backend: Any, name: str) -> Expression:
    schema, _, table = name.rpartition(".")
    if name in backend.list_tables() or not schema:
        return backend.table(name)
    return backend.table(table, database=schema)


def _connect_read_only(connection: str) -> Any:
    """Return an Ibis back-end that cannot write, where the database has a way to say so."""
    shown, scheme = sanitize(connection, 80), urlsplit(connection).scheme
    if scheme == "file":
        raise SourceError(f"{shown} is a file: write its path alone")  # Ibis would open it for writing
    if scheme == "sqlite":
        path = Path(connection[len("sqlite://") :])
        if not path.is_file():
            raise SourceError(f"{shown} is not a file: write sqlite:///FOLDER/FILE::TABLE")
        return ibis.sqlite.from_connection(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True))
    try:
        backend = ibis.connect(connection)
    except ValueError:  # the text quotes the connection
        raise SourceError(
            f"{shown} is not a connection known to Ibis: write one such as postgres://HOST/DATABASE"
        ) from None
    if backend.name == "postgres":
        backend.raw_sql("SET default_transaction_read_only = on")  # not even a function in a view can write
    return backend
