"""The benchmark `detection-quiet`: false alerts of each detector on healthy models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from modeltop.core.diagnosis import Pattern
from modeltop.core.series import Direction, Series
from tests.benchmarks.base import BenchmarkContext, Result, benchmark
from tests.benchmarks.detection.baselines import FALSE_ALERT_RATE
from tests.benchmarks.detection.detectors import (
    ALL_DEFAULTS,
    BASELINES,
    DEFAULT_SHIFT,
    ORACLE,
    BatchDetector,
    assumed_truth,
    default_detectors,
    per_series,
)
from tests.benchmarks.detection.drops import ROW_COUNTS, SEED, STRONG, WEAK
from tests.benchmarks.detection.metrics import RATIOS
from tests.benchmarks.detection.oracle import calibrated_cusum
from tests.benchmarks.detection.populations import IMBALANCED
from tests.benchmarks.detection.sampling import INDEPENDENT, NOISES
from tests.benchmarks.detection.scoring import PERIODS_PER_YEAR, rate_interval
from tests.benchmarks.detection.simulation import Scenario, Settings, simulate_history

HEALTHY_MODELS = (
    Scenario("sure model", Pattern.STEADY, classifier=STRONG, shape="steady"),
    Scenario("fair model", Pattern.STEADY, classifier=WEAK, shape="steady"),
    Scenario("rare yes", Pattern.STEADY, classifier=IMBALANCED, shape="steady"),
)
PERIODS = 365
MIN_SUPPORT = 30
"""Metrics that mostly have less support are left out: the default rules do not evaluate them."""


@dataclass(slots=True)
class AlertCounts:
    """Alerts of one detector on many healthy models."""

    periods: float = 0.0
    """Evaluated periods of all metrics."""
    by_model: list[int] = field(default_factory=list)
    """Number of alerts of each model."""
    by_setting: Counter[str] = field(default_factory=Counter)
    """Number of alerts by metric, row count and scenario."""

    @property
    def dispersion(self) -> float:
        """Index of dispersion of the alerts per model, at least 1: metrics of one model alert together."""
        alerts = np.array(self.by_model, dtype=float)
        return max(1.0, float(alerts.var() / alerts.mean())) if alerts.any() else 1.0

    def to_result(self, name: str, target: float | None) -> Result:
        """Return the alerts per metric-year with a Poisson interval that is widened by the dispersion."""
        alerts, years = sum(self.by_model), self.periods / PERIODS_PER_YEAR
        low, high = rate_interval(round(alerts / self.dispersion), years / self.dispersion)
        models = len(self.by_model) * PERIODS / PERIODS_PER_YEAR
        most = [(name, number) for name, number in self.by_setting.most_common(3) if number]
        worst = ", ".join(f"{name} {number / alerts:.0%}" for name, number in most)
        note = f"{alerts} in {years:.0f} metric-years, 95 % {low:.3f} to {high:.3f}; {alerts / models:.3g} a model-year"
        return Result(name, alerts / years, target, "", note + (f"; most: {worst}" if worst else ""))


def count_false_alerts(scenario: Scenario, settings: Settings, count: int, seed: int = SEED) -> dict[str, AlertCounts]:
    """Count the alerts of each detector over all metrics of `count` healthy models."""
    series_by_metric: dict[str, list[tuple[int, Series]]] = {}
    for index in range(count):
        for key, series in simulate_history(scenario, settings, seed, index).history.series.items():
            if series.better is not Direction.NEITHER and series.evaluable(MIN_SUPPORT).mean() > 0.5:
                series_by_metric.setdefault(key.metric, []).append((index, series))
    counts_by_detector: dict[str, AlertCounts] = {}
    for metric, indexed_series in series_by_metric.items():
        truths = [assumed_truth(scenario.classifier, series, settings) for _, series in indexed_series]
        for name, detect in _detectors_for(scenario, settings, metric).items():
            counts = counts_by_detector.setdefault(name, AlertCounts(by_model=[0] * count))
            counts.periods += sum(float(series.evaluable(MIN_SUPPORT).sum()) for _, series in indexed_series)
            alerts = detect([series for _, series in indexed_series], truths)
            for (index, _), indices in zip(indexed_series, alerts, strict=True):
                counts.by_model[index] += len(indices)
            counts.by_setting[f"{metric} of {settings.rows} rows, {scenario.name}"] += sum(map(len, alerts))
    return counts_by_detector


def _detectors_for(scenario: Scenario, settings: Settings, metric: str) -> Mapping[str, BatchDetector]:
    """Return all detectors; the oracle only for a metric that is a ratio, whose standard error is known."""
    detectors = {}
    if metric in RATIOS:
        detectors[ORACLE] = per_series(
            calibrated_cusum(scenario.classifier, metric, settings.rows, settings.noise.duplicates)
        )
    return detectors | dict(BASELINES) | dict(default_detectors())


@benchmark("detection-quiet")
def detection_false_alerts(context: BenchmarkContext) -> Iterator[Result]:
    """False alerts a metric-year and a model-year, on models that are well for a year of days."""
    for noise in NOISES:
        count = (5 if noise is INDEPENDENT else 2) * context.runs
        totals: dict[str, AlertCounts] = {}
        for scenario, rows in product(HEALTHY_MODELS, ROW_COUNTS):
            settings = Settings(before=PERIODS, after=0, rows=rows, noise=noise)
            for name, counts in count_false_alerts(scenario, settings, count).items():
                total = totals.setdefault(name, AlertCounts())
                total.periods += counts.periods
                total.by_model += counts.by_model
                total.by_setting.update(counts.by_setting)
        for name, total in totals.items():
            target = FALSE_ALERT_RATE if name in (DEFAULT_SHIFT, ALL_DEFAULTS) and noise is INDEPENDENT else None
            yield total.to_result(f"{noise.name}, false per metric-year: {name}", target)
