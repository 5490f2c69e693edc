"""History from CSV text in volume: pandas splits it, everything is verified, and doubtful content is refused.

Files with equal headers are parsed as one text, since a thousand calls cost more than their rows.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from modeltop.core.errors import SourceError
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import DATETIME_DTYPE, Flags, Floats, Times
from modeltop.history.csv import dates
from modeltop.history.csv.cells import COUNT, add_numbers, are_fractions, out_of_bounds, parse_flag, to_infinity
from modeltop.history.csv.dialect import MAX_CELL, is_utf8
from modeltop.history.csv.header import CsvSchema
from modeltop.history.csv.local_time import may_come_twice
from modeltop.history.merge import Block, ColumnRole, ColumnTable, GroupKey, to_blocks

if TYPE_CHECKING:
    import pandas as pd

_TextColumn = tuple[NDArray[np.integer[Any]], list[str]]
"""Per row an index into the distinct cells, and those."""

MIN_BYTES = 2 * 2**20
"""Under this the tolerant reader is done before pandas could be imported."""
BLOCK_BYTES = 4 * 2**20
"""Bytes of text parsed at once; larger blocks are no faster and need more memory."""


@dataclass(frozen=True, slots=True)
class ParseInput:
    """Complete lines of one file, without its header, under one schema with the other inputs."""

    model: str
    lines: bytes
    first: int = 2
    """Line number of the first one."""


@dataclass(frozen=True, slots=True, eq=False)
class ParseResult:
    """The rows of one input, as the tolerant reader would have read them."""

    blocks: tuple[Block, ...]
    line_count: int
    ok_counts: Mapping[int, int]


def parse_batch(
    inputs: Sequence[ParseInput], schema: CsvSchema, *, catalog: MetricRegistry, zone: tzinfo = UTC
) -> list[ParseResult | None]:
    """Return one result per input; None if something is wrong with it, or might be.

    Args:
        inputs: One or more, all under `schema`.
        schema: The columns.
        catalog: The metrics, with their bounds and other names.
        zone: Time zone of dates that name none.
    """
    columns = _parse_columns([text.lines for text in inputs], schema, catalog, zone)
    if columns is not None:
        return list(_split_by_input(inputs, columns, schema))
    if len(inputs) == 1:
        return [None]
    middle = len(inputs) // 2
    halves = (inputs[:middle], inputs[middle:])
    return [result for half in halves for result in parse_batch(half, schema, catalog=catalog, zone=zone)]


@dataclass(frozen=True, slots=True, eq=False)
class _ParsedColumns:
    """The columns of several inputs, one below the other."""

    times: Times
    row_ends: list[int]
    """Index of the row behind the last of each input."""
    texts: dict[int, _TextColumn]
    numbers: dict[int, Floats]
    provisional: Flags | None


def _parse_columns(
    lines: Sequence[bytes], schema: CsvSchema, catalog: MetricRegistry, zone: tzinfo
) -> _ParsedColumns | None:
    body = b"".join(lines)
    if b"\r" in body:
        body = body.replace(b"\r\n", b"\n")
    spans = _date_spans(body, schema)
    if spans is None:
        return None
    try:
        times = dates.parse_dates_at(body, *spans, zone)
        texts, numbers, row_count = _read_columns(body, schema, with_dates=times is None)
        if times is None:
            codes, cells = texts.pop(schema.date)
            times = dates.parse_dates(cells, zone)[codes].astype(DATETIME_DTYPE, copy=False)
        provisional = None
        if schema.provisional is not None:
            codes, cells = texts.pop(schema.provisional)
            provisional = np.array([parse_flag(cell) for cell in cells], dtype=np.bool_)[codes]
    except (ValueError, OverflowError):  # pandas' own errors are ValueErrors: a cell that is no number, no UTF-8
        return None
    if any("" in texts[index][1] for index in (schema.model, schema.metric) if index is not None):
        return None
    if may_come_twice(times, zone).any() or not _are_plausible(numbers, body, schema, catalog, texts):
        return None
    row_ends = np.cumsum([text.count(b"\n") for text in lines]).tolist()
    if not row_ends[-1] == len(times) == row_count:
        return None
    return _ParsedColumns(times, row_ends, texts, numbers, provisional)


def _date_spans(body: bytes, schema: CsvSchema) -> tuple[NDArray[np.intp], NDArray[np.intp]] | None:
    """Return the offsets at which each row's date starts and ends.

    None unless every line is UTF-8, ends with a line feed and has as many cells as the header, none of them quoted or
    too long.
    """
    if any(character in body for character in (b'"', b"\r", b"\0")) or not is_utf8(body) or not body.endswith(b"\n"):
        return None
    characters = np.frombuffer(body, np.uint8)
    line_ends = np.flatnonzero(characters == ord("\n"))
    line_starts = np.concatenate(([0], line_ends[:-1] + 1))
    if (line_ends - line_starts).max() >= MAX_CELL:
        return None
    if schema.width == 1:
        return line_starts, line_ends
    delimiters = np.flatnonzero(characters == ord(schema.delimiter))
    if len(delimiters) != len(line_ends) * (schema.width - 1):
        return None
    rows = delimiters.reshape(len(line_ends), schema.width - 1)
    if (rows[:, -1] > line_ends).any() or (rows[:, 0] < line_starts).any():
        return None
    starts = rows[:, schema.date - 1] + 1 if schema.date else line_starts
    return starts, rows[:, schema.date] if schema.date < schema.width - 1 else line_ends


def _read_columns(
    body: bytes, schema: CsvSchema, *, with_dates: bool
) -> tuple[dict[int, _TextColumn], dict[int, Floats], int]:
    """Return the columns of text, the dates only if asked, those of numbers, and the number of rows.

    Raises:
        ValueError: A cell cannot be parsed in its role.
    """
    roles = (schema.date if with_dates else None, schema.model, schema.segment, schema.metric, schema.provisional)
    text_columns = [index for index in roles if index is not None]
    dtypes = {**dict.fromkeys(text_columns, "category"), **{column.index: "float64" for column in schema.numbers}}
    frame = _read_frame(body, schema, dtypes or {schema.date: "category"})
    texts = {index: _factorize(frame, index, body, schema) for index in text_columns}
    numbers = {column.index: to_infinity(frame[column.index].to_numpy()) for column in schema.numbers}
    return texts, numbers, len(frame)


def _read_frame(body: bytes, schema: CsvSchema, dtypes: Mapping[int, str]) -> pd.DataFrame:
    # Late: importing pandas is three times slower than reading a small fleet.
    import pandas as pd

    options: dict[str, Any] = {
        "names": list(range(schema.width)),
        "usecols": list(dtypes),
        "dtype": dict(dtypes),
        "na_values": {index: [""] for index, dtype in dtypes.items() if dtype == "float64"},
    }
    if tuple(int(number) for number in pd.__version__.split(".")[:2]) < (3, 1):
        options["float_precision"] = "round_trip"  # since 3.1 the default is exact, and asking for it a warning
    frame: pd.DataFrame = pd.read_csv(
        io.BytesIO(body),
        sep=schema.delimiter,
        header=None,
        index_col=False,
        keep_default_na=False,
        quoting=csv.QUOTE_NONE,
        compression=None,
        engine="c",
        **options,
    )
    return frame


def _factorize(frame: pd.DataFrame, index: int, body: bytes, schema: CsvSchema) -> _TextColumn:
    column = frame[index]
    if column.cat.categories.inferred_type == "string":
        return column.cat.codes.to_numpy(), column.cat.categories.tolist()
    import pandas as pd

    # pandas makes numbers of a category of nothing but numbers, and `007` would be 7.
    codes, cells = pd.factorize(_read_frame(body, schema, {index: "str"})[index])
    return codes, cells.tolist()


def _are_plausible(
    numbers: Mapping[int, Floats],
    body: bytes,
    schema: CsvSchema,
    catalog: MetricRegistry,
    texts: Mapping[int, _TextColumn],
) -> bool:
    for column in schema.numbers:
        values = numbers[column.index]
        could_be_flags = len(values) > 0 and bool(((values == 0) | (values == 1)).all())
        if could_be_flags and any(word in body.lower() for word in (b"true", b"false")):
            return False  # pandas converts a column of TRUE and FALSE to numbers
        if column.role in ("low", "high"):
            continue
        if column.is_count and are_fractions(values).any():
            return False  # thousands, perhaps: 1.234 is 1234 where decimals are commas
        if column.role == "value" and not column.metric:
            codes, cells = texts[schema.metric or 0]
            if out_of_bounds(values, [catalog.as_written(cell) for cell in cells], codes).any():
                return False
        elif out_of_bounds(values, [COUNT if column.role != "value" else catalog.as_written(column.name)]).any():
            return False
    return True


def _split_by_input(
    inputs: Sequence[ParseInput], columns: _ParsedColumns, schema: CsvSchema
) -> Iterator[ParseResult | None]:
    start = 0
    for text, end in zip(inputs, columns.row_ends, strict=True):
        rows = slice(start, end)
        keys, groups = _groups(text.model, columns, rows, schema)
        numbers: dict[ColumnRole, Floats] = {}
        for column in schema.numbers:
            add_numbers(numbers, column, columns.numbers[column.index][rows])
        ok_counts = {index: int(np.count_nonzero(~np.isnan(values[rows]))) for index, values in columns.numbers.items()}
        provisional = None if columns.provisional is None else columns.provisional[rows]
        try:
            lines = np.arange(text.first, text.first + end - start)
            times, names = columns.times[rows], schema.written
            blocks = to_blocks(ColumnTable(times, keys, groups, numbers, provisional, written=names, lines=lines))
        except SourceError:
            yield None
        else:
            yield ParseResult(tuple(blocks), end - start, ok_counts)
        start = end


def _groups(
    model: str, columns: _ParsedColumns, rows: slice, schema: CsvSchema
) -> tuple[list[GroupKey], NDArray[np.intp] | None]:
    """Return the distinct groups in the order of their first rows, and per row which; None if there is one."""
    roles = (schema.model, schema.segment, schema.metric)
    factorized = [None if role is None else columns.texts[role] for role in roles]
    combined = np.zeros(rows.stop - rows.start, dtype=np.intp)
    for column in factorized:
        if column is not None:
            codes, cells = column
            combined = combined * len(cells) + codes[rows]
    _, first_rows, inverse = np.unique(combined, return_index=True, return_inverse=True)
    index: dict[GroupKey, int] = {}
    groups = np.empty(len(first_rows), dtype=np.intp)
    for group in np.argsort(first_rows).tolist():
        row = rows.start + int(first_rows[group])
        own, segment, metric = (None if column is None else column[1][column[0][row]] for column in factorized)
        key = (own or model, segment or "all", metric)
        groups[group] = index.setdefault(key, len(index))
    return list(index), groups[inverse] if len(index) > 1 else None
