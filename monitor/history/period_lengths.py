"""Hourly and daily values of one model in several files: kept apart, since the day's value is none of its first hour.

A later file corrects an earlier one. Values at the same time of every day that differ from those of a file with many
times a day are no corrections.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from modeltop.core.series import Floats, ReadProblem, Times
from modeltop.core.stats.robust import median
from modeltop.core.text import format_age
from modeltop.history.collisions import MAX_CORRECTED_DATES
from modeltop.history.merge import Block, all_periods, are_identical, join_segments, select_metrics

MIN_PERIODS = 4
"""Periods of a block from which on it has a usual step; shorter blocks are taken together."""
MIN_REGULAR = 0.75
"""Share of the steps within 10 % of the usual one, from which on a block is a series and no set of corrections."""
UNITS = (("hour", 3_600), ("day", 86_400), ("week", 604_800), ("month", 2_629_800), ("quarter", 7_889_400))
"""Names of lengths of periods, in seconds; a month is a twelfth of 365.25 days."""

_Key = tuple[str, str]
"""Model and segment."""
_Result = tuple[list[list[Block]], dict[str, str]]
"""Per block what becomes of it, and by file what is reported."""


class PeriodLengths:
    """Separation of longer periods from shorter ones; blocks that did not change stay the same objects."""

    def __init__(self) -> None:
        self._results: dict[_Key, tuple[list[Block], _Result]] = {}

    def separate(self, files: Mapping[str, Sequence[Block]]) -> tuple[list[Block], list[ReadProblem]]:
        """Return all blocks in order, those of longer periods as segments such as `period=day`, and notes on them.

        Args:
            files: The path of each file, and its blocks.
        """
        groups: defaultdict[_Key, list[tuple[int, str]]] = defaultdict(list)
        blocks = [block for members in files.values() for block in members]
        paths = [path for path, members in files.items() for _ in members]
        for index, (block, path) in enumerate(zip(blocks, paths, strict=True)):
            groups[block.model, block.segment].append((index, path))
        results, self._results = self._results, {}
        replaced: dict[int, list[Block]] = {}
        notes: list[ReadProblem] = []
        for key, group in groups.items():
            if len(group) > 1 and len({path for _, path in group}) > 1:
                members = [blocks[index] for index, _ in group]
                before = results.get(key)
                is_same = before is not None and are_identical(before[0], members)
                result = before[1] if before and is_same else _separate(members, [path for _, path in group])
                self._results[key] = members, result
                replaced.update({index: new for (index, _), new in zip(group, result[0], strict=True)})
                notes += [ReadProblem(path, message) for path, message in result[1].items()]
        return [new for index, block in enumerate(blocks) for new in replaced.get(index, [block])], notes


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Blocks that have one usual step."""

    indices: list[int]
    step: float
    """Median, in seconds."""
    is_regular: bool


def _separate(blocks: list[Block], paths: list[str]) -> _Result:
    results, notes = [[block] for block in blocks], dict[str, str]()
    parts = _parts(blocks)
    if not parts or max(part.step for part in parts) < 2 * min(part.step for part in parts):
        return results, notes
    for part in parts:
        if not part.is_regular:
            continue
        coarse = [blocks[index] for index in part.indices]
        finer = [blocks[index] for other in parts if 2 * other.step <= part.step for index in other.indices]
        shared = _metrics(coarse) & _metrics(finer)
        if any(_differ(coarse, finer, metric) for metric in shared):
            length = _name(part.step)
            for index in part.indices:
                results[index] = _set_apart(blocks[index], shared, f"period={length}")
                model = blocks[index].model[:40]
                message = f"model `{model}` has other values of shorter periods in another file: these are the segment"
                notes[paths[index]] = f"{message} period={length}"
    return results, notes


def _parts(blocks: Sequence[Block]) -> list[_Part]:
    """Return blocks by their usual step; those too short to have one are one part, if together they have one."""
    short: list[int] = []
    parts: list[_Part] = []
    for index, block in enumerate(blocks):
        if len(block.times) < MIN_PERIODS:
            short.append(index)
        else:
            parts += _part(blocks, [index])
    return parts + _part(blocks, short)


def _part(blocks: Sequence[Block], indices: list[int]) -> list[_Part]:
    times = all_periods([blocks[index] for index in indices]) if indices else np.empty(0, "datetime64[us]")
    if len(times) < MIN_PERIODS:
        return []
    steps = np.diff(times).astype(np.int64) / 1e6
    step = float(median(steps))
    return [_Part(indices, step, bool((np.abs(steps - step) <= 0.1 * step).mean() >= MIN_REGULAR))]


def _metrics(blocks: Sequence[Block]) -> set[str]:
    return {metric for block in blocks for metric in block.values}


def _differ(coarse: Sequence[Block], finer: Sequence[Block], metric: str) -> bool:
    """Return whether both have a value at more than a few times, and not the same."""
    (times, values), (finer_times, finer_values) = _values(coarse, metric), _values(finer, metric)
    indices = np.minimum(np.searchsorted(finer_times, times), max(len(finer_times) - 1, 0))
    if not len(finer_times):
        return False
    differ = (finer_times[indices] == times) & (finer_values[indices] != values)
    return int(np.count_nonzero(differ)) > MAX_CORRECTED_DATES


def _values(blocks: Sequence[Block], metric: str) -> tuple[Times, Floats]:
    """Return the values of a metric by time: of several of one time the last."""
    members = [block for block in blocks if metric in block.values]
    times = np.concatenate([block.times for block in members])
    values = np.concatenate([block.values[metric] for block in members])
    times, values = times[~np.isnan(values)], values[~np.isnan(values)]
    order = np.argsort(times, kind="stable")
    times, values = times[order], values[order]
    last = np.ones(len(times), np.bool_)
    last[:-1] = times[1:] != times[:-1]
    return times[last], values[last]


def _set_apart(block: Block, metrics: set[str], segment: str) -> list[Block]:
    """Return the block without some metrics, if any is left, and one of a segment with them alone."""
    apart = select_metrics(block, metrics, segment=join_segments(block.segment, segment))
    rest = block.values.keys() - metrics
    return [*([select_metrics(block, rest)] if rest else []), apart]


def _name(step: float) -> str:
    name, length = min(UNITS, key=lambda unit: abs(np.log(step / unit[1])))
    return name if abs(step / length - 1) < 0.1 else format_age(timedelta(seconds=step))
