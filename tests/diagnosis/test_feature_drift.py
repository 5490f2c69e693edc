"""Features that shifted, anomalies of their values, and columns that are no features."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.core.diagnosis import Cause
from modeltop.core.distribution import Distributions, Histogram
from modeltop.core.series import to_datetime64
from modeltop.diagnosis.before_after import BeforeAfterWindows
from modeltop.diagnosis.feature_drift import feature_shifts, unit_change, value_anomaly

DAY = datetime(2025, 3, 2, tzinfo=UTC)


@pytest.fixture(scope="session")
def windows(changed_at):
    return BeforeAfterWindows(to_datetime64(changed_at), to_datetime64(changed_at))


def counted(feature, values, current, *, bins=20, top=100.0):
    """Return a histogram of numbers over equal bins, the ends open as `compute` leaves them."""
    inner = np.linspace(0, top, bins + 1)
    edges = [(-np.inf, 0.0), *zip(inner[:-1].tolist(), inner[1:].tolist(), strict=True), (top, np.inf)]
    slots = (*map(str, range(len(edges))), "other", "missing")

    def rows(values):
        return np.array([*np.histogram(values, [-np.inf, *inner, np.inf])[0], 0, 0], dtype=float)

    return Histogram(feature, slots, tuple(edges), rows(values), (DAY,), rows(current)[None, :])


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
    assert (shifts.feature_count, shifts.shifted, shifts.has_score_drift) == (1, (), True)
    assert shifts.score.after == pytest.approx(0.3, abs=0.01)


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


@given(factor=st.floats(0.15, 0.6), seed=st.integers(0, 50))
def test_another_unit_is_recognised_by_its_factor(factor, seed):
    values = np.random.default_rng(seed).gamma(4.0, 10.0, 4000)
    histogram = counted("tenure", values, values[:2000] * factor, bins=400)
    assert unit_change(histogram, histogram.counts[0]) == pytest.approx(factor, rel=0.15)


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        pytest.param(lambda values: values, None, id="as before"),
        pytest.param(lambda values: values + 5, None, id="a little more"),
        pytest.param(lambda values: values / 3, "tenure is 0.33 times its reference: another unit", id="another unit"),
        pytest.param(lambda values: 0 * values + 7, "tenure is stuck: 100 % of its rows have one value", id="stuck"),
        pytest.param(lambda values: values[:10], None, id="too few rows to tell"),
    ],
)
def test_an_anomaly_of_values_is_a_clause(change, clause):
    values = np.random.default_rng(3).normal(50, 10, 4000)
    assert value_anomaly(counted("tenure", values, change(values), bins=400), DAY - timedelta(days=1), DAY) == clause


def test_histograms_of_before_the_change_and_after_the_incident_say_nothing():
    values, day = np.random.default_rng(3).normal(50, 10, 400), timedelta(days=1)
    histogram = counted("tenure", values, values / 3, bins=400)
    assert value_anomaly(histogram, DAY - day, DAY + day) is not None
    assert value_anomaly(histogram, DAY + day, DAY + 9 * day) is None
    assert value_anomaly(histogram, DAY - 9 * day, DAY - day) is None


def test_another_unit_is_a_fault_upstream(make_model, make_features, run_diagnosis):
    values = np.random.default_rng(3).normal(50, 10, 4000)
    distributions = Distributions({"tenure": counted("tenure", values, values / 3, bins=400)})
    series = make_model(accuracy=(0.95, 0.85)) + make_features(
        tenure=(0.25, 0.001), age=(0.03, 0.001), plan=(0.03, 0.001)
    )
    diagnosis = run_diagnosis(series, distributions=distributions)
    assert diagnosis.cause is Cause.UPSTREAM
    assert "another unit" in diagnosis.verdict.why
    assert diagnosis.verdict.do == "Fix tenure in the input pipeline; do not retrain on it."
    assert run_diagnosis(series).cause is Cause.FEATURE_DRIFT
