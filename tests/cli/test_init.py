"""`init`: what it writes loads, matches what it claims, and overwrites nothing unasked."""

import json
import re
import shlex
import tomllib
from pathlib import Path

import numpy as np
import pytest

from modeltop.config.load import from_tables, load
from modeltop.rules.defaults import default_rules

HOSTILE_NAMES = [
    "a\x1b]52;c;ZWNobw==\x07b",
    "x\ny",
    'q"\\',
    "[eu]*?",
    "\u202egpj",
    "宽" * 90,
    "[[rules]]",
    "NA",
    "#",
    "'''",
    "{v}%s",
]


def claims(text: str) -> dict[str, int]:
    """From each rule to the number of alerts that its comment says it would have given."""
    joined = re.sub(r"\n# ", " ", text)
    of_rules = re.findall(r"Would have raised (\d+) alert[^\n]*\n\[\[rules\]\]\nname = \"([^\"]+)\"", joined)
    defaults = "|".join(rule.name for rule in default_rules())
    of_defaults = re.findall(rf" ({defaults}): (?:(?!Would have).)*Would have raised (\d+) alert", joined)
    return {name: int(number) for number, name in [*of_rules, *(pair[::-1] for pair in of_defaults)]}


def counted(outcome) -> dict[str, int]:
    return {record["rule"]: record["alerts"] for record in json.loads(outcome.out)}


def history(path: Path, *, models=("m",), periods: int = 60, bad=(), seed: int = 1) -> Path:
    """Days of accuracy around 0.9 on 1,000 cases; those in `bad` at 0.6."""
    random = np.random.default_rng(seed)
    rows = ["date,model,count,accuracy"]
    start = np.datetime64("2025-01-01")
    for model in models:
        quoted = model.replace('"', '""')
        for day in range(periods):
            value = 0.6 if day in bad else 0.9 + 0.01 * random.standard_normal()
            rows.append(f'{start + day},"{quoted}",1000,{value:.4f}')
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("source", ["ten_days", "fleet", "forecasts"])
def test_rules_test_counts_exactly_what_the_comments_claim(run, request, source):
    path = request.getfixturevalue(source)
    assert run("init", path).code == 0
    claimed = claims(Path("modeltop.toml").read_text())
    assert len(claimed) > len(load(Path("modeltop.toml")).rules) > 0
    fired = counted(run("rules", "test", path, "--json"))
    assert {name: number for name, number in fired.items() if number or name in claimed} == claimed


def test_the_limits_of_the_sample_fleet_find_what_was_planted_and_leave_the_healthy_alone(run, fleet):
    run("init", fleet)
    counts = counted(run("rules", "test", fleet, "--json"))
    assert {name for name in counts if name.startswith("spam-filter") and counts[name]} == set()
    for rule in ("fraud-detector-recall", "triage-accuracy", "credit-recall", "churn-accuracy"):
        assert counts[rule] in (1, 2), rule
    assert counts["recommender-ndcg_at_10"] == 0  # a season is how it is


def test_an_incident_in_the_past_is_set_aside_and_would_have_fired(run, tmp_path):
    run("init", history(tmp_path / "h.csv", bad=range(40, 50)))
    text = Path("modeltop.toml").read_text()
    (excluded,) = re.findall(r"(\d+) abnormal excluded", text.replace("\n# ", " "))
    assert 10 <= int(excluded) <= 12
    assert claims(text) == {"accuracy": 1, "baseline-drop": 1}
    assert "10 Feb to 21 Feb 2025" in text


def test_too_young_a_model_gets_the_default_floor_or_none(run, ten_days):
    run("init", ten_days)
    floors = load(Path("modeltop.toml")).rules
    assert {rule.name: rule.detector.limits()[0][1].below for rule in floors} == {"accuracy": 0.9, "f1_score": 0.85}
    assert "recall: needs 20 periods, has 10" in Path("modeltop.toml").read_text()


def test_the_default_rules_that_hold_beside_are_named_with_how_often_they_fired(run, tmp_path):
    run("init", history(tmp_path / "h.csv"))
    text = Path("modeltop.toml").read_text()
    assert [rule.name for rule in load(Path("modeltop.toml")).rules] == ["accuracy"]
    assert claims(text)["baseline-drop"] == 0
    assert "[defaults]" in text


def test_the_example_of_a_rule_that_compares_loads_when_uncommented(run, ten_days):
    text = run("init", ten_days, "--print").out
    example = text[text.index("# [[rules]]") :].split("\n\n")[0]
    [rule] = from_tables(tomllib.loads(re.sub(r"(?m)^# ", "", example)), Path("modeltop.toml")).rules
    assert (rule.name, rule.confirm, rule.window) == ("recall-drop", (2, 2), 3)


def test_hostile_names_load_and_each_rule_asks_about_its_model_alone(run, tmp_path):
    path = history(tmp_path / "h.csv", models=HOSTILE_NAMES, periods=30)
    assert run("init", path).code == 0
    text = Path("modeltop.toml").read_text(encoding="utf-8")
    assert text.replace("\n", "").isprintable()
    tried = json.loads(run("rules", "test", path, "--json").out)
    assert [record["series"] for record in tried] == [1] * len(HOSTILE_NAMES) + [len(HOSTILE_NAMES)]
    assert {record["rule"]: record["alerts"] for record in tried} == claims(text)


def test_it_refuses_to_overwrite_and_says_what_does(run, ten_days):
    Path("modeltop.toml").write_text("# mine\n")
    outcome = run("init", ten_days)
    assert outcome.code == 2
    assert "--force" in outcome.err
    assert Path("modeltop.toml").read_text() == "# mine\n"


def test_force_replaces_the_rules_and_keeps_the_other_tables(run, ten_days):
    Path("modeltop.toml").write_text(
        'stale_after = "2d"\n[[rules]]\nname = "old"\nmetric = "accuracy"\ncritical = { below = 0.1 }\n'
        '[metrics."my kpi"]\nbetter = "lower"\n[receivers.r]\ntype = "command"\ncommand = ["true"]\n'
        '[[routes]]\nname = "n"\nreceivers = ["r"]\nhours = [{ days = "mon-fri", from = "09:00", to = "18:00" }]\n'
    )
    before = load(Path("modeltop.toml"))
    assert run("init", ten_days, "--force").code == 0
    after = load(Path("modeltop.toml"))
    assert [rule.name for rule in after.rules] == ["accuracy", "f1_score"]
    assert (after.stale_after, after.routes, after.receivers) == (before.stale_after, before.routes, before.receivers)
    assert after.catalog.get("my kpi").better is before.catalog.get("my kpi").better


def test_print_writes_the_file_to_stdout_alone(run, ten_days):
    shown = run("init", ten_days, "--print")
    assert not Path("modeltop.toml").exists()
    run("init", ten_days)
    assert shown.out == Path("modeltop.toml").read_text()


def test_a_store_named_once_is_remembered(run, tmp_path):
    assert run("record", "m", "accuracy=0.95", "--store", "s", "--date", "2025-01-01").code == 0
    assert run("init", "--store", "s").code == 0
    assert load(Path("modeltop.toml")).store == tmp_path / "s"
    assert run("rules", "test").code == 0


def test_models_and_metrics_can_be_chosen(run, fleet):
    run("init", fleet, "--for-model", "cr*", "--for-metric", "re*")
    assert [rule.name for rule in load(Path("modeltop.toml")).rules] == ["credit-recall"]


def test_without_history_nothing_is_written(run, tmp_path):
    (tmp_path / "h.csv").write_text("date,model,accuracy\n")
    for words in ((), ("h.csv",), ("none.csv",)):
        assert run("init", *words).code == 2
    assert not Path("modeltop.toml").exists()


def test_the_command_that_init_names_next_runs_as_it_is_printed(run, tmp_path):
    path, config = history(tmp_path / "some history.csv"), tmp_path / "my rules.toml"
    written = run("init", path, "--config", config)
    named = written.err.strip().partition("try them: modeltop ")[2]
    assert shlex.split(named) == ["rules", "test", str(path), "--config", str(config)]
    assert run(*shlex.split(named)).code == 0
