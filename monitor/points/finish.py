"""A draft becomes the rows of the store once it is known which of its periods are complete."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from monitor.labels import COVERAGE
from monitor.points.gather import Draft
from monitor.points.late import Labels, complete
from monitor.points.sheet import Sheet

if TYPE_CHECKING:
    from monitor.records import Flags, Floats, Times

ALL = "all"


@dataclass(frozen=True, slots=True, eq=False)
class Periods:
    """What is known of one model's periods, sorted by their starts; all arrays have one entry a period."""

    times: Times
    over: Flags
    complete: Flags

    def flags(self, times: Times) -> tuple[Flags, Flags]:
        """For rows of these times: whether the period still runs, and whether it, or its labels, are to be waited for.

        A period that nothing is known of is complete.
        """
        place = np.searchsorted(self.times, times)
        known = place < len(self.times)
        place = np.where(known, place, 0)
        known &= self.times[place] == times if len(self.times) else False
        return known & ~self.over[place], known & ~self.complete[place]


def periods_of(
    draft: Draft,
    ends: Callable[[Times, Floats], Times],
    *,
    now: np.datetime64,
    delay: np.timedelta64 | None = None,
    before: Sheet | None = None,
) -> Periods:
    """Which of a model's periods are over and have their labels.

    Args:
        draft: Of the model; the rows of its segment `all` count.
        ends: From the starts of periods, sorted, and their rows to their ends; NaT where one has none.
        now: UTC.
        delay: Time after which labels are not waited for; None: seen from the coverage.
        before: What was computed of the model earlier: its older periods say what is usual.
    """
    times, rows, labelled = _whole(draft.times, draft.segments, draft.rows, draft.columns)
    if before is not None and len(times):
        old = _whole(before.times, before.segments, before.rows, before.columns)
        older = old[0] < times[0]
        times, rows, labelled = (
            np.concatenate([one[older], other]) for one, other in zip(old, (times, rows, labelled), strict=True)
        )
    ended = ends(times, rows)
    over = ~(ended > now)
    if COVERAGE not in draft.columns:
        return Periods(times, over, over)
    return Periods(times, over, complete(Labels(ended, rows, labelled), now, delay))


def _whole(
    times: Times, segments: np.ndarray, rows: Floats, columns: Mapping[str, Floats]
) -> tuple[Times, Floats, Floats]:
    """Times, rows and labelled rows of the segment `all`, sorted."""
    at = np.flatnonzero(segments == ALL)
    at = at[np.argsort(times[at], kind="stable")]
    coverage = columns.get(COVERAGE, np.zeros(len(times)))[at]
    count = rows[at]
    return times[at], count, np.nan_to_num(coverage * count)


def finished(draft: Draft, periods: Periods) -> Sheet:
    """The rows of the store."""
    running, waiting = periods.flags(draft.times)
    return Sheet(draft.model, draft.times, draft.segments, draft.rows, running, waiting, draft.columns)
