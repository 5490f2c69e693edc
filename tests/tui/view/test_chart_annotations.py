"""What of an outlook the chart shows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from modeltop.core.diagnosis import Forecast, Pattern, SeriesPattern, TrendOutlook
from modeltop.core.incident import AlertingState, Note
from modeltop.core.series import SeriesKey
from modeltop_tui.chart.data import Annotations
from modeltop_tui.view.chart import chart_data
from modeltop_tui.view.state import ScreenState, Selection, TimeWindow

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


@pytest.mark.parametrize(("hours", "captions"), [(0, ("31 Jan", "31 Jan")), (9, ("31 Jan 09:00", "09:00"))])
def test_the_start_has_a_short_form(chart_of, hours, captions):
    started_at = START + 30 * DAY + timedelta(hours=hours)
    change = chart_of(outlook_of(started_at=started_at), values=FORTY[:30] + [0.93] * 10).annotations.change
    assert (change.caption, change.short_caption) == captions


@pytest.mark.parametrize("pattern", [Pattern.DROP, Pattern.DECLINE, Pattern.IMPROVING, Pattern.RECOVERING])
def test_the_start_of_a_change_is_marked_by_its_date(chart_of, pattern):
    change = chart_of(outlook_of(pattern), values=FORTY[:30] + [0.93] * 10).annotations.change
    assert (change.time, change.caption) == ((START + 30 * DAY).timestamp(), "31 Jan")


@pytest.mark.parametrize("pattern", [Pattern.STEADY, Pattern.SEASONAL, Pattern.TOO_LITTLE])
def test_where_nothing_changed_nothing_is_marked(chart_of, pattern):
    steady = FORTY[:30] + [0.94] * 10
    assert chart_of(outlook_of(pattern, started_at=None, size=None), values=steady).annotations.change is None
    assert chart_of(None, values=steady).annotations.change is None


def test_the_start_of_an_incident_is_marked_before_there_is_an_outlook(chart_of):
    assert chart_of(None, values=[0.95] * 30 + [0.8] * 10).annotations.change.caption == "31 Jan"


FORECAST = Forecast(slope=-0.002, low=-0.003, high=-0.001, p=0.001)


@pytest.mark.parametrize(("last", "has_trend"), [(9, False), (29, False), (34, True)])
def test_a_range_in_the_past_is_all_that_the_axis_shows(chart_of, last, has_trend):
    window = TimeWindow(9 * DAY.total_seconds(), (START + last * DAY).timestamp())
    chart = chart_of(outlook_of(forecast=FORECAST), selection=Selection("fraud", KEY, time_window=window))
    assert (chart.start, chart.end) == (window.end - window.length, window.end)
    assert (chart.annotations.trend is not None) == has_trend
    assert not has_trend or chart.annotations.trend.end == window.end


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


def test_beside_other_lines_the_trend_is_not_drawn(chart_of):
    recall = SeriesKey("fraud", "recall")
    chart = chart_of(outlook_of(key=recall, forecast=FORECAST), selection=Selection("fraud", recall, overlay=True))
    assert [line.name for line in chart.traces] == ["recall", "precision"]
    assert chart.annotations.change is not None
    assert chart.annotations.trend is None


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
