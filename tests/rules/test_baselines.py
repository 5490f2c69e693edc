"""What each point is compared with: against loops, one per baseline."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.core.series import SeriesKey
from modeltop.rules.baselines.other_series import OtherSeriesBaseline
from modeltop.rules.baselines.past import DateRange, FirstPeriods, Rolling, SameWeekday

START = datetime(2025, 1, 1, tzinfo=UTC)
ALL = [
    Rolling(7, 3),
    FirstPeriods(5),
    DateRange(datetime(2025, 1, 4, tzinfo=UTC), datetime(2025, 1, 9, tzinfo=UTC)),
    SameWeekday(2, 1),
]


def window(baseline, at, evaluable):
    """Return the indices of the baseline of the point `at`."""
    before = [index for index in range(at) if evaluable[index]]
    match baseline:
        case Rolling():
            return before[-baseline.max_periods :] if len(before) >= baseline.min_periods else []
        case FirstPeriods():
            first = [index for index in range(len(evaluable)) if evaluable[index]][: baseline.periods]
            return first if len(first) == baseline.periods and first[-1] < at else []
        case DateRange():
            return [index for index in before if 3 <= index < 8] if at >= 8 else []
        case SameWeekday():
            weekday_periods = [index for index in before if index % 7 == at % 7][-baseline.periods :]
            return weekday_periods if len(weekday_periods) >= baseline.min_periods else []


@pytest.mark.parametrize("baseline", ALL, ids=lambda baseline: type(baseline).__name__)
@given(seed=st.integers(0, 10_000))
def test_each_point_has_the_baseline_that_a_loop_finds(daily, baseline, seed):
    rng = np.random.default_rng(seed)
    values, cases = rng.normal(1e6, 1, 30), rng.choice([20.0, 80.0, 300.0], 30)
    series = daily(values, support=cases)
    evaluable = cases >= 50
    stats = baseline.stats(series, min_count=50)
    for at in range(30):
        indices = window(baseline, at, evaluable)
        assert stats.periods[at] == len(indices)
        assert sorted(stats.pool[stats.start_index[at] :][: len(indices)]) == sorted(values[indices])
        if indices:
            assert stats.mean[at] == pytest.approx(values[indices].mean(), rel=1e-12)
            assert stats.pooled_mean[at] == pytest.approx(np.average(values[indices], weights=cases[indices]), rel=1e-9)
            assert stats.mean_inverse_support[at] == pytest.approx((1 / cases[indices]).mean())
            assert stats.support[at] == cases[indices].sum()
        if len(indices) > 1:
            # Doubles near 1e6 lie 1e-10 apart: of two values that almost agree no deviation is known any better.
            assert stats.std[at] == pytest.approx(values[indices].std(ddof=1), rel=1e-6, abs=2e-10)


def test_where_the_support_of_one_period_is_unknown_that_of_the_baseline_is(daily):
    stats = FirstPeriods(3).stats(daily([0.9, 0.8, 0.7, 0.6], support=[10.0, np.nan, 10.0, 10.0]))
    assert np.isnan(stats.support[3])
    assert stats.pooled_mean[3] == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("other", "key"),
    [
        (OtherSeriesBaseline(model="champion"), SeriesKey("champion", "accuracy")),
        (OtherSeriesBaseline(metric="recall", segment="eu"), SeriesKey("fraud", "recall", "eu")),
    ],
)
def test_another_series_is_found_by_what_is_named(daily, other, key):
    series = daily([0.9])
    assert other.other_key(series.key) == key
    assert OtherSeriesBaseline.stats(other, series).periods.tolist() == [0]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Rolling(3, 4),
        lambda: FirstPeriods(1),
        lambda: SameWeekday(0),
        lambda: DateRange(START, START),
        OtherSeriesBaseline,
    ],
)
def test_a_baseline_of_nothing_is_refused(make):
    with pytest.raises(ValueError, match=r"compare|before"):
        make()


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        pytest.param(0, None, id="no period"),
        pytest.param(10, None, id="nine before it are too little history"),
        pytest.param(11, (0, 10), id="ten are enough"),
        pytest.param(200, (139, 199), id="and sixty the most, the newest of them"),
    ],
)
def test_a_period_is_compared_with_the_earlier_ones_but_never_with_itself(daily, length, expected):
    window = Rolling().window(daily(range(length)))
    assert expected == (window and (window.values[0], window.values[-1] + 1))


def test_only_judged_periods_are_a_reference_and_their_columns_stay_beside_them(daily):
    values = np.arange(30.0)
    values[3] = np.inf
    support = np.where(np.arange(30) % 2, 500.0, 5.0)
    provisional = np.arange(30) == 5
    window = Rolling().window(daily(values, support=support, provisional=provisional), min_count=30)
    assert window.values.tolist() == [1, *range(7, 29, 2)]
    assert set(window.support) == {500.0}
    assert len(window.times) == len(window.provisional) == 12
    assert window.rows is None
