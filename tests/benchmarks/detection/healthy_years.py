"""Simulated years of healthy models, by what may make a healthy model look ill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import DATETIME_DTYPE, History
from modeltop.history.merge import Block, merge_blocks
from tests.benchmarks.detection.ground_truth import MODEL
from tests.benchmarks.detection.metrics import compute_metrics, expected_value
from tests.benchmarks.detection.populations import Classifier, Floats, concept_drift, mixture
from tests.benchmarks.detection.sampling import INDEPENDENT, Noise, sample_counts

DAYS = 365
START = np.datetime64("2025-01-01", "us")
CATALOG = MetricRegistry()
METRICS = (
    "accuracy", "precision", "recall", "f1_score", "roc_auc", "brier_score", "avg_confidence", "positive_rate"
)  # fmt: skip
SOUND = Classifier(separation=3.4)
"""Accuracy 0.955, F1 0.955: well above both default limits."""
CEILING = Classifier(separation=6.2)
"""Accuracy 0.999."""
BETTER = Classifier(separation=3.9)
"""Accuracy 0.974: 0.02 better than `SOUND`, so that heavy tails reach to both sides of its level."""
FLOORS = tuple(Classifier(separation=separation) for separation in (2.07, 2.56, 2.68, 2.81, 2.95))
"""Accuracy and F1 of 0.85, 0.90, 0.91, 0.92 and 0.93: at each default limit, and just above."""
STANDARD_ERROR = 0.0065
"""Of the accuracy of `SOUND` on a day of 1,000 rows."""
HOLIDAYS = (0, 108, 120, 358, 359)
"""Days of the year on which few people are at work."""


@dataclass(frozen=True)
class HealthyKind:
    """One way to be healthy."""

    classifiers: tuple[Classifier, ...] = (SOUND,)
    """By model, in turn."""
    noise: Noise = INDEPENDENT
    season: str = ""
    """What moves the metrics: `weekly`, `annual`, `month end`, `holidays`, `heavy tails`."""
    volume: str = "steady"
    """Rows by day: `steady`, `growing`, `few`."""
    critical_goal: float = 0.1
    incident_goal: float = 0.5
    """Goals of CRITICAL alerts, and of incidents of any level, a model-year."""


KINDS: Mapping[str, HealthyKind] = MappingProxyType(
    {
        "independent": HealthyKind(incident_goal=0.1),
        "weekly": HealthyKind(season="weekly"),
        "AR(1) 0.3": HealthyKind(noise=Noise(autocorrelation=0.3)),
        "AR(1) 0.6": HealthyKind(noise=Noise(autocorrelation=0.6)),
        "growing volume": HealthyKind(volume="growing", incident_goal=0.1),
        "20 to 100 rows": HealthyKind(volume="few", incident_goal=0.1),
        "ceiling 0.999": HealthyKind(classifiers=(CEILING,), incident_goal=0.1),
        "five holidays": HealthyKind(season="holidays"),
        "month end": HealthyKind(season="month end"),
        "annual season": HealthyKind(season="annual", incident_goal=1.0),
        "usual level at each floor": HealthyKind(classifiers=FLOORS),
        "heavy tails": HealthyKind(classifiers=(BETTER,), season="heavy tails", critical_goal=0.3),
    }
)


def simulate_year(
    kind: HealthyKind, seed: int, index: int, *, drop: Floats | None = None, days: int = DAYS, rows: int = 1000
) -> History:
    """Simulate days of one healthy model, or of one that drops.

    Args:
        kind: What its metrics and rows do.
        seed: Seed of the series of models.
        index: Number of the model in it.
        drop: By how much accuracy is lower, by day; None: by nothing.
        days: Number of days.
        rows: Rows of a day, where the volume is steady.
    """
    rng = np.random.default_rng([seed, index])
    classifier = kind.classifiers[index % len(kind.classifiers)]
    healthy, drifted = classifier.healthy, concept_drift(classifier.healthy)
    moves = _season(kind.season, days, rng) + (0.0 if drop is None else drop)
    # Concept drift lowers accuracy in proportion to its share.
    largest = expected_value("accuracy", healthy) - expected_value("accuracy", drifted)
    row_counts = _rows(kind, days, rows, rng)
    counts = sample_counts(healthy, drifted, np.clip(moves / largest, 0, 1), row_counts, kind.noise, rng)
    values, supports = compute_metrics(counts, mixture(healthy, drifted, 0.0), METRICS)
    times = (START + np.arange(days) * np.timedelta64(1, "D")).astype(DATETIME_DTYPE)
    block = Block(MODEL, "all", times, values, supports, rows=counts.sum(axis=1))
    merged, _ = merge_blocks([block], CATALOG)
    return History({series.key: series for series in merged}, {MODEL: times})


def _rows(kind: HealthyKind, days: int, rows: int, rng: np.random.Generator) -> Floats:
    day = np.arange(days)
    if kind.volume == "few":
        return rng.integers(20, 101, days).astype(float)
    base = rows * np.exp(np.log(10) * (day / days - 0.5)) if kind.volume == "growing" else np.full(days, float(rows))
    if kind.season == "holidays":
        base = np.where(np.isin(day % DAYS, HOLIDAYS), 0.3 * base, base)
    if kind.season == "month end":
        base = np.where(_is_month_end(days), 2 * base, base)
    return np.rint(base * (1 + 0.03 * rng.uniform(-1, 1, days)))


def _is_month_end(days: int) -> np.ndarray:
    date = START.astype("datetime64[D]") + np.arange(days)
    return np.asarray((date + 2).astype("datetime64[M]") != date.astype("datetime64[M]"))


def _season(season: str, days: int, rng: np.random.Generator) -> Floats:
    """Return by how much accuracy is lower, by day, in multiples of the standard error of a day of 1,000 rows."""
    day = np.arange(days)
    moves = {
        "weekly": 3 * (day % 7 >= 5),
        "annual": 2 * (1 - np.cos(2 * np.pi * day / DAYS)),
        "month end": 3 * _is_month_end(days),
        "holidays": 3 * np.isin(day % DAYS, HOLIDAYS),
        # Beside the sampling error, whose deviation is 1, errors with that of Student's t with 3 degrees: √3.
        "heavy tails": np.maximum(3 + 0.77 * rng.standard_t(3, days), 0) if season == "heavy tails" else day,
    }
    return STANDARD_ERROR * np.asarray(moves.get(season, np.zeros(days)), dtype=float)
