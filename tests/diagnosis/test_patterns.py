"""The patterns of metrics: which are fitted at all, and where a decline started."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from modeltop.core.diagnosis import Pattern, SeriesPattern
from modeltop.core.series import SeriesKey, Severity, to_datetime
from modeltop.diagnosis.before_after import onset_of
from modeltop.diagnosis.context import ModelContext
from modeltop.diagnosis.patterns import instability, pattern_of

DAYS = 120
START = datetime(2025, 1, 1, tzinfo=UTC)


def falling(make_series, *slopes, noise=0.003, seed=1):
    """Daily accuracy; each slope per day from a day on."""
    days = np.arange(DAYS)
    lost = sum(slope * np.clip(days - start + 1, 0, None) for start, slope in slopes)
    return make_series("f1_score", 0.95 - lost + np.random.default_rng(seed).normal(0, noise, DAYS))


@pytest.mark.parametrize("seed", range(5))
def test_a_decline_that_grew_steeper_started_where_the_slow_one_did(make_series, seed):
    series = falling(make_series, (60, 0.001), (95, 0.006), seed=seed)
    pattern = pattern_of(series)
    assert pattern.pattern is Pattern.DECLINE
    assert abs(pattern.started_at - to_datetime(series.times[60])) <= timedelta(days=5)
    assert pattern.size == pytest.approx(-(60 * 0.001 + 25 * 0.006), abs=0.02)


def test_a_fall_that_grows_steeper_has_the_size_of_both(make_series):
    days = np.arange(100) - 60
    slow, steep = np.clip((days + 31) / 30, 0, 1), np.clip((days + 1) / 8, 0, 1)
    noise = np.random.default_rng(1).normal(0, 0.003, 100)
    pattern = pattern_of(make_series("f1_score", 0.9 + noise - 0.03 * slow - 0.09 * steep))
    assert pattern.pattern is Pattern.DECLINE
    assert abs(pattern.started_at - START - timedelta(days=30)) <= timedelta(days=3)
    assert pattern.size == pytest.approx(-0.12, abs=0.01)


def test_a_drop_at_the_end_of_a_decline_is_the_end_of_a_decline(make_series):
    values = falling(make_series, (60, 0.001)).values - np.where(np.arange(DAYS) >= 100, 0.06, 0.0)
    pattern = pattern_of(make_series("f1_score", values))
    assert pattern.pattern is Pattern.DECLINE
    assert abs(pattern.started_at - START - timedelta(days=60)) <= timedelta(days=5)


def test_a_drop_beside_which_a_decline_is_nothing_stays_a_drop(make_series):
    values = falling(make_series, (60, 0.001)).values - np.where(np.arange(DAYS) >= 100, 0.4, 0.0)
    pattern = pattern_of(make_series("f1_score", values))
    assert (pattern.pattern, pattern.started_at) == (Pattern.DROP, START + timedelta(days=100))


def test_a_drop_is_explained_though_an_alert_is_active_for_long(make_series, run_diagnosis, make_alert):
    low = make_series(
        "f1_score", 0.9 - 0.1 * (np.arange(DAYS) >= 100) + np.random.default_rng(1).normal(0, 0.003, DAYS)
    )
    what = run_diagnosis([low], alerts=[make_alert("f1_score", since=START)], severity=Severity.CRITICAL).verdict.what
    assert what == "F1 dropped overnight on 11 Apr, 0.900→0.800; 0.802 now."


@pytest.mark.parametrize(("doubt", "day"), [pytest.param(0.5, 90, id="doubted"), pytest.param(0.001, 60, id="certain")])
def test_an_alert_is_explained_by_a_fall_before_it_only_where_that_is_certain(make_series, make_alert, doubt, day):
    pattern = SeriesPattern(SeriesKey("m", "f1_score"), Pattern.DROP, START + timedelta(days=60), -0.1, 0.9, doubt)
    alerts = [make_alert("f1_score", since=START + timedelta(days=90))]
    context = ModelContext("m", [make_series("f1_score", [0.9] * DAYS)], alerts=alerts)
    assert onset_of(context, pattern.key, pattern) == START + timedelta(days=day)
    assert onset_of(replace(context, alerts=()), pattern.key, pattern) == pattern.started_at


def test_a_spike_that_is_over_is_not_what_a_later_alert_is_about(make_series, run_diagnosis, make_alert):
    values = 0.95 + np.random.default_rng(1).normal(0, 0.004, DAYS)
    values[60] = 0.6
    diagnosis = run_diagnosis(
        [make_series("f1_score", values)], alerts=[make_alert("f1_score", since=START + timedelta(days=30))]
    )
    assert diagnosis.series_pattern.pattern is Pattern.SPIKE
    assert "14 Mar" not in diagnosis.verdict.what


@pytest.mark.parametrize("seed", range(5))
def test_a_decline_after_a_level_starts_where_it_does(make_series, seed):
    series = falling(make_series, (90, 0.004), seed=seed)
    assert abs(pattern_of(series).started_at - to_datetime(series.times[90])) <= timedelta(days=4)


def test_a_course_is_named_once_while_the_series_is_the_same(make_series):
    series = falling(make_series, (90, 0.004))
    assert pattern_of(series) is pattern_of(series)


def test_only_what_moved_is_unstable(make_series):
    assert instability(make_series("f1_score", [0.9] * 60)) == 0
    assert instability(make_series("f1_score", [0.9] * 5)) == 0
    assert instability(falling(make_series, (110, 0.0))) < 1
    assert instability(falling(make_series, (110, 0.01))) > 1
