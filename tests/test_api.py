"""The Python API: what `import modeltop` offers, beside what the command line prints of the same data."""

import importlib.util
import json
import re
import subprocess
import sys
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import modeltop
from modeltop.cli import main
from modeltop.config.load import Config
from modeltop.core.series import SeriesKey
from modeltop.history.frames import FrameReader

ROOT = Path(__file__).parents[1]
FLEET = ROOT / "sample_data" / "fleet"
TEN_DAYS = ROOT / "sample_data" / "model_performance_tracking.csv"
FALLING = [0.96, 0.95, 0.96, 0.94, 0.93, 0.91, 0.90, 0.89, 0.88, 0.87]
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "\x1b]52;c;ZWNobyBwd25lZA==\x07",
    "\x1b[2J",
    "lone\rcr",
    "two\nlines",
    "\u202egpj.exe",
    'say "hi"',
    "a,b;c",
    "\ud800",
]


@pytest.fixture(autouse=True)
def home(isolated_home, tmp_path):
    return tmp_path


def falling(**columns):
    return pd.DataFrame({"date": pd.date_range("2025-01-01", periods=10), "accuracy": FALLING, **columns})


def check_json(capsys, *words):
    main.main(["check", "--json", *map(str, words)])
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("path", [FLEET, TEN_DAYS], ids=["fleet", "ten days"])
def test_to_dict_is_what_check_prints_as_json(path, capsys):
    assert modeltop.check(path).to_dict() == check_json(capsys, path)


def test_the_parts_of_a_result_are_those_of_its_dict():
    result = modeltop.check(FLEET)
    whole = result.to_dict()
    assert result.status == whole["status"] == "critical"
    assert result.alerts == whole["alerts"] != []
    assert result.incidents == [incident for incident in whole["incidents"] if incident["status"] == "open"] != []
    assert result.verdict.what == whole["models"][0]["verdict"]["what"] != ""
    result.alerts[0]["message"] = "changed"
    assert result.to_dict() == whole


def test_a_result_of_one_model_has_nothing_of_the_others_and_says_the_same_of_it():
    everything, one = modeltop.check(FLEET).to_dict(), modeltop.check(FLEET, model="search").to_dict()
    assert one["status"] == "unknown"
    for name, owner in (("models", "model"), ("incidents", "model"), ("alerts", "model")):
        assert one[name] == [record for record in everything[name] if record[owner] == "search"] != []


def test_importing_modeltop_loads_neither_pandas_nor_textual_nor_numpy():
    names = "{'pandas', 'textual', 'numpy', 'typing'}"
    folder = str(Path(modeltop.__file__).parents[1])
    code = f"import sys; sys.path.append({folder!r}); import modeltop; print(*{names} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_checking_a_file_loads_no_textual():
    code = (
        f"import modeltop, sys; modeltop.check({str(TEN_DAYS)!r}); print(*{{'pandas', 'textual'}} & {{*sys.modules}})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_an_unknown_name_is_an_attribute_error():
    assert {"check", "record", "diagnose", "Result", "MonitorError"} <= {*dir(modeltop)}
    with pytest.raises(AttributeError, match="no attribute 'chekc'"):
        _ = modeltop.chekc


SHAPES = {
    "wide": lambda table: table,
    "text dates": lambda table: table.assign(date=table["date"].dt.strftime("%Y-%m-%d")),
    "dates of Python": lambda table: table.assign(date=table["date"].dt.date),
    "aware dates": lambda table: table.assign(date=table["date"].dt.tz_localize("UTC")),
    "index of dates": lambda table: table.set_index("date").rename_axis(None),
    "index with a name": lambda table: table.set_index("date"),
    "index that is a column too": lambda table: table.set_index("date", drop=False),
    "column of periods": lambda table: table.assign(date=table["date"].dt.to_period("D")),
    "index of periods": lambda table: table.set_index("date").to_period("D"),
    "long": lambda table: table.melt("date", var_name="metric"),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_data_frame_of_any_shape_means_what_the_file_means(shape):
    table = shape(pd.read_csv(TEN_DAYS, parse_dates=["date"]))
    before = table.copy()
    of_frame = modeltop.check(table, model=TEN_DAYS.stem).to_dict()
    assert {**of_frame, "errors": []} == {**modeltop.check(TEN_DAYS).to_dict(), "errors": []}
    pd.testing.assert_frame_equal(table, before)


def test_a_data_frame_may_hold_several_models():
    table = pd.concat([falling(model="churn"), falling(model="fraud").assign(accuracy=0.95)])
    result = modeltop.check(table)
    assert [(model["model"], model["status"]) for model in result.to_dict()["models"]] == [
        ("churn", "critical"),
        ("fraud", "ok"),
    ]
    assert modeltop.check(table, model="fraud").status == "ok"


def test_a_column_that_comes_twice_is_reported_as_in_a_file(home):
    table = falling(again=FALLING).set_axis(["date", "accuracy", "accuracy"], axis=1)
    table.to_csv("churn.csv", index=False)
    of_frame, of_file = (modeltop.check(data, model="churn").to_dict()["errors"] for data in (table, "churn.csv"))
    messages = [error["message"] for error in of_frame]
    assert messages == [error["message"] for error in of_file]
    assert "`accuracy` (1) is used for the model; `accuracy` (2) is the segment column=accuracy" in messages[0]


@given(st.lists(st.floats(-1e6, 1e6).filter(lambda value: abs(value) > 1e-6), min_size=3, max_size=20))
def test_numbers_of_a_data_frame_are_read_exactly(values):
    table = pd.DataFrame({"date": pd.date_range("2025-01-01", periods=len(values)), "lift_over_random": values})
    config = Config()
    history = FrameReader(table, "m", catalog=config.catalog, zone=config.zone).read()
    assert history.series[SeriesKey("m", "lift_over_random")].values.tolist() == values


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, tuple(name for name, _ in attrs)))


@pytest.mark.parametrize("name", HOSTILE, ids=lambda text: ascii(text)[:20])
def test_no_name_in_the_data_is_markup_or_moves_the_cursor(name):
    tags, plain = Tags(), Tags()
    result = modeltop.check(falling(model=pd.Series([name] * 10, dtype=object)))  # pandas' own text has no surrogates
    html = result._repr_html_()
    tags.feed(html)
    plain.feed(modeltop.check(falling(model="churn"))._repr_html_())
    assert tags.seen == plain.seen
    for text in (str(result), html.replace("\n", "")):
        assert text.isprintable()


def test_an_error_quotes_the_data_in_safe_characters():
    with pytest.raises(modeltop.MonitorError) as caught:
        modeltop.diagnose(falling(model="churn"), "\x1b[2J")
    assert str(caught.value) == r"no model is called \x1b[2J; the models are churn"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_result_is_printed_as_a_line_a_model():
    result = modeltop.check(FLEET)
    lines = str(result).splitlines()
    assert len(lines) == 8
    assert lines[0].startswith("▲ critical  triage: Accuracy dropped overnight")
    assert repr(result).startswith("<modeltop.Result: critical, models=8, alerts=")


def test_the_table_of_a_result_has_a_row_a_series_with_its_status():
    table = modeltop.check(FLEET).to_frame().set_index(["model", "metric"])
    assert table.loc[("triage", "accuracy"), "status"] == "critical"
    assert table.loc[("triage", "accuracy"), "alert"] == "0.846 < 0.90"
    assert table.loc[("ranker", "ndcg_at_10"), "status"] == "ok"
    # All of a model is unknown where its data stopped.
    assert set(table.loc["search", "status"]) == {"unknown"}
    ten_days = pd.read_csv(TEN_DAYS)["accuracy"]
    row = modeltop.check(TEN_DAYS).to_frame().iloc[0]
    assert (row["value"], row["previous"], row["first"]) == (ten_days.iloc[-1], ten_days.iloc[-2], ten_days.iloc[0])
    assert row["date"] == pd.Timestamp("2025-01-10", tz="UTC")
    short = modeltop.check(falling().tail(3).assign(lift_over_random=1.0))
    assert short.to_frame().set_index("metric")["status"]["lift_over_random"] == "not evaluated"


def test_no_configuration_is_read_unless_one_is_given(home):
    rules = '[[rules]]\nname = "low"\nmetric = "accuracy"\ncritical = { below = 0.99 }\n'
    for folder in (home, home / "home" / "modeltop"):
        folder.mkdir(exist_ok=True)
        (folder / "modeltop.toml").write_text(rules)
    table = falling().assign(accuracy=0.95)
    tables = {"rules": [{"name": "low", "metric": "accuracy", "critical": {"below": 0.99}}]}
    assert modeltop.check(table).status == "ok"
    assert modeltop.check(table, config="modeltop.toml").status == "critical"
    assert modeltop.check(table, config=tables).status == "critical"


def test_checking_and_diagnosing_write_nothing(home):
    folder = home / "metrics"
    folder.mkdir()
    (folder / "churn.csv").write_bytes(TEN_DAYS.read_bytes())
    before = sorted(home.rglob("*"))
    modeltop.check(folder)
    modeltop.check(falling())
    modeltop.diagnose(folder, "churn")
    assert sorted(home.rglob("*")) == before


def test_a_result_does_not_depend_on_what_people_acknowledged(home):
    (home / "churn.csv").write_bytes(TEN_DAYS.read_bytes())
    before = modeltop.check("churn.csv").to_dict()
    assert main.main(["ack", "churn", "churn.csv", "--why", "known"]) == 0
    assert modeltop.check("churn.csv").to_dict() == before


@pytest.mark.parametrize("now", ["2025-01-04", date(2025, 1, 4), datetime(2025, 1, 4, tzinfo=UTC)])
def test_a_result_may_be_as_of_an_earlier_moment(now):
    assert modeltop.check(falling(), now=now).to_dict()["taken_at"] == "2025-01-04T00:00:00Z"


@pytest.mark.parametrize(
    ("data", "arguments", "message"),
    [
        ("nope.csv", {}, "nope.csv: no such file or folder: `ls .` lists what is there"),
        ([], {}, "a path is empty: name a CSV file or a folder of them"),
        (3, {}, "data: a path, several paths or a pandas DataFrame is expected, not `int`"),
        (falling().to_dict(), {}, "a pandas DataFrame is expected, not `dict`"),
        ([b"nope.csv"], {}, "a pandas DataFrame is expected, not `list`"),
        (pd.DataFrame(), {}, "the DataFrame has no rows"),
        (pd.DataFrame({"accuracy": [0.9]}), {}, "the DataFrame has one column"),
        (pd.DataFrame({"accuracy": [0.9], "recall": [0.8]}), {}, "DataFrame: no date column in the header"),
        (falling().set_axis(pd.MultiIndex.from_product([["a"], ["date", "accuracy"]]), axis=1), {}, "several levels"),
        (
            pd.DataFrame({"date": pd.date_range("2025-01-01", periods=3), "y_true": [1, 0, 1], "y_pred": [1, 1, 0]}),
            {},
            'a prediction log, not metrics: write it with `to_csv("log.csv")` and run `modeltop compute log.csv --time',
        ),
        (falling(), {"model": "churn", "now": "soon"}, "now: `soon` is not a date"),
        (falling(), {"now": 3}, "now: a date, a datetime or a string is expected"),
        (falling(), {"now": pd.NaT}, "now: a date, a datetime or a string is expected"),
        *((falling(), {"model": name}, "model: the name of a model is expected, not") for name in ("", 5, ["a"])),
        *((falling(), {"config": one}, "config: the path of a file or its tables is exp") for one in ("", 5, b"")),
        (falling(), {"config": {None: 1}}, "config: a table or a key by its name is expected, not `NoneType`"),
        (falling(), {"config": {"rules": [{None: 1}]}}, "config: a table or a key by its name is expected, not"),
        (falling(), {"config": {"rules": ()}}, "config: rules: `tuple` where an array of tables, [[rules]], is exp"),
        (falling(), {"now": datetime.max.replace(tzinfo=UTC)}, "now: the year 9999 is outside 1970 to 2200"),
        (falling(), {"now": np.datetime64("NaT", "us")}, "now: a date, a datetime or a string is expected"),
        (
            pd.DataFrame({"epoch": [1, 2], "accuracy": [0.8, 0.9]}),
            {},
            "DataFrame: a training log (epoch) without dates: add a column `date`, the day of each row",
        ),
        (
            falling().rename(columns={"date": "a"}).assign(b=pd.date_range("2025-02-01", periods=10)),
            {},
            'set `date` in config["sources"]',
        ),
        (falling(model="churn"), {"model": "chrun"}, "no model is called chrun: did you mean churn?"),
        (falling(), {"config": "nope.toml"}, "nope.toml: cannot be read"),
        (falling(), {"config": {"rulez": []}}, "config: rulez"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(data, arguments, message):
    with pytest.raises(modeltop.MonitorError) as caught:
        modeltop.check(data, **arguments)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("model", [None, 5, ""])
def test_a_diagnosis_needs_the_name_of_a_model(model):
    with pytest.raises(modeltop.MonitorError, match="model: the name of a model is expected, not"):
        modeltop.diagnose(TEN_DAYS, model)


def test_the_diagnosis_answers_the_five_questions_as_check_explains_them(capsys):
    diagnosis = modeltop.diagnose(FLEET, "ranker")
    explained = check_json(capsys, FLEET, "--explain", "ranker")
    record = next(model for model in explained["models"] if model["model"] == "ranker")
    assert [question._asdict() for question in diagnosis.questions] == record["questions"] != []
    assert str(diagnosis) == f"ranker: {diagnosis.verdict}"
    assert str(modeltop.diagnose(falling(), "churn").verdict) == str(modeltop.check(falling()).verdict)


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo", "UTC"])
def test_the_days_of_a_frame_have_their_own_dates_in_each_zone(zone):
    days = falling()["date"]
    aware = falling().assign(date=days.dt.tz_localize(zone))
    assert str(modeltop.check(aware).verdict) == str(modeltop.check(falling()).verdict)
    assert str(modeltop.check(aware.set_index("date")).verdict) == str(modeltop.check(falling()).verdict)
    hours = aware.assign(date=aware["date"] + pd.Timedelta(hours=1))
    newest = modeltop.check(hours).to_dict()["taken_at"]
    assert pd.Timestamp(newest) == hours["date"].iloc[-1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"metrics": {5: 0.9}}, "metrics: the name of a metric is expected, not `int`"),
        ({"metrics": {"accuracy": "0.9"}}, "accuracy: a number is expected, not `str`"),
        ({"metrics": {"accuracy": True}}, "accuracy: a number is expected, not `bool`"),
        ({"metrics": [("accuracy", 0.9)]}, "metrics: a mapping of metrics to numbers is expected, not `list`"),
        ({"count": True}, "count: a number is expected, not `bool`"),
        ({"count": [1]}, "count: a number is expected, not `list`"),
        ({"count": -1}, "count: -1 is not a count"),
        ({"store": __file__}, "folder as `store`"),
    ],
)
def test_a_period_that_cannot_be_recorded_is_refused_in_terms_of_python(home, arguments, message):
    with pytest.raises(modeltop.MonitorError, match=re.escape(message)):
        modeltop.record(**{"model": "churn", "metrics": {"accuracy": 0.9}, "store": "store"} | arguments)


def test_a_model_that_is_ok_is_described_as_in_the_app():
    result = modeltop.check(FLEET, model="ranker")
    assert str(result) == "● ok        ranker: all 3 metrics within limits and baseline."
    assert result.verdict.what == "ok: all 3 metrics within limits and baseline."
    assert result.verdict.what == modeltop.diagnose(FLEET, "ranker").verdict.what


def test_numbers_and_times_of_numpy_are_recorded(home):
    day = np.datetime64("2025-01-10")
    modeltop.record("churn", {"accuracy": np.float32(0.5)}, date=day, count=np.int64(3), store="store")
    assert modeltop.check("store", now=day).to_frame()[["value", "count"]].iloc[0].tolist() == [0.5, 3]


def test_what_was_recorded_is_checked(home):
    for day, accuracy in enumerate(FALLING, start=1):
        modeltop.record(
            "churn", {"acc": accuracy, "acc_count": 900}, date=date(2025, 1, day), count=1000, store="store"
        )
    result = modeltop.check("store")
    row = result.to_frame().iloc[0]
    assert (result.status, row["metric"], row["value"], row["count"]) == ("critical", "accuracy", 0.87, 900)
    modeltop.record("churn", {"accuracy": 0.9}, date="2025-01-10", segment="country=DE", store="store")
    assert set(modeltop.check("store").to_frame()["segment"]) == {"all", "country=DE"}


def test_the_default_store_is_that_of_the_command_line(home, capsys):
    modeltop.record("churn", {"accuracy": 0.93})
    capsys.readouterr()
    assert main.main(["export"]) == 0
    assert "0.93" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("metrics", "arguments", "message"),
    [
        ({}, {}, "nothing to record"),
        ({"accuracy": 93}, {}, "accuracy: "),
        ({"accuracy": float("nan")}, {}, "accuracy: invalid value `nan`"),
        ({"accuracy": None}, {}, "accuracy: invalid value `None`"),
        ({"acc": 0.9, "accuracy": 0.8}, {}, "accuracy is given twice"),
        ({"accuracy": 0.9}, {"count": -1}, "count: "),
        ({"accuracy": 0.9}, {"date": "soon"}, "date: `soon` is not a date"),
        (["accuracy"], {}, "metrics: a mapping of metrics to numbers is expected, not `list`"),
        ({"accuracy": 0.9}, {"segment": 5}, "segment: a segment such as country=DE is expected, not `int`"),
        ({"accuracy": 0.9}, {"segment": "token=abc"}, "holds a password or a token"),
    ],
)
def test_what_cannot_be_recorded_is_refused_and_nothing_is_stored(metrics, arguments, message, home):
    with pytest.raises(modeltop.MonitorError, match=message):
        modeltop.record("churn", metrics, store="store", **arguments)
    assert not (home / "store").exists()


NOTEBOOK = """
import modeltop, pandas as pd
table = pd.read_csv({path!r})
result = modeltop.check(table, model="churn")
---
result
---
assert result.status == "critical"
assert result.to_frame().loc[0, "metric"] == "accuracy"
print(modeltop.diagnose(table, "churn").verdict)
"""


@pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("nbclient", "ipykernel")),
    reason="needs nbclient and ipykernel: pip install -e '.[dev]'",
)
@pytest.mark.filterwarnings("default")  # those of Jupyter are not ours
def test_a_notebook_shows_a_result_as_a_table(home, monkeypatch):
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("PYTHONPATH", str(ROOT / ".dev"))
    cells = NOTEBOOK.format(path=str(TEN_DAYS)).split("---\n")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=120).execute()
    shown, printed = notebook.cells[1].outputs[0], notebook.cells[2].outputs[0]
    assert "<td" in shown.data["text/html"]
    assert shown.data["text/plain"].startswith("<modeltop.Result: critical")
    assert printed.text.startswith("Accuracy fell steadily, 0.96→0.87")


def test_the_columns_of_a_data_frame_are_what_a_source_says():
    table = falling().rename(columns={"date": "when", "accuracy": "Genauigkeit"}).assign(created="2024-05-05")
    source = {"path": "DataFrame", "date": "when", "value": "Genauigkeit"}
    config = {"sources": {"mine": source}, "metrics": {"accuracy": {"aliases": ["Genauigkeit"]}}}
    given, plain = modeltop.check(table, model="churn", config=config), modeltop.check(falling(), model="churn")
    assert given.to_dict()["models"][0]["latest"] == plain.to_dict()["models"][0]["latest"] != []
