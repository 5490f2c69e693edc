"""Metrics of probabilities: whether events happen as often as their scores predict.

All are means over the rows of a period, so the row count is their support; none is a share of them.
"""

from __future__ import annotations

from functools import partial

from modeltop.core.metrics.registry import Metric, register
from modeltop.core.series import Direction

AT_LEAST_ZERO = (0.0, None)
_loss = partial(Metric, better=Direction.LOWER, support="rows", family="probability-loss")
_calibration_error = partial(_loss, bounds=(0.0, 1.0), family="calibration")
_mean = partial(Metric, better=Direction.NEITHER, support="rows", needs_labels=False)

register(
    _loss(
        "log_loss",
        bounds=(0.0, None),
        aliases=(
            "logloss",
            "cross_entropy",
            "binary_cross_entropy",
            "nll",
            "negative_log_likelihood",
            "logarithmic_loss",
            "cross_entropy_loss",
            "categorical_cross_entropy",
            "sparse_categorical_cross_entropy",
            "multi_logloss",
            "mlogloss",
            "neg_log_likelihood",
            "bce",
            "bce_loss",
            "ce_loss",
        ),
    ),
    # 2 is the worst of Brier's own form over several classes (1950); 1 that of two classes.
    _loss(
        "brier_score",
        bounds=(0.0, 2.0),
        aliases=(
            "brier",
            "brier_score_loss",
            "brier_loss",
        ),
    ),
    _calibration_error(
        "expected_calibration_error",
        aliases=(
            "ece",
            "calibration_error",
            "estimated_calibration_error",
        ),
    ),
    _calibration_error("maximum_calibration_error", aliases=("mce", "max_calibration_error")),
    # Neither way is better: an overconfident model is worse than an underconfident one. Drawn beside accuracy, because
    # the gap between the two is what matters.
    _mean(
        "avg_confidence",
        bounds=(0.0, 1.0),
        family="accuracy",
        aliases=("confidence", "mean_confidence", "average_confidence"),
        title="mean probability of the predicted class",
    ),
    # 0 is best: above it the model is overconfident.
    _mean(
        "confidence_gap",
        bounds=(-1.0, 1.0),
        family="calibration",
        aliases=("overconfidence",),
        title="mean confidence minus accuracy",
        needs_labels=True,
        two_sided=True,
    ),
    _mean("avg_score", aliases=("mean_score", "average_score")),
    Metric("integrated_brier_score", Direction.LOWER, (0.0, 1.0), family="probability-loss", aliases=("ibs",)),
    Metric("brier_skill_score", Direction.HIGHER, (None, 1.0), aliases=("bss", "d2_brier", "d2_brier_score")),
    Metric("d2_log_loss", Direction.HIGHER, (None, 1.0), support="rows", aliases=("d2_log_loss_score",)),
    Metric(
        "crps",
        Direction.LOWER,
        AT_LEAST_ZERO,
        support="rows",
        aliases=("continuous_ranked_probability_score", "mean_crps"),
        title="continuous ranked probability score",
    ),
)
