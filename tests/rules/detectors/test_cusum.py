"""Lasting falls: against a loop written from the docstring, and by what a person expects of them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltop.core.series import Direction, Severity, to_datetime
from modeltop.rules.detectors.base import QueryContext
from modeltop.rules.detectors.cusum import SKEWED_CASES, LastingShift
from modeltop.rules.replay import replay
from modeltop.rules.rule import Rule
from tests.core.stats.cusum_by_value import runs_by_value


def cases_weight(cases, usual, skewed):
    if np.isnan(cases):
        return 1.0
    ratio = min(cases / usual if usual > 0 else 1.0, 1.0)
    return math.sqrt(ratio * (cases / (cases + skewed)) if skewed else ratio)


def by_value(series, min_count, sign):
    """Return score and start of the runs with an alarm at each point, value by value, of a default rule."""
    evaluable = series.evaluable(min_count)
    points, values = np.flatnonzero(evaluable), series.values[evaluable]
    noise = trust = None
    if series.support is not None and series.proportion:
        cases = np.where(series.support[evaluable] > 0, series.support[evaluable], 1.0)
        values = np.arcsin(np.sqrt((np.clip(values * cases, 0, cases) + 0.375) / (cases + 0.75)))
        noise = (1 / (4 * cases + 2)).tolist()
    elif series.support is not None or series.rows is not None:
        support = series.effective_support()[evaluable].tolist()
        usual = [np.nansum(support[:place]) / max(place, 1) for place in range(len(support))]
        skewed = SKEWED_CASES if series.support is None else 0.0
        trust = [cases_weight(*pair, skewed) for pair in zip(support, usual, strict=True)]
    score, start = np.zeros(len(series)), np.arange(len(series))
    sign = -sign if series.better is Direction.LOWER else sign
    for first, scores in runs_by_value((sign * values).tolist(), noise=noise, trust=trust):
        places = points[first : first + len(scores)]
        score[places], start[places] = scores, places[0]
    return score.tolist(), start.tolist()


def some_series(daily, rng):
    """Return a series of up to 400 periods, some of them not evaluable, with falls and rises in it."""
    number = int(rng.integers(1, 400))
    level = 0.9 + 0.06 * np.sign(np.sin(np.arange(number) / rng.uniform(5, 60))) * (rng.random() < 0.7)
    values = np.clip(level + rng.normal(0, 0.01, number), 0, 1).round(int(rng.integers(1, 8)))
    values[rng.random(number) < 0.02] = np.inf
    columns = {}
    if rng.random() < 0.7:
        columns["support"] = np.where(rng.random(number) < 0.1, np.nan, rng.integers(0, 900, number).astype(float))
    if rng.random() < 0.5:
        columns["rows"] = rng.integers(10, 1000, number).astype(float)
    if rng.random() < 0.5:
        columns["provisional"] = rng.random(number) < 0.05
    better = Direction.HIGHER if rng.random() < 0.5 else Direction.LOWER
    return daily(values, better=better, proportion=bool(rng.random() < 0.5), **columns)


@given(st.integers(0, 1_000_000), st.sampled_from([0, 30]))
@settings(max_examples=60)
def test_any_batch_of_series_has_the_runs_of_a_loop_value_by_value(daily, seed, min_count):
    rng = np.random.default_rng(seed)
    batch = [some_series(daily, rng) for _ in range(4)]
    for series, scan in zip(batch, LastingShift().prepare(batch, QueryContext(min_count=min_count)), strict=True):
        score, start = by_value(series, min_count, 1.0)
        assert (scan is not None) == any(score)
        if scan is not None:
            assert ((scan.excess > 0).tolist(), scan.start.tolist()) == ([each > 0 for each in score], start)
            assert scan.excess.max() == max(score)


@given(st.integers(0, 1_000_000))
@settings(max_examples=30)
def test_a_change_in_either_direction_is_the_larger_of_the_two(daily, seed):
    series = some_series(daily, np.random.default_rng(seed))
    (scan,) = LastingShift(outside=True).prepare([series], QueryContext())
    scores = [by_value(series, 0, sign)[0] for sign in (1.0, -1.0)]
    peaks = np.zeros(len(series)) if scan is None else scan.excess
    assert ((np.max(scores, axis=0) > 0) == (peaks > 0)).all()


def test_values_too_large_to_be_squared_are_far_off(daily, steady, levels):
    values = steady(40)
    values[30:] = 1e300
    assert any(levels(LastingShift(), daily(values, better=Direction.LOWER)))


def test_many_series_side_by_side_are_judged_as_each_alone(daily, steady):
    series_batch = []
    for number in range(30):
        values = steady(40 + 5 * (number % 7), number) - 0.04 * (np.arange(40 + 5 * (number % 7)) > 30)
        columns = {"support": np.full(len(values), 500.0)} if number % 3 else {}
        series_batch.append(daily(values, proportion=number % 2 == 0, **columns))
    batch_results = LastingShift().prepare(series_batch, QueryContext())
    single_results = [LastingShift().prepare([series], QueryContext())[0] for series in series_batch]
    assert [batched is None for batched in batch_results] == [batched is None for batched in single_results]
    assert sum(batched is not None for batched in batch_results) > 20
    for batched, single in zip(batch_results, single_results, strict=True):
        assert batched is None or (batched.excess.tolist(), batched.start.tolist()) == (
            single.excess.tolist(),
            single.start.tolist(),
        )


def test_series_with_cases_of_their_own_or_in_common_are_weighed_as_each_alone(daily, steady):
    rng, cases, series_batch = np.random.default_rng(5), {}, []
    for number in range(24):
        length = 50 + 10 * (number % 3)
        values = steady(length, number) - 0.02 * (np.arange(length) > 35)
        own = np.where(rng.random(length) < 0.1, np.nan, rng.integers(1, 40, length).astype(float))
        cases.setdefault((length, number % 4), own)
        series_batch.append(daily(values, **{("support", "rows")[number % 2]: cases[length, number % 4]}))
    together = LastingShift().prepare(series_batch, QueryContext())
    alone = [LastingShift().prepare([series], QueryContext())[0] for series in series_batch]
    excess = [[None if scan is None else scan.excess.tolist() for scan in scans] for scans in (together, alone)]
    assert excess[0] == excess[1]
    assert len({str(each) for each in excess[0]}) > 8


def test_only_the_bad_direction_breaches_unless_the_rule_says_outside(daily, steady, levels, change):
    values = steady(60) + change.sign * 0.05 * (np.arange(60) >= 40)
    assert any(levels(LastingShift(outside=change.outside), daily(values, better=change.better))) == change.breaches


def test_an_episode_begins_where_the_fall_did_and_ends_where_it_was_made_good(daily, steady):
    values = steady(80) - 0.05 * ((np.arange(80) >= 40) & (np.arange(80) < 60))
    (episode,) = replay([daily(values)], Rule("fall", LastingShift(), "*"))[0]
    times = daily(values).times
    assert episode.since == to_datetime(times[40])
    assert to_datetime(times[41]) <= episode.fired <= to_datetime(times[44])
    assert to_datetime(times[60]) <= episode.resolved <= to_datetime(times[64])
    assert episode.severity is Severity.WARNING
    assert episode.worst_breach.limit == pytest.approx(0.95, abs=0.005)
    assert ", baseline 0.950" in episode.worst_breach.message
    assert episode.breach.message.endswith("back to baseline 0.950")


@pytest.mark.parametrize(
    ("change", "objects"),
    [
        pytest.param(lambda day: 0.3 * (day == 40), False, id="one terrible day is no lasting fall"),
        pytest.param(lambda day: 0.03 * (day >= 40), True, id="three deviations that stay are"),
        pytest.param(lambda day: 0.02 * np.clip(day - 40, 0, 10) / 10, True, id="and so is a fade"),
        pytest.param(lambda day: 0.05 * (day % 7 >= 5), False, id="weekends are usual"),
        pytest.param(lambda day: 0.05 * (day >= 2), False, id="what was so nearly from the start is usual"),
    ],
)
def test_what_lasts_is_told_from_what_does_not(daily, steady, levels, change, objects):
    assert any(levels(LastingShift(), daily(steady(75) - change(np.arange(75))))) == objects


@pytest.mark.parametrize(
    ("size", "periods"),
    [
        pytest.param(0.5, 3, id="even of a collapse it takes three: one or two are no lasting fall"),
        pytest.param(0.045, 3, id="of four and a half deviations it takes three"),
    ],
)
def test_how_many_periods_it_takes_is_a_matter_of_size(daily, steady, levels, size, periods):
    severities = levels(LastingShift(), daily(steady(60) - size * (np.arange(60) >= 40)))
    assert severities.index(Severity.WARNING) == 40 + periods - 1


def test_what_has_lasted_long_is_what_is_usual(daily, steady):
    values = steady(320) - 0.05 * (np.arange(320) >= 60)
    (episode,) = replay([daily(values)], Rule("fall", LastingShift(), "*"))[0]
    assert episode.resolved == to_datetime(daily(values).times[180])


def test_a_share_of_few_cases_may_lie_far_off_by_chance(daily, levels):
    rng = np.random.default_rng(5)
    cases = np.where(np.arange(90) < 60, 10_000, 40)
    values = rng.binomial(cases, 0.93) / cases
    assert not any(levels(LastingShift(), daily(values, support=cases.astype(float), proportion=True)))
    same = np.where(np.arange(90) < 60, values, 0.91)
    assert any(levels(LastingShift(), daily(same, support=np.full(90, 10_000.0), proportion=True)))


def test_a_mean_of_few_cases_counts_for_less(daily, levels, steady):
    values = steady(64) - 0.03 * (np.arange(64) >= 60)
    few = np.where(np.arange(64) < 60, 1000.0, 100.0)
    assert any(levels(LastingShift(), daily(values, support=np.full(64, 1000.0))))
    assert not any(levels(LastingShift(), daily(values, support=few)))


def test_small_and_provisional_periods_are_neither_judged_nor_a_reference(daily, steady):
    values, small = steady(80), np.arange(80) % 2 == 1
    values[small] -= 0.2
    series = daily(values, rows=np.where(small, 5.0, 500.0), provisional=np.arange(80) == 30)
    assert replay([series], Rule("fall", LastingShift(), "*", min_count=30))[0] == []
    (basis,) = LastingShift(warn=0.1).prepare([series], QueryContext(min_count=30))
    assert not basis.excess[small].any()
    assert basis.excess[30] == 0


def test_a_series_that_never_varied_objects_to_a_change_that_counts(daily, levels):
    values = [1.0] * 30 + [0.9999] * 20
    assert not any(levels(LastingShift(), daily(values)))
    assert any(levels(LastingShift(), daily([1.0] * 30 + [0.99] * 5)))
    assert any(levels(LastingShift(), daily([0.0] * 30 + [0.01] * 5, better=Direction.LOWER)))


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"warn": None}, "needs"),
        ({"warn": -1.0}, "above 0"),
        ({"critical": 2.0}, "warn lies above critical"),
        ({"slack": math.nan}, "finite"),
        ({"periods": 5}, "least"),
        ({"back": 0}, "back"),
    ],
)
def test_a_parameter_without_sense_is_refused(given, word):
    with pytest.raises(ValueError, match=word):
        LastingShift(**given)


def test_both_levels_are_reached_one_after_the_other(daily, steady, levels):
    severities = levels(LastingShift(critical=20.0), daily(steady(70) - 0.04 * (np.arange(70) >= 40)))
    assert severities.index(Severity.WARNING) < severities.index(Severity.CRITICAL)
    assert severities[-1] == Severity.CRITICAL
