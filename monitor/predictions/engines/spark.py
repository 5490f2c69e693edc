"""Spark, on this machine or in a cluster: the same expressions where logs outgrow one machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import ibis
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import monotonically_increasing_id

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
from modeltop.predictions.files import FileFormat, LogFiles, find_log_files, stem

if TYPE_CHECKING:
    import pyarrow as pa

SETTINGS = {
    "spark.app.name": "modeltop",
    "spark.sql.session.timeZone": "UTC",
    # What cannot be read as what it should be is missing, and counted; it does not end the query.
    "spark.sql.ansi.enabled": "false",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.ui.showConsoleProgress": "false",
}
LOCAL = {"spark.ui.enabled": "false", "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
"""Where Spark runs inside this machine, it listens to nobody else."""
GLOB_CHARS = "*?[]{}\\"


class SparkEngine:
    """See `modeltop.predictions.engines.base.Engine`.

    Args:
        master: `spark://host:port`, `local[N]`, `yarn`; `spark` for what the surroundings say.
    """

    name = "spark"
    max_dictionary_size = 0
    has_file_statistics = False

    def __init__(self, master: str) -> None:
        self.cache: dict[object, Any] = {}
        self._names = 0
        builder = SparkSession.builder
        for name, value in {**SETTINGS, **(LOCAL if master.startswith("local") else {})}.items():
            builder = builder.config(name, value)
        try:
            self._spark = (builder if master == "spark" else builder.master(master)).getOrCreate()
            self._spark.sparkContext.setLogLevel("ERROR")
        except Exception as error:  # noqa: BLE001  whatever Java may say
            raise SourceError(f"Spark at {sanitize(master, 80)} does not start: {error_line(error)}") from None
        self._ibis = ibis.pyspark.connect(self._spark)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._spark.stop()

    def open(self, sources: tuple[str, ...], *, ordered: bool = False) -> LoadedSource:
        """Files, folders and globs that this machine sees too; `::TABLE` for a table of Spark's catalogue."""
        try:
            if len(sources) == 1 and sources[0].startswith(TABLE_SEPARATOR):
                name = sources[0].removeprefix(TABLE_SEPARATOR)
                return LoadedSource(self._view(self._spark.table(name), ordered=ordered), name)
            files = find_log_files(sources)
            textual = files.format is FileFormat.CSV
            table = self._view(self._frame(files), ordered=ordered)
            return LoadedSource(table, stem(files.paths[0]), is_text=textual, total_bytes=files.bytes)
        except PySparkException as error:
            raise SourceError(f"{sanitize(', '.join(sources))} cannot be read: {error_line(error)}") from None

    def stream(self, expression: Expression) -> Iterator[pa.RecordBatch]:
        """Record batches of at most `BATCH` rows."""
        try:
            frame = self._spark.sql(self._ibis.compile(expression))
            yield from frame.toArrow().to_batches(BATCH_ROWS)
        except PySparkException as error:
            raise SourceError(f"the log cannot be read: {error_line(error)}") from None

    def head(self, table: Expression, rows: int) -> pa.Table:
        """The first rows of the first parts."""
        return fetch(self, table.limit(rows))

    def materialize(self, expression: Expression) -> Expression:
        """Spark itself decides what it reads again."""
        return expression

    def from_arrow(self, rows: pa.Table) -> Expression:
        """A view of rows that are sent along."""
        return self._view(self._spark.createDataFrame(rows.to_pandas()), ordered=False)

    def progress(self) -> float | None:
        """Tasks that are done, of those known so far."""
        tracker = self._spark.sparkContext.statusTracker()
        stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
        known = [stage for stage in stages if stage is not None and stage.numTasks]
        return sum(stage.numCompletedTasks / stage.numTasks for stage in known) / len(known) if known else None

    def _frame(self, files: LogFiles) -> DataFrame:
        reader = self._spark.read
        paths = [_literal(os.fspath(path.absolute())) for path in files.paths]
        match files.format:
            case FileFormat.PARQUET:
                return reader.option("mergeSchema", "true").parquet(*paths)
            case FileFormat.JSON:
                return reader.json(paths)
            case FileFormat.CSV:
                return self._csv(paths, files.delimiter)

    def _csv(self, paths: list[str], delimiter: str) -> DataFrame:
        """Each file by its own header: Spark takes that of the first for all."""
        how = {
            "header": "true",
            "sep": delimiter,
            "quote": '"',
            "escape": '"',
            "mode": "FAILFAST",
            "inferSchema": "false",
        }
        frames = [self._spark.read.options(**how).csv(path) for path in paths]
        first, *others = frames
        if all(frame.columns == first.columns for frame in others):
            return self._spark.read.options(**how).csv(paths)
        for frame in others:
            first = first.unionByName(frame, allowMissingColumns=True)
        return first

    def _view(self, frame: DataFrame, *, ordered: bool) -> Expression:
        self._names += 1
        name = f"modeltop_{self._names}"
        if ordered:
            frame = frame.withColumn(ROW_NUMBER, monotonically_increasing_id())
        frame.createOrReplaceTempView(name)
        return self._ibis.table(name)


def _literal(path: str) -> str:
    """A path in which Hadoop sees no pattern."""
    return "".join("\\" + char if char in GLOB_CHARS else char for char in path)
