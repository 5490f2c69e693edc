"""New computed periods over old ones, and whether that changes anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from monitor.points.sheet import Sheet
from monitor.store.sheet import metric_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from monitor.records import Floats

SAME = 1e-12
"""Values closer than this, relatively, are equal: parallel sums of floats differ in their last bits."""
SAME_BOUND = 2e-5
"""The same for the ends of intervals, which are kept with six digits."""


def upserted(before: Sheet, after: Sheet, cuts: Sequence[str], spare: Sequence[str] = ()) -> Sheet:
    """The old periods with the new ones over them.

    A metric that the run looked at takes its new value, also where that is undefined now; other metrics of the same
    periods stay. Within the span of the run only its own periods stay, so that no period stands twice where their
    length or zone was changed; and of what it has cut by, only its own segments and those to spare.
    """
    old, new = before.keys(), after.keys()
    own, times = set(new), {time for time, _ in new}
    first, last = min(times), max(times)
    whole = "all" in cuts

    def stays(time: int, segment: str) -> bool:
        cut = segment.partition("=")[0] in cuts or segment in cuts
        beside = (not cut or segment in spare) and (time in times or not whole)
        return not first <= time <= last or (time, segment) in own or beside

    rest = before.take(np.array([stays(*key) for key in old], dtype=np.bool_))
    return _over(rest, after)


def _over(rest: Sheet, after: Sheet) -> Sheet:
    """The rows of both; where they share one, what `after` says."""
    place: dict[tuple[int, str], int] = {}
    old = np.array([place.setdefault(key, len(place)) for key in rest.keys()], dtype=np.intp)  # noqa: SIM118  a method
    new = np.array([place.setdefault(key, len(place)) for key in after.keys()], dtype=np.intp)  # noqa: SIM118

    def over(one: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
        found = np.empty(len(place), dtype=other.dtype)
        found[old], found[new] = one, other
        return found

    def number(name: str) -> Floats:
        # Where the run has not looked at a metric, the old value of a period stays.
        found = np.full(len(place), np.nan)
        for at, sheet in ((old, rest), (new, after)):
            if name in sheet.columns:
                found[at] = sheet.columns[name]
        return found

    names = dict.fromkeys((*rest.columns, *after.columns))
    return Sheet(
        after.model,
        over(rest.times, after.times),
        over(rest.segments, after.segments),
        over(rest.rows, after.rows),
        over(rest.provisional, after.provisional),
        over(rest.pending, after.pending),
        {name: number(name) for name in names},
    )


def same(one: Sheet, other: Sheet) -> bool:
    """Whether two sheets say the same: all keys and flags, and every number but for the last bits."""
    if one.keys() != other.keys() or one.columns.keys() != other.columns.keys():
        return False
    if (one.provisional != other.provisional).any() or (one.pending != other.pending).any():
        return False
    pairs = [(name, column, other.columns[name]) for name, column in one.columns.items()]
    return _near(one.rows, other.rows, SAME) and all(
        _near(left, right, SAME_BOUND if metric_of(name)[1] in ("_low", "_high") else SAME)
        for name, left, right in pairs
    )


def _near(one: Floats, other: Floats, tolerance: float) -> bool:
    # Near 0 the distance itself counts: a difference of sums may be 1e-17 on one day and 0 on the next.
    return bool(np.allclose(one, other, rtol=tolerance, atol=tolerance, equal_nan=True))
