"""Features whose distribution changed: distances, missing values, categories that the reference never had."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import inf

from modeltop.core.diagnosis import FeatureShift
from modeltop.core.series import FEATURE_PREFIX, Series
from modeltop.core.stats.robust import median
from modeltop.diagnosis.before_after import BeforeAfterWindows, Indices, compare

OUTPUTS = ("score", "prediction", "label")
"""Columns that are no features: `compute` measures the drift of outputs and labels like that of a feature."""
MIN_DISTANCES = {"js_distance": 0.1, "psi": 0.2, "ks_distance": 0.1, "wasserstein_normed": 0.1}
"""Distance from which a feature has drifted by custom; the preferred metric first."""
MIN_OUTPUT_DISTANCE = 0.05
"""Distance from which scores or predictions shifted if that is further than all features together, which these do not
explain: a function moves no further than its arguments (data processing inequality, Cover and Thomas 2006, 2.8)."""
POWERS = {"js_distance": 0.5, "psi": 1.0, "ks_distance": 0.5, "wasserstein_normed": 0.5}
"""Power of n by which chance alone brings n rows nearer to the reference: PSI is 8 JS² (in nats) for small
changes, and a sample of n rows is (bins - 1) / n from what it was drawn from (Yurdakul 2018)."""
Distance = tuple[str, float, float, bool]
MIN_Z = 4.0
"""Standard errors: there are many features, so that a single one must be rarer than p = 0.01."""
MIN_LOSS = 0.02
"""Proportion of values missing, or never seen, from which a feature is broken."""


@dataclass(frozen=True, slots=True)
class FeatureShifts:
    """The log's features, before and after a change."""

    feature_count: int = 0
    """Features that are logged."""
    shifted: tuple[FeatureShift, ...] = ()
    """Largest distance first."""
    broken: tuple[FeatureShift, ...] = ()
    """Those that lost values or got unknown ones, worst first."""
    sound: tuple[FeatureShift, ...] = ()
    """Those that shifted although no fault of their values is known."""
    outputs: Mapping[str, FeatureShift | None] = field(default_factory=dict)
    """Shift of each column of `OUTPUTS` that is logged; None if it did not shift."""

    @property
    def output(self) -> FeatureShift | None:
        """The shift of the scores, else of the predictions; None if neither shifted."""
        return self.outputs.get("score") or self.outputs.get("prediction")

    @property
    def is_score_steady(self) -> bool:
        """Whether the drift of the score is measured, and there is none."""
        return "score" in self.outputs and self.outputs["score"] is None

    @property
    def is_broad(self) -> bool:
        """Whether the inputs changed overall: three features without a fault or more, and a third of all."""
        return len(self.sound) >= 3 and 3 * len(self.sound) >= self.feature_count


def feature_shifts(series: Iterable[Series], windows: BeforeAfterWindows) -> FeatureShifts:
    """Compare every feature before and after."""
    by_feature: dict[str, dict[str, Series]] = {}
    for metric_series in series:
        prefix, segment, feature = metric_series.key.segment.partition(FEATURE_PREFIX)
        if segment and not prefix:
            by_feature.setdefault(feature, {})[metric_series.key.metric] = metric_series
    distances = {name: _distance(metrics, windows) for name, metrics in by_feature.items()}
    # The squared distances of independent columns add up.
    inputs = [after**2 - before**2 for name, (_, before, after, _) in distances.items() if name not in OUTPUTS]
    explained = sum(max(0.0, excess) for excess in inputs) if inputs else inf
    shifts = {
        name: _shift(name, metrics, windows, distances[name], explained if name in OUTPUTS[:2] else inf)
        for name, metrics in by_feature.items()
    }
    shifted = [shift for name, shift in shifts.items() if name not in OUTPUTS and shift is not None]
    shifted.sort(key=lambda shift: -shift.after)
    broken = sorted((shift for shift in shifted if value_loss(shift) >= MIN_LOSS), key=lambda shift: -value_loss(shift))
    return FeatureShifts(
        feature_count=sum(name not in OUTPUTS for name in by_feature),
        shifted=tuple(shifted),
        broken=tuple(broken),
        sound=tuple(shift for shift in shifted if shift not in broken),
        outputs={name: shifts[name] for name in OUTPUTS if name in shifts},
    )


def value_loss(shift: FeatureShift) -> float:
    """Return the increase of missing or of never seen values, 0 to 1, whichever is larger."""
    pairs = (shift.missing, shift.unseen)
    return max((pair[1] - pair[0] for pair in pairs if pair is not None), default=0.0)


def _shift(
    name: str, metrics: Mapping[str, Series], windows: BeforeAfterWindows, distance: Distance, explained: float
) -> FeatureShift | None:
    missing = _increase(metrics.get("missing_rate"), windows)
    unseen = _increase(metrics.get("unseen_category_rate"), windows)
    metric, before, after, is_beyond_chance = distance
    is_unexplained = after >= MIN_OUTPUT_DISTANCE and after**2 - before**2 > explained
    has_drifted = is_beyond_chance and (after >= MIN_DISTANCES[metric] or is_unexplained)
    if not (has_drifted or missing or unseen):
        return None
    return FeatureShift(name, after, before, metric, missing, unseen)


def _increase(series: Series | None, windows: BeforeAfterWindows) -> tuple[float, float] | None:
    if series is None or not (series.values[windows.after_indices(series)] >= MIN_LOSS).any():
        return None
    change = compare(series, windows)
    if change is None or change.delta < MIN_LOSS or change.z < MIN_Z:
        return None
    return change.before, change.after


def _distance(metrics: Mapping[str, Series], windows: BeforeAfterWindows) -> Distance:
    """Return the metric, the distance before and after, and whether it is more than chance and what was before."""
    metric = next((metric for metric in MIN_DISTANCES if metric in metrics), "missing_rate")
    if metric not in MIN_DISTANCES:
        return metric, 0.0, 0.0, False
    series = metrics[metric]
    before, after = windows.before_indices(series), windows.after_indices(series)
    if not len(after):
        return metric, 0.0, 0.0, False
    level = float(median(series.values[after]))
    if len(before) < 2:
        return metric, level, level, False
    values = series.values[before]
    mean, deviation = float(values.mean()), float(values.std(ddof=1))
    mean *= _thinning(series, before, after) ** POWERS[metric]
    return metric, mean, level, level >= max(1.5 * mean, mean + MIN_Z * deviation / len(after) ** 0.5)


def _thinning(series: Series, before: Indices, after: Indices) -> float:
    """Return by which factor a period has fewer rows after, at least 1: few rows are further from any reference."""
    counts = series.support if series.support is not None else series.rows
    if counts is None:
        return 1.0
    old, new = (float(median(counts[window])) for window in (before, after))
    return max(1.0, old / new) if new > 0 else 1.0
