"""Rows to record, computed histories, and the files as other programs see them."""

import csv
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from modeltop.history.store.computed_format import ComputedHistory
from modeltop.history.store.row_format import PeriodRow
from modeltop.history.store.writer import Store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.fixture
def record():
    """Make a row of the n-th day of 2025."""

    def make(model="churn", *, n=0, date=None, **fields):
        values = fields.pop("values", {"accuracy": 0.9})
        return PeriodRow(model, date or datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=n), values, **fields)

    return make


@pytest.fixture
def rows_of():
    """Return the rows of a CSV file as the csv module reads them."""

    def read(path):
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file, strict=True))

    return read


@pytest.fixture
def files():
    """Every file under a folder and its bytes, the lock's aside, under whatever name."""

    def read(folder):
        lock = folder / ".lock"
        paths = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
        paths = [path for path in paths if not (lock.exists() and path.samefile(lock))]
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}

    return read


@pytest.fixture
def computed_history():
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
