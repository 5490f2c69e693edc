"""The bins of scores: every score has one, and their order is that of the scores."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from modeltop.predictions.aggregates.score_bins import BINS, NO_SCORE, bin_edges, score_bin

SCORES = st.floats(0.0, 1.0)


def test_there_are_192_bins_of_equal_width_between_two_tails_of_32():
    widths = np.diff(bin_edges())
    assert len(widths) == BINS == 256
    assert np.allclose(widths[32:224], 21 / 4096, rtol=1e-12)
    ratios = bin_edges()[2:33] / bin_edges()[1:32]
    assert np.allclose(ratios, (1e6 / 128) ** (1 / 32), rtol=1e-12)


def test_the_upper_tail_mirrors_the_lower():
    assert np.allclose(bin_edges() + bin_edges()[::-1], 1.0, rtol=0, atol=1e-15)


@given(SCORES)
def test_a_score_lies_between_the_edges_of_its_bin(score):
    index = int(score_bin(score))
    assert bin_edges()[index] <= score * (1 + 1e-12)
    assert score * (1 - 1e-12) <= bin_edges()[index + 1]


@given(SCORES, SCORES)
def test_a_higher_score_never_has_a_lower_bin(first, second):
    low, high = score_bin([min(first, second), max(first, second)])
    assert low <= high


@given(st.integers(0, 4096))
def test_scores_that_doubles_hold_exactly_fall_where_exact_arithmetic_says(step):
    score = step / 4096
    if 32 <= step < 4064:
        assert int(score_bin(score)) == 32 + (step - 32) // 21


def test_the_ends_are_in_the_outermost_bins_and_no_score_in_none():
    assert score_bin([0.0, 5e-324, 1e-7, 1 - 1e-7, 1.0]).tolist() == [0, 0, 0, 255, 255]
    assert score_bin(math.nan) == NO_SCORE


def test_bins_tell_scores_apart_where_a_rare_class_crowds():
    scores = np.geomspace(1e-5, 1e-2, 50)
    assert len(set(score_bin(scores).tolist())) > 20
    assert len(set(np.floor(scores * BINS).astype(int).tolist())) <= 3
