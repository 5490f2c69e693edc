"""JSON of records is read as the table that it is."""

import json

import pytest

ROWS = [{"date": f"2025-01-{day:02}", "accuracy": 0.9 + day / 1000} for day in range(1, 10)]
LINES = "".join(f"{json.dumps(row)}\n" for row in ROWS)


@pytest.fixture
def read(history_folder):
    """Return a function that reads a text as a file."""

    def call(text, name="m.json"):
        return history_folder.reader(history_folder.write(text, name)).read()

    return call


def values(history):
    return {(key.model, key.segment, key.metric): list(series.values) for key, series in history.series.items()}


def problem(history):
    (only,) = history.problems
    return only.message


EXPECTED = {("m", "all", "accuracy"): [row["accuracy"] for row in ROWS]}
SHAPES = {
    "lines": LINES,
    "lines without the last line end": LINES.rstrip(),
    "lines with blank lines and CRLF": LINES.replace("\n", "\r\n\r\n"),
    "an array": json.dumps(ROWS),
    "an indented array": json.dumps(ROWS, indent=2),
    "indented objects one after the other": "\n".join(json.dumps(row, indent=2) for row in ROWS),
    "an array in an object": json.dumps({"count": 9, "runs": ROWS}),
    "columns": json.dumps({name: [row[name] for row in ROWS] for name in ROWS[0]}),
    "columns as pandas writes them": json.dumps(
        {name: {str(index): row[name] for index, row in enumerate(ROWS)} for name in ROWS[0]}
    ),
    "pandas with an index of dates": json.dumps({"accuracy": {row["date"]: row["accuracy"] for row in ROWS}}),
    "pandas, orient=split": json.dumps({"columns": list(ROWS[0]), "index": [0], "data": [[*r.values()] for r in ROWS]}),
    "an object a date": json.dumps({row["date"]: {"accuracy": row["accuracy"]} for row in ROWS}),
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_same_table_in_any_shape_is_the_same_history(read, name):
    history = read(SHAPES[name])
    assert (history.problems, values(history)) == ((), EXPECTED)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_the_encoding_is_detected(history_folder, encoding):
    data = ("\ufeff" if encoding == "utf-16-be" else "") + json.dumps(ROWS)
    history = history_folder.reader(history_folder.write(data.encode(encoding), "m.json")).read()
    assert (history.problems, values(history)) == ((), EXPECTED)


def test_nested_fields_are_joined_by_a_dot_and_missing_ones_are_empty(read):
    rows = [
        {"date": "2025-01-01", "model": "churn", "val": {"accuracy": 0.9, "f1": 0.8}},
        {"date": "2025-01-02", "model": "churn", "val": {"accuracy": 0.91, "f1": None}, "recall": 0.7},
    ]
    history = read(json.dumps(rows))
    assert {key.metric for key in history.series} == {"accuracy", "f1_score", "recall"}
    assert {key.metric: len(series.values) for key, series in history.series.items() if key.metric == "recall"} == {
        "recall": 1
    }


def test_every_digit_of_a_number_stays(read):
    (series,) = read(
        '[{"date": "2025-01-01", "x": 0.1234567890123456}, {"date": "2025-01-02", "x": 1e-7}]'
    ).series.values()
    assert list(series.values) == [0.1234567890123456, 1e-7]


def test_a_damaged_line_is_reported_with_its_line_and_the_others_count(read):
    history = read(LINES + '{"date": "2025-01-10", "accu\n' + '{"date": "2025-01-11", "accuracy": 0.5}\n', "m.jsonl")
    assert len(values(history)["m", "all", "accuracy"]) == 10
    (found,) = history.problems
    assert (found.line, found.message, found.fatal) == (10, "not a JSON object: correct the line or delete it", False)


def test_a_last_line_that_is_still_written_waits_for_its_end(history_folder):
    path = history_folder.write(LINES + '{"date": "2025-01-10", "accu', "m.jsonl", age=1)
    reader = history_folder.reader(path)
    history = reader.read()
    assert (history.problems, len(history.periods["m"])) == ((), 9)
    history_folder.append(path, b'racy": 0.5}\n')
    assert len(reader.read().periods["m"]) == 10


def test_the_metric_history_of_the_mlflow_api_is_read(read):
    rows = [{"key": "accuracy", "value": 0.9, "timestamp": 1735689600000 + n * 86_400_000, "step": n} for n in range(5)]
    history = read(json.dumps({"metrics": rows}))
    assert values(history) == {("m", "all", "accuracy"): [0.9] * 5}


def test_the_answer_of_prometheus_to_a_range_query_is_read(read):
    days = [[1735689600 + n * 86_400, f"0.9{n}"] for n in range(5)]
    labels = {"__name__": "model_accuracy", "model": "churn"}
    answer = {"status": "success", "data": {"resultType": "matrix", "result": [{"metric": labels, "values": days}]}}
    assert values(read(json.dumps(answer))) == {("churn", "all", "accuracy"): [0.9, 0.91, 0.92, 0.93, 0.94]}
    del labels["__name__"]
    assert {key.metric for key in read(json.dumps(answer), "recall.json").series} == {"recall"}


def test_a_prediction_log_is_recognized(read):
    log = "".join(f'{{"ts": "2025-01-01 00:00:{n}", "y_true": {n % 2}, "y_pred": 1}}\n' for n in range(10, 60))
    assert "run `modeltop compute" in problem(read(log, "p.jsonl"))
    assert "run `modeltop compute" in problem(read(json.dumps([json.loads(line) for line in log.splitlines()])))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 200_000, "this JSON is nested too deeply: write one object a period, such as"),
        ('{"a":' * 200_000 + "1" + "}" * 200_000, "this JSON is nested too deeply: write one object a period, such as"),
        ('[{"date": ' + '{"a":' * 900 + "1" + "}" * 900 + "}]", "a text file without columns"),
        ('[{"date": "2025-01-01", "accuracy": 0.9}, {"da', "this JSON file is cut off: copy or write it again"),
        ('{"date": "2025-01-01",, "accuracy": 0.9}', "not valid JSON, line 1: "),
        ("[]", "JSON without records: write one object a period, such as"),
        ("{}", "JSON without records: write one object a period, such as"),
        ("[[1, 2], [3, 4]]", "JSON without records: write one object a period, such as"),
        ('{"status": "error", "errorType": "bad_data", "error": "x"}', "an error of Prometheus, not data: correct its"),
        ('["accuracy"]', "JSON without records: write one object a period, such as"),
        (
            json.dumps([{"date": "2025-01-01", f"x{n}": n} for n in range(3_000)]),
            "these records have more than 2,000 different fields: write one object a period",
        ),
    ],
    ids=[
        "brackets", "braces", "in a record", "cut off", "two commas", "empty array", "empty object", "numbers", "error",
        "words", "fields",
    ],
)  # fmt: skip
def test_json_that_is_no_table_is_one_line_with_the_remedy(read, text, message):
    history = read(text)
    assert problem(history).startswith(message)
    assert history.problems[0].fatal


def test_a_list_in_a_field_is_no_value_and_is_reported(read):
    history = read(json.dumps([{**row, "accuracy": [0.9, 0.8]} for row in ROWS]))
    assert {each.line for each in history.problems} == set(range(1, 10))
    assert history.series == {}


def test_json_that_is_too_large_is_refused_before_it_is_parsed(read, monkeypatch):
    monkeypatch.setattr("modeltop.history.sources.json_records.MAX_JSON_BYTES", 100)
    assert problem(read(json.dumps(ROWS))).startswith("this JSON file has more than 0 MB: split it, or write the table")


def test_a_settings_file_in_a_folder_is_no_error(history_folder):
    history_folder.write("date,accuracy\n2025-01-01,0.9\n", "churn.csv")
    history_folder.write('{"name": "app", "scripts": {"build": "x"}, "files": ["a"]}', "package.json")
    history = history_folder.reader().read()
    assert list(history.periods) == ["churn"]
    assert [found.fatal for found in history.problems] == [False]


def test_fields_that_would_overwrite_one_another_are_refused(read):
    """The newest accuracy was hidden by a field that is called as the nested one is."""
    text = "".join(json.dumps({"date": row["date"], "m": {"f1": 0.2}, "m.f1": 0.9}) + "\n" for row in ROWS)
    assert problem(read(text)) == "`m.f1` is a field and a field of a nested record: rename one of them"


def test_columns_of_different_lengths_are_called_so(read):
    text = json.dumps({"date": [row["date"] for row in ROWS], "accuracy": [0.9] * 5})
    assert problem(read(text)).startswith("its columns have different lengths: write one object a period")


def test_column_names_of_several_levels_are_no_crash(read):
    text = json.dumps({"columns": [["date", "x"], ["accuracy", "y"]], "data": [["2025-01-01", 0.9]]})
    assert values(read(text)) == {("m", "all", '["accuracy", "y"]'): [0.9]}
