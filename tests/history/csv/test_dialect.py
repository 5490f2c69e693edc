"""What programs and people do to CSV files."""

import pytest

PLAIN = "date,model,accuracy\n2025-01-01,churn,0.95\n2025-01-02,churn,0.9\n"
ROWS = {("churn", "accuracy", "all"): [("2025-01-01T00:00:00.000000", 0.95), ("2025-01-02T00:00:00.000000", 0.9)]}


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(PLAIN.encode(), id="plain"),
        pytest.param(PLAIN.encode("utf-8-sig"), id="byte order mark"),
        pytest.param(PLAIN.encode("utf-16"), id="utf-16 with a mark"),
        pytest.param(b"\xfe\xff" + PLAIN.encode("utf-16-be"), id="utf-16 big-endian with a mark"),
        pytest.param(PLAIN.encode("utf-16-le"), id="utf-16 little-endian without a mark"),
        pytest.param(PLAIN.encode("utf-16-be"), id="utf-16 big-endian without a mark"),
        pytest.param(PLAIN.replace("\n", "\r\n").encode(), id="crlf"),
        pytest.param(PLAIN.replace("\n", "\r").encode(), id="a lone cr ends lines"),
        pytest.param(PLAIN.replace(",", ";").replace("0.9", "0,9").encode(), id="semicolon and decimal comma"),
        pytest.param(PLAIN.replace(",", ";").encode(), id="semicolon and decimal point"),
        pytest.param(PLAIN.replace(",", "\t").encode(), id="tab"),
        pytest.param(PLAIN.replace(",", "|").encode(), id="bar"),
        pytest.param(PLAIN[:-1].encode(), id="no end of the last line"),
        pytest.param(b"\n  \n" + PLAIN.encode() + b"\n\n", id="blank lines"),
        pytest.param(b"sep=,\r\n" + PLAIN.encode(), id="a hint for spreadsheets"),
        pytest.param(PLAIN.replace("\n", ",,\n").encode(), id="a spreadsheet's empty columns"),
        pytest.param(PLAIN.encode() + b",,\n,,\n", id="a spreadsheet's empty rows"),
        pytest.param(PLAIN.replace("churn", '"churn"').encode(), id="quoted"),
        pytest.param(PLAIN.replace("date,", " Date , ").replace(", model", ",MODEL").encode(), id="a careless header"),
        pytest.param(PLAIN.replace("accuracy", "Accuracy").encode(), id="a metric in capitals"),
        pytest.param(PLAIN.replace("0.95", " 0.95 ").encode(), id="spaces round a number"),
    ],
)
def test_the_same_table_is_read_whatever_wrote_it(history_folder, values_of, data):
    assert values_of(history_folder.read(data)) == ROWS


@pytest.mark.parametrize("name", ["date", "timestamp", "time", "ds", "day", "period", "Date", "TIMESTAMP"])
def test_the_date_column_goes_by_several_names(history_folder, values_of, name):
    history = history_folder.read(PLAIN.replace("date", name))
    assert values_of(history) == ROWS
    assert history.problems == ()


def test_the_long_shape_gives_the_same_series(history_folder, values_of):
    long = "date,model,metric,value,segment\n2025-01-01,churn,acc,0.95,\n2025-01-02,churn,acc,0.9,all\n"
    assert values_of(history_folder.read(long)) == ROWS


def test_each_metric_of_the_long_shape_keeps_its_own_count(history_folder):
    history = history_folder.read("date,metric,value,count\n2025-01-01,accuracy,0.9,100\n2025-01-01,recall,0.5,7\n")
    assert {key.metric: series.rows.tolist() for key, series in history.series.items()} == {
        "accuracy": [100.0],
        "recall": [7.0],
    }


def test_support_and_interval_are_read_beside_their_metric_alone(history_folder):
    history = history_folder.read(
        "date,recall,recall_count,recall_low,recall_high,missing_count\n2025-01-01,0.5,8,0.2,0.8,3\n"
    )
    recall, missing = history.series.values()
    assert (recall.support.tolist(), recall.low.tolist(), recall.high.tolist()) == ([8.0], [0.2], [0.8])
    assert (missing.key.metric, missing.latest, missing.support) == ("missing_count", 3.0, None)


def test_a_provisional_period_is_marked(history_folder):
    history = history_folder.read("date,accuracy,provisional\n2025-01-01,0.9,\n2025-01-02,0.8,TRUE\n")
    (series,) = history.series.values()
    assert series.provisional.tolist() == [False, True]


@pytest.mark.parametrize("name", ["007", "NA", "null", "None", "nan", "inf", "1e5", "true", "a\0b", "é"])
def test_names_stay_as_they_are_written(history_folder, name):
    history = history_folder.read(f"date,model,segment,metric,value\n2025-01-01,{name},{name},{name},0.5\n")
    assert [(key.model, key.segment, key.metric) for key in history.series] == [(name, name, name)]


@pytest.mark.parametrize("cell", ["", "nan", "NaN", "NA", "null", " "])
def test_a_cell_without_a_value_is_missing_and_its_period_is_known(history_folder, cell):
    history = history_folder.read(f"date,accuracy\n2025-01-01,0.9\n2025-01-02,{cell}\n")
    assert [len(series) for series in history.series.values()] == [1]
    assert len(history.periods["m"]) == 2
    assert history.problems == ()


def test_infinity_is_a_value(history_folder):
    (series,) = history_folder.read("date,log_loss\n2025-01-01,inf\n").series.values()
    assert series.values.tolist() == [float("inf")]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"date,time,accuracy\n2025-01-01,12:00,0.9\n", "`time` is not read", id="two dates"),
        pytest.param(b",date,accuracy\n0,2025-01-01,0.9\n", "without a name", id="an index without a name"),
        pytest.param(b"date,accuracy,note\n2025-01-01,0.9,ok\n", "`note` holds text", id="a column of notes"),
        pytest.param(b"date,segment,accuracy\n2025-01-01,all,0.9\n# \xe9,,\n", "not UTF-8", id="latin-1"),
    ],
)
def test_what_could_surprise_is_reported_once_and_the_rest_is_read(history_folder, values_of, data, message):
    history = history_folder.read(data)
    assert values_of(history) == {("m", "accuracy", "all"): [("2025-01-01T00:00:00.000000", 0.9)]}
    assert len([problem for problem in history.problems if message in problem.message]) == 1


def test_a_name_that_is_not_utf_8_stays_legible(history_folder):
    history = history_folder.read(b"date,model,accuracy\n2025-01-01,caf\xe9,0.9\n2025-01-01,th\xc3\xa9,0.9\n")
    assert list(history.periods) == ["café", "thé"]
    assert [problem.line for problem in history.problems] == [2]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"\n\n", "is empty", id="blank"),
        pytest.param(b"accuracy\n0.9\n", "no date column", id="no date"),
        pytest.param(b"2025-01-01,0.9\n", "no header, the first line is data", id="no header"),
        pytest.param(b"\xff\xfe\0\0d\0\0\0", "UTF-32", id="utf-32"),
        pytest.param(b"PK\x03\x04date,accuracy\n", "ZIP archive", id="a packed file"),
        pytest.param(b'"date,accuracy\n', "quote", id="an open quote in the header"),
        pytest.param(b"date" + b",m" * 1000 + b"\n", "1,001 columns", id="too many columns"),
        pytest.param(b"date," + b"m" * 2_000_000, "longer than", id="an endless header"),
    ],
)
def test_a_file_that_is_no_history_is_one_fatal_problem(history_folder, data, message):
    history = history_folder.read(data)
    (problem,) = history.problems
    assert message in problem.message
    assert problem.fatal


def test_a_header_alone_is_an_error_since_nothing_is_known_of_the_model(history_folder):
    (problem,) = history_folder.read("date,accuracy\n").problems
    assert "no rows yet" in problem.message
    assert problem.fatal
