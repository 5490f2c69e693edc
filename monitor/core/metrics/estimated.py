"""Metrics estimated without labels: their values if scores still had the meaning they had in the reference.

That holds while only the inputs move (covariate shift), not if the relation to the label does (concept drift). They
are drawn beside the realised ones; support is the rows with a score.
"""

from __future__ import annotations

from modeltop.core.metrics.registry import Metric, register
from modeltop.core.series import Direction

SHARE = (0.0, 1.0)
CAVEAT = "an estimate: holds while the inputs alone move (covariate shift), not where scores mean else (concept drift)"

register(
    *(
        Metric(
            f"estimated_{name}",
            Direction.HIGHER,
            (0.0, 1.0),
            family=family,
            aliases=aliases,
            title=f"{title} expected from the scores",
            needs_labels=False,
            caveat=CAVEAT,
        )
        for name, family, title, aliases in (
            ("accuracy", "accuracy", "accuracy", ("expected_accuracy",)),
            ("precision", "precision-recall", "precision", ("expected_precision",)),
            ("recall", "precision-recall", "recall", ("expected_recall",)),
            ("f1_score", "precision-recall", "F1", ("estimated_f1", "expected_f1")),
            ("roc_auc", "discrimination", "area under the ROC curve", ("estimated_auc", "expected_auc")),
        )
    ),
    *(
        Metric(
            f"estimated_{name}", Direction.HIGHER, SHARE, family=family, title=title, needs_labels=False, caveat=CAVEAT
        )
        for name, family, title in (
            ("specificity", "negatives", "specificity expected from the scores"),
            (
                "average_precision",
                "discrimination",
                "area under the precision-recall curve expected from the scores",
            ),
        )
    ),
    *(
        Metric(
            f"estimated_{name}",
            Direction.LOWER,
            (0.0, None),
            family=family,
            aliases=(f"expected_{name}",),
            title=f"{name.upper()} expected from the inputs",
            needs_labels=False,
            caveat=CAVEAT,
        )
        for name, family in (
            ("mae", "error"),
            ("rmse", "error"),
            ("mse", ""),
            ("mape", "relative-error"),
            ("msle", ""),
            ("rmsle", "relative-error"),
        )
    ),
)
