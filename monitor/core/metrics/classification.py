"""Metrics of decisions: a prediction is right or wrong."""

from __future__ import annotations

from functools import partial

from modeltop.core.metrics.registry import LABEL_COVERAGE, Metric, register
from modeltop.core.series import Direction

_score = partial(Metric, better=Direction.HIGHER, bounds=(0.0, 1.0))
# Support of precision: predicted positives. Of recall: positives. The row count would be far too many.
_proportion = partial(_score, proportion=True)
_precision_recall = partial(_proportion, family="precision-recall")
_agreement = partial(_score, bounds=(-1.0, 1.0), family="agreement")
_error = partial(_proportion, better=Direction.LOWER, family="errors")
_rate = partial(_proportion, better=Direction.NEITHER, support="rows", family="rates")

register(
    _proportion("accuracy", support="rows", family="accuracy", aliases=("acc",)),
    _score(
        "balanced_accuracy",
        family="accuracy",
        aliases=("bal_acc", "bacc"),
        title="mean of the recalls of all classes",
    ),
    _precision_recall("precision", aliases=("ppv", "positive_predictive_value")),
    _precision_recall("recall", aliases=("sensitivity", "tpr", "true_positive_rate")),
    _precision_recall("f1_score", proportion=False, aliases=("f1", "f_score", "f_measure", "f1_measure")),
    _proportion("specificity", family="negatives", aliases=("tnr", "true_negative_rate", "selectivity")),
    _proportion("negative_predictive_value", family="negatives", aliases=("npv",)),
    _agreement(
        "mcc",
        aliases=("matthews_corrcoef", "matthews_correlation", "phi_coefficient"),
        title="Matthews correlation",
    ),
    _agreement("cohen_kappa", aliases=("kappa", "cohens_kappa", "cohen_kappa_score"), title="Cohen's kappa"),
    _error("error_rate", support="rows", aliases=("misclassification_rate", "zero_one_loss")),
    _error("false_positive_rate", aliases=("fpr", "fall_out", "false_alarm_rate")),
    _error("false_negative_rate", aliases=("fnr", "miss_rate")),
    _rate("label_rate", aliases=("prevalence", "base_rate"), title="share of positive labels"),
    _rate(
        "positive_rate",
        aliases=("predicted_positive_rate", "prediction_rate"),
        title="share of positive predictions",
        needs_labels=False,
    ),
    _proportion(LABEL_COVERAGE, support="rows", title="share of rows whose label is known"),
    Metric(
        "cost_per_1000_rows",
        Direction.LOWER,
        (0.0, None),
        support="rows",
        digits=1,
        aliases=("cost", "cost_per_1000"),
        title="cost of false alarms and misses per 1,000 rows",
    ),
)
