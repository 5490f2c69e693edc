"""Metrics of probabilities: whether events happen as often as their scores predict.

All are means over the rows of a period, so the row count is their support; none is a share of them.
"""

from __future__ import annotations

from functools import partial

from modeltop.core.metrics.registry import (
    AT_LEAST_ZERO,
    AT_MOST_ONE,
    CORRELATION,
    HIGHER,
    LOWER,
    NEITHER,
    SHARE,
    UNBOUNDED,
    metric,
    register,
)

_probability_loss = partial(metric, LOWER, AT_LEAST_ZERO, support="rows", family="probability-loss")
_brier = partial(metric, LOWER, (0.0, 2.0), support="rows", family="probability-loss")
_calibration = partial(metric, LOWER, SHARE, support="rows", family="calibration")
_confidence = partial(metric, NEITHER, SHARE, support="rows", family="accuracy", needs_labels=False)
_gap = partial(metric, NEITHER, CORRELATION, support="rows", family="calibration", two_sided=True)
_crps = partial(metric, LOWER, AT_LEAST_ZERO, support="rows")

register(
    _probability_loss(
        "log_loss",
        "logloss cross_entropy binary_cross_entropy nll negative_log_likelihood logarithmic_loss "
        "cross_entropy_loss categorical_cross_entropy sparse_categorical_cross_entropy multi_logloss "
        "mlogloss neg_log_likelihood bce bce_loss ce_loss",
    ),
    # 2 is the worst of Brier's own form over several classes (1950); 1 that of two classes.
    _brier("brier_score", "brier brier_score_loss brier_loss"),
    _calibration("expected_calibration_error", "ece calibration_error estimated_calibration_error"),
    _calibration("maximum_calibration_error", "mce max_calibration_error"),
    # Neither way is better: an overconfident model is worse than an underconfident one. Drawn beside accuracy, because
    # the gap between the two is what matters.
    _confidence(
        "avg_confidence",
        "confidence mean_confidence average_confidence",
        title="mean probability of the predicted class",
    ),
    # 0 is best: above it the model is overconfident.
    _gap("confidence_gap", "overconfidence", title="mean confidence minus accuracy"),
    metric(NEITHER, UNBOUNDED, "avg_score", "mean_score average_score", support="rows", needs_labels=False),
    metric(LOWER, SHARE, "integrated_brier_score", "ibs", family="probability-loss"),
    metric(HIGHER, AT_MOST_ONE, "brier_skill_score", "bss d2_brier d2_brier_score"),
    metric(HIGHER, AT_MOST_ONE, "d2_log_loss", "d2_log_loss_score", support="rows"),
    _crps("crps", "continuous_ranked_probability_score mean_crps", title="continuous ranked probability score"),
)
