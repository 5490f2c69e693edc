"""What cannot be read is said in one line: what it is and what to run; never a diagnosis, and never twenty lines."""

import bz2
import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from modeltop.core.text import display_width

LOG = "id,timestamp,prediction,label\n" + "".join(
    f"{row},2025-01-0{1 + row // 20} 00:{row % 60:02}:{row % 59:02},{row % 2},{row % 3 % 2}\n" for row in range(100)
)
COMMANDS = ("check", "report", "alerts", "export", "init", "rules test", "open")
FILES = {
    "report.json": '{"metrics": [{"metric": "ClassificationQualityMetric", "result": {}}]}',
    "log.csv": LOG,
    "training.csv": "epoch,step,loss\n0,1,0.5\n",
    "churn.csv.bz2": bz2.compress(b"date,accuracy\n2025-01-01,0.9\n"),
    "plain.csv": "a,b\n1,2\n",
}


@pytest.fixture
def files(tmp_path):
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "churn.csv").write_text("date,accuracy\n2025-01-01,0.9\n")
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("path", [*FILES, "metrics/chrun.csv", "s3://bucket/metrics", "absent"])
def test_no_command_calls_an_unreadable_file_an_outage(run, files, command, path):
    outcome = run(*command.split(), path)
    said = (outcome.out + outcome.err).lower()
    assert path in said
    for word in ("outage", "pipeline", "retrain", "nothing to judge", "no model found"):
        assert word not in said


def test_a_mistyped_path_is_one_line_with_the_path_that_is_meant(run, files):
    outcome = run("check", "metrics/chrun.csv")
    assert (outcome.code, outcome.err) == (3, "")
    assert outcome.out == "UNKNOWN: metrics/chrun.csv: no such file; did you mean metrics/churn.csv?\n"


@pytest.mark.parametrize("path", FILES)
def test_a_fault_is_a_headline_and_below_it_what_to_do(run, files, path):
    outcome = run("check", path)
    headline, *rest = outcome.lines
    assert (outcome.code, outcome.err) == (3, "")
    assert headline.startswith(f"UNKNOWN: {path}: ")
    assert display_width(headline) <= 80
    assert [line for line in rest if not line.startswith("    ")] == []
    assert headline.removeprefix("UNKNOWN: ") not in " ".join(rest)
    assert "default rule" not in outcome.out


@pytest.mark.parametrize("command", ["check", "report", "export", "init", "rules test"])
def test_a_folder_without_history_ends_with_commands_that_help(run, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    outcome = run(*command.split(), "empty")
    said = " ".join((outcome.out + outcome.err).split())
    assert said.count("an empty folder") == 1
    assert said.endswith("`modeltop demo`, `modeltop help getting-started`")


def test_every_input_without_history_ends_with_a_command_to_go_on_with(run, files, tmp_path):
    (tmp_path / "empty").mkdir()
    for path in [*FILES, "empty", "absent", "metrics/chrun.csv", "nothing*.csv", "s3://bucket/metrics"]:
        said = " ".join(run("check", path).out.split())
        assert re.search(r"`(--)?[a-z]+ [^`]+`|did you mean metrics/churn.csv\?$", said), said


def test_a_prediction_log_is_answered_with_a_command_that_runs(run, files):
    out = " ".join(run("check", "log.csv").out.split())
    command = out[out.rindex("`modeltop ") : out.rindex("`")].strip("`").removeprefix("modeltop ")
    assert command == "compute log.csv --timestamp timestamp --label label --prediction prediction"
    assert run(*command.split(), "--store", "s").code == 0
    assert run("check", "--store", "s").out.startswith(("OK", "WARNING", "CRITICAL", "UNKNOWN: log no rows"))


def test_commands_are_not_broken_between_lines(run, files):
    (command,) = [line for line in run("check", "churn.csv.bz2").lines if "bunzip2" in line]
    assert command.count("`") % 2 == 0


def test_a_file_that_is_not_understood_does_not_hide_the_others(run, files):
    outcome = run("check", "metrics", "report.json")
    assert outcome.code == 3
    assert outcome.lines[0] == "UNKNOWN: 1 unknown of 2 models: report.json: an Evidently report without a date"


@pytest.mark.parametrize(
    "words", [["check", ""], ["check", "metrics", ""], ["check", "--store", ""], ["watch", "--once", ""]]
)
def test_an_empty_path_is_never_the_working_directory(run, files, words):
    outcome = run(*words)
    assert (outcome.code, outcome.err) == (
        3 if words[0] == "check" else 2,
        "modeltop: a path is empty: is a variable not set?\n",
    )


def test_several_faults_are_a_line_each(run, files):
    outcome = run("check", "report.json", "training.csv", "absent.csv")
    assert outcome.lines[0].startswith("UNKNOWN: 3 sources not read: ")
    assert len([line for line in outcome.lines if line.startswith("○ unknown ")]) == 3


def test_files_with_one_fault_share_a_line(run, tmp_path):
    for number in range(10, 31):
        (tmp_path / f"m-202511{number}.csv").write_text("model,accuracy\nchurn,0.9\n")
    outcome = run("check", str(tmp_path))
    assert outcome.code == 3
    assert len([line for line in outcome.lines if line.startswith("○ unknown ")]) == 1
    assert "and 13 more sources" in " ".join(outcome.out.split())
    assert " ".join(outcome.out.split()).count("no date column in the header") == 1


def test_json_has_no_diagnosis_of_a_file_that_cannot_be_read(run, files):
    document = json.loads(run("check", "--json", "report.json").out)
    (model,) = document["models"]
    assert (model["status"], model["questions"]) == ("unknown", [])
    assert model["verdict"]["what"].startswith("an Evidently report without a date")


@pytest.mark.parametrize("name", ["packed", "empty"])
def test_a_folder_without_metrics_beside_good_ones_is_never_ok(run, files, name):
    (files / name).mkdir()
    (files / name / "x.csv.gz").write_bytes(b"\x1f\x8b") if name == "packed" else None
    outcome = run("check", "metrics", name)
    assert outcome.code == 3
    assert f"{name}{': ' if name == 'empty' else '/x.csv.gz: '}" in outcome.lines[0]


def test_rows_that_fail_alike_share_a_line(run, tmp_path):
    rows = "".join(f"2025-01-{day:02},0.9\n" for day in range(1, 31))
    (tmp_path / "churn.csv").write_text(
        "date,accuracy\n" + rows + "".join(f"2025-02-{n:02},0.9,x\n" for n in range(1, 21))
    )
    outcome = run("check", "churn.csv")
    (line,) = [line for line in outcome.err.splitlines() if "the row has 3 cells" in line]
    assert line.endswith("(and 19 more like this)")


def test_files_that_fail_alike_share_a_line(run, files):
    for number in range(30):
        (files / "metrics" / f"other{number}.csv").write_text("a,b\n1,2\n")
    lines = run("check", "metrics").err.splitlines()
    assert len(lines) == 1
    assert lines[0].endswith("(and 29 more like this)")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["check", "--config", "modeltop.tml"], "did you mean modeltop.toml?"),
        (["check", "--store", "metrisc"], "no history found in metrisc. Did you mean metrics?"),
        (["compute", "lgo.csv"], "lgo.csv: no such file; did you mean log.csv?"),
        (
            ["compute", "s3://bucket/logs"],
            "an S3 address, not a file: `aws s3 cp --recursive s3://bucket/logs metrics/`",
        ),
        (["compute", "report.json"], "report.json: JSON, but not JSON lines: write one object a line"),
        (["compute", "book.xlsx"], "book.xlsx: an Excel workbook (XLSX), not CSV: save it as CSV"),
        (
            ["compute", "metrics/churn.csv"],
            "these are metrics, not predictions (accuracy): run `modeltop check metrics",
        ),
    ],
)
def test_other_paths_are_answered_alike(run, files, words, said):
    (files / "modeltop.toml").write_text("")
    (files / "book.xlsx").write_bytes(b"PK\x03\x04" + bytes(22) + b"\x13\0\0\0[Content_Types].xml")
    outcome = run(*words)
    assert said in outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_compute_without_a_label_says_so_and_names_the_columns_that_may_be_it(run, tmp_path):
    rows = "".join(f"2025-01-0{1 + n // 30} 00:00:{n % 60:02},{n % 2},{n % 3 % 2},{n}\n" for n in range(90))
    (tmp_path / "log.csv").write_text("timestamp,prediction,churned,amount\n" + rows)
    err = run("compute", "log.csv", "--store", "s").err
    assert (
        "no label column: computed without the metrics that need labels, such as accuracy; try --label churned" in err
    )
    assert "no label column" not in run("compute", "log.csv", "--label", "churned", "--store", "s").err


def test_a_log_too_large_for_history_is_still_called_one(run, files, monkeypatch):
    monkeypatch.setattr("modeltop.history.discovery.MAX_BYTES", 1000)
    assert "a prediction log, not metrics" in run("check", "log.csv").out


def test_a_critical_model_whose_rows_are_gone_is_unknown_and_never_ok(run, tmp_path):
    store = tmp_path / "store"
    store.mkdir()
    today = datetime.now(UTC).date()
    days = [today - timedelta(days=age) for age in range(20, -1, -1)]
    for name, newest in (("bad", 0.7), ("good", 0.95)):
        rows = [f"{day},{0.95 if index < 18 else newest}\n" for index, day in enumerate(days)]
        (store / f"{name}.csv").write_text("date,accuracy\n" + "".join(rows))
    assert run("watch", "--once", "--store", store).code == 0
    assert run("check", "--store", store).code == 2
    (store / "bad.csv").unlink()
    for _ in range(2):
        found = run("check", "--store", store)
        assert (found.code, found.lines[0]) == (3, "UNKNOWN: 1 unknown of 2 models: bad: its rows are gone")
        assert run("watch", "--once", "--store", store).code == 0
    assert run("check", "--store", store, "--now", str(days[10])).code == 0  # before the incident


def test_nor_is_one_that_was_acknowledged_without_a_watcher(run, tmp_path):
    for name, newest in (("bad", 0.7), ("good", 0.95)):
        rows = [f"2025-01-{day:02},{0.95 if day < 19 else newest}\n" for day in range(1, 22)]
        (tmp_path / f"{name}.csv").write_text("date,accuracy\n" + "".join(rows))
    assert run("ack", "bad", tmp_path).code == 0
    (tmp_path / "bad.csv").unlink()
    found = run("check", tmp_path)
    assert (found.code, found.lines[0]) == (3, "UNKNOWN: 1 unknown of 2 models: bad: its rows are gone")
    assert run("check", tmp_path, "--now", "2025-01-10").code == 0  # before the incident
