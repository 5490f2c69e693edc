"""`modeltop check`: one evaluation, one verdict, one exit code."""

import json
import os
import subprocess
import sys
import tomllib
from datetime import date, timedelta
from pathlib import Path

import pytest

from modeltop.core.text import display_width


def problems(outcome) -> list[str]:
    """The first line of every model that is wrong."""
    return [line for line in outcome.lines[1:] if line[0] in "▲◆○"]


def alerts(outcome) -> list[str]:
    """What is said of models beneath their verdicts, a line each as far as it fits."""
    return [line.strip() for line in outcome.lines if line.startswith("    ") and line[4] in "▲◆○●·"]


def test_the_ten_day_table_is_critical_for_two_reasons_and_nothing_else(run, ten_days):
    outcome = run("check", ten_days)
    assert outcome.code == 2
    assert outcome.lines[0] == "CRITICAL: model_performance_tracking accuracy 0.870 < 0.90"
    (verdict,) = problems(outcome)
    assert verdict.startswith("▲ critical model_performance_tracking: Accuracy fell steadily, 0.96→0.87 in 10")
    assert alerts(outcome) == [
        "▲ critical accuracy 0.870 < 0.90, for 2 days, since 9 Jan",
        "▲ critical f1_score 0.845 < 0.85, for 1 day, since 10 Jan",
        "◆ warning avg_confidence 0.840, baseline 0.940, for 8 days, since 3 Jan",
        "● ok, but declining: recall -0.094 in 8 days; at this pace below 0.80 around",
        "○ unknown 4 metrics need 10 earlier periods, have 9",
    ]
    assert outcome.err == ""


def test_limits_of_the_command_line_replace_the_defaults_of_their_metrics(run, ten_days):
    outcome = run("check", ten_days, "--below", "accuracy=0.8", "--below", "f1_score=0.8")
    assert (outcome.code, [line[:6] for line in alerts(outcome)][:1]) == (1, ["◆ warn"]), "less confident"
    assert "0.90" not in outcome.out
    Path("modeltop.toml").write_text("[defaults]\nconfidence = false\n")
    assert run("check", ten_days, "--below", "accuracy=0.8", "--below", "f1_score=0.8").code == 0


def test_a_limit_may_name_its_metric_by_an_alias_and_lie_on_either_side(run, ten_days):
    assert run("check", ten_days, "--below", "f1=0.8", "--below", "acc=0.8", "--above", "confidence=0.83").code == 2


def test_a_missing_file_is_unknown_and_named(run):
    outcome = run("check", "absent.csv")
    assert outcome.code == 3
    assert outcome.lines[0].startswith("UNKNOWN: ")
    assert "absent.csv" in outcome.out


def test_a_missing_file_does_not_hide_what_is_wrong_with_the_others(run, ten_days):
    outcome = run("check", "absent.csv", ten_days)
    assert outcome.code == 2
    assert [line.split()[1:3] for line in problems(outcome)] == [
        ["critical", "model_performance_tracking:"],
        ["unknown", "absent.csv:"],
    ]


def test_the_fleet_is_printed_worst_first_and_the_healthy_in_one_line(run, fleet):
    outcome = run("check", fleet)
    assert outcome.code == 2
    assert outcome.lines[0] == "CRITICAL: 4 critical, 1 no data of 8 models: triage accuracy 0.846 < 0.90"
    assert [line.split()[2].rstrip(":") for line in problems(outcome)] == [
        "triage",
        "churn",
        "fraud-detector",
        "credit",
        "search",
    ]
    assert problems(outcome)[0].startswith("▲ critical triage: Accuracy dropped overnight on 26 Jun, 0.951→0.816")
    assert "● ok ranker, recommender, spam-filter: ok, 13 rules passed" in outcome.lines
    assert all(display_width(line) <= 80 for line in outcome.lines)


def test_the_lead_of_each_incident_of_the_fleet_is_listed_in_full_and_the_others_by_severity(run, fleet):
    assert alerts(run("check", fleet)) == [
        "▲ critical accuracy 0.846 < 0.90, for 4 days, since 26 Jun, 887 cases",
        "▲ critical also: f1_score, precision, recall",
        "◆ warning avg_confidence 0.914, baseline 0.930, for 4 days, since 26 Jun,",
        "▲ critical accuracy 0.756, baseline 0.841, for 10 days, since 20 Jun, 1,371",
        "▲ critical also: f1_score, precision, recall",
        "◆ warning avg_confidence 0.743, baseline 0.820, for 17 days, since 13 Jun,",
        "▲ critical accuracy 0.857, baseline 0.957, for 68 days, since 23 Apr, 3,062",
        "▲ critical also: f1_score, precision, recall",
        "◆ warning avg_confidence 0.900, baseline 0.950, for 66 days, since 25 Apr,",
        "▲ critical recall 0.472, baseline 0.718, for 82 days, since 9 Apr, 178 cases",
        "▲ critical f1_score 0.602, baseline 0.713, for 58 days, since 3 May",
        "○ unknown no rows for 11 days, expected within 2.5 days",
    ]


def test_the_fleets_alerts_fired_on_the_days_that_were_planted(run, fleet):
    incidents = tomllib.loads((fleet / "incidents.toml").read_text())["incident"]
    planted = {(incident["model"], str(incident["alert"])) for incident in incidents if "alert" in incident}
    alerts = json.loads(run("check", fleet, "--json").out)["alerts"]
    floors = {"accuracy-floor", "f1-floor"}
    assert planted == {(alert["model"], alert["fired"][:10]) for alert in alerts if alert["rule"] in floors}


def test_real_forecasts_leave_the_floors_out_and_show_one_silence(run, forecasts):
    outcome = run("check", forecasts)
    assert outcome.code == 3
    (silent,) = problems(outcome)
    assert silent.startswith("○ unknown nhl-games: No data since 1 Jun")
    assert alerts(outcome)[0].startswith("○ unknown no rows for ")
    text = outcome.out[outcome.out.index("  accuracy of ") :]
    assert all(
        f"accuracy of {sport}-games: default limit 0.90 skipped" in text
        for sport in ("mlb", "nba", "nfl", "nhl", "wnba")
    )


def test_with_a_minimum_count_no_alert_rests_on_a_month_of_few_games(run, forecasts, tmp_path):
    (tmp_path / "modeltop.toml").write_text(
        '[[rules]]\nname = "floor"\nmetric = "accuracy"\ncritical = { below = 0.6 }\nmin_count = 30\n'
    )
    episodes = json.loads(run("alerts", forecasts, "--history", "--json").out)
    judged = [episode for episode in episodes if episode["rule"] == "floor"]
    assert judged
    assert all(episode["count"] >= 30 for episode in judged)


def test_json_says_everything_exactly(run, ten_days):
    record = json.loads(run("check", ten_days, "--json").out)
    assert (record["status"], record["taken_at"], record["errors"]) == ("critical", "2025-01-10T00:00:00Z", [])
    [model] = record["models"]
    changes = {(change["metric"], change["against"]): change["delta"] for change in model["changes"]}
    assert changes["accuracy", "first"] == -0.09
    assert changes["f1_score", "first"] == -0.1
    assert changes["avg_confidence", "first"] == -0.1
    first = next(alert for alert in record["alerts"] if alert["metric"] == "accuracy")
    assert (first["value"], first["limit"], first["severity"], first["state"]) == (0.87, 0.9, "critical", "firing")
    assert (first["since"], first["resolved"], first["count"]) == ("2025-01-09T00:00:00Z", None, None)


def test_an_earlier_now_judges_the_same_rows_for_silence_only(run, fleet):
    alerts = json.loads(run("check", fleet, "--now", "2025-06-19", "--json").out)["alerts"]
    assert "search" not in {alert["model"] for alert in alerts}


@pytest.mark.parametrize(
    "words",
    [
        ["--below", "accuracy"],
        ["--below", "accuracy=high"],
        ["--below", "accuracy=nan"],
        ["--below", "=0.5"],
        ["--now", "yesterday"],
        ["--nonsense"],
        ["--config", "absent.toml"],
        ["--store", "absent"],
    ],
)
def test_a_usage_error_is_one_line_and_exits_with_3(run, ten_days, words):
    paths = [] if "--store" in words else [ten_days]
    outcome = run("check", *paths, *words)
    assert outcome.code == 3
    assert outcome.out == ""
    assert len(outcome.err.splitlines()) == 1


def test_without_a_store_it_says_how_to_begin(run):
    outcome = run("check")
    assert outcome.code == 3
    assert "modeltop demo" in outcome.err


def test_one_broken_row_in_a_thousand_is_reported_and_the_rest_counts(run, tmp_path):
    rows = [f"2025-01-01T{hour:02}:{minute:02}:00Z,0.95\n" for hour in range(16) for minute in range(60)]
    rows[500] = "2025-01-01T08:20:00Z,high\n"
    (tmp_path / "m.csv").write_text("date,accuracy\n" + "".join(rows))
    outcome = run("check", "m.csv")
    assert outcome.code == 0
    assert outcome.err.startswith("modeltop: m.csv:502: ")
    assert "high" in outcome.err


def test_the_first_line_fits_a_terminal_whatever_the_model_is_called(run, tmp_path):
    (tmp_path / "m.csv").write_text(f"date,model,accuracy\n2025-01-01,{'宽' * 200},0.1\n", encoding="utf-8")
    outcome = run("check", "m.csv", "--below", "accuracy=0.9")
    assert outcome.code == 2
    assert display_width(outcome.lines[0]) <= 80


def test_no_control_character_of_the_data_reaches_the_terminal(run, tmp_path):
    evil = "\x1b]52;c;ZWNobyBwd25lZA==\x07\u202egpj\u200b\x9b31m"
    (tmp_path / f"{evil}.csv").write_text(f"date,model,segment,accuracy\n2025-01-01,{evil},all,0.1\nx{evil},m,all,1\n")
    outcome = run("check", tmp_path / f"{evil}.csv", "--below", "accuracy=0.9")
    assert outcome.code == 2
    assert all(char.isprintable() or char == "\n" for char in outcome.out + outcome.err)


def test_a_large_fleet_takes_few_lines(run, tmp_path):
    rows = [f"2025-01-{day:02},m{model},{0.95 if model % 2 else 0.5}\n" for model in range(100) for day in range(1, 11)]
    (tmp_path / "m.csv").write_text("date,model,accuracy\n" + "".join(rows))
    outcome = run("check", "m.csv")
    assert outcome.code == 3
    assert outcome.lines[0].startswith("UNKNOWN: 50 unknown of 100: m0 accuracy 0.500: needs 10 earlier")
    text = " ".join(outcome.out.split())
    assert "● ok m1, m11, m13, m15, m17, m19, m21, m23 and 42 more models: ok, 50 rules passed" in text
    assert "○ unknown m0, m10, m12, m14, m16, m18, m2, m20 and 42 more models: needs more history" in text
    reason = "default limit 0.90 skipped: this model is usually at 0.500. Set your own: `[[rules]]`"
    assert f" and 42 more models: {reason}" in text
    assert len(outcome.lines) < 15


def test_every_list_leads_on_the_alert_that_the_incident_leads_on(run, fleet):
    record = json.loads(run("check", fleet, "--json").out)
    first = {}
    for alert in record["alerts"]:
        first.setdefault(alert["model"], alert["id"])
    leads = {incident["model"]: incident["lead"] for incident in record["incidents"] if incident["status"] == "open"}
    assert {model: first[model] for model in leads} == leads
    assert run("alerts", fleet).lines[0].startswith(f"{leads['triage']}  ▲ critical triage accuracy")


@pytest.mark.parametrize("words", [(), ("--json",), ("--explain",)])
def test_a_reader_that_leaves_early_does_not_turn_critical_into_ok(fleet, words, tmp_path):
    environ = os.environ | {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "modeltop_tui", "check", *words, str(fleet)]
    check = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    check.stdout.close()  # as `head` does once it has seen enough
    problems = check.stderr.read()
    check.stderr.close()
    assert check.wait() == 2
    assert "Broken pipe" not in problems
    assert "Traceback" not in problems


def test_what_models_share_is_said_once(run, tmp_path):
    for model in range(6):
        rows = [(day, 0.95 if day < 30 or model == 5 else 0.8) for day in range(40)]
        lines = [f"{date(2025, 1, 1) + timedelta(day)},{value + 0.002 * (day % 3)}" for day, value in rows]
        (tmp_path / f"m{model}.csv").write_text("\n".join(["date,accuracy", *lines, ""]))
    outcome = run("check", tmp_path)
    assert outcome.lines[1:4] == [
        "5 models dropped on 31 Jan: look for a shared cause",
        "    Likely shared cause: 5 models got worse on 31 Jan.",
        "    Check what changed for all of these models around 31 Jan.",
    ]
    assert len([line for line in problems(outcome) if "ccuracy dropped" in line]) == 5
    for text in outcome.lines[1:4]:
        assert outcome.out.count(text) == 1


@pytest.mark.parametrize("flags", [(), ("--json",), ("--history",)])
def test_alerts_of_a_path_that_does_not_exist_could_not_be_listed(run, tmp_path, flags):
    assert run("alerts", tmp_path / "nofile", *flags).code == 2
