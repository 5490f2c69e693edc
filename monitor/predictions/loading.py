"""The rows of a log in the words of the tallies: whatever its columns were called, here they have our names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modeltop.core.errors import SourceError
from modeltop.core.text import safe
from modeltop.predictions import schema as read
from modeltop.predictions.engines.base import ROW, Engine, Expression, Source
from modeltop.predictions.periods import COLUMN, rows_of
from modeltop.predictions.schema import Column, Columns, Kind, describe
from modeltop.predictions.schema_guess import GUESSES, guess
from modeltop.predictions.spec import Log, Range, Reading, Task, Value, parse

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


def score_of(place: int) -> str:
    """Our name of the score of a class of several."""
    return f"score{place}"


def segment_of(place: int) -> str:
    """Our name of a column that cuts."""
    return f"segment{place}"


def feature_of(name: str) -> str:
    """Our name of a feature."""
    return f"feature {name}"


@dataclass(frozen=True, slots=True)
class Opened:
    """A log's table, with the labels of another file beside it, and its columns."""

    source: Source
    columns: Columns


def rows(opened: Opened, reading: Reading, engine: Engine) -> Expression:
    """The table of our columns. It is made once a reading; text is parsed once."""
    parts = (reading.plain, reading.segments, reading.features)
    key = ("rows", reading.log, opened.source.parsed or parts)
    if key not in engine.cache:
        table = opened.source.table
        made = table.select(**dict(_made(table, opened.columns, reading)))
        engine.cache[key] = engine.keep(made) if opened.source.parsed else made
    return engine.cache[key]


def _made(table: Expression, columns: Columns, reading: Reading) -> Iterator[tuple[str, Expression]]:
    import ibis

    log = reading.log
    model = None if reading.model is None else columns[reading.model]
    yield MODEL, ibis.literal(reading.model_name) if model is None else _model(table, model)
    if reading.timestamp is not None:
        yield AT, read.moment(table, columns[reading.timestamp])
        yield AT_GIVEN, _given(table, columns, reading.timestamp)
    if reading.id is not None:
        yield ID, _sortable(table, columns, reading.id)
    if ROW in columns:
        yield ROW, table[ROW]
    if log.period.startswith(COLUMN):
        yield GROUP, read.text(table, columns[log.period.removeprefix(COLUMN)])
    yield from _outcomes(table, columns, reading)
    for place, name in enumerate(reading.segments):
        yield segment_of(place), read.text(table, columns[name])
    for name in reading.features:
        column = columns[name]
        numeric = column.kind is Kind.NUMBER
        yield feature_of(name), read.number(table, column) if numeric else read.text(table, column)
    yield from _referred(table, columns, reading)


def _model(table: Expression, column: read.Column) -> Expression:
    """Text is taken as it stands, which groups fastest; groups without a name are dropped by whoever reads them."""
    return table[column.name] if column.stored is Kind.TEXT else read.text(table, column)


def _outcomes(table: Expression, columns: Columns, reading: Reading) -> Iterator[tuple[str, Expression]]:
    import ibis

    if reading.label is None:
        yield LABEL, ibis.null("float64" if reading.task is Task.REGRESSION else "int8")
        yield LABEL_GIVEN, ibis.null("boolean")
    else:
        yield LABEL, _outcome(table, columns, reading.label, reading)
        yield LABEL_GIVEN, _given(table, columns, reading.label)
        yield from _raw(table, columns, reading.label, LABEL)
    yield from _scores(table, columns, reading)
    if reading.prediction is not None:
        yield PREDICTION, _outcome(table, columns, reading.prediction, reading)
        yield PREDICTION_GIVEN, _given(table, columns, reading.prediction)
        yield from _raw(table, columns, reading.prediction, PREDICTION)


def _outcome(table: Expression, columns: Columns, name: str, reading: Reading) -> Expression:
    if reading.task is Task.REGRESSION:
        return _number(table, columns, name, reading)
    if name in reading.plain:
        return table[name]
    return _place(table, columns, name, reading.classes)


def _raw(table: Expression, columns: Columns, name: str, part: str) -> Iterator[tuple[str, Expression]]:
    if columns[name].double:
        yield part + RAW, table[name]


def _place(table: Expression, columns: Columns, name: str, classes: tuple[str, ...]) -> Expression:
    import ibis

    branches = [
        (read.is_value(table, columns[name], value), ibis.literal(place, "int8" if len(classes) < 100 else "int16"))
        for place, value in enumerate(classes)
    ]
    return ibis.cases(*branches)


def _scores(table: Expression, columns: Columns, reading: Reading) -> Iterator[tuple[str, Expression]]:
    names = _ordered(reading.scores, reading.classes)
    if len(names) == 1:
        yield SCORE, _number(table, columns, names[0], reading)
        yield SCORE_GIVEN, _given(table, columns, names[0])
        yield from _raw(table, columns, names[0], SCORE)
    elif names:
        for place, name in enumerate(names):
            yield score_of(place), _number(table, columns, name, reading)


def _number(table: Expression, columns: Columns, name: str, reading: Reading) -> Expression:
    return table[name] if name in reading.plain else read.number(table, columns[name])


def _ordered(scores: Mapping[str, str], classes: tuple[str, ...]) -> list[str]:
    if len(scores) == 1:
        return list(scores.values())
    return [scores[name] for name in classes] if scores else []


def _given(table: Expression, columns: Columns, name: str) -> Expression:
    import ibis

    column = columns[name]
    if column.stored is Kind.TEXT:
        there = ~table[name].strip().lower().isin(["", "nan"])
        return ibis.cases((there, ibis.literal(value=True)))
    return read.number(table, column) if column.double else table[name]


def _sortable(table: Expression, columns: Columns, name: str) -> Expression:
    """An identifier in the order in which numbers rise where it is one."""
    column = columns[name]
    return read.number(table, column) if column.kind is Kind.NUMBER else read.text(table, column)


def _referred(table: Expression, columns: Columns, reading: Reading) -> Iterator[tuple[str, Expression]]:
    """Whether a row is one of the reference."""
    import ibis

    match parse(reading.log.reference):
        case Value(name, value):
            column = columns.find(name, "--reference")
            yield REFERENCE, read.is_value(table, column, value).fill_null(False)  # noqa: FBT003  the argument has a private name
        case Range(start, end) if reading.timestamp is not None:
            at = read.moment(table, columns[reading.timestamp])
            inside = ibis.literal(value=True)
            if start is not None:
                inside &= at >= ibis.literal(start, "timestamp(6)")
            if end is not None:
                inside &= at < ibis.literal(end, "timestamp(6)")
            yield REFERENCE, inside
        case Range():
            raise SourceError(f"--reference {safe(reading.log.reference, 60)} needs --timestamp: name that column")
        case None:
            pass


def order_of(reading: Reading) -> tuple[str, ...]:
    """Our columns by which the rows of a period of so many rows are ordered; none where time alone counts."""
    if reading.timestamp is None:
        return (ROW,)
    return (AT, ID) if reading.id is not None else (AT,)


def timeless(log: Log) -> bool:
    """Whether periods are dated by `--start` and `--every` alone."""
    return log.start is not None and (rows_of(log.period) is not None or log.period.startswith(COLUMN))


SAMPLE = 5_000
"""First rows that tell what the columns are."""
JOINED = "modeltop id"
LATE = "modeltop label"


def opened(log: Log, engine: Engine) -> Opened:
    """The log as the engine has opened it, once. Raises SourceError."""
    key = ("opened", log)
    if key not in engine.cache:
        engine.cache[key] = _opened(log, engine)
    found: Opened = engine.cache[key]
    return found


def _opened(log: Log, engine: Engine) -> Opened:
    source = engine.open(log.sources, ordered=timeless(log))
    columns = look(engine, source.table)
    if log.labels is None:
        return Opened(source, columns)
    table, name = _with_labels(log, engine, source, columns)
    joined = Source(table, source.name, textual=source.textual, parsed=True, bytes=source.bytes)
    columns[name] = look(engine, table.filter(table[name].notnull()))[name]
    return Opened(joined, columns)


def look(engine: Engine, table: Expression) -> Columns:
    """The columns by their first rows."""
    sample = engine.head(table, SAMPLE)
    types: dict[str, Any] = dict(table.schema().items())
    if not types:
        raise SourceError("the log has no columns: correct the path")
    values = {name: sample[name].to_pylist() if name in sample.column_names else [] for name in types}
    return Columns({name: describe(name, kind, values[name]) for name, kind in types.items()})


def _with_labels(log: Log, engine: Engine, source: Source, columns: Columns) -> tuple[Expression, str]:
    """The table with the labels of the other file in place of its own, and the name of their column."""
    if log.labels is None or log.id is None:
        raise SourceError("--labels needs --id: name the column that both files have")
    mine = columns.find(log.id, "--id")
    late = engine.open((log.labels,), ordered=True).table
    theirs = look(engine, late.drop(ROW))
    if log.id not in theirs:
        raise SourceError(f"{safe(log.labels)} has no column {safe(log.id, 60)}: --id names one that both files have")
    label = _label(log, theirs)
    keyed = late.select(**{JOINED: read.text(late, theirs[log.id]), LATE: late[label.name], ROW: late[ROW]})
    # Of an id that is there twice the last label counts: labels are corrected by writing them again.
    last = keyed.group_by(JOINED).agg(**{LATE: keyed[LATE].argmax(keyed[ROW])})
    kept = source.table.drop(label.name) if label.name in columns else source.table
    table = kept.mutate(**{JOINED: read.text(kept, mine)}).left_join(last, JOINED)
    plain = [name for name in table.columns if name not in (JOINED, LATE, f"{JOINED}_right")]
    return table.select(*plain, table[LATE].name(label.name)), label.name


def _label(log: Log, theirs: Columns) -> Column:
    if log.label is not None:
        return theirs.find(log.label, "--label")
    name = guess("label", theirs)
    if name is None:
        raise SourceError(f"{safe(log.labels)} has none of the columns {', '.join(GUESSES['label'])}: give --label")
    return theirs[name]
