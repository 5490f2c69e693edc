"""Features whose distribution changed: distances, missing values, categories that the reference never had."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.diagnosis import FeatureShift
from modeltop.core.distribution import MISSING, OTHER, Histogram
from modeltop.core.series import Series
from modeltop.core.stats.robust import median
from modeltop.core.text import format_value
from modeltop.diagnosis.before_after import BeforeAfterWindows, Indices, compare
from modeltop.diagnosis.phrases import format_percent, safe_name

if TYPE_CHECKING:
    from modeltop.core.distribution import Counts

PREFIX = "feature="
OUTPUTS = ("score", "prediction")
"""Columns that are the model's own: `compute` measures their drift as that of a feature."""
MIN_DISTANCES = {"js_distance": 0.1, "psi": 0.2, "ks_distance": 0.1, "wasserstein_normed": 0.1}
"""Distance from which a feature has drifted by custom; the preferred metric first."""
POWERS = {"js_distance": 0.5, "psi": 1.0, "ks_distance": 0.5, "wasserstein_normed": 0.5}
"""Power of n by which chance alone brings n rows nearer to the reference: PSI is 8 JS² (in nats) for small
changes, and a sample of n rows is (bins - 1) / n from what it was drawn from (Yurdakul 2018)."""
MIN_Z = 4.0
"""Standard errors: there are many features, so that a single one must be rarer than p = 0.01."""
MIN_LOSS = 0.02
"""Proportion of values missing, or never seen, from which a feature is broken."""
QUANTILES = np.array([0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
"""Quantiles that are compared; lower ones are left out, as a bin there is wide relative to its values."""
MIN_LOG_FACTOR = math.log(1.5)
"""Factor of another unit; a smaller one is drift."""
MAX_LOG_SPREAD = 0.35
"""Range of the logarithms of the factors of all quantiles."""
MIN_CONSTANT_SHARE, MAX_REFERENCE_SHARE = 0.95, 0.6
"""Proportion of rows on one value, after the change and in the reference."""
MIN_ROWS = 30
"""Rows below which values show no anomaly."""


@dataclass(frozen=True, slots=True)
class FeatureShifts:
    """The log's features, before and after a change."""

    feature_count: int = 0
    """Features that are logged."""
    shifted: tuple[FeatureShift, ...] = ()
    """Largest distance first."""
    broken: tuple[FeatureShift, ...] = ()
    """Those that lost values or got unknown ones, worst first."""
    score: FeatureShift | None = None
    """Shift of the score's own distribution."""
    has_score_drift: bool = False
    """Whether the drift of the score is measured at all."""


def feature_shifts(series: Iterable[Series], windows: BeforeAfterWindows) -> FeatureShifts:
    """Compare every feature before and after."""
    by_feature: dict[str, dict[str, Series]] = {}
    for metric_series in series:
        prefix, segment, feature = metric_series.key.segment.partition(PREFIX)
        if segment and not prefix:
            by_feature.setdefault(feature, {})[metric_series.key.metric] = metric_series
    shifts = {name: _shift(name, metrics, windows) for name, metrics in by_feature.items()}
    shifted = [shift for name, shift in shifts.items() if name not in OUTPUTS and shift is not None]
    shifted.sort(key=lambda shift: -shift.after)
    broken = sorted((shift for shift in shifted if value_loss(shift) >= MIN_LOSS), key=lambda shift: -value_loss(shift))
    return FeatureShifts(
        feature_count=sum(name not in OUTPUTS for name in by_feature),
        shifted=tuple(shifted),
        broken=tuple(broken),
        score=shifts.get("score"),
        has_score_drift="score" in by_feature,
    )


def value_loss(shift: FeatureShift) -> float:
    """Return the increase of missing or of never seen values, 0 to 1, whichever is larger."""
    pairs = (shift.missing, shift.unseen)
    return max((pair[1] - pair[0] for pair in pairs if pair is not None), default=0.0)


def _shift(name: str, metrics: Mapping[str, Series], windows: BeforeAfterWindows) -> FeatureShift | None:
    missing = _increase(metrics.get("missing_rate"), windows)
    unseen = _increase(metrics.get("unseen_category_rate"), windows)
    metric = next((metric for metric in MIN_DISTANCES if metric in metrics), None)
    before, after, has_drifted = (0.0, 0.0, False) if metric is None else _distance(metrics[metric], windows)
    if not (has_drifted or missing or unseen):
        return None
    return FeatureShift(name, after, before, metric or "missing_rate", missing, unseen)


def _increase(series: Series | None, windows: BeforeAfterWindows) -> tuple[float, float] | None:
    if series is None or not (series.values[windows.after_indices(series)] >= MIN_LOSS).any():
        return None
    change = compare(series, windows)
    if change is None or change.delta < MIN_LOSS or change.z < MIN_Z:
        return None
    return change.before, change.after


def _distance(series: Series, windows: BeforeAfterWindows) -> tuple[float, float, bool]:
    """Return the distance before and after, and whether it is beyond custom and beyond what it was before."""
    before, after = windows.before_indices(series), windows.after_indices(series)
    if not len(after):
        return 0.0, 0.0, False
    level = float(median(series.values[after]))
    if len(before) < 2:
        return level, level, False
    values = series.values[before]
    mean, deviation = float(values.mean()), float(values.std(ddof=1))
    mean *= _thinning(series, before, after) ** POWERS[series.key.metric]
    min_level = max(MIN_DISTANCES[series.key.metric], 1.5 * mean, mean + MIN_Z * deviation / len(after) ** 0.5)
    return mean, level, level >= min_level


def _thinning(series: Series, before: Indices, after: Indices) -> float:
    """Return by which factor a period has fewer rows after, at least 1: few rows are further from any reference."""
    counts = series.support if series.support is not None else series.rows
    if counts is None:
        return 1.0
    old, new = (float(median(counts[window])) for window in (before, after))
    return max(1.0, old / new) if new > 0 else 1.0


def value_anomaly(histogram: Histogram, since: datetime, until: datetime) -> str | None:
    """Return a clause on an anomaly of the values of the periods between, both included; None if there is none."""
    mask = np.array([since <= period <= until for period in histogram.periods], dtype=bool)
    counts = histogram.counts[mask].sum(axis=0) if mask.any() else np.zeros(len(histogram.slots))
    if counts.sum() < MIN_ROWS or histogram.reference.sum() < MIN_ROWS:
        return None
    if (share := _constant_share(histogram, counts)) is not None:
        return f"{safe_name(histogram.feature)} is stuck: {format_percent(share)} of its rows have one value"
    if (factor := unit_change(histogram, counts)) is not None:
        return f"{safe_name(histogram.feature)} is {format_value(factor, 2)} times its reference: another unit"
    return None


def _constant_share(histogram: Histogram, counts: Counts) -> float | None:
    """Return the proportion of rows in one slot, if that is nearly all and was not so in the reference."""
    slots = [index for index, slot in enumerate(histogram.slots) if slot not in (OTHER, MISSING)]
    if not slots or counts[slots].sum() <= 0 or histogram.reference[slots].sum() <= 0:
        return None
    shares = counts[slots] / counts[slots].sum()
    top = int(np.argmax(shares))
    reference = float(histogram.reference[slots][top] / histogram.reference[slots].sum())
    return float(shares[top]) if shares[top] >= MIN_CONSTANT_SHARE and reference < MAX_REFERENCE_SHARE else None


def unit_change(histogram: Histogram, counts: Counts) -> float | None:
    """Return the factor by which all quantiles moved alike; None if they did not, or by too little."""
    if histogram.edges is None or len(histogram.edges) < len(QUANTILES):
        return None
    before, after = (_quantiles(histogram.edges, rows) for rows in (histogram.reference, counts))
    if before is None or after is None or (before <= 0).any() or (after <= 0).any():
        return None
    factors = np.log(after / before)
    factor = float(median(factors))
    return math.exp(factor) if abs(factor) >= MIN_LOG_FACTOR and float(np.ptp(factors)) <= MAX_LOG_SPREAD else None


def _quantiles(edges: tuple[tuple[float, float], ...], counts: Counts) -> Counts | None:
    """Return the values at `QUANTILES`, linear within a bin; None if one is in an open-ended bin."""
    bounds = np.array(edges, dtype=np.float64)
    rows = counts[: len(bounds)]
    cumulative = np.cumsum(rows)
    if cumulative[-1] <= 0:
        return None
    ranks = QUANTILES * cumulative[-1]
    bins = np.searchsorted(cumulative, ranks)
    low, high = bounds[bins, 0], bounds[bins, 1]
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        return None
    fraction = (ranks - (cumulative[bins] - rows[bins])) / rows[bins]
    values: Counts = low + fraction * (high - low)
    return values
