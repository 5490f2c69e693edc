"""A log's table is opened and its first rows are looked at; labels of another file are put beside it."""

from __future__ import annotations

from typing import Any

from monitor.errors import SourceError
from monitor.logs import columns as read
from monitor.logs.columns import Column, Columns, describe
from monitor.logs.engine import ROW, Engine, Expression, Source
from monitor.logs.guess import GUESSES, guess
from monitor.logs.log import Log
from monitor.logs.rows import Opened, timeless
from monitor.text import safe

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
