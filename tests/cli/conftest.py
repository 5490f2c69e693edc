"""Runs the command line in this process, as a script would see it."""

import io
from dataclasses import dataclass
from pathlib import Path

import pytest

from modeltop.cli import main

ROOT = Path(__file__).parents[2]


@dataclass
class Outcome:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


@pytest.fixture(autouse=True)
def _isolated(isolated_home):
    """No test of the command line finds the configuration or the store of the machine."""


@pytest.fixture
def run(capsys, monkeypatch):
    def call(*words: object, stdin: bytes = b"", open_app=None, unusable=lambda: None, **app) -> Outcome:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = main.main([str(word) for word in words], open_app=open_app, unusable_reason=unusable, **app)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture
def ten_days() -> Path:
    return ROOT / "sample_data" / "model_performance_tracking.csv"


@pytest.fixture
def fleet() -> Path:
    return ROOT / "sample_data" / "fleet"


@pytest.fixture
def forecasts(reference_data) -> Path:
    return reference_data("forecast_history.csv")


@pytest.fixture
def compute_car_loan(run, reference_data):
    """Compute the log of the car loans in chunks of 5,000 rows: ten of the reference, ten of the analysis."""
    columns = ("--timestamp", "timestamp", "--prediction", "y_pred", "--label", "y_true", "--score", "y_pred_proba")
    periods = ("--id", "id", "--period", "5000rows", "--reference", "period=reference")

    def compute(*words, **options) -> Outcome:
        log = reference_data("car_loan_predictions.csv.gz")
        return run("compute", log, *columns, *periods, "--model", "car_loan", "--store", "s", *words, **options)

    return compute
