"""Metrics of tallies against scikit-learn on the rows themselves, and their chance against simulation."""

import numpy as np
import pytest
from sklearn import metrics

from tests.benchmarks.detection.metrics import RATIOS, deviation, level, read
from tests.benchmarks.detection.populations import Classifier, boastful, joined

WORLD = joined(Classifier(prevalence=0.3, separation=1.5).healthy, boastful(Classifier(prevalence=0.3).healthy), 0.2)
COUNTS = np.random.default_rng(1).multinomial(4000, WORLD.chance, size=3).astype(float)


def rows(counts, column):
    return np.repeat(column, counts.astype(int))


@pytest.mark.parametrize(
    ("name", "oracle"),
    [
        ("accuracy", metrics.accuracy_score),
        ("precision", metrics.precision_score),
        ("recall", metrics.recall_score),
        ("f1_score", metrics.f1_score),
    ],
)
def test_metrics_of_decisions_are_those_of_scikit_learn(name, oracle):
    values, _ = read(COUNTS, WORLD)
    expected = [oracle(rows(one, WORLD.label), rows(one, WORLD.decided)) for one in COUNTS]
    assert values[name] == pytest.approx(expected)


def test_metrics_of_scores_are_those_of_scikit_learn():
    values, _ = read(COUNTS, WORLD)
    for place, one in enumerate(COUNTS):
        label, told, rank = (rows(one, column) for column in (WORLD.label, WORLD.told, WORLD.rank))
        assert values["brier_score"][place] == pytest.approx(metrics.brier_score_loss(label, told))
        assert values["roc_auc"][place] == pytest.approx(metrics.roc_auc_score(label, rank))


def test_supports_are_the_cases_that_a_metric_rests_on():
    _, supports = read(COUNTS, WORLD)
    assert supports["recall"].tolist() == [rows(one, WORLD.label).sum() for one in COUNTS]
    assert supports["precision"].tolist() == [rows(one, WORLD.decided).sum() for one in COUNTS]


def test_calibration_error_is_the_mean_distance_of_score_and_rate_by_tenths():
    values, _ = read(COUNTS, WORLD)
    label, told = rows(COUNTS[0], WORLD.label), rows(COUNTS[0], WORLD.told)
    group = np.minimum((told * 10).astype(int), 9)
    parts = [abs((told - label)[group == one].sum()) for one in range(10)]
    assert values["expected_calibration_error"][0] == pytest.approx(sum(parts) / len(label))


def test_a_metric_without_cases_is_undefined_not_zero():
    values, supports = read(COUNTS * (WORLD.label == 0), WORLD)
    assert np.isnan(values["recall"]).all()
    assert np.isnan(values["roc_auc"]).all()
    assert supports["recall"].tolist() == [0, 0, 0]


@pytest.mark.parametrize("name", RATIOS)
def test_the_deviation_of_a_period_is_what_simulation_gives(name):
    draws = np.random.default_rng(7).multinomial(800, WORLD.chance, size=20_000).astype(float)
    values, _ = read(draws, WORLD)
    assert values[name].mean() == pytest.approx(level(name, WORLD), abs=0.1 * deviation(name, WORLD, 800))
    assert values[name].std() == pytest.approx(deviation(name, WORLD, 800), rel=0.03)
