"""The benchmark of causes: its faults are what their names say, and its scores are counted right."""

import argparse
import json
import subprocess
import sys
from datetime import timedelta

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from modeltop.core.diagnosis import Action, Cause
from tests.benchmarks.base import BenchmarkContext, Result
from tests.benchmarks.detection.front_door import benchmark
from tests.benchmarks.detection.front_door.answers import ANSWERS, step_of
from tests.benchmarks.detection.front_door.kinds import KINDS
from tests.benchmarks.detection.front_door.logs import FAULT_AT, simulate_log
from tests.benchmarks.detection.front_door.outcomes import Outcome, Run, evaluate_run
from tests.benchmarks.detection.front_door.rivals import Alerts, RivalAlerts, tally_rivals
from tests.benchmarks.detection.front_door.tables import cause_table, certainty_table, confusion_table, worst_table
from tests.benchmarks.detection.front_door.worlds import SPECS, WORLDS, Split, Task, world
from tests.benchmarks.programs import environment

SMALL_WORLDS = {Task.BINARY: "breast cancer", Task.MULTICLASS: "iris", Task.REGRESSION: "diabetes"}
CASES = [(kind.name, SMALL_WORLDS[task]) for kind in KINDS.values() for task in kind.tasks]


def simulated(kind, name="breast cancer", rows=200):
    """Return the rows before and after the start of the fault."""
    frame = simulate_log(world(name), KINDS[kind], rows, 0).frame
    is_after = frame["timestamp"] >= FAULT_AT
    return frame[~is_after], frame[is_after]


def auc(frame):
    return roc_auc_score(frame["label"] == "malignant", frame["score"])


def outcome(kind, causes=(), steps=("wait for more data",), do="", day=3):
    run = Run(kind, "breast cancer", 1000, 0, (day,))
    return Outcome(run, day, "critical", found=True, causes=tuple(causes), steps=tuple(steps), verdict=("", "", do))


def test_every_cause_and_action_of_modeltop_has_a_name_here():
    assert {cause.value for cause in Cause} <= set(ANSWERS)
    assert [action for action in Action if step_of(action.value) is None] == [Action.TICKET]


def test_there_are_two_worlds_and_a_third_for_each_task_and_split():
    for task in Task:
        for split in Split:
            assert sum(spec.task is task and spec.split is split for spec in WORLDS) == 3


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_every_kind_can_be_simulated_for_each_of_its_tasks(kind, name):
    if KINDS[kind].needs_categories and not SPECS[name].has_categories:
        name = "g-credit"
    log = simulate_log(world(name), KINDS[kind], 100, 0)
    days = (log.frame["timestamp"] - FAULT_AT).dt.days
    assert days.min() == -60
    assert days.max() == (-1 if kind == "no rows" else max(KINDS[kind].days) - 1)
    assert log.frame["timestamp"].is_monotonic_increasing


def test_the_healthy_days_are_the_same_whatever_follows():
    before, other = simulated("feature null")[0], simulated("labels misjoined")[0]
    assert before[["mean_radius", "score"]].equals(other[["mean_radius", "score"]])


def test_labels_that_are_not_known_yet_are_missing_as_of_a_day():
    log = simulate_log(world("g-credit"), KINDS["healthy"], 50, 0)
    frame = log.as_of(3)
    assert frame["timestamp"].max() < FAULT_AT + timedelta(days=3)
    late = frame["timestamp"] > FAULT_AT + timedelta(days=1)
    assert frame.loc[late, "label"].isna().all()
    assert frame.loc[~late, "label"].notna().all()


def test_faults_of_scores_and_labels_do_to_the_area_under_the_curve_what_their_names_say():
    before, inverted = simulated("scores inverted")
    assert auc(inverted) == pytest.approx(1 - auc(before), abs=0.02)
    assert auc(simulated("labels misjoined")[1]) == pytest.approx(0.5, abs=0.05)
    before, sharpened = simulated("scores sharpened")
    assert auc(sharpened) == pytest.approx(auc(before), abs=0.02)
    assert simulated("bad release")[1]["label"].eq("malignant").mean() == pytest.approx(0.35, abs=0.03)


def test_sharpened_scores_cost_calibration_and_a_moved_threshold_recall():
    before, after = (part for part in simulated("scores sharpened", "g-credit"))
    assert brier_score_loss(after["label"].astype(int), after["score"]) > 1.1 * brier_score_loss(
        before["label"].astype(int), before["score"]
    )
    before, after = simulated("threshold moved")
    assert after["prediction"].eq("malignant").mean() < before["prediction"].eq("malignant").mean() - 0.02


def test_concept_drift_keeps_the_share_of_labels_and_a_shift_of_labels_moves_it():
    before, after = simulated("concept drift, sudden")
    share = before["label"].eq("malignant").mean()
    assert after["label"].eq("malignant").mean() == pytest.approx(share, abs=0.04)
    assert auc(after) < auc(before) - 0.1
    assert simulated("label shift")[1]["label"].eq("malignant").mean() > share + 0.2


def test_a_fault_in_one_segment_leaves_the_others_alone():
    _, after = simulated("one segment")
    right = (after["prediction"] == after["label"]).groupby(after["region"]).mean()
    assert right["south"] < right["north"] - 0.1
    assert abs(right["north"] - right["west"]) < 0.05


def test_faults_of_inputs_are_in_the_logged_features():
    names = world("breast cancer").numeric
    assert simulated("feature null")[1][names[0]].isna().all()
    assert simulated("feature constant")[1][names[0]].nunique() == 1
    before, after = simulated("columns swapped")
    assert after[names[0]].mean() == pytest.approx(before[names[1]].mean(), rel=0.1)
    before, after = simulated("categories unseen", "g-credit")
    name = world("g-credit").categorical[0]
    assert not set(before[name]) & set(after[name])


def test_what_was_said_is_that_of_the_command_in_a_process_of_its_own(tmp_path):
    run = Run("no rows", "iris", 60, 0, (3,))
    result = evaluate_run(run)
    (said,) = result.outcomes
    assert (said.found, said.causes[0][0], said.is_right, said.is_step_right) == (True, "data outage", True, True)
    options = simulate_log(world("iris"), KINDS["no rows"], 60, 0).write(tmp_path / "log.parquet", 3)
    now = ["--now", (FAULT_AT + timedelta(days=3, hours=1)).isoformat(), "--store", str(tmp_path / "store")]
    program = [sys.executable, "-m", "modeltop"]
    settings = {"env": environment(tmp_path / "home"), "capture_output": True, "text": True}
    subprocess.run([*program, "compute", str(tmp_path / "log.parquet"), *now, *options], check=True, **settings)
    completed = subprocess.run([*program, "check", *now, "--json"], check=False, **settings)
    verdict = json.loads(completed.stdout)["models"][0]["verdict"]
    assert (verdict["what"], verdict["why"], verdict["do"]) == said.verdict


def test_a_harmful_step_is_wrong_even_where_another_comes_first():
    likely = [("broken input", "likely", 0.7)]
    assert outcome("feature null", likely, ["fix the input pipeline", "open a ticket"]).is_step_right
    assert not outcome("feature null", likely, ["fix the input pipeline", "retrain"]).is_step_right
    ordered = outcome("feature null", likely, ["fix the input pipeline"], do="Retrain: 5,034 new labels.")
    assert ordered.advises_retraining
    assert not ordered.is_step_right
    assert not outcome("feature null", likely, do="Do not retrain yet: needs 5 days.").advises_retraining


def test_a_cause_is_right_by_its_first_name_alone_and_two_faults_are_both_to_be_named():
    both = outcome("two at once", [("broken input", "likely", 0.85), ("data drift", "likely", 0.6)])
    assert both.is_right
    assert both.names_both
    assert both.names_two
    assert not outcome("two at once", [("broken input", "certain", 0.97), ("data drift", "unclear", 0.2)]).names_both
    assert not outcome("covariate drift", [("concept drift", "likely", 0.7), ("data drift", "unclear", 0.4)]).is_right
    assert outcome("concept, no inputs logged", [("concept drift", "unclear", 0.3)]).is_right
    assert not outcome("label shift", [("label shift", "unclear", 0.5), ("data drift", "unclear", 0.5)]).is_right


def test_tables_count_verdicts_by_kind_cause_and_certainty():
    said = [
        outcome("covariate drift", [("data drift", "likely", 0.7)]),
        outcome("covariate drift", [("concept drift", "likely", 0.7)], ["retrain"], day=7),
        outcome("feature null", [("something new", "certain", 0.97)], ["retrain"]),
    ]
    results = [benchmark.RunResult(each.run, (each,), {}) for each in said]
    row = next(line for line in cause_table(results).splitlines() if line.startswith("covariate drift"))
    assert row.split()[2:] == ["2", "50", "%", "0", "%", "50", "%", "-", "1"]
    assert "likely           2   50 %" in certainty_table(results)
    row = next(line for line in confusion_table(results).splitlines() if line.startswith("covariate drift"))
    assert row.split()[:6] == ["covariate", "drift", ".", "1*", "1", "."]


def test_the_worst_verdicts_are_those_that_do_harm_and_then_those_that_are_sure():
    said = [
        outcome("covariate drift", [("concept drift", "likely", 0.7)], ["retrain"]),
        outcome("covariate drift", [("concept drift", "likely", 0.7)], ["retrain"], day=7),
        outcome("bad release", [("one segment", "certain", 0.96)], ["check deployments and data changes"]),
        outcome("feature null", [("broken input", "possible", 0.5)], ["retrain"]),
        outcome("no rows", [("data outage", "certain", 0.95)], ["fix the input pipeline"]),
    ]
    lines = worst_table([benchmark.RunResult(each.run, (each,), {}) for each in said]).splitlines()
    assert [line.partition(",")[0] for line in lines if line.endswith(":")] == [
        "feature null",
        "bad release",
        "covariate drift",
    ]
    assert "covariate drift, breast cancer, day 3, likely:" in lines


def test_a_rival_is_counted_on_the_logs_that_all_were_given():
    runs = [Run(kind, "iris", 1000, 0, (1, 3)) for kind in ("feature null", "healthy", "label shift")]
    found = [Outcome(run, day, "ok", found=day == 3) for run in runs for day in run.days]
    results = [
        benchmark.RunResult(run, tuple(found[2 * index : 2 * index + 2]), {"modeltop": [], "mean ± 3σ": [-3, 0]})
        for index, run in enumerate(runs)
    ]
    said = RivalAlerts([0], [-5, 0], [*range(-7, 3)])
    alerts: Alerts = {"other": {run.name: said for run in runs[:2]}}
    tallies = tally_rivals(results, alerts)
    assert tallies["other"].found == {1: [True], 3: [True]}
    assert tallies["modeltop"].found == {1: [False], 3: [True]}
    assert (tallies["other"].false_alerts, tallies["other"].healthy_days) == (2, 10)
    assert (tallies["mean ± 3σ"].false_alerts, tallies["mean ± 3σ"].healthy_days) == (2, 33)


def test_the_benchmark_prints_its_tables_and_key_figures_and_writes_every_verdict(monkeypatch, tmp_path):
    runs = [Run(kind, "iris", 60, 0, (3,)) for kind in ("no rows", "healthy")]
    monkeypatch.setattr(benchmark, "plan_runs", lambda *_, **__: runs)
    parser = argparse.ArgumentParser()
    benchmark.add_options(parser)
    options = parser.parse_args(["--out", str(tmp_path / "verdicts.jsonl")])
    with BenchmarkContext(1, options) as context:
        results = list(benchmark.detection_causes(context))
    text = "\n".join(each.format_line() for each in results)
    assert "Faults found by day" in text
    assert "--nannyml ENV/bin/python" in text
    figures = {each.name: each.value for each in results if isinstance(each, Result)}
    assert figures["causes wrong, of all verdicts"] == 0
    records = [json.loads(line) for line in (tmp_path / "verdicts.jsonl").read_text().splitlines()]
    assert [record["kind"] for record in records] == ["healthy", "no rows"]
    assert records[1]["verdicts"][0]["verdict"].startswith("No data since 30 Apr")


def test_what_was_evaluated_before_an_interrupt_is_kept(monkeypatch):
    run = Run("healthy", "iris", 60, 0, (3,))
    done = benchmark.RunResult(run, (Outcome(run, 3, "ok", found=False),), {})

    def interrupted(pool, function, runs, folders):
        yield done
        raise KeyboardInterrupt

    monkeypatch.setattr(benchmark.ProcessPoolExecutor, "map", interrupted)
    assert benchmark.evaluate_runs([run, run], None) == [done]


def test_a_matrix_has_two_worlds_and_two_seeds_and_other_sizes_beside():
    runs = benchmark.plan_runs(Split.HELD_OUT, ["feature null"], is_quick=False)
    binary = [run for run in runs if run.spec.task is Task.BINARY]
    assert sorted((run.rows, run.seed) for run in binary) == [
        (200, 2),
        (1000, 0),
        (1000, 0),
        (1000, 1),
        (1000, 1),
        (5000, 2),
    ]
    assert all(run.spec.split is Split.HELD_OUT for run in runs)
    assert len(benchmark.plan_runs(Split.TUNING, KINDS, is_quick=True)) == sum(
        len(kind.tasks) for kind in KINDS.values()
    )
    assert np.unique([spec.name for spec in WORLDS]).size == len(WORLDS)
