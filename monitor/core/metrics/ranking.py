"""Metrics of order: whether what should come first does."""

from __future__ import annotations

from modeltop.core.metrics.registry import Metric, register
from modeltop.core.series import Direction

SHARE = (0.0, 1.0)

register(
    Metric(
        "roc_auc",
        Direction.HIGHER,
        SHARE,
        family="discrimination",
        aliases=("auc", "auroc", "auc_roc", "rocauc", "roc_auc_score"),
        title="area under the ROC curve",
    ),
    Metric(
        "average_precision",
        Direction.HIGHER,
        SHARE,
        family="discrimination",
        aliases=("pr_auc", "auprc", "aupr", "auc_pr", "ap"),
        title="area under the precision-recall curve",
    ),
    Metric("gini", Direction.HIGHER, (-1.0, 1.0), family="discrimination", aliases=("gini_coefficient",)),
    Metric(
        "ndcg",
        Direction.HIGHER,
        SHARE,
        family="ranking",
        aliases=("normalized_dcg",),
        title="normalised discounted cumulative gain",
    ),
    Metric("map", Direction.HIGHER, SHARE, family="ranking", aliases=("mean_average_precision",)),
    Metric("mrr", Direction.HIGHER, SHARE, family="ranking", aliases=("mean_reciprocal_rank",)),
    # One query is a hit or not, so this one is a share of its rows; the means above are not.
    Metric(
        "hit_rate",
        Direction.HIGHER,
        SHARE,
        support="rows",
        proportion=True,
        family="ranking",
        aliases=("hit_ratio",),
    ),
    Metric(
        "click_through_rate",
        Direction.HIGHER,
        SHARE,
        support="rows",
        proportion=True,
        family="response",
        aliases=("ctr", "click_rate"),
    ),
    Metric(
        "conversion_rate", Direction.HIGHER, SHARE, support="rows", proportion=True, family="response", aliases=("cvr",)
    ),
    Metric("catalog_coverage", Direction.HIGHER, SHARE, aliases=("catalogue_coverage", "item_coverage")),
)
