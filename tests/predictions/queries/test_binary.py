"""Where the score implies the prediction it is not read; the counts are those of a loop over the rows all the same."""

from collections import Counter

import numpy as np
import pytest

from modeltop.predictions.aggregates.score_bins import score_bin
from modeltop.predictions.schema_inference import resolve
from modeltop.predictions.spec import LogSpec

SCORES = [
    0.0,
    1e-17,
    1e-6,
    0.25,
    np.nextafter(0.5, 0),
    0.5,
    np.nextafter(0.5, 1),
    0.75,
    1 - 1e-6,
    np.nextafter(1, 0),
    1.0,
]
LABELS = (1, 0, "")


def make_rows(predict):
    """Each score with each label, and its prediction."""
    return [("m", "2025-01-01", repr(float(score)), predict(score), label) for score in SCORES for label in LABELS]


def count_rows(rows, threshold):
    labels = ({1: 1, 0: 0, "": 2}[label] for *_, label in rows)
    scores = [float(score) for _, _, score, _, _ in rows]
    predictions = [int(score >= threshold) if row[3] == "" else row[3] for score, row in zip(scores, rows, strict=True)]
    return Counter(zip(labels, predictions, score_bin(scores).tolist(), strict=True))


@pytest.mark.parametrize(
    ("predict", "options", "score_decides"),
    [
        pytest.param(lambda score: int(score >= 0.5), {}, True, id="just as the scores say"),
        pytest.param(lambda score: int(score > 0.5), {}, False, id="but for the score on the threshold itself"),
        pytest.param(lambda score: int(score < 0.5), {}, False, id="the other way round"),
        pytest.param(lambda score: int(score >= 0.2), {}, False, id="from another threshold on"),
        pytest.param(lambda _: "", {"prediction": None}, True, id="no predictions"),
        pytest.param(
            lambda _: "", {"prediction": None, "threshold": 0.2}, False, id="no predictions, another threshold"
        ),
        pytest.param(
            lambda _: "", {"prediction": None, "threshold": 0.5}, True, id="no predictions, the usual one given"
        ),
    ],
)
def test_counts_are_those_of_the_rows(written, cells_of, engine, predict, options, score_decides):
    rows = make_rows(predict)
    path = written(rows)
    columns = {"prediction": "prediction", "scores": ("score",), "label": "label"} | options
    if columns["prediction"] is None:
        path = written([(*row[:3], row[4]) for row in rows], header=("model", "timestamp", "score", "label"))
    assert resolve(LogSpec(sources=(str(path),), **columns), engine).score_decides == score_decides
    (counts,) = cells_of(path, **options).values()
    actual = Counter({tuple(at): int(counts.count[0][tuple(at)]) for at in np.argwhere(counts.count[0]).tolist()})
    assert actual == count_rows(rows, options.get("threshold", 0.5))


def test_a_row_without_a_score_needs_its_prediction_read(written, cells_of, engine):
    path = written([*make_rows(lambda score: int(score >= 0.5)), ("m", "2025-01-01", "", 1, 1)])
    assert not resolve(LogSpec(sources=(str(path),)), engine).score_decides
    (counts,) = cells_of(path).values()
    assert counts.count[0, 1, 1, -1] == 1
