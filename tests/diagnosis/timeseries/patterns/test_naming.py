import numpy as np
import pytest

from modeltop.core.diagnosis import Pattern
from modeltop.core.series import Direction
from modeltop.diagnosis.timeseries.pattern import name_pattern
from modeltop.diagnosis.timeseries.pattern_fit import FittedShape


def shape(curve, name="two bends"):
    return FittedShape(name, 4, 50.0, np.array(curve, dtype=float), 0, 0)


@pytest.mark.parametrize(
    ("curve", "pattern", "begin", "size"),
    [
        pytest.param([0, 0, 0, -8, -8, -8], Pattern.DROP, 3, -8, id="at once"),
        pytest.param([0, 0, -2, -4, -6, -8, -8], Pattern.DROP, 2, -8, id="within four periods"),
        pytest.param([0, 0, -1, -2, -3, -4, -5], Pattern.DECLINE, 2, -5, id="over more than four"),
        pytest.param([0, 0, -1, -2, -3, -9, -9], Pattern.DROP, 5, -9, id="most of it at one place"),
        pytest.param([0, 0, -5, -6, -7, -8, -9, -9], Pattern.DROP, 2, -9, id="and then more slowly"),
        pytest.param([0, 3, 6, 6, 6], Pattern.IMPROVING, 1, 6, id="only up"),
        pytest.param([0, 3, 6, 6, 4], Pattern.IMPROVING, 1, 6, id="up by more than twice the fall"),
        pytest.param([0, 3, 6, 6, 2, 2], Pattern.DROP, 4, -4, id="down by more than half of the rise"),
        pytest.param([0, -6, -6, -6, -6, -6, -3], Pattern.RECOVERING, 1, -6, id="half is back"),
        pytest.param([0, -6, -6, -6, -6, -6, -4], Pattern.DROP, 1, -6, id="a third is back"),
        pytest.param([0, 0, -8, -8, 0, 0], Pattern.SPIKE, 2, -8, id="back within three periods"),
        pytest.param([0, 0, -8, -8, -3, -3], Pattern.RECOVERING, 2, -8, id="back but for more than a quarter"),
    ],
)
def test_a_curve_is_called_by_its_largest_fall_and_by_what_came_after(curve, pattern, begin, size):
    for better, sign in ((Direction.HIGHER, 1), (Direction.LOWER, -1)):
        found = name_pattern(shape(sign * np.array(curve)), better)
        assert (found.pattern, found.start_index, found.size) == (pattern, begin, sign * size)


@pytest.mark.parametrize("name", ["spike", "burst"])
@pytest.mark.parametrize("better", Direction)
def test_a_few_periods_apart_are_a_spike_whichever_way(name, better):
    apart = FittedShape(name, 3, 50.0, np.array([0, 0, 5.0, 0, 0]), 2, 3)
    found = name_pattern(apart, better)
    assert (found.pattern, found.start_index, found.size) == (Pattern.SPIKE, 2, 5)


@pytest.mark.parametrize(("curve", "size"), [([0, 4, 4], 4), ([0, -4, -4], -4), ([0, 1, -6], -7)])
def test_without_a_better_side_the_largest_move_is_what_happened(curve, size):
    found = name_pattern(shape(curve), Direction.NEITHER)
    assert (found.pattern, found.size) == (Pattern.DROP, size)


def test_a_level_is_steady():
    assert name_pattern(shape([0, 0], "level"), Direction.HIGHER).pattern is Pattern.STEADY
