"""Faults that the values of features show: lost, stuck at one value, in another unit, or of another feature's column.

All but losses are found by histograms and by the smallest, largest and mean value of the reference and of each period.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import NamedTuple

import numpy as np

from modeltop.core.diagnosis import FeatureShift
from modeltop.core.distribution import MISSING, OTHER, Counts, Histogram, ValueRange
from modeltop.core.metrics.phrases import safe_name
from modeltop.core.series import Floats
from modeltop.diagnosis.feature_drift import value_loss
from modeltop.diagnosis.phrases import describe_value_loss

MIN_CERTAIN_LOSS = 0.05
"""Proportion of values lost from which a feature is certainly broken."""
MIN_ROWS = 30
"""Rows below which values show no fault."""
MAX_CHANCE = 1e-6
"""Probability by chance of as many rows with the same value, up to which a feature is stuck."""
MAX_KS_DISTANCE = 0.05
"""Kolmogorov-Smirnov distance up to which a distribution has the same shape, beside that of chance."""
MAX_SWAPPED_DISTANCE = 0.2
"""The same of two columns that changed places: few distinct values are not linear within the bins of the other."""
MIN_KS_DISTANCE = 0.2
"""The same distance from its reference without which a feature has not changed enough for a fault to be named."""
KS_95 = 1.36
"""Times the root of 1 / n: the Kolmogorov-Smirnov distance that chance alone exceeds once in 20 (Smirnov 1948)."""
RANGE_RATIOS = 0.05, 3.0
"""A period has fewer rows than the reference, so its extremes are nearer: ratio of its range to what is expected."""
USUAL_RANGE_RATIO = 0.85
"""That of some thousand rows to tens of thousands, of a normal distribution."""
RANGE_WEIGHT = 0.3
"""Weight of a range: extremes are the least certain."""
MIN_TEMPERATURE_RATIO = 0.4
"""The same of temperatures, which have no heavy tail."""
MIN_MEAN = 0.5
"""Ratio of a mean to the standard deviation from which the mean shows a factor."""
MAX_ERRORS = 4.0
"""Standard errors by which the mean of a period may be off."""
MAX_UNIT_ERROR = 0.02
"""Ratio to a factor near 1 by which the measured one, and its standard error, may be off for a unit to be named."""


class ValueFault(NamedTuple):
    """A fault of the values of one or two features."""

    features: tuple[str, ...]
    """Foreign text."""
    problem: str
    """What is wrong with them; it follows their names."""
    strength: float = 0.75
    """How far it alone would convince that an input is broken, 0 to 1."""

    @property
    def subject(self) -> str:
        """The names of the features, sanitized."""
        return " and ".join(map(safe_name, self.features))

    @property
    def clause(self) -> str:
        """The fault in a clause."""
        return f"{self.subject} {self.problem}"


class Conversion(NamedTuple):
    """Another unit: `factor * value + offset`."""

    factor: float
    offset: float = 0.0
    name: str = ""


FACTORS = (10.0, 100.0, 1000.0, 60.0, 3600.0, 86400.0, 1.609344, 2.54, 0.45359237, 0.3048, 1024.0)
"""Factors between customary units: powers of ten, time, miles, inches, pounds, feet, bytes (NIST SP 811, app. B)."""
CONVERSIONS = (
    *(Conversion(factor) for factor in FACTORS),
    *(Conversion(1 / factor) for factor in FACTORS),
    Conversion(1.8, 32.0, "°F instead of °C"),
    Conversion(1 / 1.8, -32.0 / 1.8, "°C instead of °F"),
)


@dataclass(frozen=True, slots=True, eq=False)
class _Values:
    """A feature after a change, beside its reference."""

    histogram: Histogram
    counts: Counts
    """Rows after, by slot."""
    periods: Sequence[ValueRange]
    """Of each period after the first, which may be mixed, in which rows have a value."""

    @property
    def reference(self) -> ValueRange | None:
        """Of the reference; None if its values are not known, or all the same."""
        values = self.histogram.ranges.get(None)
        return values if values is not None and values.deviation > 0 else None

    @property
    def after(self) -> ValueRange:
        low, high = min(values.low for values in self.periods), max(values.high for values in self.periods)
        return ValueRange(low, high, float(np.median([values.mean for values in self.periods])))


def lost_values(shift: FeatureShift) -> ValueFault:
    """Return the fault of a feature that lost values, or got some that the reference never had."""
    strength = 0.85 if value_loss(shift) >= MIN_CERTAIN_LOSS else 0.5
    return ValueFault((shift.feature,), describe_value_loss(shift), strength)


def value_faults(histograms: Sequence[Histogram], since: datetime, until: datetime) -> tuple[ValueFault, ...]:
    """Return the faults of some features in the periods between, both included.

    Args:
        histograms: Of features that shifted.
        since: Start of the change.
        until: The newest period that counts.
    """
    features = [values for histogram in histograms if (values := _after(histogram, since, until)) is not None]
    return tuple(_faults(features))


def _faults(features: Sequence[_Values]) -> Iterator[ValueFault]:
    numeric = [values for values in features if values.reference is not None and values.periods]
    swapped: list[_Values] = []
    for first, second in combinations(numeric, 2):
        if _took(first, second) and _took(second, first):
            yield ValueFault((first.histogram.feature, second.histogram.feature), "have each other's values")
            swapped += first, second
    for values in features:
        if values in swapped:
            continue
        names = (values.histogram.feature,)
        if _is_stuck(values):
            yield ValueFault(names, "is stuck at one value")
        elif values in numeric and (unit := _conversion(values)) is not None:
            yield _scaled(values, unit)


def _after(histogram: Histogram, since: datetime, until: datetime) -> _Values | None:
    periods = [period for period in histogram.periods if since <= period <= until]
    counts = histogram.counts[[histogram.periods.index(period) for period in periods]].sum(axis=0)
    if counts.sum() < MIN_ROWS or histogram.reference.sum() < MIN_ROWS:
        return None
    whole = periods[1:] or periods
    return _Values(histogram, counts, [histogram.ranges[period] for period in whole if period in histogram.ranges])


def _is_stuck(values: _Values) -> bool:
    """Return whether all rows have one value, which chance does not explain."""
    histogram, counts = values.histogram, values.counts
    slots = [index for index, slot in enumerate(histogram.slots) if slot not in (OTHER, MISSING)]
    reference, rows = histogram.reference[slots], counts[slots]
    if not reference.sum() or not rows.sum():
        return False
    top = int(np.argmax(rows))
    if histogram.edges is not None:
        has_one_value = bool(values.periods) and len({(each.low, each.high) for each in values.periods}) == 1
        if not has_one_value or values.periods[0].low != values.periods[0].high:
            return False
    elif rows[top] < counts.sum() - counts[histogram.slots.index(MISSING)]:
        return False
    return bool(float(reference[top] / reference.sum()) ** float(rows[top]) <= MAX_CHANCE)


def _conversion(values: _Values) -> Conversion | None:
    """Return the customary conversion that makes of the reference what came from one period to the next."""
    reference = values.reference
    if reference is None or _ks_distance(values.histogram, reference, values, Conversion(1.0)) < MIN_KS_DISTANCE:
        return None
    fitting = (unit for unit in CONVERSIONS if _fits(values, values.histogram, reference, unit))
    return min(fitting, key=lambda unit: _misfit(values, reference, unit), default=None)


def _scaled(values: _Values, unit: Conversion) -> ValueFault:
    reference, names = values.reference, (values.histogram.feature,)
    assert reference is not None, "a conversion is of a reference"
    is_near, has_mean = 0.1 < unit.factor < 10, abs(reference.mean) > MIN_MEAN * reference.deviation
    if unit.name or (has_mean and not is_near):
        return ValueFault(names, f"is {unit.name or f'{unit.factor:.5g} times its reference'}: another unit")
    if not has_mean:
        # Ranges of a few hundred rows do not tell 60 from 100.
        ratio = (values.after.high - values.after.low) / (USUAL_RANGE_RATIO * (reference.high - reference.low))
        problem = f"is about {float(f'{ratio:.2g}'):g} times its reference"
        return ValueFault(names, problem, 0.5) if is_near else ValueFault(names, f"{problem}: another unit")
    ratio = values.after.mean / reference.mean
    error = reference.deviation / abs(reference.mean) / math.sqrt(values.counts.sum())
    if error <= MAX_UNIT_ERROR and abs(ratio / unit.factor - 1) <= MAX_UNIT_ERROR:
        return ValueFault(names, f"is {unit.factor:.5g} times its reference: another unit")
    return ValueFault(names, f"is about {ratio:.2g} times its reference", 0.5)


def _misfit(values: _Values, reference: ValueRange, unit: Conversion) -> float:
    """Return how far the mean, the range and the shape are from what the unit would make of the reference."""
    width = unit.factor * (reference.high - reference.low)
    ranges = abs(math.log((values.after.high - values.after.low) / (USUAL_RANGE_RATIO * width)))
    if abs(reference.mean) <= MIN_MEAN * reference.deviation:
        return ranges
    off = abs(values.after.mean - unit.factor * reference.mean - unit.offset) / (unit.factor * reference.deviation)
    return off + RANGE_WEIGHT * ranges + _ks_distance(values.histogram, reference, values, unit)


def _took(values: _Values, other: _Values) -> bool:
    """Return whether a feature has got the distribution that another has in its reference."""
    own, theirs = values.reference, other.reference
    if own is None or theirs is None:
        return False
    unchanged = Conversion(1.0)
    distance = _ks_distance(values.histogram, own, values, unchanged)
    if distance < max(MIN_KS_DISTANCE, 3 * _ks_distance(other.histogram, theirs, values, unchanged)):
        return False
    return _fits(values, other.histogram, theirs, unchanged, MAX_SWAPPED_DISTANCE)


def _fits(
    values: _Values,
    histogram: Histogram,
    reference: ValueRange,
    unit: Conversion,
    max_distance: float = MAX_KS_DISTANCE,
) -> bool:
    expected = unit.factor * (reference.high - reference.low)
    after = values.after
    min_ratio = MIN_TEMPERATURE_RATIO if unit.offset else RANGE_RATIOS[0]
    if expected <= 0 or not min_ratio <= (after.high - after.low) / expected <= RANGE_RATIOS[1]:
        return False
    if any(abs(_mean_error(values, period, reference, unit)) > 1 for period in values.periods):
        return False
    chance = KS_95 / math.sqrt(values.counts.sum())
    return _ks_distance(histogram, reference, values, unit) <= max_distance + chance


def _mean_error(values: _Values, period: ValueRange, reference: ValueRange, unit: Conversion) -> float:
    """Return how far the mean of a period is from what the unit makes of the reference's, in tolerances."""
    rows = max(1.0, float(values.counts.sum()) / (len(values.periods) + 1))
    exactness = 0.03 if 0.1 < unit.factor < 10 else 0.1
    tolerance = unit.factor * (exactness * abs(reference.mean) + MAX_ERRORS * reference.deviation / math.sqrt(rows))
    return (period.mean - unit.factor * reference.mean - unit.offset) / tolerance


def _ks_distance(histogram: Histogram, reference: ValueRange, values: _Values, unit: Conversion) -> float:
    edges = values.histogram.edges
    if edges is None or histogram.edges is None:
        return 0.0
    inner = np.array([high for _, high in edges[:-1]])
    rows = values.counts[: len(edges)]
    if not len(inner) or not rows.sum():
        return 0.0
    after = np.cumsum(rows)[:-1] / rows.sum()
    before = _distribution(histogram, reference, (inner - unit.offset) / unit.factor)
    return float(np.abs(after - before).max())


def _distribution(histogram: Histogram, reference: ValueRange, at: Floats) -> Floats:
    assert histogram.edges is not None
    bounds = np.array([reference.low, *(high for _, high in histogram.edges[:-1]), reference.high])
    rows = histogram.reference[: len(histogram.edges)]
    shares = np.concatenate([[0.0], np.cumsum(rows) / max(float(rows.sum()), 1.0)])
    return np.asarray(np.interp(at, np.maximum.accumulate(bounds), shares))
