"""A broken row loses itself, a broken cell loses itself, and both are reported with their line."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from modeltop.history.csv.dialect import MAX_CELL, MAX_LINE
from modeltop.history.csv.problems import MAX_REPORTED
from modeltop.history.files import MAX_BYTES

GOOD = "2025-01-01,a,0.9,10\n"
LAST = "2025-01-03,a,0.7,30\n"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        pytest.param("soon,a,0.8,20\n", "is not a date", id="no date"),
        pytest.param(",a,0.8,20\n", "the date is empty", id="empty date"),
        pytest.param("2025-01-02,,0.8,20\n", "names no model", id="no model"),
        pytest.param("2025-01-02, \t,0.8,20\n", "names no model", id="a blank model"),
        pytest.param("2025-01-02,a,0.8\n", "3 cells, the header 4", id="too few cells"),
        pytest.param("2025-01-02,a,0.8,20,7\n", "5 cells, the header 4", id="too many cells"),
        pytest.param('2025-01-02,"a,0.8,20\n', "not closed", id="an open quote"),
        pytest.param('2025-01-02,"a"b,0.8,20\n', "the quotes are wrong", id="a quote in the middle"),
        pytest.param("\0" * 40 + "\n", "1 cell", id="a hole of zeros"),
        pytest.param("2025-01-02,a,0.8,20\r2,b\n", "2 cells", id="a stray carriage return"),
        pytest.param(f"2025-01-02,{'W' * (MAX_CELL + 1)},0.8,20\n", "a cell is longer", id="an endless cell"),
        pytest.param("W," * MAX_LINE + "\n", "the row is longer", id="an endless row"),
    ],
)
def test_a_broken_row_is_reported_and_its_neighbours_are_read(history_folder, row, message):
    history = history_folder.read("date,model,accuracy,count\n" + GOOD + row + LAST)
    (problem,) = history.problems
    assert message in problem.message
    assert problem.line == (4 if "\r" in row else 3)
    assert not problem.fatal
    values = [value for series in history.for_model("a") for value in series.values.tolist()]
    assert [value for value in values if value != 0.8] == [0.9, 0.7]


@pytest.mark.parametrize(
    ("cells", "message", "remaining"),
    [
        pytest.param("high,5", "`accuracy`: `high` is not a number: write one", "count", id="a word"),
        pytest.param("95%,5", "write a fraction", "count", id="a percentage"),
        pytest.param('"0,95",5', "decimal point", "count", id="a decimal comma"),
        pytest.param("95,5", "95 is not between 0 and 1: write a fraction, such as 0.95", "count", id="of a hundred"),
        pytest.param("-0.1,5", "-0.1 is not between 0 and 1", "count", id="below its bounds"),
        pytest.param("inf,5", "inf is not between 0 and 1", "count", id="infinite"),
        pytest.param("1_0,5", "is not a number", "count", id="an underscore"),
        pytest.param("٠,5", "is not a number", "count", id="digits of another script"),
        pytest.param("0.8,-5", "-5 is not a count", "accuracy", id="a negative count"),
        pytest.param("0.8,inf", "inf is not a count", "accuracy", id="an infinite count"),
        pytest.param("0.8,0.3", "`count`: 0.3 is not a count: write a whole number", "accuracy", id="a share of 1"),
        pytest.param("0.8,1e300", "1e+300 is not a count: write a whole number, 1e15", "accuracy", id="a huge count"),
        pytest.param("0.8,many", "`count`: `many` is not a number", "accuracy", id="a count in words"),
    ],
)
def test_a_broken_cell_is_reported_and_the_rest_of_its_row_is_read(history_folder, cells, message, remaining):
    history = history_folder.read(f"date,accuracy,count\n2025-01-01,0.9,10\n2025-01-02,{cells}\n")
    (problem,) = history.problems
    assert message in problem.message
    assert problem.line == 3
    (series,) = history.series.values()
    assert series.values.tolist() == ([0.9, 0.8] if remaining == "accuracy" else [0.9])
    assert len(history.periods["m"]) == 2


@pytest.mark.parametrize("name", ["count", "n", "N", "n_samples", "num_rows", "Sample size", "Anzahl Fälle"])
def test_the_number_of_cases_is_known_by_the_names_that_the_field_gives_it(history_folder, name):
    history = history_folder.read(f"date,accuracy,{name}\n2025-01-01,0.9,10\n2025-01-02,0.8,20\n")
    assert [key.metric for key in history.series] == ["accuracy"]
    assert [list(series.support) for series in history.series.values()] == [[10, 20]]


def test_beside_a_count_n_is_a_metric(history_folder):
    history = history_folder.read("date,n,count\n2025-01-01,0.9,10\n")
    assert [(key.metric, list(series.values)) for key, series in history.series.items()] == [("n", [0.9])]


def test_lines_are_counted_through_quoted_line_ends(history_folder):
    history = history_folder.read('date,model,accuracy\n2025-01-01,"a\nb\r\nc",0.9\nsoon,x,1\n')
    assert list(history.periods) == ["a\nb\r\nc"]
    assert [problem.line for problem in history.problems] == [5]


def test_two_stray_quotes_do_not_swallow_the_rows_between(history_folder, values_of):
    rows = ['2025-01-01,"a,1', "2025-01-02,b,1", "2025-01-03,c,1", '2025-01-04,d",1', "2025-01-05,e,1"]
    history = history_folder.read(
        "date,model,accuracy,count\n" + "".join(f"{row},5\n" for row in rows).replace('d",1,5', 'd",,1,5')
    )
    assert {"b", "c", "e"} <= set(history.periods)


@pytest.mark.parametrize("rows", [40_000, 90_000])
def test_one_row_in_a_thousand_is_lost_and_named(history_folder, rows):
    first = datetime(2000, 1, 1)  # noqa: DTZ001
    lines = [f"{(first + timedelta(minutes=n)).isoformat()},0.{n % 97:02d},{n}\n" for n in range(rows)]
    broken = range(500, rows, 1000)
    for number in broken:
        lines[number] = "torn" + lines[number]
    history = history_folder.read("date,accuracy,count\n" + "".join(lines))
    (series,) = history.series.values()
    assert len(series) == rows - len(broken)
    assert [p.line for p in history.problems if p.line] == [n + 2 for n in broken][:MAX_REPORTED]
    assert ("and 40 more" in history.problems[-1].message) == (len(broken) > MAX_REPORTED)


def test_ten_thousand_bad_rows_are_counted_not_listed(history_folder):
    history = history_folder.read("date,accuracy\n" + "2025-01-01,x\nsoon,1\n" * 5_000)
    assert len(history.problems) == MAX_REPORTED + 1
    assert f"and {10_000 - MAX_REPORTED:,} more" in history.problems[-1].message
    assert [p.line for p in history.problems[:-1]] == list(range(2, MAX_REPORTED + 2))


def test_a_file_beyond_the_limit_is_refused_without_being_read(history_folder):
    path = history_folder.write("date,accuracy\n2025-01-01,0.9\n")
    with path.open("ab") as stream:
        stream.truncate(MAX_BYTES + 1)
    (problem,) = history_folder.reader(path).read().problems
    assert "the most is 256 MB" in problem.message
    assert problem.fatal


def test_a_column_of_row_numbers_is_no_column_of_models(history_folder):
    rows = "".join(f"2025-01-01,{n},0.9\n" for n in range(50_001))
    (problem,) = history_folder.read("date,model,accuracy\n" + rows).problems
    assert "50,001 models" in problem.message


def test_a_row_of_the_future_is_read_for_a_reader_knows_no_clock(history_folder):
    history = history_folder.read("date,accuracy\n2025-01-09,0.9\n2025-01-10,0.9\n2025-01-11,0.9\n2025-01-20,0.8\n")
    assert len(history.periods["m"]) == 4
    assert history.problems == ()


def test_the_history_of_real_models_is_read_as_it_is(history_folder, reference_data):
    history = history_folder.reader(reference_data("forecast_history.csv")).read()
    assert {model: len(times) for model, times in history.periods.items()} == {
        "mlb-games": 52, "nba-games": 63, "nfl-games": 42, "nhl-games": 9, "wnba-games": 11,
    }  # fmt: skip
    assert history.problems == ()
    (nfl,) = [series for series in history.for_model("nfl-games") if series.key.metric == "accuracy"]
    assert (nfl.latest, nfl.rows[-1]) == (1.0, 1.0)


PRINTED = {
    "psql": "date|accuracy\n----------+--------\n{rows}(2 rows)\n\n",
    "psql, unaligned": "date|accuracy\n{rows}(2 rows)\n",
    "mysql": "+---+---+\n| date | accuracy |\n+---+---+\n{boxed}+---+---+\n2 rows in set (0.00 sec)\n",
    "sqlcmd": "date,accuracy\n----------,--------\n{commas}\n(2 rows affected)\n",
    "Spark": "+----+----+\n|date|accuracy|\n+----+----+\n{boxed}+----+----+\nonly showing top 2 rows\n",
    "markdown": "| date | accuracy |\n|:---|---:|\n{boxed}",
}


@pytest.mark.parametrize("printed", PRINTED.values(), ids=PRINTED.keys())
def test_the_frame_of_a_table_that_a_database_printed_is_no_row(history_folder, printed):
    cells = [("2025-01-01", "0.95"), ("2025-01-02", "0.94")]
    rows = "".join(f"{day}|{value}\n" for day, value in cells)
    boxed = "".join(f"| {day} | {value} |\n" for day, value in cells)
    text = printed.format(rows=rows, boxed=boxed, commas=rows.replace("|", ","))
    history = history_folder.read(text)
    assert [series.values.tolist() for series in history.series.values()] == [[0.95, 0.94]]
    assert not [problem for problem in history.problems if "the header" in problem.message]


def test_a_name_is_the_same_however_the_printed_column_is_filled(history_folder):
    rows = [f"| 2025-01-{day:02} | {'a  ' if day % 2 else ' a '} | eu | 0.9{day} |\n" for day in range(1, 9)]
    history = history_folder.read("| date | model | segment | accuracy |\n|---|---|---|---|\n" + "".join(rows))
    ((key, series),) = history.series.items()
    assert (key.model, key.segment, len(series)) == ("a", "eu", 8)


@pytest.mark.parametrize("missing", [r"\N", "<NA>", "(null)"])
def test_the_null_of_a_database_or_of_pandas_is_an_empty_cell(history_folder, missing):
    history = history_folder.read(f"date,accuracy\n2025-01-01,0.95\n2025-01-02,{missing}\n2025-01-03,0.94\n")
    (series,) = history.series.values()
    assert series.values[~np.isnan(series.values)].tolist() == [0.95, 0.94]
    assert not history.problems
