"""Input that could not be read is never ok: in text, JSON, reports, alerts and the story."""

import json
from datetime import date, timedelta

import pytest

DAYS = [(date(2025, 1, 1) + timedelta(day)).isoformat() for day in range(40)]


def write(path, values, header="date,accuracy,f1_score"):
    path.write_text("\n".join([header, *(f"{day},{value}" for day, value in zip(DAYS, values, strict=False)), ""]))
    return path


REFUSED = ["0.95,0.93"] * 37 + ["n.v.,0.93"] * 3
FELL = ["0.95,0.93"] * 35 + ["0.6,n.v."] * 5
WARNED = ["0.95,0.95"] * 35 + ["n.v.,0.92"] * 5
STOPPED = ["0.95,0.93"] * 20 + [",0.93"] * 20


@pytest.mark.parametrize(
    ("values", "words", "code", "first"),
    [
        pytest.param(REFUSED, (), 3, "UNKNOWN: m accuracy newest 3 values cannot be read", id="ok and unknown"),
        pytest.param(FELL, (), 2, "CRITICAL: m accuracy 0.600 < 0.90; unknown: f1_score", id="critical and unknown"),
        pytest.param(WARNED, (), 3, "; warning: f1_score", id="warning and unknown"),
        pytest.param(
            STOPPED, (), 3, "UNKNOWN: m accuracy no value for 20 days, expected within 2.5 days", id="stopped"
        ),
        pytest.param(["x,y"] * 40, (), 3, "UNKNOWN: m accuracy no value can be read", id="nothing"),
        pytest.param([","] * 40, (), 3, "UNKNOWN: m 40 periods and no value of any metric", id="empty"),
        pytest.param(
            ["0.95,0.93"] * 40,
            ("--below", "recall=0.9"),
            3,
            "UNKNOWN: m recall no value for rule limit-recall: the metrics are accuracy",
            id="a limit on a metric that is not there",
        ),
        pytest.param(["0.95,0.93"] * 20 + ["n.v.,0.93"] + ["0.95,0.93"] * 19, (), 0, "OK: 1 model", id="one bad cell"),
    ],
)
def test_the_exit_code_and_the_first_line_name_what_is_unknown(run, tmp_path, values, words, code, first):
    outcome = run("check", write(tmp_path / "m.csv", values), *words)
    assert (outcome.code, first in outcome.lines[0]) == (code, True)
    assert len(outcome.lines[0]) <= 80
    status = {0: "ok", 2: "critical", 3: "unknown"}[code]
    assert json.loads(run("check", tmp_path / "m.csv", *words, "--json").out)["status"] == status


def test_several_models_are_counted_by_their_severity(run, tmp_path):
    write(tmp_path / "fell.csv", FELL)
    write(tmp_path / "refused.csv", REFUSED)
    assert run("check", tmp_path).lines[0] == "CRITICAL: 1 critical, 1 unknown of 2 models: fell accuracy 0.600 < 0.90"


def test_stderr_has_one_line_a_fault_and_the_report_each_line(run, tmp_path):
    path = write(tmp_path / "m.csv", REFUSED)
    (line,) = run("check", path).err.splitlines()
    assert line.startswith(f"modeltop: {path}:39: column `accuracy`: `n.v.` is not a number: write one such as 0.95")
    assert line.endswith("(and 2 more like this)")
    for output_format in ("text", "markdown"):
        report = " ".join(run("report", path, "--format", output_format).out.split())
        assert [f"m.csv:{line}: column" in report for line in (39, 40, 41)] == [True] * 3
    errors = json.loads(run("check", path, "--json").out)["errors"]
    assert [error["line"] for error in errors] == [39, 40, 41]


def test_json_has_the_alert_with_its_condition(run, tmp_path):
    (alert,) = json.loads(run("check", write(tmp_path / "m.csv", REFUSED), "--json").out)["alerts"]
    assert (alert["condition"], alert["severity"], alert["metric"]) == ("unreadable", "unknown", "accuracy")
    assert (alert["value"], alert["limit"], alert["since"]) == (None, None, "2025-02-07T00:00:00Z")
    assert "write one such as 0.95" in alert["message"]


@pytest.mark.parametrize("output_format", ["text", "markdown", "html"])
def test_a_report_says_what_cannot_be_read_and_what_to_do(run, tmp_path, output_format):
    write(tmp_path / "m.csv", REFUSED)
    write(tmp_path / "nothing.csv", ["x,y"] * 40)
    report = " ".join(run("report", tmp_path, "--format", output_format).out.split())
    assert "newest 3 values cannot be read" in report
    assert "Correct the input." in report


def test_an_unreadable_series_is_acknowledged_silenced_and_listed(run, tmp_path):
    (tmp_path / "modeltop.toml").write_text('stale_after = "9000d"\n')
    (tmp_path / "store").mkdir()
    write(tmp_path / "store" / "m.csv", REFUSED)

    def on(*words):
        return run(*words, "--store", tmp_path / "store")

    (line,) = on("alerts").lines
    assert "m accuracy newest 3 values cannot be read" in line
    assert on("ack", line.split()[0], "--why", "on it").code == 0
    assert "on it" in on("check").out
    assert on("silence", "add", "--metric", "accuracy", "--rule", "unreadable", "--why", "migration").code == 0
    (alert,) = json.loads(on("alerts", "--json").out)
    assert (alert["acknowledged"]["why"], alert["suppressed_by"]["kind"]) == ("on it", "silenced")
