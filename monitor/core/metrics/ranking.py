"""Metrics of order: whether relevant or positive rows are ranked first."""

from __future__ import annotations

from functools import partial

from modeltop.core.metrics.registry import Metric, register
from modeltop.core.series import Direction

_score = partial(Metric, better=Direction.HIGHER, bounds=(0.0, 1.0))
_discrimination = partial(_score, family="discrimination")
_ranking = partial(_score, family="ranking")
_response = partial(_score, support="rows", proportion=True, family="response")

register(
    _discrimination(
        "roc_auc", aliases=("auc", "auroc", "auc_roc", "rocauc", "roc_auc_score"), title="area under the ROC curve"
    ),
    _discrimination(
        "average_precision",
        aliases=("pr_auc", "auprc", "aupr", "auc_pr", "ap"),
        title="area under the precision-recall curve",
    ),
    _discrimination("gini", bounds=(-1.0, 1.0), aliases=("gini_coefficient",)),
    _ranking("ndcg", aliases=("normalized_dcg",), title="normalised discounted cumulative gain"),
    _ranking("map", aliases=("mean_average_precision",)),
    _ranking("mrr", aliases=("mean_reciprocal_rank",)),
    # One query is a hit or not, so this one is a share of its rows; the means above are not.
    _ranking("hit_rate", support="rows", proportion=True, aliases=("hit_ratio",)),
    _response("click_through_rate", aliases=("ctr", "click_rate")),
    _response("conversion_rate", aliases=("cvr",)),
    _score("catalog_coverage", aliases=("catalogue_coverage", "item_coverage")),
)
