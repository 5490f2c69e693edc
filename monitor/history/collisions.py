"""Rows of one file that have one date, model, segment and metric, and different values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from modeltop.history.merge import Block, is_increasing, select_metrics

MAX_CORRECTED_DATES = 3
"""Dates of one series at which a later row corrects an earlier one of the same file; at more, two things are mixed."""

SAME_VALUE = 1e-6
"""Relative difference up to which two values are one, written from single and from double precision."""


@dataclass(frozen=True, slots=True, eq=False)
class Collision:
    """A series of a file, some rows of which have one date and different values."""

    model: str
    segment: str
    metric: str
    dates: int
    """The number of dates at which they do."""
    all_dates: int
    """The number of dates of the series."""
    overwritten: int
    """The number of rows at those dates that are not the last."""

    @property
    def is_certain(self) -> bool:
        """Whether the later rows are no corrections: at more dates than a few, or most rows of few dates."""
        return self.dates > MAX_CORRECTED_DATES or self.overwritten > max(MAX_CORRECTED_DATES, self.all_dates)

    @property
    def is_doubtful(self) -> bool:
        """Whether the later rows may be no corrections: those are few."""
        return self.is_certain or 2 * self.dates >= self.all_dates


def find_collisions(blocks: Sequence[Block]) -> Iterator[Collision]:
    """Yield the series whose rows collide; provisional rows do not: later ones replace them.

    Args:
        blocks: All of one file.
    """
    unsorted = {id(block) for block in blocks if not is_increasing(block.times)}
    if not unsorted and len({(block.model, block.segment) for block in blocks}) == len(blocks):
        return
    groups: defaultdict[tuple[str, str, str], list[Block]] = defaultdict(list)
    for block in blocks:
        for metric in block.values:
            groups[block.model, block.segment, metric].append(block)
    for (model, segment, metric), members in groups.items():
        if len(members) > 1 or id(members[0]) in unsorted:
            counts = _count(members, metric)
            if counts[0]:
                yield Collision(model, segment, metric, *counts)


def _count(blocks: Sequence[Block], metric: str) -> tuple[int, int, int]:
    """Return the number of dates with different values, of all dates, and of the rows that others overwrite."""
    times = np.concatenate([block.times for block in blocks])
    values = np.concatenate([block.values[metric] for block in blocks])
    final = np.concatenate(
        [np.ones(len(block.times), bool) if block.provisional is None else ~block.provisional for block in blocks]
    )
    used = final & ~np.isnan(values)
    order = np.argsort(times[used], kind="stable")
    times, values = times[used][order], values[used][order]
    if not len(times):
        return 0, 0, 0
    starts = np.flatnonzero(np.concatenate(([True], times[1:] > times[:-1])))
    lowest, highest = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    differ = ~np.isclose(lowest, highest, rtol=SAME_VALUE, atol=0)
    rows = np.diff(np.append(starts, len(times)))
    return int(np.count_nonzero(differ)), len(starts), int((rows[differ] - 1).sum())


def drop_series(blocks: Sequence[Block], collisions: Iterable[Collision]) -> tuple[Block, ...]:
    """Return the blocks without the values of the series that collide: nobody knows which of them are meant."""
    lost: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for each in collisions:
        lost[each.model, each.segment].add(each.metric)
    return tuple(
        select_metrics(block, block.values.keys() - lost[block.model, block.segment])
        if (block.model, block.segment) in lost
        else block
        for block in blocks
    )
