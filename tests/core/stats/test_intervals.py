"""Intervals of shares and of their differences, checked against statsmodels."""

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from modeltop.core.stats.intervals import newcombe, wilson

CASES = st.integers(1, 100_000)


@st.composite
def samples(draw):
    cases = draw(CASES)
    return draw(st.integers(0, cases)), cases


@settings(max_examples=100, deadline=None)
@given(samples())
def test_wilson_agrees_with_statsmodels(sample):
    hits, cases = sample
    expected = proportion_confint(hits, cases, alpha=0.05, method="wilson")
    assert wilson(hits / cases, cases) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=100, deadline=None)
@given(samples(), samples())
def test_newcombe_agrees_with_statsmodels(first_sample, second_sample):
    expected = confint_proportions_2indep(*first_sample, *second_sample, method="newcomb", compare="diff")
    assert newcombe(
        first_sample[0] / first_sample[1], first_sample[1], second_sample[0] / second_sample[1], second_sample[1]
    ) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("first_sample", "second_sample", "expected"),
    [
        pytest.param((56, 70), (48, 80), (0.0524, 0.3339), id="a"),
        pytest.param((9, 10), (3, 10), (0.1705, 0.8090), id="b"),
        pytest.param((5, 56), (0, 29), (-0.0381, 0.1926), id="d"),
        pytest.param((0, 10), (0, 20), (-0.1611, 0.2775), id="e"),
        pytest.param((10, 10), (0, 10), (0.6075, 1.0), id="g"),
    ],
)
def test_newcombe_gives_the_numbers_of_his_own_table(first_sample, second_sample, expected):
    # Newcombe 1998, Table II, method 10.
    assert newcombe(
        first_sample[0] / first_sample[1], first_sample[1], second_sample[0] / second_sample[1], second_sample[1]
    ) == pytest.approx(expected, abs=6e-5)


@given(samples())
def test_an_interval_contains_its_proportion_and_stays_within_bounds(sample):
    proportion = sample[0] / sample[1]
    low, high = wilson(proportion, sample[1])
    assert 0 <= low <= proportion <= high <= 1


@given(samples())
def test_an_interval_of_failures_mirrors_that_of_successes(sample):
    hits, cases = sample
    low, high = wilson(hits / cases, cases)
    assert wilson((cases - hits) / cases, cases) == pytest.approx((1 - high, 1 - low), abs=1e-12)


@given(st.floats(0, 1), CASES)
def test_more_cases_make_an_interval_narrower(proportion, cases):
    wide, narrow = wilson(proportion, cases), wilson(proportion, cases * 2)
    assert narrow[1] - narrow[0] < wide[1] - wide[0]


@given(samples(), samples())
def test_a_difference_lies_in_its_interval_and_turns_with_its_sign(first_sample, second_sample):
    first, second = first_sample[0] / first_sample[1], second_sample[0] / second_sample[1]
    low, high = newcombe(first, first_sample[1], second, second_sample[1])
    assert -1 - 1e-12 <= low <= first - second <= high <= 1 + 1e-12
    assert newcombe(second, second_sample[1], first, first_sample[1]) == pytest.approx((-high, -low), abs=1e-12)


@given(samples(), samples())
def test_proportions_whose_intervals_are_apart_differ(first_sample, second_sample):
    first, second = (
        wilson(first_sample[0] / first_sample[1], first_sample[1]),
        wilson(second_sample[0] / second_sample[1], second_sample[1]),
    )
    assume(first[1] < second[0])
    assert (
        newcombe(
            first_sample[0] / first_sample[1], first_sample[1], second_sample[0] / second_sample[1], second_sample[1]
        )[1]
        < 0
    )


@pytest.mark.parametrize(
    ("proportion", "cases"),
    [
        (0.5, None),
        (0.5, math.nan),
        (0.5, 0),
        (0.5, -3),
        (0.5, math.inf),
        (math.nan, 9),
        (1.2, 9),
        (-0.1, 9),
        (math.inf, 9),
    ],
)
def test_without_an_answer_there_is_no_interval(proportion, cases):
    assert wilson(proportion, cases) is None
    assert newcombe(proportion, cases, 0.5, 9) is None
    assert newcombe(0.5, 9, proportion, cases) is None
