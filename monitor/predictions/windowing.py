"""Rows with the period each belongs to, and when those periods start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modeltop.core.errors import SourceError
from modeltop.core.series import DATETIME_DTYPE, Times, to_datetime64
from modeltop.core.text import sanitize
from modeltop.predictions.engines.base import ROW_NUMBER, Engine, Expression, fetch
from modeltop.predictions.loading import AT, GROUP, ID, MODEL, REFERENCE, canonical_rows, load_log
from modeltop.predictions.periods import Period, is_calendar, parse_period, rows_per_period, utc_offset_changes
from modeltop.predictions.queries.arrow import column_to_numpy
from modeltop.predictions.schema import parse_timestamp
from modeltop.predictions.spec import ColumnValue, LogSpec, ResolvedLog, TimeRange, parse_reference

PERIOD_KEY = "period"
"""Our column that distinguishes the periods of a model: a local time, a number or a value."""
CHUNKS_PER_PART = 1 << 40
"""More than the chunks of the rows before, in or after the reference."""
PeriodStarts = Callable[[NDArray[np.object_], NDArray[Any]], Times]
"""A function from models and period keys to the starts of the periods, UTC; NaT for a period that is not read."""


@dataclass(frozen=True, slots=True)
class WindowedRows:
    """Rows with their period keys, and the meaning of the keys."""

    table: Expression
    period_starts: PeriodStarts
    keys_sorted: bool
    """Whether the periods of a model come in the order of their keys."""


def assign_periods(log: ResolvedLog, engine: Engine, *, since: np.datetime64 | None = None) -> WindowedRows:
    """Return the rows of a log by period.

    Args:
        log: The resolved log.
        engine: The engine that loaded it.
        since: Periods that end before it are left out; UTC.
    """
    table = with_period_key(log, engine)
    if is_calendar(log.spec.period):
        period = parse_period(log.spec.period, log.spec.timezone)
        if since is not None:
            table = table.filter(table[AT] >= _timestamp(period.start(since)))
        return WindowedRows(table, lambda _, keys: period.starts(keys.astype(DATETIME_DTYPE)), keys_sorted=True)
    starts = _query_starts(table, log, engine)
    if since is not None:
        starts = {key: start for key, start in starts.items() if start >= since}
    return WindowedRows(table, _lookup(starts), keys_sorted=_is_in_order(log.spec))


def _is_in_order(spec: LogSpec) -> bool:
    """Return whether keys are numbers of chunks in the order of time; rows of a value may come before and after."""
    return bool(rows_per_period(spec.period)) and not isinstance(parse_reference(spec.reference), ColumnValue)


def with_period_key(log: ResolvedLog, engine: Engine) -> Expression:
    """Return the rows with their period keys.

    Those of a calendar may lack a model or a time: their groups are dropped later, which is faster.
    """
    table = canonical_rows(load_log(log.spec, engine), log, engine)
    if is_calendar(log.spec.period):
        period = parse_period(log.spec.period, log.spec.timezone)
        local = _to_local(table[AT], log, period)
        return table.mutate(**{PERIOD_KEY: local.date() if period.grain == "D" else local.truncate(period.grain)})
    table = _valid_rows(table, log)
    size = rows_per_period(log.spec.period)
    if size is None:
        return table.filter(table[GROUP].notnull()).mutate(**{PERIOD_KEY: table[GROUP]})
    return _with_chunk_number(table, log, size)


def reference_rows(log: ResolvedLog, engine: Engine) -> Expression:
    """Return the rows of the reference."""
    table = canonical_rows(load_log(log.spec, engine), log, engine)
    return _valid_rows(table.filter(table[REFERENCE]), log)


def windowed_reference(log: ResolvedLog, engine: Engine) -> WindowedRows:
    """Return the rows of the reference as one period a model, which starts with the first of them.

    Raises:
        SourceError: No row is in the reference.
    """
    import ibis

    table = reference_rows(log, engine).mutate(**{PERIOD_KEY: ibis.literal(0)})
    starts = _query_starts(table, log, engine)
    if not starts:
        raise SourceError(f"--reference {sanitize(log.spec.reference, 60)}: no row of the log is in it; correct it")
    return WindowedRows(table, _lookup(starts), keys_sorted=True)


def first_period_start(log: ResolvedLog, since: np.datetime64) -> np.datetime64:
    """Return the start of the first period that is read: for a calendar, the period that contains `since`."""
    return parse_period(log.spec.period, log.spec.timezone).start(since) if is_calendar(log.spec.period) else since


def _valid_rows(table: Expression, log: ResolvedLog) -> Expression:
    """Return the rows that have a model and a time."""
    table = table.filter(table[MODEL].notnull())
    return table if log.timestamp is None else table.filter(table[AT].notnull())


def _to_local(at: Expression, log: ResolvedLog, period: Period) -> Expression:
    """Return moments of UTC as local times, by which periods are cut."""
    import ibis

    if log.first_row_at is None or log.last_row_at is None:
        return at
    first, last = (np.datetime64(moment, "us") for moment in (log.first_row_at, log.last_row_at))
    changes = utc_offset_changes(period, first, last)
    offsets = [int(offset / np.timedelta64(1, "s")) for _, offset in changes]
    shifted = [at + ibis.interval(seconds=offset) if offset else at for offset in offsets]
    if len(shifted) == 1:
        return shifted[0]
    before_change = [at < _timestamp(moment) for moment, _ in changes[1:]]
    return ibis.cases(*zip(before_change, shifted, strict=False), else_=shifted[-1])


def _timestamp(moment: np.datetime64) -> Expression:
    import ibis

    naive: datetime = moment.astype(DATETIME_DTYPE).item()
    return ibis.literal(naive, "timestamp(6)")


def _with_chunk_number(table: Expression, log: ResolvedLog, size: int) -> Expression:
    """Return the rows with the number of their chunk, by time, then identifier; without times, in the file's order.

    Rows of the reference are counted apart from others; of a range, those before and after it, too.
    """
    import ibis

    order = (ROW_NUMBER,) if log.timestamp is None else (AT,) if log.id is None else (AT, ID)
    part = ibis.literal(0)
    match parse_reference(log.spec.reference):
        case TimeRange(datetime() as start):
            part = ibis.cases((table[AT] < ibis.literal(start, "timestamp(6)"), 0), (table[REFERENCE], 1), else_=2)
        case TimeRange() | ColumnValue():
            part = ibis.cases((table[REFERENCE], 0), else_=1)
    table = table.mutate(part=part)
    rows = ibis.row_number().over(ibis.window(group_by=[MODEL, "part"], order_by=[table[name] for name in order]))
    number = table["part"].cast("int64") * CHUNKS_PER_PART + (rows // size).cast("int64")
    return table.mutate(**{PERIOD_KEY: number}).drop("part")


def _query_starts(table: Expression, log: ResolvedLog, engine: Engine) -> dict[tuple[str, Any], np.datetime64]:
    """Return the start of each period by model and key: its first row, or as given by `--start` and `--every`."""
    is_timeless = log.spec.start is not None
    first = table[ROW_NUMBER] if is_timeless else table[AT]
    groups = fetch(engine, table.group_by([MODEL, PERIOD_KEY]).agg(start=first.min()))
    if not groups.num_rows:
        return {}
    models, keys = groups[MODEL].to_pylist(), groups[PERIOD_KEY].to_pylist()
    firsts = column_to_numpy(groups["start"].combine_chunks())
    nth_start = _nth_start(log.spec) if is_timeless else None
    starts: dict[tuple[str, Any], np.datetime64] = {}
    model, number = None, 0
    previous: np.datetime64 | None = None
    for row in sorted(range(len(models)), key=lambda row: (models[row], firsts[row], keys[row])):
        number = number + 1 if models[row] == model else 0
        start = nth_start(number) if nth_start else firsts[row].astype(DATETIME_DTYPE)
        # Periods of one model that would start at the same moment are kept apart by a microsecond.
        if number and previous is not None and start <= previous:
            start = previous + np.timedelta64(1, "us")
        model, previous = models[row], start
        starts[models[row], keys[row]] = start
    return starts


def _nth_start(spec: LogSpec) -> Callable[[int], np.datetime64]:
    """Return a function from the number of a period to its start, for a log without times."""
    start = parse_timestamp(spec.start or "")
    if start is None:
        raise SourceError(f"--start {sanitize(spec.start, 40)} is not an ISO date: write one such as 2025-01-01")
    period = parse_period(spec.every or "D", spec.timezone)
    starts = [to_datetime64(start if start.tzinfo else start.replace(tzinfo=UTC))]

    def nth(number: int) -> np.datetime64:
        while len(starts) <= number:
            starts.append(period.end(starts[-1]))
        return starts[number]

    return nth


def _lookup(starts: dict[tuple[str, Any], np.datetime64]) -> PeriodStarts:
    def period_starts(models: NDArray[np.object_], keys: NDArray[Any]) -> Times:
        missing = np.datetime64("NaT", "us")
        pairs = zip(models.tolist(), keys.tolist(), strict=True)
        return np.array([starts.get(pair, missing) for pair in pairs], dtype=DATETIME_DTYPE)

    return period_starts


def dictionary_encode(table: Expression, engine: Engine) -> tuple[str, ...]:
    """Return the names of the models, sorted; none if grouping by codes is no faster, or they are too many."""
    if not engine.max_dictionary_size:
        return ()
    groups = fetch(engine, table.select(MODEL).distinct().limit(engine.max_dictionary_size + 3))
    names = {name for name in groups[MODEL].to_pylist() if name} if groups.num_rows else set()
    return tuple(sorted(names)) if len(names) <= engine.max_dictionary_size else ()


def encode(model: Expression, names: tuple[str, ...]) -> Expression:
    """Return the code of each name: its index, from 1 on; 0 or null if it is none of them."""
    import ibis

    signature = (("array<string>", "string"), "int32")
    list_position = ibis.udf.scalar.builtin(_list_position, name="list_position", signature=signature)
    # The remainder changes nothing: it gives the engine an upper bound of the number.
    return list_position(ibis.array(list(names)), model).cast("uint8") % (len(names) + 1)


def decode(codes: NDArray[Any], names: tuple[str, ...]) -> NDArray[np.object_]:
    """Return the names of codes; None if there was none.

    >>> decode(np.array([2, 0, 1, -1]), ("a", "b")).tolist()
    ['b', None, 'a', None]
    """
    return np.asarray(np.array([None, *names, None], dtype=object)[codes])


def _list_position(_: list[str], __: str) -> int:
    """Represent a function of the engine."""
    raise NotImplementedError
