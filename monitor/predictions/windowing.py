"""Rows with the period each belongs to, and when those periods start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from modeltop.core.errors import SourceError
from modeltop.core.series import DATETIME_DTYPE, to_datetime64
from modeltop.core.text import sanitize
from modeltop.predictions import loading as ours
from modeltop.predictions.engines.base import ROW_NUMBER, Engine, Expression, fetch
from modeltop.predictions.loading import load_log
from modeltop.predictions.periods import COLUMN_PREFIX, Period, parse_period, rows_per_period, utc_offset_changes
from modeltop.predictions.queries.arrow import column_to_numpy
from modeltop.predictions.schema import parse_timestamp
from modeltop.predictions.spec import LogSpec, ResolvedLog

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modeltop.core.series import Times

if TYPE_CHECKING:
    from numpy.typing import NDArray


PERIOD_KEY = "period"
"""Our column that tells the periods of a model apart: a local time, a number or a value."""
PeriodStarts = Callable[["NDArray[np.object_]", "NDArray[Any]"], "Times"]
"""From models and keys to the starts of the periods, UTC; NaT where a period is not to be read."""


@dataclass(frozen=True, slots=True)
class WindowedRows:
    """Rows that are read, with their keys, and what the keys mean."""

    table: Expression
    period_starts: PeriodStarts
    keys_sorted: bool
    """Whether the periods of a model come in the order of their keys."""


def assign_periods(reading: ResolvedLog, engine: Engine, *, since: np.datetime64 | None = None) -> WindowedRows:
    """The rows by period.

    Args:
        reading: The log.
        engine: What opened it.
        since: Periods that end before are left out; UTC.
    """
    table = with_period_key(reading, engine)
    if is_calendar(reading):
        return _calendar_rows(table, reading, since)
    found = _starts(table, reading, engine)
    if since is not None:
        found = {key: start for key, start in found.items() if start >= since}
    return WindowedRows(table, _lookup_starts(found), keys_sorted=bool(rows_per_period(reading.spec.period)))


def is_calendar(reading: ResolvedLog) -> bool:
    """Whether the periods are spans of time, and not runs of rows or values of a column."""
    return rows_per_period(reading.spec.period) is None and not reading.spec.period.startswith(COLUMN_PREFIX)


def with_period_key(reading: ResolvedLog, engine: Engine) -> Expression:
    """The rows with the column that tells periods apart.

    Those of a calendar may lack a model or a time: their groups are dropped by whoever reads them.
    """
    table = ours.canonical_rows(load_log(reading.spec, engine), reading, engine)
    if is_calendar(reading):
        period = parse_period(reading.spec.period, reading.spec.timezone)
        local = _local(table[ours.AT], reading, period)
        return table.mutate(**{PERIOD_KEY: local.date() if period.grain == "D" else local.truncate(period.grain)})
    table = _valid_rows(table, reading)
    return _chunks(table, reading) if rows_per_period(reading.spec.period) else _values(table)


def reference_rows(reading: ResolvedLog, engine: Engine) -> Expression:
    """The rows of the reference."""
    table = ours.canonical_rows(load_log(reading.spec, engine), reading, engine)
    return _valid_rows(table.filter(table[ours.REFERENCE]), reading)


def windowed_reference(reading: ResolvedLog, engine: Engine) -> WindowedRows:
    """The rows of the reference as one period a model, which starts with the first of them."""
    import ibis

    table = reference_rows(reading, engine).mutate(**{PERIOD_KEY: ibis.literal(0)})
    found = _starts(table, reading, engine)
    if not found:
        raise SourceError(f"--reference {sanitize(reading.spec.reference, 60)}: no row of the log is in it; correct it")
    return WindowedRows(table, _lookup_starts(found), keys_sorted=True)


def _valid_rows(table: Expression, reading: ResolvedLog) -> Expression:
    """The rows that have a model and a time."""
    found = table.filter(table[ours.MODEL].notnull())
    return found if reading.timestamp is None else found.filter(found[ours.AT].notnull())


def _calendar_rows(table: Expression, reading: ResolvedLog, since: np.datetime64 | None) -> WindowedRows:
    import ibis

    period = parse_period(reading.spec.period, reading.spec.timezone)
    if since is not None:
        table = table.filter(table[ours.AT] >= ibis.literal(_naive(period.start(since)), "timestamp(6)"))

    def dates(_: NDArray[np.object_], keys: NDArray[Any]) -> Times:
        return period.starts(keys.astype(DATETIME_DTYPE))

    return WindowedRows(table, dates, keys_sorted=True)


def first_period_start(reading: ResolvedLog, since: np.datetime64) -> np.datetime64:
    """The start of the first period that is read: of a calendar, the one in which the moment lies."""
    return parse_period(reading.spec.period, reading.spec.timezone).start(since) if is_calendar(reading) else since


def _local(at: Expression, reading: ResolvedLog, period: Period) -> Expression:
    """Moments on the clock by which periods are cut."""
    import ibis

    if reading.first_row_at is None or reading.last_row_at is None:
        return at
    shifts = utc_offset_changes(
        period, np.datetime64(reading.first_row_at, "us"), np.datetime64(reading.last_row_at, "us")
    )
    seconds = [int(shift / np.timedelta64(1, "s")) for _, shift in shifts]
    moved = [at + ibis.interval(seconds=ahead) if ahead else at for ahead in seconds]
    if len(moved) == 1:
        return moved[0]
    ends = [at < ibis.literal(_naive(moment), "timestamp(6)") for moment, _ in shifts[1:]]
    return ibis.cases(*zip(ends, moved, strict=False), else_=moved[-1])


def _naive(moment: np.datetime64) -> datetime:
    found: datetime = moment.astype(DATETIME_DTYPE).item()
    return found


def _chunks(table: Expression, reading: ResolvedLog) -> Expression:
    """So many rows at a time, in the order of time, then of the identifier."""
    import ibis

    order = ibis.window(group_by=ours.MODEL, order_by=[table[name] for name in ours.order_columns(reading)])
    number = ibis.row_number().over(order)
    return table.mutate(**{PERIOD_KEY: (number // rows_per_period(reading.spec.period)).cast("int64")})


def _values(table: Expression) -> Expression:
    return table.filter(table[ours.GROUP].notnull()).mutate(**{PERIOD_KEY: table[ours.GROUP]})


def _starts(table: Expression, reading: ResolvedLog, engine: Engine) -> dict[tuple[str, Any], np.datetime64]:
    """The start of each period of a model: its first row, or as `--start` and `--every` say."""
    timeless = reading.spec.start is not None
    first = table[ROW_NUMBER] if timeless else table[ours.AT]
    found = fetch(engine, table.group_by([ours.MODEL, PERIOD_KEY]).agg(start=first.min()))
    if not found.num_rows:
        return {}
    models, keys = found[ours.MODEL].to_pylist(), found[PERIOD_KEY].to_pylist()
    starts = column_to_numpy(found["start"].combine_chunks())
    # Periods of one model that would start at the same moment are told apart by a microsecond.
    order = sorted(range(len(models)), key=lambda at: (models[at], starts[at], keys[at]))
    spaced = _nth_start(reading.spec) if timeless else None
    dated: dict[tuple[str, Any], np.datetime64] = {}
    before, place = None, 0
    for at in order:
        place = place + 1 if before is not None and before[0] == models[at] else 0
        start = spaced(place) if spaced else starts[at].astype(DATETIME_DTYPE)
        if place and before is not None and start <= before[1]:
            start = before[1] + np.timedelta64(1, "us")
        dated[models[at], keys[at]] = start
        before = (models[at], start)
    return dated


def _nth_start(log: LogSpec) -> Callable[[int], np.datetime64]:
    """The start of the n-th period of a log without times."""
    start = parse_timestamp(log.start or "")
    if start is None:
        raise SourceError(f"--start {sanitize(log.start, 40)} is no ISO date: write such as 2025-01-01")
    period = parse_period(log.every or "D", log.timezone)
    known = [to_datetime64(start if start.tzinfo else start.replace(tzinfo=UTC))]

    def at(place: int) -> np.datetime64:
        while len(known) <= place:
            known.append(period.end(known[-1]))
        return known[place]

    return at


def _lookup_starts(found: dict[tuple[str, Any], np.datetime64]) -> PeriodStarts:
    def dates(models: NDArray[np.object_], keys: NDArray[Any]) -> Times:
        nowhere = np.datetime64("NaT", "us")
        pairs = zip(models.tolist(), keys.tolist(), strict=True)
        return np.array([found.get(pair, nowhere) for pair in pairs], dtype=DATETIME_DTYPE)

    return dates


def dictionary_encode(table: Expression, engine: Engine) -> tuple[str, ...]:
    """The names of the models in their order; none where the engine has no use for them, or they are too many."""
    if not engine.max_dictionary_size:
        return ()
    found = fetch(engine, table.select(ours.MODEL).distinct().limit(engine.max_dictionary_size + 3))
    names = {name for name in found[ours.MODEL].to_pylist() if name} if found.num_rows else set()
    return tuple(sorted(names)) if len(names) <= engine.max_dictionary_size else ()


def encode(model: Expression, names: tuple[str, ...]) -> Expression:
    """The place of the name, from 1 on; 0 or missing where it is none of them."""
    import ibis

    signature = (("array<string>", "string"), "int32")
    place = ibis.udf.scalar.builtin(_of_engine, name="list_position", signature=signature)
    # The remainder changes nothing: it tells the engine how large the number can get.
    return place(ibis.array(list(names)), model).cast("uint8") % (len(names) + 1)


def decode(codes: NDArray[Any], names: tuple[str, ...]) -> NDArray[np.object_]:
    """The names back; None where there was none.

    >>> decode(np.array([2, 0, 1, -1]), ("a", "b")).tolist()
    ['b', None, 'a', None]
    """
    words = np.array([None, *names, None], dtype=object)
    found: NDArray[np.object_] = words[codes]
    return found


def _of_engine(_: list[str], __: str) -> int:
    """Stands for a function that the engine has."""
    raise NotImplementedError
