"""The periods of a history as one pandas table, exact in a file and readable on a screen.

A written table is itself valid history: reading it back gives the same series.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from monitor.metrics.base import Catalog
from monitor.records import History, Series, to_datetime
from monitor.text import day, pad, plain, safe

if TYPE_CHECKING:
    import pandas as pd

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell of text that starts so is run as a formula by spreadsheets (OWASP, CSV injection)."""
NAME_CELLS = 24
LABELS = ("date", "model", "segment", "count", "provisional")


def table_of(history: History, *, head: int | None = None) -> pd.DataFrame:
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
    kept = [name for name in wanted if name in table and not (name in LABELS[2:] and _says_nothing(table[name]))]
    return table[kept] if head is None else table[kept].head(head)


def _says_nothing(column: pd.Series) -> bool:
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
                columns[name + suffix] = _placed(values, at, len(times))
        if series.support is not None and not _same(series.support, series.rows):
            columns[f"{name}_count"] = _placed(series.support, at, len(times))
        if series.rows is not None:
            known = np.isfinite(series.rows)
            rows[at[known]] = series.rows[known]
        if series.provisional is not None:
            provisional[at] |= series.provisional
    columns["count"] = rows
    columns["provisional"] = provisional if provisional.any() else None
    return pd.DataFrame(columns, index=range(len(times)))


def _placed(values: np.ndarray, at: np.ndarray, size: int) -> np.ndarray:
    column = np.full(size, np.nan)
    column[at] = values
    return column


def _same(support: np.ndarray, rows: np.ndarray | None) -> bool:
    return rows is not None and bool(np.array_equal(support, rows, equal_nan=True))


def cells(table: pd.DataFrame) -> Iterator[list[str]]:
    """The rows as text that reads back exactly: ISO dates, shortest floats, empty where absent."""
    import pandas as pd

    columns = []
    for name in table.columns:
        values = table[name]
        if name == "date":
            columns.append([day(to_datetime(np.datetime64(stamp.tz_localize(None)))) for stamp in values])
        elif name == "provisional":
            columns.append(["true" if value is True or value == 1 else "" for value in values])
        elif pd.api.types.is_numeric_dtype(values):
            columns.append(["" if np.isnan(value) else plain(value) for value in values])
        else:
            columns.append([str(value) for value in values])
    yield from (list(row) for row in zip(*columns, strict=True))


def csv_bytes(table: pd.DataFrame, *, spreadsheet: bool = False) -> bytes:
    """The table as CSV in UTF-8 with LF, header first.

    Args:
        table: From `table_of`.
        spreadsheet: Put an apostrophe before text that a spreadsheet would run; numbers stay as they are.
    """
    from monitor.store import csv_line

    text = [name for name in table.columns if name in ("model", "segment")]
    at = [list(table.columns).index(name) for name in text]
    lines = [csv_line(_disarmed(list(table.columns), range(len(table.columns))) if spreadsheet else list(table.columns))]
    lines += [csv_line(_disarmed(row, at) if spreadsheet else row) for row in cells(table)]
    return "".join(lines).encode("utf-8", "surrogatepass")


def _disarmed(row: list[str], at: object) -> list[str]:
    out = list(row)
    for index in at:  # type: ignore[attr-defined]
        if out[index].startswith(FORMULA):
            out[index] = f"'{out[index]}"
    return out


def lines(table: pd.DataFrame, catalog: Catalog) -> Iterator[str]:
    """The table for a terminal: aligned, each metric as it is printed everywhere, foreign text made safe."""
    header = [safe(name, NAME_CELLS) for name in table.columns]
    columns = [_shown(table[name], catalog) for name in table.columns]
    widths = [max(map(len, [name, *column])) for name, column in zip(header, columns, strict=True)]
    for row in (header, *zip(*columns, strict=True)):
        placed = []
        for name, cell, size in zip(table.columns, row, widths, strict=True):
            placed.append(pad(cell, size) if name in ("date", "model", "segment") else cell.rjust(size))
        yield "  ".join(placed).rstrip()


def _shown(column: pd.Series, catalog: Catalog) -> list[str]:
    name = str(column.name)
    if name == "date":
        return [day(to_datetime(np.datetime64(stamp.tz_localize(None)))) for stamp in column]
    if name in ("model", "segment"):
        return [safe(value, NAME_CELLS) for value in column]
    if name == "provisional":
        return ["yes" if value else "" for value in column]
    if name == "count" or name.endswith("_count"):
        return ["" if np.isnan(value) else plain(value) for value in column]
    metric = catalog.of(name.removesuffix("_low").removesuffix("_high"))
    return ["" if np.isnan(value) else metric.show(value) for value in column]
