"""Logs with published results: `compute` stores the published metrics."""

import numpy as np
import pytest

REFERENCE = [0.9462, 0.9394, 0.9462, 0.9442, 0.9382, 0.9442, 0.9450, 0.9450, 0.9450, 0.9430]
ANALYSIS = {
    "accuracy": [0.9422, 0.9422, 0.9502, 0.9436, 0.9410, 0.9146, 0.9156, 0.9144, 0.9224, 0.9122],
    "f1_score": [0.943344, 0.940178, 0.948201, 0.942142, 0.940488, 0.913685, 0.914954, 0.913395, 0.920589, 0.913498],
    "precision": [0.956660, 0.957016, 0.958368, 0.959866, 0.953764, 0.922449, 0.931473, 0.925379, 0.935524, 0.921304],
    "recall": [0.930394, 0.923922, 0.938246, 0.925060, 0.927577, 0.905086, 0.899010, 0.901718, 0.906124, 0.905823],
}
ROC_AUC = [0.970962, 0.970248, 0.976282, 0.967721, 0.969886, 0.960050, 0.958530, 0.959041, 0.963094, 0.957556]
ESTIMATED = [0.941792, 0.943321, 0.945492, 0.944816, 0.944645, 0.910714, 0.911149, 0.911193, 0.914389, 0.911731]


@pytest.fixture
def series_of(tmp_path, history_of):
    """Read the series of a model over all rows, by metric."""

    def read(model):
        history = history_of(tmp_path / "s")
        return {series.key.metric: series for series in history.for_model(model) if series.key.segment == "all"}

    return read


@pytest.fixture
def car_loan(compute_car_loan, series_of):
    outcome = compute_car_loan()
    assert outcome.code == 0, outcome.err
    return series_of("car_loan")


def test_car_loan_has_the_published_metrics_to_the_printed_digits(car_loan):
    assert car_loan["accuracy"].values[:10].round(4).tolist() == REFERENCE
    for metric, published in ANALYSIS.items():
        assert car_loan[metric].values[10:].round(6).tolist() == published, metric
    auc = car_loan["roc_auc"]
    assert (auc.low[10:] <= ROC_AUC).all()
    assert (auc.high[10:] >= ROC_AUC).all()
    assert np.abs(auc.values[10:] - ROC_AUC).max() < 5e-4


def test_car_loans_estimates_are_the_published_ones_within_a_tenth_of_a_point(car_loan):
    assert np.abs(car_loan["estimated_accuracy"].values[10:] - ESTIMATED).max() < 0.001
    assert np.abs(car_loan["estimated_accuracy"].values[10:] - car_loan["accuracy"].values[10:]).max() < 0.0081
    assert (car_loan["accuracy"].support == 5000).all()
    assert car_loan["accuracy"].provisional is None


def test_the_same_log_twice_writes_nothing_and_undo_deletes_it(run, compute_car_loan, tmp_path):
    compute_car_loan()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "s").rglob("*.csv*")}
    assert "nothing has changed" in compute_car_loan().err
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "s").rglob("*.csv*")} == before
    assert run("compute", "--undo", "--store", "s").code == 0
    assert list((tmp_path / "s").glob("*.csv")) == []
    second = run("compute", "--undo", "--store", "s")
    assert (second.code, "nothing to undo" in second.err) == (2, True)


GAMES = ("--model", "model", "--timestamp", "date", "--label", "prob1_outcome", "--score", "prob1")


@pytest.fixture
def games(run, reference_data):
    return run(
        "compute", reference_data("fivethirtyeight_games.csv.gz"), *GAMES, "--period", "column=season", "--store", "s"
    )


def test_games_by_season_have_the_published_metrics(games, series_of):
    assert games.code == 0, games.err
    # The seasons from 2016 to 2022; 2016 and 2021 are published.
    nba = {metric: series.values[[0, 5]] for metric, series in series_of("nba_games").items()}
    assert nba["accuracy"].round(4).tolist() == [0.6976, 0.6396]
    assert nba["roc_auc"] == pytest.approx([0.7438, 0.7044], abs=0.0005)
    assert nba["brier_score"].round(4).tolist() == [0.1991, 0.2205]
    assert nba["avg_confidence"].round(4).tolist() == [0.7088, 0.6762]
    assert nba["label_rate"].round(3).tolist() == [0.594, 0.547]


def test_ties_are_counted_as_unlabelled_and_reported(games, series_of, reference_data):
    import pandas as pd

    table = pd.read_csv(reference_data("fivethirtyeight_games.csv.gz"))
    ties = int((~table["prob1_outcome"].isin([0, 1])).sum())
    assert f"{ties:,} of {len(table):,} rows" in games.err
    nfl = series_of("nfl_games")["label_coverage"]
    nfl_games = table[table["model"] == "nfl_games"]
    assert (nfl.values * nfl.support).sum() == pytest.approx(nfl_games["prob1_outcome"].isin([0, 1]).sum())


def test_open_shows_the_result_as_of_its_newest_period(compute_car_loan):
    opened = []
    outcome = compute_car_loan(
        "--open", "--ascii", open_app=lambda pipeline, options: opened.append((pipeline, options)) or 7
    )
    assert outcome.code == 7
    [(pipeline, options)] = opened
    assert options.ascii is True
    snapshot = pipeline.run(pipeline._now)
    assert snapshot.taken_at.year == 2019
    assert snapshot.model_statuses[0].model == "car_loan"
