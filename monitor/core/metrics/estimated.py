"""Metrics estimated without labels: what they would be if the scores still meant what they meant in the reference.

That holds while only the inputs move (covariate shift), not when the world behind them does (concept drift). They are
drawn beside the realised ones; support is the rows with a score.
"""

from __future__ import annotations

from modeltop.core.metrics.registry import Metric, register
from modeltop.core.series import Direction

SHARE = (0.0, 1.0)
CAVEAT = "an estimate: holds while the inputs alone move (covariate shift), not where scores mean else (concept drift)"

register(
    Metric(
        "estimated_accuracy",
        Direction.HIGHER,
        SHARE,
        family="accuracy",
        aliases=("expected_accuracy",),
        title="accuracy expected from the scores",
        needs_labels=False,
        caveat=CAVEAT,
    ),
    Metric(
        "estimated_precision",
        Direction.HIGHER,
        SHARE,
        family="precision-recall",
        aliases=("expected_precision",),
        title="precision expected from the scores",
        needs_labels=False,
        caveat=CAVEAT,
    ),
    Metric(
        "estimated_recall",
        Direction.HIGHER,
        SHARE,
        family="precision-recall",
        aliases=("expected_recall",),
        title="recall expected from the scores",
        needs_labels=False,
        caveat=CAVEAT,
    ),
    Metric(
        "estimated_f1_score",
        Direction.HIGHER,
        SHARE,
        family="precision-recall",
        aliases=("estimated_f1", "expected_f1"),
        title="F1 expected from the scores",
        needs_labels=False,
        caveat=CAVEAT,
    ),
    Metric(
        "estimated_roc_auc",
        Direction.HIGHER,
        SHARE,
        family="discrimination",
        aliases=("estimated_auc", "expected_auc"),
        title="area under the ROC curve expected from the scores",
        needs_labels=False,
        caveat=CAVEAT,
    ),
)
