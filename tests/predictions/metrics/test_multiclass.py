"""Metrics of several classes against scikit-learn; macro and weighted."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from modeltop.predictions.metrics.binary import compute_binary
from modeltop.predictions.metrics.multiclass import compute_multiclass, compute_per_class

EXACT = 1e-12
SIZE = 4


@st.composite
def logs(draw):
    rows = draw(st.lists(st.tuples(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1)), min_size=1, max_size=50))
    label, prediction = (np.array(values) for values in zip(*rows, strict=True))
    weights = np.random.default_rng(draw(st.integers(0, 99))).dirichlet(np.full(SIZE, 0.5), len(rows))
    return label, prediction, weights


@given(logs())
@settings(max_examples=100, deadline=None)
def test_averages_equal_scikit_learn_and_low_and_high_allow_for_a_class_without_a_value(
    multiclass, undefined_reason, log
):
    label, prediction, _ = log
    metrics = compute_multiclass(multiclass(label, prediction, size=SIZE))
    scores = {"precision": oracle.precision_score, "recall": oracle.recall_score, "f1_score": oracle.f1_score}
    for name, score in scores.items():
        for average in ("macro", "weighted"):
            values = metrics[f"{name}_{average}"]
            if (name, average) == ("precision", "weighted") and not set(label) & set(prediction):
                assert undefined_reason(values) == "a class was never predicted"  # scikit-learn averages nothing to 0
                continue
            expected, lowest, highest = (
                score(label, prediction, average=average, zero_division=undefined) for undefined in (np.nan, 0, 1)
            )
            assert values.value[0] == pytest.approx(expected, abs=EXACT), (name, average)
            assert values.low[0] <= lowest + EXACT, (name, average)
            assert highest <= values.high[0] + EXACT, (name, average)


@given(logs())
@settings(max_examples=100, deadline=None)
def test_coefficients_equal_scikit_learn(multiclass, log):
    label, prediction, _ = log
    metrics = compute_multiclass(multiclass(label, prediction, size=SIZE))
    assert metrics["accuracy"].value[0] == pytest.approx(oracle.accuracy_score(label, prediction), abs=EXACT)
    both = len(set(label)) > 1
    if both:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a class that is predicted and never true
            expected = oracle.balanced_accuracy_score(label, prediction)
        assert metrics["balanced_accuracy"].value[0] == pytest.approx(expected, abs=EXACT)
    if both and len(set(prediction)) > 1:
        expected = oracle.matthews_corrcoef(label, prediction)
        assert metrics["mcc"].value[0] == pytest.approx(expected, abs=EXACT)
    else:
        assert np.isnan(metrics["mcc"].value[0])
    if len(set(label) | set(prediction)) > 1:
        expected = oracle.cohen_kappa_score(label, prediction)
        assert metrics["cohen_kappa"].value[0] == pytest.approx(expected, abs=EXACT)


@given(logs())
@settings(max_examples=80, deadline=None)
def test_losses_equal_scikit_learn_and_the_area_lies_within_its_bound(multiclass, log):
    label, prediction, scores = log
    metrics = compute_multiclass(multiclass(label, prediction, scores, size=SIZE))
    names = range(SIZE)
    assert metrics["log_loss"].value[0] == pytest.approx(oracle.log_loss(label, scores, labels=names), abs=1e-11)
    brier = oracle.brier_score_loss(label, scores, labels=names)
    assert metrics["brier_score"].value[0] == pytest.approx(brier, abs=EXACT)
    present = sorted(set(label))
    if len(present) > 1:
        areas = [oracle.roc_auc_score(label == index, scores[:, index]) for index in present]
        area = metrics["roc_auc_macro"]
        assert abs(area.value[0] - np.mean(areas)) <= area.bound[0] + EXACT


@given(logs())
@settings(max_examples=50, deadline=None)
def test_the_confidence_is_the_score_of_the_predicted_class(multiclass, log):
    label, prediction, scores = log
    metrics = compute_multiclass(multiclass(label, prediction, scores, size=SIZE))
    confidence = scores[np.arange(len(label)), prediction]
    assert metrics["avg_confidence"].value[0] == pytest.approx(confidence.mean(), abs=EXACT)
    assert metrics["confidence_gap"].value[0] == pytest.approx(
        confidence.mean() - (label == prediction).mean(), abs=EXACT
    )
    group = np.minimum((confidence * 10).astype(int), 9)
    error = sum(abs((confidence - (label == prediction))[group == index].sum()) for index in range(10)) / len(label)
    values = metrics["expected_calibration_error"]
    assert abs(values.value[0] - error) <= values.bound[0] + 1e-9


@given(logs())
@settings(max_examples=50, deadline=None)
def test_every_value_lies_in_its_interval_and_is_registered(multiclass, registry, log):
    for name, values in compute_multiclass(multiclass(*log, size=SIZE)).items():
        value, low, high = values.value[0], values.low[0], values.high[0]
        assert registry.canonical(name) == name
        assert np.isnan(value) or (low <= value + EXACT and value <= high + EXACT), name


@given(logs())
@settings(max_examples=50, deadline=None)
def test_a_class_by_itself_is_that_class_against_all_others(multiclass, undefined_reason, log):
    label, prediction, _ = log
    metrics = compute_per_class(multiclass(label, prediction, size=SIZE))
    for index, name in enumerate("abcd"):
        if index in label:
            assert metrics[name]["recall"].value[0] == pytest.approx(
                (prediction[label == index] == index).mean(), abs=EXACT
            )
        else:
            assert undefined_reason(metrics[name]["recall"]) == "no positive labels"
        assert metrics[name]["label_rate"].value[0] == pytest.approx((label == index).mean(), abs=EXACT)


def test_rows_without_a_label_count_for_coverage_and_confidence_alone(multiclass):
    scores = np.array([[0.9, 0.1], [0.4, 0.6], [0.5, 0.5]])
    metrics = compute_multiclass(multiclass([0, 1, 2], [0, 1, 0], scores, size=2))
    assert metrics["label_coverage"].value[0] == pytest.approx(2 / 3)
    assert metrics["accuracy"].support[0] == metrics["log_loss"].support[0] == 2
    assert metrics["avg_confidence"].support[0] == 3


def test_two_classes_give_what_the_binary_metrics_give(multiclass, binary):
    rng = np.random.default_rng(1)
    label, prediction = rng.integers(0, 2, 200), rng.integers(0, 2, 200)
    multiclass_metrics, binary_metrics = (
        compute_multiclass(multiclass(label, prediction, size=2)),
        compute_binary(binary(label, prediction)),
    )
    for name in ("mcc", "cohen_kappa"):
        for field in ("value", "low", "high"):
            assert getattr(multiclass_metrics[name], field)[0] == pytest.approx(
                getattr(binary_metrics[name], field)[0], abs=EXACT
            ), name
