"""Computed histories, aggregates and logs; the command line as a script would see it."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from modeltop.cli import main
from modeltop.history.store.computed_format import ComputedHistory
from modeltop.predictions.aggregates.classification import BinaryCounts
from modeltop.predictions.aggregates.score_bins import score_bin

ROOT = Path(__file__).parents[2]
NAN = float("nan")


@dataclass
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def isolated_home(tmp_path, monkeypatch):
    """Hide the configuration and the store of the machine."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(capsys, monkeypatch):
    def call(*words: object, open_app=None) -> Outcome:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
        code = main.main([str(word) for word in words], open_app=open_app)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture
def history():
    """Make the computed history of some days of January 2025; each column is a list with a number a day."""

    def make(days, *, model="churn", segment="all", provisional=(), pending=(), rows=100.0, **columns):
        times = np.array([f"2025-01-{day:02d}" for day in days], dtype="datetime64[us]")
        return ComputedHistory(
            model,
            times,
            np.array([segment] * len(days), dtype=object),
            np.full(len(days), rows),
            np.array([day in provisional for day in days]),
            np.array([day in (*pending, *provisional) for day in days]),
            {name: np.array(values, dtype=np.float64) for name, values in columns.items()},
        )

    return make


@pytest.fixture
def shared():
    """Return the path of a file of the reference data, or skip the test."""

    def at(name: str) -> Path:
        path = ROOT / ".." / "shared" / "data" / name
        if not path.exists():
            pytest.skip("the reference data is not beside this checkout")
        return path

    return at


@pytest.fixture
def binary_counts():
    """Make binary counts of rows: the cell of each, its label (0, 1, 2 for none), score; predicted from 0.5 on."""

    def make(cell, label, score, cells):
        counts = BinaryCounts.empty(cells)
        cell, label, score = (np.asarray(values) for values in (cell, label, score))
        predicted = (score >= 0.5).astype(int)
        index = (cell, label, predicted, score_bin(score))
        np.add.at(counts.count, index, 1)
        np.add.at(counts.score, index, score)
        np.add.at(counts.score2, index[:3], score**2)
        labelled = label < 2
        probability = np.where(label == 1, score, 1 - score)
        np.add.at(
            counts.nll,
            (cell[labelled], label[labelled], index[3][labelled]),
            -np.log(np.maximum(probability[labelled], 2e-16)),
        )
        return counts

    return make
