"""Calibration of the oracle, which knows all but the changepoint, for each classifier and metric."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import Direction
from tests.benchmarks.detection.baselines import FALSE_ALERT_RATE, OracleCusum, calibrate_limit
from tests.benchmarks.detection.metrics import RATIOS, expected_value, standard_error
from tests.benchmarks.detection.populations import Classifier, Floats
from tests.benchmarks.detection.scoring import PERIODS_PER_YEAR
from tests.benchmarks.detection.simulation import ROW_COUNT_JITTER

SAMPLES = 100_000
CATALOG = MetricRegistry()
DEFAULT_EFFECT_SIZE = 3.0
"""Effect size of the oracle on histories without a drop."""


@lru_cache(maxsize=2)
def sample_healthy_z_scores(classifier: Classifier, rows: int, duplicates: int) -> dict[str, Floats]:
    """Sample each metric over independent healthy periods, as z-scores that are positive on its bad side."""
    rng = np.random.default_rng([rows, duplicates])
    population = classifier.healthy
    z_scores: dict[str, list[Floats]] = {metric: [] for metric in RATIOS}
    for _ in range(10):
        row_counts = rows * (1 + ROW_COUNT_JITTER * rng.uniform(-1, 1, SAMPLES // 10)) / duplicates
        counts = rng.multinomial(np.rint(row_counts).astype(np.int64), population.probability)
        for metric, terms in RATIOS.items():
            numerator, denominator = terms(population)
            support = counts @ denominator
            values = (counts @ numerator)[support > 0] / support[support > 0]
            sign = 1 if CATALOG.get(metric).better is Direction.LOWER else -1
            error = standard_error(metric, population, rows, duplicates)
            z_scores[metric].append(sign * (values - expected_value(metric, population)) / error)
    return {metric: np.concatenate(samples) for metric, samples in z_scores.items()}


@lru_cache(maxsize=1024)
def calibrated_cusum(
    classifier: Classifier, metric: str, rows: int, duplicates: int, effect_size: float = DEFAULT_EFFECT_SIZE
) -> OracleCusum:
    """Return the CUSUM for drops of this size with 0.02 false alerts per metric-year of independent days.

    Args:
        classifier: The classifier with its healthy population.
        metric: Name of the metric, one of `RATIOS`.
        rows: Rows per period.
        duplicates: Copies of each row among these.
        effect_size: Of the drop, in standard errors.
    """
    z_scores = sample_healthy_z_scores(classifier, rows, duplicates)[metric]
    return OracleCusum(effect_size, calibrate_limit(z_scores, effect_size / 2, PERIODS_PER_YEAR / FALSE_ALERT_RATE))
