"""A log as an engine loads it, and its rows under our column names, whatever the log calls them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from modeltop.core.errors import SourceError
from modeltop.core.text import sanitize
from modeltop.history.log_columns import COLUMN_ALIASES, guess_column
from modeltop.predictions.engines.base import ROW_NUMBER, Engine, Expression, LoadedSource, fetch
from modeltop.predictions.periods import is_calendar, period_column
from modeltop.predictions.schema import (
    MISSING_WORDS,
    Column,
    ColumnType,
    Schema,
    equals_expr,
    infer_column,
    number_expr,
    text_expr,
)
from modeltop.predictions.spec import ColumnValue, LogSpec, ResolvedLog, Task, TimeRange, parse_reference
from modeltop.predictions.timestamps import timestamp_expr

MODEL, AT, LABEL, PREDICTION, SCORE, ID, GROUP, REFERENCE = (
    "model", "at", "label", "prediction", "score", "id", "group", "reference",
)  # fmt: skip
"""Our columns. Label and prediction of a classifier are indices of the list of classes, null if they are none of
them; those of a regression are numbers."""
LABEL_GIVEN, AT_GIVEN, SCORE_GIVEN, PREDICTION_GIVEN = "label_given", "at_given", "score_given", "prediction_given"
"""Columns that are null if the log has no value, and not null whether or not its value is readable."""
RAW = "_raw"
"""Suffix of the column of double precision as it is stored, which may be NaN."""
SAMPLE_ROWS = 5_000
"""First rows, from which the types of the columns are inferred."""
MAX_EXAMPLES = 3
JOIN_ID_COLUMN = "modeltop id"
JOINED_LABEL_COLUMN = "modeltop label"


def score_column(index: int) -> str:
    """Return our name of the score of one class of several."""
    return f"score{index}"


def segment_column(index: int) -> str:
    """Return our name of a column that the rows are segmented by."""
    return f"segment{index}"


def feature_column(name: str) -> str:
    """Return our name of a feature."""
    return f"feature {name}"


@dataclass(frozen=True, slots=True)
class LoadedLog:
    """The table of a log, with the labels of another file joined to it, and its columns."""

    source: LoadedSource
    schema: Schema
    label_ids: tuple[Any, ...] = ()
    """First ids in the file of labels that is joined; foreign values."""


def load_log(spec: LogSpec, engine: Engine) -> LoadedLog:
    """Return the log as the engine has loaded it; loaded once.

    Raises:
        SourceError: It cannot be read, or labels of another file cannot be joined.
    """
    key = ("opened", spec)
    if key not in engine.cache:
        engine.cache[key] = _load_log(spec, engine)
    log: LoadedLog = engine.cache[key]
    return log


def _load_log(spec: LogSpec, engine: Engine) -> LoadedLog:
    # If no column has a time, the order of the rows is that of the file; of equal ids the last row counts.
    is_timeless = spec.start is not None and not is_calendar(spec.period)
    source = engine.open(spec.sources, ordered=is_timeless or spec.counts_ids_once)
    schema = read_schema(engine, source.table)
    schema.folder_keys = source.folder_keys
    if spec.labels is None:
        return LoadedLog(source, schema)
    table, label, label_ids = _join_labels(spec, engine, source, schema)
    joined = replace(source, table=table, parses_each_read=True)
    schema[label] = read_schema(engine, table.filter(table[label].notnull()))[label]
    schema.folder_keys = tuple(key for key in schema.folder_keys if key != label)
    return LoadedLog(joined, schema, label_ids)


def read_schema(engine: Engine, table: Expression) -> Schema:
    """Infer the columns of a table from its first rows.

    Raises:
        SourceError: It has no columns, or cannot be read.
    """
    sample = engine.head(table, SAMPLE_ROWS)
    dtypes: dict[str, Any] = dict(table.schema().items())
    if not dtypes:
        raise SourceError("the log has no columns: correct the path")
    values = {name: sample[name].to_pylist() if name in sample.column_names else [] for name in dtypes}
    return Schema({name: infer_column(name, dtype, values[name]) for name, dtype in dtypes.items()})


def _join_labels(
    spec: LogSpec, engine: Engine, source: LoadedSource, schema: Schema
) -> tuple[Expression, str, tuple[Any, ...]]:
    """Return the table with the labels of the other file in place of its own, the name of their column, and its ids."""
    if spec.labels is None or spec.id is None:
        raise SourceError("--labels needs --id: name the column that both files have")
    id_column = schema.column(spec.id, "--id")
    opened = engine.open((spec.labels,), ordered=True)
    other = opened.table
    other_schema = read_schema(engine, other.drop(ROW_NUMBER))
    other_schema.folder_keys = opened.folder_keys
    if spec.id not in other_schema:
        raise SourceError(
            f"{sanitize(spec.labels)} has no column {sanitize(spec.id, 60)}: --id names one that both files have"
        )
    label = _label_column(spec, other_schema)
    labels = other.select(
        **{
            JOIN_ID_COLUMN: text_expr(other, other_schema[spec.id]),
            JOINED_LABEL_COLUMN: other[label.name],
            ROW_NUMBER: other[ROW_NUMBER],
        }
    )
    # Of an id that is there twice the last label counts: labels are corrected by writing them again.
    last = labels.group_by(JOIN_ID_COLUMN).agg(
        **{JOINED_LABEL_COLUMN: labels[JOINED_LABEL_COLUMN].argmax(labels[ROW_NUMBER])}
    )
    table = source.table.drop(label.name) if label.name in schema else source.table
    joined = table.mutate(**{JOIN_ID_COLUMN: text_expr(table, id_column)}).left_join(last, JOIN_ID_COLUMN)
    ours = (JOIN_ID_COLUMN, JOINED_LABEL_COLUMN, f"{JOIN_ID_COLUMN}_right")
    names = [name for name in joined.columns if name not in ours]
    labeled = joined.select(*names, joined[JOINED_LABEL_COLUMN].name(label.name))
    return labeled, label.name, other_schema[spec.id].sample


def _label_column(spec: LogSpec, schema: Schema) -> Column:
    if spec.label is not None:
        return schema.column(spec.label, "--label")
    name = guess_column("label", schema.logged()) or guess_column("label", schema)
    if name is None:
        others = sanitize(", ".join(name for name in schema if name != spec.id), 200)
        aliases = ", ".join(COLUMN_ALIASES["label"])
        raise SourceError(f"{sanitize(spec.labels)} has none of the columns {aliases}: give --label; it has {others}")
    return schema[name]


def canonical_rows(loaded: LoadedLog, log: ResolvedLog, engine: Engine) -> Expression:
    """Return the rows under our column names; text is parsed once.

    Args:
        loaded: The log.
        log: The roles of its columns.
        engine: The engine that loaded the log.
    """
    key = ("rows", log.spec, log.features, loaded.source.parses_each_read or (log.clean_columns, log.segments))
    if key not in engine.cache:
        table = loaded.source.table
        rows = table.select(**dict(_RowBuilder(table, loaded.schema, log).columns()))
        if log.spec.counts_ids_once:
            rows = _last_of_each_id(rows)
        engine.cache[key] = engine.materialize(rows) if loaded.source.parses_each_read else rows
    return engine.cache[key]


def unreadable_values(loaded: LoadedLog, log: ResolvedLog, engine: Engine, ours: str, name: str) -> list[str]:
    """Return a few values of a column that are there and are null under our name."""
    table = loaded.source.table
    columns = dict(_RowBuilder(table, loaded.schema, log).columns())
    rows = table.filter(columns[f"{ours}_given"].notnull() & columns[ours].isnull())
    values = fetch(engine, rows.select(value=rows[name].cast("string")).distinct().limit(MAX_EXAMPLES))
    return sorted(values["value"].to_pylist())


def _last_of_each_id(rows: Expression) -> Expression:
    """Return of each id of a model the newest row, of those the last in the file; and all rows without an id."""
    import ibis

    order = [ibis.desc(rows[name]) for name in (AT, ROW_NUMBER) if name in rows.columns]
    is_last = ibis.row_number().over(ibis.window(group_by=[MODEL, ID], order_by=order)) == 0
    return rows.mutate(last=is_last).filter(lambda each: each["last"] | each[ID].isnull()).drop("last")


@dataclass(frozen=True, slots=True)
class _RowBuilder:
    """Expressions for our columns of a log, by their names."""

    table: Expression
    schema: Schema
    log: ResolvedLog

    def columns(self) -> Iterator[tuple[str, Expression]]:
        log = self.log
        yield MODEL, self._model()
        if log.timestamp is not None:
            yield AT, timestamp_expr(self.table, self.schema[log.timestamp], log.timestamp_format)
            yield AT_GIVEN, self._is_given(log.timestamp)
        if log.id is not None:
            # As a number if it is one, so that 2 comes before 10.
            yield ID, self._by_type(log.id)
        if ROW_NUMBER in self.schema:
            yield ROW_NUMBER, self.table[ROW_NUMBER]
        if (group := period_column(log.spec.period)) is not None:
            yield GROUP, text_expr(self.table, self.schema[group])
        yield from self._outcomes()
        for index, name in enumerate(log.segments):
            yield segment_column(index), text_expr(self.table, self.schema[name])
        for name in log.features:
            yield feature_column(name), self._by_type(name)
        yield from self._reference_flag()

    def _model(self) -> Expression:
        """Return the model of each row; the groups of rows without one are dropped later."""
        import ibis

        if self.log.model is None:
            return ibis.literal(self.log.model_name)
        column = self.schema[self.log.model]
        # Text as it is stored groups fastest.
        return self.table[column.name] if column.stored_type is ColumnType.TEXT else text_expr(self.table, column)

    def _by_type(self, name: str) -> Expression:
        column = self.schema[name]
        return (number_expr if column.type is ColumnType.NUMBER else text_expr)(self.table, column)

    def _outcomes(self) -> Iterator[tuple[str, Expression]]:
        import ibis

        log = self.log
        if log.label is None:
            yield LABEL, ibis.null("float64" if log.task is Task.REGRESSION else "int8")
            yield LABEL_GIVEN, ibis.null("boolean")
        else:
            yield from self._with_raw(LABEL, LABEL_GIVEN, log.label, self._outcome(log.label))
        if len(log.scores) == 1:
            name = next(iter(log.scores.values()))
            yield from self._with_raw(SCORE, SCORE_GIVEN, name, self._number(name))
        elif log.scores:
            for index, class_ in enumerate(log.classes):
                yield score_column(index), self._number(log.scores[class_])
        if log.prediction is not None:
            yield from self._with_raw(PREDICTION, PREDICTION_GIVEN, log.prediction, self._outcome(log.prediction))

    def _with_raw(self, name: str, given: str, column: str, value: Expression) -> Iterator[tuple[str, Expression]]:
        yield name, value
        yield given, self._is_given(column)
        if self.schema[column].is_float64:
            yield name + RAW, self.table[column]

    def _outcome(self, name: str) -> Expression:
        """Return a label or a prediction: a number, or the index of its class."""
        import ibis

        if self.log.task is Task.REGRESSION or name in self.log.clean_columns:
            return self._number(name)
        dtype = "int8" if len(self.log.classes) < 100 else "int16"
        own = self.log.class_values.get(name)
        branches = [
            (equals_expr(self.table, self.schema[name], value, is_exact=own is None), ibis.literal(index, dtype))
            for index, value in enumerate(own or self.log.classes)
        ]
        return ibis.cases(*branches)

    def _number(self, name: str) -> Expression:
        return self.table[name] if name in self.log.clean_columns else number_expr(self.table, self.schema[name])

    def _is_given(self, name: str) -> Expression:
        import ibis

        column = self.schema[name]
        if column.stored_type is ColumnType.TEXT:
            is_label = name == self.log.label and self.log.task is not Task.REGRESSION
            # A label that is not there counts with those of no class.
            missing = ("", "nan") if is_label else MISSING_WORDS
            is_present = ~self.table[name].strip().lower().isin(sorted(missing))
            return ibis.cases((is_present, ibis.literal(value=True)))
        return number_expr(self.table, column) if column.is_float64 else self.table[name]

    def _reference_flag(self) -> Iterator[tuple[str, Expression]]:
        import ibis

        written = self.log.spec.reference
        match parse_reference(written):
            case ColumnValue(name, value):
                column = self.schema.column(name, "--reference")
                yield REFERENCE, equals_expr(self.table, column, value).fill_null(False)  # noqa: FBT003  the argument has a private name
            case TimeRange(start, end) if self.log.timestamp is not None:
                at = timestamp_expr(self.table, self.schema[self.log.timestamp], self.log.timestamp_format)
                is_inside = ibis.literal(value=True)
                if start is not None:
                    is_inside &= at >= ibis.literal(start, "timestamp(6)")
                if end is not None:
                    is_inside &= at < ibis.literal(end, "timestamp(6)")
                yield REFERENCE, is_inside
            case TimeRange():
                raise SourceError(f"--reference {sanitize(written, 60)} needs --timestamp: name that column")
            case None:
                pass
