"""What the columns of a file hold, decided by all of their cells, never by a single one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from modeltop.core.errors import SourceError
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import FaultReason, ReadFault
from modeltop.core.text import format_exact
from modeltop.history.csv import date_formats, number_formats
from modeltop.history.csv.date_formats import AmbiguousDatesError, DateFormat, choose_date_format, name_words
from modeltop.history.csv.header import CsvSchema, NumberColumn, no_date_column
from modeltop.history.csv.layout import AmbiguousFormatError, Layout, Scale, step_layout
from modeltop.history.csv.number_formats import AmbiguousNumbersError, NumberFormat, numbers_of
from modeltop.history.csv.table import Cells, CsvTable
from modeltop.history.csv.tolerance import is_within_tolerance
from modeltop.history.store.row_format import DATE_COLUMN_NAMES

_DateColumns = dict[int, DateFormat | AmbiguousDatesError]
"""Columns that hold dates → their format, or why there is none."""

_START_WORDS = frozenset({"start", "begin", "from", "since"})
_END_WORDS = frozenset({"end", "stop", "to", "until"})
_SAMPLE = 30
"""Cells that show whether a column may hold dates."""


def infer_schema(schema: CsvSchema, table: CsvTable, *, catalog: MetricRegistry) -> CsvSchema:
    """Return the schema of a file by its header and by its rows.

    Args:
        schema: By the header alone.
        table: Its rows, one or more; of a very long file the first ones.
        catalog: The metrics, with their bounds and other names.

    Raises:
        NoHistory: No column holds dates.
        SourceError: The dates can be read in two ways, or in two columns.
    """
    if schema.is_utc:
        return schema  # the store writes plain formats
    return _with_number_formats(_with_date_column(schema, table, catalog), table, catalog)


def _with_date_column(schema: CsvSchema, table: CsvTable, catalog: MetricRegistry) -> CsvSchema:
    """Return the schema with the column of dates: the configured one, one called so, else the only one with dates."""
    if schema.layout.date:
        dated = _with_configured_column(schema, table.text(schema.date), catalog)
        is_inferred = schema.layout.configured_date_format is None  # numbers may be of a format that a person names
        dates = {index for index, _ in _columns_of_dates(dated, table)} - {schema.date} if is_inferred else set()
        return replace(dated, numbers=tuple(column for column in dated.numbers if column.index not in dates))
    names = [name.lower() for name in schema.names]
    for index in (names.index(name) for name in DATE_COLUMN_NAMES if name in names):
        if found := _date_format(schema, index, table.text(index)):
            return _with_date(schema, index, found, catalog)
    columns = dict(_columns_of_dates(schema, table))
    if not columns:
        if schema.is_dated:
            return schema
        raise no_date_column()
    index, notes = _choose_date_column(schema, table, columns)
    dated = _with_date(schema, index, columns[index], catalog)
    numbers = tuple(column for column in dated.numbers if column.index not in columns)
    return replace(dated, numbers=numbers, notes=(*dated.notes, *notes))


def _with_configured_column(schema: CsvSchema, cells: Cells, catalog: MetricRegistry) -> CsvSchema:
    """Return the schema with the format of the dates in the column that a person names, whatever its name says."""
    found = _date_format(schema, schema.date, cells, name="date")
    if found is None and all(re.fullmatch(r"[+-]?\d+(\.\d*)?", cell.strip()) for cell in cells if cell.strip()):
        name = schema.layout.date
        raise AmbiguousFormatError(f"column `{name[:40]}` holds numbers of steps, not dates", step_layout(name, cells))
    return schema if found is None else _with_date(schema, schema.date, found, catalog)


def _with_date(
    schema: CsvSchema, index: int, found: DateFormat | AmbiguousDatesError, catalog: MetricRegistry
) -> CsvSchema:
    if isinstance(found, AmbiguousDatesError):
        column = f"column `{schema.names[index][:40]}`"
        if not found.formats:
            raise SourceError(f"{column} {found}")
        raise AmbiguousFormatError(f"{column} {found.fact}", *(Layout(date_format=each) for each in found.formats))
    if index != schema.date or not schema.is_dated:
        schema = schema.read_again(catalog, date=index)
    note = f"column `{schema.names[index][:40]}` holds {found.description}: {found.example} is 2025-01-01"
    notes = (note,) if found is date_formats.EXCEL else ()
    return replace(schema, date_format=found, notes=(*schema.notes, *notes))


def _date_format(
    schema: CsvSchema, index: int, cells: Cells, *, name: str | None = None
) -> DateFormat | AmbiguousDatesError | None:
    """Return the format of a column's dates, or why it has none; None if it does not hold dates.

    Args:
        schema: The columns, and the configured format of the dates.
        index: The column.
        cells: Its cells.
        name: Its name, by which numbers may be dates; by default that of the header.
    """
    texts = [text for text in dict.fromkeys(cells) if text.strip()]
    if (configured := schema.layout.configured_date_format) is not None:
        return configured if name or 2 * np.count_nonzero(~np.isnat(configured.read(texts))) > len(texts) else None
    try:
        return choose_date_format(name or schema.names[index], texts) if texts else None
    except AmbiguousDatesError as error:
        return error


def _columns_of_dates(schema: CsvSchema, table: CsvTable) -> Iterator[tuple[int, DateFormat | AmbiguousDatesError]]:
    """Yield the columns without a part of their own of which nearly all cells are dates."""
    roles = {schema.model, schema.segment, schema.metric, schema.provisional}
    for index in range(len(schema.names)):
        cells = table.text(index)
        sample = cells[:: len(cells) // _SAMPLE + 1]
        if index in roles or _is_date(schema.names[index]) or not _date_format(schema, index, sample):
            continue
        found, cells = _date_format(schema, index, cells), [cell for cell in cells if cell.strip()]
        if found is None or 2 * len(cells) < len(table):
            continue
        if isinstance(found, AmbiguousDatesError) or _holds_dates(schema.names[index], cells, found):
            yield index, found


def _is_date(header: str) -> bool:
    """Return whether a cell of the header is a date itself, so that the file has no header."""
    return not np.isnat(date_formats.PLAIN.read([header])[0])


def _holds_dates(name: str, cells: Sequence[str], found: DateFormat) -> bool:
    if found is date_formats.PLAIN and all(cell.strip().isdecimal() for cell in cells):
        return bool(name_words(name) & date_formats.TIME_WORDS)
    refused = np.count_nonzero(np.isnat(found.read(cells)))
    return is_within_tolerance(int(refused), len(cells))


def _choose_date_column(schema: CsvSchema, table: CsvTable, columns: _DateColumns) -> tuple[int, list[str]]:
    """Return the column whose dates count, and a message if others hold dates too."""
    varying = [index for index in columns if len(set(table.text(index))) > 1]
    if varying and len(varying) < len(columns):  # one date in all rows is that of the export, or where a query starts
        columns = {index: columns[index] for index in varying}
    first, *others = columns
    if all(table.text(index) == table.text(first) for index in others):
        return first, []
    ends = [index for index in columns if name_words(schema.names[index]) & _END_WORDS]
    starts = [index for index in columns if index not in ends]
    named = [f"`{schema.names[index][:40]}`" for index in columns]
    if len(starts) > 1:
        starts = [index for index in starts if name_words(schema.names[index]) & _START_WORDS and ends]
    if len(starts) != 1:
        each = "both" if len(named) == 2 else "all"
        raise AmbiguousFormatError(
            f"columns {' and '.join(named)} {each} hold dates", *(Layout(date=schema.names[index]) for index in columns)
        )
    start = f"`{schema.names[starts[0]][:40]}`"
    rest = " and ".join(name for name in named if name != start)
    return starts[0], [f"column {start} dates the periods, since they are named by their start, and not {rest}"]


def _with_number_formats(schema: CsvSchema, table: CsvTable, catalog: MetricRegistry) -> CsvSchema:
    """Return the schema with a format for each column of numbers, and in the long shape for each metric."""
    cells = {column.index: numbers_of(table.text(column.index)) for column in schema.numbers}
    schema = _without_text_as_models(schema, cells)
    mark = number_formats.decimal_mark(cells[column.index] for column in schema.numbers if not column.is_count)
    inference = _NumberInference(mark, catalog, schema.layout)
    numbers = []
    for column in sorted(schema.numbers, key=lambda column: column.role != "value"):
        if column.role == "value" and schema.metric is not None:
            by_metric: dict[str, list[str]] = {}
            for metric, cell in zip(table.text(schema.metric), table.text(column.index), strict=True):
                by_metric.setdefault(metric, []).append(cell)
            formats = {
                metric: inference.infer(column, metric, numbers_of(group)) for metric, group in by_metric.items()
            }
            numbers.append(replace(column, formats={name: each for name, each in formats.items() if not each.is_plain}))
        else:
            numbers.append(replace(column, format=inference.infer(column, column.name, cells[column.index])))
    notes, faults = (*schema.notes, *inference.notes), (*schema.faults, *inference.faults)
    order = {column.index: place for place, column in enumerate(schema.numbers)}
    ordered = sorted(numbers, key=lambda column: order[column.index])
    return replace(schema, numbers=tuple(ordered), notes=notes, faults=faults)


def _without_text_as_models(schema: CsvSchema, cells: Mapping[int, Sequence[str]]) -> CsvSchema:
    """Return the schema without columns that would be models by their place alone, since they hold no number."""
    text = {column.index for column in schema.numbers if column.model and not _has_digits(cells[column.index])}
    notes = (f"column `{schema.names[index][:40]}` holds no numbers: it is no model" for index in sorted(text))
    kept = tuple(column for column in schema.numbers if column.index not in text)
    return replace(schema, numbers=kept, notes=(*schema.notes, *notes))


def _has_digits(cells: Sequence[str]) -> bool:
    return any(any(map(str.isdigit, cell)) for cell in cells)


class _NumberInference:
    """Formats of the columns of a file, those of values first.

    Args:
        mark: The decimal mark of the file, if it is known.
        catalog: The metrics, with their bounds and other names.
        layout: The configured layout.
    """

    def __init__(self, mark: str | None, catalog: MetricRegistry, layout: Layout) -> None:
        self.mark = mark
        self.catalog = catalog
        self.layout = layout
        self.notes: list[str] = []
        self.faults: list[ReadFault] = []
        self._of_values: dict[tuple[str, str, str], NumberFormat] = {}

    def infer(self, column: NumberColumn, name: str, cells: Sequence[str]) -> NumberFormat:
        """Return the format of a column, and add what is to be reported of it.

        Args:
            column: The column.
            name: Name of its metric as written.
            cells: Its numbers as written.
        """
        try:
            form = self._number_format(column, cells)
            if column.role == "value":
                form = self._with_scale(form, cells, column.metric_name if column.metric else name)
        except AmbiguousNumbersError as error:
            form = NumberFormat(refusal=str(error))
            self.faults.append(ReadFault(FaultReason.COLUMN_REFUSED, f"`{name[:40]}` {error}", column.name))
        if column.role == "value":
            self._of_values[column.metric, *column.part] = form
            if form.is_percent and (example := next(filter(form.accepts, cells), None)):
                number = format_exact(form.parse(example))
                self.notes.append(f"`{name[:40]}` is read as percent: {example[:40]} is {number}")
        return form if column.is_count else self._with_scale_of_value(column, form, cells)

    def _number_format(self, column: NumberColumn, cells: Sequence[str]) -> NumberFormat:
        if self.layout.decimal is not None:
            return number_formats.format_with_mark(cells, self.layout.decimal.value)
        return number_formats.choose_number_format(cells, self.mark, is_count=column.is_count)

    def _with_scale(self, form: NumberFormat, cells: Sequence[str], name: str) -> NumberFormat:
        metric = self.catalog.as_written(name)
        if self.layout.scale is None:
            return number_formats.choose_scale(form, cells, metric)
        is_percent = self.layout.scale is Scale.PERCENT and metric.bounds[1] == 1
        if is_percent and not form.has_sign:
            number_formats.require_one_scale(form, cells)
        return replace(form, is_percent=form.has_sign or is_percent)

    def _with_scale_of_value(self, column: NumberColumn, form: NumberFormat, cells: Sequence[str]) -> NumberFormat:
        """Return the format of an interval's end with the scale of the value itself."""
        of_value = self._of_values.get((column.metric, *column.part), form)
        if column.role == "value" or form.has_sign or not (of_value.is_percent or of_value.refusal):
            return form
        sizes = np.abs(form.read_all(cells)[0]) if cells else np.array([np.nan])
        is_percent = of_value.is_percent and not np.isnan(sizes).all() and bool(np.nanmedian(sizes) > 1)
        return replace(form, is_percent=is_percent, refusal=of_value.refusal)
