"""Headers that come again among the rows of a file: each is followed, whatever its columns and their order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from modeltop.core.metrics.names import name_key
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.history.csv.header import ROLE_NAMES, find_date_column
from modeltop.history.csv.header_search import is_value
from modeltop.history.csv.number_formats import NULL_VALUES

_TOTALS = frozenset(
    {"total", "totals", "sum", "average", "avg", "mean", "median", "overall", "gesamt", "summe", "mittelwert"}
)
"""First or last words of the label of a row that adds up others."""
TOTAL_LEFT_OUT = "a total of other rows is skipped"
FRAME_LEFT_OUT = "a line that frames the table is skipped"
MAX_LABEL = 60
MAX_WORDS = 3
"""Words of the label of a total; more are a sentence."""


@dataclass(frozen=True, slots=True)
class Section:
    """The rows below one header."""

    width: int
    """Cells of a row."""
    date: int
    """Index of the date in a row."""
    places: tuple[int, ...] | None = None
    """Per column of the file its index in a row, -1 if the row has none; None if a row is as the file's header says."""

    def arrange(self, cells: Sequence[str]) -> Sequence[str]:
        """Return the cells in the order of the file's columns; empty ones for those that the section lacks."""
        if self.places is None:
            return cells
        return [cells[place] if place >= 0 else "" for place in self.places]


def is_header(cells: Sequence[str], section: Section, columns: Sequence[str], catalog: MetricRegistry) -> bool:
    """Return whether a row is a header: a date column is named in it, no cell is a value, and the names are known.

    Args:
        cells: The row.
        section: The rows among which it is.
        columns: The names of the file's columns.
        catalog: The metrics.
    """
    stripped = [cell.strip() for cell in cells]
    names = [name for name in stripped if name]
    if len(names) < min(2, len(columns)) or any(map(_is_no_name, names)):
        return False
    keys = {name_key(name) for name in columns}
    if len(names) == len(cells) and all(name_key(name) in keys for name in names):
        return True
    date = find_date_column(stripped)
    if date is None:
        return False
    keys |= {key for known in ROLE_NAMES.values() for key in known}
    count = sum(1 for name in names if name_key(name) in keys or catalog.normalize(name).is_known)
    # A word such as `day` may be in a row too, but hardly that of the file where the date is, nor beside other names.
    is_date = date == section.date and name_key(stripped[date]) in {name_key(name) for name in columns}
    return is_date or 2 * count >= len(names)


def _is_no_name(cell: str) -> bool:
    return cell.lower() in NULL_VALUES or (is_value(cell) and not cell.isdecimal())


def follow_header(
    cells: Sequence[str], columns: Sequence[str], date: int | None, catalog: MetricRegistry
) -> tuple[tuple[str, ...], Section]:
    """Return the columns of the file with those that a header adds, and the section below the header.

    Args:
        cells: The header.
        columns: The columns of the file so far.
        date: The index of the date among them; None if only the rows will show it.
        catalog: The metrics, by which another name of a column is known.
    """
    names = [cell.strip() for cell in cells]
    places: dict[int, int] = {}
    if date is not None:
        same_date = (index for index, name in enumerate(names) if name_key(name) == name_key(columns[date]))
        own_date = next(same_date, find_date_column(names))
        places = {} if own_date is None else {date: own_date}
    # Names that are the same go first, so that `acc` beside `accuracy` is a column of its own.
    for level in range(3):
        keys: dict[object, int] = {}
        for column, name in enumerate(columns):
            if column not in places:
                keys.setdefault(_identity(name, level, catalog), column)
        for index in sorted(set(range(len(names))) - set(places.values())):
            found = keys.pop(_identity(names[index], level, catalog), None)
            if found is not None:
                places[found] = index
    added = [index for index in range(len(names)) if index not in places.values()]
    columns = (*columns, *(names[index] for index in added))
    places |= dict(zip(range(len(columns) - len(added), len(columns)), added, strict=True))
    order = tuple(places.get(column, -1) for column in range(len(columns)))
    is_same = order == tuple(range(len(names)))
    return columns, Section(len(names), places.get(date or 0, 0), None if is_same else order)


def _identity(name: str, level: int, catalog: MetricRegistry) -> object:
    """Return what makes two names the same: their letters, then their words or role, then their metric."""
    key = name_key(name)
    if level == 0 or not key:
        return name
    role = next((role for role, known in ROLE_NAMES.items() if key in known), key)
    if level == 1:
        return role
    normalized = catalog.normalize(name)
    return normalized if normalized.is_known else role


def is_total(cells: Sequence[str], date: int) -> bool:
    """Return whether a row is a total of others: its date, or the first cell in a row without a date, says so.

    >>> is_total(["Grand total", "0.95"], 0), is_total(["2025-01-01", "total"], 0), is_total(["", "Summe"], 0)
    (True, False, True)
    """
    label = (
        cells[date] if date < len(cells) and cells[date].strip() else next((cell for cell in cells if cell.strip()), "")
    )
    words = re.findall(r"[^\W\d_]+", label[:MAX_LABEL].lower())
    return bool(words) and (words[0] in _TOTALS or words[-1] in _TOTALS) and len(words) <= MAX_WORDS
