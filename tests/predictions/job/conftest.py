"""Sheets, labels and logs to compute; the command line as a script would see it."""

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
def alone(tmp_path, monkeypatch):
    """No configuration or store of the machine is found."""
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
def sheet():
    """A sheet of some days of January 2025; each column is a list of as many numbers as there are days."""

    def made(days, *, model="churn", segment="all", provisional=(), pending=(), rows=100.0, **columns):
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

    return made


@pytest.fixture
def shared():
    """A file of the reference data, which may not be there."""

    def at(name: str) -> Path:
        path = ROOT / ".." / "shared" / "data" / name
        if not path.exists():
            pytest.skip("the reference data is not beside this checkout")
        return path

    return at


@pytest.fixture
def tallied():
    """A binary tally from rows: the cell of each, its label (0, 1, 2 for none), score; predicted from 0.5 on."""

    def made(cell, label, score, cells):
        tally = BinaryCounts.empty(cells)
        cell, label, score = (np.asarray(values) for values in (cell, label, score))
        predicted = (score >= 0.5).astype(int)
        place = (cell, label, predicted, score_bin(score))
        np.add.at(tally.count, place, 1)
        np.add.at(tally.score, place, score)
        np.add.at(tally.score2, place[:3], score**2)
        known = label < 2
        right = np.where(label == 1, score, 1 - score)
        np.add.at(tally.nll, (cell[known], label[known], place[3][known]), -np.log(np.maximum(right[known], 2e-16)))
        return tally

    return made
