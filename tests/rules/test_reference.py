import numpy as np
import pytest

from modeltop.rules.baselines.past import trailing_window


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
    window = trailing_window(daily(range(length)))
    assert expected == (window and (window.values[0], window.values[-1] + 1))


def test_only_judged_periods_are_a_reference_and_their_columns_stay_beside_them(daily):
    values = np.arange(30.0)
    values[3] = np.inf
    support = np.where(np.arange(30) % 2, 500.0, 5.0)
    provisional = np.arange(30) == 5
    window = trailing_window(daily(values, support=support, provisional=provisional), min_count=30)
    assert window.values.tolist() == [1, *range(7, 29, 2)]
    assert set(window.support) == {500.0}
    assert len(window.times) == len(window.provisional) == 12
    assert window.rows is None
