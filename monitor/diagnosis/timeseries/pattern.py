"""How a metric has gone of late, by the description that fits best for its length.

Descriptions are compared by the Bayesian information criterion (Schwarz 1978), each place of a change counting as a
parameter; one with a change must also explain more than the best of so many places does by chance.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.diagnosis import Fit, Pattern, SeriesPattern
from modeltop.core.series import Direction, Series, to_datetime
from modeltop.diagnosis.timeseries.noise import Noise, deviances, estimate_noise, neighbor_noise
from modeltop.diagnosis.timeseries.pattern_fit import MAX_SPIKE_PERIODS, FittedShape, ShapeFitter
from modeltop.diagnosis.timeseries.points import Points, evaluable_points
from modeltop.diagnosis.timeseries.seasonality import detect_season

if TYPE_CHECKING:
    from modeltop.core.series import Floats


MAX_SUDDEN_PERIODS = 4
"""A fall that is over within so many periods is a sudden one."""
STEEP = 0.5
"""Share of a fall that must happen at one place for it to be sudden."""
RECOVERED_SHARE = 0.5
"""Share of a fall that must have come back for it to be recovering."""

SPIKE_RECOVERED_SHARE = 0.75
"""Share of a fall that must have come back within three periods for it to be a spike."""


@dataclass(frozen=True, slots=True)
class NamedPattern:
    """A pattern with the place of its first period and its size, after less before."""

    pattern: Pattern
    start_index: int | None = None
    size: float | None = None


def name_pattern(shape: FittedShape, better: Direction) -> NamedPattern:
    """What the curve is called: by its largest fall in the bad direction, and by what came after."""
    if shape.name == "level":
        return NamedPattern(Pattern.STEADY)
    if shape.name in ("spike", "burst"):
        return NamedPattern(Pattern.SPIKE, shape.start_index, float(shape.curve[shape.start_index]))
    up = _upwards(shape.curve, better)
    fall, rise = _fall(shape.curve * up), _fall(-shape.curve * up)
    if fall.size < rise.size / 2:
        return NamedPattern(Pattern.IMPROVING, rise.start_index, up * rise.size)
    if rise.start_index > fall.start_index and rise.size >= RECOVERED_SHARE * fall.size:
        if rise.start_index - fall.start_index <= MAX_SPIKE_PERIODS and rise.size >= SPIKE_RECOVERED_SHARE * fall.size:
            return NamedPattern(Pattern.SPIKE, fall.start_index, -up * fall.size)
        return NamedPattern(Pattern.RECOVERING, fall.start_index, -up * fall.size)
    return NamedPattern(Pattern.DROP if fall.sudden else Pattern.DECLINE, fall.start_index, -up * fall.size)


def _upwards(curve: Floats, better: Direction) -> float:
    """The sign that makes a bad move a fall; without a better direction, the sign that makes the largest one so."""
    if better is not Direction.NEITHER:
        return 1.0 if better is Direction.HIGHER else -1.0
    return 1.0 if _fall(curve).size >= _fall(-curve).size else -1.0


@dataclass(frozen=True, slots=True)
class _Drop:
    start_index: int
    size: float
    sudden: bool


def _fall(curve: Floats) -> _Drop:
    """The largest fall from any point to a later one."""
    below = np.maximum.accumulate(curve) - curve
    low = int(np.argmax(below))
    size = float(below[low])
    if size <= 0:
        return _Drop(0, 0.0, sudden=False)
    top = float(curve[: low + 1].max())
    # The last point at the top, give or take rounding: the fall begins after it.
    high = int(np.flatnonzero(curve[: low + 1] >= top - 1e-9 * size)[-1])
    paces = -np.diff(curve[high : low + 1])
    steepest = int(np.argmax(paces))
    leap = float(paces[steepest]) >= STEEP * size
    whole = int(np.flatnonzero(below[: low + 1] >= (1 - 1e-9) * size)[0])
    begin = high + 1 + (steepest if leap else 0)
    return _Drop(begin, size, sudden=leap or whole - high <= MAX_SUDDEN_PERIODS)


MIN_WEIGHT = 1e-3
"""Share of the weight under which the name of a description is not asked for."""
SAME_NOISE = 1e-9
"""Within which the ratio of two noises is one number: the best places under both are the same."""
MAX_PERIODS, MIN_PERIODS = 120, 10
"""Judged periods that are looked at, and with fewer than which nothing is said."""
CHANCE_GAIN = {
    "level": (0.0, 0.0),
    "line": (9.0, 0.0),
    "bend": (10.0, 0.0),
    "step": (9.7, 0.0),
    "ramp": (11.0, 0.0),
    "two ramps": (11.0, 0.0),
    "spike": (6.2, 2.0),
    "burst": (8.0, 2.5),
    "return": (6.5, 2.8),
    "two steps": (8.0, 3.0),
    "step and bend": (6.5, 2.8),
    "bend and step": (6.5, 2.8),
    "two bends": (6.5, 2.8),
}
"""What the best place of each description must explain, in squared standard errors: a base, and a growth with log n.

Such that of independent normal points of one level, 12 to 120 of them, 5 to 7 series in 100 are called anything but
steady (simulated, 600 series of each length).
"""


def recent_pattern(series: Series, *, min_count: float = 0) -> SeriesPattern:
    """Name the recent course of a series.

    Of its newest 120 judged periods; with fewer than 10 it says too little. Where a metric has a better direction, a
    move in the bad one is a drop or a decline and one in the good one an improvement. Where it has none, what moved
    clearly is a drop or a decline as well, up or down as the sign of its size says: a confidence or a label rate
    that moved is evidence, whichever way.
    """
    recent = evaluable_points(series, min_count=min_count, newest=MAX_PERIODS)
    if len(recent) < MIN_PERIODS:
        return SeriesPattern(series.key, Pattern.TOO_LITTLE, None, None, 1.0)
    if np.ptp(recent.values) <= 1e-12 * float(np.abs(recent.values).max()):
        return SeriesPattern(series.key, Pattern.STEADY, None, None, 1.0)
    week = detect_season(recent)
    tries = _tried(recent.deseasonalize(week.at(recent.times)) if week else recent)
    best = name_pattern(tries[0].shape, series.better)
    sure = sum(
        weight for one, weight in _weights(tries) if name_pattern(one.shape, series.better).pattern is best.pattern
    )
    if best.pattern is Pattern.STEADY and week:
        best = NamedPattern(Pattern.SEASONAL, None, week.size)
    begin = None if best.start_index is None else to_datetime(recent.times[best.start_index])
    fits = tuple(Fit(one.shape.name, one.weighted_rss, one.bic) for one in tries)
    return SeriesPattern(series.key, best.pattern, begin, best.size, sure, fits)


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    """A description and how it fares, with the noise that it leaves itself."""

    shape: FittedShape
    weighted_rss: float
    bic: float


def _tried(those: Points) -> list[_Candidate]:
    """All descriptions, best first.

    Places are sought with the noise that the best description of independent points leaves. Each description is then
    judged with what it leaves itself: where a level with much memory explains as much as a step, it is a level.
    """
    n = len(those)
    rough = neighbor_noise(those)
    fitter = ShapeFitter(those.values, rough)
    shapes = fitter.shapes()
    richest = min(shapes, key=lambda shape: _cost(shape, n) - shape.gain)
    common = estimate_noise(those, _beside(those, richest), fitted=_fitted(richest))
    error, shapes = _under(those, common, rough, (fitter.error, shapes))
    shapes = [FittedShape("level", 0, 0.0, np.zeros(n), 0, n), *shapes]
    beside = np.stack([_beside(those, shape) for shape in shapes])
    found = deviances(those, beside, np.array([_fitted(shape) for shape in shapes]))
    # Where there is memory it is estimated too, and lies lowest at the place that is best by chance.
    memory = 1 + estimate_noise(those, beside[0], fitted=1).rho / 2
    tries = [
        _Candidate(shape, error - shape.gain, surprise + _cost(shape, n) * memory)
        for shape, surprise in zip(shapes, found.tolist(), strict=True)
    ]
    return sorted(tries, key=lambda one: one.bic)


def _under(
    those: Points, noise: Noise, rough: Noise, known: tuple[float, list[FittedShape]]
) -> tuple[float, list[FittedShape]]:
    """The error of the level and all descriptions under a noise; what is known under the rough one spares a search."""
    ratios = (rough.std_errors / noise.std_errors) ** 2
    if noise.rho or np.ptp(ratios) > SAME_NOISE * ratios[0]:
        fitter = ShapeFitter(those.values, noise)
        return fitter.error, fitter.shapes()
    ratio = float(ratios[0])
    return known[0] * ratio, [replace(shape, gain=shape.gain * ratio) for shape in known[1]]


def _beside(those: Points, shape: FittedShape) -> Floats:
    """What a description leaves."""
    beside = those.values - shape.curve
    return beside - those.mean(beside)


def _fitted(shape: FittedShape) -> int:
    """How many levels and slopes it was given."""
    return 1 + (shape.parameters + 1) // 2


def _cost(shape: FittedShape, n: int) -> float:
    """What its places and heights cost, and at least what the best of so many places explains by chance."""
    base, growth = CHANCE_GAIN[shape.name]
    return max(shape.parameters * math.log(n), base + growth * math.log(n))


def _weights(tries: list[_Candidate]) -> Iterator[tuple[_Candidate, float]]:
    """Those that have a share of the weight of all worth the name (Schwarz weights, Burnham and Anderson 2002)."""
    weights = np.exp([(tries[0].bic - one.bic) / 2 for one in tries])
    weights /= weights.sum()
    return ((one, float(weight)) for one, weight in zip(tries, weights, strict=True) if weight > MIN_WEIGHT)
