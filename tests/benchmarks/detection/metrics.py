"""Metrics of a population and of samples from it, and their standard errors."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import numpy as np

from tests.benchmarks.detection.populations import SCORE_BINS, Floats, Population

SumTerms = tuple[Floats, Floats]
"""Terms of numerator and denominator by cell: a metric is the ratio of two sums over the rows."""


def _is_correct(population: Population) -> Floats:
    return (population.label == population.predicted).astype(float)


def _confidence(population: Population) -> Floats:
    return np.where(population.predicted == 1, population.score, 1 - population.score)


def _expected_accuracy(population: Population) -> Floats:
    return np.where(population.predicted == 1, population.true_rate, 1 - population.true_rate)


def _count(population: Population) -> Floats:
    return np.ones(len(population))


RATIOS: dict[str, Callable[[Population], SumTerms]] = {
    "accuracy": lambda p: (_is_correct(p), _count(p)),
    "precision": lambda p: (p.label * p.predicted, p.predicted),
    "recall": lambda p: (p.label * p.predicted, p.label),
    "f1_score": lambda p: (2 * p.label * p.predicted, p.label + p.predicted),
    "label_rate": lambda p: (p.label, _count(p)),
    "positive_rate": lambda p: (p.predicted, _count(p)),
    "avg_confidence": lambda p: (_confidence(p), _count(p)),
    "confidence_gap": lambda p: (_confidence(p) - _is_correct(p), _count(p)),
    "brier_score": lambda p: ((p.score - p.label) ** 2, _count(p)),
    "estimated_accuracy": lambda p: (_expected_accuracy(p), _count(p)),
}
OWN_SUPPORT = ("precision", "recall")
"""Metrics whose support is their denominator, not the row count."""


def compute_metrics(
    counts: Floats, population: Population, names: Collection[str] | None = None
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Compute the metrics of each period, and the supports of those that have their own.

    Args:
        counts: Rows by period and cell, [K, cells].
        population: The cells.
        names: Names of the metrics; None for all.
    """
    values: dict[str, Floats] = {}
    supports: dict[str, Floats] = {}
    for name, terms in RATIOS.items():
        if names is not None and name not in names:
            continue
        numerator, denominator = terms(population)
        support = counts @ denominator
        with np.errstate(invalid="ignore", divide="ignore"):
            values[name] = counts @ numerator / support
        if name in OWN_SUPPORT:
            supports[name] = support
    for name, score_metric in SCORE_METRICS.items():
        if names is None or name in names:
            values[name] = score_metric(counts, population)
    return values, supports


def expected_value(name: str, population: Population) -> float:
    """Return the value of a metric over an infinite sample of the population."""
    numerator, denominator = RATIOS[name](population)
    return float(population.probability @ numerator / (population.probability @ denominator))


def standard_error(name: str, population: Population, rows: float, duplicates: int = 1) -> float:
    """Return the standard error of a metric by the delta method.

    Args:
        name: Name of the metric, one of `RATIOS`.
        population: The population that is sampled.
        rows: Rows of a period.
        duplicates: Copies of each row among these.
    """
    numerator, denominator = RATIOS[name](population)
    mean_denominator = float(population.probability @ denominator)
    residual = numerator - expected_value(name, population) * denominator
    return float(np.sqrt(population.probability @ residual**2 / rows) / mean_denominator) * duplicates**0.5


def roc_auc(counts: Floats, population: Population) -> Floats:
    """Compute the area under the ROC curve of the binned scores by period; NaN where a class has no row."""
    bin_counts = np.zeros((2, len(counts), SCORE_BINS))
    for label in (0, 1):
        indicator = np.zeros((len(population), SCORE_BINS))
        indicator[np.arange(len(population)), population.score_bin] = population.label == label
        bin_counts[label] = counts @ indicator
    negative, positive = bin_counts
    concordant = (positive * (np.cumsum(negative, axis=1) - negative / 2)).sum(axis=1)
    pairs = negative.sum(axis=1) * positive.sum(axis=1)
    return np.divide(concordant, pairs, out=np.full(len(counts), np.nan), where=pairs > 0)


def calibration_error(counts: Floats, population: Population) -> Floats:
    """Compute the expected calibration error by period, over ten bins of equal width (Naeini 2015)."""
    bins = np.minimum((population.score * 10).astype(np.int64), 9)
    indicator = np.zeros((len(population), 10))
    indicator[np.arange(len(population)), bins] = 1.0
    gap = np.abs((counts * (population.score - population.label)) @ indicator).sum(axis=1)
    total = counts.sum(axis=1)
    return np.divide(gap, total, out=np.full(len(counts), np.nan), where=total > 0)


SCORE_METRICS: Mapping[str, Callable[[Floats, Population], Floats]] = {
    "roc_auc": roc_auc,
    "expected_calibration_error": calibration_error,
}
"""Metrics of the scores that are no ratio of two sums."""
