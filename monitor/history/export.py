"""The periods of a history as one pandas table, exact in a file and readable on a screen.

A written table is itself valid history: reading it back gives the same series.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, tzinfo
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import Floats, History, Series
from modeltop.core.stats.robust import distinct
from modeltop.core.text import format_exact, format_period, pad, sanitize
from modeltop.history.store.row_format import encode_csv_line, format_iso

if TYPE_CHECKING:
    import pandas as pd


FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r")
"""A cell of text that starts so is run as a formula by spreadsheets (OWASP, CSV injection)."""
MAX_NAME_WIDTH = 24
LABELS = ("date", "model", "segment", "count", "provisional")
"""Columns that are no metric, in the order of the table."""


def to_frame(history: History, *, head: int | None = None) -> pd.DataFrame:
    """Return a table of one row a (model, segment, period), in the order of models, then of time; the first `head`.

    Columns are `date` (datetime64, UTC), `model`, `segment`, `count`, `provisional` where known, then a column a
    metric, each followed by `<metric>_count`, `_low`, `_high` if the data has them; NaN where absent.
    """
    import pandas as pd

    groups: dict[tuple[str, str], list[Series]] = {}
    for key, series in history.series.items():
        groups.setdefault((key.model, key.segment), []).append(series)
    frames = [_frame(model, segment, group) for (model, segment), group in groups.items()]
    if not frames:
        return pd.DataFrame({"date": pd.Series([], dtype="datetime64[us, UTC]"), "model": pd.Series([], dtype=str)})
    table = pd.concat(frames, ignore_index=True)
    metrics = dict.fromkeys(key.metric for key in history.series)
    order = [*LABELS, *(f"{name}{suffix}" for name in metrics for suffix in ("", "_count", "_low", "_high"))]
    names = [name for name in order if name in table and not (name in LABELS[2:] and _is_empty(table[name]))]
    return table[names] if head is None else table[names].head(head)


def without_stem_as_model(table: pd.DataFrame, history: History) -> pd.DataFrame:
    """Return the table without its column of models where that is the name of the only file: no column of the data."""
    file = history.files[0] if len(history.files) == 1 else None
    if file is None or file.models != (PurePath(file.source).name.removesuffix(".csv"),) or "model" not in table:
        return table
    return table.drop(columns="model")


def _is_empty(column: pd.Series[Any]) -> bool:
    return bool(column.isna().all() or (column.name == "segment" and (column == "all").all()))


def _frame(model: str, segment: str, group: list[Series]) -> pd.DataFrame:
    import pandas as pd

    times = distinct(np.concatenate([series.times for series in group]))
    columns: dict[str, object] = {"date": pd.DatetimeIndex(times).tz_localize("UTC")}
    columns |= {"model": model, "segment": segment}
    rows, provisional = np.full(len(times), np.nan), np.zeros(len(times), dtype=bool)
    for series in group:
        indices = np.searchsorted(times, series.times)
        name = series.key.metric
        for suffix, values in (("", series.values), ("_low", series.low), ("_high", series.high)):
            if values is not None:
                columns[name + suffix] = _scatter(values, indices, len(times))
        support = series.support
        if support is not None and (series.rows is None or not np.array_equal(support, series.rows, equal_nan=True)):
            columns[f"{name}_count"] = _scatter(support, indices, len(times))
        if series.rows is not None:
            present = np.isfinite(series.rows)
            rows[indices[present]] = series.rows[present]
        if series.provisional is not None:
            provisional[indices] |= series.provisional
    columns["count"] = rows
    columns["provisional"] = provisional if provisional.any() else None
    return pd.DataFrame(columns, index=range(len(times)))


def _scatter(values: Floats, indices: NDArray[np.intp], size: int) -> Floats:
    column = np.full(size, np.nan)
    column[indices] = values
    return column


def to_csv_bytes(table: pd.DataFrame, *, zone: tzinfo = UTC, spreadsheet: bool = False) -> bytes:
    """Return the table as CSV that reads back exactly: UTF-8, LF, header first, ISO dates, shortest exact numbers.

    Args:
        table: From `to_frame`.
        zone: Time zone in which a date without one will be read back; only in UTC may a date go without.
        spreadsheet: Put an apostrophe before text that a spreadsheet would run; numbers stay as they are.
    """
    names = [str(name) for name in table.columns]
    columns = [_exact_texts(table[name], bare_dates=zone is UTC) for name in table.columns]
    if spreadsheet:
        columns = [
            [_escape_formula(cell) for cell in cells] if name in ("model", "segment") else cells
            for name, cells in zip(names, columns, strict=True)
        ]
        names = [_escape_formula(name) for name in names]
    return b"".join(map(encode_csv_line, (names, *zip(*columns, strict=True))))


def _exact_texts(column: pd.Series[Any], *, bare_dates: bool) -> list[str]:
    if column.name == "date":
        dates = [format_iso(stamp.to_pydatetime()) for stamp in column]
        return dates if bare_dates else [date if date.endswith("Z") else f"{date}T00:00:00Z" for date in dates]
    if column.name == "provisional":
        return ["true" if value else "" for value in column]
    if column.name in ("model", "segment"):
        return [str(value) for value in column]
    texts = ["" if np.isnan(value) else format_exact(value) for value in column]
    return _pad_decimals(texts) if any(re.search(r"\.\d\d", text) for text in texts) else texts


def _pad_decimals(texts: list[str]) -> list[str]:
    """Return each number with two decimals at least, as a person writes `0.90` beside `0.95`: the same number."""
    return [f"{text}0" if re.fullmatch(r"-?\d+\.\d", text) else text for text in texts]


def _escape_formula(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA_PREFIXES) else cell


def format_table(table: pd.DataFrame, catalog: MetricRegistry) -> Iterator[str]:
    """Yield the lines of the table for a terminal: aligned, metrics in their own format, foreign text made safe."""
    header = [sanitize(name, MAX_NAME_WIDTH) for name in table.columns]
    columns = [_format_column(table[name], catalog) for name in table.columns]
    widths = [max(map(len, [name, *column])) for name, column in zip(header, columns, strict=True)]
    for row in (header, *zip(*columns, strict=True)):
        cells = zip(table.columns, row, widths, strict=True)
        aligned = (pad(cell, width) if name in LABELS[:3] else cell.rjust(width) for name, cell, width in cells)
        yield "  ".join(aligned).rstrip()


def _format_column(column: pd.Series[Any], catalog: MetricRegistry) -> list[str]:
    name = str(column.name)
    if name == "date":
        return [format_period(stamp.to_pydatetime()) for stamp in column]
    if name in ("model", "segment"):
        return [sanitize(value, MAX_NAME_WIDTH) for value in column]
    if name == "provisional":
        return ["yes" if value else "" for value in column]
    if name == "count" or name.endswith("_count"):
        return ["" if np.isnan(value) else format_exact(value) for value in column]
    metric = catalog.get(name.removesuffix("_low").removesuffix("_high"))
    return ["" if np.isnan(value) else metric.format(value) for value in column]
