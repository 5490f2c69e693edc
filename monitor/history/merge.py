"""Parsed columns as blocks, and blocks of all files, in the order in which they count, as series."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import Flags, Floats, Series, SeriesKey, Times, to_datetime
from modeltop.core.stats.robust import distinct

_Column = NDArray[Any]
Indices = NDArray[np.intp]

FIELDS_BY_METRIC = ("values", "supports", "lows", "highs")
VersionStarts = tuple[tuple[datetime, str], ...]
"""Versions of a model, each with the first period of it."""
Progress = Callable[[int, int], None]
"""A function that is called with (files read, files in all)."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Periods of one model and segment, as one file gives them, in the file's order.

    Every array has the length of `times`. Times may repeat and need not be sorted; merging sorts and merges.
    """

    model: str
    segment: str
    times: Times
    """Period starts, UTC, dtype `datetime64[us]`."""
    values: Mapping[str, Floats]
    """Canonical metric name → values; NaN for an empty cell."""
    supports: Mapping[str, Floats] = field(default_factory=dict)
    """Metric → its own support, from `<metric>_count`; NaN where unknown."""
    lows: Mapping[str, Floats] = field(default_factory=dict)
    """Metric → lower end of its 95 % interval, from `<metric>_low`; NaN where unknown."""
    highs: Mapping[str, Floats] = field(default_factory=dict)
    rows: Floats | None = None
    """Rows of the period, from `count`; NaN where unknown."""
    provisional: Flags | None = None
    refused: Mapping[str, Indices] = field(default_factory=dict)
    """Metric → indices of the rows whose value is there but could not be read, increasing."""
    written: Mapping[str, str] = field(default_factory=dict)
    """Metric → its name in the file, if that is another."""
    lines: Indices | None = None
    """Line number of each row in the file."""
    versions: NDArray[Any] | None = None
    """The version of the model of each row; empty where unknown."""
    is_renamed: bool = False
    """Whether the file has the model under an earlier name: of one period the name of now counts."""


def select_metrics(block: Block, metrics: Collection[str], *, segment: str | None = None) -> Block:
    """Return a block with all of its periods and only some of its metrics, in another segment if one is given."""
    fields: dict[str, Any] = {
        name: {metric: column for metric, column in getattr(block, name).items() if metric in metrics}
        for name in (*FIELDS_BY_METRIC, "refused", "written")
    }
    return replace(block, segment=segment or block.segment, **fields)


RECENT_VALUES = 60
"""Newest values of a metric that show how long after their period they usually come."""
USUAL = 0.9
"""Share of values that come within their usual delay."""
MAX_GROUPS = 50_000
"""Models times segments (times metrics, in the long shape) of one file; more is a column of row numbers."""


def join_segments(of_row: str, of_column: str) -> str:
    """Return the segment of the values of a column in a row.

    >>> join_segments("all", "split=train"), join_segments("country=DE", "all")
    ('split=train', 'country=DE')
    >>> join_segments("country=DE", "split=train")
    'country=DE,split=train'
    """
    return ",".join(part for part in (of_row, of_column) if part != "all") or "all"


def too_many_groups(count: int) -> str:
    """Return the message that a file with `count` groups is refused with."""
    return (
        f"the file has {count:,} models and segments, the most is {MAX_GROUPS:,}: "
        "is a column of row numbers named model or segment?"
    )


def are_identical(left: Sequence[Block], right: Sequence[Block]) -> bool:
    """Return whether these are the very same blocks."""
    return len(left) == len(right) and all(a is b for a, b in zip(left, right, strict=True))


def merge_blocks(blocks: Sequence[Block], catalog: MetricRegistry) -> tuple[list[Series], dict[SeriesKey, Times]]:
    """Return the series of one or more blocks of one model and segment; a metric without any value has none.

    Beside them, by series, the periods whose last value could not be read: none in the same or a later row could.

    Of several values of one period the last non-empty one counts, in the order of the blocks and of their rows.
    Its support and interval come from its own row or a later one, since an earlier one belonged to another value; its
    provisional flag from its own row alone. The row count belongs to the period: the last one in a block of the metric,
    failing that in any. For a metric of all rows it is the support if no other is given. If one block
    is sorted and complete, the series are views of it.
    """
    block = concat_blocks(blocks)
    duplicates = None if is_increasing(block.times) else _DuplicatePeriods(block.times, blocks)
    series = (_to_series(block, metric, duplicates, catalog) for metric in block.values)
    if delays := _usual_delays(blocks):
        series = (replace(each, usual_delay=delays.get(each.key.metric, 0.0)) for each in series)
    refused = {
        SeriesKey(block.model, metric, block.segment): periods
        for metric, rows in block.refused.items()
        if len(periods := _refused_periods(block, metric, rows))
    }
    return [each for each in series if len(each)], refused


def _usual_delays(blocks: Sequence[Block]) -> dict[str, float]:
    """Return by metric how many seconds behind the newest row so far nine in ten of its newest values were appended.

    Only a file to which rows are appended shows that: one in which each period is first met in order.
    """
    delays: dict[str, list[Floats]] = {}
    for block in blocks:
        if is_increasing(block.times):
            continue
        behind = (np.maximum.accumulate(block.times) - block.times) / np.timedelta64(1, "s")
        _, first_rows = np.unique(block.times, return_index=True)
        if np.quantile(behind[first_rows], USUAL) == 0:
            for metric, values in block.values.items():
                delays.setdefault(metric, []).append(behind[~np.isnan(values)][-RECENT_VALUES:])
    newest = {metric: np.concatenate(parts)[-RECENT_VALUES:] for metric, parts in delays.items()}
    return {metric: float(np.quantile(each, USUAL)) for metric, each in newest.items() if len(each)}


def _refused_periods(block: Block, metric: str, rows: Indices) -> Times:
    values = block.values[metric]
    mask = ~np.isnan(values)
    mask[rows] = True
    candidates = np.flatnonzero(mask)
    order = np.argsort(block.times[candidates], kind="stable")
    times = block.times[candidates[order]]
    is_last = np.append(times[1:] > times[:-1], True)
    return times[is_last & np.isnan(values[candidates[order]])]


def all_periods(blocks: Sequence[Block]) -> Times:
    """Return every period start of one or more blocks, sorted, without repeats."""
    times = blocks[0].times if len(blocks) == 1 else np.concatenate([block.times for block in blocks])
    return times if is_increasing(times) else distinct(times)


def is_increasing(times: Times) -> bool:
    """Return whether every time is later than the one before it."""
    return len(times) < 2 or bool((times[1:] > times[:-1]).all())


def version_starts(blocks: Sequence[Block]) -> VersionStarts:
    """Return the versions that blocks of one model name, each with the first period of it, oldest first.

    A version that comes back after another, as a rollback does, is in it again.
    """
    named = [(block.times, block.versions) for block in blocks if block.versions is not None]
    if not named:
        return ()
    times, versions = (np.concatenate(arrays) for arrays in zip(*named, strict=True))
    cells, codes = np.unique(versions.astype(str), return_inverse=True)
    pairs = np.unique(np.column_stack((times.view(np.int64), codes))[versions != ""], axis=0)
    starts: list[tuple[datetime, str]] = []
    before: set[int] = set()
    for moment, members in groupby(pairs.tolist(), key=itemgetter(0)):
        present = {code for _, code in members}
        at = to_datetime(np.datetime64(moment, "us"))
        starts += [(at, str(cells[code])) for code in sorted(present - before)]
        before = present
    return tuple(starts)


def concat_blocks(blocks: Sequence[Block]) -> Block:
    """Return one block of the rows of all, one or more; NaN if a block lacks a column that another has."""
    if len(blocks) == 1:
        return blocks[0]
    sizes = [len(block.times) for block in blocks]
    starts = np.cumsum([0, *sizes[:-1]]).tolist()

    def concat(arrays: Sequence[_Column | None], missing: float | str = np.nan) -> Any:
        if all(array is None for array in arrays):
            return None
        pairs = zip(arrays, sizes, strict=True)
        return np.concatenate([np.full(size, missing) if array is None else array for array, size in pairs])

    columns: dict[str, Any] = {}
    for name in FIELDS_BY_METRIC:
        fields = [getattr(block, name) for block in blocks]
        metrics = dict.fromkeys(metric for each in fields for metric in each)
        columns[name] = {metric: concat([each.get(metric) for each in fields]) for metric in metrics}
    refused: dict[str, list[Indices]] = {}
    for block, start in zip(blocks, starts, strict=True):
        for metric, indices in block.refused.items():
            refused.setdefault(metric, []).append(indices + start)
    lines = [block.lines for block in blocks if block.lines is not None]
    return Block(
        blocks[0].model,
        blocks[0].segment,
        np.concatenate([block.times for block in blocks]),
        **columns,
        rows=concat([block.rows for block in blocks]),
        provisional=concat([block.provisional for block in blocks], missing=False),
        refused={metric: np.concatenate(parts) for metric, parts in refused.items()},
        written=blocks[0].written,
        lines=np.concatenate(lines) if len(lines) == len(blocks) else None,
        versions=concat([block.versions for block in blocks], missing=""),
        is_renamed=blocks[0].is_renamed,
    )


class _DuplicatePeriods:
    """Rows in any order, some of one period: which row of each period comes last."""

    def __init__(self, times: Times, blocks: Sequence[Block]) -> None:
        self._blocks = blocks
        self._order = np.argsort(times, kind="stable")
        ordered = times[self._order]
        self._starts = np.flatnonzero(np.concatenate(([True], ordered[1:] > ordered[:-1])))
        self.times = ordered[self._starts]

    def last(self, mask: Flags) -> NDArray[np.intp]:
        """Return per period the position, in sorted order, of the last row in the mask; -1 if there is none."""
        positions = np.where(mask[self._order], np.arange(len(mask)), -1)
        return np.maximum.reduceat(positions, self._starts)

    def last_count(self, rows: Floats, metric: str) -> NDArray[np.intp]:
        """Return per period the position of the row count: in the long shape each metric has its own."""
        present = ~np.isnan(rows)
        of_metric = np.repeat(
            [metric in block.values for block in self._blocks], [len(block.times) for block in self._blocks]
        )
        own = self.last(present & of_metric)
        return np.where(own >= 0, own, self.last(present))

    def take(self, column: _Column, positions: NDArray[np.intp]) -> _Column:
        """Return the cells of a column at positions in sorted order."""
        return column[self._order[positions]]


def _to_series(block: Block, metric: str, duplicates: _DuplicatePeriods | None, catalog: MetricRegistry) -> Series:
    columns: dict[str, _Column] = {"values": block.values[metric]}
    for name, given in (("support", block.supports), ("low", block.lows), ("high", block.highs)):
        if metric in given:
            columns[name] = given[metric]
    of_periods = {"rows": block.rows, "provisional": block.provisional}
    columns |= {name: column for name, column in of_periods.items() if column is not None}
    present = ~np.isnan(columns["values"])
    times = block.times
    if duplicates is not None:
        columns, times = _deduplicated(columns, metric, duplicates)
    elif not present.all():
        columns, times = {name: column[present] for name, column in columns.items()}, times[present]
    fields: dict[str, Any] = {
        name: column for name, column in columns.items() if name == "values" or _has_values(column)
    }
    definition = catalog.get(metric)
    if definition.support == "rows" and "rows" in fields:
        own = fields.get("support")
        fields["support"] = fields["rows"] if own is None else np.where(np.isnan(own), fields["rows"], own)
    key = SeriesKey(block.model, metric, block.segment)
    fields |= {"proportion": definition.proportion, "digits": definition.digits}
    return Series(key, definition.better, times, **fields)


def _has_values(column: _Column) -> bool:
    if column.dtype == np.bool_:
        return bool(column.any())
    # Nearly always the first one is: it is asked of each metric for the same rows.
    return len(column) > 0 and (column[0] == column[0] or not bool(np.isnan(column).all()))


def _deduplicated(
    columns: Mapping[str, _Column], metric: str, duplicates: _DuplicatePeriods
) -> tuple[dict[str, _Column], Times]:
    """Return the columns and times with one row a period; periods without a value are dropped."""
    own = duplicates.last(~np.isnan(columns["values"]))
    present = own >= 0
    result: dict[str, _Column] = {}
    for name, column in columns.items():
        if name in ("values", "provisional"):
            result[name] = duplicates.take(column, own)[present]
            continue
        last = duplicates.last_count(column, metric) if name == "rows" else duplicates.last(~np.isnan(column))
        # A support in a row before that of the value belonged to another value; a row count belongs to the period.
        usable = last >= (0 if name == "rows" else own)
        result[name] = np.where(usable, duplicates.take(column, last), np.nan)[present]
    return result, duplicates.times[present]
