"""The rows of a log in the words of the tallies: whatever its columns were called, here they have our names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modeltop.core.errors import SourceError
from modeltop.core.text import sanitize
from modeltop.predictions import schema as read
from modeltop.predictions.engines.base import ROW_NUMBER, Engine, Expression, LoadedSource
from modeltop.predictions.periods import COLUMN_PREFIX, rows_per_period
from modeltop.predictions.schema import Column, ColumnType, Schema, infer_column
from modeltop.predictions.schema_guess import COLUMN_ALIASES, guess_column
from modeltop.predictions.spec import ColumnValue, LogSpec, ResolvedLog, Task, TimeRange, parse_reference

if TYPE_CHECKING:
    from collections.abc import Iterator


MODEL, AT, LABEL, PREDICTION, SCORE, ID, GROUP, REFERENCE = (
    "model", "at", "label", "prediction", "score", "id", "group", "reference",
)  # fmt: skip
"""Columns of ours. Label and prediction of a classifier are places in the list of classes, null where they are none
of them; those of a regression are numbers."""
LABEL_GIVEN, AT_GIVEN, SCORE_GIVEN, PREDICTION_GIVEN = "label_given", "at_given", "score_given", "prediction_given"
"""Missing where the log has nothing there; whatever else it has, readable or not."""
RAW = "_raw"
"""After the name of a part: a number stored in double precision, as it stands, which may be NaN."""


def score_column(place: int) -> str:
    """Our name of the score of a class of several."""
    return f"score{place}"


def segment_column(place: int) -> str:
    """Our name of a column that cuts."""
    return f"segment{place}"


def feature_column(name: str) -> str:
    """Our name of a feature."""
    return f"feature {name}"


@dataclass(frozen=True, slots=True)
class LoadedLog:
    """A log's table, with the labels of another file beside it, and its columns."""

    source: LoadedSource
    schema: Schema


def canonical_rows(opened: LoadedLog, reading: ResolvedLog, engine: Engine) -> Expression:
    """The table of our columns. It is made once a reading; text is parsed once."""
    parts = (reading.clean_columns, reading.segments, reading.features)
    key = ("rows", reading.spec, opened.source.parses_each_read or parts)
    if key not in engine.cache:
        table = opened.source.table
        made = table.select(**dict(_made(table, opened.schema, reading)))
        engine.cache[key] = engine.materialize(made) if opened.source.parses_each_read else made
    return engine.cache[key]


def _made(table: Expression, columns: Schema, reading: ResolvedLog) -> Iterator[tuple[str, Expression]]:
    import ibis

    log = reading.spec
    model = None if reading.model is None else columns[reading.model]
    yield MODEL, ibis.literal(reading.model_name) if model is None else _model(table, model)
    if reading.timestamp is not None:
        yield AT, read.timestamp_expr(table, columns[reading.timestamp])
        yield AT_GIVEN, _is_given(table, columns, reading.timestamp)
    if reading.id is not None:
        yield ID, _sortable(table, columns, reading.id)
    if ROW_NUMBER in columns:
        yield ROW_NUMBER, table[ROW_NUMBER]
    if log.period.startswith(COLUMN_PREFIX):
        yield GROUP, read.text_expr(table, columns[log.period.removeprefix(COLUMN_PREFIX)])
    yield from _outcomes(table, columns, reading)
    for place, name in enumerate(reading.segments):
        yield segment_column(place), read.text_expr(table, columns[name])
    for name in reading.features:
        column = columns[name]
        numeric = column.type is ColumnType.NUMBER
        yield feature_column(name), read.number_expr(table, column) if numeric else read.text_expr(table, column)
    yield from _reference_flag(table, columns, reading)


def _model(table: Expression, column: read.Column) -> Expression:
    """Text is taken as it stands, which groups fastest; groups without a name are dropped by whoever reads them."""
    return table[column.name] if column.stored_type is ColumnType.TEXT else read.text_expr(table, column)


def _outcomes(table: Expression, columns: Schema, reading: ResolvedLog) -> Iterator[tuple[str, Expression]]:
    import ibis

    if reading.label is None:
        yield LABEL, ibis.null("float64" if reading.task is Task.REGRESSION else "int8")
        yield LABEL_GIVEN, ibis.null("boolean")
    else:
        yield LABEL, _outcome(table, columns, reading.label, reading)
        yield LABEL_GIVEN, _is_given(table, columns, reading.label)
        yield from _raw(table, columns, reading.label, LABEL)
    yield from _scores(table, columns, reading)
    if reading.prediction is not None:
        yield PREDICTION, _outcome(table, columns, reading.prediction, reading)
        yield PREDICTION_GIVEN, _is_given(table, columns, reading.prediction)
        yield from _raw(table, columns, reading.prediction, PREDICTION)


def _outcome(table: Expression, columns: Schema, name: str, reading: ResolvedLog) -> Expression:
    if reading.task is Task.REGRESSION:
        return _number(table, columns, name, reading)
    if name in reading.clean_columns:
        return table[name]
    return _place(table, columns, name, reading.classes)


def _raw(table: Expression, columns: Schema, name: str, part: str) -> Iterator[tuple[str, Expression]]:
    if columns[name].is_float64:
        yield part + RAW, table[name]


def _place(table: Expression, columns: Schema, name: str, classes: tuple[str, ...]) -> Expression:
    import ibis

    branches = [
        (read.equals_expr(table, columns[name], value), ibis.literal(place, "int8" if len(classes) < 100 else "int16"))
        for place, value in enumerate(classes)
    ]
    return ibis.cases(*branches)


def _scores(table: Expression, columns: Schema, reading: ResolvedLog) -> Iterator[tuple[str, Expression]]:
    names = _class_scores(reading.scores, reading.classes)
    if len(names) == 1:
        yield SCORE, _number(table, columns, names[0], reading)
        yield SCORE_GIVEN, _is_given(table, columns, names[0])
        yield from _raw(table, columns, names[0], SCORE)
    elif names:
        for place, name in enumerate(names):
            yield score_column(place), _number(table, columns, name, reading)


def _number(table: Expression, columns: Schema, name: str, reading: ResolvedLog) -> Expression:
    return table[name] if name in reading.clean_columns else read.number_expr(table, columns[name])


def _class_scores(scores: Mapping[str, str], classes: tuple[str, ...]) -> list[str]:
    if len(scores) == 1:
        return list(scores.values())
    return [scores[name] for name in classes] if scores else []


def _is_given(table: Expression, columns: Schema, name: str) -> Expression:
    import ibis

    column = columns[name]
    if column.stored_type is ColumnType.TEXT:
        there = ~table[name].strip().lower().isin(["", "nan"])
        return ibis.cases((there, ibis.literal(value=True)))
    return read.number_expr(table, column) if column.is_float64 else table[name]


def _sortable(table: Expression, columns: Schema, name: str) -> Expression:
    """An identifier in the order in which numbers rise where it is one."""
    column = columns[name]
    return read.number_expr(table, column) if column.type is ColumnType.NUMBER else read.text_expr(table, column)


def _reference_flag(table: Expression, columns: Schema, reading: ResolvedLog) -> Iterator[tuple[str, Expression]]:
    """Whether a row is one of the reference."""
    import ibis

    match parse_reference(reading.spec.reference):
        case ColumnValue(name, value):
            column = columns.column(name, "--reference")
            yield REFERENCE, read.equals_expr(table, column, value).fill_null(False)  # noqa: FBT003  the argument has a private name
        case TimeRange(start, end) if reading.timestamp is not None:
            at = read.timestamp_expr(table, columns[reading.timestamp])
            inside = ibis.literal(value=True)
            if start is not None:
                inside &= at >= ibis.literal(start, "timestamp(6)")
            if end is not None:
                inside &= at < ibis.literal(end, "timestamp(6)")
            yield REFERENCE, inside
        case TimeRange():
            raise SourceError(f"--reference {sanitize(reading.spec.reference, 60)} needs --timestamp: name that column")
        case None:
            pass


def order_columns(reading: ResolvedLog) -> tuple[str, ...]:
    """Our columns by which the rows of a period of so many rows are ordered; none where time alone counts."""
    if reading.timestamp is None:
        return (ROW_NUMBER,)
    return (AT, ID) if reading.id is not None else (AT,)


def has_no_time(log: LogSpec) -> bool:
    """Whether periods are dated by `--start` and `--every` alone."""
    return log.start is not None and (rows_per_period(log.period) is not None or log.period.startswith(COLUMN_PREFIX))


SAMPLE_ROWS = 5_000
"""First rows that tell what the columns are."""
JOIN_ID_COLUMN = "modeltop id"
JOINED_LABEL_COLUMN = "modeltop label"


def load_log(log: LogSpec, engine: Engine) -> LoadedLog:
    """The log as the engine has opened it, once. Raises SourceError."""
    key = ("opened", log)
    if key not in engine.cache:
        engine.cache[key] = _load_log(log, engine)
    found: LoadedLog = engine.cache[key]
    return found


def _load_log(log: LogSpec, engine: Engine) -> LoadedLog:
    source = engine.open(log.sources, ordered=has_no_time(log))
    columns = read_schema(engine, source.table)
    if log.labels is None:
        return LoadedLog(source, columns)
    table, name = _with_labels(log, engine, source, columns)
    joined = LoadedSource(
        table, source.name, is_text=source.is_text, parses_each_read=True, total_bytes=source.total_bytes
    )
    columns[name] = read_schema(engine, table.filter(table[name].notnull()))[name]
    return LoadedLog(joined, columns)


def read_schema(engine: Engine, table: Expression) -> Schema:
    """The columns by their first rows."""
    sample = engine.head(table, SAMPLE_ROWS)
    types: dict[str, Any] = dict(table.schema().items())
    if not types:
        raise SourceError("the log has no columns: correct the path")
    values = {name: sample[name].to_pylist() if name in sample.column_names else [] for name in types}
    return Schema({name: infer_column(name, kind, values[name]) for name, kind in types.items()})


def _with_labels(log: LogSpec, engine: Engine, source: LoadedSource, columns: Schema) -> tuple[Expression, str]:
    """The table with the labels of the other file in place of its own, and the name of their column."""
    if log.labels is None or log.id is None:
        raise SourceError("--labels needs --id: name the column that both files have")
    mine = columns.column(log.id, "--id")
    late = engine.open((log.labels,), ordered=True).table
    theirs = read_schema(engine, late.drop(ROW_NUMBER))
    if log.id not in theirs:
        raise SourceError(
            f"{sanitize(log.labels)} has no column {sanitize(log.id, 60)}: --id names one that both files have"
        )
    label = _label(log, theirs)
    keyed = late.select(
        **{
            JOIN_ID_COLUMN: read.text_expr(late, theirs[log.id]),
            JOINED_LABEL_COLUMN: late[label.name],
            ROW_NUMBER: late[ROW_NUMBER],
        }
    )
    # Of an id that is there twice the last label counts: labels are corrected by writing them again.
    last = keyed.group_by(JOIN_ID_COLUMN).agg(
        **{JOINED_LABEL_COLUMN: keyed[JOINED_LABEL_COLUMN].argmax(keyed[ROW_NUMBER])}
    )
    kept = source.table.drop(label.name) if label.name in columns else source.table
    table = kept.mutate(**{JOIN_ID_COLUMN: read.text_expr(kept, mine)}).left_join(last, JOIN_ID_COLUMN)
    plain = [
        name for name in table.columns if name not in (JOIN_ID_COLUMN, JOINED_LABEL_COLUMN, f"{JOIN_ID_COLUMN}_right")
    ]
    return table.select(*plain, table[JOINED_LABEL_COLUMN].name(label.name)), label.name


def _label(log: LogSpec, theirs: Schema) -> Column:
    if log.label is not None:
        return theirs.column(log.label, "--label")
    name = guess_column("label", theirs)
    if name is None:
        raise SourceError(
            f"{sanitize(log.labels)} has none of the columns {', '.join(COLUMN_ALIASES['label'])}: give --label"
        )
    return theirs[name]
