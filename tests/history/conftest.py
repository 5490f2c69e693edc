"""Histories written to disk and read back."""

import math
import os
from pathlib import Path

import pytest

from modeltop.core.metrics import registry  # noqa: F401  registers the standard metrics
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.history.reader import Reader

NOON = 1_736_510_400.0  # 2025-01-10T12:00:00Z


class HistoryFolder:
    """A folder, a clock that only tests move, and readers of both."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = NOON

    def write(self, data: bytes | str, name: str = "m.csv", *, age: float = 3600.0) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data)
        self.touch(path, age)
        return path

    def append(self, path: Path, data: bytes, *, age: float = 3600.0) -> None:
        with path.open("ab") as stream:
            stream.write(data)
        self.touch(path, age)

    def touch(self, path: Path, age: float) -> None:
        os.utime(path, (self.now - age, self.now - age))

    def reader(self, *paths, **options) -> Reader:
        return Reader(paths or [self.folder], catalog=MetricRegistry(), clock=lambda: self.now, **options)

    def read(self, *data: bytes | str, **options):
        """Return the history of the files `m.csv`, `m.2.csv`, ... with this content."""
        paths = [self.write(text, f"m.{n}.csv" if n > 1 else "m.csv") for n, text in enumerate(data, start=1)]
        return self.reader(*paths, **options).read()


@pytest.fixture
def history_folder(tmp_path):
    return HistoryFolder(tmp_path)


@pytest.fixture(scope="session")
def make_history_folder(tmp_path_factory):
    """Return a function that makes a new folder, for every example of a property."""
    return lambda: HistoryFolder(tmp_path_factory.mktemp("history_folder"))


@pytest.fixture(scope="session")
def values_of():
    """Return a function of a history: its values as plain data, key to a list of (date, value)."""

    def plain(history):
        return {
            (key.model, key.metric, key.segment): list(
                zip(series.times.astype(str).tolist(), series.values.tolist(), strict=True)
            )
            for key, series in history.series.items()
        }

    return plain


@pytest.fixture(scope="session")
def as_plain_data():
    """All of a history, to be compared for equality; NaN as None."""

    def missing(cell):
        return isinstance(cell, float) and math.isnan(cell)

    def column(array):
        if not hasattr(array, "tolist"):
            return array
        return [None if missing(cell) else cell for cell in array.tolist()]

    def plain(history, *, problems=True):
        series = [
            (
                key,
                each.better,
                *(column(getattr(each, name)) for name in each.__slots__ if name not in ("key", "better")),
            )
            for key, each in history.series.items()
        ]
        periods = [(model, times.tolist()) for model, times in history.periods.items()]
        refused = [(key, times.tolist()) for key, times in history.refused.items()]
        return series, periods, refused, history.files, history.problems if problems else None

    return plain
