"""Text in volume: numpy, or else pandas, converts entire columns, and what is not sound in every cell is refused.

Files with equal headers are converted as one text, since a thousand calls cost more than their rows.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import Floats
from modeltop.history.csv import date_formats, dates
from modeltop.history.csv.convert import ConvertedRows, Converter
from modeltop.history.csv.dialect import MAX_CELL, is_utf8
from modeltop.history.csv.header import CsvSchema
from modeltop.history.csv.problems import ProblemCollector
from modeltop.history.csv.table import CodedColumn, Column, CsvTable
from modeltop.history.merge import Indices

if TYPE_CHECKING:
    import pandas as pd

MIN_BYTES = 2 * 2**20
"""Under this a text is split line by line before pandas could be imported."""
BLOCK_BYTES = 4 * 2**20
"""Bytes of text converted at once; larger blocks are no faster and need more memory."""

_WORD = np.dtype("<u8")
"""Eight characters as one number, the first of them in its lowest byte."""
_ZEROS, _DOTS, _HIGH_BITS, _OTHER_BITS = (
    np.uint64(int.from_bytes(bytes([byte] * 8))) for byte in (0x30, 0x2E, 0x80, 0x7F)
)
_CELL = np.array([2**64 - 2 ** (8 * (8 - length)) for length in range(9)], np.uint64)
"""By length of a cell, the bits of its characters in the word that ends with it."""
_POINT = np.array([0, *(0x80 << 8 * place for place in range(8))], np.uint64)
"""The highest bit of the decimal point by its place in the word; first, of a cell without one."""
_SCALE = np.array([1.0, *(10.0 ** (7 - place) for place in range(8))])


def convert_sound(
    texts: Sequence[bytes], schema: CsvSchema, *, catalog: MetricRegistry, zone: tzinfo = UTC
) -> list[ConvertedRows | None]:
    """Return what each text holds, its lines counted from 1; None if something is wrong with it, or might be.

    Args:
        texts: Complete lines without a header, one or more, all under `schema`.
        schema: The columns.
        catalog: The metrics, with their bounds and other names.
        zone: Time zone of dates that name none.
    """
    problems = ProblemCollector("", allows_doubts=False)
    try:
        table = _read_table(b"".join(texts), schema, zone)
        conversion = Converter(schema, problems, catalog, zone).convert(table)
    except (ValueError, OverflowError):  # pandas' own errors are ValueErrors: a cell that is no number, no UTF-8
        conversion = None
    if conversion is not None and problems.is_empty:
        ends = np.cumsum([0, *(text.count(b"\n") for text in texts)]).tolist()
        return [conversion.part(slice(start, end)) for start, end in pairwise(ends)] if len(texts) > 1 else [conversion]
    if len(texts) == 1:
        return [None]
    middle = len(texts) // 2
    halves = (texts[:middle], texts[middle:])
    return [part for half in halves for part in convert_sound(half, schema, catalog=catalog, zone=zone)]


def _read_table(body: bytes, schema: CsvSchema, zone: tzinfo) -> CsvTable:
    """Return the columns of a text that have a part, those of plain numbers and dates converted.

    Raises:
        ValueError: It is not plain CSV, or a cell is no number.
    """
    if b"\r" in body:
        body = body.replace(b"\r\n", b"\n")
    starts, ends = _cell_spans(body, schema)
    columns: dict[int, Column] = {}
    if schema.date_format is date_formats.PLAIN and not schema.has_days_apart:
        times = dates.parse_dates_at(body, starts[schema.date], ends[schema.date], zone)
        columns |= {} if times is None else {schema.date: times}
    padded = b"0" * 8 + body
    for column in schema.numbers:
        if column.is_plain:
            numbers = _parse_decimals(padded, starts[column.index], ends[column.index])
            columns |= {} if numbers is None else {column.index: numbers}
    roles = (schema.date, schema.model, schema.segment, schema.metric, schema.provisional, schema.version)
    of_text = {index for index in (*roles, *schema.segments) if index is not None and index not in columns}
    of_text |= {column.index for column in schema.numbers if not column.is_plain}
    dtypes = {column.index: "float64" for column in schema.numbers if column.is_plain and column.index not in columns}
    dtypes |= dict.fromkeys(of_text, "category")
    if dtypes:
        frame = _read_frame(body, schema, dtypes)
        if len(frame) != len(starts[0]):
            raise ValueError("a line is empty")
        for index, dtype in dtypes.items():
            columns[index] = _numbers(frame, index, body) if dtype == "float64" else _coded(frame, index, body, schema)
    return CsvTable(np.arange(1, 1 + len(starts[0])), columns)


def _parse_decimals(padded: bytes, starts: Indices, ends: Indices) -> Floats | None:
    """Return the numbers of cells, NaN for an empty one; None unless each is at most 8 digits and a point between them.

    Both the digits and the power of ten are exact as a float, so that their quotient is the float nearest to the cell.

    Args:
        padded: The text behind eight other bytes.
        starts: Offset in the text of each cell's first byte.
        ends: Offset in the text behind each cell's last byte.
    """
    lengths = ends - starts
    if len(lengths) == 0 or lengths.max() > _WORD.itemsize:
        return None
    words = np.ndarray(len(padded) - 7, _WORD, padded, strides=(1,))[ends]  # those that end with the cells
    cells = _CELL[_once_if_equal(lengths)]
    words = (words & cells) | (_ZEROS & ~cells)
    others = words ^ _DOTS
    points = _once_if_equal(~(((others & _OTHER_BITS) + _OTHER_BITS) | others | _OTHER_BITS))
    places = np.searchsorted(_POINT, points)
    is_pointed = points != 0
    if not (_POINT[np.minimum(places, 8)] == points).all() or (is_pointed & (places == 8)).any():
        return None  # two points, or one at the end
    if (is_pointed & (places + lengths <= 9)).any():
        return None  # one at the start
    below = (points >> np.uint64(7)) - np.uint64(1)
    above = ~((points << np.uint64(1)) - np.uint64(1))
    without_point = (words & above) | ((words & below) << np.uint64(8)) | np.uint64(0x30)
    digits = np.where(is_pointed, without_point, words) ^ _ZEROS
    if (((digits + np.uint64(0x7676767676767676)) | digits) & _HIGH_BITS).any():
        return None
    numbers: Floats = _join_digits(digits) / _SCALE[places]
    numbers[lengths == 0] = np.nan
    return numbers


def _once_if_equal(values: NDArray[Any]) -> NDArray[Any]:
    """Return the only value of an array, which then stands for all of them, or the array: cells are often alike."""
    return values[:1] if (values == values[0]).all() else values


def _join_digits(digits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the numbers of eight decimal digits each, the first in the lowest byte."""
    pairs = digits * np.uint64(10) + (digits >> np.uint64(8))
    every_second = np.uint64(0x000000FF000000FF)
    first = (pairs & every_second) * np.uint64(100 + (1_000_000 << 32))
    second = ((pairs >> np.uint64(16)) & every_second) * np.uint64(1 + (10_000 << 32))
    return (first + second) >> np.uint64(32)


def _numbers(frame: pd.DataFrame, index: int, body: bytes) -> Floats:
    """Return a column of numbers, unless pandas may have made them of a column of TRUE and FALSE."""
    numbers: Floats = frame[index].to_numpy()
    could_be_flags = len(numbers) > 0 and bool(((numbers == 0) | (numbers == 1)).all())
    if could_be_flags and any(word in body.lower() for word in (b"true", b"false")):
        raise ValueError("flags are no numbers")
    return numbers


def _cell_spans(body: bytes, schema: CsvSchema) -> tuple[list[Indices], list[Indices]]:
    """Return by column the offsets at which each row's cell starts and ends.

    Raises:
        ValueError: Not every line is UTF-8, ends with a line feed and has as many cells as the header, none of them
            quoted or too long.
    """
    if any(character in body for character in (b'"', b"\r", b"\0")) or not is_utf8(body) or not body.endswith(b"\n"):
        raise ValueError("characters")
    characters = np.frombuffer(body, np.uint8)
    line_ends = np.flatnonzero(characters == ord("\n"))
    line_starts = np.concatenate(([0], line_ends[:-1] + 1))
    delimiters = np.flatnonzero(characters == ord(schema.delimiter)) if schema.width > 1 else line_ends[:0]
    between = list(delimiters.reshape(len(line_ends), schema.width - 1).T)  # a ValueError unless it fits
    ends = [*between, line_ends]
    last = between[-1] if between else line_ends
    if not ((last <= line_ends) & (ends[0] >= line_starts) & (line_ends - line_starts < MAX_CELL)).all():
        raise ValueError("cells")
    return [line_starts, *(end + 1 for end in between)], ends


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


def _coded(frame: pd.DataFrame, index: int, body: bytes, schema: CsvSchema) -> CodedColumn:
    column = frame[index]
    if column.cat.categories.inferred_type == "string":
        return CodedColumn(column.cat.codes.to_numpy(), column.cat.categories.tolist())
    import pandas as pd

    # pandas makes numbers of a category of nothing but numbers, and `007` would be 7.
    codes, cells = pd.factorize(_read_frame(body, schema, {index: "str"})[index])
    return CodedColumn(codes, cells.tolist())
