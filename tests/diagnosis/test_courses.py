"""Which metrics are named at all, and where a decline began."""

from datetime import timedelta

import numpy as np
import pytest

from monitor.diagnosis.courses import course_of, restless
from monitor.findings import Pattern
from monitor.records import to_datetime

DAYS = 120


def falling(line, *slopes, noise=0.003, seed=1):
    """Daily accuracy; each slope per day from a day on."""
    days = np.arange(DAYS)
    lost = sum(slope * np.clip(days - start + 1, 0, None) for start, slope in slopes)
    return line("f1_score", 0.95 - lost + np.random.default_rng(seed).normal(0, noise, DAYS))


@pytest.mark.parametrize("seed", range(5))
def test_a_decline_that_grew_steeper_began_where_the_slow_one_did(line, seed):
    series = falling(line, (60, 0.001), (95, 0.006), seed=seed)
    found = course_of(series)
    assert found.pattern is Pattern.DECLINE
    assert abs(found.begin - to_datetime(series.times[60])) <= timedelta(days=5)
    assert found.size == pytest.approx(-(60 * 0.001 + 25 * 0.006), abs=0.02)


@pytest.mark.parametrize("seed", range(5))
def test_a_decline_after_a_level_begins_where_it_does(line, seed):
    series = falling(line, (90, 0.004), seed=seed)
    assert abs(course_of(series).begin - to_datetime(series.times[90])) <= timedelta(days=4)


def test_a_course_is_named_once_while_the_series_is_the_same(line):
    series = falling(line, (90, 0.004))
    assert course_of(series) is course_of(series)


def test_what_is_still_is_not_looked_at_and_what_moved_is(line):
    assert restless(line("f1_score", [0.9] * 60)) == 0
    assert restless(line("f1_score", [0.9] * 5)) == 0
    assert restless(falling(line, (110, 0.0))) < 1
    assert restless(falling(line, (110, 0.01))) > 1
