"""The pattern of the newest periods of a series, by the shape that fits best for its number of parameters.

By the Bayesian information criterion (Schwarz 1978); a change must also explain more than the best one does by chance.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from modeltop.core.diagnosis import Pattern, SeriesPattern
from modeltop.core.series import Direction, Floats, Series, to_datetime, to_datetime64
from modeltop.diagnosis.timeseries.noise import deviances, estimate_noise, neighbor_noise
from modeltop.diagnosis.timeseries.pattern_fit import FittedShape, fit_shapes
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
