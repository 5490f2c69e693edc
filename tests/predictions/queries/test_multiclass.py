"""Counts of several classes against plain numpy over the same rows."""

import numpy as np
import pytest

from modeltop.predictions.aggregates.score_bins import score_bin
from modeltop.predictions.queries.aggregate import aggregate
from modeltop.predictions.schema_inference import resolve
from modeltop.predictions.spec import LogSpec

CLASSES = ("cat", "dog", "emu")
HEADER = ("timestamp", "prediction", "label", *CLASSES)
SCORES = tuple(f"{name}={name}" for name in CLASSES)


@pytest.fixture
def total(engine, concat, merge_all):
    """Return the aggregate of one file, all its cells as one."""

    def read(path, **options):
        log = resolve(LogSpec(sources=(str(path),), **options), engine)
        return merge_all(concat([batch.aggregate for batch in aggregate(log, engine)]))

    return read


@pytest.fixture
def written_log(written):
    """Labels (3: none), predictions and scores of three classes, and the file of them."""
    random = np.random.default_rng(5)
    scores = random.dirichlet((1, 1, 1), 200).round(6)
    label, prediction = random.integers(0, 4, 200), scores.argmax(axis=1)
    named = [*CLASSES, ""]
    rows = [
        (f"2025-01-{1 + row % 9:02}", CLASSES[prediction[row]], named[label[row]], *scores[row]) for row in range(200)
    ]
    return label, prediction, scores, written(rows, header=HEADER)


def test_classes_are_confused_as_they_were(written_log, total):
    label, prediction, _, path = written_log
    expected = np.zeros((4, 3), dtype=int)
    np.add.at(expected, (label, prediction), 1)
    assert np.array_equal(total(path, scores=SCORES).confusion[0], expected)
    assert np.array_equal(total(path).confusion[0], expected)


def test_the_confidence_is_the_score_of_what_was_predicted(written_log, total):
    label, prediction, scores, path = written_log
    counts = total(path, scores=SCORES)
    confidence = scores[np.arange(200), prediction]
    outcome = np.where(label == 3, 2, label == prediction)
    expected = np.zeros((3, 257), dtype=int)
    np.add.at(expected, (outcome, score_bin(confidence)), 1)
    assert np.array_equal(counts.confidence_count[0], expected)
    sums = [confidence[outcome == index].sum() for index in range(3)]
    np.testing.assert_allclose(counts.confidence[0].sum(axis=1), sums, rtol=1e-12)


def test_losses_are_those_of_the_labelled_rows(written_log, total):
    label, _, scores, path = written_log
    counts = total(path, scores=SCORES)
    labelled = label < 3
    loss = -np.log(np.maximum(scores[labelled, label[labelled]], np.finfo(float).eps))
    brier = ((scores[labelled] - np.eye(3)[label[labelled]]) ** 2).sum(axis=1)
    assert counts.scored.tolist() == [labelled.sum()]
    sums = [counts.nll[0], counts.nll2[0], counts.brier[0], counts.brier2[0]]
    np.testing.assert_allclose(sums, [loss.sum(), (loss**2).sum(), brier.sum(), (brier**2).sum()], rtol=1e-12)


def test_each_class_is_ranked_by_its_own_score(written_log, total):
    label, prediction, scores, path = written_log
    ranked = total(path, scores=SCORES).ranked[0]
    for index in range(3):
        expected = np.zeros((3, 2, 257), dtype=int)
        outcome = np.where(label == 3, 2, label == index), (prediction == index).astype(int)
        np.add.at(expected, (*outcome, score_bin(scores[:, index])), 1)
        assert np.array_equal(ranked[index], expected)


def test_without_predictions_the_likeliest_class_is_predicted(written_log, total, written):
    label, prediction, scores, _ = written_log
    rows = [("2025-01-01", [*CLASSES, ""][truth], *row) for truth, row in zip(label, scores, strict=True)]
    path = written(rows, name="bare.csv", header=("timestamp", "label", *CLASSES))
    assert total(path, scores=SCORES).confusion[0].sum(axis=0).tolist() == np.bincount(prediction).tolist()
