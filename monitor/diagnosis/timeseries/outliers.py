"""Single periods far from all around them, wherever they lie in a series."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.diagnosis import Spike
from modeltop.core.series import Series, to_datetime
from modeltop.core.stats.distributions import normal_tail
from modeltop.core.stats.robust import median_before, spread
from modeltop.diagnosis.timeseries.noise import rough_noise
from modeltop.diagnosis.timeseries.points import points
from modeltop.diagnosis.timeseries.seasonality import season_of

if TYPE_CHECKING:
    from modeltop.core.series import Flags

REACH = 7
"""Periods on either side that a period is compared with."""
CERTAIN = 0.001
"""Chance alone makes one as far out anywhere in the series with this probability at most."""
BRIEF = 3
"""Periods that a spike lasts at most: what lasts longer is a change of level."""


def spikes(series: Series, *, min_count: float = 0) -> tuple[Spike, ...]:
    """The periods that left and came back, oldest first; none with fewer than 15 judged periods.

    Each is further than chance from the medians of its seven neighbours before and of those after, on the same side of
    both and counted from the nearer, in robust standard errors and without the season; so no step is one. Up to three
    in a row are one spike. Three periods must follow: before, nothing shows that it came back.
    """
    those = points(series, min_count=min_count)
    if len(those) <= 2 * REACH:
        return ()
    season = season_of(those)
    level = those.deseasoned(season.at(those.times)) if season else those
    before = level.values - median_before(level.values, REACH)
    after = level.values - median_before(level.values[::-1], REACH)[::-1]
    beside = np.where(before * after > 0, np.sign(before) * np.minimum(np.abs(before), np.abs(after)), 0.0)
    relative = np.sqrt(those.variances)
    chance = rough_noise(level).errors
    errors = np.maximum(relative * spread(before / relative, 0.0), chance if those.cases is not None else 0.0)
    errors = np.maximum(errors, 1e-9 * max(float(np.abs(those.values).max()), 1e-9))
    score = beside / errors
    out: Flags = np.array([len(those) * 2 * normal_tail(abs(one)) < CERTAIN for one in score.tolist()])
    found = []
    for first, last in _runs(out):
        if last - first <= BRIEF and last + BRIEF <= len(those):
            worst = first + int(np.argmax(np.abs(score[first:last])))
            if max(abs(before[max(first - 1, 0)]), abs(after[last])) > abs(beside[worst]) / 2:
                continue  # in the midst of something longer
            p = min(1.0, len(those) * 2 * normal_tail(abs(float(score[worst]))))
            found.append(Spike(to_datetime(those.times[first]), last - first, float(beside[worst]), p))
    return tuple(found)


def _runs(flags: Flags) -> list[tuple[int, int]]:
    """The stretches `[first, last)` in which the flag is up."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(first), int(last)) for first, last in zip(edges[::2], edges[1::2], strict=True)]
