"""Metrics estimated without labels: their values if scores still had the meaning they had in the reference.

That holds while only the inputs move (covariate shift), not if the relation to the label does (concept drift). They
are drawn beside the realized ones; support is the rows with a score.
"""

from __future__ import annotations

from functools import partial

from modeltop.core.metrics.registry import AT_LEAST_ZERO, HIGHER, LOWER, SHARE, metric, register

CAVEAT = "an estimate: valid for data drift, where only the inputs change, not for concept drift"
_accuracy = partial(metric, HIGHER, SHARE, family="accuracy", needs_labels=False, caveat=CAVEAT)
_precision_recall = partial(metric, HIGHER, SHARE, family="precision-recall", needs_labels=False, caveat=CAVEAT)
_discrimination = partial(metric, HIGHER, SHARE, family="discrimination", needs_labels=False, caveat=CAVEAT)
_negatives = partial(metric, HIGHER, SHARE, family="negatives", needs_labels=False, caveat=CAVEAT)
_error = partial(metric, LOWER, AT_LEAST_ZERO, family="error", needs_labels=False, caveat=CAVEAT)
_loss = partial(metric, LOWER, AT_LEAST_ZERO, needs_labels=False, caveat=CAVEAT)
_relative_error = partial(metric, LOWER, AT_LEAST_ZERO, family="relative-error", needs_labels=False, caveat=CAVEAT)

register(
    _accuracy("estimated_accuracy", "expected_accuracy", title="accuracy expected from the scores"),
    _precision_recall("estimated_precision", "expected_precision", title="precision expected from the scores"),
    _precision_recall("estimated_recall", "expected_recall", title="recall expected from the scores"),
    _precision_recall("estimated_f1_score", "estimated_f1 expected_f1", title="F1 expected from the scores"),
    _discrimination(
        "estimated_roc_auc", "estimated_auc expected_auc", title="area under the ROC curve expected from the scores"
    ),
    _negatives("estimated_specificity", title="specificity expected from the scores"),
    _discrimination(
        "estimated_average_precision", title="area under the precision-recall curve expected from the scores"
    ),
    _error("estimated_mae", "expected_mae", title="MAE expected from the inputs"),
    _error("estimated_rmse", "expected_rmse", title="RMSE expected from the inputs"),
    _loss("estimated_mse", "expected_mse", title="MSE expected from the inputs"),
    _relative_error("estimated_mape", "expected_mape", title="MAPE expected from the inputs"),
    _loss("estimated_msle", "expected_msle", title="MSLE expected from the inputs"),
    _relative_error("estimated_rmsle", "expected_rmsle", title="RMSLE expected from the inputs"),
)
