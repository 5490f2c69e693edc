"""Local times that come twice at the end of summer time, and those that clocks skip at its start."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest

SET_BACK = [
    pytest.param("Europe/Berlin", "2025-10-25T22:00Z", 60, "02:00 came twice on 2025-10-26", id="Berlin"),
    pytest.param("America/New_York", "2025-11-02T02:00Z", 60, "01:00 came twice on 2025-11-02", id="New York"),
    pytest.param("Australia/Sydney", "2025-04-05T10:00Z", 60, "02:00 came twice on 2025-04-06", id="Sydney"),
    pytest.param("Australia/Lord_Howe", "2025-04-05T10:00Z", 30, "01:30 came twice on 2025-04-06", id="half an hour"),
    pytest.param("Europe/London", "2025-10-25T20:00Z", 15, "01:00 came twice on 2025-10-26", id="quarters of an hour"),
]


def naive_rows(zone, first, minutes, count=40, models=("m",)):
    """Rows every so many minutes with local dates, and the moments they are of."""
    moments = [dt.datetime.fromisoformat(first) + dt.timedelta(minutes=minutes * number) for number in range(count)]
    rows = [
        f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M},{model},{0.9 + number / 1000:.3f}\n"
        for number, moment in enumerate(moments)
        for model in models
    ]
    return rows, [moment.replace(tzinfo=None) for moment in moments]


@pytest.mark.parametrize("is_newest_first", [False, True])
@pytest.mark.parametrize(("zone", "first", "minutes", "note"), SET_BACK)
def test_no_row_of_an_hour_that_comes_twice_is_lost(history_folder, zone, first, minutes, note, is_newest_first):
    rows, moments = naive_rows(zone, first, minutes, models=("a", "b"))
    assert len(set(rows)) < len(rows) or len({row.split(",")[0] for row in rows}) < len(moments)
    text = "date,model,accuracy\n" + "".join(reversed(rows) if is_newest_first else rows)
    history = history_folder.read(text, zone=ZoneInfo(zone))
    for series in history.series.values():
        assert series.times.tolist() == moments
        assert series.values.tolist() == [round(0.9 + number / 1000, 3) for number in range(len(moments))]
    (problem,) = history.problems
    assert note in problem.message


def test_a_row_that_comes_once_in_such_an_hour_is_its_first_occurrence(history_folder):
    history = history_folder.read("date,accuracy\n2025-10-26 02:00,0.9\n", zone=ZoneInfo("Europe/Berlin"))
    (series,) = history.series.values()
    assert series.times.tolist() == [dt.datetime(2025, 10, 26, 0, 0)]  # noqa: DTZ001  naive UTC
    assert history.problems == ()


def test_rows_with_an_offset_and_days_come_once(history_folder):
    dates = ["2025-10-26T02:00+02:00", "2025-10-26T02:00+01:00", "2025-10-26", "2025-10-27"]
    text = "date,accuracy\n" + "".join(f"{date},0.9\n" for date in dates)
    history = history_folder.read(text, zone=ZoneInfo("Europe/Berlin"))
    assert [len(series) for series in history.series.values()] == [4]
    assert history.problems == ()


def test_rows_that_all_come_twice_are_corrections(history_folder):
    rows, moments = naive_rows("Europe/Berlin", "2025-10-25T16:00Z", 60, count=6)
    text = "date,model,accuracy\n" + "".join(row for row in rows for _ in range(2))
    (series,) = history_folder.read(text, zone=ZoneInfo("Europe/Berlin")).series.values()
    assert series.times.tolist() == moments


def test_a_local_time_that_clocks_skipped_is_refused_with_its_line(history_folder):
    rows = "".join(f"2025-03-30 {hour:02}:00,0.9\n" for hour in range(6))
    history = history_folder.read("date,accuracy\n" + rows, zone=ZoneInfo("Europe/Berlin"))
    assert [len(series) for series in history.series.values()] == [5]
    (problem,) = history.problems
    assert "`2025-03-30 02:00`" in problem.message
    assert "clocks in Europe/Berlin skipped this hour" in problem.message
    assert problem.line == 4


def test_a_day_that_begins_at_one_is_a_day(history_folder):
    history = history_folder.read("date,accuracy\n2018-11-04,0.9\n", zone=ZoneInfo("America/Sao_Paulo"))
    (series,) = history.series.values()
    assert series.times.tolist() == [dt.datetime(2018, 11, 4, 3)]  # noqa: DTZ001  naive UTC


@pytest.mark.parametrize("cut", [10, 30, 34, 38, 42, 60])
def test_a_file_that_grows_within_such_an_hour_is_read_as_at_once(history_folder, as_plain_data, cut):
    rows, _ = naive_rows("Europe/London", "2025-10-25T18:00Z", 15, count=80)
    data = ["date,model,accuracy\n", *rows]
    path = history_folder.write("".join(data[:cut]))
    followed = history_folder.reader(path, zone=ZoneInfo("Europe/London"))
    followed.read()
    history_folder.append(path, "".join(data[cut:]).encode())
    fresh = history_folder.reader(path, zone=ZoneInfo("Europe/London")).read()
    assert as_plain_data(followed.read()) == as_plain_data(fresh)
    assert np.all(np.diff(next(iter(fresh.series.values())).times) == np.timedelta64(15, "m"))
