"""What the chart of a series is given to show of its diagnosis."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from scipy.stats import theilslopes

from modeltop.core.diagnosis import Diagnosis, Forecast, Pattern, SeriesPattern
from modeltop.core.incident import AlertingState, Note
from modeltop.core.series import SeriesKey, Severity, to_datetime
from modeltop.report.svg import series_chart

KEY = SeriesKey("m", "accuracy")


@pytest.fixture
def falling(look):
    """30 days of 0.95 or thereabouts, then 10 that lose a point a day, with one that does not."""
    snapshot = look()
    series = snapshot.history.series[KEY]
    values = 0.95 + 0.002 * np.sin(np.arange(40.0))
    values[30:] -= 0.01 * np.arange(10)
    values[35] = 0.95
    return snapshot, replace(series, values=values)


def found(series, pattern=Pattern.DECLINE, **changes):
    begin = to_datetime(series.times[30])
    course = SeriesPattern(series.key, pattern, begin, -0.09, 0.9)
    return replace(Diagnosis("m", Severity.WARNING, series.key, "", course, (), (), ""), **changes)


def test_the_band_holds_what_was_usual_before_the_change(falling):
    snapshot, series = falling
    before = series.values[:30]
    usual = series_chart(series, snapshot, found(series)).usual_band
    assert usual.start == series.times[0]
    assert usual.low == pytest.approx(before.mean() - 2 * before.std(ddof=1))
    assert usual.high == pytest.approx(before.mean() + 2 * before.std(ddof=1))


def test_without_a_diagnosis_it_holds_what_was_usual_before_the_newest_period(falling):
    snapshot, series = falling
    drawn = series_chart(series, snapshot)
    assert drawn.usual_band.low == pytest.approx(series.values[:39].mean() - 2 * series.values[:39].std(ddof=1))
    assert (drawn.change, drawn.trend_line) == (None, None)


def test_with_too_little_history_there_is_no_band(falling):
    snapshot, series = falling
    assert series_chart(series[:10], snapshot).usual_band is None


def test_the_trend_is_that_of_theil_and_sen_since_the_begin(falling):
    snapshot, series = falling
    slope, level, *_ = theilslopes(series.values[30:], np.arange(10.0), method="joint")
    drawn = series_chart(series, snapshot, found(series, forecast=Forecast(slope, -1.0, 0.0, 0.01)))
    assert (drawn.trend_line.start, drawn.trend_line.end) == (series.times[30], series.times[39])
    assert drawn.trend_line.values == pytest.approx((level, level + 9 * slope))


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        pytest.param(Pattern.DROP, "sudden drop since 2025-01-31", id="a change has a begin"),
        pytest.param(Pattern.SEASONAL, None, id="a season has none"),
        pytest.param(Pattern.STEADY, None, id="nor has what is steady"),
    ],
)
def test_the_begin_is_named(falling, pattern, said):
    snapshot, series = falling
    begin = series_chart(series, snapshot, found(series, pattern)).change
    assert (begin and begin[1]) == said


def test_another_metric_shows_its_own_course(falling, look):
    snapshot, series = falling
    other = look().history.series[SeriesKey("m", "recall")]
    course = SeriesPattern(other.key, Pattern.DROP, to_datetime(other.times[20]), -0.1, 0.9)
    drawn = series_chart(other, snapshot, found(series, courses=(course,), forecast=Forecast(-0.01, -1.0, 0.0, 0.01)))
    assert drawn.change == (other.times[20], "sudden drop since 2025-01-21")
    assert drawn.trend_line is None


def test_notes_within_its_time_are_marked(falling):
    snapshot, series = falling
    at = to_datetime(series.times[10])
    notes = (
        Note("m", "released", "ana", at),
        Note("*", "long ago", "bob", at - timedelta(days=99)),
        Note("n", "x", "y", at),
    )
    drawn = series_chart(series, replace(snapshot, facts=AlertingState(notes=notes)))
    assert [(when, words.endswith("ana: released")) for when, words in drawn.note_marks] == [(series.times[10], True)]
