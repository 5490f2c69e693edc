"""What each column of a file is read as and why, and the settings for the same reading."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from modeltop.core.errors import SourceError
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import History
from modeltop.history.csv.date_formats import to_strptime
from modeltop.history.csv.header import CsvSchema, NumberColumn, find_date_column, read_header
from modeltop.history.csv.layout import DecimalMark, Layout, Scale
from modeltop.history.csv.number_formats import NumberFormat, numbers_of
from modeltop.history.csv.parser import CsvParser
from modeltop.history.csv.table import CsvTable
from modeltop.history.reader import HistoryCache, Reader
from modeltop.history.tail import FileTail

GIVEN, BY_NAME, BY_CELLS, BY_ROWS = "given", "by its name", "by its cells", "rows differ"
"""Why a column is read as what it is."""
UNKNOWN_METRIC = "unknown metric"
MAX_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class ColumnReading:
    """One column: what it is read as, and why."""

    name: str
    role: str
    """`date`, `time`, `model`, `segment`, `metric`, `names of metrics`, `count`, ...; `not used`."""
    metric: str = ""
    """The metric that it holds, or tells about; empty for other roles."""
    segment: str = ""
    """The segment that it is of; empty for that of the row."""
    format: str = ""
    reason: str = ""
    examples: tuple[str, ...] = ()
    """Its first cells that are not empty."""


@dataclass(frozen=True, slots=True, eq=False)
class Inspection:
    """One file: its columns, its history, and the settings for what was found."""

    source: str
    shape: str
    """`wide`, `long`, or `models as columns`; empty if the file has no header."""
    row_count: int
    columns: tuple[ColumnReading, ...]
    history: History
    layout: Layout
    """The settings for the same reading; what they leave open is inferred again."""

    @property
    def failure(self) -> str | None:
        """Why nothing of the file is read; None if something is."""
        return next((problem.message for problem in self.history.problems if problem.fatal), None)


def inspect_files(reader: Reader) -> Iterator[Inspection]:
    """Yield what each file of a reader is read as, by all of its rows."""
    now = reader.clock()
    for tail in reader.open_tails():
        chunk = tail.read(now)
        schema, table = None, None
        if chunk is not None:
            tail.apply(chunk, now)
            schema, table = _text_of(tail, chunk.complete)
        files = () if tail.summary is None else (tail.summary,)
        history = HistoryCache(reader.catalog).history(tail.blocks, tail.problems, files)
        if schema is None or table is None:
            yield Inspection(tail.file.path, "", 0, (), history, tail.layout)
            continue
        shape = "long" if schema.metric is not None else "wide"
        shape = "models as columns" if schema.layout.models_as_columns else shape
        columns = tuple(_readings(schema, table, tail.layout, reader.catalog))
        if tail.parser.schema is None:  # nothing was decided by the rows
            columns = tuple(
                replace(column, format="", reason="" if column.role == "not used" else column.reason)
                for column in columns
            )
        layout = tail.layout if history.series == {} else _layout_of(schema, table, tail.layout)
        yield Inspection(tail.file.path, shape, len(table), columns, history, layout)


def _text_of(tail: FileTail, data: bytes) -> tuple[CsvSchema | None, CsvTable | None]:
    """Return the schema by which a file was read, else that of its header, and its rows as text."""
    parser = CsvParser(tail.file.path, tail.file.model, catalog=tail.catalog, zone=tail.zone, layout=tail.layout)
    try:
        table = parser.read_rows(data)
    except SourceError:
        return None, None
    schema = tail.parser.schema
    if schema is None or len(schema.names) != len(parser.column_names):
        schema = parser.schema and read_header(parser.column_names, parser.schema.delimiter, tail.catalog)
    return schema, table


def _readings(schema: CsvSchema, table: CsvTable, given: Layout, catalog: MetricRegistry) -> Iterator[ColumnReading]:
    roles = {
        schema.date: "date",
        schema.time: "time",
        schema.model: "model",
        schema.segment: "segment",
        schema.provisional: "provisional",
        schema.version: "version",
        schema.metric: "names of metrics",
    } | dict.fromkeys(schema.segments, "segment")
    numbers = {column.index: column for column in schema.numbers}
    for index, name in enumerate(schema.names):
        cells = numbers_of(table.text(index)) if len(table) else []
        examples = tuple(cells[:MAX_EXAMPLES])
        if index in numbers:
            yield replace(_number_reading(numbers[index], cells, given, catalog), examples=examples)
        elif index not in roles or (roles[index] == "date" and not schema.is_dated):
            yield ColumnReading(name, "not used", examples=examples)
        else:
            reading = ColumnReading(name, roles[index], reason=_reason(schema, index, given), examples=examples)
            is_date = roles[index] == "date"
            yield replace(reading, format=_date_format(schema, examples)) if is_date else reading


def _date_format(schema: CsvSchema, examples: tuple[str, ...]) -> str:
    if schema.layout.date_format:
        return schema.layout.date_format
    found = to_strptime(schema.date_format, examples[0]) if examples else None
    return found or schema.date_format.description


def _reason(schema: CsvSchema, index: int, given: Layout) -> str:
    """Return why a column that holds no numbers of a metric has its role."""
    name = schema.names[index]
    if any(name == value or (isinstance(value, tuple) and name in value) for _, value in given.settings()):
        return GIVEN
    if index == schema.date:
        return BY_NAME if find_date_column(schema.names) == index else BY_CELLS
    return BY_ROWS if index in schema.segments or index == schema.time else BY_NAME


def _number_reading(column: NumberColumn, cells: list[str], given: Layout, catalog: MetricRegistry) -> ColumnReading:
    if cells and not any(map(column.format_of(None).reads, cells)) and not column.formats and not column.format.refusal:
        return ColumnReading(column.name, "not used", reason="text: see --model, --segments")
    roles = {"value": "metric", "support": "cases", "rows": "count", "low": "low end", "high": "high end"}
    role = "values" if column.role == "value" and not column.metric else roles[column.role]
    is_known = catalog.get(column.metric).is_direction_known
    reason = BY_NAME if is_known or role != "metric" else UNKNOWN_METRIC
    if column.name in (given.value, given.count) or column.model:
        reason = GIVEN
    return ColumnReading(
        column.name,
        role,
        column.metric,
        "" if column.segment == "all" else column.segment,
        _describe(_formats(column)[0]),
        reason,
    )


def _describe(form: NumberFormat) -> str:
    """Return how the numbers of a column are written, in words."""
    if form.refusal:
        return "refused"
    words = ["percent"] if form.is_percent else []
    words += ["decimal comma"] if form.mark == "," else []
    words += ["thousands"] if form.separators else []
    return ", ".join(words) or "plain"


def _layout_of(schema: CsvSchema, table: CsvTable, given: Layout) -> Layout:
    """Return the settings for what was found; what they cannot express is left to be inferred again."""
    names = schema.names
    dates = next((cell for cell in table.text(schema.date) if cell.strip()), "")
    counts = [column.name for column in schema.numbers if column.role == "rows"]
    forms = [form for column in schema.numbers if column.role == "value" for form in _formats(column)]
    found = Layout(
        date=names[schema.date],
        date_format="" if given.start else to_strptime(schema.date_format, dates) or "",
        model="" if schema.model is None else names[schema.model],
        segments=tuple(names[index] for index in schema.segments),
        count=counts[0] if counts else "",
        scale=_scale(forms),
        decimal=_decimal(forms),
    )
    if schema.metric is not None:
        value = next(column.name for column in schema.numbers if column.role == "value")
        found = replace(found, metric=names[schema.metric], value=value)
    if schema.time is not None:
        found = replace(found, date="", date_format="")  # two columns together are found again
    return found.overridden(given)


def _formats(column: NumberColumn) -> list[NumberFormat]:
    """Return the formats of a column: one, or in the long shape those of its metrics."""
    return (
        [column.format, *column.formats.values()] if column.metric or not column.formats else [*column.formats.values()]
    )


def _scale(forms: list[NumberFormat]) -> Scale | None:
    """Return percent where all columns of values have it without a sign that says so."""
    is_percent = bool(forms) and all(form.is_percent and not form.has_sign for form in forms)
    return Scale.PERCENT if is_percent else None


def _decimal(forms: list[NumberFormat]) -> DecimalMark | None:
    """Return the comma where all columns of values have it."""
    return DecimalMark.COMMA if {form.mark for form in forms} == {","} else None
