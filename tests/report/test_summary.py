"""What the tables of the reports show: the changes, the baseline before an incident, and the window of a chart."""

from dataclasses import replace

import numpy as np
import pytest

from modeltop.core.series import DATETIME_DTYPE, SeriesKey, to_datetime
from modeltop.report.summary import change_cells, describe_changes, lead_series, window_length, window_text

KEY = SeriesKey("m", "accuracy")


@pytest.fixture
def fallen(make_snapshot, alert):
    """Return a snapshot of 30 days at 0.95 and 10 at 0.85, with an incident since, and the series."""
    snapshot = make_snapshot(alert("floor", "accuracy", 30))
    values = np.r_[np.full(30, 0.95), np.full(10, 0.85)]
    series = replace(snapshot.history.series[KEY], values=values)
    (incident,) = snapshot.incidents
    incident = replace(incident, started_at=to_datetime(series.times[30]), before=0.95, now=0.85)
    return replace(snapshot, incidents=(incident,)), series


def test_the_baseline_of_an_incident_is_what_was_before_it(fallen):
    snapshot, series = fallen
    other = replace(series, key=SeriesKey("m", "recall"))
    assert [change_cells(one, snapshot)["reference"].text for one in (series, other)] == ["-0.100", "-0.100"]
    healthy = replace(snapshot, incidents=())
    # The rolling baseline has 9 days of the fall in it: (30 * 0.95 + 9 * 0.85) / 39.
    assert change_cells(series, healthy)["reference"].text == "-0.077"


def test_changes_are_said_with_their_dates_and_whether_they_may_be_chance(fallen):
    snapshot, series = fallen
    counted = replace(series, support=np.full(40, 50.0), proportion=True)
    assert describe_changes(counted, snapshot) == (
        "0.000 vs 8 Feb (not significant), 0.000 vs 7 days ago (not significant), "
        "-0.100 vs 30 days ago (not significant), -0.100 vs baseline, -0.100 vs 1 Jan, the first (not significant)"
    )
    assert describe_changes(series[:2], snapshot) == "0.000 vs 1 Jan"
    assert describe_changes(series[:1], snapshot) == ""


def test_one_earlier_period_is_one_change_however_it_is_called(fallen):
    snapshot, series = fallen
    monthly = replace(series[::31], times=np.array(["2025-01-01", "2025-02-01"], dtype=series.times.dtype))
    assert list(change_cells(monthly, replace(snapshot, incidents=()))) == ["previous"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(0.95001, "0.000", id="no more digits than the metric has"),
        pytest.param(0.0004, "-0.950", id="of the difference"),
    ],
)
def test_a_change_has_the_digits_of_its_metric(fallen, value, text):
    snapshot, series = fallen
    short = replace(series[:2], values=np.array([0.95, value]))
    assert change_cells(short, replace(snapshot, incidents=()))["previous"].text == text


@pytest.mark.parametrize(
    ("since", "count", "text"),
    [
        pytest.param(176, 28, "last 28 of 180 days", id="at least 28 periods"),
        pytest.param(150, 90, "last 90 of 180 days", id="three times the age of the incident"),
        pytest.param(130, 180, "180 days", id="all where little would be hidden"),
        pytest.param(None, 60, "last 60 of 180 days", id="60 without an incident"),
    ],
)
def test_the_window_fits_the_incident(fallen, since, count, text):
    times = (np.datetime64("2025-01-01") + np.arange(180).astype("timedelta64[D]")).astype(DATETIME_DTYPE)
    series = replace(fallen[1], times=times, values=np.zeros(180))
    shown = window_length(times, None if since is None else to_datetime(times[since]))
    assert (shown, window_text(series, shown)) == (count, text)


def test_a_model_is_shown_by_the_series_of_its_incident(fallen):
    snapshot, _ = fallen
    history = snapshot.history.for_model("m")
    recall = replace(snapshot.incidents[0], key=SeriesKey("m", "recall"))
    assert lead_series("m", history, replace(snapshot, incidents=(recall,))).key.metric == "recall"
    assert lead_series("m", history, replace(snapshot, incidents=())).key.metric == "accuracy"
    assert lead_series("n", [], snapshot) is None
