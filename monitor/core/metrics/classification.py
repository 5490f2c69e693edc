"""Metrics of decisions: a prediction is right or wrong."""

from __future__ import annotations

from modeltop.core.metrics.registry import Metric, register
from modeltop.core.series import Direction

SHARE = (0.0, 1.0)

register(
    Metric("accuracy", Direction.HIGHER, SHARE, support="rows", proportion=True, family="accuracy", aliases=("acc",)),
    Metric(
        "balanced_accuracy",
        Direction.HIGHER,
        SHARE,
        family="accuracy",
        aliases=("bal_acc", "bacc"),
        title="mean of the recalls of all classes",
    ),
    # Support of precision: predicted positives. Of recall: positives. The row count would be far too many.
    Metric(
        "precision",
        Direction.HIGHER,
        SHARE,
        proportion=True,
        family="precision-recall",
        aliases=("ppv", "positive_predictive_value"),
    ),
    Metric(
        "recall",
        Direction.HIGHER,
        SHARE,
        proportion=True,
        family="precision-recall",
        aliases=("sensitivity", "tpr", "true_positive_rate"),
    ),
    Metric(
        "f1_score",
        Direction.HIGHER,
        SHARE,
        family="precision-recall",
        aliases=("f1", "f_score", "f_measure", "f1_measure"),
    ),
    Metric(
        "specificity",
        Direction.HIGHER,
        SHARE,
        proportion=True,
        family="negatives",
        aliases=("tnr", "true_negative_rate", "selectivity"),
    ),
    Metric("negative_predictive_value", Direction.HIGHER, SHARE, proportion=True, family="negatives", aliases=("npv",)),
    Metric(
        "mcc",
        Direction.HIGHER,
        (-1.0, 1.0),
        family="agreement",
        aliases=("matthews_corrcoef", "matthews_correlation", "phi_coefficient"),
        title="Matthews correlation",
    ),
    Metric(
        "cohen_kappa",
        Direction.HIGHER,
        (-1.0, 1.0),
        family="agreement",
        aliases=("kappa", "cohens_kappa", "cohen_kappa_score"),
        title="Cohen's kappa",
    ),
    Metric(
        "error_rate",
        Direction.LOWER,
        SHARE,
        support="rows",
        proportion=True,
        family="errors",
        aliases=("misclassification_rate", "zero_one_loss"),
    ),
    Metric(
        "false_positive_rate",
        Direction.LOWER,
        SHARE,
        proportion=True,
        family="errors",
        aliases=("fpr", "fall_out", "false_alarm_rate"),
    ),
    Metric(
        "false_negative_rate",
        Direction.LOWER,
        SHARE,
        proportion=True,
        family="errors",
        aliases=("fnr", "miss_rate"),
    ),
    Metric(
        "label_rate",
        Direction.NEITHER,
        SHARE,
        support="rows",
        proportion=True,
        family="rates",
        aliases=("prevalence", "base_rate"),
        title="share of positive labels",
    ),
    Metric(
        "positive_rate",
        Direction.NEITHER,
        SHARE,
        support="rows",
        proportion=True,
        family="rates",
        aliases=("predicted_positive_rate", "prediction_rate"),
        title="share of positive predictions",
        needs_labels=False,
    ),
    Metric(
        "label_coverage",
        Direction.HIGHER,
        SHARE,
        support="rows",
        proportion=True,
        title="share of rows whose label is known",
    ),
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
