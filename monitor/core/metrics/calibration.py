"""Metrics of probabilities: whether what is scored as likely happens as often.

All are means over the rows of a period, so the row count is their support; none is a share of them.
"""

from __future__ import annotations

from modeltop.core.metrics.registry import Metric, register
from modeltop.core.series import Direction

register(
    Metric(
        "log_loss",
        Direction.LOWER,
        (0.0, None),
        support="rows",
        family="probability-loss",
        aliases=("logloss", "cross_entropy", "binary_cross_entropy", "nll", "negative_log_likelihood"),
    ),
    Metric(
        "brier_score",
        Direction.LOWER,
        (0.0, 2.0),  # 2 is the worst of Brier's own form over several classes (1950); 1 that of two classes
        support="rows",
        family="probability-loss",
        aliases=("brier", "brier_score_loss"),
    ),
    Metric(
        "expected_calibration_error",
        Direction.LOWER,
        (0.0, 1.0),
        support="rows",
        family="calibration",
        aliases=("ece", "calibration_error"),
    ),
    Metric(
        "maximum_calibration_error",
        Direction.LOWER,
        (0.0, 1.0),
        support="rows",
        family="calibration",
        aliases=("mce", "max_calibration_error"),
    ),
    # Neither way is better: an overconfident model is worse than an underconfident one. Drawn beside accuracy, because
    # the gap between the two is what matters.
    Metric(
        "avg_confidence",
        Direction.NEITHER,
        (0.0, 1.0),
        support="rows",
        family="accuracy",
        aliases=("confidence", "mean_confidence", "average_confidence"),
        title="mean probability of the predicted class",
        needs_labels=False,
    ),
    # 0 is best: above it the model is overconfident.
    Metric(
        "confidence_gap",
        Direction.NEITHER,
        (-1.0, 1.0),
        support="rows",
        family="calibration",
        aliases=("overconfidence",),
        title="mean confidence minus accuracy",
    ),
    Metric("avg_score", Direction.NEITHER, support="rows", aliases=("mean_score", "average_score"), needs_labels=False),
)
