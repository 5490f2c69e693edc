"""Single outlying periods: against scipy, by a loop over the past alone, and by what a person expects."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import median_abs_deviation

from modeltop.core.series import Direction, Severity
from modeltop.rules.detectors.base import QueryContext
from modeltop.rules.detectors.outlier import Outlier
from modeltop.rules.detectors.trend import Trend
from modeltop.rules.replay import replay
from modeltop.rules.rule import Rule

WARNING, CRITICAL = int(Severity.WARNING), int(Severity.CRITICAL)
WEEKEND = (np.arange(120) + 2) % 7 >= 5  # 2025-01-01 was a Wednesday
QUICK = Outlier(3.0, periods=12, least=4)


def breached_at(severities):
    return [index for index, level in enumerate(severities) if level]


def test_a_deviation_is_that_of_scipy_from_what_the_periods_before_lay_off(daily):
    values = 0.9 + 0.01 * np.random.default_rng(1).standard_normal(60)
    values[-1] = 0.7
    (basis,) = QUICK.prepare([daily(values, days=3 * np.arange(60))], QueryContext())
    residuals = [values[k] - np.median(values[k - 12 : k]) for k in range(47, 59)]
    expected = np.median(values[47:59]) + np.median(residuals)
    scale = median_abs_deviation(residuals, scale="normal") / (1 - 1 / np.sqrt(2 * 0.37 * 11))
    assert (basis.baseline[-1], basis.scale[-1]) == pytest.approx((expected, scale))
    assert basis.excess[-1] == pytest.approx((expected - 0.7) / scale)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(1, 69), outside=st.booleans(), weekly=st.booleans())
def test_each_point_is_graded_by_the_past_alone_and_as_a_call_grades_it(daily, last_breach, seed, cut, outside, weekly):
    rng = np.random.default_rng(seed)
    cases = rng.integers(5, 400, 70).astype(float)
    values = rng.uniform(0.6, 1.0, 70) - 0.5 * (rng.random(70) < 0.1) - 0.3 * weekly * WEEKEND[:70]
    series = daily(np.clip(values, 0, 1), support=cases, proportion=True, provisional=rng.random(70) < 0.1)
    detector, context = Outlier(1.0, 2.5, periods=12, least=4, outside=outside), QueryContext(min_count=30)
    full, prefix = (detector.prepare([rows], context)[0] for rows in (series, series[:cut]))
    levels = full.levels[:cut].tolist() if full else [0] * cut
    assert levels == (prefix.levels.tolist() if prefix else [0] * cut)
    breach = last_breach(detector, series[:cut], full[:cut], Severity.OK) if full else None
    assert (int(breach.severity) if breach else 0) == levels[-1]


def test_only_the_bad_side_breaches_unless_the_rule_says_outside(daily, levels, steady, change):
    values = steady(60)
    values[50] += 0.15 * change.sign
    severities = levels(Outlier(outside=change.outside), daily(values, better=change.better))
    assert breached_at(severities) == ([50] if change.breaches else [])


def test_a_bad_saturday_is_told_from_a_saturday(daily, levels, steady):
    values = steady(120) - 0.2 * WEEKEND
    assert WEEKEND[108]
    assert not any(levels(Outlier(), daily(values)))
    values[108] -= 0.1
    assert breached_at(levels(Outlier(), daily(values))) == [108]


def test_a_saturday_as_bad_as_a_weekday_is_out_of_season(daily, levels, steady):
    values = 0.5 - 0.2 * WEEKEND + (steady(120) - 0.95)
    values[108] = 0.5
    assert breached_at(levels(Outlier(), daily(values, better=Direction.LOWER))) == [108]


def test_before_its_weeks_can_be_told_a_weekend_is_compared_with_the_last(daily, levels, steady):
    values = steady(36) - 0.2 * WEEKEND[:36]
    assert not any(levels(Outlier(), daily(values)))
    values[32] -= 0.5
    assert breached_at(levels(Outlier(), daily(values))) == [32]


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(0.95 - 0.004 * np.arange(120), id="a steady fall"),
        pytest.param([0.9] * 60, id="always the same"),
        pytest.param([0.9] * 50 + [0.8999] * 10, id="a last decimal"),
        pytest.param([0.95, 0.2] * 4, id="too little history"),
    ],
)
def test_nothing_single_stands_out(daily, levels, values):
    noise = 0.003 * np.random.default_rng(2).standard_normal(len(values)) if len(values) == 120 else 0.0
    assert not any(levels(Outlier(), daily(np.asarray(values) + noise)))


def test_one_bad_day_of_the_past_hides_no_other(daily, levels, steady):
    values = steady(80)
    values[[50, 60, 70]] = 0.2, 0.85, 0.85
    assert breached_at(levels(Outlier(), daily(values))) == [50, 60, 70]


@pytest.mark.parametrize(
    ("cases", "breached"),
    [
        pytest.param({"support": np.where(np.arange(60) == 50, 8.0, 4000.0), "proportion": True}, [], id="8 games"),
        pytest.param({"support": np.full(60, 4000.0), "proportion": True}, [50], id="as many as ever"),
        pytest.param({"support": np.where(np.arange(60) == 50, 8.0, 4000.0)}, [], id="a mean of 8"),
        pytest.param({"rows": np.where(np.arange(60) == 50, 8.0, 4000.0)}, [], id="of some of 8 rows"),
        pytest.param({}, [50], id="of unknown cases"),
    ],
)
def test_a_period_of_few_cases_must_lie_further_out(daily, levels, steady, cases, breached):
    values = steady(60)
    values[50] = 0.75
    assert breached_at(levels(Outlier(), daily(values, **cases))) == breached


def test_a_share_that_was_always_one_may_miss_a_case(daily, levels):
    values = [1.0] * 50 + [0.98]
    assert not any(levels(Outlier(), daily(values, support=[50.0] * 51, proportion=True)))
    assert breached_at(levels(Outlier(), daily([1.0] * 50 + [0.5], support=[50.0] * 51, proportion=True))) == [50]


def test_a_small_period_is_neither_judged_nor_a_reference(daily, levels, steady):
    values, rows = steady(60), np.where(np.arange(60) % 2 == 1, 3.0, 500.0)
    values[1::2] = np.random.default_rng(4).random(30)
    values[56] = 0.8
    assert breached_at(levels(Outlier(), daily(values, rows=rows), QueryContext(min_count=30))) == [56]


def test_it_says_how_far_out_and_ends_with_the_period(daily, steady):
    values = steady(60)
    values[50] = 0.80
    (episode,) = replay([daily(values)], Rule("one bad day", Outlier(4.5, 8.0), "*"))[0]
    assert (episode.severity, episode.periods) == (Severity.CRITICAL, 1)
    assert episode.breach.message == "0.800 18.0 deviations below baseline 0.948"
    assert 0.80 < episode.breach.limit < 0.948
    assert episode.resolved > episode.fired


def test_chance_makes_few(daily, levels):
    rng = np.random.default_rng(6)
    assert sum(any(levels(Outlier(), daily(rng.normal(size=365)))) for _ in range(60)) <= 3


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"warn": None}, "such as warn = 4.5"),
        ({"warn": -1.0}, "above 0"),
        ({"critical": 2.0}, "warn lies above critical"),
        ({"warn": float("nan")}, "numbers of deviations"),
        ({"periods": 5}, "least from 4 up to periods"),
        ({"least": 2}, "least from 4"),
    ],
)
def test_a_parameter_without_sense_is_refused(given, word):
    with pytest.raises(ValueError, match=word):
        Outlier(**given)


@given(values=st.lists(st.sampled_from([0.0, 0.5, 1.0]), max_size=40))
@settings(max_examples=60, deadline=None)
def test_a_series_of_any_length_has_a_level_a_point(daily, levels, values):
    severities = levels(QUICK, daily(values))
    assert len(severities) == len(values)
    assert not any(severities[:8])


@pytest.mark.parametrize("detector", [QUICK, Outlier(1.0, least=4, outside=True), Trend(periods=8, p=0.05)])
@settings(max_examples=40, deadline=None)
@given(values=st.lists(st.one_of(st.floats(allow_nan=False), st.sampled_from([0.0, 1e-300, 1e200])), max_size=40))
@example(values=[0.0] * 20 + [13.0])
@example(values=[0.0] * 20 + [9e99])
def test_no_value_is_too_strange_to_be_judged(daily, levels, detector, values):
    severities = levels(detector, daily(values))
    assert {level for value, level in zip(values, severities, strict=True) if not abs(value) < 1e100} <= {0}
