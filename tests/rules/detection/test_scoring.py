"""What counts as found, as late, and as false."""

import math

import pytest
from scipy import stats

from tests.benchmarks.detection.scoring import Outcome, interval, outcome, score


@pytest.mark.parametrize(
    ("alerts", "begin", "expected"),
    [
        pytest.param([5], 5, Outcome(1, 0, 5), id="in the first changed period"),
        pytest.param([7, 9], 5, Outcome(3, 0, 5), id="the first one counts"),
        pytest.param([2, 7], 5, Outcome(3, 1, 5), id="one before the change is false"),
        pytest.param([2], 5, Outcome(None, 1, 5), id="never found"),
        pytest.param([2, 9], None, Outcome(None, 2, 10), id="where nothing changes all are false"),
    ],
)
def test_alerts_are_sorted_into_found_and_false(alerts, begin, expected):
    assert outcome(alerts, begin, 10) == expected


def test_a_score_counts_what_was_never_found_as_late():
    found = score([Outcome(1, 0, 365), Outcome(3, 1, 365), Outcome(None, 0, 731)])
    assert found.found == pytest.approx(2 / 3)
    assert found.within(2) == pytest.approx(1 / 3)
    assert found.median == 3
    assert found.rate == pytest.approx(1 / 4)
    assert math.isinf(score([Outcome(None, 0, 1)]).median)


@pytest.mark.parametrize("events", [0, 1, 5, 40, 300])
def test_the_interval_of_a_rate_is_the_exact_poisson_one(events):
    low, high = interval(events, 10.0)
    assert low == pytest.approx(stats.chi2.ppf(0.025, 2 * events) / 20 if events else 0.0, abs=0.02)
    assert high == pytest.approx(stats.chi2.ppf(0.975, 2 * events + 2) / 20, abs=0.02)
