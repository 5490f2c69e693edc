"""What is remembered between two evaluations, and the grace period of no-data alerts."""

from datetime import UTC, datetime, timedelta

import pytest

from modeltop.core.series import Alert, Condition, SeriesKey, Severity, State
from modeltop.service import incident_tracker
from modeltop.service.incident_tracker import FILE_NAME, LastEvaluation, NoDataGrace

NOW = datetime(2025, 3, 1, tzinfo=UTC)


def test_the_next_run_loads_the_last_evaluation(tmp_path):
    seen = LastEvaluation({"churn\x1b eu": NOW}, {"abcd0123": NOW + timedelta(seconds=1)})
    incident_tracker.save_last_evaluation(tmp_path, seen)
    assert incident_tracker.load_last_evaluation(tmp_path) == seen


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"newest": [], "waiting": {}}', '{"newest": {"a": "2025-01-01"}, "waiting": {}}']
)
def test_a_file_that_is_not_ours_is_no_evaluation(tmp_path, text):
    assert incident_tracker.load_last_evaluation(tmp_path) == LastEvaluation()
    (tmp_path / FILE_NAME).write_text(text)
    assert incident_tracker.load_last_evaluation(tmp_path) == LastEvaluation()


def no_data_alert(number, condition=Condition.NO_DATA):
    key = SeriesKey(f"m{number}", "*")
    return Alert(f"id{number}", "no-data", key, condition, State.FIRING, Severity.UNKNOWN, NOW, NOW)


@pytest.mark.parametrize(
    ("seconds", "condition", "is_open", "expected"),
    [
        pytest.param((0,), Condition.NO_DATA, False, [False], id="the first look does not count"),
        pytest.param((0, 59, 60), Condition.NO_DATA, False, [False, False, True], id="a minute later it counts"),
        pytest.param((0, 59, 60), Condition.UNREADABLE, False, [False, False, True], id="what is unreadable waits too"),
        pytest.param((0,), Condition.THRESHOLD, False, [True], id="values do not wait"),
        pytest.param((0,), Condition.ERROR, False, [True], id="errors have waited already"),
        pytest.param((0,), Condition.NO_DATA, True, [True], id="what people know goes on"),
        pytest.param((0, -999_999, -999_939), Condition.NO_DATA, False, [False, False, True], id="a clock set back"),
    ],
)
def test_no_data_settles_after_the_grace_period(seconds, condition, is_open, expected):
    grace = NoDataGrace(timedelta(minutes=1))
    settled = [
        grace.settled_alerts([no_data_alert(1, condition)], NOW + timedelta(seconds=at), lambda _: is_open)
        for at in seconds
    ]
    assert [bool(alerts) for alerts in settled] == expected


def test_no_data_that_ended_starts_its_grace_period_again():
    grace = NoDataGrace(timedelta(minutes=1))
    grace.settled_alerts([no_data_alert(1), no_data_alert(2)], NOW, lambda _: False)
    assert grace.next_due() == NOW + timedelta(minutes=1)
    grace.settled_alerts([no_data_alert(2)], NOW + timedelta(seconds=30), lambda _: False)
    settled = grace.settled_alerts([no_data_alert(1), no_data_alert(2)], NOW + timedelta(seconds=60), lambda _: False)
    assert [alert.id for alert in settled] == ["id2"]
