"""Metrics of several classes against scikit-learn; macro and weighted."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from modeltop.predictions.metrics.multiclass import compute_multiclass, compute_per_class

EXACT = 1e-12
SIZE = 4


@st.composite
def logs(draw):
    rows = draw(st.lists(st.tuples(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1)), min_size=1, max_size=50))
    label, prediction = (np.array(part) for part in zip(*rows, strict=True))
    weights = np.random.default_rng(draw(st.integers(0, 99))).dirichlet(np.full(SIZE, 0.5), len(rows))
    return label, prediction, weights


@given(logs())
@settings(max_examples=100, deadline=None)
def test_averages_equal_scikit_learn_wherever_every_class_has_its_own(multiclass, log):
    label, prediction, _ = log
    found = compute_multiclass(multiclass(label, prediction, size=SIZE))
    unpredicted, unlabelled = set(label) - set(prediction), set(prediction) - set(label)
    scores = {"precision": oracle.precision_score, "recall": oracle.recall_score, "f1_score": oracle.f1_score}
    for name, score in scores.items():
        for how in ("macro", "weighted"):
            one = found[f"{name}_{how}"]
            gone = (name == "precision" and unpredicted) or (name == "recall" and how == "macro" and unlabelled)
            if gone:
                assert np.isnan(one.value[0])
                assert one.reason(0).startswith("a class")
            else:
                wanted = score(label, prediction, average=how, zero_division=0)
                assert one.value[0] == pytest.approx(wanted, abs=EXACT), (name, how)


@given(logs())
@settings(max_examples=100, deadline=None)
def test_coefficients_equal_scikit_learn(multiclass, log):
    label, prediction, _ = log
    found = compute_multiclass(multiclass(label, prediction, size=SIZE))
    assert found["accuracy"].value[0] == pytest.approx(oracle.accuracy_score(label, prediction), abs=EXACT)
    both = len(set(label)) > 1
    if both:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a class that is predicted and never true
            wanted = oracle.balanced_accuracy_score(label, prediction)
        assert found["balanced_accuracy"].value[0] == pytest.approx(wanted, abs=EXACT)
    if both and len(set(prediction)) > 1:
        wanted = oracle.matthews_corrcoef(label, prediction)
        assert found["mcc"].value[0] == pytest.approx(wanted, abs=EXACT)
    else:
        assert np.isnan(found["mcc"].value[0])
    if len(set(label) | set(prediction)) > 1:
        wanted = oracle.cohen_kappa_score(label, prediction)
        assert found["cohen_kappa"].value[0] == pytest.approx(wanted, abs=EXACT)


@given(logs())
@settings(max_examples=80, deadline=None)
def test_losses_equal_scikit_learn_and_the_area_lies_within_its_bound(multiclass, log):
    label, prediction, scores = log
    found = compute_multiclass(multiclass(label, prediction, scores, size=SIZE))
    names = range(SIZE)
    assert found["log_loss"].value[0] == pytest.approx(oracle.log_loss(label, scores, labels=names), abs=1e-11)
    brier = oracle.brier_score_loss(label, scores, labels=names)
    assert found["brier_score"].value[0] == pytest.approx(brier, abs=EXACT)
    present = sorted(set(label))
    if len(present) > 1:
        areas = [oracle.roc_auc_score(label == at, scores[:, at]) for at in present]
        area = found["roc_auc_macro"]
        assert abs(area.value[0] - np.mean(areas)) <= area.bound[0] + EXACT


@given(logs())
@settings(max_examples=50, deadline=None)
def test_the_confidence_is_the_score_of_the_predicted_class(multiclass, log):
    label, prediction, scores = log
    found = compute_multiclass(multiclass(label, prediction, scores, size=SIZE))
    sure = scores[np.arange(len(label)), prediction]
    assert found["avg_confidence"].value[0] == pytest.approx(sure.mean(), abs=EXACT)
    assert found["confidence_gap"].value[0] == pytest.approx(sure.mean() - (label == prediction).mean(), abs=EXACT)
    group = np.minimum((sure * 10).astype(int), 9)
    error = sum(abs((sure - (label == prediction))[group == at].sum()) for at in range(10)) / len(label)
    one = found["expected_calibration_error"]
    assert abs(one.value[0] - error) <= one.bound[0] + 1e-9


@given(logs())
@settings(max_examples=50, deadline=None)
def test_every_value_lies_in_its_interval_and_has_a_place_in_the_table(multiclass, catalog, log):
    for name, found in compute_multiclass(multiclass(*log, size=SIZE)).items():
        value, low, high = found.value[0], found.low[0], found.high[0]
        assert catalog.canonical(name) == name
        assert np.isnan(value) or (low <= value + EXACT and value <= high + EXACT), name


@given(logs())
@settings(max_examples=50, deadline=None)
def test_a_class_by_itself_is_that_class_against_all_others(multiclass, log):
    label, prediction, _ = log
    found = compute_per_class(multiclass(label, prediction, size=SIZE))
    for at, name in enumerate("abcd"):
        if at in label:
            assert found[name]["recall"].value[0] == pytest.approx((prediction[label == at] == at).mean(), abs=EXACT)
        else:
            assert found[name]["recall"].reason(0) == "no positive labels"
        assert found[name]["label_rate"].value[0] == pytest.approx((label == at).mean(), abs=EXACT)


def test_rows_without_a_label_count_for_coverage_and_confidence_alone(multiclass):
    scores = np.array([[0.9, 0.1], [0.4, 0.6], [0.5, 0.5]])
    found = compute_multiclass(multiclass([0, 1, 2], [0, 1, 0], scores, size=2))
    assert found["label_coverage"].value[0] == pytest.approx(2 / 3)
    assert found["accuracy"].support[0] == found["log_loss"].support[0] == 2
    assert found["avg_confidence"].support[0] == 3


def test_two_classes_give_what_the_binary_metrics_give(multiclass, binary):
    from modeltop.predictions.metrics.binary import compute_binary as measure_binary

    rng = np.random.default_rng(1)
    label, prediction = rng.integers(0, 2, 200), rng.integers(0, 2, 200)
    several, two = compute_multiclass(multiclass(label, prediction, size=2)), measure_binary(binary(label, prediction))
    for name in ("mcc", "cohen_kappa"):
        for field in ("value", "low", "high"):
            assert getattr(several[name], field)[0] == pytest.approx(getattr(two[name], field)[0], abs=EXACT), name
