"""Undefined is undefined, never 0, and says why."""

import numpy as np
import pytest

from modeltop.predictions.aggregates.base import Aggregate
from modeltop.predictions.aggregates.classification import BinaryCounts
from modeltop.predictions.metrics.base import UndefinedReason
from modeltop.predictions.metrics.compute import compute_metrics

ROWS = {
    "all labels are 0": ([0, 0, 0], [0, 1, 0], [0.1, 0.9, 0.2]),
    "all labels are 1": ([1, 1, 1], [0, 1, 0], [0.1, 0.9, 0.2]),
    "nothing predicted": ([0, 1, 0], [0, 0, 0], [0.1, 0.4, 0.2]),
    "all right, one class": ([0, 0], [0, 0], [0.1, 0.4]),
    "no labels": ([2, 2], [0, 1], [0.1, 0.9]),
    "no scores": ([0, 1, 1], [0, 1, 0], [np.nan] * 3),
}


@pytest.mark.parametrize(
    ("log", "metric", "reason"),
    [
        ("all labels are 0", "recall", "no positive labels"),
        ("all labels are 0", "roc_auc", "all labels are of one class"),
        ("all labels are 0", "average_precision", "no positive labels"),
        ("all labels are 0", "balanced_accuracy", "all labels are of one class"),
        ("all labels are 0", "mcc", "all labels are of one class"),
        ("all labels are 1", "specificity", "no negative labels"),
        ("nothing predicted", "precision", "nothing was predicted positive"),
        ("nothing predicted", "mcc", "all predictions are of one class"),
        ("all right, one class", "cohen_kappa", "labels and predictions are all of one class"),
        ("all right, one class", "f1_score", "neither a positive label nor a positive prediction"),
        *(("no labels", name, "no labels yet") for name in ("accuracy", "precision", "mcc", "roc_auc", "brier_score")),
        *(("no labels", name, "no labels yet") for name in ("confidence_gap", "log_loss", "label_rate")),
        ("no labels", "avg_confidence", ""),
        ("all labels are 0", "accuracy", ""),
        ("nothing predicted", "recall", ""),
    ],
)
def test_a_metric_says_why_it_is_undefined(binary, log, metric, reason):
    found = compute_metrics(binary(*ROWS[log]))[metric]
    assert found.reason(0) == reason
    assert np.isnan(found.value[0]) == bool(reason)
    assert np.isnan(found.low[0]) == bool(reason)


def test_a_cell_without_scores_beside_one_with_them_says_so(binary):
    tally = binary([0, 1, 0, 1], [0, 1, 0, 1], [0.1, 0.9, np.nan, np.nan], cell=np.array([0, 0, 1, 1]), cells=2)
    found = compute_metrics(tally)
    assert [found["brier_score"].reason(cell) for cell in (0, 1)] == ["", "no labelled row has a score"]
    assert [found["avg_confidence"].reason(cell) for cell in (0, 1)] == ["", "no row has a score"]


def test_of_no_rows_nothing_is_known():
    found = compute_metrics(BinaryCounts.empty(2))
    assert found["positive_rate"].reason(1) == "no rows"
    assert all(np.isnan(one.value).all() for one in found.values())


def test_every_reason_is_a_clause_in_words():
    texts = [why.text for why in UndefinedReason if why]
    assert all(texts)
    assert len(set(texts)) == len(texts)


def test_a_tally_of_another_kind_is_refused():
    with pytest.raises(TypeError, match="has no metrics"):
        compute_metrics(Aggregate())
