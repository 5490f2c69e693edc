"""Spark, on this machine or in a cluster: the same expressions for logs that outgrow one machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any

import ibis
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import monotonically_increasing_id

from modeltop.core.errors import SourceError
from modeltop.core.text import sanitize
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
from modeltop.predictions.files import FileFormat, LogFiles, find_log_files, stem, text_encoding

if TYPE_CHECKING:
    import pyarrow as pa

SETTINGS = {
    "spark.app.name": "modeltop",
    "spark.sql.session.timeZone": "UTC",
    # A value that cannot be parsed is missing, and counted; it does not end the query.
    "spark.sql.ansi.enabled": "false",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    # Keys in the names of folders are text, as in CSV.
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
LOCAL_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
}
"""Settings of a Spark that runs within this process and accepts no connections from outside."""


class SparkEngine(Engine):
    """Spark, local or in a cluster; see `modeltop.predictions.engines.base.Engine`.

    Args:
        master: `spark://host:port`, `local[N]`, `yarn`; `spark` for that of the environment.

    Raises:
        SourceError: Spark does not start.
    """

    max_dictionary_size = 0
    has_file_statistics = False

    def __init__(self, master: str) -> None:
        self.cache: dict[object, Any] = {}
        self._view_count = 0
        builder = SparkSession.builder
        for name, value in {**SETTINGS, **(LOCAL_SETTINGS if master.startswith("local") else {})}.items():
            builder = builder.config(name, value)
        try:
            self._spark = (builder if master == "spark" else builder.master(master)).getOrCreate()
            self._spark.sparkContext.setLogLevel("ERROR")
        except Exception as error:  # noqa: BLE001  whatever error Java may raise
            raise SourceError(f"Spark at {sanitize(master, 80)} does not start: {error_line(error)}") from None
        self._ibis = ibis.pyspark.connect(self._spark)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._spark.stop()

    def open(self, sources: tuple[str, ...], *, ordered: bool = False) -> LoadedSource:
        """Open files, folders and globs that this machine sees too; `::TABLE` for a table of Spark's catalogue."""
        with read_errors(sanitize(", ".join(sources)), PySparkException):
            if len(sources) == 1 and sources[0].startswith(TABLE_SEPARATOR):
                name = sources[0].removeprefix(TABLE_SEPARATOR)
                return LoadedSource(self._view(self._spark.table(name), ordered=ordered), name)
            files = find_log_files(sources)
            frame, keys = self._read_files(files)
            return LoadedSource(
                self._view(frame, ordered=ordered),
                stem(files.paths[0]),
                is_text=files.format is FileFormat.CSV,
                total_bytes=files.bytes,
                empty=files.empty,
                folder_keys=keys,
            )

    def lock(self) -> None:
        """Leave Spark as its administrator has configured it: what it reaches is decided there."""

    def stream(self, expression: Expression) -> Iterator[pa.RecordBatch]:
        """Yield record batches of at most `BATCH_ROWS` rows."""
        with read_errors("the log", PySparkException):
            frame = self._spark.sql(self._ibis.compile(expression))
            yield from frame.toArrow().to_batches(BATCH_ROWS)

    def head(self, table: Expression, rows: int) -> pa.Table:
        """Return the first rows of the first partitions."""
        return fetch(self, table.limit(rows))

    def materialize(self, expression: Expression) -> Expression:
        """Return the expression itself: Spark decides what it reads again."""
        return expression

    def from_arrow(self, rows: pa.Table) -> Expression:
        """Return a view of rows that are sent to Spark."""
        return self._view(self._spark.createDataFrame(rows.to_pandas()), ordered=False)

    def progress(self) -> float | None:
        """Return the mean, over running stages, of the tasks that are done."""
        tracker = self._spark.sparkContext.statusTracker()
        stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
        running = [stage for stage in stages if stage is not None and stage.numTasks]
        return sum(stage.numCompletedTasks / stage.numTasks for stage in running) / len(running) if running else None

    def _read_files(self, files: LogFiles) -> tuple[DataFrame, tuple[str, ...]]:
        frame = self._read(files, {})
        if not (keys := files.folder_keys(frame.columns)):
            return frame, keys
        around = {path.absolute().parents[len(keys)] for path in files.paths}
        if len(around) > 1:
            raise SourceError(f"folders named {sanitize(keys[0], 60)}=... lie in several folders: name one at a time")
        return self._read(files, {"basePath": os.fspath(around.pop())}), keys

    def _read(self, files: LogFiles, options: dict[str, str]) -> DataFrame:
        reader = self._spark.read.options(**options)
        paths = [_literal_path(os.fspath(path.absolute())) for path in files.paths]
        match files.format:
            case FileFormat.PARQUET:
                return reader.option("mergeSchema", "true").parquet(*paths)
            case FileFormat.JSON:
                return reader.json(paths)
            case FileFormat.CSV:
                if utf16 := next((path for path in files.paths if text_encoding(path) is not None), None):
                    raise SourceError(f"{sanitize(utf16)} is UTF-16: save it as UTF-8, or use --engine duckdb")
                return self._read_csv(paths, files.delimiter, options)

    def _read_csv(self, paths: list[str], delimiter: str, options: dict[str, str]) -> DataFrame:
        """Read each file by its own header: Spark would use the header of the first for all."""
        options = options | {
            "header": "true",
            "sep": delimiter,
            "quote": '"',
            "escape": '"',
            "mode": "FAILFAST",
            "inferSchema": "false",
        }
        frames = [self._spark.read.options(**options).csv(path) for path in paths]
        first, *others = frames
        if all(frame.columns == first.columns for frame in others):
            return self._spark.read.options(**options).csv(paths)
        for frame in others:
            first = first.unionByName(frame, allowMissingColumns=True)
        return first

    def _view(self, frame: DataFrame, *, ordered: bool) -> Expression:
        self._view_count += 1
        name = f"modeltop_{self._view_count}"
        if ordered:
            frame = frame.withColumn(ROW_NUMBER, monotonically_increasing_id())
        frame.createOrReplaceTempView(name)
        return self._ibis.table(name)


def _literal_path(path: str) -> str:
    """Return a path in which Hadoop sees no pattern."""
    return "".join("\\" + char if char in GLOB_CHARS else char for char in path)
