"""What runs the expressions: DuckDB inside this process, a Spark, or any database that Ibis reaches.

Ibis, DuckDB, pyarrow and Spark are optional and heavy: each is imported when an engine is opened, not before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from modeltop.core.errors import SourceError
from modeltop.core.text import sanitize

if TYPE_CHECKING:
    import pyarrow as pa

Expression = Any
"""An Ibis expression; what it can do depends on the type of its data, which no annotation knows."""

TABLE_SEPARATOR = "::"
"""Between a file or a connection, and the name of a table in it."""
ROW_NUMBER = "modeltop row"
"""The column that numbers rows as they stand in their file."""
BATCH_ROWS = 50_000
"""Rows of a record batch."""


@dataclass(frozen=True, slots=True)
class LoadedSource:
    """A log as an engine has opened it."""

    table: Expression
    name: str
    """Such as the stem of its file: the model's name where nothing else tells it; foreign text."""
    is_text: bool = False
    """Whether all its columns are text, whatever stands in them (CSV)."""
    parses_each_read: bool = False
    """Whether each pass has to parse text again."""
    total_bytes: int = 0
    """Size of its files; 0 where unknown."""


class Engine(AbstractContextManager["Engine"], Protocol):
    """Runs expressions; all it took is given back at the end of the `with` block."""

    name: str
    max_dictionary_size: int
    """Up to how many names it groups by their places faster than by themselves, 0 to 254."""
    has_file_statistics: bool
    """Whether it answers how many and how large the values of a column are without reading it, where its file says."""
    cache: dict[object, Any]
    """What was found out about a log already."""

    def open(self, sources: tuple[str, ...], *, ordered: bool = False) -> LoadedSource:
        """Open files or a table; with `ordered`, the column `ROW` numbers the rows as they stand in the one file."""

    def stream(self, expression: Expression) -> Iterator[pa.RecordBatch]:
        """The rows of the result, as they come."""

    def head(self, table: Expression, rows: int) -> pa.Table:
        """The first rows of a table, of all its columns."""

    def materialize(self, expression: Expression) -> Expression:
        """The same rows, kept so that reading them again is cheap."""

    def from_arrow(self, rows: pa.Table) -> Expression:
        """A small table of ours, for a join."""

    def progress(self) -> float | None:
        """How much of the running query is done, 0 to 1; None where that is not known."""


def open_engine(name: str = "duckdb") -> Engine:
    """An engine by name or connection string.

    Args:
        name: `duckdb`; `spark://host:port`, `local`, `local[N]`, `yarn` or `k8s://…` for Spark.

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
        made: Callable[..., Engine] = getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.startswith("modeltop"):
            raise
        raise SourceError(f"{error.name} is not installed: pip install 'modeltop[{extra}]'") from None
    return made


def fetch(engine: Engine, expression: Expression) -> pa.Table:
    """The whole of a small result."""
    import pyarrow as pa

    batches = list(engine.stream(expression))
    return pa.Table.from_batches(batches, schema=batches[0].schema if batches else None) if batches else pa.table({})


def error_line(error: Exception) -> str:
    """What an engine complains of, as one clause."""
    # What follows quotes a statement of ours.
    said, *_ = re.split(r"^LINE \d+:", str(error), maxsplit=1, flags=re.MULTILINE)
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return sanitize("; ".join(lines[:3]) or type(error).__name__, 300)
