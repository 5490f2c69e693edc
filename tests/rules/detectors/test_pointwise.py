"""Drop, band and difference: against statsmodels and scipy, and by tables."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import median_abs_deviation
from statsmodels.stats.proportion import proportions_ztest

from modeltop.core.series import Direction, Severity
from modeltop.rules.baselines.other_series import OtherSeriesBaseline
from modeltop.rules.baselines.past import FirstPeriods, Rolling, SameWeekday
from modeltop.rules.detectors.band import Band
from modeltop.rules.detectors.base import QueryContext
from modeltop.rules.detectors.difference import Difference
from modeltop.rules.detectors.drop import Drop, DropThreshold, score_test
from modeltop.rules.detectors.limit import Limit
from modeltop.rules.replay import replay
from modeltop.rules.rule import Rule

OK, WARNING, CRITICAL = int(Severity.OK), int(Severity.WARNING), int(Severity.CRITICAL)
FIRST = QueryContext(FirstPeriods(4))


@given(
    st.integers(20, 5000), st.integers(20, 5000), st.floats(0.02, 0.98), st.floats(0.02, 0.98), st.sampled_from([-1, 1])
)
def test_the_score_test_is_that_of_two_proportions(daily, cases, before, current_rate, past_rate, sign):
    hits, past_hits = round(cases * current_rate), round(before * past_rate)
    assume(0 < hits + past_hits < cases + before)
    series = daily(
        [past_hits / before] * 2 + [hits / cases], support=[before / 2, before / 2, float(cases)], proportion=True
    )
    stats = FirstPeriods(2).stats(series)
    fall = sign * (stats.pooled_mean - series.values)
    expected = proportions_ztest([past_hits, hits], [before, cases])[0] * sign
    assert score_test(fall, series, stats)[-1] == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("fall", "expected"),
    [
        pytest.param(DropThreshold(absolute=0.02), [OK, OK, WARNING], id="more than so much"),
        pytest.param(DropThreshold(relative=0.05), [OK, OK, WARNING], id="more than a share of it"),
        pytest.param(DropThreshold(relative=0.06), [OK, OK, OK], id="a larger share"),
        pytest.param(DropThreshold(p=0.01), [OK, OK, WARNING], id="more than chance"),
        pytest.param(DropThreshold(absolute=0.02, p=1e-9), [OK, OK, OK], id="all that is given must be met"),
    ],
)
def test_a_drop_is_as_large_as_was_asked(daily, levels, fall, expected):
    series = daily([0.9] * 4 + [0.9, 0.88, 0.85], support=np.full(7, 1000.0), proportion=True)
    assert levels(Drop(warn=fall), series, FIRST) == [OK] * 4 + expected


@pytest.mark.parametrize(
    ("given", "better", "value", "expected"),
    [
        pytest.param({}, Direction.HIGHER, 0.95, OK, id="better is fine"),
        pytest.param({"outside": True}, Direction.HIGHER, 0.95, WARNING, id="unless the rule says outside"),
        pytest.param({}, Direction.LOWER, 0.95, WARNING, id="higher is worse where lower is better"),
        pytest.param({}, Direction.NEITHER, 0.5, OK, id="neither way is bad"),
        pytest.param({"outside": True}, Direction.NEITHER, 0.5, CRITICAL, id="both may be asked for"),
        pytest.param({}, Direction.HIGHER, 0.7, CRITICAL, id="the worse level wins"),
    ],
)
def test_a_drop_asks_for_the_bad_direction(daily, levels, given, better, value, expected):
    detector = Drop(DropThreshold(absolute=0.02), DropThreshold(absolute=0.1), **given)
    assert levels(detector, daily([0.9] * 4 + [value], better=better), FIRST)[-1] == expected


def test_a_drop_by_chance_needs_known_cases(daily, levels):
    assert not any(levels(Drop(warn=DropThreshold(p=0.01)), daily([0.9] * 4 + [0.1]), FIRST))


def test_a_drop_says_from_where_it_fell(daily):
    (alert,) = replay([daily([0.9] * 10 + [0.8])], Rule("drop", Drop(critical=DropThreshold(absolute=0.05)), "*"))[0]
    assert alert.breach.message == "0.800, baseline 0.900"
    assert (alert.severity, alert.breach.limit) == (Severity.CRITICAL, pytest.approx(0.9))


@given(st.lists(st.floats(0.1, 0.99), min_size=12, max_size=40))
@pytest.mark.slow
def test_a_band_is_so_many_robust_deviations_wide(daily, values):
    series = daily(values)
    stats = Rolling(10, 4).stats(series)
    middle, scale = stats.robust()
    for index in range(4, len(values)):
        window = values[max(0, index - 10) : index]
        assert middle[index] == pytest.approx(np.median(window))
        assert scale[index] == pytest.approx(median_abs_deviation(window, scale="normal"), abs=1e-12)


def test_one_bad_day_of_the_past_widens_no_band(daily, levels, steady):
    values = steady(40)
    values[20] = 0.2
    severities = levels(Band(warn=5.0), daily([*values, 0.88]))
    assert severities[20] == severities[-1] == WARNING
    assert not any(severities[21:-1])


def test_a_weekly_season_is_compared_weekday_by_weekday(daily, levels, steady):
    values = steady(70) - 0.2 * (np.arange(70) % 7 >= 5)
    values[-1] -= 0.1
    context = QueryContext(SameWeekday(8))
    assert [index for index, level in enumerate(levels(Band(warn=5.0), daily(values), context)) if level] == [69]


def test_a_band_is_as_wide_as_chance_on_few_cases(daily, levels):
    small_sample = daily([0.9, 0.901, 0.899, 0.9, 0.902] * 4 + [0.8], support=[1e5] * 20 + [20.0], proportion=True)
    assert not any(levels(Band(warn=3.0), small_sample))
    large_sample = daily([0.9, 0.901, 0.899, 0.9, 0.902] * 4 + [0.8], support=[1e5] * 21, proportion=True)
    assert levels(Band(warn=3.0), large_sample)[-1] == WARNING


def test_two_metrics_are_compared_period_by_period(daily, levels):
    confidence = daily([0.95, 0.95, 0.95], better=Direction.NEITHER, metric="avg_confidence")
    accuracy = daily([0.94, 0.80], days=[0, 2])
    context = QueryContext(
        OtherSeriesBaseline(metric="accuracy"), other_series={accuracy.key: accuracy, confidence.key: confidence}
    )
    detector = Difference(warn=Limit(above=0.05), critical=Limit(above=0.2))
    assert levels(detector, confidence, context) == [OK, OK, WARNING]
    (alert,) = replay([confidence], Rule("gap", detector, "*", baseline=context.baseline), context.other_series)[0]
    assert alert.breach.message == "0.950 less 0.800 is 0.150 > 0.05"


@pytest.mark.parametrize(("p", "expected"), [(None, WARNING), (0.01, OK), (0.2, WARNING)])
def test_a_challenger_is_worse_than_the_champion_by_more_than_chance(daily, levels, p, expected):
    models = [daily([value], model=name, support=[500.0], proportion=True) for name, value in (("a", 0.9), ("b", 0.87))]
    context = QueryContext(OtherSeriesBaseline(model="a"), other_series={series.key: series for series in models})
    assert levels(Difference(warn=Limit(below=-0.02), p=p), models[1], context) == [expected]


@pytest.mark.parametrize(
    "make",
    [
        Drop,
        DropThreshold,
        lambda: DropThreshold(absolute=-1),
        lambda: DropThreshold(p=0.7),
        Band,
        lambda: Band(warn=5, critical=3),
        lambda: Band(warn=float("inf")),
        Difference,
        lambda: Difference(warn=Limit(above=1), p=2),
    ],
)
def test_what_has_no_sense_is_refused_with_a_remedy(make):
    with pytest.raises(ValueError, match=r"give|such as|warn at|0 or more"):
        make()


@pytest.mark.parametrize(
    ("detector", "baseline"),
    [
        (Drop(warn=DropThreshold(absolute=0.03, p=0.05), outside=True), Rolling(10, 4)),
        (Band(warn=2.0), Rolling(10, 4)),
        (Band(warn=2.0), SameWeekday(3, 2)),
        (Difference(warn=Limit(below=-0.05)), FirstPeriods(5)),
    ],
)
@given(seed=st.integers(0, 1000), cut=st.integers(1, 39))
def test_what_was_judged_depends_on_nothing_after_it(daily, levels, detector, baseline, seed, cut):
    rng = np.random.default_rng(seed)
    series = daily(rng.uniform(0.5, 1, 40), support=rng.integers(5, 500, 40).astype(float), proportion=True)
    context = QueryContext(baseline, min_count=50)
    assert levels(detector, series, context)[:cut] == levels(detector, series[:cut], context)
