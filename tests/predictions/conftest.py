"""Logs written by the tests and the aggregates made of them; aggregates from rows, counted by numpy alone."""

import csv
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

from modeltop.predictions.aggregates.classification import BinaryCounts, MulticlassCounts
from modeltop.predictions.aggregates.feature import FeatureCounts, FeatureReference
from modeltop.predictions.aggregates.regression import RegressionSums
from modeltop.predictions.aggregates.score_bins import MIN_PROBABILITY, score_bin
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
def cells_of(engine):
    """By (model, period, segment): the aggregate of that cell of a log."""

    def read(source, *, using=None, **columns):
        defaults = {"timestamp": "timestamp", "prediction": "prediction", "label": "label", "scores": ("score",)}
        log = resolve(LogSpec(sources=(str(source),), **(defaults | columns)), using or engine)
        return {
            (model, str(period)[:13], segment): batch.aggregate.take(slice(index, index + 1))
            for batch in aggregate(log, using or engine)
            for index, (model, period, segment) in enumerate(zip(batch.model, batch.period, batch.segment, strict=True))
        }

    return read


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


@pytest.fixture(scope="session")
def concat():
    """Join the cells of several aggregates of one kind, one after the other."""

    def join(aggregates):
        first = aggregates[0]
        names = [field.name for field in fields(first) if isinstance(getattr(first, field.name), np.ndarray)]
        return replace(
            first, **{name: np.concatenate([getattr(aggregate, name) for aggregate in aggregates]) for name in names}
        )

    return join


@pytest.fixture(scope="session")
def merge_all():
    """Merge all cells of an aggregate into one."""
    return lambda aggregate: aggregate.merge(np.zeros(len(aggregate), dtype=np.int64), 1)


@pytest.fixture(scope="session")
def binary():
    """Make counts from rows, as an engine would: labels (2: unlabelled), predictions, scores; `cell` of each row."""

    def make(label, prediction, score=None, *, cell=None, cells=1):
        label, prediction = np.asarray(label, dtype=int), np.asarray(prediction, dtype=int)
        score = np.full(len(label), np.nan) if score is None else np.asarray(score, dtype=float)
        cell = np.zeros(len(label), dtype=int) if cell is None else cell
        counts, slot = BinaryCounts.empty(cells), score_bin(score)
        scored, labelled = ~np.isnan(score), ~np.isnan(score) & (label < 2)
        np.add.at(counts.count, (cell, label, prediction, slot), 1)
        np.add.at(counts.score, tuple(index[scored] for index in (cell, label, prediction, slot)), score[scored])
        np.add.at(counts.score2, tuple(index[scored] for index in (cell, label, prediction)), score[scored] ** 2)
        probability = np.where(label == 1, score, 1 - score)[labelled]
        loss = -np.log(np.maximum(probability, MIN_PROBABILITY))
        np.add.at(counts.nll, tuple(index[labelled] for index in (cell, label, slot)), loss)
        return counts

    return make


@pytest.fixture(scope="session")
def multiclass():
    """Make counts of one cell from labels, predictions and, if any, one score a class for each row."""

    def make(label, prediction, scores=None, *, size):
        label, prediction = np.asarray(label, dtype=int), np.asarray(prediction, dtype=int)
        counts = MulticlassCounts.empty(1, tuple("abcdefghij"[:size]), scores=scores is not None)
        np.add.at(counts.confusion, (0, label, prediction), 1)
        if scores is None:
            return counts
        rows, labelled = np.arange(len(label)), label < size
        outcome, confidence = np.where(labelled, (label == prediction).astype(int), 2), scores[rows, prediction]
        np.add.at(counts.confidence_count, (0, outcome, score_bin(confidence)), 1)
        np.add.at(counts.confidence, (0, outcome, score_bin(confidence)), confidence)
        np.add.at(counts.confidence2, (0, outcome), confidence**2)
        for index in range(size):
            is_class = np.where(labelled, (label == index).astype(int), 2)
            chosen = (prediction == index).astype(int)
            np.add.at(counts.ranked, (0, index, is_class, chosen, score_bin(scores[:, index])), 1)
        loss = -np.log(np.maximum(scores[rows[labelled], label[labelled]], MIN_PROBABILITY))
        brier = ((scores[labelled] - np.eye(size)[label[labelled]]) ** 2).sum(axis=1)
        counts.scored[0] = labelled.sum()
        for sums, values in (
            (counts.nll, loss),
            (counts.nll2, loss**2),
            (counts.brier, brier),
            (counts.brier2, brier**2),
        ):
            sums[0] = values.sum()
        return counts

    return make


@pytest.fixture(scope="session")
def regression():
    """Make sums of one cell from labels and predictions."""

    def make(label, prediction, *, unlabelled=0):
        label, error = np.asarray(label, dtype=float), np.asarray(prediction, dtype=float) - np.asarray(label)
        with np.errstate(divide="ignore", invalid="ignore"):
            relative = np.abs(error / label)[label != 0]
        spread = ((label - label.mean()) ** 2).sum() if len(label) else 0.0
        counts = {"count": len(label), "unlabelled": unlabelled, "nonzero": len(relative)}
        sums = {
            "error": error.sum(),
            "absolute": np.abs(error).sum(),
            "squared": (error**2).sum(),
            "fourth": (error**4).sum(),
            "label": label.sum(),
            "spread": spread,
            "relative": relative.sum(),
            "relative2": (relative**2).sum(),
        }
        return RegressionSums(**{name: np.array([value]) for name, value in (counts | sums).items()})

    return make


@pytest.fixture(scope="session")
def column():
    """Make a numeric column of K periods against the quantile bins of a reference; NaN is missing."""

    def slots(values, edges):
        values = np.asarray(values, dtype=float)
        present = values[np.isfinite(values)]
        slot = np.searchsorted(edges, present, side="right")
        size = len(edges) + 1
        tail = [np.isinf(values).sum(), np.isnan(values).sum()]
        return np.append(np.bincount(slot, minlength=size), tail), np.bincount(slot, weights=present, minlength=size)

    def make(reference, *periods, bins=50):
        reference = np.asarray(reference, dtype=float)
        present = reference[np.isfinite(reference)]
        edges = np.unique(np.quantile(present, np.arange(1, bins) / bins)) if len(present) else np.empty(0)
        count, total = slots(reference, edges)
        deviation = float(present.std()) if len(present) else float("nan")
        binned = FeatureReference("x", count=count, edges=edges, total=total, deviation=deviation)
        counts, totals = zip(*(slots(period, edges) for period in periods), strict=True)
        return FeatureCounts(binned, count=np.array(counts), total=np.array(totals))

    return make


@pytest.fixture(scope="session")
def categories():
    """Make a column of categories of K periods from counts: those of the reference, then of each period."""

    def make(reference, *periods, other=0, missing=0):
        names = tuple(f"c{index}" for index in range(len(reference)))
        binned = FeatureReference("x", count=np.array([*reference, 0, 0]), categories=names)
        return FeatureCounts(binned, count=np.array([[*period, other, missing] for period in periods]))

    return make


@pytest.fixture
def partitions(tmp_path):
    """Writes a log into two folders named by a key, in one of the formats, and returns the folder around them."""

    def write(key, suffix, around="log"):
        rows = pd.DataFrame({"timestamp": "2025-01-01T00:00:00Z", "prediction": [0, 1, 0], "label": [0, 1, 1]})
        for value in ("0", "1"):
            folder = tmp_path / around / f"{key}={value}"
            folder.mkdir(parents=True)
            if suffix == "csv":
                rows.to_csv(folder / "part.csv", index=False)
            elif suffix == "parquet":
                rows.to_parquet(folder / "part.parquet")
            else:
                rows.to_json(folder / "part.jsonl", orient="records", lines=True)
        return str(tmp_path / around)

    return write
