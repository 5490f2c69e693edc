"""What one who knows everything but the moment would do: the limits of the oracle, for each model and metric."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import Direction
from tests.benchmarks.detection.baselines import RATE, YEAR, Oracle, calibrated
from tests.benchmarks.detection.metrics import RATIOS, deviation, level
from tests.benchmarks.detection.populations import Classifier, Floats
from tests.benchmarks.detection.simulation import UNEVEN

DRAWS = 100_000
CATALOG = MetricRegistry()
TYPICAL = 3.0
"""Size that an oracle looks out for where nothing falls."""


@lru_cache(maxsize=2)
def healthy_values(classifier: Classifier, rows: int, copies: int) -> dict[str, Floats]:
    """Draws of each metric over healthy periods, independent of each other, in deviations on its bad side."""
    chance = np.random.default_rng([rows, copies])
    world = classifier.healthy
    found: dict[str, list[Floats]] = {metric: [] for metric in RATIOS}
    for _ in range(10):
        sizes = np.rint(rows * (1 + UNEVEN * chance.uniform(-1, 1, DRAWS // 10)) / copies).astype(np.int64)
        counts = chance.multinomial(sizes, world.chance)
        for metric, pair in RATIOS.items():
            above, below = pair(world)
            under = counts @ below
            values = (counts @ above)[under > 0] / under[under > 0]
            sign = 1 if CATALOG.get(metric).better is Direction.LOWER else -1
            found[metric].append(sign * (values - level(metric, world)) / spread(classifier, metric, rows, copies))
    return {metric: np.concatenate(parts) for metric, parts in found.items()}


def spread(classifier: Classifier, metric: str, rows: float, copies: int) -> float:
    """Deviation of a healthy period value."""
    return deviation(metric, classifier.healthy, rows) * copies**0.5


@lru_cache(maxsize=1024)
def oracle(classifier: Classifier, metric: str, rows: int, copies: int, size: float = TYPICAL) -> Oracle:
    """The CUSUM for falls of this size that alerts by chance 0.02 times in a metric-year of independent days."""
    z = healthy_values(classifier, rows, copies)[metric]
    return Oracle(size, calibrated(z, size / 2, YEAR / RATE))
