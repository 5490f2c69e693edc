"""Estimates without labels: against those published for a real data set, and in simulated drift."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from modeltop.predictions.aggregates.score_bins import score_bin
from modeltop.predictions.metrics.binary import compute_binary
from modeltop.predictions.metrics.cbpe import calibrate, compute_cbpe, compute_cbpe_per_class
from modeltop.predictions.metrics.multiclass import compute_multiclass

# As published with the data set, for its ten chunks of 5,000 rows after the reference.
PUBLISHED = {
    "accuracy": ".9422 .9422 .9502 .9436 .9410 .9146 .9156 .9144 .9224 .9122",
    "f1_score": ".943344 .940178 .948201 .942142 .940488 .913685 .914954 .913395 .920589 .913498",
    "precision": ".956660 .957016 .958368 .959866 .953764 .922449 .931473 .925379 .935524 .921304",
    "recall": ".930394 .923922 .938246 .925060 .927577 .905086 .899010 .901718 .906124 .905823",
    "roc_auc": ".970962 .970248 .976282 .967721 .969886 .960050 .958530 .959041 .963094 .957556",
}
ESTIMATED = ".941792 .943321 .945492 .944816 .944645 .910714 .911149 .911193 .914389 .911731"


def parse_numbers(text):
    return np.array([float(word) for word in text.split()])


@pytest.fixture(scope="module")
def loans(reference_data, binary):
    """Return the counts of twenty chunks of 5,000 rows; the first ten are the reference."""
    log = pd.read_csv(reference_data("car_loan_predictions.csv.gz"))
    chunk = np.arange(len(log)) // 5000
    return binary(log.y_true, log.y_pred, log.y_pred_proba, cell=chunk, cells=20)


@pytest.mark.parametrize("metric", ["accuracy", "f1_score", "precision", "recall"])
def test_realised_metrics_of_the_loans_are_those_published_to_the_printed_digits(loans, metric):
    realised = compute_binary(loans)[metric].value[10:]
    digits = len(PUBLISHED[metric].split()[0]) - 1
    assert realised.round(digits).tolist() == parse_numbers(PUBLISHED[metric]).tolist()


def test_the_area_of_the_loans_is_within_the_bound_of_the_published_one(loans):
    area = compute_binary(loans)["roc_auc"]
    assert (np.abs(area.value[10:] - parse_numbers(PUBLISHED["roc_auc"])) <= area.bound[10:]).all()
    assert (area.bound < 0.003).all()


def test_the_estimated_accuracy_of_the_loans_is_within_a_tenth_of_a_point_of_the_published_one(loans, merge_all):
    probability = calibrate(merge_all(loans.take(slice(0, 10))))
    accuracy = compute_cbpe(loans.take(slice(10, 20)), probability)["estimated_accuracy"]
    assert np.abs(accuracy.value - parse_numbers(ESTIMATED)).max() < 0.001


def test_the_estimate_of_the_loans_follows_the_fall_of_the_realised_metrics(loans, merge_all):
    estimates = compute_cbpe(loans, calibrate(merge_all(loans.take(slice(0, 10)))))
    realised = compute_binary(loans)
    for name, limit in (("accuracy", 0.0081), ("f1_score", 0.008), ("roc_auc", 0.006), ("recall", 0.03)):
        assert np.abs(estimates[f"estimated_{name}"].value - realised[name].value).max() < limit, name
    accuracy = estimates["estimated_accuracy"].value
    assert (accuracy[15:] < accuracy[10:15].min() - 0.02).all()


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 100)), min_size=1, max_size=80))
@settings(max_examples=60, deadline=None)
def test_the_label_probability_of_a_bin_is_the_isotonic_fit_of_scikit_learn(binary, rows):
    label, cents = (np.array(values) for values in zip(*rows, strict=True))
    bins = score_bin(cents / 100)
    probability = calibrate(binary(label, cents > 50, cents / 100))[0]
    fitted = IsotonicRegression().fit(bins, label).predict(bins)
    assert probability[bins] == pytest.approx(fitted, abs=1e-9)
    assert (np.diff(probability) >= -1e-12).all()


def draw_log(rng, rows, *, mean, drift=0.0):
    """Return a log whose scores are true probabilities; `drift` changes what they mean."""
    inner = rng.normal(mean, 1.5, rows)
    label = (rng.random(rows) < 1 / (1 + np.exp(-(inner - drift)))).astype(int)
    score = 1 / (1 + np.exp(-inner))
    return label, (score >= 0.5).astype(int), score


def test_estimates_hold_under_covariate_shift_and_not_under_concept_drift(binary):
    rng = np.random.default_rng(4)
    probability = calibrate(binary(*draw_log(rng, 50_000, mean=0.0)))[0]
    inputs_moved, concept_changed = (
        binary(*draw_log(rng, 20_000, mean=1.0)),
        binary(*draw_log(rng, 20_000, mean=0.0, drift=1.5)),
    )
    for name in ("accuracy", "precision", "recall", "f1_score", "roc_auc"):
        gap = abs(
            compute_cbpe(inputs_moved, probability)[f"estimated_{name}"].value[0]
            - compute_binary(inputs_moved)[name].value[0]
        )
        assert gap < 0.01, name
    assert (
        compute_cbpe(concept_changed, probability)["estimated_accuracy"].value[0]
        > compute_binary(concept_changed)["accuracy"].value[0] + 0.05
    )


def test_the_interval_holds_the_realised_value_19_times_in_20(binary):
    rng = np.random.default_rng(5)
    probability = calibrate(binary(*draw_log(rng, 400_000, mean=0.5)))[0]
    rows, cells = 500, 600
    counts = binary(*draw_log(rng, rows * cells, mean=0.5), cell=np.arange(rows * cells) % cells, cells=cells)
    realised = compute_binary(counts)
    for name in ("accuracy", "precision", "recall", "f1_score", "roc_auc"):
        values = compute_cbpe(counts, probability)[f"estimated_{name}"]
        inside = (values.low <= realised[name].value) & (realised[name].value <= values.high)
        assert 0.92 <= inside.mean() <= 0.99, name


def log_odds(value):
    return np.log(value / (1 - value))


ESTIMATES = {
    "accuracy": lambda tp, fn: (tp + 30 - fn) / 50,
    "precision": lambda tp, _: tp / 20,
    "recall": lambda tp, fn: tp / (tp + fn),
    "f1_score": lambda tp, fn: 2 * tp / (20 + tp + fn),
}


@pytest.mark.parametrize("metric", ESTIMATES)
def test_an_interval_is_as_long_as_the_errors_of_single_labels_make_it(binary, metric):
    # Twenty rows are predicted positive and are so at 0.7, thirty are not and are positive at 0.3.
    counts = binary(np.full(50, 2), np.repeat([1, 0], [20, 30]), np.repeat([0.7, 0.3], [20, 30]))
    probability = np.zeros(256)
    probability[score_bin(np.array([0.7, 0.3]))] = 0.7, 0.3
    values = compute_cbpe(counts, probability)[f"estimated_{metric}"]
    function, tp, fn, step = ESTIMATES[metric], 14.0, 9.0, 1e-6
    by_tp = (function(tp + step, fn) - function(tp - step, fn)) / (2 * step)
    by_fn = (function(tp, fn + step) - function(tp, fn - step)) / (2 * step)
    deviation = np.sqrt(by_tp**2 * 20 * 0.21 + by_fn**2 * 30 * 0.21)
    value = function(tp, fn)
    assert values.value[0] == pytest.approx(value, abs=1e-12)
    half_width = (log_odds(values.high[0]) - log_odds(values.low[0])) / 2
    assert half_width == pytest.approx(1.959964 * deviation / (value * (1 - value)), rel=1e-5)


def test_equal_scores_count_half_in_the_estimated_area(binary):
    counts = binary(np.full(50, 2), np.repeat([1, 0], [20, 30]), np.repeat([0.7, 0.3], [20, 30]))
    probability = np.zeros(256)
    probability[score_bin(np.array([0.7, 0.3]))] = 0.7, 0.3
    area = compute_cbpe(counts, probability)["estimated_roc_auc"]
    # Expected positives are 14 and 9, negatives 6 and 21.
    assert area.value[0] == pytest.approx((14 * 21 + (14 * 6 + 9 * 21) / 2) / (23 * 27))
    assert area.bound[0] == pytest.approx((14 * 6 + 9 * 21) / 2 / (23 * 27))


def test_the_interval_of_the_accuracy_of_several_classes_holds_it_19_times_in_20(multiclass):
    rng = np.random.default_rng(12)
    probability = calibrate(multiclass(*draw_classes(rng, 100_000), size=3))
    inside = 0
    for _ in range(200):
        counts = multiclass(*draw_classes(rng, 400), size=3)
        estimate = compute_cbpe(counts, probability)["estimated_accuracy"]
        inside += estimate.low[0] <= compute_multiclass(counts)["accuracy"].value[0] <= estimate.high[0]
    assert 180 <= inside <= 199


def test_labels_of_the_estimated_period_are_not_used(binary):
    rng = np.random.default_rng(6)
    label, prediction, score = draw_log(rng, 500, mean=0.0)
    probability = calibrate(binary(*draw_log(rng, 5000, mean=0.0)))
    with_labels = compute_cbpe(binary(label, prediction, score), probability)
    without = compute_cbpe(binary(np.full(500, 2), prediction, score), probability)
    for name, values in without.items():
        assert values.value[0] == pytest.approx(with_labels[name].value[0], abs=1e-12)
        assert values.support[0] == 500


@pytest.mark.parametrize(
    ("reference", "log", "metric", "text"),
    [
        (([2], [1], [0.5]), ([2], [1], [0.5]), "estimated_accuracy", "the reference has no labeled rows with a score"),
        (([1], [1], [0.5]), ([2], [1], [np.nan]), "estimated_accuracy", "no row has a score"),
        (([1], [1], [0.5]), ([2], [0], [0.5]), "estimated_precision", "nothing was predicted positive"),
        (([0], [1], [0.5]), ([2], [1], [0.5]), "estimated_recall", "no positive labels"),
        (([0], [1], [0.5]), ([2], [1], [0.5]), "estimated_roc_auc", "all labels are of one class"),
    ],
)
def test_an_undefined_estimate_has_a_reason(binary, reference, log, metric, text, undefined_reason):
    values = compute_cbpe(binary(*log), calibrate(binary(*reference)))[metric]
    assert np.isnan(values.value[0])
    assert undefined_reason(values) == text


# NannyML 0.13.1, `CBPE(problem_type="classification_multiclass")`, fitted on the first 20,000 rows of `draw_classes`,
# for the four chunks of 5,000 after them.
NANNYML = {
    "estimated_accuracy": ".731347 .747457 .771736 .743153",
    "estimated_precision_macro": ".725905 .728469 .726153 .728039",
    "estimated_recall_macro": ".720188 .708409 .667531 .717932",
    "estimated_f1_score_macro": ".722651 .717312 .691367 .722188",
    "estimated_roc_auc_macro": ".888710 .891496 .893120 .893766",
}


def draw_classes(rng, rows, shift=0.0):
    """Return a log of three classes whose scores are true probabilities; `shift` moves the inputs."""
    logits = rng.normal(shift, 1.0, (rows, 2)) @ [[1.5, -0.5, -1.0], [0.3, 1.2, -1.5]] + np.array([0.5, 0.0, -0.8])
    scores = np.exp(logits)
    scores /= scores.sum(axis=1, keepdims=True)
    label = (rng.random(rows)[:, None] > scores.cumsum(axis=1)).sum(axis=1)
    return label, scores.argmax(axis=1), scores


@pytest.fixture(scope="module")
def three_classes(multiclass):
    """Return the counts of a reference, and of four chunks whose inputs move."""
    rng = np.random.default_rng(11)
    logs = [draw_classes(rng, 20_000), *(draw_classes(rng, 5_000, shift) for shift in (0.0, 0.3, 0.6, -0.5))]
    reference, *chunks = (multiclass(*log, size=3) for log in logs)
    return reference, chunks


def test_estimates_of_several_classes_are_those_of_nannyml_and_follow_the_realized_values(three_classes):
    reference, chunks = three_classes
    probability = calibrate(reference)
    for index, counts in enumerate(chunks):
        estimates, realized = compute_cbpe(counts, probability), compute_multiclass(counts)
        assert estimates.keys() == NANNYML.keys()
        for name, published in NANNYML.items():
            assert estimates[name].value[0] == pytest.approx(parse_numbers(published)[index], abs=0.005), name
            assert estimates[name].value[0] == pytest.approx(
                realized[name.removeprefix("estimated_")].value[0], abs=0.02
            ), name


def test_a_class_alone_is_estimated_as_two_classes_are_and_averages_are_means_of_them(three_classes, binary):
    reference, chunks = three_classes
    per_class = compute_cbpe_per_class(chunks[0], calibrate(reference))
    rng = np.random.default_rng(11)
    (label, prediction, scores), first = draw_classes(rng, 20_000), draw_classes(rng, 5_000)
    probability = calibrate(binary(label == 1, prediction == 1, scores[:, 1]))
    alone = compute_cbpe(binary(first[0] == 1, first[1] == 1, first[2][:, 1]), probability)
    for name in ("estimated_precision", "estimated_recall", "estimated_f1_score", "estimated_roc_auc"):
        assert per_class["b"][name].value[0] == pytest.approx(alone[name].value[0], abs=1e-12), name
        mean = np.mean([estimates[name].value[0] for estimates in per_class.values()])
        macro = compute_cbpe(chunks[0], calibrate(reference))[f"{name}_macro"]
        assert macro.value[0] == pytest.approx(mean, abs=1e-12), name
        assert macro.low[0] < macro.value[0] < macro.high[0]


def test_a_class_that_the_reference_never_had_is_left_out_of_averages_and_widens_them(multiclass, undefined_reason):
    scores = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1]] * 50)
    reference, log = (
        multiclass([0, 1] * 50, [0, 1] * 50, scores, size=3),
        multiclass([3] * 100, [0, 1] * 50, scores, size=3),
    )
    estimates = compute_cbpe(log, calibrate(reference))
    assert estimates["estimated_recall_macro"].value[0] == pytest.approx(1.0)
    assert estimates["estimated_recall_macro"].low[0] <= 2 / 3
    assert estimates["estimated_precision_macro"].high[0] > 0.99
    unlabelled = compute_cbpe(log, calibrate(log))
    assert undefined_reason(unlabelled["estimated_accuracy"]) == "the reference has no labeled rows with a score"
