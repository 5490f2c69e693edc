"""Lasting falls: against a loop written from the docstring, and by what a person expects of them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from modeltop.core.series import Direction, Severity, to_datetime
from modeltop.core.stats.cusum import Cusum, Sequences, scan
from modeltop.rules.detectors.base import QueryContext
from modeltop.rules.detectors.cusum import LastingShift
from modeltop.rules.replay import replay
from modeltop.rules.rule import Rule

QUICK = Cusum(max_reference=8, min_reference=4, max_run=12)


def by_hand(values, noise, cusum):
    """Return the sum at each value of one sequence, and where its run began, in plain Python."""
    clipped, scores, starts, score, good, peak = [], [], [], 0.0, 0, 0.0
    baseline = None
    for row, value in enumerate(values):
        window = clipped[-cusum.max_reference :]
        earlier = [0.0, *clipped][-len(window) - 1 : -1] if window else []
        start = row
        if len(window) >= cusum.min_reference:
            size = len(window)
            mean = sum(window) / size
            variance = sum((value - mean) ** 2 for value in window) / (size - 1)
            has_noise = None if noise is None else sum(noise[max(0, row - size) : row]) / size
            if score <= 0:
                start, good, peak = row, 0, 0.0
                baseline = reference(window, earlier, has_noise, values[0], cusum) if mean > value else None
            if baseline is not None:
                spread = baseline["extra"] + (noise[row] if noise is not None else 0.0)
                away = (baseline["mean"] - value) / math.sqrt(max(spread, 1e-300))
                deviate = away * baseline["gain"]
                counted = min(deviate, cusum.cap) + (cusum.collapse if deviate >= 2.5 * cusum.cap else 0.0)
                score = max(0.0, score + counted - cusum.slack)
                good = good + 1 if away <= cusum.slack else 0
                peak = max(peak, score)
                start = row if not scores or scores[-1] <= 0 else starts[-1]
                if score <= 0 or (
                    peak > cusum.threshold and (good >= cusum.recovery_values or row - start >= cusum.max_run)
                ):
                    score = peak = 0.0
            reach = 3.5 * math.sqrt(variance)
            clipped.append(min(max(value, mean - reach), mean + reach))
        else:
            clipped.append(value)
        scores.append(score)
        starts.append(start if score > 0 else row)
    return scores, starts


def reference(window, earlier, has_noise, anchor, cusum):
    size = len(window)
    mean = sum(window) / size
    variance = sum((value - mean) ** 2 for value in window) / (size - 1)
    spread, doubt = max(variance, (1e-3 * mean) ** 2), cusum.scale_uncertainty
    if has_noise is not None:
        spread = max((1 - math.sqrt(2 / size)) * variance - has_noise, 0.0)
        doubt = 1.0 if spread > 0 else 0.0
    population = variance * (size - 1) / size
    shifted = [value - anchor for value in window]
    before = [value - anchor if index or value else 0.0 for index, value in enumerate(earlier)]
    together = sum(a * b for a, b in zip(shifted, before, strict=True)) / size - (mean - anchor) ** 2
    steady = min(max((together / population if population > 0 else 0.0) - 1 / math.sqrt(size), 0.0), 0.9)
    return {
        "mean": mean,
        "extra": spread * (1 + 1 / size),
        "gain": 1 / (1 + doubt / math.sqrt(2 * (size - 1))) * math.sqrt((1 - steady) / (1 + steady)),
    }


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("has_noise", [False, True], ids=["unknown", "known"])
def test_the_sum_is_that_of_a_plain_loop(seed, has_noise):
    rng = np.random.default_rng(seed)
    values = rng.normal(0.9, 0.02, 60) - 0.1 * (np.arange(60) > 30) * (np.arange(60) < 45)
    noise = np.full(60, 0.02**2 * 0.7) if has_noise else None
    path = scan(Sequences(values[:, None], None if noise is None else noise[:, None]), QUICK)
    scores, starts = by_hand(values.tolist(), None if noise is None else noise.tolist(), QUICK)
    assert_allclose(path.score[:, 0], scores, atol=1e-6)
    assert path.start[:, 0].tolist() == starts
    assert max(scores) > 1


@given(st.integers(0, 10_000), st.integers(1, 50))
@settings(max_examples=40)
def test_what_was_found_up_to_a_point_depends_on_nothing_after_it(seed, cut):
    values = np.random.default_rng(seed).normal(0.9, 0.02, (60, 3)) - 0.04 * (np.arange(60) > 30)[:, None]
    full, prefix = scan(Sequences(values), QUICK), scan(Sequences(values[:cut]), QUICK)
    for expected, actual in zip(full, prefix, strict=True):
        assert expected[:cut].tolist() == actual.tolist()


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
        assert batched is None or (batched.score.tolist(), batched.start.tolist()) == (
            single.score.tolist(),
            single.start.tolist(),
        )


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
    assert "below its usual 0.95" in episode.worst_breach.message
    assert episode.breach.message.endswith("near its usual 0.95 again")


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
        pytest.param(0.5, 2, id="of a collapse two periods are enough, and one is not"),
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
    assert not basis.score[small].any()
    assert basis.score[30] == 0


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
