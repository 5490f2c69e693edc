"""The alerts of the past, and the report in three forms."""

import json

import pytest


def test_alerts_that_stand_are_listed_worst_first(run, fleet):
    outcome = run("alerts", fleet)
    assert outcome.code == 0
    alerts = [(line.split()[2], line.split()[3]) for line in outcome.lines]
    assert list(dict.fromkeys(alerts)) == [
        ("critical", "triage"),
        ("critical", "churn"),
        ("critical", "fraud-detector"),
        ("critical", "credit"),
        ("unknown", "search"),
        ("warning", "triage"),
        ("warning", "churn"),
        ("warning", "fraud-detector"),
    ]


def test_history_adds_the_resolved_with_their_ids(run, forecasts, tmp_path):
    (tmp_path / "modeltop.toml").write_text('[[rules]]\nname = "f"\nmetric = "accuracy"\ncritical = { below = 0.6 }\n')
    lines = run("alerts", forecasts, "--history").lines
    resolved = [line for line in lines if "resolved" in line]
    assert len(resolved) > 10
    assert all(len(line.split()[0]) == 8 for line in resolved)
    assert not [line for line in run("alerts", forecasts).lines if "resolved" in line]


def test_alerts_of_a_healthy_model_say_so(run, fleet):
    outcome = run("alerts", fleet / "spam-filter.csv")
    assert (outcome.code, outcome.out) == (0, "")
    assert "no active alerts: `modeltop alerts --history` lists past ones" in outcome.err


def test_the_text_report_gives_each_change_with_its_interval_where_the_support_is_known(run, forecasts):
    text = run("report", forecasts).out
    page = text.split("● ok nba-games: accuracy 0.333: only 6 cases", 1)[1]
    accuracy = next(line for line in page.splitlines() if line.strip().startswith("accuracy 0.333"))
    assert "95 %" in accuracy
    assert "n 6" in accuracy


def test_the_markdown_report_is_a_table_a_model(run, ten_days):
    text = run("report", ten_days, "--format", "markdown").out
    assert "| `accuracy` | 0.870 |  | 10 Jan |  | -0.020 | -0.080 |  |  | -0.090 |" in text


def test_the_markdown_report_of_a_fleet_begins_with_a_table_of_the_models(run, fleet):
    text = run("report", fleet, "--format", "markdown").out
    assert "| ▲ `triage` | `accuracy` | `0.846` | `-0.105` | `26 Jun` |\n| ▲ `churn` | " in text
    assert text.index("| ● `spam-filter` |") < text.index("## ▲ `triage`")


def test_that_a_count_is_unknown_is_said_once(run, ten_days, fleet):
    assert " ".join(run("report", ten_days).out.split()).count("the number of cases is unknown") == 1
    assert "n unknown" not in run("report", fleet).out


@pytest.mark.parametrize("evil", ["`</code>`", "| a | b |", "[x](http://evil.test)", "<script>alert(1)</script>", "``"])
def test_foreign_text_is_no_markup_in_markdown(run, tmp_path, evil):
    (tmp_path / "m.csv").write_text(f'date,model,accuracy\n2025-01-01,"{evil}",0.5\n')
    text = run("report", "m.csv", "--format", "markdown").out
    heading = next(line for line in text.splitlines() if line.startswith("## ") and "Alerts" not in line)
    fence = heading.split()[2]
    ticks = len(fence) - len(fence.lstrip("`"))
    inner = heading.split(fence[:ticks], 1)[1].rsplit("`" * ticks, 1)[0]
    assert "`" * ticks not in inner
    assert "|" not in heading


def test_the_json_report_is_what_check_gives(run, fleet):
    record = json.loads(run("report", fleet, "--format", "json").out)
    assert record == json.loads(run("check", fleet, "--json").out)
    assert [model["model"] for model in record["models"]][:3] == ["triage", "churn", "fraud-detector"]


def test_json_is_ascii_and_keeps_foreign_strings_exactly(run, tmp_path):
    evil = "m\u202e\u0007 宽"
    (tmp_path / "m.csv").write_text(f"date,model,accuracy\n2025-01-01,{evil},0.5\n", encoding="utf-8")
    out = run("check", "m.csv", "--json").out
    assert out.isascii()
    assert json.loads(out)["models"][0]["model"] == evil
