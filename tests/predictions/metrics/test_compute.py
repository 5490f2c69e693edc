"""An undefined value is never 0, and has a reason."""

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
    ("log", "metric", "text"),
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
def test_an_undefined_metric_has_a_reason(binary, log, metric, text, undefined_reason):
    values = compute_metrics(binary(*ROWS[log]))[metric]
    assert undefined_reason(values) == text
    assert np.isnan(values.value[0]) == bool(text)
    assert np.isnan(values.low[0]) == bool(text)


def test_a_cell_without_scores_beside_one_with_them_says_so(binary, undefined_reason):
    counts = binary([0, 1, 0, 1], [0, 1, 0, 1], [0.1, 0.9, np.nan, np.nan], cell=np.array([0, 0, 1, 1]), cells=2)
    metrics = compute_metrics(counts)
    assert [undefined_reason(metrics["brier_score"], cell) for cell in (0, 1)] == ["", "no labeled row has a score"]
    assert [undefined_reason(metrics["avg_confidence"], cell) for cell in (0, 1)] == ["", "no row has a score"]


def test_without_rows_every_metric_is_undefined(undefined_reason):
    metrics = compute_metrics(BinaryCounts.empty(2))
    assert undefined_reason(metrics["positive_rate"], 1) == "no rows"
    assert all(np.isnan(values.value).all() for values in metrics.values())


def test_every_reason_is_a_clause_in_words():
    texts = [reason.text for reason in UndefinedReason if reason]
    assert all(texts)
    assert len(set(texts)) == len(texts)


def test_an_aggregate_of_another_kind_is_refused():
    with pytest.raises(TypeError, match="has no metrics"):
        compute_metrics(Aggregate())
