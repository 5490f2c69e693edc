"""Several classes, and numbers: tallies against plain numpy over the same rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltop.predictions.aggregates.score_bins import score_bin
from modeltop.predictions.engines.base import open_engine
from modeltop.predictions.queries.aggregate import aggregate
from modeltop.predictions.schema_inference import resolve
from modeltop.predictions.spec import LogSpec, Task

CLASSES = ("cat", "dog", "emu")
HEADER = ("timestamp", "prediction", "label", *CLASSES)
SCORES = tuple(f"{name}={name}" for name in CLASSES)


@pytest.fixture
def total(engine, concat, merge_all):
    """The aggregate of one file, all its cells as one."""

    def read(path, **options):
        log = resolve(LogSpec(sources=(str(path),), **options), engine)
        return merge_all(concat([batch.aggregate for batch in aggregate(log, engine)]))

    return read


@pytest.fixture
def chosen(written):
    """Labels (3: none), predictions and scores of three classes, and the file of them."""
    random = np.random.default_rng(5)
    scores = random.dirichlet((1, 1, 1), 200).round(6)
    label, prediction = random.integers(0, 4, 200), scores.argmax(axis=1)
    named = [*CLASSES, ""]
    rows = [
        (f"2025-01-{1 + row % 9:02}", CLASSES[prediction[row]], named[label[row]], *scores[row]) for row in range(200)
    ]
    return label, prediction, scores, written(rows, header=HEADER)


def test_classes_are_confused_as_they_were(chosen, total):
    label, prediction, _, path = chosen
    wanted = np.zeros((4, 3), dtype=int)
    np.add.at(wanted, (label, prediction), 1)
    assert np.array_equal(total(path, scores=SCORES).confusion[0], wanted)
    assert np.array_equal(total(path).confusion[0], wanted)


def test_the_confidence_is_the_score_of_what_was_predicted(chosen, total):
    label, prediction, scores, path = chosen
    tally = total(path, scores=SCORES)
    confidence = scores[np.arange(200), prediction]
    outcome = np.where(label == 3, 2, label == prediction)
    wanted = np.zeros((3, 257), dtype=int)
    np.add.at(wanted, (outcome, score_bin(confidence)), 1)
    assert np.array_equal(tally.confidence_count[0], wanted)
    sums = [confidence[outcome == place].sum() for place in range(3)]
    np.testing.assert_allclose(tally.confidence[0].sum(axis=1), sums, rtol=1e-12)


def test_losses_are_those_of_the_labelled_rows(chosen, total):
    label, _, scores, path = chosen
    tally = total(path, scores=SCORES)
    known = label < 3
    loss = -np.log(np.maximum(scores[known, label[known]], np.finfo(float).eps))
    brier = ((scores[known] - np.eye(3)[label[known]]) ** 2).sum(axis=1)
    assert tally.scored.tolist() == [known.sum()]
    found = [tally.nll[0], tally.nll2[0], tally.brier[0], tally.brier2[0]]
    np.testing.assert_allclose(found, [loss.sum(), (loss**2).sum(), brier.sum(), (brier**2).sum()], rtol=1e-12)


def test_each_class_is_ranked_by_its_own_score(chosen, total):
    label, _, scores, path = chosen
    ranked = total(path, scores=SCORES).ranked[0]
    for place in range(3):
        wanted = np.zeros((3, 257), dtype=int)
        np.add.at(wanted, (np.where(label == 3, 2, label == place), score_bin(scores[:, place])), 1)
        assert np.array_equal(ranked[place], wanted)


def test_without_predictions_the_likeliest_class_is_predicted(chosen, total, written):
    label, prediction, scores, _ = chosen
    rows = [("2025-01-01", [*CLASSES, ""][truth], *row) for truth, row in zip(label, scores, strict=True)]
    path = written(rows, name="bare.csv", header=("timestamp", "label", *CLASSES))
    assert total(path, scores=SCORES).confusion[0].sum(axis=0).tolist() == np.bincount(prediction).tolist()


AMOUNTS = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))


@settings(max_examples=25)
@given(st.lists(st.tuples(AMOUNTS, st.one_of(st.none(), AMOUNTS)), min_size=1, max_size=30))
def test_errors_of_numbers_add_up(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("log") / "r.csv"
    lines = [f"2025-01-01,{said},{'' if truth is None else truth}" for said, truth in rows]
    path.write_text("\n".join(["timestamp,prediction,label", *lines]) + "\n")
    with open_engine() as engine:
        reading = resolve(LogSpec(sources=(str(path),), task=Task.REGRESSION), engine)
        (cells,) = list(aggregate(reading, engine))
    tally = cells.aggregate
    known = np.array([(said, truth) for said, truth in rows if truth is not None]).reshape(-1, 2)
    error, label = known[:, 0] - known[:, 1], known[:, 1]
    assert (tally.count[0], tally.unlabelled[0]) == (len(known), len(rows) - len(known))
    assert tally.nonzero[0] == (label != 0).sum()
    sums = [
        np.abs(error).sum(),
        (error**2).sum(),
        (error**4).sum(),
        ((label - label.mean()) ** 2).sum() if len(label) else 0,
    ]
    np.testing.assert_allclose(
        [tally.absolute[0], tally.squared[0], tally.fourth[0], tally.spread[0]], sums, rtol=1e-9, atol=1e-6
    )
    ratio = np.abs(error[label != 0] / label[label != 0])
    np.testing.assert_allclose([tally.relative[0], tally.relative2[0]], [ratio.sum(), (ratio**2).sum()], rtol=1e-9)
