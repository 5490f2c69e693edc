"""Estimates without labels: against those published for a real data set, and against what is known of them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from modeltop.predictions.aggregates.score_bins import score_bin
from modeltop.predictions.metrics.binary import compute_binary
from modeltop.predictions.metrics.cbpe import calibrate
from modeltop.predictions.metrics.cbpe import compute_cbpe as estimate

# As published with the data set, for its ten chunks of 5,000 rows after the reference.
PUBLISHED = {
    "accuracy": ".9422 .9422 .9502 .9436 .9410 .9146 .9156 .9144 .9224 .9122",
    "f1_score": ".943344 .940178 .948201 .942142 .940488 .913685 .914954 .913395 .920589 .913498",
    "precision": ".956660 .957016 .958368 .959866 .953764 .922449 .931473 .925379 .935524 .921304",
    "recall": ".930394 .923922 .938246 .925060 .927577 .905086 .899010 .901718 .906124 .905823",
    "roc_auc": ".970962 .970248 .976282 .967721 .969886 .960050 .958530 .959041 .963094 .957556",
}
ESTIMATED = ".941792 .943321 .945492 .944816 .944645 .910714 .911149 .911193 .914389 .911731"


def numbers(text):
    return np.array([float(part) for part in text.split()])


@pytest.fixture(scope="module")
def loans(shared_data, binary):
    """The tallies of twenty chunks of 5,000 rows; the first ten are the reference."""
    log = pd.read_csv(shared_data / "car_loan_predictions.csv.gz")
    chunk = np.arange(len(log)) // 5000
    return binary(log.y_true, log.y_pred, log.y_pred_proba, cell=chunk, cells=20)


@pytest.mark.parametrize("metric", ["accuracy", "f1_score", "precision", "recall"])
def test_realised_metrics_of_the_loans_are_those_published_to_the_printed_digits(loans, metric):
    found = compute_binary(loans)[metric].value[10:]
    digits = len(PUBLISHED[metric].split()[0]) - 1
    assert found.round(digits).tolist() == numbers(PUBLISHED[metric]).tolist()


def test_the_area_of_the_loans_is_within_the_bound_of_the_published_one(loans):
    found = compute_binary(loans)["roc_auc"]
    assert (np.abs(found.value[10:] - numbers(PUBLISHED["roc_auc"])) <= found.bound[10:]).all()
    assert (found.bound < 0.003).all()


def test_the_estimated_accuracy_of_the_loans_is_within_a_tenth_of_a_point_of_the_published_one(loans):
    found = estimate(loans.take(slice(10, 20)), calibrate(loans.take(slice(0, 10)).whole()))["estimated_accuracy"]
    assert np.abs(found.value - numbers(ESTIMATED)).max() < 0.001


def test_the_estimate_of_the_loans_follows_the_fall_of_the_realised_metrics(loans):
    found = estimate(loans, calibrate(loans.take(slice(0, 10)).whole()))
    realised = compute_binary(loans)
    for name, most in (("accuracy", 0.0081), ("f1_score", 0.008), ("roc_auc", 0.006), ("recall", 0.03)):
        assert np.abs(found[f"estimated_{name}"].value - realised[name].value).max() < most, name
    assert (found["estimated_accuracy"].value[15:] < found["estimated_accuracy"].value[10:15].min() - 0.02).all()


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 100)), min_size=1, max_size=80))
@settings(max_examples=60, deadline=None)
def test_the_chance_of_a_bin_is_the_isotonic_fit_of_scikit_learn(binary, rows):
    label, cents = (np.array(part) for part in zip(*rows, strict=True))
    place = score_bin(cents / 100)
    chance = calibrate(binary(label, cents > 50, cents / 100))[0]
    fitted = IsotonicRegression().fit(place, label).predict(place)
    assert chance[place] == pytest.approx(fitted, abs=1e-9)
    assert (np.diff(chance) >= -1e-12).all()


def drawn(rng, rows, *, mean, drift=0.0):
    """A log whose scores are true chances; `drift` changes what they mean."""
    inner = rng.normal(mean, 1.5, rows)
    label = (rng.random(rows) < 1 / (1 + np.exp(-(inner - drift)))).astype(int)
    score = 1 / (1 + np.exp(-inner))
    return label, (score >= 0.5).astype(int), score


def test_estimates_hold_when_the_inputs_move_and_not_when_the_world_does(binary):
    rng = np.random.default_rng(4)
    chance = calibrate(binary(*drawn(rng, 50_000, mean=0.0)))[0]
    moved, changed = binary(*drawn(rng, 20_000, mean=1.0)), binary(*drawn(rng, 20_000, mean=0.0, drift=1.5))
    for name in ("accuracy", "precision", "recall", "f1_score", "roc_auc"):
        gap = abs(estimate(moved, chance)[f"estimated_{name}"].value[0] - compute_binary(moved)[name].value[0])
        assert gap < 0.01, name
    assert (
        estimate(changed, chance)["estimated_accuracy"].value[0] > compute_binary(changed)["accuracy"].value[0] + 0.05
    )


def test_the_interval_holds_the_realised_value_19_times_in_20(binary):
    rng = np.random.default_rng(5)
    chance = calibrate(binary(*drawn(rng, 400_000, mean=0.5)))[0]
    rows, cells = 500, 600
    tally = binary(*drawn(rng, rows * cells, mean=0.5), cell=np.arange(rows * cells) % cells, cells=cells)
    realised = compute_binary(tally)
    for name in ("accuracy", "precision", "recall", "f1_score", "roc_auc"):
        found = estimate(tally, chance)[f"estimated_{name}"]
        inside = (found.low <= realised[name].value) & (realised[name].value <= found.high)
        assert 0.92 <= inside.mean() <= 0.99, name


def test_labels_of_the_judged_period_are_not_looked_at(binary):
    rng = np.random.default_rng(6)
    label, prediction, score = drawn(rng, 500, mean=0.0)
    chance = calibrate(binary(*drawn(rng, 5000, mean=0.0)))
    with_labels = estimate(binary(label, prediction, score), chance)
    without = estimate(binary(np.full(500, 2), prediction, score), chance)
    for name, found in without.items():
        assert found.value[0] == pytest.approx(with_labels[name].value[0], abs=1e-12)
        assert found.support[0] == 500


@pytest.mark.parametrize(
    ("reference", "log", "metric", "reason"),
    [
        (([2], [1], [0.5]), ([2], [1], [0.5]), "estimated_accuracy", "the reference has no labelled rows with a score"),
        (([1], [1], [0.5]), ([2], [1], [np.nan]), "estimated_accuracy", "no row has a score"),
        (([1], [1], [0.5]), ([2], [0], [0.5]), "estimated_precision", "nothing was predicted positive"),
        (([0], [1], [0.5]), ([2], [1], [0.5]), "estimated_recall", "no positive labels"),
        (([0], [1], [0.5]), ([2], [1], [0.5]), "estimated_roc_auc", "all labels are of one class"),
    ],
)
def test_an_estimate_says_why_it_is_undefined(binary, reference, log, metric, reason):
    found = estimate(binary(*log), calibrate(binary(*reference)))[metric]
    assert np.isnan(found.value[0])
    assert found.reason(0) == reason
