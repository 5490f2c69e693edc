"""No fall of a model goes unseen because of what its metric is called."""

import random
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
    key = name if " " not in name else f'"{name}"'
    assert outcome.code == 1
    assert f'set [metrics.{key}] better = "higher" or "lower"' in " ".join(outcome.out.split())


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
    assert "direction is not known" not in outcome.out


def test_an_unknown_metric_is_watched_beside_configured_rules(run, tmp_path):
    path, config = tmp_path / "m.csv", tmp_path / "modeltop.toml"
    path.write_text(fall("gps_accuracy", 0.95, 0.7))
    config.write_text('[[rules]]\nname = "floor"\nmetric = "recall"\ncritical = { below = 0.5 }\n')
    assert run("check", path, "--config", config).code == 1


@pytest.mark.parametrize(("before", "after"), [(0.0, 12.0), (0.0, -12.0)])
def test_a_metric_with_a_nominal_value_is_watched_either_way(run, tmp_path, before, after):
    path = tmp_path / "m.csv"
    path.write_text(fall("bias", before, after))
    outcome = run("check", path)
    assert outcome.code == 1
    assert "direction is not known" not in outcome.out


@pytest.mark.parametrize("name", ["example_count", "train_time", "label_rate"])
def test_a_quantity_alone_is_neither_watched_nor_called_ok(run, tmp_path, name):
    path = tmp_path / "m.csv"
    path.write_text(fall(name, 0.5, 0.9))
    outcome = run("check", path)
    assert outcome.code == 3
    assert outcome.out.startswith("UNKNOWN: m no rule judges it")


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


def test_a_healthy_unknown_metric_is_ok(run, tmp_path):
    path = tmp_path / "m.csv"
    path.write_text(fall("gps_accuracy", 0.9, 0.899))
    assert run("check", path).code == 0


def test_the_falls_are_falls_of_at_least_30_names():
    assert len(FALLS) >= 30
    assert sum(not CATALOG.normalize(name).is_known for name, *_ in FALLS) >= 2
