"""What each drift of a population preserves, and what it changes."""

import numpy as np
import pytest
from scipy import stats

from tests.benchmarks.detection import populations
from tests.benchmarks.detection.metrics import expected_value, roc_auc
from tests.benchmarks.detection.populations import SCORE_BINS, Classifier

HEALTHY = Classifier(separation=3.0).healthy
DRIFTS = (
    populations.concept_drift,
    populations.covariate_shift,
    populations.feature_loss,
    populations.recall_loss,
    populations.underconfidence,
)


def bin_probability(population):
    return np.bincount(population.score_bin, population.probability, minlength=SCORE_BINS)


def positive_probability(population):
    return np.bincount(population.score_bin, population.probability * population.label, minlength=SCORE_BINS)


@pytest.mark.parametrize("separation", [1.0, 2.0, 3.0])
def test_a_classifier_is_as_good_as_the_binormal_model_says(separation):
    population = Classifier(separation=separation).healthy
    assert expected_value("accuracy", population) == pytest.approx(stats.norm.cdf(separation / 2), abs=1e-6)
    area = float(roc_auc(population.probability[None, :], population)[0])
    assert area == pytest.approx(stats.norm.cdf(separation / np.sqrt(2)), abs=0.01)


@pytest.mark.parametrize("drift", DRIFTS)
@pytest.mark.parametrize("prevalence", [0.5, 0.08])
def test_probabilities_sum_to_one_after_every_drift(drift, prevalence):
    population = drift(Classifier(prevalence=prevalence, threshold=0.2).healthy)
    assert population.probability.sum() == pytest.approx(1.0)
    assert population.probability.min() >= 0


def test_a_healthy_score_has_the_positive_rate_of_the_reference():
    assert positive_probability(HEALTHY) / bin_probability(HEALTHY) == pytest.approx(HEALTHY.true_rate[:SCORE_BINS])


def test_concept_drift_preserves_scores_and_the_positive_rate():
    after = populations.concept_drift(HEALTHY)
    assert bin_probability(after) == pytest.approx(bin_probability(HEALTHY))
    assert expected_value("label_rate", after) == pytest.approx(expected_value("label_rate", HEALTHY))
    assert expected_value("avg_confidence", after) == pytest.approx(expected_value("avg_confidence", HEALTHY))
    assert expected_value("accuracy", after) == pytest.approx(0.5)


def test_covariate_shift_preserves_the_positive_rate_of_a_score_so_the_estimate_follows():
    after = populations.covariate_shift(HEALTHY)
    assert positive_probability(after) / bin_probability(after) == pytest.approx(HEALTHY.true_rate[:SCORE_BINS])
    assert expected_value("estimated_accuracy", after) == pytest.approx(expected_value("accuracy", after))
    assert expected_value("accuracy", after) < expected_value("accuracy", HEALTHY) - 0.05


def test_lost_recall_hardly_shows_in_accuracy_where_positives_are_rare():
    before = Classifier(prevalence=0.08, threshold=0.2).healthy
    after = populations.recall_loss(before)
    assert expected_value("recall", after) == pytest.approx(expected_value("recall", before) / 2)
    assert expected_value("accuracy", before) - expected_value("accuracy", after) < 0.05
