"""From a log of predictions to the cause: diagnoses of the histories that `compute` has written."""

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


SIXTH_CHUNK = "2019-03-31T03:00:00Z"
"""Start of the sixth chunk of the analysis, in which accuracy falls, as the README beside the data says."""
LAST_CHUNK = datetime(2019, 7, 30, 5, 24, tzinfo=UTC)
"""Start of the last chunk."""


def diagnose(path, model, now, *rules):
    config = Config(rules=rules) if rules else Config()
    return diagnose_model(Pipeline(config, [path]).run(now), model)


@pytest.fixture
def car_loan(compute_car_loan):
    """The store of the car loans."""
    outcome = compute_car_loan()
    assert outcome.code == 0, outcome.err
    return Path("s").absolute()


def test_car_loan_drifted_and_the_estimate_fell_as_much_as_the_realized_accuracy(car_loan):
    diagnosis = diagnose(car_loan, "car_loan", LAST_CHUNK)
    assert (diagnosis.cause, diagnosis.series_pattern.pattern, diagnosis.key.metric) == (
        Cause.DATA_DRIFT,
        Pattern.DROP,
        "accuracy",
    )
    assert f"{diagnosis.series_pattern.started_at:%Y-%m-%dT%H:%M:%SZ}" == SIXTH_CHUNK
    evidence = diagnosis.hypotheses[0].evidence_for
    assert any("estimated accuracy fell as much, 0.944→0.912" in text for text in evidence)
    assert any("the score distribution shifted" in text for text in evidence)
    changes = {change.key.metric: change for change in diagnosis.metric_changes}
    # Published: the realized accuracy lies within 0.8 points of the estimate in every chunk.
    assert changes["estimated_accuracy"].after == pytest.approx(changes["accuracy"].after, abs=0.008)
    assert diagnosis.labels_since_change == 25_000


def test_the_cause_of_car_loans_fall_is_the_same_on_its_third_chunk_and_later(car_loan, tmp_path):
    [computed] = car_loan.glob("*.computed.csv")
    header, *rows = computed.read_text().splitlines()
    columns = header.split(",")
    date, segment = columns.index("date"), columns.index("segment") if "segment" in columns else None
    overall = [row for row in rows if segment is None or row.split(",")[segment] in ("", "all")]
    dates = sorted({row.split(",")[date] for row in overall})
    fell = dates.index(SIXTH_CHUNK)
    causes = []
    for last in (fell + 3, fell + 4, fell + 5):
        (tmp_path / f"{last}").mkdir()
        path = tmp_path / f"{last}" / "car_loan.csv"
        kept = [row for row in overall if row.split(",")[date] in dates[:last]]
        path.write_text("\n".join([header, *kept]) + "\n")
        causes.append(diagnose(path, "car_loan", LAST_CHUNK).cause)
    assert causes == [Cause.DATA_DRIFT] * 3


def test_the_accuracy_of_car_loan_has_one_episode_and_it_spans_the_last_five_chunks(car_loan, run):
    alerts = json.loads(run("alerts", "--store", car_loan, "--now", LAST_CHUNK.isoformat(), "--history", "--json").out)
    [episode] = [alert for alert in alerts if alert["metric"] == "accuracy"]
    assert (episode["since"], episode["state"], episode["resolved"]) == (SIXTH_CHUNK, "firing", None)
    # All others are of the same fall: none starts at another time.
    assert {alert["since"] for alert in alerts} == {SIXTH_CHUNK}


def test_check_reports_the_data_drift_of_car_loan_and_the_fall_of_its_estimate(car_loan, run):
    outcome = run("check", "--store", car_loan, "--now", LAST_CHUNK.isoformat())
    output = " ".join(outcome.out.split())
    assert outcome.code == 1
    assert "Accuracy dropped around 31 Mar 03:00, 0.944→0.916" in output
    assert "Likely data drift: estimated accuracy fell as much, 0.944→0.912." in output


def test_a_season_of_nfl_under_a_floor_is_within_noise(run, reference_data, tmp_path):
    games = ("--model", "model", "--timestamp", "date", "--period", "column=season")
    log = reference_data("fivethirtyeight_games.csv.gz")
    outcome = run("compute", log, *games, "--label", "prob1_outcome", "--score", "prob1", "--store", "s")
    assert outcome.code == 0, outcome.err
    floor = Rule("floor", Threshold(critical=Limit(below=0.65)), "accuracy")
    diagnosis = diagnose(tmp_path / "s", "nfl_games", datetime(2022, 3, 1, tzinfo=UTC), floor)
    assert (diagnosis.key.metric, diagnosis.cause, diagnosis.actions) == ("accuracy", Cause.NOISE, (Action.WAIT,))
    assert diagnosis.verdict.why.startswith("Likely sampling noise: ")


def test_the_broken_feature_of_the_sample_log_is_named(run, tmp_path):
    log = samples_folder() / "predictions.csv.gz"
    reference = ("--id", "id", "--reference", "2025-06-01..2025-06-14", "--now", "2025-07-01")
    outcome = run("compute", log, *CHURN, *COLUMNS, *reference, "--model", "churn", "--store", "s")
    assert outcome.code == 0, outcome.err
    diagnosis = diagnose(tmp_path / "s", "churn", datetime(2025, 7, 1, tzinfo=UTC))
    assert (diagnosis.cause, diagnosis.actions) == (Cause.UPSTREAM, (Action.FIX_PIPELINE,))
    assert "tenure is about 0.3" in diagnosis.verdict.why
    assert "another unit" not in diagnosis.verdict.why, "quarters for months: a third is no known factor"
    assert diagnosis.series_pattern.started_at.date().isoformat() == "2025-06-21"
    assert [shift.feature for shift in diagnosis.feature_shifts] == ["tenure"]
    assert {contribution.segment for contribution in diagnosis.segments} == {"country=AT", "country=CH", "country=DE"}
