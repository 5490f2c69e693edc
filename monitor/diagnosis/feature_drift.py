"""Which columns of the log moved: distances, missing values, categories that the reference never had."""

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
from modeltop.diagnosis.before_after import BeforeAfterWindows, compare
from modeltop.diagnosis.phrases import format_percent, safe_name

if TYPE_CHECKING:
    from modeltop.diagnosis.before_after import Places

if TYPE_CHECKING:
    from modeltop.core.distribution import Counts


PREFIX = "feature="
OUTPUTS = ("score", "prediction")
"""Columns that are the model's own: `compute` measures their drift as that of a feature."""
DISTANCES = (("js_distance", 0.1), ("psi", 0.2), ("ks_distance", 0.1), ("wasserstein_normed", 0.1))
"""From the one that is preferred; a distance from which a column has moved by custom."""
POWERS = {"js_distance": 0.5, "psi": 1.0, "ks_distance": 0.5, "wasserstein_normed": 0.5}
"""By which power of n chance alone brings n rows nearer to the reference: PSI is 8 JS² (in nats) for small
changes, and a sample of n rows lies (bins - 1) / n from what it was drawn from (Yurdakul 2018)."""
MIN_Z = 4.0
"""Standard errors: many columns are looked at, so that of a single one must be rarer than p = 0.01."""
MIN_LOSS = 0.02
"""Share of values missing, or never seen, from which it is worth a word."""


@dataclass(frozen=True, slots=True)
class FeatureShifts:
    """The log's columns, before and after a change."""

    feature_count: int = 0
    """How many are logged."""
    shifted: tuple[FeatureShift, ...] = ()
    """Furthest first."""
    broken: tuple[FeatureShift, ...] = ()
    """Of them, those that lost values or got unknown ones, worst first."""
    score: FeatureShift | None = None
    """The score's own distribution, if it moved."""
    prediction: FeatureShift | None = None
    has_score_drift: bool = False
    """Whether the score's distribution is watched at all."""


def feature_shifts(series: Iterable[Series], span: BeforeAfterWindows) -> FeatureShifts:
    """Look at every column."""
    by_feature: dict[str, dict[str, Series]] = {}
    for one in series:
        if one.key.segment.startswith(PREFIX):
            by_feature.setdefault(one.key.segment[len(PREFIX) :], {})[one.key.metric] = one
    found = {name: _moved(name, metrics, span) for name, metrics in by_feature.items()}
    features = [name for name in by_feature if name not in OUTPUTS]
    moved = [far for name in features if (far := found[name]) is not None]
    moved.sort(key=lambda far: -far.after)
    broken = sorted((lost for lost in moved if _loss(lost) >= MIN_LOSS), key=lambda lost: -_loss(lost))
    return FeatureShifts(
        feature_count=len(features),
        shifted=tuple(moved),
        broken=tuple(broken),
        score=found.get("score"),
        prediction=found.get("prediction"),
        has_score_drift="score" in by_feature,
    )


def _loss(one: FeatureShift) -> float:
    pairs = (one.missing, one.unseen)
    return max((pair[1] - pair[0] for pair in pairs if pair is not None), default=0.0)


def _moved(name: str, metrics: Mapping[str, Series], span: BeforeAfterWindows) -> FeatureShift | None:
    missing = _rose(metrics.get("missing_rate"), span)
    unseen = _rose(metrics.get("unseen_category_rate"), span)
    for metric, custom in DISTANCES:
        if metric in metrics:
            before, after, far = _distance(metrics[metric], span, custom)
            if far or missing or unseen:
                return FeatureShift(name, after, before, metric, missing, unseen)
            return None
    return FeatureShift(name, 0.0, 0.0, "missing_rate", missing, unseen) if missing or unseen else None


def _rose(series: Series | None, span: BeforeAfterWindows) -> tuple[float, float] | None:
    if series is None or not (series.values[span.after_indices(series)] >= MIN_LOSS).any():
        return None
    found = compare(series, span)
    if found is None or found.delta < MIN_LOSS or found.z < MIN_Z:
        return None
    return found.before, found.after


def _distance(series: Series, span: BeforeAfterWindows, custom: float) -> tuple[float, float, bool]:
    """Distance before and after, and whether the column has moved: beyond custom, and beyond what it was before."""
    early, late = span.before_indices(series), span.after_indices(series)
    if not len(late):
        return 0.0, 0.0, False
    after = float(median(series.values[late]))
    if len(early) < 2:
        return after, after, False
    known = series.values[early]
    before, spread = float(known.mean()), float(known.std(ddof=1))
    before *= _thinner(series, early, late) ** POWERS[series.key.metric]
    return before, after, after >= max(custom, 1.5 * before, before + MIN_Z * spread / len(late) ** 0.5)


def _thinner(series: Series, early: Places, late: Places) -> float:
    """How many times fewer rows a period has after, 1 or more: of few rows any column lies further from all."""
    counts = series.support if series.support is not None else series.rows
    if counts is None:
        return 1.0
    many, few = (float(median(counts[at])) for at in (early, late))
    return max(1.0, many / few) if few > 0 else 1.0


LEVELS = np.array([0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
"""Quantiles that are compared; the lowest are left out, as a bin there is wide beside its values."""
MIN_LOG_FACTOR = math.log(1.5)
"""A factor nearer to 1 is drift."""
MAX_LOG_SPREAD = 0.35
"""How far the logarithms of the factors of all quantiles may lie from each other."""
CONSTANT_SHARE, MAX_EARLIER_SHARE = 0.95, 0.6
"""Share of the rows on one value, of late and in the reference."""
MIN_ROWS = 30
"""Fewer rows show no shape."""


def value_anomaly(histogram: Histogram, since: datetime) -> str | None:
    """What is odd about the values of the periods since then, as a clause; None where nothing is."""
    late = np.array([period >= since for period in histogram.periods], dtype=bool)
    counts = histogram.counts[late].sum(axis=0) if late.any() else np.zeros(len(histogram.slots))
    if counts.sum() < MIN_ROWS or histogram.reference.sum() < MIN_ROWS:
        return None
    if (value := constant_value(histogram, counts)) is not None:
        return f"{safe_name(histogram.feature)} is stuck: {format_percent(value)} of the rows have one value"
    if (factor := unit_change(histogram, counts)) is not None:
        return f"{safe_name(histogram.feature)} is {format_value(factor, 2)} times what it was: another unit"
    return None


def constant_value(histogram: Histogram, counts: Counts) -> float | None:
    """The share of rows on one value or in one bin, if that is nearly all and was not so in the reference."""
    own = [place for place, slot in enumerate(histogram.slots) if slot not in (OTHER, MISSING)]
    if not own or counts[own].sum() <= 0 or histogram.reference[own].sum() <= 0:
        return None
    share = counts[own] / counts[own].sum()
    top = int(np.argmax(share))
    usual = float(histogram.reference[own][top] / histogram.reference[own].sum())
    return float(share[top]) if share[top] >= CONSTANT_SHARE and usual < MAX_EARLIER_SHARE else None


def unit_change(histogram: Histogram, counts: Counts) -> float | None:
    """The factor by which all quantiles moved alike; None where they did not, or by too little."""
    if histogram.edges is None or len(histogram.edges) < len(LEVELS):
        return None
    before, after = (_quantiles(histogram, those) for those in (histogram.reference, counts))
    if before is None or after is None or (before <= 0).any() or (after <= 0).any():
        return None
    factors = np.log(after / before)
    factor = float(median(factors))
    return math.exp(factor) if abs(factor) >= MIN_LOG_FACTOR and float(np.ptp(factors)) <= MAX_LOG_SPREAD else None


def _quantiles(histogram: Histogram, counts: Counts) -> Counts | None:
    """At `LEVELS`, straight within a bin; None where one lies in a bin without an end."""
    assert histogram.edges is not None, "asked of numbers"
    ends = np.array(histogram.edges, dtype=np.float64)
    rows = counts[: len(ends)]
    upto = np.cumsum(rows)
    if upto[-1] <= 0:
        return None
    wanted = LEVELS * upto[-1]
    at = np.searchsorted(upto, wanted)
    low, high = ends[at, 0], ends[at, 1]
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        return None
    into = (wanted - (upto[at] - rows[at])) / rows[at]
    found: Counts = low + into * (high - low)
    return found
