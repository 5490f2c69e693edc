"""The date column is the one that holds dates, whatever it is called; what stays open is asked for."""

import datetime as dt
import re

import pytest

DAYS = [dt.date(2025, 1, 9) + dt.timedelta(days=number) for number in range(8)]
TIMES = [dt.datetime(day.year, day.month, day.day) for day in DAYS]  # noqa: DTZ001  naive UTC, as numpy has it
LATER = [day + dt.timedelta(days=6) for day in DAYS]
EPOCHS = [1736380800 + 86400 * number for number in range(8)]


def table(header, *columns):
    return f"{header}\n" + "".join(",".join(map(str, row)) + "\n" for row in zip(*columns, strict=True))


@pytest.mark.parametrize(
    "name",
    [
        *(
            "datetime",
            "ts",
            "dt",
            "created_at",
            "run_date",
            "start_date",
            "window_start",
            "event_time",
            "week",
            "_time",
        ),
        *("index", "Unnamed: 0", "", "as_of_date", "Datum", "epoch", "month", "whatever", "accuracy_date"),
    ],
)
def test_the_only_column_of_dates_is_the_date_column(history_folder, name):
    history = history_folder.read(table(f"{name},accuracy", DAYS, [0.9] * 8))
    (series,) = history.series.values()
    assert (series.key.metric, series.times.tolist()) == ("accuracy", TIMES)
    assert history.problems == ()


@pytest.mark.parametrize("name", ["wall_time", "created_at", "Wall time", "_timestamp", "startTime", "epoch"])
def test_seconds_are_dates_where_the_name_says_so(history_folder, name):
    history = history_folder.read(table(f"{name},accuracy", [f"{epoch}.0" for epoch in EPOCHS], [0.9] * 8))
    assert [series.times.tolist() for series in history.series.values()] == [TIMES]


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        pytest.param("epoch,step,accuracy", [range(8), range(0, 800, 100), [0.9] * 8], id="a training log"),
        pytest.param("bytes,accuracy", [EPOCHS, [0.9] * 8], id="numbers that could be seconds"),
        pytest.param("number,accuracy", [range(45658, 45666), [0.9] * 8], id="numbers that could be days of Excel"),
        pytest.param("cases,accuracy", [range(2018, 2026), [0.9] * 8], id="numbers that could be years"),
        pytest.param("run,accuracy", [[f"run-{n}" for n in range(8)], [0.9] * 8], id="names"),
        pytest.param("2025-01-08,0.9", [DAYS, [0.9] * 8], id="no header"),
        pytest.param("when,accuracy", [[*DAYS[:3], *["soon"] * 5], [0.9] * 8], id="few dates"),
    ],
)
def test_without_a_column_of_dates_there_is_no_history(history_folder, header, columns):
    (problem,) = history_folder.read(table(header, *columns)).problems
    assert re.search("no date|no header|without dates", problem.message)
    assert problem.fatal


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        pytest.param("created_at,date,accuracy", [LATER, DAYS, [0.9] * 8], id="the known name counts"),
        pytest.param("period,start,accuracy", [["reference"] * 8, DAYS, [0.9] * 8], id="a known name without dates"),
        pytest.param("date,day,accuracy", [[""] * 8, DAYS, [0.9] * 8], id="an empty column"),
        pytest.param("day,run_date,accuracy", [range(1, 9), DAYS, [0.9] * 8], id="days of a month"),
        pytest.param("ts,copy,accuracy", [DAYS, DAYS, [0.9] * 8], id="the same dates twice"),
    ],
)
def test_one_of_several_columns_is_certain(history_folder, header, columns):
    history = history_folder.read(table(header, *columns))
    assert [series.times.tolist() for series in history.series.values() if series.key.metric == "accuracy"] == [TIMES]


@pytest.mark.parametrize(
    "names", ["chunk_start_date,chunk_end_date", "validFrom,validTo", "begin,end", "window_start,until", "run,end_date"]
)
def test_of_start_and_end_the_start_dates_the_period(history_folder, names):
    history = history_folder.read(table(f"{names},accuracy", DAYS, LATER, [0.9] * 8))
    (series,) = history.series.values()
    assert series.times.tolist() == TIMES
    (problem,) = history.problems
    start, end = names.split(",")
    assert f"column `{start}` dates the periods" in problem.message
    assert f"not `{end}`" in problem.message


def test_a_column_with_one_date_in_all_rows_dates_no_period(history_folder):
    query = [["2025-01-01"] * 8, ["2025-06-01"] * 8]
    history = history_folder.read(table("_start,_stop,_time,accuracy", *query, DAYS, [0.9] * 8))
    assert [series.times.tolist() for series in history.series.values()] == [TIMES]


@pytest.mark.parametrize("names", ["run_date,created_at", "ts,event_time"])
def test_two_unlike_columns_of_dates_are_refused_by_their_names(history_folder, names):
    (problem,) = history_folder.read(table(f"{names},accuracy", DAYS, LATER, [0.9] * 8)).problems
    first, second = names.split(",")
    assert problem.message == (
        f"columns `{first}` and `{second}` both hold dates: "
        f"use `--date {first}` or `--date {second}` (`date` under [sources.NAME])"
    )
    assert problem.fatal


def test_a_column_of_dates_that_can_be_read_in_two_ways_is_named(history_folder):
    (problem,) = history_folder.read(table("when,accuracy", ["01/02/2025", "02/02/2025"], [0.9] * 2)).problems
    assert "column `when` holds 01/02/2025, which is ambiguous" in problem.message
    assert problem.fatal


def test_the_days_of_a_spreadsheet_are_reported(history_folder):
    history = history_folder.read(table("date,accuracy", range(45666, 45674), [0.9] * 8))
    assert [series.times.tolist() for series in history.series.values()] == [TIMES]
    assert [problem.message for problem in history.problems] == [
        "column `date` holds days of a spreadsheet: 45658 is 2025-01-01"
    ]


def test_a_file_that_began_with_its_header_is_read_when_rows_come(history_folder):
    path = history_folder.write("when,accuracy\n")
    followed = history_folder.reader(path)
    assert followed.read().problems[0].fatal
    history_folder.append(path, b"2025-01-09,0.9\n")
    assert [len(series) for series in followed.read().series.values()] == [1]


@pytest.mark.parametrize("rows", [12, 13])
def test_a_last_row_without_its_end_decides_too(history_folder, rows):
    dates = [f"{day:02}/01/2025" for day in range(1, rows + 1)]
    path = history_folder.write(table("date,accuracy", dates, [0.9] * rows).rstrip("\n"), age=1)
    followed = history_folder.reader(path)
    assert followed.read().problems[0].fatal  # the twelve before it are ambiguous
    history_folder.now += 10
    assert [len(series) for series in followed.read().series.values()] == ([13] if rows == 13 else [])


def test_a_large_file_with_another_name_is_read(history_folder):
    rows = [f"2025-01-{1 + n // 1440:02}T{n // 60 % 24:02}:{n % 60:02}" for n in range(40_000)]
    text = table("when,accuracy,recall,f1_score,auc,precision", rows, *[[0.91234] * 40_000] * 5)
    history = history_folder.read(text)
    assert {len(series) for series in history.series.values()} == {40_000}


@pytest.mark.parametrize("where", [0, 60_000, 89_999])
def test_one_percent_sign_in_a_large_file_is_one_slip(history_folder, where):
    rows = [f"2025-01-01T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}" for n in range(86_400)]
    cells = [0.91] * len(rows)
    cells[min(where, len(cells) - 1)] = "95%"
    history = history_folder.read(table("date,accuracy,count", rows, cells, [7] * len(rows)))
    assert [len(series) for series in history.series.values()] == [len(rows) - 1]
    (problem,) = history.problems
    assert "`95%` is not a number" in problem.message


def test_a_large_file_in_which_all_is_unusual_is_read(history_folder):
    rows = [f"{1 + n % 28:02}.{1 + n // 28 % 12:02}.{1975 + n // 336 % 200} {n % 24:02}:00" for n in range(67_200)]
    text = "Datum;accuracy;count\n" + "".join(f"{row};{90 + n % 9},5 %;1.{n % 1000:03}\n" for n, row in enumerate(rows))
    (series,) = history_folder.read(text).series.values()
    assert len(series) == len(set(rows))
    assert set(series.values.tolist()) == {round(0.905 + number / 100, 3) for number in range(9)}
    assert series.rows.min() >= 1000
