"""The contract of engines: DuckDB or Spark, optional and heavy, each imported when an engine is opened."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from modeltop.core.errors import SourceError
from modeltop.core.text import sanitize

if TYPE_CHECKING:
    import pyarrow as pa

Expression = Any
"""An Ibis expression; its methods depend on the type of its data, which an annotation cannot express."""

TABLE_SEPARATOR = "::"
"""Between a file or a connection, and the name of a table in it."""
ROW_NUMBER = "modeltop row"
"""The column that numbers rows in the order of their file."""
BATCH_ROWS = 50_000
"""Rows of a record batch."""
GLOB_CHARS = frozenset("*?[]{}\\")
"""Characters that engines read as a pattern in a path."""


@dataclass(frozen=True, slots=True)
class LoadedSource:
    """A log as an engine has opened it."""

    table: Expression
    name: str
    """Such as the stem of its file: the model's name if no column has it; foreign text."""
    is_text: bool = False
    """Whether all its columns are text, whatever their values (CSV)."""
    parses_each_read: bool = False
    """Whether each pass has to parse text again."""
    total_bytes: int = 0
    """Size of its files; 0 where unknown."""
    empty: tuple[Path, ...] = ()
    """Files that are empty."""
    folder_keys: tuple[str, ...] = ()
    """Columns that are in the names of its folders, and not in its rows."""


class Engine(AbstractContextManager["Engine"], Protocol):
    """Opens logs and runs expressions; its resources are released at the end of the `with` block."""

    max_dictionary_size: int
    """Number of names up to which grouping by their codes is faster than by the names themselves, 0 to 254."""
    has_file_statistics: bool
    """Whether it gets count, minimum and maximum of a column from the statistics of its file, without reading it."""
    cache: dict[object, Any]
    """Cached results about a log, by any key."""

    def open(self, sources: tuple[str, ...], *, ordered: bool = False) -> LoadedSource:
        """Open files, folders, globs or one table; if ordered, `ROW_NUMBER` numbers the rows of a single source.

        Raises:
            SourceError: There is no such source, or it cannot be read.
        """

    def lock(self) -> None:
        """Close all ways to other files, to networks and to extensions; nothing can be opened afterwards."""

    def stream(self, expression: Expression) -> Iterator[pa.RecordBatch]:
        """Stream the rows of the result, in batches of at most `BATCH_ROWS`.

        Raises:
            SourceError: The log cannot be read.
        """

    def head(self, table: Expression, rows: int) -> pa.Table:
        """Return the first rows of a table, of all its columns."""

    def materialize(self, expression: Expression) -> Expression:
        """Return the same rows, stored so that reading them again is cheap."""

    def from_arrow(self, rows: pa.Table) -> Expression:
        """Return a small table of ours as an expression, for a join."""

    def progress(self) -> float | None:
        """Return the progress of the running query, 0 to 1; None if that is unknown."""


def open_engine(name: str = "duckdb") -> Engine:
    """Return an engine: `duckdb`; `spark://host:port`, `local`, `local[N]`, `yarn` or `k8s://…` for Spark.

    Raises:
        SourceError: There is no such engine, or what it needs is not installed.
    """
    if name == "duckdb":
        return _load_engine("modeltop.predictions.engines.duckdb", "DuckEngine", "logs")()
    if name.startswith(("spark://", "k8s://", "local")) or name in ("spark", "yarn"):
        return _load_engine("modeltop.predictions.engines.spark", "SparkEngine", "spark")(name)
    spark = "a Spark such as spark://HOST:7077 or local[2]"
    raise SourceError(f"there is no engine {sanitize(name, 60)}: write duckdb, or {spark}")


def _load_engine(module: str, attribute: str, extra: str) -> Callable[..., Engine]:
    try:
        engine: Callable[..., Engine] = getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.startswith("modeltop"):
            raise
        raise SourceError(f"{error.name} is not installed: pip install 'modeltop[{extra}]'") from None
    return engine


def fetch(engine: Engine, expression: Expression) -> pa.Table:
    """Return all rows of a small result; without any also no columns."""
    import pyarrow as pa

    batches = list(engine.stream(expression))
    return pa.Table.from_batches(batches) if batches else pa.table({})


@contextmanager
def read_errors(subject: str, *kinds: type[Exception]) -> Iterator[None]:
    """Raise errors of an engine, of these kinds, as a SourceError that the subject cannot be read."""
    try:
        yield
    except kinds as error:
        raise SourceError(f"{subject} cannot be read: {error_line(error)}") from None


def error_line(error: Exception) -> str:
    """Return the message of an engine's error as one clause of at most 300 characters."""
    # What follows `LINE` quotes a statement of ours.
    message, *_ = re.split(r"^LINE \d+:", str(error), maxsplit=1, flags=re.MULTILINE)
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return sanitize("; ".join(lines[:3]) or type(error).__name__, 300)
