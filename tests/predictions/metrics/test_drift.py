"""Distances from the reference: against scipy, by hand, and by the properties of a distance."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from modeltop.predictions.metrics.base import metric_values
from modeltop.predictions.metrics.compute import compute_metrics
from modeltop.predictions.metrics.drift import (
    GROUPS,
    compute_drift,
    drifted_share,
    effect_size,
    prediction_column,
    score_column,
    slot_groups,
)

COUNTS = st.lists(st.integers(0, 50), min_size=3, max_size=6)
VALUES = st.lists(st.floats(-100, 100).map(lambda value: round(value, 1)), min_size=1, max_size=60)


def ks_statistic(current, reference):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the p-value, which is not used
        return stats.ks_2samp(current, reference, method="asymp").statistic


@given(
    st.integers(2, 8).flatmap(lambda size: st.tuples(*[st.lists(st.integers(0, 50), min_size=size, max_size=size)] * 2))
)
@settings(max_examples=100, deadline=None)
def test_distances_by_slot_equal_scipy(categories, undefined_reason, pair):
    reference, current = (np.array(counts) for counts in pair)
    metrics = compute_drift(categories(reference, current))
    if not (reference.any() and current.any()):
        assert all(np.isnan(values.value[0]) and undefined_reason(values) for values in metrics.values())
        return
    assert metrics["js_distance"].value[0] == pytest.approx(jensenshannon(current, reference, base=2), abs=1e-7)
    used = (current + reference) > 0
    if used.sum() > 1:
        expected = stats.chi2_contingency(np.stack([current, reference])[:, used], correction=False)
        assert metrics["chi_squared"].value[0] == pytest.approx(expected.statistic, rel=1e-9, abs=1e-9)
        assert metrics["chi_squared_p"].value[0] == pytest.approx(expected.pvalue, rel=1e-9, abs=1e-12)


def test_the_stability_index_of_a_hand_worked_case(categories):
    # (0.5 - 0.25) ln(0.5 / 0.25) twice over, once each way: 0.25 ln 2 + 0.25 ln 2 - and nothing for the equal slot.
    psi = compute_drift(categories([50, 25, 25], [25, 50, 25]))["psi"]
    assert psi.value[0] == pytest.approx(0.5 * np.log(2), abs=1e-12)
    assert psi.support[0] == 100


def test_an_empty_slot_counts_as_one_in_ten_thousand_in_the_stability_index(categories):
    psi = compute_drift(categories([50, 50], [100, 0]))["psi"]
    assert psi.value[0] == pytest.approx(0.5 * np.log(2) + (1e-4 - 0.5) * np.log(1e-4 / 0.5), abs=1e-12)


@given(VALUES, VALUES)
@settings(max_examples=150, deadline=None)
def test_distances_along_the_axis_lie_within_their_bound_of_scipy(column, undefined_reason, reference, current):
    metrics = compute_drift(column(reference, current))
    exact = ks_statistic(current, reference)
    distance = metrics["ks_distance"]
    assert distance.low[0] <= exact + 1e-12
    assert exact <= distance.high[0] + 1e-12
    wasserstein, deviation = metrics["wasserstein_normed"], np.std(reference)
    if deviation > 0:
        assert wasserstein.value[0] * deviation <= stats.wasserstein_distance(current, reference) + 1e-9
        assert wasserstein.value[0] * deviation >= abs(np.mean(current) - np.mean(reference)) - 1e-9
    else:
        assert undefined_reason(wasserstein) == "the reference has one value only"


def test_a_shift_of_the_whole_column_is_measured_exactly(column):
    rng = np.random.default_rng(0)
    reference = rng.gamma(2, 3, 5000)
    periods = [reference + 1.5, reference - 40, reference]
    metrics = compute_drift(column(reference, *periods))
    assert metrics["wasserstein_normed"].value == pytest.approx(np.array([1.5, 40, 0]) / reference.std(), abs=1e-9)
    expected = [ks_statistic(period, reference) for period in periods]
    assert np.abs(metrics["ks_distance"].value - expected).max() <= 0.021
    assert metrics["psi"].value[2] == metrics["js_distance"].value[2] == 0.0


@given(COUNTS)
@settings(max_examples=50, deadline=None)
def test_without_drift_the_distance_is_0_in_any_size_of_sample(categories, counts):
    if sum(counts):
        metrics = compute_drift(categories(counts, counts, [10 * count for count in counts]))
        for name in ("psi", "js_distance", "chi_squared"):
            assert np.abs(metrics[name].value).max() < 1e-7, name
        assert metrics["chi_squared_p"].value == pytest.approx([1.0, 1.0])


@given(st.tuples(st.integers(1, 50), st.integers(1, 50), st.integers(0, 50)), COUNTS)
@settings(max_examples=50, deadline=None)
def test_distances_of_shares_are_symmetric_and_bounded(categories, reference, current):
    current = [1, *current[:2]]
    distances, reversed_distances = (
        compute_drift(categories(reference, current)),
        compute_drift(categories(current, reference)),
    )
    for name, limit in (("psi", 20.0), ("js_distance", 1.0)):
        assert distances[name].value[0] == pytest.approx(reversed_distances[name].value[0], abs=1e-9)
        assert 0 <= distances[name].value[0] <= limit


def test_shares_without_overlap_are_at_the_greatest_distance(categories, column):
    assert compute_drift(categories([9, 0], [0, 4]))["js_distance"].value[0] == pytest.approx(1.0)
    assert compute_drift(column(np.arange(100.0), np.arange(100.0) + 1000))["ks_distance"].value[0] == pytest.approx(
        0.98
    )


def test_numeric_bins_are_compared_by_tenths_of_the_reference(column):
    reference = column(np.arange(1000.0), [1.0]).reference
    group = slot_groups(reference)
    assert group.max() == GROUPS  # the last one is `other`
    rows = np.bincount(group[:-1], weights=reference.count[: reference.slots])
    assert rows.tolist() == [100.0] * GROUPS


def test_missing_and_infinite_values_are_counted_and_are_no_distance(column, undefined_reason):
    reference = np.arange(100.0)
    metrics = compute_metrics(column(reference, [*reference, np.nan, np.nan], [*reference, np.inf], [np.nan]))
    assert metrics["missing_rate"].value == pytest.approx([2 / 102, 0.0, 1.0])
    assert metrics["wasserstein_normed"].value[:2] == pytest.approx([0.0, 0.0], abs=1e-12)
    assert metrics["psi"].value[0] == 0.0
    assert metrics["psi"].value[1] > 0
    assert undefined_reason(metrics["js_distance"], 2) == "no values but missing ones"


def test_categories_that_the_reference_never_had_are_a_proportion_of_the_values(categories):
    metrics = compute_metrics(categories([50, 50], [40, 40], other=20, missing=100))
    assert metrics["unseen_category_rate"].value[0] == pytest.approx(0.2)
    assert metrics["unseen_category_rate"].support[0] == 100
    assert metrics["missing_rate"].value[0] == pytest.approx(0.5)


def test_a_column_counts_as_drifted_by_its_own_effect_size(column, categories):
    reference = np.random.default_rng(1).normal(0, 1, 4000)
    columns = [column(reference, reference + 0.05, reference + 0.2), categories([50, 50], [50, 50], [30, 70])]
    effects = [effect_size(compute_drift(counts)) for counts in columns]
    drifted = drifted_share([*effects, effect_size(compute_drift(column([np.nan], [1.0], [2.0])))])
    assert drifted.value.tolist() == [0.0, 1.0]
    assert drifted.support.tolist() == [2, 2]


def test_an_effect_of_just_a_tenth_is_drift():
    defined = np.zeros(1, dtype=np.int8)
    effects = [metric_values(np.array([value]), np.array([100.0]), reason=defined) for value in (0.1, 0.0999)]
    assert drifted_share(effects).value.tolist() == [0.5]


def test_the_score_and_the_prediction_drift_as_columns_do(binary, multiclass):
    rng = np.random.default_rng(2)
    reference, current = rng.beta(2, 5, 5000), rng.beta(3, 4, 3000)
    counts = [binary(np.full(len(score), 2), score > 0.5, score) for score in (current, reference)]
    metrics = compute_drift(score_column(*counts))
    assert metrics["wasserstein_normed"].value[0] == pytest.approx(
        stats.wasserstein_distance(current, reference) / reference.std(), rel=0.01
    )
    assert abs(metrics["ks_distance"].value[0] - ks_statistic(current, reference)) <= metrics["ks_distance"].bound[0]
    distance = compute_drift(prediction_column(*counts))["js_distance"].value[0]
    proportions = [[(score <= 0.5).mean(), (score > 0.5).mean()] for score in (current, reference)]
    assert distance == pytest.approx(jensenshannon(*proportions, base=2), abs=1e-9)
    counts_of_classes = multiclass([3, 3, 3], [0, 1, 2], size=3)
    assert prediction_column(counts_of_classes, counts_of_classes).count.tolist() == [[1, 1, 1, 0, 0]]
