"""How far single values lie below those before them, in deviations; and a quick search for those that may lie far."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from modeltop.core.series import Flags, Floats
from modeltop.core.stats.clipped_moments import Blocks, Indices, window_sums
from modeltop.core.stats.cusum import CHUNK_VALUES, MIN_RELATIVE_STD, TINY
from modeltop.core.stats.distributions import NORMAL_MAD
from modeltop.core.stats.robust import median

WEEK = 7
MIN_SEASON = 3 * WEEK
"""Daily values before one from which on a weekly season is allowed for: three weeks."""
SEASON_RATIO = 0.65
"""There is a weekly season if values a week apart differ by so much less than their spread. Without one the ratio is 1,
with a standard error of 0.2 after three weeks and of 0.1 after eight."""
MIN_CHANCE, MAX_DISPERSION = 28, 1.2
"""Values, and their standard deviation in binomial ones at most, that show that they vary by chance alone: of 28 such
sequences 9 in 10 do not vary more."""
CUTOFF = 3.5
"""Deviations of the quick search: a value five standard deviations below the median lies four below the mean, and one
five binomial deviations below it, if they vary little more, three and a half."""
SEASON_CUTOFF = 3.0
"""The same of the distance from the mean of the last three values of the weekday, which has an error of its own."""


@dataclass(frozen=True, slots=True)
class Normal:
    """What the values before a point show to be normal: level, season and deviation. Falls are bad."""

    level: float
    deviation: float
    """The largest of 1.4826 × their median absolute deviation, their standard deviation, and for shares the binomial
    deviation at the level; above 0."""
    cases: float
    """Their median number of cases; NaN if unknown."""
    chance: float = 0.0
    """The binomial deviation at the level where it is all that the values vary by; else 0."""
    season: Floats | None = None
    """By weekday, the median less the level; None without a weekly season."""

    def deviations(self, drops: Floats, cases: Floats) -> Floats:
        """Return how many deviations drops are; a value on fewer cases than normal may lie further off."""
        scarcity = np.maximum(self.cases / np.maximum(cases, 1), 1.0)
        return np.asarray(drops / (self.deviation * np.sqrt(np.nan_to_num(scarcity, nan=1.0))))

    def drops(self, values: Floats, weekdays: Indices) -> Floats:
        """Return by how much values lie below what is normal on their weekday."""
        expected = self.level if self.season is None else self.level + self.season[weekdays]
        return np.asarray(expected - values)


def normal_of(values: Floats, cases: Floats, weekdays: Indices | None, *, are_shares: bool) -> Normal:
    """Return what values show to be normal.

    Args:
        values: At least two, finite, in order of time.
        cases: The cases of each; NaN where unknown.
        weekdays: The weekday of each, 0 to 6, if they are a day apart; else None.
        are_shares: Whether each is a share of its cases.
    """
    level = float(median(values))
    residuals, season, fitted = values - level, None, 1
    if weekdays is not None and len(values) >= MIN_SEASON and _is_weekly(values, weekdays):
        season = np.array(
            [float(median(residuals[weekdays == day])) if (weekdays == day).any() else 0.0 for day in range(WEEK)]
        )
        residuals, fitted = residuals - season[weekdays], WEEK
    count = len(values)
    spread = math.sqrt(float(((residuals - residuals.mean()) ** 2).sum()) / max(count - fitted, 1))
    scales = [spread, NORMAL_MAD * float(median(np.abs(residuals))), MIN_RELATIVE_STD * abs(level), TINY]
    known = cases[cases > 0]
    usual_cases = float(median(known)) if len(known) else math.nan
    chance = 0.0
    if are_shares and len(known):
        # Half a case of each kind is added: a share of 0 or 1 so far need not stay one.
        share = (min(abs(level), 1.0) * usual_cases + 0.5) / (usual_cases + 1)
        chance = math.sqrt(share * (1 - share) / usual_cases)
    is_chance = count >= MIN_CHANCE and spread <= MAX_DISPERSION * chance
    return Normal(level, max(*scales, chance), usual_cases, chance if is_chance else 0.0, season)


def are_weekly(values: Floats) -> Flags:
    """Return which rows, of four weeks of days or so, have a weekly season, whatever their trend."""
    by_week = (values[:, WEEK:] - values[:, :-WEEK]).var(axis=1)
    return np.asarray(by_week < SEASON_RATIO**2 * np.diff(values, axis=1).var(axis=1))


def without_season(values: Floats) -> Floats:
    """Return whole weeks of values less the mean of each weekday's distances from a straight line."""
    days = np.arange(len(values))
    distances = values - np.polyval(np.polyfit(days, values, 1), days)
    return np.asarray(values - np.tile(distances.reshape(-1, WEEK).mean(axis=0), len(values) // WEEK))


def _is_weekly(values: Floats, weekdays: Indices) -> bool:
    differences = (values[WEEK:] - values[:-WEEK])[weekdays[WEEK:] == weekdays[:-WEEK]]  # some days may be left out
    return len(differences) > 0 and float((differences**2).mean()) / 2 < (SEASON_RATIO**2) * float(values.var())


def far_falls(
    blocks: Blocks, *, min_size: int, min_fall: float = 0.0, min_ratio: float = 0.0
) -> Iterator[tuple[int, Indices]]:
    """Yield, per sequence that has any, the indices of values that may lie five deviations below those before them.

    Args:
        blocks: Sequences of which falls are bad, as they are before any value of theirs is clipped.
        min_size: A value with fewer before it is compared with nothing.
        min_fall: Distance from the mean below which a fall does not matter.
        min_ratio: The same as a fraction of the mean.
    """
    chunk = max(1, CHUNK_VALUES // blocks.size)
    chunks = [slice(first, min(first + chunk, blocks.count)) for first in range(1, blocks.count, chunk)]
    places = np.concatenate([_far_in(blocks, each, min_size, (min_fall, min_ratio)) for each in chunks])
    positions = [blocks.position(flat) for flat in places.tolist()]
    numbers = np.array([number for number, _ in positions], dtype=np.int64)
    indices = np.array([index for _, index in positions], dtype=np.int64)
    for number in dict.fromkeys(numbers.tolist()):
        yield number, indices[numbers == number]


def _far_in(blocks: Blocks, chunk: slice, min_size: int, smallest: tuple[float, float]) -> Indices:
    """Return the flat indices of the values of some blocks that may lie far below those before them."""
    before, values = blocks.clipped[:, chunk.start - 1 : chunk.stop - 1], blocks.clipped[:, chunk]
    size = np.where(blocks.is_first[chunk], np.maximum(np.arange(blocks.size), 1.0)[:, None], float(blocks.size))
    mean = window_sums(before, values) / size
    fall = mean - blocks.values[:, chunk]
    min_fall, min_ratio = smallest
    candidates = (fall > min_fall) & (fall >= min_ratio * np.abs(mean + blocks.offset[chunk]))
    candidates[:min_size, blocks.is_first[chunk]] = False
    own = np.flatnonzero(candidates.any(axis=0))
    if not len(own):
        return np.zeros(0, dtype=np.int64)
    size, fall = size[:, own], fall[:, own]
    variance = np.maximum(window_sums(before[:, own] ** 2, values[:, own] ** 2) / size - mean[:, own] ** 2, 0.0)
    is_far = fall >= CUTOFF * np.sqrt(variance)
    numbers = chunk.start + own
    weekly_fall, week_variance = _weekly(blocks, numbers, size)
    is_far |= (weekly_fall >= SEASON_CUTOFF * np.sqrt(week_variance)) & (week_variance < variance)
    flat = numbers * blocks.size + np.arange(blocks.size)[:, None]
    return np.asarray(flat.T[(candidates[:, own] & is_far).T])


def _weekly(blocks: Blocks, numbers: Indices, size: Floats) -> tuple[Floats, Floats]:
    """Return how far values lie below the mean of those 7, 14 and 21 before, and the variance by those 7 before."""
    flat = blocks.flat_values  # NaN before each sequence
    places = numbers * blocks.size + np.arange(-blocks.size, blocks.size)[:, None]
    values, week_ago = flat[places], flat[places - WEEK]
    own = slice(blocks.size, None)
    lags = week_ago[own] + flat[places[own] - 2 * WEEK] + flat[places[own] - 3 * WEEK]
    squares = np.nan_to_num((week_ago - values) ** 2)
    variance = window_sums(squares[: blocks.size], squares[own]) / np.maximum(2 * (size - WEEK), 1)
    return lags / 3 - values[own], variance
