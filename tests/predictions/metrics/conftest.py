"""Tallies from rows, counted by numpy alone."""

from pathlib import Path

import numpy as np
import pytest

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.predictions.aggregates.classification import BinaryCounts, MulticlassCounts
from modeltop.predictions.aggregates.feature import FeatureCounts, FeatureReference
from modeltop.predictions.aggregates.regression import RegressionSums
from modeltop.predictions.aggregates.score_bins import SMALLEST_PROBABILITY, score_bin


@pytest.fixture(scope="session")
def catalog():
    return MetricRegistry()


@pytest.fixture(scope="session")
def binary():
    """Makes a tally from rows, as an engine would: labels (2: unlabelled), predictions, scores; `cell` of each row."""

    def make(label, prediction, score=None, *, cell=None, cells=1):
        label, prediction = np.asarray(label, dtype=int), np.asarray(prediction, dtype=int)
        score = np.full(len(label), np.nan) if score is None else np.asarray(score, dtype=float)
        cell = np.zeros(len(label), dtype=int) if cell is None else cell
        tally, place = BinaryCounts.empty(cells), score_bin(score)
        known, labelled = ~np.isnan(score), ~np.isnan(score) & (label < 2)
        np.add.at(tally.count, (cell, label, prediction, place), 1)
        np.add.at(tally.score, tuple(part[known] for part in (cell, label, prediction, place)), score[known])
        np.add.at(tally.score2, tuple(part[known] for part in (cell, label, prediction)), score[known] ** 2)
        given = np.where(label == 1, score, 1 - score)[labelled]
        lost = -np.log(np.maximum(given, SMALLEST_PROBABILITY))
        np.add.at(tally.nll, tuple(part[labelled] for part in (cell, label, place)), lost)
        return tally

    return make


@pytest.fixture(scope="session")
def multiclass():
    """Makes a one-cell tally from labels, predictions and, if any, one score a class for each row."""

    def make(label, prediction, scores=None, *, size):
        label, prediction = np.asarray(label, dtype=int), np.asarray(prediction, dtype=int)
        tally = MulticlassCounts.empty(1, tuple("abcdefghij"[:size]), scores=scores is not None)
        np.add.at(tally.confusion, (0, label, prediction), 1)
        if scores is None:
            return tally
        rows, known = np.arange(len(label)), label < size
        outcome, sure = np.where(known, (label == prediction).astype(int), 2), scores[rows, prediction]
        np.add.at(tally.confidence_count, (0, outcome, score_bin(sure)), 1)
        np.add.at(tally.confidence, (0, outcome, score_bin(sure)), sure)
        np.add.at(tally.confidence2, (0, outcome), sure**2)
        for each in range(size):
            is_it = np.where(known, (label == each).astype(int), 2)
            np.add.at(tally.ranked, (0, each, is_it, score_bin(scores[:, each])), 1)
        lost = -np.log(np.maximum(scores[rows[known], label[known]], SMALLEST_PROBABILITY))
        away = ((scores[known] - np.eye(size)[label[known]]) ** 2).sum(axis=1)
        tally.scored[0] = known.sum()
        for sums, values in ((tally.nll, lost), (tally.nll2, lost**2), (tally.brier, away), (tally.brier2, away**2)):
            sums[0] = values.sum()
        return tally

    return make


@pytest.fixture(scope="session")
def regression():
    """Makes a one-cell tally from labels and predictions."""

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
    """Makes a numeric column of K periods against the quantile bins of a reference; NaN is missing."""

    def slots(values, edges):
        values = np.asarray(values, dtype=float)
        present = values[np.isfinite(values)]
        place = np.searchsorted(edges, present, side="right")
        size = len(edges) + 1
        tail = [np.isinf(values).sum(), np.isnan(values).sum()]
        return np.append(np.bincount(place, minlength=size), tail), np.bincount(place, weights=present, minlength=size)

    def make(reference, *periods, bins=50):
        reference = np.asarray(reference, dtype=float)
        present = reference[np.isfinite(reference)]
        edges = np.unique(np.quantile(present, np.arange(1, bins) / bins)) if len(present) else np.empty(0)
        seen, total = slots(reference, edges)
        deviation = float(present.std()) if len(present) else float("nan")
        known = FeatureReference("x", count=seen, edges=edges, total=total, deviation=deviation)
        counts, totals = zip(*(slots(period, edges) for period in periods), strict=True)
        return FeatureCounts(known, count=np.array(counts), total=np.array(totals))

    return make


@pytest.fixture(scope="session")
def categories():
    """Makes a column of categories of K periods from counts: those of the reference, then of each period."""

    def make(reference, *periods, other=0, missing=0):
        names = tuple(f"c{at}" for at in range(len(reference)))
        known = FeatureReference("x", count=np.array([*reference, 0, 0]), categories=names)
        return FeatureCounts(known, count=np.array([[*period, other, missing] for period in periods]))

    return make


@pytest.fixture(scope="session")
def shared_data():
    """The folder of reference data beside the project; skips where it is absent."""
    folder = Path(__file__).parents[3] / ".." / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the reference data does not lie beside the project")
    return folder
