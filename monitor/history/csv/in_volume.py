"""Text in volume: pandas splits it into columns, and whatever is not sound in every cell is refused.

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

if TYPE_CHECKING:
    import pandas as pd

MIN_BYTES = 2 * 2**20
"""Under this a text is split line by line before pandas could be imported."""
BLOCK_BYTES = 4 * 2**20
"""Bytes of text converted at once; larger blocks are no faster and need more memory."""


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
    spans = _date_spans(body, schema)
    columns: dict[int, Column] = {}
    if schema.date_format is date_formats.PLAIN and not schema.has_days_apart:
        times = dates.parse_dates_at(body, *spans, zone)
        columns |= {} if times is None else {schema.date: times}
    roles = (schema.date, schema.model, schema.segment, schema.metric, schema.provisional, schema.version)
    of_text = {index for index in (*roles, *schema.segments) if index is not None and index not in columns}
    of_text |= {column.index for column in schema.numbers if not column.is_plain}
    dtypes = {column.index: "float64" for column in schema.numbers if column.is_plain}
    dtypes |= dict.fromkeys(of_text, "category")
    frame = _read_frame(body, schema, dtypes or {schema.date: "category"})
    if len(frame) != len(spans[0]):
        raise ValueError("a line is empty")
    for index, dtype in dtypes.items():
        columns[index] = _numbers(frame, index, body) if dtype == "float64" else _coded(frame, index, body, schema)
    return CsvTable(np.arange(1, len(frame) + 1), columns)


def _numbers(frame: pd.DataFrame, index: int, body: bytes) -> Floats:
    """Return a column of numbers, unless pandas may have made them of a column of TRUE and FALSE."""
    numbers: Floats = frame[index].to_numpy()
    could_be_flags = len(numbers) > 0 and bool(((numbers == 0) | (numbers == 1)).all())
    if could_be_flags and any(word in body.lower() for word in (b"true", b"false")):
        raise ValueError("flags are no numbers")
    return numbers


def _date_spans(body: bytes, schema: CsvSchema) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the offsets at which each row's date starts and ends.

    Raises:
        ValueError: Not every line is UTF-8, ends with a line feed and has as many cells as the header, none of them
            quoted or too long.
    """
    if any(character in body for character in (b'"', b"\r", b"\0")) or not is_utf8(body) or not body.endswith(b"\n"):
        raise ValueError("characters")
    characters = np.frombuffer(body, np.uint8)
    line_ends = np.flatnonzero(characters == ord("\n"))
    line_starts = np.concatenate(([0], line_ends[:-1] + 1))
    if schema.width == 1:
        rows = line_ends[:, None]
    else:
        delimiters = np.flatnonzero(characters == ord(schema.delimiter))
        rows = delimiters.reshape(len(line_ends), schema.width - 1)  # a ValueError unless it fits
    is_row = (rows[:, -1] <= line_ends) & (rows[:, 0] >= line_starts) & (line_ends - line_starts < MAX_CELL)
    if not is_row.all():
        raise ValueError("cells")
    starts = rows[:, schema.date - 1] + 1 if schema.date else line_starts
    return starts, rows[:, schema.date] if schema.date < schema.width - 1 else line_ends


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
