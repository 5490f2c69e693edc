"""Metrics of counts compared with scikit-learn on the rows, and standard errors compared with simulation."""

import numpy as np
import pytest
from sklearn import metrics

from tests.benchmarks.detection.metrics import RATIOS, compute_metrics, expected_value, standard_error
from tests.benchmarks.detection.populations import Classifier, mixture, underconfidence

POPULATION = mixture(
    Classifier(prevalence=0.3, separation=1.5).healthy, underconfidence(Classifier(prevalence=0.3).healthy), 0.2
)
COUNTS = np.random.default_rng(1).multinomial(4000, POPULATION.probability, size=3).astype(float)


def repeat_rows(counts, column):
    return np.repeat(column, counts.astype(int))


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("accuracy", metrics.accuracy_score),
        ("precision", metrics.precision_score),
        ("recall", metrics.recall_score),
        ("f1_score", metrics.f1_score),
    ],
)
def test_metrics_of_predictions_are_those_of_scikit_learn(name, reference):
    values, _ = compute_metrics(COUNTS, POPULATION)
    expected = [
        reference(repeat_rows(counts, POPULATION.label), repeat_rows(counts, POPULATION.predicted)) for counts in COUNTS
    ]
    assert values[name] == pytest.approx(expected)


def test_metrics_of_scores_are_those_of_scikit_learn():
    values, _ = compute_metrics(COUNTS, POPULATION)
    for index, counts in enumerate(COUNTS):
        label, score, score_bin = (
            repeat_rows(counts, column) for column in (POPULATION.label, POPULATION.score, POPULATION.score_bin)
        )
        assert values["brier_score"][index] == pytest.approx(metrics.brier_score_loss(label, score))
        assert values["roc_auc"][index] == pytest.approx(metrics.roc_auc_score(label, score_bin))


def test_supports_are_the_rows_of_the_denominator():
    _, supports = compute_metrics(COUNTS, POPULATION)
    assert supports["recall"].tolist() == [repeat_rows(counts, POPULATION.label).sum() for counts in COUNTS]
    assert supports["precision"].tolist() == [repeat_rows(counts, POPULATION.predicted).sum() for counts in COUNTS]


def test_calibration_error_is_the_mean_distance_of_score_and_rate_by_tenths():
    values, _ = compute_metrics(COUNTS, POPULATION)
    label, score = repeat_rows(COUNTS[0], POPULATION.label), repeat_rows(COUNTS[0], POPULATION.score)
    bins = np.minimum((score * 10).astype(int), 9)
    gaps = [abs((score - label)[bins == bin_index].sum()) for bin_index in range(10)]
    assert values["expected_calibration_error"][0] == pytest.approx(sum(gaps) / len(label))


def test_a_metric_without_rows_is_undefined_not_zero():
    values, supports = compute_metrics(COUNTS * (POPULATION.label == 0), POPULATION)
    assert np.isnan(values["recall"]).all()
    assert np.isnan(values["roc_auc"]).all()
    assert supports["recall"].tolist() == [0, 0, 0]


@pytest.mark.parametrize("name", RATIOS)
def test_the_standard_error_of_a_period_is_that_of_simulation(name):
    samples = np.random.default_rng(7).multinomial(800, POPULATION.probability, size=20_000).astype(float)
    values, _ = compute_metrics(samples, POPULATION)
    error = standard_error(name, POPULATION, 800)
    assert values[name].mean() == pytest.approx(expected_value(name, POPULATION), abs=0.1 * error)
    assert values[name].std() == pytest.approx(error, rel=0.03)
