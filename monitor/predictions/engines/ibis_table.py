"""Tables of other databases, reached by connection strings of Ibis, copied so that one engine reads them all."""

from __future__ import annotations

import warnings
from pathlib import Path
from urllib.parse import urlsplit

import ibis

from modeltop.core.errors import SourceError
from modeltop.core.text import sanitize
from modeltop.predictions.engines.base import BATCH_ROWS, Expression, error_line


def copy_table(connection: str, name: str, path: Path) -> None:
    """Write the table as Parquet, a batch at a time: memory stays flat, and the database is asked once.

    Args:
        connection: Such as `postgres://user@host/database`; it may hold a password, which is never shown.
        name: Of the table, `SCHEMA.TABLE` where it needs one.
        path: The file to write.

    Raises:
        SourceError: The database cannot be reached, or has no such table.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    shown = sanitize(redact_connection(connection), 80)
    scheme = urlsplit(connection).scheme
    if scheme == "sqlite" and not Path(connection.removeprefix("sqlite://")).is_file():
        raise SourceError(f"{shown} is no file: write sqlite:///FOLDER/FILE::TABLE")  # else SQLite would create it
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of libraries about each other
            reader = _table(connection, name).to_pyarrow_batches(chunk_size=BATCH_ROWS)
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


def _table(connection: str, name: str) -> Expression:
    try:
        backend = ibis.connect(connection)
    except ValueError:  # the text quotes the connection
        shown = sanitize(redact_connection(connection), 80)
        raise SourceError(f"{shown} is no connection that Ibis knows: write such as postgres://HOST/DATABASE") from None
    schema, _, table = name.rpartition(".")
    if name in backend.list_tables() or not schema:
        return backend.table(name)
    return backend.table(table, database=schema)


def redact_connection(connection: str) -> str:
    """Return the connection without user, password and parameters, as it may be shown."""
    parts = urlsplit(connection)
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
