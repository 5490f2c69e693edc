"""The periods of a history as one pandas table, exact in a file and readable on a screen.

A written table is itself valid history: reading it back gives the same series.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any

import numpy as np

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import History, Series
from modeltop.core.text import format_exact, format_period, pad, sanitize
from modeltop.history.store.row_format import encode_csv_line, format_iso

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from modeltop.core.series import Floats

FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r")
"""A cell of text that starts so is run as a formula by spreadsheets (OWASP, CSV injection)."""
MAX_NAME_WIDTH = 24
LABELS = ("date", "model", "segment", "count", "provisional")


def to_frame(history: History, *, head: int | None = None) -> pd.DataFrame:
    """One row a (model, segment, period), in the order of models, then of time.

    Args:
        history: What to lay out.
        head: Only the first so many rows.

    Returns:
        Columns `date` (datetime64, UTC), `model`, `segment`, `count`, `provisional` where known, then a column
        a metric, each followed by `<metric>_count`, `_low`, `_high` where the data has them; NaN where absent.
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
    wanted = [*LABELS, *(f"{name}{suffix}" for name in metrics for suffix in ("", "_count", "_low", "_high"))]
    kept = [name for name in wanted if name in table and not (name in LABELS[2:] and _is_empty(table[name]))]
    return table[kept] if head is None else table[kept].head(head)


def _is_empty(column: pd.Series[Any]) -> bool:
    return bool(column.isna().all() or (column.name == "segment" and (column == "all").all()))


def _frame(model: str, segment: str, group: list[Series]) -> pd.DataFrame:
    import pandas as pd

    times = np.unique(np.concatenate([series.times for series in group]))
    columns: dict[str, object] = {"date": pd.DatetimeIndex(times).tz_localize("UTC")}
    columns |= {"model": model, "segment": segment}
    rows, provisional = np.full(len(times), np.nan), np.zeros(len(times), dtype=bool)
    for series in group:
        at = np.searchsorted(times, series.times)
        name = series.key.metric
        for suffix, values in (("", series.values), ("_low", series.low), ("_high", series.high)):
            if values is not None:
                columns[name + suffix] = _scatter(values, at, len(times))
        if series.support is not None and not _same(series.support, series.rows):
            columns[f"{name}_count"] = _scatter(series.support, at, len(times))
        if series.rows is not None:
            known = np.isfinite(series.rows)
            rows[at[known]] = series.rows[known]
        if series.provisional is not None:
            provisional[at] |= series.provisional
    columns["count"] = rows
    columns["provisional"] = provisional if provisional.any() else None
    return pd.DataFrame(columns, index=range(len(times)))


def _scatter(values: Floats, at: NDArray[np.intp], size: int) -> Floats:
    column = np.full(size, np.nan)
    column[at] = values
    return column


def _same(support: Floats, rows: Floats | None) -> bool:
    return rows is not None and bool(np.array_equal(support, rows, equal_nan=True))


def iter_text_rows(table: pd.DataFrame, zone: tzinfo = UTC) -> Iterator[list[str]]:
    """The rows as text that reads back exactly: ISO dates, shortest floats, empty where absent.

    Args:
        table: From `table_of`.
        zone: In which a date without a zone will be read back; only in UTC may it go without one.
    """
    columns = [_exact_texts(table[name], bare=zone is UTC) for name in table.columns]
    yield from (list(row) for row in zip(*columns, strict=True))


def _exact_texts(column: pd.Series[Any], *, bare: bool) -> list[str]:
    if column.name == "date":
        dates = [format_iso(stamp.to_pydatetime()) for stamp in column]
        return dates if bare else [date if date.endswith("Z") else f"{date}T00:00:00Z" for date in dates]
    if column.name == "provisional":
        return ["true" if value else "" for value in column]
    if column.name in ("model", "segment"):
        return [str(value) for value in column]
    return ["" if np.isnan(value) else format_exact(value) for value in column]


def to_csv_bytes(table: pd.DataFrame, *, zone: tzinfo = UTC, spreadsheet: bool = False) -> bytes:
    """The table as CSV in UTF-8 with LF, header first.

    Args:
        table: From `table_of`.
        zone: In which a date without a zone will be read back.
        spreadsheet: Put an apostrophe before text that a spreadsheet would run; numbers stay as they are.
    """
    names = [str(name) for name in table.columns]
    text = {names.index(name) for name in ("model", "segment") if name in names}
    rows = iter_text_rows(table, zone)
    if spreadsheet:
        names = [_escape_formula(name) for name in names]
        rows = ([_escape_formula(cell) if at in text else cell for at, cell in enumerate(row)] for row in rows)
    return b"".join(map(encode_csv_line, (names, *rows)))


def _escape_formula(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA_PREFIXES) else cell


def format_table(table: pd.DataFrame, catalog: MetricRegistry) -> Iterator[str]:
    """The table for a terminal: aligned, each metric as it is printed everywhere, foreign text made safe."""
    header = [sanitize(name, MAX_NAME_WIDTH) for name in table.columns]
    columns = [_format_column(table[name], catalog) for name in table.columns]
    widths = [max(map(len, [name, *column])) for name, column in zip(header, columns, strict=True)]
    for row in (header, *zip(*columns, strict=True)):
        placed = []
        for name, cell, size in zip(table.columns, row, widths, strict=True):
            placed.append(pad(cell, size) if name in ("date", "model", "segment") else cell.rjust(size))
        yield "  ".join(placed).rstrip()


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
