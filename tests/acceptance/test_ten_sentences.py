"""Ten sentences that a user once read, each about a fault that it hides: none of them comes back.

Each goes through the front door: a table through `check`, or the log of a real model through `compute` and `check`.
"""

import json
from datetime import date, timedelta

import numpy as np
import pytest

from modeltop.cli import main
from tests.benchmarks.detection.front_door.outcomes import Run, evaluate_run

START = date(2025, 1, 1)


def days(**columns):
    """Return a table of one model: a row a day."""
    names, rows = list(columns), zip(*columns.values(), strict=True)
    lines = [
        f"{START + timedelta(days=day)},{','.join(f'{value:.5g}' for value in row)}" for day, row in enumerate(rows)
    ]
    return "\n".join([",".join(["date", *names]), *lines]) + "\n"


@pytest.fixture
def check(tmp_path, capsys):
    """Return a function that checks a table, and returns the only model with the exit code."""

    def look(text):
        (tmp_path / "m.csv").write_text(text, encoding="utf-8")
        now = f"{text.splitlines()[-1][:10]}T12:00:00Z"
        code = main.main(["check", str(tmp_path / "m.csv"), "--json", "--now", now])
        (model,) = json.loads(capsys.readouterr().out)["models"]
        return code, model, " ".join(model["verdict"].values())

    return look


def verdict(kind, world="breast cancer", rows=1000, day=7):
    """Return what is said about a fault of a real model some days after it started."""
    (outcome,) = evaluate_run(Run(kind, world, rows, 0, (day,))).outcomes
    return outcome, " ".join(outcome.verdict).lower()


def noisy(level, count=1, deviation=0.004, seed=1):
    return np.full(count, level) + np.random.default_rng(seed).normal(0, deviation, count)


def test_a_collapse_to_nothing_is_not_healthy(check):
    levels = np.concatenate([noisy(0.80, 30), [0.0]])
    code, model, text = check(days(rows=np.full(31, 5000), accuracy=levels))
    assert (code, model["status"]) == (2, "critical")
    assert "ok" not in text.split()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["scores inverted", "labels misjoined", "columns swapped", "bad release"])
def test_faults_around_the_model_are_never_retrained_for(kind):
    outcome, text = verdict(kind)
    assert outcome.causes
    assert not outcome.advises_retraining, text
    assert outcome.is_step_right, text


@pytest.mark.slow
@pytest.mark.parametrize("world", ["breast cancer", "g-credit"])
def test_a_calibrated_model_with_fewer_rows_is_not_recalibrated(world):
    _, text = verdict("rows down", world)
    assert "recalibrate" not in text
    assert "miscalibration" not in text.partition("likely")[2]


@pytest.mark.slow
@pytest.mark.parametrize("world", ["g-credit", "g-delivery"])
def test_newer_customers_are_no_other_unit(world):
    _, text = verdict("new customers", world)
    assert "another unit" not in text


def test_a_fall_of_three_periods_by_many_errors_is_no_chance(check):
    levels = np.concatenate([noisy(0.90, 60), [0.84, 0.83, 0.84], noisy(0.90, 4, seed=2)])
    for end in (61, 62, 63, 64, 67):
        _, model, text = check(days(rows=np.full(end, 5000), accuracy=levels[:end]))
        assert "chance" not in text
        assert not any(cause["cause"] == "sampling noise" for cause in model["causes"])


@pytest.mark.slow
def test_nothing_holds_that_has_no_value_after_the_change():
    outcome, text = verdict("labels late", "g-credit")
    claims = [text, *(name for name, *_ in outcome.causes)]
    assert not any("roc_auc is as before" in claim or "roc_auc holds" in claim for claim in claims)


@pytest.mark.slow
def test_values_that_are_hundredfold_are_not_stuck():
    _, text = verdict("feature x100")
    assert "stuck" not in text
    assert "100 times its reference" in text or "input" in text


@pytest.mark.slow
def test_noise_that_is_critical_is_not_retrained_for():
    outcome, text = verdict("few and noisy rows")
    assert not outcome.advises_retraining, text


@pytest.mark.slow
def test_a_holiday_is_no_fault_of_the_pipeline():
    _, text = verdict("holidays", "g-credit", day=3)
    assert "fix" not in text
    assert "pipeline" not in text
