"""What of an outlook the chart shows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from modeltop.core.diagnosis import Forecast, Pattern, SeriesPattern, TrendOutlook
from modeltop.core.incident import AlertingState, Note
from modeltop.core.series import SeriesKey
from modeltop_tui.chart.data import Annotations
from modeltop_tui.view.chart import chart_data
from modeltop_tui.view.state import ScreenState, Selection

KEY = SeriesKey("fraud", "accuracy")
START = datetime(2025, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
FORTY = [0.95, 0.94] * 15 + [0.90 - 0.002 * day for day in range(10)]


def outlook_of(pattern=Pattern.DECLINE, started_at=START + 30 * DAY, size=-0.02, *, key=KEY, forecast=None):
    return TrendOutlook(SeriesPattern(key, pattern, started_at, size, 0.9), forecast)


@pytest.fixture
def chart_of(make):
    """The chart of forty days with an outlook."""

    def chart(outlook, *, selection=None, notes=(), values=FORTY):
        lines = [make.series(values, metric=metric) for metric in ("accuracy", "precision", "recall")]
        state = make.state(*lines, selection=selection or Selection("fraud", KEY))
        snapshot = replace(state.snapshot, alerting_state=AlertingState(notes=tuple(notes)))
        return chart_data(ScreenState(snapshot, state.selection, outlook=outlook))

    return chart


@pytest.mark.parametrize(
    ("options", "caption"),
    [
        pytest.param({"pattern": Pattern.DROP}, "drop", id="drop"),
        pytest.param({"pattern": Pattern.DECLINE}, "decline", id="decline"),
        pytest.param({"pattern": Pattern.DROP, "size": 0.3}, "jump", id="what is better low jumps"),
        pytest.param({"pattern": Pattern.DECLINE, "size": 0.3}, "rise", id="or rises"),
        pytest.param({"pattern": Pattern.IMPROVING, "size": 0.3}, "better", id="improving"),
        pytest.param({"pattern": Pattern.RECOVERING, "size": 0.3}, "recovery", id="recovering"),
    ],
)
def test_the_begin_of_a_change_is_marked_by_its_name(chart_of, options, caption):
    started_at = chart_of(outlook_of(**options)).annotations.change
    assert (started_at.time, started_at.caption) == ((START + 30 * DAY).timestamp(), caption)


@pytest.mark.parametrize("pattern", [Pattern.STEADY, Pattern.SEASONAL, Pattern.TOO_LITTLE])
def test_where_nothing_began_nothing_is_marked(chart_of, pattern):
    assert chart_of(outlook_of(pattern, started_at=None, size=None)).annotations.change is None
    assert chart_of(None).annotations.change is None


def test_the_band_is_that_of_the_periods_before_the_change(chart_of):
    band = chart_of(outlook_of()).annotations.band
    spread = 2 * np.std(FORTY[:30], ddof=1)
    assert (band.low, band.high) == pytest.approx((0.945 - spread, 0.945 + spread))
    assert (band.start, band.end) == (START.timestamp(), (START + 39 * DAY).timestamp())


def test_without_a_change_it_is_that_of_the_periods_before_the_newest(chart_of):
    band = chart_of(None).annotations.band
    assert (band.low + band.high) / 2 == pytest.approx(np.mean(FORTY[:39]))


def test_too_little_history_has_no_band(chart_of):
    assert chart_of(None, values=FORTY[:10]).annotations.band is None


FORECAST = Forecast(slope=-0.002, low=-0.003, high=-0.001, p=0.001)


def test_a_trend_is_drawn_from_the_begin_and_on_by_a_fifth_of_what_is_shown(chart_of):
    chart = chart_of(outlook_of(forecast=FORECAST))
    trend = chart.annotations.trend
    assert trend.start == (START + 30 * DAY).timestamp()
    assert chart.end == trend.end == (START + 39 * DAY + 0.2 * 39 * DAY).timestamp()
    assert (trend.first, trend.last) == pytest.approx((0.90, 0.90 - 0.002 * (9 + 0.2 * 39)))


def test_it_ends_at_the_limit_where_that_is_near(chart_of):
    chart = chart_of(outlook_of(forecast=replace(FORECAST, limit=0.88, days=2.0)))
    assert chart.end == (START + 41 * DAY).timestamp()


def test_the_time_axis_ends_at_the_newest_point_where_nothing_leads_on(chart_of):
    assert chart_of(outlook_of()).end == (START + 39 * DAY).timestamp()


def test_beside_other_lines_band_and_trend_are_left_out(chart_of):
    recall = SeriesKey("fraud", "recall")
    chart = chart_of(outlook_of(key=recall, forecast=FORECAST), selection=Selection("fraud", recall, overlay=True))
    assert [line.name for line in chart.traces] == ["recall", "precision"]
    assert chart.annotations.change is not None
    assert (chart.annotations.band, chart.annotations.trend) == (None, None)


def test_notes_about_the_model_are_lines_with_their_text_made_safe(chart_of):
    notes = [
        Note("fr*", "release\x1b[2J", "ana", START + 3 * DAY),
        Note("*", "older", "ana", START + DAY),
        Note("churn", "not mine", "ana", START),
    ]
    shown = chart_of(None, notes=notes).annotations.notes
    assert [note.caption for note in shown] == ["older", "release\\x1b[2J"]


def test_a_chart_with_the_same_findings_is_the_same_object(make):
    state = replace(make.state(make.series(FORTY)), outlook=outlook_of())
    assert chart_data(state) is chart_data(replace(state, outlook=outlook_of(), paused=True))
    assert chart_data(state) is not chart_data(replace(state, outlook=None))


def test_a_chart_of_nothing_has_no_overlays():
    assert chart_data(ScreenState(loading="loading")).annotations == Annotations()
