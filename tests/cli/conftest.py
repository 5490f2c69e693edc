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
def alone(tmp_path, monkeypatch):
    """No configuration or store of the machine is found."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(capsys, monkeypatch):
    def call(*words: object, stdin: bytes = b"", open_app=None, unusable=lambda: None) -> Outcome:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = main.main([str(word) for word in words], open_app=open_app, unusable_reason=unusable)
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
def forecasts() -> Path:
    path = ROOT / ".." / "shared" / "data" / "forecast_history.csv"
    if not path.exists():
        pytest.skip("the reference data is not beside this checkout")
    return path
