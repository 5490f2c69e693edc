"""Sampling of counts: multinomial, autocorrelated between periods, or with duplicated rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tests.benchmarks.detection.populations import Floats, Population


@dataclass(frozen=True)
class Noise:
    """Noise between the periods of a healthy model."""

    autocorrelation: float = 0.0
    """Share of a period's rows that are those of the period before: the metrics are then AR(1) with this φ."""
    duplicates: int = 1
    """Copies of each row: the standard error of a metric grows by the square root of it."""

    @property
    def name(self) -> str:
        """Name in the results."""
        if self.autocorrelation:
            return f"AR(1) φ={self.autocorrelation:g}"
        return f"copies x{self.duplicates}" if self.duplicates > 1 else "independent"


INDEPENDENT = Noise()
NOISES = (INDEPENDENT, Noise(autocorrelation=0.3), Noise(autocorrelation=0.6), Noise(duplicates=2))


def sample_counts(
    healthy: Population, drifted: Population, drift_share: Floats, rows: Floats, noise: Noise, rng: np.random.Generator
) -> Floats:
    """Sample the rows of each period from a mixture of the two populations.

    Each row of a period is one of the period before with probability `noise.autocorrelation`, else sampled anew; then
    a binomial number of rows is replaced by drifted ones. So each period alone is multinomial, any metric that is a
    mean over rows has autocorrelation φ^k at lag k, and drift shows at once, whatever the autocorrelation.

    Args:
        healthy: Population before the drift.
        drifted: Population after it.
        drift_share: Share of drifted rows by period, 0 to 1, [K].
        rows: Rows by period, [K].
        noise: Autocorrelation and duplicates of the rows.
        rng: Random number generator.

    Returns:
        Rows by period and cell, the healthy cells first, [K, 2 cells].
    """
    draws = np.maximum(np.rint(rows / noise.duplicates), 1).astype(np.int64)
    healthy_counts = (
        _autocorrelated_counts(healthy, draws, noise.autocorrelation, rng)
        if noise.autocorrelation
        else rng.multinomial(draws, healthy.probability)
    )
    moved = rng.binomial(healthy_counts, np.clip(drift_share, 0, 1)[:, None])
    drifted_counts = rng.multinomial(moved.sum(axis=1), drifted.probability)
    return noise.duplicates * np.concatenate([healthy_counts - moved, drifted_counts], axis=1).astype(float)


def _autocorrelated_counts(
    population: Population, draws: np.ndarray, autocorrelation: float, rng: np.random.Generator
) -> np.ndarray:
    counts = np.empty((len(draws), len(population)), dtype=np.int64)
    previous = rng.multinomial(draws[0], population.probability)
    for period, size in enumerate(draws):
        # A smaller period cannot retain as many rows: the share is that of the smaller of the two.
        retained = rng.binomial(previous, autocorrelation * min(1.0, size / max(previous.sum(), 1)))
        missing = size - retained.sum()
        counts[period] = previous = retained + rng.multinomial(max(missing, 0), population.probability)
    return counts
