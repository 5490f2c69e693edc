"""What `compute` knows of one model, as the rows of its file: `<slug>-<hash8>.computed.csv`.

A period and segment has one row. While its labels are still coming it has two: what needs no label is final in the
first, what rests on labels is provisional in the second. Readers take the flag of each value from its own row.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.errors import StoreError
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import DATETIME_DTYPE, to_datetime
from modeltop.core.text import sanitize
from modeltop.history.store.row_format import (
    COMPANIONS,
    LEADING_COLUMNS,
    TRAILING_COLUMN,
    encode_csv_line,
    encode_header,
    format_iso,
    is_store_header,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modeltop.core.series import Flags, Floats, Times

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modeltop.core.series import Floats


@dataclass(frozen=True, slots=True, eq=False)
class ComputedHistory:
    """The computed periods of one model. All arrays have one entry a (time, segment), which does not repeat."""

    model: str
    times: Times
    segments: NDArray[np.object_]
    rows: Floats
    """Rows of the log in the period; NaN where unknown."""
    provisional: Flags
    """True where the period itself is not over."""
    incomplete: Flags
    """True where labels are still to come, or the period is not over."""
    columns: Mapping[str, Floats]
    """A metric, or its `_count`, `_low`, `_high` → its numbers; NaN where undefined."""

    def __len__(self) -> int:
        return len(self.times)

    def keys(self) -> list[tuple[int, str]]:
        """Time in microseconds and segment of each row."""
        return list(zip(self.times.astype("int64").tolist(), self.segments.tolist(), strict=True))

    def select(self, chosen: NDArray[np.intp] | Flags) -> ComputedHistory:
        """Some of the rows."""
        return ComputedHistory(
            self.model,
            self.times[chosen],
            self.segments[chosen],
            self.rows[chosen],
            self.provisional[chosen],
            self.incomplete[chosen],
            {name: column[chosen] for name, column in self.columns.items()},
        )


NeedsLabels = Callable[[str], bool]
"""Whether a metric rests on labels."""

INTERVAL_DIGITS = 6
"""Significant digits of the ends of an interval, rounded outwards: an estimate, or a bound that may be wider."""


def split_column_name(column: str) -> tuple[str, str]:
    """The metric and the suffix of a column of a sheet.

    >>> split_column_name("recall_count"), split_column_name("recall")
    (('recall', '_count'), ('recall', ''))
    """
    suffix = next((end for end in COMPANIONS if column.endswith(end)), "")
    return column.removesuffix(suffix), suffix


def normalized(sheet: ComputedHistory, catalog: MetricRegistry) -> ComputedHistory:
    """The sheet as it is kept: sorted, bounds rounded outwards, without what a reader derives by itself.

    A reader derives the support of a metric that rests on all rows, and Wilson's interval of a share.
    """
    # `all` comes first, then the others by name.
    order = np.array(sorted(range(len(sheet)), key=lambda row: _sort_key(sheet, row)), dtype=np.intp)
    ordered = sheet.select(order)
    columns: dict[str, Floats] = {}
    for name, column in ordered.columns.items():
        kept = _stored_column(name, column, ordered.rows, catalog)
        if not np.isnan(kept).all():
            columns[name] = kept
    return replace(ordered, columns=columns)


def _sort_key(sheet: ComputedHistory, row: int) -> tuple[np.datetime64, bool, str]:
    segment = sheet.segments[row]
    return sheet.times[row], segment != "all", segment


def _stored_column(name: str, column: Floats, rows: Floats, catalog: MetricRegistry) -> Floats:
    metric, suffix = split_column_name(name)
    known = catalog.get(metric)
    if suffix == "_count" and known.support == "rows":
        return np.where(column == rows, np.nan, column)
    if suffix in ("_low", "_high"):
        if known.proportion:
            return np.full(len(column), np.nan)
        return _round_outwards(column, np.floor if suffix == "_low" else np.ceil) + 0.0
    return column + 0.0  # -0.0 would be written with its sign


def _round_outwards(column: Floats, rounded: Callable[[Floats], Floats]) -> Floats:
    sizes = np.abs(column)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = 10.0 ** (INTERVAL_DIGITS - 1 - np.floor(np.log10(sizes)))
        # Division by a power of ten gives the shortest form, multiplication by its inverse does not.
        short = rounded(column * scale) / scale
    fits = (sizes > 0) & (scale >= 1) & np.isfinite(scale)
    return np.where(fits, short, column)


def encode_computed(sheet: ComputedHistory, labelled: NeedsLabels) -> bytes:
    """The file: UTF-8, LF, shortest exact numbers, ISO dates in UTC.

    Args:
        sheet: A tidy one.
        labelled: Says which metrics go to the second row of a period whose labels are still coming.
    """
    names = list(sheet.columns)
    texts = {name: _texts(column) for name, column in sheet.columns.items()}
    rests = [labelled(split_column_name(name)[0]) for name in names]
    dates = [format_iso(to_datetime(time)) for time in sheet.times]
    front = list(zip(dates, [sheet.model] * len(sheet), sheet.segments.tolist(), _texts(sheet.rows), strict=True))
    lines = [encode_header((*LEADING_COLUMNS, *names, TRAILING_COLUMN))]
    for row, cells in enumerate(zip(*texts.values(), strict=True) if names else ((),) * len(sheet)):
        split = bool(sheet.incomplete[row]) and not sheet.provisional[row]
        shares = _split_provisional(cells, rests) if split else ((cells, bool(sheet.provisional[row])),)
        lines += [_line(front[row], share, provisional=flag) for share, flag in shares if any(share)]
    return b"".join(lines)


def _split_provisional(cells: tuple[str, ...], rests: list[bool]) -> Iterator[tuple[tuple[str, ...], bool]]:
    """What is final of a row, then what is not."""
    for late in (False, True):
        yield tuple(cell if rest is late else "" for cell, rest in zip(cells, rests, strict=True)), late


def _line(front: tuple[str, ...], cells: tuple[str, ...], *, provisional: bool) -> bytes:
    # The numbers need no quotes: only names are looked at.
    names = encode_csv_line(front)[:-1]
    return names + ("," + ",".join(cells) + f",{str(provisional).lower()}\n").encode("ascii")


def _texts(column: Floats) -> list[str]:
    return ["" if value != value else repr(value).removesuffix(".0") for value in column.tolist()]  # noqa: PLR0124


def decode_computed(data: bytes, path: object) -> ComputedHistory:
    """The sheet in a file that `compute` wrote. Raises StoreError for any other file."""
    try:
        table = list(csv.reader(io.StringIO(data.decode("utf-8"), newline=""), strict=True))
        names = tuple(table[0])
        if not is_store_header(names) or not data.endswith(b"\n"):
            raise ValueError("header")  # noqa: TRY301  one remedy for whatever is wrong with the file
        return _sheet(table[1:], names)
    except (ValueError, IndexError, csv.Error) as error:
        raise StoreError(f"{sanitize(path)} is not as compute left it: move it away, then compute again") from error


def _sheet(lines: list[list[str]], names: tuple[str, ...]) -> ComputedHistory:
    cells = list(zip(*lines, strict=True)) if lines else [()] * len(names)
    if len(cells) != len(names):
        raise ValueError("cells")
    stamps = np.array([text.removesuffix("Z") for text in cells[0]], dtype=DATETIME_DTYPE)
    flags = np.array([{"true": True, "false": False}.get(text) for text in cells[-1]])
    if len(flags) and flags.dtype != np.bool_:
        raise ValueError("flags")
    found: dict[tuple[int, str], int] = {}
    keys = zip(stamps.astype(np.int64).tolist(), cells[2], strict=True)
    place = np.array([found.setdefault(key, len(found)) for key in keys], dtype=np.intp)
    first = np.unique(place, return_index=True)[1]
    at = partial(_to_array, place=place, size=len(found))
    provisional = np.zeros(len(found), dtype=np.bool_)
    provisional[place] = flags.astype(np.bool_)
    pending = provisional.copy()
    twice = np.bincount(place, minlength=len(found)) > 1
    provisional &= ~twice
    return ComputedHistory(
        cells[1][0] if lines else "",
        stamps[first],
        np.array(cells[2], dtype=object)[first],
        at(cells[3]),
        provisional,
        pending,
        {
            name: at(column)
            for name, column in zip(names[len(LEADING_COLUMNS) : -1], cells[len(LEADING_COLUMNS) : -1], strict=True)
        },
    )


def _to_array(cells: Iterable[str], *, place: NDArray[np.intp], size: int) -> Floats:
    values = np.array([float(text) if text else np.nan for text in cells], dtype=np.float64)
    found = np.full(size, np.nan)
    known = ~np.isnan(values)
    found[place[known]] = values[known]
    return found
