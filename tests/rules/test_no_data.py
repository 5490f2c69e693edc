import csv
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from modeltop.core.series import DATETIME_DTYPE, Condition, ReadProblem, Severity, State
from modeltop.rules.replay import no_data_alert, source_error_alert

DAY = timedelta(days=1)


def starts(*moments):
    return np.array(moments, dtype=DATETIME_DTYPE)


def every(gaps, unit="D"):
    """Period starts from 2025-01-01 on, `gaps` apart."""
    return (np.datetime64("2025-01-01", "us") + np.cumsum([0, *gaps]) * np.timedelta64(1, unit)).astype(DATETIME_DTYPE)


def newest(periods):
    return periods[-1].item().replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("periods", "wait"),
    [
        pytest.param(every([1] * 9), 2.5 * DAY, id="a daily model: two and a half days"),
        pytest.param(every([1] * 3), 2.5 * DAY, id="three gaps are enough"),
        pytest.param(every([24] * 5 + [12] * 4, "h"), 2.5 * DAY, id="the median is what is usual, not the mean"),
        pytest.param(every([1, 1, 1, 1, 3] * 4), 4.5 * DAY, id="a weekday model is not dead every Monday"),
        pytest.param(every([30] * 6 + [120]), 180 * DAY, id="a league may have its summer"),
        pytest.param(every([120] + [1] * 60), 2.5 * DAY, id="a gap before the last sixty is forgotten"),
        pytest.param(every([120] + [1] * 59), 180 * DAY, id="one among them is not"),
        pytest.param(every([1] * 9, "m"), timedelta(minutes=10), id="never under ten minutes"),
    ],
)
def test_a_model_is_overdue_by_what_its_past_makes_usual(periods, wait):
    due = newest(periods) + wait
    assert no_data_alert("m", periods, due) is None
    alert = no_data_alert("m", periods, due + timedelta(microseconds=1))
    assert (alert.since, alert.fired, alert.resolved) == (due, due, None)


def test_it_speaks_for_the_whole_model_and_names_how_late_it_is():
    periods = every([30] * 9)
    alert = no_data_alert("nhl", periods, newest(periods) + 77 * DAY)
    assert (alert.rule, alert.key.model, alert.key.metric, alert.key.segment) == ("no-data", "nhl", "*", "all")
    assert (alert.condition, alert.state, alert.severity) == (Condition.NO_DATA, State.FIRING, Severity.UNKNOWN)
    assert alert.breach.message == "no rows for 77 days, expected within 75 days"
    assert (alert.breach.value, alert.breach.limit) == (77 * 86_400, 75 * 86_400)


@pytest.mark.parametrize(
    ("hours", "message"),
    [
        (11 * 24, "no rows for 11 days, expected within 2.5 days"),
        (63, "no rows for 2.6 days, expected within 2.5 days"),
        (60.1, "no rows for 2.5042 days, expected within 2.5 days"),
    ],
)
def test_an_age_is_told_apart_from_the_limit(hours, message):
    periods = every([1] * 9)
    alert = no_data_alert("m", periods, newest(periods) + timedelta(hours=hours))
    assert alert.breach.message == message


def test_its_name_stays_while_the_silence_lasts():
    periods = every([1] * 9)
    first, later = (no_data_alert("m", periods, newest(periods) + age * DAY) for age in (3, 30))
    assert first.id == later.id
    assert len(first.id) == 8


@pytest.mark.parametrize("gaps", [[], [1], [1, 1]])
def test_fewer_than_three_gaps_tell_nothing_unless_a_limit_is_set(gaps):
    periods = every(gaps)
    now = newest(periods) + 1000 * DAY
    assert no_data_alert("m", periods, now) is None
    assert no_data_alert("m", periods, now, stale_after=1000 * DAY) is None
    assert no_data_alert("m", periods, now, stale_after=999 * DAY) is not None


def test_a_limit_that_is_set_replaces_what_is_usual():
    periods = every([30] * 9)
    assert no_data_alert("m", periods, newest(periods) + 2 * DAY, stale_after=DAY).breach.limit == 86_400
    assert no_data_alert("m", periods, newest(periods) + 90 * DAY, stale_after=100 * DAY) is None


def test_the_severity_is_the_one_that_was_asked_for_and_ok_means_silence():
    periods = every([1] * 9)
    now = newest(periods) + 9 * DAY
    assert no_data_alert("m", periods, now, severity=Severity.CRITICAL).severity is Severity.CRITICAL
    assert no_data_alert("m", periods, now, severity=Severity.OK) is None


def test_rows_from_the_future_and_models_without_rows_are_not_silent():
    assert no_data_alert("m", every([1] * 9), datetime(2024, 1, 1, tzinfo=UTC)) is None
    assert no_data_alert("m", starts(), datetime(2024, 1, 1, tzinfo=UTC), stale_after=DAY) is None


def test_of_five_real_models_only_the_one_that_saw_a_single_season_is_silent(reference_data):
    periods = {}
    with reference_data("forecast_history.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            periods.setdefault(row["model"], set()).add(row["date"])
    clocks = {model: starts(*sorted(days)) for model, days in periods.items()}
    now = max(newest(times) for times in clocks.values())
    alerts = {model: no_data_alert(model, times, now) for model, times in clocks.items()}
    assert [model for model, alert in alerts.items() if alert] == ["nhl-games"]


def test_a_source_that_cannot_be_read_is_an_alert_whose_evidence_is_its_reason_made_safe():
    now = datetime(2025, 1, 1, tzinfo=UTC)
    alert = source_error_alert(ReadProblem("x.csv", "no such file: \x1b[2J", fatal=True), now, Severity.CRITICAL)
    assert (alert.rule, alert.key.model, alert.key.metric) == ("error", "x.csv", "*")
    assert (alert.condition, alert.state, alert.severity) == (Condition.ERROR, State.FIRING, Severity.CRITICAL)
    assert (alert.since, alert.fired, alert.breach.message) == (now, now, "no such file: \\x1b[2J")
