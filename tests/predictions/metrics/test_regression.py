"""Metrics of predicted numbers against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from modeltop.predictions.metrics.compute import compute_metrics

NUMBERS = st.floats(-1e4, 1e4).map(lambda number: round(number, 3))


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=50), st.sampled_from([0.0, 1e6]))
@settings(max_examples=120, deadline=None)
def test_errors_equal_scikit_learn(regression, rows, offset):
    label, prediction = (np.array(values) + offset for values in zip(*rows, strict=True))
    metrics = compute_metrics(regression(label, prediction))
    expected = {
        "mae": oracle.mean_absolute_error(label, prediction),
        "rmse": oracle.root_mean_squared_error(label, prediction),
        "bias": (prediction - label).mean(),
    }
    if len(set(label)) > 1:
        expected["r2"] = oracle.r2_score(label, prediction)
    if (label != 0).all():
        expected["mape"] = oracle.mean_absolute_percentage_error(label, prediction)
    for name, value in expected.items():
        assert metrics[name].value[0] == pytest.approx(value, rel=1e-12, abs=1e-12), name


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=50))
@settings(max_examples=60, deadline=None)
def test_every_value_lies_in_its_interval(regression, rows):
    for name, values in compute_metrics(regression(*zip(*rows, strict=True))).items():
        value, low, high = values.value[0], values.low[0], values.high[0]
        if not np.isnan(value) and name != "r2" and values.support[0] > 1:
            assert low <= value * (1 + 1e-9 * np.sign(value)) + 1e-12, name
            assert value * (1 - 1e-9 * np.sign(value)) - 1e-12 <= high, name


def test_a_label_of_zero_is_left_out_of_the_relative_error_and_named_where_all_are(regression, undefined_reason):
    mape = compute_metrics(regression([0.0, 10.0], [5.0, 11.0]))["mape"]
    assert (mape.value[0], mape.support[0]) == (pytest.approx(0.1), 1)
    assert undefined_reason(compute_metrics(regression([0.0], [5.0]))["mape"]) == "all labels are 0"


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e9 + 0.1])
def test_equal_labels_explain_nothing(regression, constant, undefined_reason):
    r2 = compute_metrics(regression(np.full(50, constant), np.arange(50.0)))["r2"]
    assert np.isnan(r2.value[0])
    assert undefined_reason(r2) == "all labels are equal"


def test_a_single_row_has_a_value_and_no_interval(regression):
    mae = compute_metrics(regression([1.0], [3.0]))["mae"]
    assert mae.value[0] == 2.0
    assert np.isnan(mae.low[0])


def test_rows_without_a_label_lower_the_coverage(regression, undefined_reason):
    metrics = compute_metrics(regression([1.0], [1.0], unlabelled=3))
    assert metrics["label_coverage"].value[0] == 0.25
    none = compute_metrics(regression([], [], unlabelled=3))
    assert undefined_reason(none["mae"]) == "no labels yet"
    assert none["label_coverage"].value[0] == 0.0
