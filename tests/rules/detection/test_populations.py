"""What each change of a world leaves as it was, and what it does not."""

import numpy as np
import pytest
from scipy import stats

from tests.benchmarks.detection import populations
from tests.benchmarks.detection.metrics import auc, level
from tests.benchmarks.detection.populations import BINS, Classifier, joined

HEALTHY = Classifier(separation=3.0).healthy
CHANGES = (
    populations.concept,
    populations.harder,
    populations.rarer,
    populations.blinded,
    populations.missed,
    populations.eager,
    populations.boastful,
    populations.unsure,
)


def by_bin(world):
    return np.bincount(world.rank, world.chance, minlength=BINS)


def yes_in(world):
    return np.bincount(world.rank, world.chance * world.label, minlength=BINS)


@pytest.mark.parametrize("separation", [1.0, 2.0, 3.0])
def test_a_classifier_is_as_good_as_the_binormal_model_says(separation):
    world = Classifier(separation=separation).healthy
    assert level("accuracy", world) == pytest.approx(stats.norm.cdf(separation / 2), abs=1e-6)
    area = float(auc(world.chance[None, :], world)[0])
    assert area == pytest.approx(stats.norm.cdf(separation / np.sqrt(2)), abs=0.01)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("prevalence", [0.5, 0.08])
def test_chances_sum_to_one_whatever_changes(change, prevalence):
    world = change(Classifier(prevalence=prevalence, threshold=0.2).healthy)
    assert world.chance.sum() == pytest.approx(1.0)
    assert world.chance.min() >= 0


def test_a_healthy_score_means_what_it_says_in_the_reference():
    assert yes_in(HEALTHY) / by_bin(HEALTHY) == pytest.approx(HEALTHY.meant[:BINS])


def test_concept_drift_keeps_scores_and_the_share_of_yes():
    after = populations.concept(HEALTHY)
    assert by_bin(after) == pytest.approx(by_bin(HEALTHY))
    assert level("label_rate", after) == pytest.approx(level("label_rate", HEALTHY))
    assert level("avg_confidence", after) == pytest.approx(level("avg_confidence", HEALTHY))
    assert level("accuracy", after) == pytest.approx(0.5)


def test_covariate_shift_keeps_what_a_score_means_so_the_estimate_follows():
    after = populations.harder(HEALTHY)
    assert yes_in(after) / by_bin(after) == pytest.approx(HEALTHY.meant[:BINS])
    assert level("estimated_accuracy", after) == pytest.approx(level("accuracy", after))
    assert level("accuracy", after) < level("accuracy", HEALTHY) - 0.05


def test_label_shift_keeps_how_each_class_is_scored():
    after = joined(HEALTHY, populations.rarer(HEALTHY), 0.5)
    assert level("label_rate", after) == pytest.approx(level("label_rate", HEALTHY) / 2)
    assert level("recall", after) == pytest.approx(level("recall", HEALTHY))
    assert level("precision", after) < level("precision", HEALTHY)


def test_a_lower_threshold_trades_precision_for_recall_and_leaves_the_order():
    after = populations.eager(HEALTHY)
    assert level("recall", after) > level("recall", HEALTHY)
    assert level("precision", after) < level("precision", HEALTHY)
    assert auc(after.chance[None, :], after) == pytest.approx(auc(HEALTHY.chance[None, :], HEALTHY))


def test_a_boast_costs_calibration_alone():
    after = populations.boastful(HEALTHY)
    assert level("accuracy", after) == level("accuracy", HEALTHY)
    assert level("brier_score", after) > level("brier_score", HEALTHY)
    assert level("confidence_gap", after) > level("confidence_gap", HEALTHY)


def test_lost_recall_hardly_shows_in_accuracy_where_yes_is_rare():
    before = Classifier(prevalence=0.08, threshold=0.2).healthy
    after = populations.missed(before)
    assert level("recall", after) == pytest.approx(level("recall", before) / 2)
    assert level("accuracy", before) - level("accuracy", after) < 0.05
