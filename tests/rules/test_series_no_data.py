"""No data of a series: it stopped coming, while its model goes on reporting."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from modeltop.core.metrics.registry import LABEL_COVERAGE, MetricRegistry
from modeltop.core.series import (
    DATETIME_DTYPE,
    Alert,
    Condition,
    Direction,
    History,
    Series,
    SeriesKey,
    Severity,
    State,
)
from modeltop.rules.no_data import drift_of_lost_columns, missing_newest_values, series_no_data_alerts

ACCURACY = SeriesKey("churn", "accuracy")
LATENCY = SeriesKey("churn", "latency_ms")


def days(numbers):
    return np.array(
        [np.datetime64("2025-01-01") + np.timedelta64(day - 1, "D") for day in numbers], dtype=DATETIME_DTYPE
    )


def series(key, numbers, values=0.9, provisional=None):
    numbers = list(numbers)
    return Series(key, Direction.HIGHER, days(numbers), np.full(len(numbers), values), provisional=provisional)


def alerts(*all_series, periods=range(1, 101), severity=Severity.UNKNOWN):
    history = History({each.key: each for each in all_series}, {"churn": days(periods)})
    return list(series_no_data_alerts(history, MetricRegistry(), severity))


GOES_ON = series(LATENCY, range(1, 101))


def test_a_metric_that_stopped_is_no_data_of_this_series_alone():
    (alert,) = alerts(series(ACCURACY, range(1, 41)), GOES_ON)
    assert (alert.key, alert.rule, alert.condition) == (ACCURACY, "no-data", Condition.NO_DATA)
    assert (alert.severity, alert.is_model_wide) == (Severity.UNKNOWN, False)
    assert alert.since == datetime(2025, 2, 9, tzinfo=UTC) + timedelta(days=2.5)
    assert alert.breach.message == "no value for 60 days, expected within 2.5 days"


def test_a_segment_that_stopped_is_no_data_too():
    segment = SeriesKey("churn", "accuracy", "country=DE")
    (alert,) = alerts(series(ACCURACY, range(1, 101)), series(segment, range(1, 41)))
    assert alert.key == segment


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(range(1, 101), id="it reports"),
        pytest.param(range(1, 99), id="it is no later than its own gaps make usual"),
        pytest.param([*range(1, 41), *range(61, 91)], id="it was longer away before"),
        pytest.param(range(1, 41, 2), id="it was there every second period only"),
        pytest.param([*range(1, 31), *range(36, 41)], id="it was missing in more than a tenth of the periods"),
        pytest.param(range(1, 4), id="three values show no usual gap"),
    ],
)
def test_a_series_that_is_not_overdue_is_no_alert(values):
    assert alerts(series(ACCURACY, values), GOES_ON) == []


def test_values_that_are_not_finite_are_no_data():
    numbers = np.where(np.arange(100) < 40, 0.9, np.inf)
    (alert,) = alerts(Series(ACCURACY, Direction.HIGHER, days(range(1, 101)), numbers), GOES_ON)
    assert alert.breach.message == "no value for 60 days, expected within 2.5 days"


@pytest.mark.parametrize("severity", list(Severity))
def test_on_no_data_decides_how_bad_it_is(severity):
    found = alerts(series(ACCURACY, range(1, 41)), GOES_ON, severity=severity)
    assert [alert.severity for alert in found] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("coverage", "is_alert"),
    [
        pytest.param(np.where(np.arange(100) < 40, 1.0, 0.0), False, id="no labels: pending, not missing"),
        pytest.param(np.ones(100), True, id="labels are there and the metric is not"),
    ],
)
def test_a_metric_that_needs_labels_is_due_where_there_are_labels(coverage, is_alert):
    labels = Series(SeriesKey("churn", LABEL_COVERAGE), Direction.NEITHER, days(range(1, 101)), coverage)
    found = alerts(series(ACCURACY, range(1, 41)), GOES_ON, labels)
    assert [alert.key for alert in found] == ([ACCURACY] if is_alert else [])


def test_periods_whose_labels_are_incomplete_are_waited_for():
    incomplete = np.arange(100) >= 40
    coverage = series(SeriesKey("churn", LABEL_COVERAGE), range(1, 101), provisional=incomplete)
    assert alerts(series(ACCURACY, range(1, 41)), GOES_ON, coverage) == []
    (alert,) = alerts(series(ACCURACY, range(1, 101)), series(LATENCY, range(1, 41)), coverage)
    assert alert.key == LATENCY


@pytest.mark.parametrize(("delay", "is_alert"), [(0, True), (7, True), (8, False), (57, True), (58, False)])
def test_values_that_usually_come_late_are_waited_for(delay, is_alert):
    late = replace(series(ACCURACY, range(1, 41)), usual_delay=delay * 86_400.0)
    newest = range(1, 51) if delay < 50 else range(1, 101)
    assert bool(alerts(late, GOES_ON, periods=newest)) is is_alert


@pytest.mark.parametrize(
    ("numbers", "delay", "is_named"),
    [
        pytest.param(range(1, 100), 0, True, id="it lacks the newest value alone"),
        pytest.param(range(1, 101), 0, False, id="it has the newest value"),
        pytest.param(range(1, 100), 86_400, False, id="its values usually come a day later"),
        pytest.param(range(1, 98), 86_400, True, id="it is later than that"),
        pytest.param(range(1, 100, 2), 0, False, id="it was there every second period only"),
    ],
)
def test_a_series_without_the_newest_value_is_named(numbers, delay, is_named):
    accuracy = replace(series(ACCURACY, numbers), usual_delay=delay)
    history = History({ACCURACY: accuracy, LATENCY: GOES_ON}, {"churn": days(range(1, 101))})
    named = missing_newest_values(history, MetricRegistry(), set())
    clause = f"accuracy has no value on 10 Apr, evaluated up to {accuracy.newest.day} Apr"
    assert named == ({"churn": clause} if is_named else {})
    assert not (missing_newest_values(history, MetricRegistry(), {ACCURACY}))


def test_of_many_series_without_the_newest_value_the_first_is_named():
    recall = SeriesKey("churn", "recall")
    history = History({key: series(key, range(1, 100)) for key in (ACCURACY, recall)}, {"churn": days(range(1, 101))})
    assert missing_newest_values(history, MetricRegistry(), set())["churn"].endswith(
        "evaluated up to 9 Apr (and 1 more series like it)"
    )


def test_a_period_of_segments_alone_lacks_no_value_of_all_rows():
    segment = series(SeriesKey("churn", "accuracy", "country=DE"), [100])
    history = History(
        {each.key: each for each in (series(ACCURACY, range(1, 100)), segment)}, {"churn": days(range(1, 101))}
    )
    assert missing_newest_values(history, MetricRegistry(), set()) == {}


@pytest.mark.parametrize(
    ("segment", "rate", "state", "is_explained"),
    [
        pytest.param("feature=income", 1.0, State.FIRING, True, id="no row has a value"),
        pytest.param("feature=income", 0.9, State.FIRING, False, id="some rows have a value"),
        pytest.param("feature=income", 1.0, State.PENDING, False, id="the missing rate is no alert yet"),
        pytest.param("country=DE", 1.0, State.FIRING, False, id="the segment is no column"),
    ],
)
def test_drift_of_a_column_without_any_value_is_explained_by_the_alert_on_its_missing_rate(
    segment, rate, state, is_explained
):
    psi, missing = SeriesKey("churn", "psi", segment), SeriesKey("churn", "missing_rate", segment)
    other = psi._replace(segment="feature=age")
    history = History(
        {key: series(key, range(1, 41)) for key in (psi, other)} | {missing: series(missing, [100], rate)},
        {"churn": days(range(1, 101))},
    )
    now = datetime(2025, 4, 10, tzinfo=UTC)
    alert = Alert("id", "missing-values", missing, Condition.THRESHOLD, state, Severity.WARNING, now, now)
    assert drift_of_lost_columns(history, [alert]) == ({psi, missing} if is_explained else set())
