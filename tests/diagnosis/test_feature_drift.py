"""Features that shifted, and columns that are no features."""

import pytest

from modeltop.core.series import to_datetime64
from modeltop.diagnosis.before_after import BeforeAfterWindows
from modeltop.diagnosis.feature_drift import feature_shifts


@pytest.fixture(scope="session")
def windows(changed_at):
    return BeforeAfterWindows(to_datetime64(changed_at), to_datetime64(changed_at))


def test_features_that_shifted_come_furthest_first_and_those_that_lost_values_apart(make_features, windows):
    shifts = feature_shifts(
        make_features(a=(0.2, 0.001), b=(0.4, 0.001), c=(0.03, 0.001), d=(0.03, 0.3), e=(0.15, 0.1)), windows
    )
    assert shifts.feature_count == 5
    assert [shift.feature for shift in shifts.shifted] == ["b", "a", "e", "d"]
    assert [shift.feature for shift in shifts.broken] == ["d", "e"]
    assert shifts.broken[0].missing == pytest.approx((0.001, 0.3), abs=1e-4)


def test_the_models_own_columns_are_no_features(make_features, windows):
    shifts = feature_shifts(make_features(score=(0.3, 0.001), prediction=(0.2, 0.001), age=(0.03, 0.001)), windows)
    assert (shifts.feature_count, shifts.shifted, shifts.is_score_steady) == (1, (), False)
    assert shifts.outputs["score"].after == pytest.approx(0.3, abs=0.01)


def test_a_distance_that_was_there_before_is_no_shift(make_step, windows):
    far = make_step("js_distance", 0.2, 0.21, spread=0.02, segment="feature=age")
    assert feature_shifts([far], windows).shifted == ()


@pytest.mark.parametrize(
    ("metric", "before", "after"),
    [
        # A sixteenth of the rows: JS and KS are four times as far by chance alone, PSI sixteen times.
        pytest.param("js_distance", 0.04, 0.16, id="js_distance"),
        pytest.param("ks_distance", 0.04, 0.16, id="ks_distance"),
        pytest.param("psi", 0.03, 0.48, id="psi"),
    ],
)
def test_a_distance_that_comes_of_few_rows_is_no_shift(make_step, windows, metric, before, after):
    segment, rows = "feature=age", [1600.0] * 60 + [100.0] * 10
    small, large = (make_step(metric, before, after, spread=0.004, segment=segment, rows=n) for n in (rows, 1600.0))
    assert feature_shifts([small], windows).shifted == ()
    assert [shift.feature for shift in feature_shifts([large], windows).shifted] == ["age"]


def test_without_a_distance_of_the_first_kind_another_is_taken(make_step, windows):
    psi = make_step("psi", 0.02, 0.5, spread=0.01, segment="feature=age")
    [shift] = feature_shifts([psi], windows).shifted
    assert (shift.metric, round(shift.after, 1)) == ("psi", 0.5)


def test_categories_that_were_never_seen_are_a_loss(make_step, windows):
    unseen = make_step("unseen_category_rate", 0.0, 0.25, spread=0.001, segment="feature=plan")
    [broken] = feature_shifts([unseen], windows).broken
    assert broken.unseen == pytest.approx((0.0, 0.25), abs=1e-3)
