"""History from CSV text in volume: pandas splits it, everything is verified, and what is doubtful is given back.

Files with equal headers are parsed as one text, since a thousand calls cost more than their rows. The result is that
of the tolerant reader, or None where only that reader knows what to say.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any

import numpy as np

from modeltop.core.errors import SourceError
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import DATETIME_DTYPE
from modeltop.history.csv import dates
from modeltop.history.csv.blocks import ColumnRole, ColumnTable, to_blocks
from modeltop.history.csv.cells import COUNT, out_of_bounds, parse_flag
from modeltop.history.csv.dialect import MAX_CELL, is_utf8
from modeltop.history.csv.header import CsvSchema
from modeltop.history.csv.problems import ProblemCollector
from modeltop.history.merge import Block

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Places = NDArray[np.intp]

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from modeltop.core.series import Flags, Floats, Times

    Codes = NDArray[np.integer[Any]]


def date_spans(body: bytes, layout: CsvSchema) -> tuple[Places, Places] | None:
    """Where each row's date begins and ends.

    None unless every line is UTF-8, ends with a line feed and has as many cells as the header, none of them quoted or
    too long.
    """
    foreign = any(sign in body for sign in (b'"', b"\r", b"\0")) or not is_utf8(body)
    if foreign or not body.endswith(b"\n"):
        return None
    signs = np.frombuffer(body, np.uint8)
    line_ends = np.flatnonzero(signs == ord("\n"))
    line_starts = np.concatenate(([0], line_ends[:-1] + 1))
    if (line_ends - line_starts).max() >= MAX_CELL:
        return None
    if layout.width == 1:
        return line_starts, line_ends
    between = np.flatnonzero(signs == ord(layout.delimiter))
    if len(between) != len(line_ends) * (layout.width - 1):
        return None
    rows = between.reshape(len(line_ends), layout.width - 1)
    if (rows[:, -1] > line_ends).any() or (rows[:, 0] < line_starts).any():
        return None
    starts = rows[:, layout.date - 1] + 1 if layout.date else line_starts
    return starts, rows[:, layout.date] if layout.date < layout.width - 1 else line_ends


MIN_BYTES = 2 * 2**20
"""Under this the tolerant reader is done before pandas could be imported."""
BLOCK_BYTES = 4 * 2**20
"""Text parsed at once; larger blocks are no faster and hold more memory."""


@dataclass(frozen=True, slots=True)
class ParseInput:
    """Whole lines of one file, without its header, under one layout with the others."""

    model: str
    """The model's name where the file has no column for it."""
    lines: bytes


@dataclass(frozen=True, slots=True, eq=False)
class ParseResult:
    """What the tolerant reader would have made of it."""

    blocks: tuple[Block, ...]
    line_count: int
    ok_counts: Mapping[int, int]
    """Column → cells that hold a number."""
    problems: tuple[ProblemCollector, ...] = ()
    """Of lines that are counted from 1, where the text begins."""


def parse_batch(
    texts: Sequence[ParseInput], layout: CsvSchema, *, catalog: MetricRegistry, zone: tzinfo = UTC
) -> list[ParseResult | None]:
    """One result per text; None where something is wrong with it, or might be."""
    columns = _columns([text.lines for text in texts], layout, catalog, zone)
    if columns is not None:
        return list(split_by_input(texts, columns, layout, catalog))
    if len(texts) == 1:
        return [None]
    middle = len(texts) // 2
    halves = (texts[:middle], texts[middle:])
    return [found for half in halves for found in parse_batch(half, layout, catalog=catalog, zone=zone)]


@dataclass(frozen=True, slots=True, eq=False)
class ParsedColumns:
    """The columns of several texts, one below the other."""

    times: Times
    row_ends: list[int]
    """Per text the row behind its last."""
    names: dict[int, tuple[Codes, list[str]]]
    """Column → per row an index into its distinct cells."""
    numbers: dict[int, Floats]
    provisional: Flags | None


def _columns(lines: Sequence[bytes], layout: CsvSchema, catalog: MetricRegistry, zone: tzinfo) -> ParsedColumns | None:
    body = b"".join(lines)
    if b"\r" in body:
        body = body.replace(b"\r\n", b"\n")
    spans = date_spans(body, layout)
    if spans is None:
        return None
    dated = dates.parse_dates_at(body, *spans, zone)
    cells = read_raw_columns(body, layout, with_dates=dated is None)
    if cells is None:
        return None
    names, numbers = cells.names, cells.numbers
    times = _times(*names.pop(layout.date), zone) if dated is None else None if dated[1] else dated[0]
    if times is None or any("" in names[index][1] for index in (layout.model, layout.metric) if index is not None):
        return None
    try:
        provisional = None if layout.provisional is None else _flags(*names.pop(layout.provisional))
    except ValueError:
        return None
    if not _plausible(numbers, body, layout, catalog, names):
        return None
    ends = np.cumsum([text.count(b"\n") for text in lines]).tolist()
    regular = ends[-1] == len(times) == cells.rows
    return ParsedColumns(times, ends, names, numbers, provisional) if regular else None


@dataclass(frozen=True, slots=True, eq=False)
class RawColumns:
    """What pandas makes of a text; nothing is verified."""

    names: dict[int, tuple[Codes, list[str]]]
    """Column of text → per row an index into its distinct cells."""
    numbers: dict[int, Floats]
    rows: int


def read_raw_columns(body: bytes, layout: CsvSchema, *, with_dates: bool = True) -> RawColumns | None:
    """The cells that a layout names, the dates only if asked; None where one cannot be what it should be."""
    texts = [index for index in text_columns(layout) if with_dates or index != layout.date]
    kinds = {**dict.fromkeys(texts, "category"), **{c.index: "float64" for c in layout.numbers}}
    try:
        frame = _frame(body, layout, kinds or {layout.date: "category"})
        names = _factorize(frame, body, layout, texts)
    except (ValueError, OverflowError):  # pandas' own errors are ValueErrors: a cell that is no number, no UTF-8
        return None
    return RawColumns(names, {column.index: frame[column.index].to_numpy() for column in layout.numbers}, len(frame))


def text_columns(layout: CsvSchema) -> list[int]:
    """The columns that are read as they are written."""
    roles = (layout.date, layout.model, layout.segment, layout.metric, layout.provisional)
    return [index for index in roles if index is not None]


def _frame(body: bytes, layout: CsvSchema, kinds: Mapping[int, str]) -> pd.DataFrame:
    """The columns of `kinds`, each of its dtype."""
    # Late: three times as slow to import as a small fleet is to read.
    import pandas as pd

    options: dict[str, Any] = {
        "names": list(range(layout.width)),
        "usecols": list(kinds),
        "dtype": dict(kinds),
        "na_values": {index: [""] for index, kind in kinds.items() if kind == "float64"},
    }
    if tuple(int(part) for part in pd.__version__.split(".")[:2]) < (3, 1):
        options["float_precision"] = "round_trip"  # since 3.1 the default is exact, and asking for it a warning
    frame: pd.DataFrame = pd.read_csv(
        io.BytesIO(body),
        sep=layout.delimiter,
        header=None,
        index_col=False,
        keep_default_na=False,
        quoting=csv.QUOTE_MINIMAL if b'"' in body else csv.QUOTE_NONE,
        compression=None,
        engine="c",
        **options,
    )
    return frame


def _factorize(
    frame: pd.DataFrame, body: bytes, layout: CsvSchema, columns: Sequence[int]
) -> dict[int, tuple[Codes, list[str]]]:
    """Per column of text its distinct cells, and per row which."""
    import pandas as pd

    found: dict[int, tuple[Codes, list[str]]] = {}
    for index in columns:
        column = frame[index]
        if column.cat.categories.inferred_type == "string":
            found[index] = column.cat.codes.to_numpy(), column.cat.categories.tolist()
        else:  # a column of nothing but numbers became one, and `007` would be 7
            codes, cells = pd.factorize(_frame(body, layout, {index: "str"})[index])
            found[index] = codes, cells.tolist()
    return found


def _times(codes: Codes, texts: list[str], zone: tzinfo) -> Times | None:
    distinct = dates.parse_dates(texts, zone)
    return None if distinct is None else distinct[codes].astype(DATETIME_DTYPE, copy=False)


def _flags(codes: Codes, texts: list[str]) -> Flags:
    flags: Flags = np.array([parse_flag(text) for text in texts], dtype=np.bool_)[codes]
    return flags


def _plausible(
    numbers: Mapping[int, Floats],
    body: bytes,
    layout: CsvSchema,
    catalog: MetricRegistry,
    names: Mapping[int, tuple[Codes, list[str]]],
) -> bool:
    for column in layout.numbers:
        values = numbers[column.index]
        if _could_be_flags(values) and re.search(rb"(?i)true|false", body):
            return False  # pandas takes a column of TRUE and FALSE for numbers
        if column.role in ("low", "high"):
            continue
        if column.role == "value" and not column.metric:
            codes, texts = names[layout.metric or 0]
            if any(out_of_bounds(values[codes == i], catalog.get(text)).any() for i, text in enumerate(texts)):
                return False
        elif out_of_bounds(values, COUNT if column.role != "value" else catalog.get(column.metric)).any():
            return False
    return True


def _could_be_flags(values: Floats) -> bool:
    return len(values) > 0 and bool(((values == 0) | (values == 1)).all())


def split_by_input(
    texts: Sequence[ParseInput], columns: ParsedColumns, layout: CsvSchema, catalog: MetricRegistry
) -> Iterator[ParseResult | None]:
    """The columns of all texts, cut into those of each."""
    start = 0
    for text, end in zip(texts, columns.row_ends, strict=True):
        rows = slice(start, end)
        names, groups = _groups(text.model, columns, rows, layout, catalog)
        numbers: dict[ColumnRole, Floats] = {}
        for column in layout.numbers:
            part, values = (column.metric, column.role), columns.numbers[column.index][rows]
            numbers[part] = values if part not in numbers else np.where(np.isnan(values), numbers[part], values)
        good = {index: int(np.count_nonzero(~np.isnan(values[rows]))) for index, values in columns.numbers.items()}
        provisional = None if columns.provisional is None else columns.provisional[rows]
        try:
            blocks = to_blocks(ColumnTable(columns.times[rows], names, groups, numbers, provisional))
        except SourceError:
            yield None
        else:
            yield ParseResult(tuple(blocks), end - start, good)
        start = end


def _groups(
    model: str, columns: ParsedColumns, rows: slice, layout: CsvSchema, catalog: MetricRegistry
) -> tuple[list[tuple[str, str, str | None]], NDArray[np.intp] | None]:
    """The distinct (model, segment, metric) in the order of their first rows, and per row which."""
    roles = (layout.model, layout.segment, layout.metric)
    coded = [None if role is None else columns.names[role] for role in roles]
    combined = np.zeros(rows.stop - rows.start, dtype=np.intp)
    for one in coded:
        if one is not None:
            combined = combined * len(one[1]) + one[0][rows]
    _, first, inverse = np.unique(combined, return_index=True, return_inverse=True)
    index: dict[tuple[str, str, str | None], int] = {}
    places = np.empty(len(first), dtype=np.intp)
    for place in np.argsort(first).tolist():
        row = rows.start + int(first[place])
        own, segment, metric = (None if one is None else one[1][one[0][row]] for one in coded)
        name = (own or model, segment or "all", None if metric is None else catalog.canonical(metric))
        places[place] = index.setdefault(name, len(index))
    return list(index), places[inverse] if len(index) > 1 else None
