"""Distances from the reference: against scipy, by hand, and by what a distance must be."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from modeltop.predictions.metrics.compute import compute_metrics as everything
from modeltop.predictions.metrics.drift import (
    GROUPS,
    chi2_sf,
    compute_drift,
    drifted_share,
    effect_size,
    prediction_column,
    score_column,
    slot_groups,
)

COUNTS = st.lists(st.integers(0, 50), min_size=3, max_size=6)
VALUES = st.lists(st.floats(-100, 100).map(lambda value: round(value, 1)), min_size=1, max_size=60)


def farthest(now, then):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the p-value, which is not asked for
        return stats.ks_2samp(now, then, method="asymp").statistic


@given(
    st.integers(2, 8).flatmap(lambda size: st.tuples(*[st.lists(st.integers(0, 50), min_size=size, max_size=size)] * 2))
)
@settings(max_examples=100, deadline=None)
def test_distances_by_slot_equal_scipy(categories, pair):
    then, now = (np.array(part) for part in pair)
    found = compute_drift(categories(then, now))
    if not (then.any() and now.any()):
        assert all(np.isnan(one.value[0]) and one.reason(0) for one in found.values())
        return
    assert found["js_distance"].value[0] == pytest.approx(jensenshannon(now, then, base=2), abs=1e-7)
    used = (now + then) > 0
    if used.sum() > 1:
        wanted = stats.chi2_contingency(np.stack([now, then])[:, used], correction=False)
        assert found["chi_squared"].value[0] == pytest.approx(wanted.statistic, rel=1e-9, abs=1e-9)
        assert found["chi_squared_p"].value[0] == pytest.approx(wanted.pvalue, rel=1e-9, abs=1e-12)


def test_the_stability_index_of_a_hand_worked_case(categories):
    # (0.5 - 0.25) ln(0.5 / 0.25) twice over, once each way: 0.25 ln 2 + 0.25 ln 2 - and nothing for the equal slot.
    found = compute_drift(categories([50, 25, 25], [25, 50, 25]))["psi"]
    assert found.value[0] == pytest.approx(0.5 * np.log(2), abs=1e-12)
    assert found.support[0] == 100


def test_an_empty_slot_counts_as_one_in_ten_thousand_in_the_stability_index(categories):
    found = compute_drift(categories([50, 50], [100, 0]))["psi"]
    assert found.value[0] == pytest.approx(0.5 * np.log(2) + (1e-4 - 0.5) * np.log(1e-4 / 0.5), abs=1e-12)


@given(VALUES, VALUES)
@settings(max_examples=150, deadline=None)
def test_distances_along_the_axis_lie_within_their_bound_of_scipy(column, then, now):
    found = compute_drift(column(then, now))
    exact = farthest(now, then)
    distance = found["ks_distance"]
    assert distance.low[0] <= exact + 1e-12
    assert exact <= distance.high[0] + 1e-12
    moved = found["wasserstein_normed"]
    if np.std(then) > 0:
        assert moved.value[0] * np.std(then) <= stats.wasserstein_distance(now, then) + 1e-9
        assert moved.value[0] * np.std(then) >= abs(np.mean(now) - np.mean(then)) - 1e-9
    else:
        assert moved.reason(0) == "the reference has one value only"


def test_a_shift_of_the_whole_column_is_measured_exactly(column):
    rng = np.random.default_rng(0)
    then = rng.gamma(2, 3, 5000)
    periods = [then + 1.5, then - 40, then]
    found = compute_drift(column(then, *periods))
    assert found["wasserstein_normed"].value == pytest.approx(np.array([1.5, 40, 0]) / then.std(), abs=1e-9)
    wanted = [farthest(period, then) for period in periods]
    assert np.abs(found["ks_distance"].value - wanted).max() <= 0.021
    assert found["psi"].value[2] == found["js_distance"].value[2] == 0.0


@given(COUNTS)
@settings(max_examples=50, deadline=None)
def test_what_has_not_moved_is_at_no_distance_in_any_size_of_sample(categories, counts):
    if sum(counts):
        found = compute_drift(categories(counts, counts, [10 * count for count in counts]))
        for name in ("psi", "js_distance", "chi_squared"):
            assert np.abs(found[name].value).max() < 1e-7, name
        assert found["chi_squared_p"].value == pytest.approx([1.0, 1.0])


@given(st.tuples(st.integers(1, 50), st.integers(1, 50), st.integers(0, 50)), COUNTS)
@settings(max_examples=50, deadline=None)
def test_distances_of_shares_are_symmetric_and_bounded(categories, then, now):
    now = [1, *now[:2]]
    there, back = compute_drift(categories(then, now)), compute_drift(categories(now, then))
    for name, most in (("psi", 20.0), ("js_distance", 1.0)):
        assert there[name].value[0] == pytest.approx(back[name].value[0], abs=1e-9)
        assert 0 <= there[name].value[0] <= most


def test_shares_without_overlap_are_at_the_greatest_distance(categories, column):
    assert compute_drift(categories([9, 0], [0, 4]))["js_distance"].value[0] == pytest.approx(1.0)
    assert compute_drift(column(np.arange(100.0), np.arange(100.0) + 1000))["ks_distance"].value[0] == pytest.approx(
        0.98
    )


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 9, 10, 31, 60])
@pytest.mark.parametrize("statistic", [0.0, 0.3, 3.0, 30.0, 300.0, 2000.0])
def test_the_tail_of_chi_squared_equals_scipy(statistic, degrees):
    wanted = stats.chi2.sf(statistic, degrees)
    assert chi2_sf(statistic, degrees) == pytest.approx(wanted, rel=1e-10, abs=1e-300)


def test_numeric_bins_are_compared_by_tenths_of_the_reference(column):
    reference = column(np.arange(1000.0), [1.0]).reference
    group = slot_groups(reference)
    assert group.max() == GROUPS  # the last one is `other`
    rows = np.bincount(group[:-1], weights=reference.count[: reference.slots])
    assert rows.tolist() == [100.0] * GROUPS


def test_missing_and_infinite_values_are_neither_lost_nor_measured_as_distance(column):
    then = np.arange(100.0)
    found = everything(column(then, [*then, np.nan, np.nan], [*then, np.inf], [np.nan]))
    assert found["missing_rate"].value == pytest.approx([2 / 102, 0.0, 1.0])
    assert found["wasserstein_normed"].value[:2] == pytest.approx([0.0, 0.0], abs=1e-12)
    assert found["psi"].value[0] == 0.0
    assert found["psi"].value[1] > 0
    assert found["js_distance"].reason(2) == "no values but missing ones"


def test_categories_that_the_reference_never_had_are_a_share_of_the_values(categories):
    found = everything(categories([50, 50], [40, 40], other=20, missing=100))
    assert found["unseen_category_rate"].value[0] == pytest.approx(0.2)
    assert found["unseen_category_rate"].support[0] == 100
    assert found["missing_rate"].value[0] == pytest.approx(0.5)


def test_a_column_counts_as_moved_by_its_own_effect_size(column, categories):
    then = np.random.default_rng(1).normal(0, 1, 4000)
    columns = [column(then, then + 0.05, then + 0.2), categories([50, 50], [50, 50], [30, 70])]
    effects = [effect_size(compute_drift(one)) for one in columns]
    found = drifted_share([*effects, effect_size(compute_drift(column([np.nan], [1.0], [2.0])))])
    assert found.value.tolist() == [0.0, 1.0]
    assert found.support.tolist() == [2, 2]


def test_the_score_and_the_prediction_drift_as_columns_do(binary, multiclass):
    rng = np.random.default_rng(2)
    then, now = rng.beta(2, 5, 5000), rng.beta(3, 4, 3000)
    tallies = [binary(np.full(len(score), 2), score > 0.5, score) for score in (now, then)]
    found = compute_drift(score_column(*tallies))
    assert found["wasserstein_normed"].value[0] == pytest.approx(
        stats.wasserstein_distance(now, then) / then.std(), rel=0.01
    )
    assert abs(found["ks_distance"].value[0] - farthest(now, then)) <= found["ks_distance"].bound[0]
    decided = compute_drift(prediction_column(*tallies))["js_distance"].value[0]
    shares = [[(score <= 0.5).mean(), (score > 0.5).mean()] for score in (now, then)]
    assert decided == pytest.approx(jensenshannon(*shares, base=2), abs=1e-9)
    several = multiclass([3, 3, 3], [0, 1, 2], size=3)
    assert prediction_column(several, several).count.tolist() == [[1, 1, 1, 0, 0]]
