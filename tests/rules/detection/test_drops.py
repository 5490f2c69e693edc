"""Drops compared with the oracle: which are evaluated, which are possible, and when a detection is late."""

import pytest

from tests.benchmarks.detection.detectors import DEFAULT_SHIFT, ORACLE
from tests.benchmarks.detection.drops import (
    ESTIMATED_VARIANCE,
    KNOWN_VARIANCE,
    WEAK,
    GridPoint,
    parameter_grid,
    score_detectors,
    timely_share,
)
from tests.benchmarks.detection.sampling import INDEPENDENT
from tests.benchmarks.detection.scoring import DetectionScore
from tests.benchmarks.detection.simulation import Settings

SUDDEN, _, RECALL = KNOWN_VARIANCE


@pytest.mark.parametrize(
    ("scenario", "rows", "evaluated"),
    [
        pytest.param(SUDDEN, 50, True, id="the support of accuracy is all rows"),
        pytest.param(RECALL, 200, False, id="that of recall the sixteen positives"),
        pytest.param(RECALL, 1000, True, id="or eighty"),
        pytest.param(ESTIMATED_VARIANCE[1], 50, True, id="without support the rows count"),
    ],
)
def test_drops_of_fewer_rows_than_are_evaluated_are_counted_apart(scenario, rows, evaluated):
    assert GridPoint(scenario, Settings(rows=rows)).evaluated == evaluated


def test_impossible_drops_are_left_out():
    grid = parameter_grid(INDEPENDENT, KNOWN_VARIANCE[1:2])
    combinations = {(point.settings.rows, point.settings.effect_size) for point in grid}
    assert KNOWN_VARIANCE[1].classifier == WEAK
    assert (50, 3.0) in combinations
    assert (50, 8.0) not in combinations


def test_a_detection_is_late_more_than_three_periods_after_the_median_of_the_oracle():
    scores = {
        ORACLE: DetectionScore((2, 2, 9), 0, 1.0),
        DEFAULT_SHIFT: DetectionScore((5, 6, None, 1), 0, 1.0),
    }
    assert timely_share(scores, DEFAULT_SHIFT) == 0.5
    assert timely_share(scores, ORACLE) == pytest.approx(2 / 3)


def test_a_large_drop_is_detected_by_both_and_the_histories_are_seeded():
    point = GridPoint(SUDDEN, Settings(before=60, after=20, rows=1000, effect_size=8.0))
    first, second = score_detectors(point, 6), score_detectors(point, 6)
    assert first[DEFAULT_SHIFT].delays == second[DEFAULT_SHIFT].delays
    assert timely_share(first, DEFAULT_SHIFT) == timely_share(first, ORACLE) == 1.0
    assert first[ORACLE].median_delay <= first[DEFAULT_SHIFT].median_delay
