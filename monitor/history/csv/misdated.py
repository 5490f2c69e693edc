"""Rows with a wrong year, known by their place among the other rows of their series."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from modeltop.core.series import Flags, Times, to_datetime
from modeltop.core.text import pluralize
from modeltop.history.merge import Block

MIN_DISTANCE = np.timedelta64(300, "D")
"""A wrong year moves a row by 365 days, less its distance from the row above."""
MIN_GAPS = 5
"""Usual gaps within which rows continue each other, and beyond which they are isolated."""
MAX_GAP = np.timedelta64(150, "D")
"""Rows do not continue each other over more: any month and day is as near to a yearly row."""
MIN_ROWS = 5
MAX_ROWS = 5
"""Rows in sequence that may have a wrong year; in a long series up to `MAX_SHARE`."""
MAX_SHARE = 0.05
DISCONNECTED = np.timedelta64(730, "D")
"""Years without any row, between rows and all others: no backfill leaves them, a clock at 1970 does."""
_YEAR = np.timedelta64(365, "D")
_NO_TIME = np.timedelta64(0, "us")


@dataclass(frozen=True, slots=True, eq=False)
class MisdatedRows:
    """Rows of one series that follow each other and have a wrong year."""

    rows: NDArray[np.intp]
    """Their indices in the order of the file."""
    description: str
    """What is wrong, in one clause that follows `3 rows`, and the remedy."""
    may_be_newest: bool
    """True unless rows that are newer follow them."""


def find_misdated(times: Times) -> Iterator[MisdatedRows]:
    """Yield the rows of a series with a wrong year.

    They are far behind the rows above them, or ahead of the rows below, and either isolated, or in another year they
    would continue the row above. Neither holds for a correction of an old row or a backfill.

    Args:
        times: The dates of the rows, in the order of the file.
    """
    steps = np.diff(times)
    if len(times) < MIN_ROWS or (steps >= _NO_TIME).all() or times.max() - times.min() < MIN_DISTANCE:
        return
    falling, rising = np.count_nonzero(steps < _NO_TIME), np.count_nonzero(steps > _NO_TIME)
    gaps = np.sort(np.abs(steps[steps != _NO_TIME]))
    if 4 * min(falling, rising) > len(times):
        yield from _isolated_rows(times)
    elif falling > rising:
        for found in _misplaced_rows(times[::-1], MIN_GAPS * gaps[len(gaps) // 2], "the row below"):
            yield replace(found, rows=len(times) - 1 - found.rows[::-1])
    else:
        yield from _misplaced_rows(times, MIN_GAPS * gaps[len(gaps) // 2], "the row above")


def _misplaced_rows(times: Times, gap: np.timedelta64, neighbor: str) -> Iterator[MisdatedRows]:
    """Yield the rows that are not in the ascending order of the others, and should be by their neighbors."""
    limit = max(MIN_DISTANCE, gap)
    behind: Flags = np.maximum.accumulate(times) - times > limit
    lowest: Times = np.minimum.accumulate(times[::-1])[::-1]
    ahead: Flags = times - lowest > limit
    suspects = min(behind, ahead, key=np.count_nonzero)
    is_few_ahead = 0 < 2 * np.count_nonzero(ahead) < len(times)
    if is_few_ahead and times[ahead].min() - times[~ahead].max() > max(DISCONNECTED, gap):
        # A row behind a few of another decade continues the rows before them.
        suspects = ahead
    if 2 * np.count_nonzero(suspects) > len(times):
        return
    rows = np.flatnonzero(suspects)
    for run in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1):
        if not len(run) or not run[0]:
            continue
        first, above = times[run[0]], times[run[0] - 1]
        distance = times[~suspects].min() - times[run].max()
        is_few = len(run) <= max(MAX_SHARE * len(times), 1)
        is_isolated = distance > (limit if is_few else max(DISCONNECTED, gap))
        if is_isolated or (len(run) <= max(MAX_SHARE * len(times), MAX_ROWS) and _continues(above, first, gap)):
            yield MisdatedRows(run, _describe(first, above, neighbor), may_be_newest=run[-1] == len(times) - 1)


def _continues(above: np.datetime64, first: np.datetime64, gap: np.timedelta64) -> bool:
    """Return whether a row would follow the one above within a gap if it were of another year."""
    month = first.astype("datetime64[M]")
    years = round((above - first) / _YEAR)
    moved = ((month + 12 * (years + more)).astype(first.dtype) + (first - month) for more in (-1, 0, 1))
    return any(_NO_TIME < each - above <= min(gap, MAX_GAP) for each in moved)


def _isolated_rows(times: Times) -> Iterator[MisdatedRows]:
    """Yield the few rows that are far older than all others, in a file whose rows come in no order."""
    ascending = np.unique(times)
    gaps = np.diff(ascending)
    last = int(gaps.argmax())
    rows = np.flatnonzero(times <= ascending[last])
    is_far = gaps[last] > max(MIN_DISTANCE, MIN_GAPS * np.sort(gaps)[len(gaps) // 2])
    if is_far and len(rows) <= max(MAX_SHARE * len(times), 1):
        description = _describe(times[rows[0]], ascending[last + 1], "the others")
        yield MisdatedRows(rows, description, may_be_newest=True)


def _describe(first: np.datetime64, other: np.datetime64, others: str) -> str:
    years = max(1, round(abs(other - first) / _YEAR))
    direction = "before" if first < other else "after"
    return f"dated {to_datetime(first).year}, {pluralize(years, 'year')} {direction} {others}: correct the year"


def misdated_models(blocks: Iterable[Block]) -> dict[str, MisdatedRows]:
    """Return the models of a file some rows of which have a wrong year, each with the first such rows."""
    times: dict[tuple[str, ...], list[Times]] = {}
    for block in blocks:
        times.setdefault((block.model, block.segment, *block.values), []).append(block.times)
    found: dict[str, MisdatedRows] = {}
    for (model, *_), parts in times.items():
        for each in find_misdated(np.concatenate(parts)):
            found.setdefault(model, each)
    return found
