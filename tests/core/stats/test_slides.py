"""Slow falls, by the seasonal test of Mann and Kendall."""

import numpy as np
import pytest

from modeltop.core.stats.cusum import Sequences
from modeltop.core.stats.slides import WINDOWS, slides
from modeltop.core.stats.trend_tests import mann_kendall_rows


def found(values, explained=None):
    batch = [values] if isinstance(values, np.ndarray) else values
    flat = np.concatenate(batch)
    explained = np.zeros(len(flat), dtype=np.bool_) if explained is None else explained
    sequences = Sequences(flat, np.array([len(each) for each in batch]))
    return list(slides(sequences, explained, lambda levels: np.full(np.shape(levels), 0.05)))


def test_it_equals_the_seasonal_test_by_pairs():
    """Hirsch, Slack and Smith 1982: S and its variance are sums over the places of the season; here pair by pair."""
    values = np.round(np.random.default_rng(1).normal(size=(3, 42)), 1)
    for row, z in zip(values, mann_kendall_rows(values, 7), strict=True):
        s = variance = 0.0
        for place in range(7):
            own = row[place::7]
            s += sum(np.sign(own[j] - own[i]) for i in range(6) for j in range(i + 1, 6))
            ties = sum(t * (t - 1) * (2 * t + 5) for t in np.unique(own, return_counts=True)[1])
            variance += (6 * 5 * 17 - ties) / 18
        assert z == pytest.approx(np.sign(s) * (abs(s) - 1) / np.sqrt(variance))


@pytest.mark.parametrize("length", WINDOWS)
def test_a_straight_line_is_found_in_each_window_with_its_level_and_nowhere_before(length):
    values = 0.9 - 0.06 / (length - 1) * np.arange(length)
    assert [(number, slide.end, slide.length) for number, slide in found(values)][-1:] == [(0, length - 1, length)]
    assert found(values)[-1][1].level == pytest.approx(0.9)
    assert [slide for _, slide in found(values[:-7]) if slide.length == length] == []


def test_rises_small_falls_and_levels_of_other_sequences_are_none():
    rise = np.linspace(0.7, 0.9, 100)
    assert found([rise, np.linspace(0.6, 0.56, 100), np.full(40, 0.3), np.full(10, 0.1)]) == []
    assert {number for number, _ in found([rise, rise[::-1]])} == {1}


def test_no_slide_ends_where_the_fall_is_explained():
    values = np.linspace(0.9, 0.7, 60)
    explained = np.arange(60) >= 40
    assert {slide.end for _, slide in found(values, explained)} == set(range(27, 40))


def test_a_fall_from_which_the_last_week_has_recovered_is_none():
    fallen = np.linspace(0.9, 0.4, 224)
    assert [slide.length for _, slide in found(fallen) if slide.end == 223][-1] == 224
    recovered = np.append(fallen[:217], np.full(7, 0.9))
    assert [slide.length for _, slide in found(recovered) if slide.end == 223] == []
