"""The header of a CSV file: the role of each column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from modeltop.core.errors import SourceError
from modeltop.core.metrics.names import is_bookkeeping, name_key
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import ReadFault
from modeltop.history.csv import date_formats, number_formats
from modeltop.history.csv.date_formats import DateFormat
from modeltop.history.csv.number_formats import NumberFormat
from modeltop.history.csv.placement import Placement, companion, place, placement_notes
from modeltop.history.store.row_format import COMPANIONS, DATE_COLUMN_NAMES, MAX_COLUMNS, is_store_header


class NoHistory(SourceError):  # noqa: N818  no error in a folder: the file is left alone
    """A file without a date column, or without any row."""


@dataclass(frozen=True, slots=True)
class NumberColumn:
    """One column of numbers, with its metric and its meaning."""

    index: int
    name: str
    """The name as the header has it."""
    metric: str
    """Canonical name; empty for `count`, and for the single value column of the long shape."""
    role: str
    """`value`, `support`, `low`, `high` or `rows`."""
    segment: str = "all"
    """The segment that the column is of, within that of the row."""
    sign: int = 1
    """-1 where the column has the metric times −1."""
    format: NumberFormat = number_formats.PLAIN
    formats: Mapping[str, NumberFormat] = field(default_factory=dict)
    """In the long shape, metric as written → the format of its values, if it is not `format`."""

    @property
    def is_count(self) -> bool:
        """True if it holds whole numbers of cases or rows."""
        return self.role in ("support", "rows")


@dataclass(frozen=True, slots=True)
class CsvSchema:
    """The columns of a file by role; an index is None if the file has no such column."""

    delimiter: str
    width: int
    date: int
    model: int | None
    segment: int | None
    provisional: int | None
    metric: int | None
    """The column of metric names in the long shape; None in the wide one."""
    numbers: tuple[NumberColumn, ...]
    notes: tuple[str, ...]
    """Messages on unexpected columns: columns given twice, or left out."""
    names: tuple[str, ...]
    """The header, without blanks around the names."""
    is_utc: bool = False
    """True for files of the store, which writes every date in UTC, whatever is configured."""
    is_dated: bool = True
    """False if no column is called like a date: then `date` is the first one until the rows have decided."""
    date_format: DateFormat = date_formats.PLAIN
    faults: tuple[ReadFault, ...] = ()
    """Columns that cannot be read."""

    @property
    def is_plain(self) -> bool:
        """True if the vectorized reader knows all formats."""
        return (
            self.is_dated
            and self.date_format is date_formats.PLAIN
            and all(column.format.is_plain and not column.formats for column in self.numbers)
        )

    @property
    def is_expected(self) -> bool:
        """True if the rows hold what the header alone says, so that further rows decide nothing."""
        return self.is_plain and self.date == find_date_column(self.names)

    @property
    def written(self) -> dict[tuple[str, str, str], str]:
        """The names of columns of values that are called otherwise than their metric, by metric, role and segment."""
        return {
            (column.metric, column.role, column.segment): column.name
            for column in self.numbers
            if column.role == "value" and column.metric and column.name != column.metric
        }

    def zone(self, configured: tzinfo) -> tzinfo:
        """Return the zone of dates that name none."""
        return UTC if self.is_utc else configured


def no_date_column() -> NoHistory:
    """Return the error of a file without a column of dates."""
    *names, last = DATE_COLUMN_NAMES
    return NoHistory(f"no date column in the header: name one of them {', '.join(names)} or {last}")


def find_date_column(names: Sequence[str]) -> int | None:
    """Return the index of the column that is called like a date; None if none is."""
    lowered = [name.lower() for name in names]
    return next((lowered.index(name) for name in DATE_COLUMN_NAMES if name in lowered), None)


def read_header(cells: Sequence[str], delimiter: str, catalog: MetricRegistry, *, date: int | None = None) -> CsvSchema:
    """Return the schema that a header describes.

    Args:
        cells: The header's cells.
        delimiter: Character between the cells of the file.
        catalog: The metrics, with their other names.
        date: Index of the date column, if the rows have shown it; by default it is found by its name.

    Raises:
        SourceError: There are more than `MAX_COLUMNS` columns.
    """
    names = [cell.strip() or cell for cell in cells]
    if len(names) > MAX_COLUMNS:
        raise SourceError(f"the file has {len(names):,} columns, the most is {MAX_COLUMNS:,}: write one row per metric")
    roles: dict[str, int] = {}
    for index, name in enumerate(names):
        roles.setdefault(name.lower(), index)
    if date is None:
        date = find_date_column(names)
    is_dated, date = date is not None, date or 0
    long = "metric" in roles and "value" in roles
    used_columns = {date, *(roles[role] for role in ("model", "segment", "provisional") if role in roles)}
    notes: list[str] = []
    if long:
        used_columns |= {roles["metric"], roles["value"]}
        numbers = [NumberColumn(roles["value"], names[roles["value"]], "", "value")]
    else:
        used = used_columns | {roles.get("count", -1)}
        numbers, notes = _metrics(names, used, catalog, is_store=is_store_header(cells))
    if "count" in roles:
        used_columns.add(roles["count"])
        numbers.append(NumberColumn(roles["count"], names[roles["count"]], "", "rows"))
    return CsvSchema(
        delimiter,
        len(names),
        date,
        roles.get("model"),
        roles.get("segment"),
        roles.get("provisional"),
        roles["metric"] if long else None,
        tuple(numbers),
        (*_notes(names, used_columns, numbers), *notes),
        tuple(names),
        is_store_header(cells),
        is_dated,
    )


def _metrics(
    names: Sequence[str], used_columns: set[int], catalog: MetricRegistry, *, is_store: bool
) -> tuple[list[NumberColumn], list[str]]:
    """Return the columns of metrics and of what belongs to them, and messages on those that share a metric.

    In a file of the store every name was recorded as that of a metric, and only its own three suffixes have a meaning.
    """
    others = {"model", "segment", "provisional", "count", *DATE_COLUMN_NAMES}
    free = {i: name for i, name in enumerate(names) if i not in used_columns and name and name.lower() not in others}
    owners = _companion_owners(free, catalog, is_store=is_store)
    values = [
        index
        for index, name in free.items()
        if index not in owners and (is_store or not is_bookkeeping(name) or catalog.is_configured(name))
    ]
    written = [free[index] for index in values]
    placements = place(written, catalog)
    places = dict(zip(values, placements, strict=True))
    columns: list[NumberColumn] = []
    for index, name in free.items():
        if index in places:
            columns.append(_column(index, name, "value", places[index]))
        elif index in owners and owners[index][1] != "aside" and owners[index][0] in places:
            owner, role = owners[index]
            columns.append(_column(index, name, role, places[owner]))
    return columns, placement_notes(written, placements, catalog)


def _column(index: int, name: str, role: str, placed: Placement) -> NumberColumn:
    if placed.sign < 0 and role in ("low", "high"):
        role = "high" if role == "low" else "low"
    return NumberColumn(index, name, placed.metric, role, placed.segment, placed.sign if role != "support" else 1)


def _companion_owners(free: dict[int, str], catalog: MetricRegistry, *, is_store: bool) -> dict[int, tuple[int, str]]:
    """Return, per column that tells about another one, that one and its role."""
    by_key: dict[str, int] = {}
    by_metric: dict[str, int] = {}
    for index, name in free.items():
        by_key.setdefault(name_key(name), index)
        by_metric.setdefault(catalog.canonical(name), index)
    owners: dict[int, tuple[int, str]] = {}
    for index, name in free.items():
        found = companion(name)
        if found and (not is_store or name[len(found[0]) :].lower() in COMPANIONS):
            base, role = found
            owner = by_key.get(name_key(base), by_metric.get(catalog.canonical(base)))
            if owner is not None and owner != index:
                owners[index] = owner, role
    return owners


def _notes(names: Sequence[str], used_columns: set[int], numbers: Sequence[NumberColumn]) -> list[str]:
    used = used_columns | {column.index for column in numbers}
    unused: dict[str, list[str]] = {}
    for index, name in enumerate(names):
        if index not in used and name:
            unused.setdefault(_why_unused(name), []).append(f"`{name[:40]}`")
    notes = [
        f"columns {', '.join(columns)} are {reason}" if len(columns) > 1 else f"column {columns[0]} is {reason}"
        for reason, columns in unused.items()
    ]
    if any(not name for index, name in enumerate(names) if index not in used):
        notes.append("a column without a name is not read: give it one")
    counts = Counter((column.metric, column.segment, column.role) for column in numbers)
    for kind, count in counts.items():
        if count > 1:
            same = [
                f"`{column.name[:40]}`" for column in numbers if (column.metric, column.segment, column.role) == kind
            ]
            notes.append(f"columns {', '.join(same)} have one part: the last of them that is not empty counts")
    if not numbers:
        notes.append("the file has no metric column: add one")
    return notes


def _why_unused(name: str) -> str:
    if is_bookkeeping(name):
        return "not evaluated: a counter, an id or a setting by name; for a metric, set `better` under [metrics.NAME]"
    if found := companion(name):
        return f"not evaluated: a limit, an error or an alert of `{found[0][:40]}`"
    return "not read: another column has its role, or its role is unknown"
