"""No fall of a model goes unseen because of what its metric is called."""

import random
import tomllib
from datetime import date, timedelta

import pytest

from modeltop.core.metrics.registry import MetricRegistry
from tests.core.metrics.foreign_names import FALLS, OFFLINE_FALLS

HEALTHY, FALLEN = 40, 8
CATALOG = MetricRegistry()


def fall(name, before, after, *, is_long=False):
    """Return daily values of a metric around one level, then around another."""
    generator = random.Random(name)
    spread = abs(before - after) * 0.04
    header = "date,metric,value" if is_long else f'date,"{name}"'
    lines = [header]
    for day in range(HEALTHY + FALLEN):
        value = (before if day < HEALTHY else after) + generator.uniform(-spread, spread)
        cells = [str(date(2025, 1, 1) + timedelta(days=day)), *([f'"{name}"'] if is_long else []), f"{value:.5f}"]
        lines.append(",".join(cells))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("is_long", [pytest.param(False, id="wide"), pytest.param(True, id="long")])
@pytest.mark.parametrize(("name", "before", "after"), FALLS, ids=[name for name, *_ in FALLS])
def test_a_planted_fall_is_never_ok(run, tmp_path, name, before, after, is_long):
    path = tmp_path / "m.csv"
    path.write_text(fall(name, before, after, is_long=is_long))
    outcome = run("check", path)
    assert outcome.code in {1, 2}, outcome.out + outcome.err
    assert not outcome.out.startswith("OK")


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [("gps_accuracy", 0.95, 0.7), ("gps_accuracy", 0.7, 0.95), ("my kpi", 120.0, 60.0), ("Hallucination", 0.97, 0.72)],
)
def test_an_unknown_metric_that_moves_either_way_warns_and_asks_for_its_direction(run, tmp_path, name, before, after):
    path = tmp_path / "m.csv"
    path.write_text(fall(name, before, after))
    outcome = run("check", path)
    assert outcome.code == 1
    at = outcome.lines.index('    better = "higher"  # or "lower"')
    toml = "\n".join(line[4:] for line in outcome.lines[at - 1 : at + 1])
    assert tomllib.loads(toml) == {"metrics": {name: {"better": "higher"}}}


def test_the_hint_names_what_the_metric_may_be_a_kind_of(run, tmp_path):
    path = tmp_path / "m.csv"
    path.write_text(fall("fraud_recall", 0.9, 0.6))
    assert "(it may be a kind of recall)" in " ".join(run("check", path).out.split())


def test_with_its_direction_configured_only_the_worse_side_alerts(run, tmp_path):
    path, config = tmp_path / "m.csv", tmp_path / "modeltop.toml"
    path.write_text(fall("gps_accuracy", 0.7, 0.95))
    config.write_text('[metrics.gps_accuracy]\nbetter = "higher"\n')
    assert run("check", path, "--config", config).code == 0
    config.write_text('[metrics.gps_accuracy]\nbetter = "lower"\n')
    outcome = run("check", path, "--config", config)
    assert outcome.code == 1
    assert "unknown" not in outcome.out


def test_an_unknown_metric_is_watched_beside_configured_rules(run, tmp_path):
    path, config = tmp_path / "m.csv", tmp_path / "modeltop.toml"
    path.write_text(fall("gps_accuracy", 0.95, 0.7))
    config.write_text('[[rules]]\nname = "floor"\nmetric = "gps_accuracy"\ncritical = { below = 0.5 }\n')
    assert run("check", path, "--config", config).code == 1


@pytest.mark.parametrize(("before", "after"), [(0.0, 12.0), (0.0, -12.0)])
def test_a_metric_with_a_nominal_value_is_watched_either_way(run, tmp_path, before, after):
    path = tmp_path / "m.csv"
    path.write_text(fall("bias", before, after))
    outcome = run("check", path)
    assert outcome.code == 1
    assert "unknown" not in outcome.out


@pytest.mark.parametrize("name", ["example_count", "train_time", "label_rate"])
def test_a_quantity_alone_is_neither_watched_nor_called_ok(run, tmp_path, name):
    path = tmp_path / "m.csv"
    path.write_text(fall(name, 0.5, 0.9))
    outcome = run("check", path)
    assert outcome.code == 3
    assert outcome.out.startswith("UNKNOWN: m no rule evaluates it")


@pytest.mark.parametrize(("name", "before", "after"), OFFLINE_FALLS, ids=[name for name, *_ in OFFLINE_FALLS])
def test_a_fall_on_the_training_data_alone_is_not_called_ok(run, tmp_path, name, before, after):
    path = tmp_path / "m.csv"
    path.write_text(fall(name, before, after))
    outcome = run("check", path)
    assert outcome.code == 3
    assert not outcome.out.startswith("OK")


def test_a_limit_of_the_training_part_is_one_of_its_segment(run, tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("date,accuracy,train_accuracy\n2025-01-01,0.95,0.85\n")
    assert run("check", path, "--below", "train_accuracy=0.9").code == 2
    assert run("check", path, "--below", "train_accuracy=0.8").code == 0
    assert "write it for log_loss" in run("check", path, "--below", "neg_log_loss=-0.5").err


BOOKKEEPING = {
    "_step": lambda day: day,
    "_runtime": lambda day: 60.5 * day,
    "epoch": lambda day: day // 2,
    "chunk_index": lambda day: day,
    "id": lambda day: 1000 + day,
    "lr": lambda day: 0.01 * 0.9**day,
    "learning_rate": lambda day: 0.01 if day < 30 else 0.001,
    "shard": lambda day: day % 4,
    "row_number": lambda day: day + 1,
    "Unnamed: 0": lambda day: day,
    "n_seen": lambda day: 500 * day,
}
"""Columns of numbers that are no metrics, by the number of the day."""


@pytest.mark.parametrize("name", BOOKKEEPING)
def test_a_column_that_is_no_metric_never_alerts_and_is_said_to_be_not_evaluated(run, tmp_path, name):
    path = tmp_path / "m.csv"
    days = [(date(2025, 1, 1) + timedelta(days=day), 0.91 + day % 3 / 100, BOOKKEEPING[name](day)) for day in range(60)]
    path.write_text(f"date,{name},recall\n" + "".join(f"{day},{number},{recall}\n" for day, recall, number in days))
    outcome = run("check", path)
    assert (outcome.code, outcome.lines[0]) == (0, "OK: 1 model, 1 rule passed")
    assert name in outcome.out + outcome.err
    assert "not evaluated" in outcome.out + outcome.err
    rows = [f"{day},{name},{number}\n{day},recall,{recall}\n" for day, recall, number in days]
    path.write_text("date,metric,value\n" + "".join(rows))
    assert run("check", path).lines[0] == outcome.lines[0]


def test_bookkeeping_that_is_configured_is_a_metric(run, tmp_path):
    path, config = tmp_path / "m.csv", tmp_path / "modeltop.toml"
    path.write_text(fall("step", 0.9, 0.5))
    assert run("check", path).code == 3
    config.write_text('[metrics.step]\nbetter = "higher"\n')
    assert run("check", path, "--config", config).code == 1


def test_a_fall_of_the_newest_period_alone_is_seen_in_an_unknown_metric(run, tmp_path):
    path, config = tmp_path / "m.csv", tmp_path / "modeltop.toml"
    path.write_text("".join(fall("kpi", 0.95, 0.5).splitlines(keepends=True)[: 1 + HEALTHY + 1]))
    assert run("check", path).code == 1
    config.write_text("[defaults]\nunknown_metrics = false\n")
    outcome = run("check", path, "--config", config)
    assert (outcome.code, outcome.lines[0]) == (3, "UNKNOWN: m no rule evaluates it")


@pytest.mark.parametrize("name", ["recall", "kpi", "val/acc_epoch"])
def test_a_model_with_too_little_history_for_every_rule_is_unknown(run, tmp_path, name):
    path = tmp_path / "m.csv"
    path.write_text("".join(fall(name, 0.8, 0.3).splitlines(keepends=True)[-9:]))
    path.write_text("date," + name + "\n" + path.read_text())
    outcome = run("check", path)
    assert outcome.code == 3
    assert "needs 10 earlier periods, has 8" in " ".join(outcome.out.split())


@pytest.mark.parametrize(("columns", "cells"), [("accuracy,val_accuracy", "0.95,0.5"), ("val_accuracy", "0.5")])
def test_a_limit_of_the_validation_data_is_one_of_that_column_wherever_it_was_placed(run, tmp_path, columns, cells):
    path, config = tmp_path / "m.csv", tmp_path / "modeltop.toml"
    path.write_text(f"date,{columns}\n2025-01-01,{cells}\n")
    assert run("check", path, "--below", "val_accuracy=0.4").code == 0
    assert run("check", path, "--below", "val_accuracy=0.9", "--below", "accuracy=0.3").code == 2
    config.write_text('[[rules]]\nname = "floor"\nmetric = "val_accuracy"\ncritical = { below = 0.9 }\n')
    assert run("check", path, "--config", config).code == 2


@pytest.mark.parametrize("other", ["val_accuracy", "test/accuracy", "Accuracy", "accuracy_class_1"])
@pytest.mark.parametrize("is_worse", [True, False])
def test_a_fall_beside_the_column_that_stands_for_the_model_is_no_ok(run, tmp_path, other, is_worse):
    path = tmp_path / "m.csv"
    rows = [
        f"{date(2025, 1, 1) + timedelta(days=day)},0.95,{0.6 if is_worse and day > 30 else 0.96}" for day in range(40)
    ]
    path.write_text("\n".join([f"date,accuracy,{other}", *rows]) + "\n")
    assert run("check", path).code == (2 if is_worse else 0)


def dated(cells):
    return [f"{date(2025, 1, 1) + timedelta(days=day)}{cells(day, 0.95 if day < 30 else 0.8)}" for day in range(35)]


@pytest.mark.parametrize(
    ("header", "cells", "code", "said"),
    [
        pytest.param(
            "timestamp,_step,_runtime,val/accuracy,val/accuracy__MIN,val/accuracy__MAX,Val F1",
            lambda day, value: f",{day},{60.5 * day},{value},{value - 0.01},{value + 0.01},{value}",
            2,
            "columns `_step`, `_runtime` are not evaluated",
            id="Weights & Biases",
        ),
        pytest.param(
            "chunk_start_date,chunk_key,chunk_index,accuracy_value,accuracy_upper_threshold,accuracy_lower_threshold,"
            "accuracy_alert",
            lambda day, value: f",[{day}:{day + 99}],{day},{value},1.0,0.93,False",
            2,
            "columns `accuracy_upper_threshold`, `accuracy_lower_threshold`, `accuracy_alert` are not evaluated",
            id="NannyML",
        ),
        pytest.param(
            "date,churn,fraud",
            lambda _, value: f",{value},0.97",
            1,
            "direction of churn unknown",
            id="models as columns",
        ),
    ],
)
def test_an_export_of_another_tool_is_read_by_its_metrics(run, tmp_path, header, cells, code, said):
    path = tmp_path / "m.csv"
    path.write_text("\n".join([header, *dated(cells)]) + "\n")
    outcome = run("check", path)
    assert outcome.code == code
    assert said in outcome.out + outcome.err


def test_a_healthy_unknown_metric_is_ok(run, tmp_path):
    path = tmp_path / "m.csv"
    path.write_text(fall("gps_accuracy", 0.9, 0.899))
    assert run("check", path).code == 0


def test_the_falls_are_falls_of_at_least_30_names():
    assert len(FALLS) >= 30
    assert sum(not CATALOG.normalize(name).is_known for name, *_ in FALLS) >= 2
