"""Single periods far from all around them, wherever they lie in a series."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.diagnosis import Spike
from modeltop.core.series import Series, to_datetime
from modeltop.core.stats.distributions import norm_sf
from modeltop.core.stats.robust import mad, rolling_median
from modeltop.diagnosis.timeseries.noise import neighbor_noise
from modeltop.diagnosis.timeseries.points import evaluable_points
from modeltop.diagnosis.timeseries.seasonality import detect_season

if TYPE_CHECKING:
    from modeltop.core.series import Flags

NEIGHBORS = 7
"""Periods on either side that a period is compared with."""
MAX_P_VALUE = 0.001
"""Chance alone makes one as far out anywhere in the series with this probability at most."""
MAX_SPIKE_PERIODS = 3
"""Periods that a spike lasts at most: what lasts longer is a change of level."""


def spikes(series: Series, *, min_count: float = 0) -> tuple[Spike, ...]:
    """The periods that left and came back, oldest first; none with fewer than 15 judged periods.

    Each is further than chance from the medians of its seven neighbours before and of those after, on the same side of
    both and counted from the nearer, in robust standard errors and without the season; so no step is one. Up to three
    in a row are one spike. Three periods must follow: before, nothing shows that it came back.
    """
    those = evaluable_points(series, min_count=min_count)
    if len(those) <= 2 * NEIGHBORS:
        return ()
    season = detect_season(those)
    level = those.deseasonalize(season.at(those.times)) if season else those
    before = level.values - rolling_median(level.values, NEIGHBORS)
    after = level.values - rolling_median(level.values[::-1], NEIGHBORS)[::-1]
    beside = np.where(before * after > 0, np.sign(before) * np.minimum(np.abs(before), np.abs(after)), 0.0)
    relative = np.sqrt(those.variances)
    chance = neighbor_noise(level).std_errors
    errors = np.maximum(relative * mad(before / relative, 0.0), chance if those.support is not None else 0.0)
    errors = np.maximum(errors, 1e-9 * max(float(np.abs(those.values).max()), 1e-9))
    score = beside / errors
    out: Flags = np.array([len(those) * 2 * norm_sf(abs(one)) < MAX_P_VALUE for one in score.tolist()])
    found = []
    for first, last in _runs(out):
        if last - first <= MAX_SPIKE_PERIODS and last + MAX_SPIKE_PERIODS <= len(those):
            worst = first + int(np.argmax(np.abs(score[first:last])))
            if max(abs(before[max(first - 1, 0)]), abs(after[last])) > abs(beside[worst]) / 2:
                continue  # in the midst of something longer
            p = min(1.0, len(those) * 2 * norm_sf(abs(float(score[worst]))))
            found.append(Spike(to_datetime(those.times[first]), last - first, float(beside[worst]), p))
    return tuple(found)


def _runs(flags: Flags) -> list[tuple[int, int]]:
    """The stretches `[first, last)` in which the flag is up."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(first), int(last)) for first, last in zip(edges[::2], edges[1::2], strict=True)]
