"""Variance and autocorrelation of sampled periods, compared with scipy and statsmodels."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.tsa.stattools import acf

from tests.benchmarks.detection.metrics import compute_metrics, expected_value, standard_error
from tests.benchmarks.detection.populations import Classifier, concept_drift, mixture
from tests.benchmarks.detection.sampling import Noise, sample_counts

HEALTHY = Classifier().healthy
DRIFTED = concept_drift(HEALTHY)
MIXTURE = mixture(HEALTHY, DRIFTED, 0.0)


def accuracy(noise, *, rows=500, periods=4000, drift_share=0.0, seed=3):
    row_counts = np.full(periods, float(rows))
    shares, rng = np.full(periods, drift_share), np.random.default_rng(seed)
    counts = sample_counts(HEALTHY, DRIFTED, shares, row_counts, noise, rng)
    return compute_metrics(counts, MIXTURE)[0]["accuracy"]


@pytest.mark.parametrize("autocorrelation", [0.0, 0.3, 0.6])
def test_values_are_autocorrelated_as_configured_and_vary_by_the_standard_error(autocorrelation):
    values = accuracy(Noise(autocorrelation=autocorrelation))
    assert acf(values, nlags=3)[1:] == pytest.approx(
        [autocorrelation, autocorrelation**2, autocorrelation**3], abs=0.05
    )
    assert values.std() == pytest.approx(standard_error("accuracy", HEALTHY, 500), rel=0.05)
    assert values.mean() == pytest.approx(expected_value("accuracy", HEALTHY), abs=0.001)


def test_each_period_alone_is_binomial_even_if_autocorrelated():
    correct = np.rint(accuracy(Noise(autocorrelation=0.6), rows=20, periods=60_000)[::12] * 20).astype(int)
    probability = stats.binom(20, expected_value("accuracy", HEALTHY)).pmf(np.arange(21))
    observed, expected = np.bincount(correct, minlength=21), len(correct) * probability
    sparse = expected < 5
    pooled = [np.append(counts[~sparse], counts[sparse].sum()) for counts in (observed, expected)]
    assert stats.chisquare(pooled[0], pooled[1] * pooled[0].sum() / pooled[1].sum()).pvalue > 0.001


def test_duplicates_widen_the_standard_error_by_their_root():
    values = accuracy(Noise(duplicates=4))
    assert values.std() == pytest.approx(2 * standard_error("accuracy", HEALTHY, 500), rel=0.05)
    assert acf(values, nlags=1)[1] == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize("autocorrelation", [0.0, 0.6])
def test_drift_shows_at_once_whatever_the_autocorrelation(autocorrelation):
    drift_share = np.repeat([0.0, 0.2], 50)
    row_counts, noise = np.full(100, 1000.0), Noise(autocorrelation=autocorrelation)
    counts = [
        sample_counts(HEALTHY, DRIFTED, drift_share, row_counts, noise, np.random.default_rng(seed))
        for seed in range(200)
    ]
    mean = np.mean([compute_metrics(sample, MIXTURE)[0]["accuracy"] for sample in counts], axis=0)
    drop = 0.2 * (expected_value("accuracy", HEALTHY) - expected_value("accuracy", DRIFTED))
    assert mean[49] - mean[50] == pytest.approx(drop, abs=0.004)
    assert mean[50:].std() < 0.002


def test_every_row_is_counted():
    rows, drift_share = np.array([100.0, 80, 120]), np.array([0.0, 0.5, 1.0])
    counts = sample_counts(HEALTHY, DRIFTED, drift_share, rows, Noise(autocorrelation=0.3), np.random.default_rng(1))
    assert counts.sum(axis=1).tolist() == rows.tolist()
    assert counts[2, : len(HEALTHY)].sum() == 0
