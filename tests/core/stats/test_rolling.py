"""Sums and moments of many windows: against each window computed by itself."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.core.stats.rolling import rolling_moments, row_chunks, window_totals


def windows(number, size=20):
    high = np.arange(1, number + 1)
    return np.maximum(high - size, 0), high


@given(st.lists(st.floats(-1e12, 1e12) | st.sampled_from([1e17, -1e17, 1e-9]), min_size=1, max_size=80))
def test_a_window_has_the_sum_of_its_own_values_whatever_came_before(values):
    low, high = windows(len(values))
    totals = window_totals(np.array(values), low, high)
    for total, start, end in zip(totals.tolist(), low, high, strict=True):
        own = values[start:end]
        assert total == pytest.approx(math.fsum(own), rel=1e-9, abs=1e-9 * max(map(abs, own)) + 1e-9)


@pytest.mark.parametrize("place", [0, 5])
def test_a_huge_value_among_the_first_leaves_nothing_behind(place):
    values = np.random.default_rng(1).normal(0.9, 0.01, 300)
    values[place] = 1e17
    low, high = (ends[60:] for ends in windows(len(values)))
    mean, std = rolling_moments(values, low, high)
    spans = [values[start:end] for start, end in zip(low, high, strict=True)]
    assert mean == pytest.approx([own.mean() for own in spans], rel=1e-9)
    assert std == pytest.approx([own.std(ddof=1) for own in spans], rel=1e-6)


def test_the_moments_of_a_window_depend_on_nothing_after_it():
    values = np.random.default_rng(1).normal(0.9, 0.01, 300)
    whole = rolling_moments(values, *windows(300))
    part = rolling_moments(values[:200], *windows(200))
    assert all((first[1:200] == second[1:]).all() for first, second in zip(whole, part, strict=True))


@pytest.mark.parametrize("rows", [0, 1, 1_000, 5_000])
def test_chunks_are_all_rows_in_order(rows):
    chunks = [range(rows)[chunk] for chunk in row_chunks(rows, 60)]
    assert [row for chunk in chunks for row in chunk] == list(range(rows))
