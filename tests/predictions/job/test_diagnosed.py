"""From a log to the reason: what `compute` has written is enough to name the cause."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from modeltop.cli.demo import samples_folder
from modeltop.config.load import Config
from modeltop.core.diagnosis import Action, Cause, Pattern
from modeltop.diagnosis.diagnose import diagnose_model
from modeltop.rules.detectors.limit import Limit
from modeltop.rules.detectors.threshold import Threshold
from modeltop.rules.rule import Rule
from modeltop.service.pipeline import Pipeline

CAR_LOAN = ("--timestamp", "timestamp", "--prediction", "y_pred", "--label", "y_true", "--score", "y_pred_proba")
CHUNKS = ("--id", "id", "--period", "5000rows", "--reference", "period=reference", "--model", "car_loan")
CHURN = (
    "--timestamp",
    "timestamp",
    "--score",
    "score",
    "--prediction",
    "prediction",
    "--label",
    "churned",
    "--id",
    "id",
)
COLUMNS = ("--segment", "country", "--feature", "tenure", "--feature", "calls", "--feature", "plan")


SIXTH = "2019-03-31T03:00:00Z"
"""Begin of the sixth chunk of the analysis, in which accuracy falls, as the README beside the data says."""
LAST = datetime(2019, 7, 30, 5, 24, tzinfo=UTC)
"""Begin of the last chunk."""


def diagnosed(path, model, now, *rules):
    config = Config(rules=rules) if rules else Config()
    return diagnose_model(Pipeline(config, [path]).run(now), model)


@pytest.fixture
def car_loan(run, shared):
    """The store of the car loans, in chunks of 5,000: ten of the reference, ten of the analysis."""
    outcome = run("compute", shared("car_loan_predictions.csv.gz"), *CAR_LOAN, *CHUNKS, "--store", "s")
    assert outcome.code == 0, outcome.err
    return Path("s").absolute()


def test_car_loan_drifted_and_the_estimate_fell_as_much_as_what_came_true(car_loan):
    found = diagnosed(car_loan, "car_loan", LAST)
    assert (found.cause, found.series_pattern.pattern, found.key.metric) == (Cause.DATA_DRIFT, Pattern.DROP, "accuracy")
    assert f"{found.series_pattern.started_at:%Y-%m-%dT%H:%M:%SZ}" == SIXTH
    because = found.hypotheses[0].evidence_for
    assert any("estimated accuracy fell with it, 0.944 -> 0.912: realised 0.916" in text for text in because)
    assert any("the score's distribution moved" in text for text in because)
    estimated = next(pair for pair in found.expectations if pair.expected.key.metric == "estimated_accuracy")
    # Published: what came true lies within 0.8 points of the estimate in every chunk.
    assert estimated.expected.after == pytest.approx(estimated.realized.after, abs=0.008)
    assert found.labels_since_change == 25_000


def test_the_accuracy_of_car_loan_has_one_episode_and_it_spans_the_last_five_chunks(car_loan, run):
    told = json.loads(run("alerts", "--store", car_loan, "--now", LAST.isoformat(), "--history", "--json").out)
    [episode] = [one for one in told if one["metric"] == "accuracy"]
    assert (episode["since"], episode["state"], episode["resolved"]) == (SIXTH, "firing", None)
    # All others are of the same fall: none begins at another time.
    assert {one["since"] for one in told} == {SIXTH}


def test_check_says_of_car_loan_that_its_data_drifted_and_that_the_estimate_knew(car_loan, run):
    outcome = run("check", "--store", car_loan, "--now", LAST.isoformat())
    said = " ".join(outcome.out.split())
    assert outcome.code == 1
    assert "accuracy fell suddenly from 0.944 to 0.916 on 2019-03-31 03:00: data drift (estimated accuracy fell" in said
    assert "0.944 -> 0.912: realised 0.916)" in said


def test_a_season_of_nfl_under_a_floor_is_within_noise(run, shared, tmp_path):
    games = ("--model", "model", "--timestamp", "date", "--period", "column=season")
    log = shared("fivethirtyeight_games.csv.gz")
    outcome = run("compute", log, *games, "--label", "prob1_outcome", "--score", "prob1", "--store", "s")
    assert outcome.code == 0, outcome.err
    floor = Rule("floor", Threshold(critical=Limit(below=0.65)), "accuracy")
    found = diagnosed(tmp_path / "s", "nfl_games", datetime(2022, 3, 1, tzinfo=UTC), floor)
    assert (found.key.metric, found.cause, found.actions) == ("accuracy", Cause.NOISE, (Action.WAIT,))
    assert "may be chance" in found.sentence


def test_the_broken_feature_of_the_sample_log_is_named(run, tmp_path):
    log = samples_folder() / "predictions.csv.gz"
    reference = ("--id", "id", "--reference", "2025-06-01..2025-06-14", "--now", "2025-07-01")
    outcome = run("compute", log, *CHURN, *COLUMNS, *reference, "--model", "churn", "--store", "s")
    assert outcome.code == 0, outcome.err
    found = diagnosed(tmp_path / "s", "churn", datetime(2025, 7, 1, tzinfo=UTC))
    assert (found.cause, found.actions) == (Cause.UPSTREAM, (Action.FIX_PIPELINE,))
    assert "tenure is 0.3" in found.sentence
    assert "another unit" in found.sentence
    assert found.series_pattern.started_at.date().isoformat() == "2025-06-21"
    assert [one.feature for one in found.feature_shifts] == ["tenure"]
    assert {one.segment for one in found.segments} == {"country=AT", "country=CH", "country=DE"}
