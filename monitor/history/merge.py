"""Blocks of all files, in the order in which they count, as series: sorted, one value a period."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import Series, SeriesKey
from modeltop.core.stats.robust import distinct

if TYPE_CHECKING:
    from modeltop.core.series import Flags, Floats, Times

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modeltop.core.series import Flags, Floats, Times

    _Column = NDArray[Any]


Progress = Callable[[int, int], None]
"""Called with (files read, files in all)."""


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
    """Canonical metric name → values; NaN where the cell is empty."""
    supports: Mapping[str, Floats] = field(default_factory=dict)
    """Metric → its own support, from `<metric>_count`; NaN where unknown."""
    lows: Mapping[str, Floats] = field(default_factory=dict)
    highs: Mapping[str, Floats] = field(default_factory=dict)
    rows: Floats | None = None
    """From `count`: rows of the period; NaN where unknown."""
    provisional: Flags | None = None


def merge_blocks(blocks: Sequence[Block], catalog: MetricRegistry) -> list[Series]:
    """The series of one model and segment; a metric without any value has none.

    Of several values of one period the last non-empty one counts, in the order of the blocks and of their rows.
    Its support and interval come from its own row or a later one, since an earlier one spoke of another value; its
    provisional flag from its own row alone. The row count belongs to the period: the last one in a block of the metric,
    failing that in any. Of a metric that rests on all rows it is the support where no other is given. Where one block
    is sorted and complete, the series are views of it.

    Args:
        blocks: One or more, all of one model and segment; a later block is later.
        catalog: Gives the direction of each metric.
    """
    block = concat_blocks(blocks)
    sorted_already = len(block.times) < 2 or bool((block.times[1:] > block.times[:-1]).all())
    repeats = None if sorted_already else _DuplicatePeriods(block.times, blocks)
    found = (_series(block, metric, repeats, catalog) for metric in block.values)
    return [series for series in found if len(series)]


def all_periods(blocks: Sequence[Block]) -> Times:
    """Every period start of `blocks`, sorted, without repeats."""
    times = blocks[0].times if len(blocks) == 1 else np.concatenate([block.times for block in blocks])
    increasing = len(times) < 2 or bool((times[1:] > times[:-1]).all())
    return times if increasing else distinct(times)


def concat_blocks(blocks: Sequence[Block]) -> Block:
    """One block of the rows of all; NaN where a block lacks a column that another has."""
    if len(blocks) == 1:
        return blocks[0]
    sizes = [len(block.times) for block in blocks]
    rows = [block.rows for block in blocks]
    flags = [
        np.zeros(size, np.bool_) if b.provisional is None else b.provisional
        for b, size in zip(blocks, sizes, strict=True)
    ]
    return Block(
        blocks[0].model,
        blocks[0].segment,
        np.concatenate([block.times for block in blocks]),
        _concat_mappings([block.values for block in blocks], sizes),
        _concat_mappings([block.supports for block in blocks], sizes),
        _concat_mappings([block.lows for block in blocks], sizes),
        _concat_mappings([block.highs for block in blocks], sizes),
        None if all(row is None for row in rows) else _concat_arrays(rows, sizes),
        np.concatenate(flags) if any(flag.any() for flag in flags) else None,
    )


def _concat_mappings(columns: Sequence[Mapping[str, Floats]], sizes: Sequence[int]) -> dict[str, Floats]:
    metrics = dict.fromkeys(metric for column in columns for metric in column)
    return {metric: _concat_arrays([column.get(metric) for column in columns], sizes) for metric in metrics}


def _concat_arrays(arrays: Sequence[Floats | None], sizes: Sequence[int]) -> Floats:
    pairs = zip(arrays, sizes, strict=True)
    return np.concatenate([np.full(size, np.nan) if array is None else array for array, size in pairs])


class _DuplicatePeriods:
    """Rows in any order, some of one period: which row of each period comes last."""

    def __init__(self, times: Times, blocks: Sequence[Block]) -> None:
        self._blocks = blocks
        self.order = np.argsort(times, kind="stable")
        ordered = times[self.order]
        first = np.concatenate(([True], ordered[1:] > ordered[:-1]))
        self.starts = np.flatnonzero(first)
        self.times = ordered[self.starts]

    def last(self, filled: Flags) -> NDArray[np.intp]:
        """Per period the place, in sorted order, of the last row that is `filled`; -1 where none is."""
        places = np.where(filled[self.order], np.arange(len(filled)), -1)
        return np.maximum.reduceat(places, self.starts)

    def last_count(self, rows: Floats, metric: str) -> NDArray[np.intp]:
        """Per period the place of the row count: in the long shape each metric has its own."""
        known = ~np.isnan(rows)
        of_metric = np.repeat([metric in b.values for b in self._blocks], [len(b.times) for b in self._blocks])
        own = self.last(known & of_metric)
        return np.where(own >= 0, own, self.last(known))

    def at(self, column: _Column, places: NDArray[np.intp]) -> _Column:
        """The cells of `column` at such places."""
        return column[self.order[places]]


def _series(block: Block, metric: str, repeats: _DuplicatePeriods | None, catalog: MetricRegistry) -> Series:
    columns: dict[str, _Column | None] = {
        "values": block.values[metric],
        "support": block.supports.get(metric),
        "low": block.lows.get(metric),
        "high": block.highs.get(metric),
        "rows": block.rows,
        "provisional": block.provisional,
    }
    given = {name: column for name, column in columns.items() if column is not None}
    filled = ~np.isnan(given["values"])
    times = block.times
    if repeats is not None:
        given, times = _deduplicated(given, metric, repeats)
    elif not filled.all():
        given, times = {name: column[filled] for name, column in given.items()}, times[filled]
    said: dict[str, Any] = {name: column for name, column in given.items() if name == "values" or _has_values(column)}
    known = catalog.get(metric)
    if known.support == "rows" and "rows" in said:
        own = said.get("support")
        said["support"] = said["rows"] if own is None else np.where(np.isnan(own), said["rows"], own)
    return Series(
        SeriesKey(block.model, metric, block.segment), known.better, times, **said, proportion=known.proportion
    )


def _has_values(column: _Column) -> bool:
    """Whether a column knows anything: an unknown one is left out."""
    return bool(column.any()) if column.dtype == np.bool_ else not bool(np.isnan(column).all())


def _deduplicated(
    columns: Mapping[str, _Column], metric: str, repeats: _DuplicatePeriods
) -> tuple[dict[str, _Column], Times]:
    """One row a period; periods without a value are dropped."""
    own = repeats.last(~np.isnan(columns["values"]))
    present = own >= 0
    found: dict[str, _Column] = {}
    for name, column in columns.items():
        if name in ("values", "provisional"):
            found[name] = repeats.at(column, own)[present]
            continue
        last = repeats.last_count(column, metric) if name == "rows" else repeats.last(~np.isnan(column))
        usable = last >= (0 if name == "rows" else own)
        found[name] = np.where(usable, repeats.at(column, last), np.nan)[present]
    return found, repeats.times[present]
