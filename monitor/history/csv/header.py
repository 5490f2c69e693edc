"""The header of a CSV file: the role of each column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo

from modeltop.core.errors import SourceError
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.history.store.row_format import DATE_COLUMN_NAMES, MAX_COLUMNS, is_store_header

_SUFFIX_ROLES = {"_count": "support", "_low": "low", "_high": "high"}


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
    is_utc: bool = False
    """True for files of the store, which writes every date in UTC, whatever is configured."""

    def zone(self, configured: tzinfo) -> tzinfo:
        """Return the zone of dates that name none."""
        return UTC if self.is_utc else configured


def read_header(cells: Sequence[str], delimiter: str, catalog: MetricRegistry) -> CsvSchema:
    """Return the schema that a header describes.

    Args:
        cells: The header's cells.
        delimiter: Character between the cells of the file.
        catalog: The metrics, with their other names.

    Raises:
        NoHistory: There is no date column.
        SourceError: There are more than `MAX_COLUMNS` columns.
    """
    names = [cell.strip() or cell for cell in cells]
    if len(names) > MAX_COLUMNS:
        raise SourceError(f"the file has {len(names):,} columns, the most is {MAX_COLUMNS:,}: write one row per metric")
    roles: dict[str, int] = {}
    for index, name in enumerate(names):
        roles.setdefault(name.lower(), index)
    date = next((roles[name] for name in DATE_COLUMN_NAMES if name in roles), None)
    if date is None:
        *names, last = DATE_COLUMN_NAMES
        raise NoHistory(f"no date column in the header: name one of them {', '.join(names)} or {last}")
    long = "metric" in roles and "value" in roles
    used_columns = {date, *(roles[role] for role in ("model", "segment", "provisional") if role in roles)}
    if long:
        used_columns |= {roles["metric"], roles["value"]}
        numbers = [NumberColumn(roles["value"], names[roles["value"]], "", "value")]
    else:
        numbers = _metrics(names, used_columns | {roles.get("count", -1)}, catalog)
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
        tuple(_notes(names, used_columns, numbers)),
        is_store_header(cells),
    )


def _metrics(names: Sequence[str], used_columns: set[int], catalog: MetricRegistry) -> list[NumberColumn]:
    """Return the metric columns; a suffix counts only if the metric itself has a column."""
    others = {"model", "segment", "provisional", "count", *DATE_COLUMN_NAMES}
    free = [(i, name) for i, name in enumerate(names) if i not in used_columns and name and name.lower() not in others]
    present = {catalog.canonical(name) for _, name in free}
    return [_column(index, name, present, catalog) for index, name in free]


def _column(index: int, name: str, present: set[str], catalog: MetricRegistry) -> NumberColumn:
    for suffix, role in _SUFFIX_ROLES.items():
        metric = catalog.canonical(name[: -len(suffix)])
        if name.lower().endswith(suffix) and len(name) > len(suffix) and metric in present:
            return NumberColumn(index, name, metric, role)
    return NumberColumn(index, name, catalog.canonical(name), "value")


def _notes(names: Sequence[str], used_columns: set[int], numbers: Sequence[NumberColumn]) -> list[str]:
    used = used_columns | {column.index for column in numbers}
    unused = [name for index, name in enumerate(names) if index not in used and name]
    notes = [
        f"column `{name[:40]}` is not read: another column has its part, or its part is unknown" for name in unused
    ]
    if any(not name for name in names):
        notes.append("a column without a name is not read: give it one")
    counts = Counter((column.metric, column.role) for column in numbers)
    for kind, count in counts.items():
        if count > 1:
            same = [f"`{column.name[:40]}`" for column in numbers if (column.metric, column.role) == kind]
            notes.append(f"columns {', '.join(same)} are one metric: the last of them that is not empty counts")
    if not numbers:
        notes.append("the file has no metric column: add one")
    return notes
