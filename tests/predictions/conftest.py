"""Logs written by the tests, and the tallies that are made of them."""

import csv

import numpy as np
import pytest

from modeltop.predictions.engines.base import open_engine
from modeltop.predictions.queries.aggregate import aggregate
from modeltop.predictions.schema_inference import resolve
from modeltop.predictions.spec import LogSpec

HEADER = ("model", "timestamp", "score", "prediction", "label")


@pytest.fixture(scope="session")
def engine():
    with open_engine("duckdb") as opened:
        yield opened


@pytest.fixture
def tallies(engine):
    """By (model, period, segment): the tally of that cell."""

    def made(source, *, using=None, **parts):
        known = {"timestamp": "timestamp", "prediction": "prediction", "label": "label", "scores": ("score",)} | parts
        log = LogSpec(sources=(str(source),), **known)
        reading = resolve(log, using or engine)
        return {
            (model, str(period)[:13], segment): cells.aggregate.take(slice(index, index + 1))
            for cells in aggregate(reading, using or engine)
            for index, (model, period, segment) in enumerate(zip(cells.model, cells.period, cells.segment, strict=True))
        }

    return made


@pytest.fixture
def rows():
    """Rows of two models over three days, some without a label or a score."""
    random = np.random.default_rng(7)
    days = np.datetime64("2025-03-29T12", "s") + random.integers(0, 3 * 86_400, 300).astype("timedelta64[s]")
    score = random.random(300).round(4)
    label = (random.random(300) < score).astype(int)
    return [
        (
            ("007", "churn")[int(random.random() < 0.5)],
            f"{day}Z",
            value if random.random() < 0.95 else "",
            int(value >= 0.5),
            truth if random.random() < 0.9 else "",
        )
        for day, value, truth in zip(days, score, label, strict=True)
    ]


@pytest.fixture
def written(tmp_path):
    def write(rows, name="log.csv", header=HEADER):
        path = tmp_path / name
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *rows])
        return path

    return write
