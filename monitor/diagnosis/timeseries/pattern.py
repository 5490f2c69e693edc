"""The pattern of the newest periods of a series, by the shape that fits best for its number of parameters.

By the Bayesian information criterion (Schwarz 1978); a change must also explain more than the best one does by chance.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from modeltop.core.diagnosis import Pattern, SeriesPattern
from modeltop.core.series import Direction, Flags, Floats, Series, to_datetime, to_datetime64
from modeltop.diagnosis.timeseries.noise import Noise, deviances, estimate_noise, neighbor_noise
from modeltop.diagnosis.timeseries.points import Points, evaluable_points
from modeltop.diagnosis.timeseries.seasonality import detect_season

MAX_SUDDEN_PERIODS = 4
"""Longest sudden fall, in periods."""
MAX_PERIODS, MIN_PERIODS = 120, 10
"""Evaluable periods that are looked at, and fewer than which have no pattern."""
TRANSIENT_SHAPES = ("level", "spike", "burst", "return")
"""Shapes that end where they started."""
CHANCE_GAIN = {
    "step": (2, 9.7, 0.0),
    "line": (1, 9.0, 0.0),
    "slope": (2, 10.0, 0.0),
    "ramp": (3, 11.0, 0.0),
    "spike": (3, 6.2, 2.0),
    "burst": (3, 8.0, 2.5),
    "return": (3, 6.5, 2.8),
}
"""Positions and heights of each shape, and the minimum that it explains at its best position, in squared standard
errors: a base, and a growth with log n.

Simulated: of 12 to 120 independent normal points of one level, 5 to 7 series in 100 are named anything but steady.
"""
UNKNOWN_NOISE_GAIN = 3.0, 8.0
"""What a longer change, and one of up to three periods, must explain besides if numbers of cases are unknown.

Simulated: of 60 or 120 independent values of Student's t with three degrees of freedom, 6 in 100 are not steady."""
LONG_MEMORY = 0.8
"""Autocorrelation of a level from which a change must explain still more: nearly a random walk, it wanders for long."""
DECLINES = (Pattern.DROP, Pattern.DECLINE)
MIN_LEADING_SHARE = {Pattern.DECLINE: 0.1, Pattern.DROP: 0.15}
"""Ratio to a fall from which one before it counts as its start."""
MIN_CONFIDENCE = 0.6
"""Minimum confidence for a pattern to be reported under its name."""
_SAME_NOISE = 1e-9
"""Relative difference of two noises below which the best positions under both are the same."""


class NamedPattern(NamedTuple):
    """A pattern, the index of its first period, its size (after less before), and how many periods a drop took."""

    pattern: Pattern
    start_index: int | None = None
    size: float | None = None
    duration: int = 1


def name_pattern(shape: FittedShape, better: Direction) -> NamedPattern:
    """Name a shape by its direction, and by whether it was sudden and has passed."""
    start, end, size = shape.start_index, shape.end_index, shape.size
    if shape.name == "level":
        return NamedPattern(Pattern.STEADY)
    if shape.is_short:
        return NamedPattern(Pattern.SPIKE, start, size)
    is_better = better is not Direction.NEITHER and (size > 0) is (better is Direction.HIGHER)
    if shape.name == "return":
        return NamedPattern(Pattern.DROP, end, -size) if is_better else NamedPattern(Pattern.RECOVERING, start, size)
    if is_better:
        return NamedPattern(Pattern.IMPROVING, start, size)
    duration = 1 if shape.name == "step" else end - start
    return NamedPattern(Pattern.DROP if duration <= MAX_SUDDEN_PERIODS else Pattern.DECLINE, start, size, duration)


def recent_pattern(series: Series) -> SeriesPattern:
    """Name the pattern of the newest 120 evaluable periods; of fewer than 10, `TOO_LITTLE`.

    A move in the bad direction is a drop or a decline, and so is one of a metric without a better direction, up or
    down. The confidence is the weight of all shapes of that name (Schwarz weights, Burnham and Anderson 2002).

    A decline that only grew steeper starts with the slower one that led to it, and so does a drop at its end: the
    periods before the largest fall are fitted once more.
    """
    pattern = _newest_pattern(series)
    if pattern.pattern not in DECLINES or pattern.started_at is None or not pattern.size:
        return pattern
    earlier = series[: int(np.searchsorted(series.times, to_datetime64(pattern.started_at)))]
    before = _newest_pattern(earlier)
    leading = DECLINES if pattern.pattern is Pattern.DECLINE else (Pattern.DECLINE,)
    if before.pattern not in leading or before.started_at is None or before.confidence < MIN_CONFIDENCE:
        return pattern
    if (before.size or 0.0) / pattern.size < MIN_LEADING_SHARE[pattern.pattern]:
        return pattern
    recent = earlier[earlier.evaluable()][-MAX_PERIODS:]
    stable = recent.values[recent.times < to_datetime64(before.started_at)]
    led = float(recent.values.mean() - stable.mean()) if len(stable) else 0.0
    return replace(pattern, pattern=Pattern.DECLINE, started_at=before.started_at, size=pattern.size + led)


def _newest_pattern(series: Series) -> SeriesPattern:
    points = evaluable_points(series, newest=MAX_PERIODS)
    if len(points) < MIN_PERIODS:
        return SeriesPattern(series.key, Pattern.TOO_LITTLE, None, None, 1.0)
    if np.ptp(points.values) <= 1e-12 * float(np.abs(points.values).max()):
        return SeriesPattern(series.key, Pattern.STEADY, None, None, 1.0)
    season = detect_season(points)
    scored = _scored_shapes(points.deseasonalize(season.at(points.times)) if season else points)
    named = [name_pattern(shape, series.better) for shape, _ in scored]
    weights = np.exp([(scored[0][1] - bic) / 2 for _, bic in scored])
    weights /= weights.sum()
    best = named[0]
    same_name = [other.pattern is best.pattern for other in named]
    transient = [shape.name in TRANSIENT_SHAPES for shape, _ in scored]
    if best.pattern is Pattern.STEADY and season:
        best = NamedPattern(Pattern.SEASONAL, None, season.size)
    started_at = None if best.start_index is None else to_datetime(points.times[best.start_index])
    confidence, no_change = (min(1.0, float(weights[mask].sum())) for mask in (same_name, transient))
    return SeriesPattern(series.key, best.pattern, started_at, best.size, confidence, no_change, best.duration)


def _scored_shapes(points: Points) -> list[tuple[FittedShape, float]]:
    """Return all shapes with their BIC, best first.

    Each is scored with the noise that it leaves itself: a level with much autocorrelation can look like a step.
    """
    n = len(points)
    shapes = _fitted_shapes(points)
    shapes = [FittedShape("level", 0.0, np.zeros(n), 0, n), *shapes]
    residuals = np.stack([_residuals(points, shape) for shape in shapes])
    scores, rho = deviances(points, residuals, np.array([_level_count(shape) for shape in shapes]))
    # Autocorrelation is estimated too, and is lowest at the position that is best by chance.
    inflation = 1 + float(rho[0]) / 2 + 2 * max(float(rho[0]) - LONG_MEMORY, 0.0)
    penalties = [
        _penalty(shape, n) * inflation
        + (UNKNOWN_NOISE_GAIN[shape.is_short] if points.support is None and shape.name != "line" else 0.0)
        for shape in shapes[1:]
    ]
    scored = zip(shapes, (scores + np.array([0.0, *penalties])).tolist(), strict=True)
    return sorted(scored, key=lambda pair: pair[1])


def _fitted_shapes(points: Points) -> list[FittedShape]:
    n, rough = len(points), neighbor_noise(points)
    shapes = fit_shapes(points.values, rough)
    richest = min(shapes, key=lambda shape: _penalty(shape, n) - shape.gain)
    noise = estimate_noise(points, _residuals(points, richest), fitted=_level_count(richest))
    ratios = (rough.std_errors / noise.std_errors) ** 2
    if noise.rho or np.ptp(ratios) > _SAME_NOISE * ratios[0]:
        return fit_shapes(points.values, noise)
    return shapes


def _residuals(points: Points, shape: FittedShape) -> Floats:
    residuals = points.values - shape.curve
    return residuals - points.mean(residuals)


def _level_count(shape: FittedShape) -> int:
    return 1 if shape.name == "level" else 1 + (CHANCE_GAIN[shape.name][0] + 1) // 2


def _penalty(shape: FittedShape, n: int) -> float:
    """Return the penalty of the parameters, and at least what the best of so many positions explains by chance."""
    parameters, base, growth = CHANCE_GAIN[shape.name]
    return max(parameters * math.log(n), base + growth * math.log(n))


Indices = NDArray[np.int64]

MIN_BEFORE = 5
"""Periods before a change: fewer do not establish a level."""
MAX_SPIKE_PERIODS = 3
"""Longest spike, in periods."""
SINGULAR = 1e-8
"""Ratio to the lengths of two atoms that their difference must have beside the level: less is rounding."""
STEPS, BENDS = ("step", "spike", "burst", "return"), ("line", "slope", "ramp")
"""Shapes of steps: one that stays, one of a single period, of two or three, and a longer one that comes back. Shapes of
bends: a slope throughout, one up to the last point, and one between two levels."""


@dataclass(frozen=True, slots=True, eq=False)
class FittedShape:
    """One shape at its best position."""

    name: str
    gain: float
    """Decrease of the sum of squares against the level alone, in squared standard errors."""
    curve: Floats
    """Difference of the shape from the level at each point, in the unit of the values."""
    start_index: int
    """Index of the first changed point."""
    end_index: int
    """Index of the first point behind the slope or the return; the length of the series if nothing is reversed."""

    @property
    def is_short(self) -> bool:
        """Whether it is over within `MAX_SPIKE_PERIODS`."""
        return self.name in ("spike", "burst")

    @property
    def size(self) -> float:
        """The change from the level before to that after, or to that from which it returned."""
        return float(self.curve[self.end_index - 1])


class _Atoms(NamedTuple):
    """Inner products of steps, or bends, from each of the points on, and of none at all as the last."""

    products: Floats
    """Of each with each; square."""
    with_level: Floats
    with_values: Floats
    """With the values beside their level."""
    level: float
    """Of the level with itself."""


def fit_shapes(values: Floats, noise: Noise) -> list[FittedShape]:
    """Return each shape at its best position in values, at least 10, oldest first."""
    n = len(values)
    # Subtract the mean first, so that a level far from 0 does not drown the differences.
    sums, weighted = noise.weigh(np.ones(n)), noise.weigh(values - values.mean())
    level = float(sums.sum())
    weighted -= sums * (float(weighted.sum()) / level)
    with_level, with_values = (_sums_to_end(np.append(column, 0.0)) for column in (sums, weighted))
    # The product of two steps is that of the later one with the level: the precision matrix is tridiagonal.
    places = np.arange(n + 1)
    products = with_level[np.maximum(places[:, None], places)]
    products[places[1:n], places[1:n]] -= noise.off_diagonal()
    steps = _Atoms(products, with_level, with_values, level)
    # A bend is the sum of all steps from its place on.
    products = _sums_to_end(_sums_to_end(products.T).T)
    bends = _Atoms(products, _sums_to_end(with_level), _sums_to_end(with_values), level)
    return [*_best_of_each(STEPS, steps, n), *_best_of_each(BENDS, bends, n)]


def _best_of_each(names: tuple[str, ...], atoms: _Atoms, n: int) -> Iterator[FittedShape]:
    """Yield the best difference of two atoms for each of some shapes."""
    own = np.diag(atoms.products)
    beyond = atoms.products - np.outer(atoms.with_level, atoms.with_level / atoms.level)
    length = np.diag(beyond)[:, None] + np.diag(beyond) - 2 * beyond
    is_regular = length > SINGULAR * (own[:, None] + own)
    difference = atoms.with_values[:, None] - atoms.with_values
    gain = np.divide(difference**2, length, out=np.zeros_like(length), where=is_regular).ravel()
    for name in names:
        places = _places(name, n)
        if not len(places):
            continue
        best = int(places[gain[places].argmax()])
        start, end = divmod(best, n + 1)
        height = float(difference[start, end]) / float(length[start, end]) if gain[best] else 0.0
        since = np.arange(1.0, n + 1) - start
        curve = np.clip(since, 0.0, end - start)
        if names is STEPS:
            curve = ((since > 0) & (since <= end - start)).astype(np.float64)
        yield FittedShape(name, float(gain[best]), height * curve, start, end)


def _sums_to_end(values: Floats) -> Floats:
    return np.cumsum(values[..., ::-1], axis=-1)[..., ::-1]


@lru_cache(maxsize=128)
def _places(name: str, n: int) -> Indices:
    start, end = np.arange(n + 1)[:, None], np.arange(n + 1)
    gap, has_level_before, has_level_after = end - start, start >= MIN_BEFORE, end <= n - 2
    valid: dict[str, Flags] = {
        "step": has_level_before & (start < n) & (end == n),
        "spike": has_level_before & (gap == 1) & (end < n),
        "burst": has_level_before & (gap > 1) & (gap <= MAX_SPIKE_PERIODS) & (end < n),
        "return": has_level_before & (gap > MAX_SPIKE_PERIODS) & has_level_after,
        "line": (start == 1) & (end == n),
        "slope": has_level_before & (gap > 1) & (end == n),
        "ramp": has_level_before & (gap > 1) & has_level_after,
    }
    return np.flatnonzero(valid[name])
