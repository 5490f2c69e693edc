"""What goes on getting worse: against scipy and statsmodels point by point, and by what a person expects."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats

from modeltop.core.series import Direction, Severity
from modeltop.core.stats.trend_tests import mann_kendall
from modeltop.core.text import format_value
from modeltop.rules.detectors.base import QueryContext
from modeltop.rules.detectors.trend import Trend
from modeltop.rules.replay import replay
from modeltop.rules.rule import Rule

FALL = -0.04 * np.clip((np.arange(80) - 40) / 30, 0, 1)


def scipy_changes(days, periods, values):
    """Return, by scipy, how far the line of each window went where it is significant; autocorrelation is ours."""
    change = np.zeros(len(values))
    for last in range(periods - 1, len(values)):
        window = slice(last + 1 - periods, last + 1)
        slope = stats.theilslopes(values[window], days[window]).slope
        tau = stats.kendalltau(days[window], values[window], method="asymptotic", alternative="less")
        if tau.pvalue < 0.05 and mann_kendall(values[window], times=days[window]).p <= 2 * 0.01 and slope < 0:
            change[last] = -slope * (days[window][-1] - days[window][0])
    return change


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), ties=st.booleans(), slope=st.sampled_from([-0.02, 0.0, 0.02]))
@example(seed=77, ties=True, slope=-0.02)  # exactly on the limit: the last bit of scipy lies beyond it, ours does not
@example(seed=205, ties=True, slope=-0.02)  # the other way round
def test_it_breaches_where_the_line_of_scipy_fell_significantly_and_as_far(daily, seed, ties, slope):
    rng = np.random.default_rng(seed)
    days = np.cumsum(rng.integers(1, 4, 40))
    values = 0.9 + slope * np.arange(40) + 0.05 * rng.standard_normal(40)
    values = np.round(values, 1) if ties else values
    detector = Trend(warn=0.05, periods=12, p=0.01)
    (basis,) = detector.prepare([daily(values, days=days)], QueryContext())
    expected = scipy_changes(days.astype(float), 12, values)
    too_far = np.round(expected, 12) > 0.05
    excess = np.nan_to_num(np.maximum(basis.excess, 0)) if basis else np.where(too_far, 0, expected)
    assert excess == pytest.approx(expected, rel=1e-9)
    assert basis is None or (basis.levels > 0).tolist() == too_far.tolist()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(1, 59), outside=st.booleans())
def test_each_point_is_graded_by_the_past_alone_and_as_a_call_grades_it(daily, last_breach, seed, cut, outside):
    rng = np.random.default_rng(seed)
    values = np.clip(0.9 - 0.01 * rng.choice([-1, 1]) * np.arange(60) + 0.05 * rng.standard_normal(60), 0, 1)
    cases = rng.integers(5, 4000, 60).astype(float)
    series = daily(values, support=cases, proportion=True, provisional=rng.random(60) < 0.1)
    detector, context = Trend(0.0, 0.1, periods=10, p=0.05, outside=outside), QueryContext(min_count=30)
    full, prefix = (detector.prepare([rows], context)[0] for rows in (series, series[:cut]))
    levels = full.levels[:cut].tolist() if full else [0] * cut
    assert levels == (prefix.levels.tolist() if prefix else [0] * cut)
    for current_level in (Severity.OK, Severity.WARNING, Severity.CRITICAL) if full else ():
        breach = last_breach(detector, series[:cut], full[:cut], current_level)
        assert (int(breach.severity) if breach else 0) == full.levels_while(current_level)[cut - 1]


def test_only_the_bad_direction_breaches_unless_the_rule_says_outside(daily, levels, steady, change):
    severities = levels(Trend(outside=change.outside), daily(steady(80) - change.sign * FALL, better=change.better))
    assert any(severities[50:]) is change.breaches
    assert not any(severities[:41])


@pytest.mark.parametrize(
    ("warn", "critical", "worst"),
    [
        pytest.param(0.0, None, Severity.WARNING, id="however far"),
        pytest.param(0.06, None, Severity.OK, id="not so far"),
        pytest.param(0.01, 0.025, Severity.CRITICAL, id="far enough to be critical"),
        pytest.param(None, 0.025, Severity.CRITICAL, id="critical alone"),
    ],
)
def test_how_far_it_may_go_is_in_the_unit_of_the_metric(daily, levels, steady, warn, critical, worst):
    assert max(levels(Trend(warn, critical), daily(steady(80) + FALL))) == worst


@pytest.mark.parametrize("first", [0.98, 0.95, 0.9, 0.81, 0.62])
@pytest.mark.parametrize("step", [0.001, 0.005, 0.01])
def test_exactly_on_the_limit_is_fine(daily, levels, first, step):
    size = round(10 * step, 6)
    series = daily(np.round(first - step * np.arange(11), 6), days=300 + np.arange(11))
    assert levels(Trend(size, periods=11, p=0.01), series)[-1] == Severity.OK
    assert levels(Trend(size - 1e-6, periods=11, p=0.01), series)[-1] == Severity.WARNING
    assert levels(Trend(size / 2, size, periods=11, p=0.01), series)[-1] == Severity.WARNING


@pytest.mark.parametrize("pace", [0.002, 0.005, 0.01, 0.02])
def test_a_fall_is_found_within_three_weeks_of_its_begin_however_steep(daily, levels, steady, pace):
    breached = breached_at(levels(Trend(), daily(steady(80) - pace * np.maximum(np.arange(80) - 39, 0))))
    assert 40 < breached[0] < 62


@pytest.mark.parametrize("outliers", [[75], [60, 79], [50, 51, 52]])
def test_outliers_are_no_trend(daily, levels, steady, outliers):
    values = steady(80)
    values[outliers] = 0.1
    assert not any(levels(Trend(), daily(values)))


def test_shares_must_go_further_than_their_chance(daily, levels):
    values = 0.9 - 0.002 * np.arange(30) + 0.001 * (np.arange(30) % 2)
    for cases, breaches in ((20.0, False), (20_000.0, True)):
        severities = levels(Trend(), daily(values, support=np.full(30, cases), proportion=True))
        assert any(severities) is breaches


def test_a_few_games_at_the_end_make_no_trend_of_a_season(daily, levels, steady):
    values = steady(30) - 0.01 * np.maximum(np.arange(30) - 12, 0)
    cases = np.where(np.arange(30) < 12, 3000.0, 4.0)
    assert any(levels(Trend(p=0.001), daily(values)))
    assert not any(levels(Trend(p=0.001), daily(values, support=cases, proportion=True)))


def test_a_weekly_season_alone_is_no_trend(daily, levels, steady):
    assert not any(levels(Trend(), daily(steady(200) - 0.1 * (np.arange(200) % 7 >= 5))))


def test_days_that_are_missing_are_days(daily):
    days = np.concatenate([np.arange(15), 100 + np.arange(15)])
    (basis,) = Trend().prepare([daily(0.9 - 0.001 * days, days=days)], QueryContext())
    assert basis.change[-1] == pytest.approx(-0.114)
    assert basis.baseline[-1] == pytest.approx(0.9)


def test_too_short_a_past_is_said_and_not_judged(daily, levels):
    detector = Trend(periods=20)
    assert detector.min_history == 19
    assert breached_at(levels(detector, daily(0.9 - 0.01 * np.arange(25)))) == [19, 20, 21, 22, 23, 24]


def breached_at(severities):
    return [index for index, level in enumerate(severities) if level]


def test_what_is_told_stays_told_while_it_goes_on_less_surely(daily, steady):
    series = daily(steady(150) - 0.0009 * np.arange(150))
    detector = Trend(0.0, 0.03, p=0.001)
    (basis,) = detector.prepare([series], QueryContext())
    free, warned, critical = (basis.levels_while(active) for active in (0, 1, 3))
    assert set(breached_at(free)) < set(breached_at(warned)) == set(breached_at(critical))
    assert set(warned[free == 0].tolist()) == {0, int(Severity.WARNING)}
    assert (critical >= warned).all()
    first = breached_at(free)[0]
    assert not warned[:first].any()


def test_it_says_how_far_it_went_and_from_where(daily, steady):
    (episode,) = replay([daily(steady(80)[:72] + FALL[:72])], Rule("slow", Trend(), "*"))[0]
    assert episode.severity == Severity.WARNING
    assert episode.breach.message == "0.907 down by 0.037 in 30 periods"
    assert episode.breach.limit == pytest.approx(0.95, abs=0.01)


def test_a_loss_goes_up(daily, steady):
    (episode,) = replay([daily(steady(72) - FALL[:72], better=Direction.LOWER)], Rule("slow", Trend(), "*"))[0]
    assert "up by 0.0" in episode.breach.message


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"warn": None}, "such as warn = 0.02"),
        ({"warn": -0.1}, "distances"),
        ({"warn": 0.2, "critical": 0.1}, "warn lies above critical"),
        ({"p": 0.7}, "p = 0.7"),
        ({"stay": 0.0}, "stay = 0"),
        ({"periods": 5}, "give 8 or more"),
    ],
)
def test_a_parameter_without_sense_is_refused(given, word):
    with pytest.raises(ValueError, match=word):
        Trend(**given)


@pytest.mark.parametrize(
    ("detector", "sentence"),
    [
        (Trend(), "recall declining in 30 periods however far warns (significance level 0.0001)"),
        (
            Trend(0.02, 0.05, periods=42, p=0.001, outside=True),
            (
                "recall rising or falling in 42 periods by more than 0.02 warns, by more than 0.05 is critical "
                "(significance level 0.001)"
            ),
        ),
    ],
)
def test_a_detector_is_described_in_words(detector, sentence):
    assert detector.describe("recall", format_value, "") == sentence
