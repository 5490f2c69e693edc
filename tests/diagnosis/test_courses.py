"""Which metrics are named at all, and where a decline began."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from modeltop.core.diagnosis import Fit, Pattern, SeriesPattern
from modeltop.core.series import SeriesKey, to_datetime
from modeltop.diagnosis.before_after import onset_of
from modeltop.diagnosis.context import ModelContext
from modeltop.diagnosis.patterns import instability, no_change_probability, pattern_of

DAYS = 120
START = datetime(2025, 1, 1, tzinfo=UTC)


def falling(line, *slopes, noise=0.003, seed=1):
    """Daily accuracy; each slope per day from a day on."""
    days = np.arange(DAYS)
    lost = sum(slope * np.clip(days - start + 1, 0, None) for start, slope in slopes)
    return line("f1_score", 0.95 - lost + np.random.default_rng(seed).normal(0, noise, DAYS))


@pytest.mark.parametrize("seed", range(5))
def test_a_decline_that_grew_steeper_began_where_the_slow_one_did(line, seed):
    series = falling(line, (60, 0.001), (95, 0.006), seed=seed)
    found = pattern_of(series)
    assert found.pattern is Pattern.DECLINE
    assert abs(found.started_at - to_datetime(series.times[60])) <= timedelta(days=5)
    assert found.size == pytest.approx(-(60 * 0.001 + 25 * 0.006), abs=0.02)


def test_a_drop_at_the_end_of_a_decline_is_the_end_of_a_decline(line):
    worn = falling(line, (60, 0.001)).values - np.where(np.arange(DAYS) >= 100, 0.06, 0.0)
    found = pattern_of(line("f1_score", worn))
    assert found.pattern is Pattern.DECLINE
    assert abs(found.started_at - START - timedelta(days=60)) <= timedelta(days=5)


def test_a_drop_beside_which_a_decline_is_nothing_stays_a_drop(line):
    worn = falling(line, (60, 0.001)).values - np.where(np.arange(DAYS) >= 100, 0.4, 0.0)
    found = pattern_of(line("f1_score", worn))
    assert (found.pattern, found.started_at) == (Pattern.DROP, START + timedelta(days=100))


def test_a_drop_is_told_of_though_an_alert_stands_since_long(line, ask, alert):
    low = line("f1_score", 0.9 - 0.1 * (np.arange(DAYS) >= 100) + np.random.default_rng(1).normal(0, 0.003, DAYS))
    said = ask([low], alerts=[alert("f1_score", since=START)]).sentence
    assert said.startswith("f1_score fell suddenly from 0.90 to 0.80 on 2025-04-11")


def scored(**scores):
    """A course of descriptions with these scores, as a drop at the 60th day."""
    fits = tuple(Fit(name.replace("_", " "), 0.0, score) for name, score in scores.items())
    return SeriesPattern(SeriesKey("m", "f1_score"), Pattern.DROP, START + timedelta(days=60), -0.1, 0.9, fits)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        # By hand: a score that is lower by 2 ln 3 weighs three times as much.
        pytest.param({"step": 0.0, "level": 2 * np.log(3)}, 0.25, id="a level"),
        pytest.param({"step": 0.0, "spike": 2 * np.log(3), "return": 2 * np.log(3)}, 0.4, id="what came and went"),
        pytest.param({"step": 0.0, "ramp": 0.0}, 0.0, id="two that last"),
    ],
)
def test_the_doubt_in_a_fall_is_the_weight_of_what_does_not_last(scores, expected):
    assert no_change_probability(scored(**scores)) == pytest.approx(expected)


@pytest.mark.parametrize(("level", "begin"), [pytest.param(0.0, 90, id="doubted"), pytest.param(20.0, 60, id="sure")])
def test_an_alert_is_explained_by_a_fall_before_it_only_where_that_is_sure(line, alert, level, begin):
    known = scored(step=0.0, level=level)
    episode = alert("f1_score", since=START + timedelta(days=90))
    case = ModelContext("m", [line("f1_score", [0.9] * DAYS)], START, alerts=[episode])
    assert onset_of(case, known.key, known) == START + timedelta(days=begin)
    assert onset_of(replace(case, alerts=()), known.key, known) == known.started_at


def test_a_spike_that_is_over_is_not_what_a_later_alert_is_about(line, ask, alert):
    values = 0.95 + np.random.default_rng(1).normal(0, 0.004, DAYS)
    values[60] = 0.6
    found = ask([line("f1_score", values)], alerts=[alert("f1_score", since=START + timedelta(days=30))])
    assert found.series_pattern.pattern is Pattern.SPIKE
    assert "for a short time" not in found.sentence


@pytest.mark.parametrize("seed", range(5))
def test_a_decline_after_a_level_begins_where_it_does(line, seed):
    series = falling(line, (90, 0.004), seed=seed)
    assert abs(pattern_of(series).started_at - to_datetime(series.times[90])) <= timedelta(days=4)


def test_a_course_is_named_once_while_the_series_is_the_same(line):
    series = falling(line, (90, 0.004))
    assert pattern_of(series) is pattern_of(series)


def test_what_is_still_is_not_looked_at_and_what_moved_is(line):
    assert instability(line("f1_score", [0.9] * 60)) == 0
    assert instability(line("f1_score", [0.9] * 5)) == 0
    assert instability(falling(line, (110, 0.0))) < 1
    assert instability(falling(line, (110, 0.01))) > 1
