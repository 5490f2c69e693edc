"""The periods before and after a change and their difference, against statsmodels and by hand."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep

from modeltop.core.diagnosis import Pattern, SeriesPattern
from modeltop.core.series import SeriesKey, to_datetime64
from modeltop.diagnosis.before_after import MAX_Z, compare, windows_around

START = datetime(2025, 1, 3, tzinfo=UTC)
KEY = SeriesKey("m", "accuracy")


def pattern_since(pattern, started_at):
    return SeriesPattern(KEY, pattern, started_at, -0.1, 1.0)


@given(st.integers(1, 400), st.integers(1, 400), st.integers(50, 400))
def test_the_interval_of_a_difference_of_shares_is_newcombes(make_series, hits, later, cases):
    hits, later = min(hits, cases), min(later, cases)
    series = make_series("accuracy", [hits / cases, hits / cases, later / cases], support=cases)
    change = compare(series, windows_around(series, START, None))
    low, high = confint_proportions_2indep(later, cases, 2 * hits, 2 * cases, method="newcomb")
    assert (change.low, change.high) == pytest.approx((low, high), abs=1e-9)


def test_levels_are_weighted_by_their_cases(make_series, changed_at):
    series = make_series("accuracy", [0.9] * 59 + [0.6, 0.8, 0.7], rows=[100.0] * 59 + [300.0, 100.0, 300.0])
    change = compare(series, windows_around(series, changed_at, None))
    assert change.before == pytest.approx((59 * 100 * 0.9 + 300 * 0.6) / 6200)
    assert change.after == pytest.approx((0.8 * 100 + 0.7 * 300) / 400)


def test_a_spread_of_the_days_that_is_wider_than_their_counts_counts(make_series, changed_at):
    wide = [0.9 + (0.05 if day % 2 else -0.05) for day in range(60)]
    narrow = [0.9 + (0.001 if day % 2 else -0.001) for day in range(60)]
    quiet, noisy = (
        compare(series, windows_around(series, changed_at, None))
        for series in (make_series("accuracy", [*values, 0.86]) for values in (narrow, wide))
    )
    assert quiet.direction == "fell"
    assert noisy.direction == "as before"
    assert abs(noisy.z) < 1


def test_months_of_a_handful_of_cases_do_not_hide_a_fall_of_many(make_series, changed_at):
    counts = np.array([400.0, 4.0] * 30 + [400.0] * 5)
    values = np.array([0.7, 1.0, 0.7, 0.4] * 15 + [0.6] * 5)
    change = compare(series := make_series("accuracy", values, rows=counts), windows_around(series, changed_at, None))
    # By hand: 30 months of 400 cases at 0.7, 2,000 cases later; the months of 4 spread as chance does.
    assert change.z == pytest.approx(-0.1 / np.sqrt(0.7 * 0.3 * (1 / 12_120 + 1 / 2_000)), rel=0.01)
    assert change.direction == "fell"


def test_what_never_varied_and_has_no_count_is_certain(make_series, changed_at):
    series = make_series("f1_score", [0.9] * 60 + [0.8])
    assert compare(series, windows_around(series, changed_at, None)).z == -MAX_Z
    constant = make_series("f1_score", [0.9] * 61)
    change = compare(constant, windows_around(constant, changed_at, None))
    assert (change.z, change.direction) == (0.0, "as before")


def test_a_weekend_is_not_a_fall_where_weekends_are_always_lower(make_series, changed_at):
    # 2025-01-01 is a Wednesday; day 60 a Sunday.
    values = [0.8 if (day + 2) % 7 >= 5 else 0.9 for day in range(59)]
    noise = np.random.default_rng(1).normal(0, 0.002, 59)
    series = make_series("f1_score", [*(np.array(values) + noise), 0.8, 0.8])
    weekend = compare(series[:-1], windows_around(series, changed_at - timedelta(days=1), None))
    assert abs(weekend.delta) < 0.01
    assert weekend.direction == "as before"


@pytest.mark.parametrize(
    ("pattern", "days", "after"),
    [
        pytest.param(Pattern.DROP, 30, 0, id="a sudden drop is seen from its start"),
        pytest.param(Pattern.DECLINE, 30, 20, id="of a gradual one the last third is after"),
        pytest.param(Pattern.DECLINE, 2, 0, id="too short to be cut"),
        pytest.param(None, 30, 0, id="without a course from its start"),
    ],
)
def test_where_after_starts(make_series, changed_at, pattern, days, after):
    series = make_series("accuracy", [0.9] * 60 + [0.8] * days)
    windows = windows_around(series, changed_at, pattern and pattern_since(pattern, changed_at))
    assert windows.after_start == to_datetime64(changed_at + timedelta(days=after))
    assert len(windows.after_indices(series)) == days - after


def test_a_spike_is_its_period_alone(make_series, changed_at):
    series = make_series("accuracy", [0.9] * 60 + [0.5] + [0.9] * 20)
    change = compare(series, windows_around(series, changed_at, pattern_since(Pattern.SPIKE, changed_at)))
    assert (change.after, change.periods) == (0.5, 1)


def test_with_fewer_than_two_periods_before_there_is_nothing_to_compare(make_series, changed_at):
    series = make_series("accuracy", [0.9] + [0.5] * 5, first=59)
    assert compare(series, windows_around(series, changed_at, None)) is None
    assert compare(series, windows_around(series, changed_at + timedelta(days=90), None)) is None


def calibration_errors(rng, rows, overconfidence=1.0):
    """Return the calibration error over ten groups of scores of a model, by period."""
    errors = []
    for size in rows:
        score = rng.beta(0.6, 0.6, size)
        odds = (score / (1 - score)) ** (1 / overconfidence)
        outcome = rng.random(size) < odds / (1 + odds)
        groups = np.minimum((10 * score).astype(int), 9)
        errors.append(np.abs(np.bincount(groups, score - outcome, 10)).sum() / size)
    return errors


@pytest.mark.parametrize("later", [60, 200, 5_000], ids=["fewer", "some fewer", "more"])
@pytest.mark.parametrize("overconfidence", [1.0, 1.5], ids=["calibrated", "overconfident"])
def test_the_calibration_error_of_another_number_of_rows_is_as_before(make_series, changed_at, later, overconfidence):
    rows, significant = [1_000] * 60 + [later] * 10, 0
    for seed in range(40):
        values = calibration_errors(np.random.default_rng(seed), rows, overconfidence)
        series = make_series("expected_calibration_error", values, rows=np.array(rows, dtype=float))
        significant += compare(series, windows_around(series, changed_at, None)).is_significant
    assert significant <= 2


@pytest.mark.parametrize("later", [300, 1_000, 5_000])
def test_a_model_that_loses_its_calibration_is_seen_on_any_number_of_rows(make_series, changed_at, later):
    rng = np.random.default_rng(1)
    values = calibration_errors(rng, [1_000] * 60) + calibration_errors(rng, [later] * 10, overconfidence=3.0)
    rows = np.array([1_000.0] * 60 + [float(later)] * 10)
    series = make_series("expected_calibration_error", values, rows=rows)
    assert compare(series, windows_around(series, changed_at, None)).direction == "rose"
