"""Metrics of two classes against scikit-learn: to 1e-12 where counts are exact, within the bound where they are not."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from modeltop.predictions.metrics.binary import Cost, compute_binary
from modeltop.predictions.metrics.ranking import exact_areas

EXACT = 1e-12


@st.composite
def logs(draw):
    """Small logs with ties, ends and crowds; every row labelled and scored."""
    kind = draw(st.sampled_from(["any", "two decimals", "rare", "ends"]))
    scores = {
        "any": st.floats(0, 1),
        "two decimals": st.integers(0, 100).map(lambda cents: cents / 100),
        "rare": st.floats(1e-8, 1e-2),
        "ends": st.sampled_from([0.0, 1e-12, 0.5, 1 - 1e-12, 1.0]),
    }[kind]
    rows = draw(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1), scores), min_size=1, max_size=60))
    label, prediction, score = zip(*rows, strict=True)
    return np.array(label), np.array(prediction), np.array(score)


def expected(label, prediction, score):
    """Return what scikit-learn computes, where it is defined."""
    both = len(set(label)) == 2
    metrics = {
        "accuracy": oracle.accuracy_score(label, prediction),
        "log_loss": oracle.log_loss(label, score, labels=[0, 1]),
        "brier_score": oracle.brier_score_loss(label, score, pos_label=1),
        "label_rate": label.mean(),
        "positive_rate": prediction.mean(),
    }
    if prediction.any():
        metrics["precision"] = oracle.precision_score(label, prediction)
    if label.any():
        metrics["recall"] = oracle.recall_score(label, prediction)
    if label.any() or prediction.any():
        metrics["f1_score"] = oracle.f1_score(label, prediction)
    if not label.all():
        metrics["specificity"] = oracle.recall_score(1 - label, 1 - prediction)
    if both:
        metrics["balanced_accuracy"] = oracle.balanced_accuracy_score(label, prediction)
    if both and len(set(prediction)) == 2:
        metrics["mcc"] = oracle.matthews_corrcoef(label, prediction)
    if both or len(set(prediction)) == 2 or label[0] != prediction[0]:
        metrics["cohen_kappa"] = oracle.cohen_kappa_score(label, prediction)
    return metrics


BOUNDED = {"roc_auc", "average_precision", "expected_calibration_error"}
NOT_IN_SCIKIT_LEARN = {"label_coverage", "avg_confidence", "confidence_gap"}


@given(logs())
@settings(max_examples=150, deadline=None)
def test_exact_metrics_equal_scikit_learn_and_what_it_does_not_define_is_undefined(binary, undefined_reason, log):
    metrics = compute_binary(binary(*log))
    defined = expected(*log)
    for name, value in defined.items():
        assert metrics[name].value[0] == pytest.approx(value, abs=EXACT), name
    for name in metrics.keys() - defined.keys() - BOUNDED - NOT_IN_SCIKIT_LEARN:
        assert np.isnan(metrics[name].value[0]), name
        assert undefined_reason(metrics[name]), name


@given(logs())
@settings(max_examples=150, deadline=None)
@pytest.mark.slow
def test_areas_lie_within_the_bound_of_those_of_the_unbinned_scores(binary, log):
    label, _, score = log
    metrics = compute_binary(binary(*log))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        areas = {
            "roc_auc": oracle.roc_auc_score(label, score) if len(set(label)) == 2 else None,
            "average_precision": oracle.average_precision_score(label, score) if label.any() else None,
        }
    for name, area in areas.items():
        value, bound = metrics[name].value[0], metrics[name].bound[0]
        assert np.isnan(value) if area is None else abs(value - area) <= bound + EXACT, name


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 100)), min_size=1, max_size=80))
@settings(max_examples=100, deadline=None)
def test_areas_of_scores_of_two_decimals_are_those_of_scikit_learn(binary, rows):
    label, cents = (np.array(values) for values in zip(*rows, strict=True))
    metrics = compute_binary(binary(label, cents > 50, cents / 100))
    if label.any():
        precision = oracle.average_precision_score(label, cents / 100)
        assert metrics["average_precision"].value[0] == pytest.approx(precision, abs=EXACT)
    if len(set(label)) == 2:
        assert metrics["roc_auc"].value[0] == pytest.approx(oracle.roc_auc_score(label, cents / 100), abs=EXACT)


@given(st.lists(st.integers(0, 1), min_size=1, max_size=80).filter(any), st.floats(0, 1))
@settings(max_examples=100, deadline=None)
def test_the_average_precision_of_constant_scores_is_the_base_rate(binary, label, score):
    metrics = compute_binary(binary(label, np.ones(len(label)), np.full(len(label), score)))
    assert metrics["average_precision"].value[0] == pytest.approx(np.mean(label), abs=EXACT)


@given(st.lists(logs(), min_size=1, max_size=4))
@settings(max_examples=100, deadline=None)
def test_areas_of_sorted_scores_are_those_of_scikit_learn_in_each_cell(cells):
    cell = np.repeat(np.arange(len(cells)), [len(label) for label, *_ in cells])
    label, _, score = (np.concatenate(parts) for parts in zip(*cells, strict=True))
    areas = exact_areas(label == 1, score, cell)
    for index, (label, _, score) in enumerate(cells):
        expected = (
            oracle.roc_auc_score(label, score) if len(set(label)) == 2 else np.nan,
            oracle.average_precision_score(label, score) if label.any() else np.nan,
        )
        assert areas[:, index] == pytest.approx(expected, abs=EXACT, nan_ok=True)


def test_a_known_area_replaces_that_of_the_bins_has_no_bound_and_lies_in_its_interval(binary):
    rng = np.random.default_rng(4)
    label = (rng.random(3_000) < 0.05).astype(int)
    score = 0.02 + 0.002 * (rng.random(3_000) + label / 2)  # all in one bin
    counts = binary(
        np.tile(label, 2), np.zeros(6_000, dtype=int), np.tile(score, 2), cell=np.repeat([0, 1], 3_000), cells=2
    )
    exact = np.array(
        [[oracle.roc_auc_score(label, score), np.nan], [oracle.average_precision_score(label, score), np.nan]]
    )
    metrics = compute_binary(counts, areas=exact)
    for name, (known, _) in zip(("roc_auc", "average_precision"), exact, strict=True):
        values = metrics[name]
        assert (values.value[0], values.bound[0]) == (known, 0.0)
        assert values.low[0] < known < values.high[0]
        assert values.value[1] == pytest.approx({"roc_auc": 0.5, "average_precision": label.mean()}[name])
        assert values.bound[1] > 0.1


@given(logs())
@settings(max_examples=150, deadline=None)
def test_the_calibration_error_lies_within_its_bound(binary, log):
    label, _, score = log
    group = np.minimum((score * 10).astype(int), 9)
    gaps = [abs((score - label)[group == index].sum()) for index in range(10)]
    error = compute_binary(binary(*log))["expected_calibration_error"]
    assert abs(error.value[0] - sum(gaps) / len(label)) <= error.bound[0] + 1e-9


@given(logs())
@settings(max_examples=100, deadline=None)
def test_the_gap_is_mean_confidence_minus_accuracy(binary, log):
    label, prediction, score = log
    metrics = compute_binary(binary(*log))
    confidence = np.where(prediction == 1, score, 1 - score).mean()
    assert metrics["avg_confidence"].value[0] == pytest.approx(confidence, abs=EXACT)
    assert metrics["confidence_gap"].value[0] == pytest.approx(confidence - (label == prediction).mean(), abs=EXACT)


@given(logs())
@settings(max_examples=100, deadline=None)
def test_every_value_lies_in_its_interval_and_the_interval_in_the_bounds_of_the_metric(binary, registry, log):
    for name, values in compute_binary(binary(*log), cost=Cost(1, 20)).items():
        value, low, high = values.value[0], values.low[0], values.high[0]
        if np.isnan(value):
            assert np.isnan(low), name
            assert np.isnan(high), name
            continue
        assert low <= value + EXACT, name
        assert value <= high + EXACT, name
        metric = registry.get(name)
        assert metric.name == name
        assert metric.within_bounds(value), name
        if metric.bounds[0] == 0:
            assert low >= 0, name


@pytest.mark.parametrize(
    ("metric", "support"),
    [
        ("accuracy", 7),
        ("precision", 4),
        ("recall", 3),
        ("f1_score", 5),
        ("specificity", 4),
        ("balanced_accuracy", 3),
        ("mcc", 3),
        ("roc_auc", 2),
        ("average_precision", 2),
        ("brier_score", 6),
        ("log_loss", 6),
        ("avg_confidence", 7),
        ("positive_rate", 9),
        ("label_rate", 7),
        ("label_coverage", 9),
    ],
)
def test_each_metric_has_its_own_support(binary, metric, support):
    label = [1, 1, 1, 0, 0, 0, 0, 2, 2]
    prediction = [1, 1, 0, 1, 1, 0, 0, 1, 0]
    score = [0.9, 0.8, np.nan, 0.7, 0.6, 0.2, 0.1, 0.9, np.nan]
    assert compute_binary(binary(label, prediction, score))[metric].support.tolist() == [support]


def test_areas_of_a_rare_crowded_class_are_within_a_hundredth(binary):
    rng = np.random.default_rng(7)
    label = (rng.random(200_000) < 0.001).astype(int)
    score = 1 / (1 + np.exp(-(rng.normal(-9, 1.5, len(label)) + 4 * label)))
    area = compute_binary(binary(label, score >= 0.5, score))["roc_auc"]
    assert area.bound[0] < 0.01
    assert abs(area.value[0] - oracle.roc_auc_score(label, score)) <= area.bound[0]


def test_a_false_positive_and_a_false_negative_cost_what_was_configured(binary):
    counts = binary([0] * 90 + [1] * 10, [1] * 5 + [0] * 85 + [0] * 2 + [1] * 8)
    cost = compute_binary(counts, cost=Cost(fp=1, fn=20))["cost_per_1000_rows"]
    assert cost.value[0] == pytest.approx(1000 * (5 * 1 + 2 * 20) / 100)
    assert "cost_per_1000_rows" not in compute_binary(counts)


def test_without_any_score_only_decisions_have_metrics(binary):
    metrics = compute_binary(binary([0, 1], [0, 1]))
    assert not {"roc_auc", "brier_score", "avg_confidence"} & metrics.keys()
    assert metrics["accuracy"].value[0] == 1.0


def test_cells_are_computed_independently(binary):
    rng = np.random.default_rng(3)
    label, cell = rng.integers(0, 3, 600), rng.integers(0, 4, 600)
    score = rng.random(600).round(2)
    prediction = (score > 0.4).astype(int)
    together = compute_binary(binary(label, prediction, score, cell=cell, cells=4))
    for index in range(4):
        alone = compute_binary(binary(*(values[cell == index] for values in (label, prediction, score))))
        for name, values in alone.items():
            for field in ("value", "support", "low", "high"):
                assert getattr(together[name], field)[index] == pytest.approx(getattr(values, field)[0], abs=1e-9), name
