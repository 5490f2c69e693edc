"""Rows of one file that have one date, model, segment and metric, and different values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from modeltop.core.series import Flags, Times, to_datetime
from modeltop.core.text import format_exact, format_period
from modeltop.history.merge import Block, is_increasing, select_metrics

MAX_CORRECTED_DATES = 3
"""Dates of one series at which a later row corrects an earlier one of the same file; at more, two things are mixed."""

DAY = 86_400_000_000
MOST_DAYS = 0.9
"""Share of the days with a row at some time on which another row at that time is the value of the whole day."""
SAME_VALUE = 1e-6
"""Relative difference up to which two values are one, written from single and from double precision."""


@dataclass(frozen=True, slots=True, eq=False)
class Collision:
    """A series of a file, some rows of which have one date and different values."""

    model: str
    segment: str
    metric: str
    times: Times
    """The dates at which they do, sorted."""
    newest: int
    """How many of those are the newest dates of the series."""
    all_dates: int
    """The number of dates of the series."""
    overwritten: int
    """The number of rows at those dates that are not the last."""
    blocks: Sequence[Block]
    """All blocks of the series."""
    are_days_among_hours: bool
    """Whether those dates are days, each at the time of one of its hours."""

    @property
    def is_certain(self) -> bool:
        """Whether the later rows are no corrections: at more dates than a few, or most rows of few dates."""
        most = max(MAX_CORRECTED_DATES, self.all_dates)
        return len(self.times) > MAX_CORRECTED_DATES or self.overwritten > most or self.are_days_among_hours


def are_days_among_hours(dates: NDArray[np.int64], collide: Flags) -> bool:
    """Return whether rows collide at one time of day alone, on nearly all days, among rows at other times of it.

    Args:
        dates: The distinct dates, in microseconds since 1970.
        collide: At which of them rows do.
    """
    clock = dates % DAY
    same = clock == clock[collide][0]
    are_most = collide.sum() > 1 and collide.sum() >= MOST_DAYS * same.sum()
    return bool(are_most and same[collide].all() and not same.all())


def find_collisions(blocks: Sequence[Block]) -> Iterator[Collision]:
    """Yield the series whose rows collide; provisional rows do not: later ones replace them.

    Args:
        blocks: All of one file.
    """
    unsorted = {id(block) for block in blocks if not is_increasing(block.times)}
    if not unsorted and len({(block.model, block.segment) for block in blocks}) == len(blocks):
        return
    groups: defaultdict[tuple[str, str, str, bool], list[Block]] = defaultdict(list)
    for block in blocks:
        for metric in block.values:
            groups[block.model, block.segment, metric, block.is_renamed].append(block)
    for (*key, _), members in groups.items():
        if (len(members) > 1 or id(members[0]) in unsorted) and (found := _find((key[0], key[1], key[2]), members)):
            yield found


def _find(key: tuple[str, str, str], blocks: Sequence[Block]) -> Collision | None:
    """Return the collision of the rows of one model, segment and metric, if there is one."""
    times = np.concatenate([block.times for block in blocks])
    values = np.concatenate([block.values[key[2]] for block in blocks])
    final = np.concatenate(
        [np.ones(len(block.times), bool) if block.provisional is None else ~block.provisional for block in blocks]
    )
    used = final & ~np.isnan(values)
    order = np.argsort(times[used], kind="stable")
    times, values = times[used][order], values[used][order]
    if not len(times):
        return None
    starts = np.flatnonzero(np.concatenate(([True], times[1:] > times[:-1])))
    lowest, highest = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    differ = ~np.isclose(lowest, highest, rtol=SAME_VALUE, atol=0)
    if not differ.any():
        return None
    newest = int(np.logical_and.accumulate(differ[::-1]).sum())
    rows = np.diff(np.append(starts, len(times)))
    overwritten = int((rows[differ] - 1).sum())
    are_days = are_days_among_hours(times[starts].view(np.int64), differ)
    return Collision(*key, times[starts][differ], newest, len(starts), overwritten, blocks, are_days)


def refuse_newest(blocks: Sequence[Block], collisions: Iterable[Collision]) -> tuple[Block, ...]:
    """Return the blocks without the values that collide at the newest dates of their series, which are refused."""
    of_block: defaultdict[int, list[Collision]] = defaultdict(list)
    for each in collisions:
        for block in each.blocks if each.newest else ():
            of_block[id(block)].append(each)
    return tuple(reduce(_refuse, of_block[id(block)], block) if id(block) in of_block else block for block in blocks)


def _refuse(block: Block, collision: Collision) -> Block:
    values = block.values[collision.metric]
    collides = np.isin(block.times, collision.times[-collision.newest :]) & ~np.isnan(values)
    rows = np.union1d(block.refused.get(collision.metric, []), np.flatnonzero(collides)).astype(np.intp)
    return replace(
        block,
        values={**block.values, collision.metric: np.where(collides, np.nan, values)},
        refused={**block.refused, collision.metric: rows} if len(rows) else block.refused,
    )


def locate(collision: Collision, zone: tzinfo) -> tuple[int, str]:
    """Return the line of the last row that collides, and what it and the first one of its date are, by a zone."""
    dates = [format_period(to_datetime(time).astimezone(zone)) for time in collision.times]
    rows = [
        (int(block.lines[row]), float(block.values[collision.metric][row]))
        for block in collision.blocks
        if block.lines is not None
        for row in np.flatnonzero((block.times == collision.times[-1]) & ~np.isnan(block.values[collision.metric]))
    ]
    (first, before), (last, after) = min(rows), max(rows)
    values = f"{format_exact(before)} on line {first} and {format_exact(after)} on line {last}"
    listed, verb = " and ".join(dates[-MAX_CORRECTED_DATES:]), "has" if len(dates) == 1 else "have"
    return last, f"{listed} {verb} different values of {collision.metric[:40]}, {values}"


def drop_series(blocks: Sequence[Block], collisions: Iterable[Collision]) -> tuple[Block, ...]:
    """Return the blocks without the values of the series that collide: no one knows which of them are meant."""
    lost: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for each in collisions:
        lost[each.model, each.segment].add(each.metric)
    return tuple(
        select_metrics(block, block.values.keys() - lost[block.model, block.segment])
        if (block.model, block.segment) in lost
        else block
        for block in blocks
    )
