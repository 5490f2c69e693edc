"""Which columns tell the rows of one date apart, and what they are: model, segment or metric."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from modeltop.core.metrics.names import name_key, split_words
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import FaultReason, Flags, ReadFault, Times
from modeltop.history.collisions import DAY, MAX_CORRECTED_DATES, are_days_among_hours
from modeltop.history.csv.cells import parse_flag
from modeltop.history.csv.header import (
    IDENTITY_NAMES,
    METRIC_NAMES,
    MODEL_NAMES,
    SEGMENT_NAMES,
    CsvSchema,
    RowIdentity,
)
from modeltop.history.csv.header_search import is_value
from modeltop.history.csv.layout import Layout, suggest_settings
from modeltop.history.csv.number_formats import NumberFormat
from modeltop.history.csv.table import CodedColumn, CsvTable

Codes = NDArray[np.int64]
"""Per row an index into the distinct cells of one or more columns."""

MAX_TOGETHER = 4
"""Columns that may tell rows apart only together."""
MAX_TRIED = 12
"""Columns that are tried, the likeliest first."""
MAX_VALUES = 1_000
"""Distinct cells of a column of segments; more are identifiers of single rows."""
MAX_NUMBERS = 50
"""Distinct whole numbers of such a column."""
MIN_ROWS = 3
"""Rows that each of its cells has on average: an identifier of a row or of a run has one or two."""
SAMPLE = 20_000
"""Colliding rows on which columns are tried; what is found there must hold for all."""
TIME_NAMES = frozenset({"time", "hour", "minute", "hh", "hhmm", "timeofday", "hourofday"})
"""Columns that are a part of the date."""
DATE_FORM = -1
"""In place of a column: whether the date has a time of day."""
_CLOCK = re.compile(r"\d{1,2}(:\d{2}){1,2}(\.\d+)?( ?[AaPp][Mm])?")
_MODEL, _METRIC, _SEGMENT, _TEXT, _NUMBER, _DATE_FORM, _TIME, _UNUSABLE = range(8)
"""Ranks of columns, by what their names and cells say."""


@dataclass(frozen=True, slots=True)
class _Column:
    index: int
    name: str
    rank: int


def find_identity(schema: CsvSchema, rows: CsvTable, times: Times, catalog: MetricRegistry) -> CsvSchema | ReadFault:
    """Return the schema with a role for the columns that tell rows apart, or what to write if none can have one.

    Rows collide if they have one date, model, segment and metric and different values. At no more than
    `MAX_CORRECTED_DATES` dates a later row is a correction of an earlier one, unless a column called like a model tells
    them apart, one with another known name does at most dates, or more rows are overwritten than there are dates.

    Args:
        schema: By the header.
        rows: One or more.
        times: The date of each row; NaT where it has none.
        catalog: The metrics.
    """
    table = _DatedRows.of(schema, rows, times)
    dates = table.dates_in_conflict(())
    overwritten, all_dates = int(table.in_conflict(()).sum()) - dates, len(np.unique(table.dates))
    if not dates:
        return schema
    may_be_corrections = (
        dates <= MAX_CORRECTED_DATES
        and overwritten <= max(MAX_CORRECTED_DATES, all_dates)
        and not table.has_days_among_hours()
    )
    columns = list(_columns(schema, table, catalog))
    sample = table.take(np.flatnonzero(table.in_conflict(()))[:SAMPLE])
    remaining = 0 if dates <= MAX_CORRECTED_DATES else MAX_CORRECTED_DATES
    usable = [column for column in columns if column.rank < _UNUSABLE]
    if may_be_corrections:
        has_hours = len(np.unique(table.stamps % DAY)) > 1
        ranks = [_MODEL, _TIME] + [_DATE_FORM] * has_hours + [_METRIC, _SEGMENT] * (2 * dates >= all_dates)
        usable = [column for column in columns if column.rank in ranks]
    for chosen in _combinations(usable, MAX_TOGETHER):
        indices = [column.index for column in chosen]
        if all(each.dates_in_conflict(indices) <= remaining for each in (sample, table)):
            return _with_roles(schema, chosen, table, catalog)
    return schema if may_be_corrections else _fault(columns, sample, table, remaining)


@dataclass(frozen=True, slots=True, eq=False)
class _DatedRows:
    """Rows with a date; all arrays have one entry per row."""

    rows: CsvTable
    stamps: Codes
    dates: Codes
    """Which date."""
    series: Codes
    """Which model, segment and metric."""
    values: Mapping[int, Codes]
    """Value column → which value; -1 for none."""
    date: int

    @classmethod
    def of(cls, schema: CsvSchema, rows: CsvTable, times: Times) -> _DatedRows:
        """Return the rows that have a date and are no provisional ones, which later rows replace."""
        kept = ~np.isnat(times)
        if schema.provisional is not None:
            flags = rows.coded(schema.provisional)
            kept &= ~np.array([_is_true(cell) for cell in flags.cells])[flags.codes]
        rows, moments = rows.take(kept), times[kept].view(np.int64)
        series = np.zeros(len(rows), np.int64)
        for index in (schema.model, schema.segment, schema.metric, *schema.segments):
            series = series if index is None else _combine(series, _stripped_codes(rows.coded(index)))
        columns = [column for column in schema.numbers if column.role == "value"]
        values = {column.index: _value_codes(rows.coded(column.index), column.format) for column in columns}
        return cls(rows, moments, np.unique(moments, return_inverse=True)[1], series, values, schema.date)

    def take(self, rows: NDArray[np.intp]) -> _DatedRows:
        """Return some of the rows."""
        return replace(
            self,
            rows=self.rows.take(np.isin(np.arange(len(self.rows)), rows)),
            stamps=self.stamps[rows],
            dates=self.dates[rows],
            series=self.series[rows],
            values={index: codes[rows] for index, codes in self.values.items()},
        )

    def codes(self, index: int) -> Codes:
        """Return which distinct cell of a column each row has."""
        if index == DATE_FORM:
            dates = self.rows.coded(self.date)
            return np.asarray(np.array([":" in cell for cell in dates.cells], dtype=np.int64)[dates.codes])
        return _stripped_codes(self.rows.coded(index))

    def in_conflict(self, indices: Sequence[int]) -> Flags:
        """Return which rows have the date, the series and the cells of some columns of others with another value."""
        groups = _combine(self.dates, self.series)
        for index in indices:
            groups = _combine(groups, self.codes(index))
        conflicts = np.zeros(len(groups), np.bool_)
        for index, codes in self.values.items():
            if index not in indices:
                of_values = _distinct_pairs(groups[codes >= 0], codes[codes >= 0])
                conflicts |= np.isin(groups, of_values[1:][of_values[1:] == of_values[:-1]])
        return conflicts

    def has_days_among_hours(self) -> bool:
        """Return whether the rows that collide are hours, and the days that they start."""
        dates, codes = np.unique(self.stamps, return_inverse=True)
        return are_days_among_hours(dates, np.bincount(codes, self.in_conflict(())) > 0)

    def dates_in_conflict(self, indices: Sequence[int]) -> int:
        """Return the number of dates on which rows of one series are in conflict, in the series with the most."""
        conflicts = self.in_conflict(indices)
        return int(np.bincount(_distinct_pairs(self.series[conflicts], self.dates[conflicts]), minlength=1).max())


def _is_true(cell: str) -> bool:
    try:
        return parse_flag(cell)
    except ValueError:
        return False


def _codes(cells: Sequence[object]) -> Codes:
    index: dict[object, int] = {}
    return np.array([index.setdefault(cell, len(index)) for cell in cells], dtype=np.int64)


def _stripped_codes(column: CodedColumn) -> Codes:
    return np.asarray(_codes([cell.strip() for cell in column.cells])[column.codes])


def _distinct_pairs(left: Codes, right: Codes) -> Codes:
    """Return the left codes of the distinct pairs, sorted."""
    size = int(right.max(initial=0)) + 1
    return np.unique(left * size + right) // size


def _combine(left: Codes, right: Codes) -> Codes:
    return np.asarray(np.unique(left * (int(right.max(initial=0)) + 1) + right, return_inverse=True)[1])


def _value_codes(cells: CodedColumn, form: NumberFormat) -> Codes:
    """Return which value each cell has: equal numbers are equal however they are written."""
    if form.refusal is not None or not len(cells):
        return np.full(len(cells), -1)
    numbers, refused = form.read_all(cells.cells)
    values = [number if is_read else cell for number, is_read, cell in zip(numbers, ~refused, cells.cells, strict=True)]
    return np.asarray(np.where(np.isnan(numbers) & ~refused, -1, _codes(values))[cells.codes])


def _columns(schema: CsvSchema, table: _DatedRows, catalog: MetricRegistry) -> Iterator[_Column]:
    """Yield the columns that may tell rows apart: those without a role, and numbers of which no metric is known."""
    roles = {schema.date, schema.model, schema.segment, schema.metric, schema.provisional, *schema.segments}
    for column in schema.numbers:
        if column.role != "value" or not column.metric or catalog.normalize(column.name).is_known:
            roles.add(column.index)
    values = {column.index for column in schema.numbers if column.role == "value"}
    for index, name in enumerate(schema.names):
        if index not in roles:
            distinct = {cell.strip() for cell in table.rows.coded(index).cells}
            if len(distinct) > 1:
                may_be_long = schema.metric is None and len(values - {index}) == 1
                rank = _rank(name, distinct, table, has_model=schema.model is not None, may_be_long=may_be_long)
                yield _Column(index, name, rank)
    if len(np.unique(table.codes(DATE_FORM))) > 1:
        yield _Column(DATE_FORM, "period", _DATE_FORM)


def _rank(name: str, distinct: set[str], table: _DatedRows, *, has_model: bool, may_be_long: bool) -> int:
    """Return what a column can be by its name and its cells."""
    rows, key, count = len(table.stamps), name_key(name), len(distinct)
    if all(map(_CLOCK.fullmatch, distinct)):
        return _UNUSABLE if table.codes(DATE_FORM).any() else _TIME
    is_short = len(np.unique(table.dates)) <= MAX_CORRECTED_DATES
    if not key or key in TIME_NAMES or count > MAX_VALUES or (2 * count > rows and not is_short):
        return _UNUSABLE
    if "" not in distinct:
        if key in MODEL_NAMES and not has_model:
            return _MODEL
        if key in METRIC_NAMES and may_be_long:
            return _METRIC
    if key in IDENTITY_NAMES:
        return _SEGMENT
    return _rank_by_cells(name, distinct - {""}) if count * MIN_ROWS <= rows else _UNUSABLE


def _rank_by_cells(name: str, filled: set[str]) -> int:
    if not all(map(is_value, filled)) or all(map(str.isalpha, filled)):  # `True` and `False` are values too
        return _TEXT
    if not SEGMENT_NAMES.isdisjoint(split_words(name)):
        return _SEGMENT
    return _NUMBER if len(filled) <= MAX_NUMBERS and all(cell.isdecimal() for cell in filled) else _UNUSABLE


def _combinations(columns: Sequence[_Column], most: int) -> Iterator[tuple[_Column, ...]]:
    """Yield one column, two, ... up to `most`; the likeliest first, whatever their order in the file."""
    ranked = sorted(columns, key=lambda column: (column.rank, column.name))[:MAX_TRIED]
    for size in range(1, most + 1):
        yield from sorted(combinations(ranked, size), key=lambda chosen: [column.rank for column in chosen])


def _with_roles(schema: CsvSchema, columns: Sequence[_Column], table: _DatedRows, catalog: MetricRegistry) -> CsvSchema:
    by_rank = {column.rank: column.index for column in reversed(columns)}
    model, metric, time = map(by_rank.get, (_MODEL, _METRIC, _TIME))
    segments = [column.index for column in columns if column.index not in (model, metric, time, DATE_FORM)]
    values = (column.index for column in schema.numbers if column.role == "value")
    value = None if metric is None else next((index for index in values if index not in (*segments, metric)), None)
    has_days_apart = any(column.index == DATE_FORM for column in columns)
    identity = RowIdentity(model, metric, value, tuple(sorted(segments)), has_days_apart=has_days_apart, time=time)
    found = schema.read_again(catalog, date=schema.date, identity=identity)
    return replace(found, notes=(*found.notes, *_notes(schema, identity, table)))


def _notes(schema: CsvSchema, identity: RowIdentity, table: _DatedRows) -> Iterator[str]:
    for index, role in ((identity.model, "model"), (identity.metric, "metric")):
        if index is not None:
            yield f"rows of one date differ in `{schema.names[index][:40]}`: it is read as the {role}"
    if identity.segments:
        names = " and ".join(f"`{schema.names[index][:40]}`" for index in identity.segments)
        has_whole = any(
            not any(cells) for cells in zip(*(table.rows.text(index) for index in identity.segments), strict=True)
        )
        whole = ", empty as all rows, which alone default rules evaluate; for the segments, write a rule with `segment`"
        yield f"rows of one date differ in {names}: read as segments{whole if has_whole else ''}"
    if identity.time is not None:
        yield f"`{schema.names[schema.date][:40]}` and `{schema.names[identity.time][:40]}` are read as one date"
    if identity.has_days_apart:
        yield "dates with and without a time of day have other values: those without one are the segment period=day"


def _fault(columns: Sequence[_Column], sample: _DatedRows, table: _DatedRows, remaining: int) -> ReadFault:
    """Return the columns that tell rows apart and have no role, and what to write."""
    for chosen in _combinations([column for column in columns if column.index != DATE_FORM], 2):
        if sample.dates_in_conflict([column.index for column in chosen]) <= remaining:
            names = " and ".join(
                f"`{column.name[:40]}`" if column.name else "a column without a name" for column in chosen
            )
            remedy = "name the column model or segment, or keep one row a date"
            if all(column.name for column in chosen):
                segments = Layout(segments=tuple(column.name for column in chosen))
                remedy = suggest_settings(
                    segments, *(Layout(model=column.name) for column in chosen[: len(chosen) == 1])
                )
            if any(_is_time_of_day(column, sample) for column in chosen):
                remedy = "write date and time in one column"
            message = f"rows of one date differ only in {names}: {remedy}"
            return ReadFault(FaultReason.ROWS_COLLIDE, message, column=chosen[0].name)
    if table.has_days_among_hours():
        message = "hourly and daily values are mixed: write each into a file of its own, or add a column segment"
        return ReadFault(FaultReason.PERIODS_OF_TWO_LENGTHS, message)
    return ReadFault(FaultReason.ROWS_COLLIDE, NOT_TOLD_APART)


NOT_TOLD_APART = (
    "rows of one date have different values and no column tells them apart: keep one row a date, "
    "or add a column model or segment"
)


def _is_time_of_day(column: _Column, sample: _DatedRows) -> bool:
    cells = sample.rows.coded(column.index).cells
    return all(_CLOCK.fullmatch(cell.strip()) for cell in cells) or name_key(column.name) in TIME_NAMES
