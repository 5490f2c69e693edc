"""From a log to the reason: what `compute` has written is enough to name the cause."""

from datetime import UTC, datetime

import pytest

from monitor.config import Config
from monitor.findings import Cause, Pattern, Step
from monitor.inquiry import diagnosis_of
from monitor.pipeline import Observer
from monitor.samples import folder

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


def diagnosed(path, model):
    return diagnosis_of(Observer(Config(), [path]).observe(datetime.now(UTC)), model)


def test_car_loan_drifted_and_the_estimate_fell_as_much_as_what_came_true(run, shared, tmp_path):
    outcome = run("compute", shared("car_loan_predictions.csv.gz"), *CAR_LOAN, *CHUNKS, "--store", "s")
    assert outcome.code == 0, outcome.err
    found = diagnosed(tmp_path / "s", "car_loan")
    assert (found.cause, found.course.pattern, found.key.metric) == (Cause.DATA_DRIFT, Pattern.DROP, "accuracy")
    # The sixth period of the analysis, in which it begins.
    assert found.course.begin.date().isoformat() == "2019-03-31"
    because = found.findings[0].because
    assert any("estimated accuracy fell with it, 0.944 -> 0.912: realised 0.916" in text for text in because)
    assert any("the score's distribution moved" in text for text in because)
    estimated = next(pair for pair in found.pairs if pair.expected.key.metric == "estimated_accuracy")
    assert estimated.expected.delta == pytest.approx(estimated.realised.delta, abs=0.01)
    assert found.labels == 25_000


def test_the_broken_feature_of_the_sample_log_is_named(run, tmp_path):
    log = folder() / "predictions.csv.gz"
    reference = ("--id", "id", "--reference", "2025-06-01..2025-06-14", "--now", "2025-07-01")
    outcome = run("compute", log, *CHURN, *COLUMNS, *reference, "--model", "churn", "--store", "s")
    assert outcome.code == 0, outcome.err
    found = diagnosed(tmp_path / "s", "churn")
    assert (found.cause, found.steps) == (Cause.UPSTREAM, (Step.FIX_PIPELINE,))
    assert "tenure is 0.3" in found.sentence
    assert "another unit" in found.sentence
    assert found.course.begin.date().isoformat() == "2025-06-21"
    assert [one.feature for one in found.moved] == ["tenure"]
    assert {one.segment for one in found.segments} == {"country=AT", "country=CH", "country=DE"}
