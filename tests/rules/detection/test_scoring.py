"""Detections, delays and false alerts of single series and of many."""

import math

import pytest
from scipy import stats

from tests.benchmarks.detection.scoring import DetectionResult, evaluate_alerts, rate_interval, summarize


@pytest.mark.parametrize(
    ("alerts", "changepoint", "expected"),
    [
        pytest.param([5], 5, DetectionResult(1, 0, 5), id="in the first changed period"),
        pytest.param([7, 9], 5, DetectionResult(3, 0, 5), id="the first one counts"),
        pytest.param([2, 7], 5, DetectionResult(3, 1, 5), id="one before the change is false"),
        pytest.param([2], 5, DetectionResult(None, 1, 5), id="never detected"),
        pytest.param([2, 9], None, DetectionResult(None, 2, 10), id="where nothing changes all are false"),
    ],
)
def test_alerts_are_sorted_into_detections_and_false_alerts(alerts, changepoint, expected):
    assert evaluate_alerts(alerts, changepoint, 10) == expected


def test_a_drop_that_was_never_detected_counts_as_infinitely_late():
    score = summarize([DetectionResult(1, 0, 365), DetectionResult(3, 1, 365), DetectionResult(None, 0, 731)])
    assert score.detection_rate == pytest.approx(2 / 3)
    assert score.detected_within(2) == pytest.approx(1 / 3)
    assert score.median_delay == 3
    assert score.false_alert_rate == pytest.approx(1 / 4)
    assert math.isinf(summarize([DetectionResult(None, 0, 1)]).median_delay)


@pytest.mark.parametrize("events", [0, 1, 5, 40, 300])
def test_the_interval_of_a_rate_is_the_exact_poisson_one(events):
    low, high = rate_interval(events, 10.0)
    assert low == pytest.approx(stats.chi2.ppf(0.025, 2 * events) / 20 if events else 0.0, abs=0.02)
    assert high == pytest.approx(stats.chi2.ppf(0.975, 2 * events + 2) / 20, abs=0.02)
