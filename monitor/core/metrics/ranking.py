"""Metrics of order: whether relevant or positive rows are ranked first."""

from __future__ import annotations

from functools import partial

from modeltop.core.metrics.registry import Metric, register
from modeltop.core.series import Direction

AT_LEAST_ZERO = (0.0, None)
SHARE = (0.0, 1.0)
_score = partial(Metric, better=Direction.HIGHER, bounds=(0.0, 1.0))
_discrimination = partial(_score, family="discrimination")
_ranking = partial(_score, family="ranking")
_response = partial(_score, support="rows", proportion=True, family="response")

register(
    _discrimination(
        "roc_auc",
        aliases=(
            "auc",
            "auroc",
            "auc_roc",
            "rocauc",
            "roc_auc_score",
            "area_under_roc",
            "au_roc",
            "area_under_the_roc_curve",
            "area_under_roc_curve",
            "auc_mu",
        ),
        title="area under the ROC curve",
    ),
    _discrimination(
        "average_precision",
        aliases=(
            "pr_auc",
            "auprc",
            "aupr",
            "auc_pr",
            "ap",
            "precision_recall_auc",
            "auc_precision_recall",
            "area_under_pr",
            "auc_prc",
            "au_prc",
            "area_under_precision_recall_curve",
        ),
        title="area under the precision-recall curve",
    ),
    _discrimination(
        "gini",
        bounds=(-1.0, 1.0),
        aliases=(
            "gini_coefficient",
            "normalized_gini",
            "gini_norm",
            "gini_normalized",
        ),
    ),
    _ranking(
        "ndcg",
        aliases=(
            "normalized_dcg",
            "normalized_discounted_cumulative_gain",
        ),
        title="normalised discounted cumulative gain",
    ),
    _ranking("map", aliases=("mean_average_precision",)),
    _ranking(
        "mrr",
        aliases=(
            "mean_reciprocal_rank",
            "reciprocal_rank",
        ),
    ),
    # One query is a hit or not, so this one is a share of its rows; the means above are not.
    _ranking("hit_rate", support="rows", proportion=True, aliases=("hit_ratio",)),
    _response("click_through_rate", aliases=("ctr", "click_rate")),
    _response("conversion_rate", aliases=("cvr",)),
    _score("catalog_coverage", aliases=("catalogue_coverage", "item_coverage")),
    Metric("partial_auc", Direction.HIGHER, SHARE, family="discrimination", aliases=("pauc", "roc_auc_partial")),
    Metric("log_auc", Direction.HIGHER, SHARE, family="discrimination"),
    Metric(
        "concordance_index",
        Direction.HIGHER,
        SHARE,
        family="discrimination",
        aliases=(
            "c_index",
            "cindex",
            "harrells_c",
            "c_statistic",
            "concordance_index_censored",
            "concordance_index_ipcw",
        ),
    ),
    Metric("equal_error_rate", Direction.LOWER, SHARE, family="errors", aliases=("eer",)),
    Metric("lift", Direction.HIGHER, AT_LEAST_ZERO, aliases=("lift_score",)),
    Metric("dcg", Direction.HIGHER, AT_LEAST_ZERO, aliases=("discounted_cumulative_gain",)),
    Metric("mar", Direction.HIGHER, SHARE, family="ranking", aliases=("mean_average_recall",)),
    Metric("r_precision", Direction.HIGHER, SHARE, family="ranking"),
    Metric("label_ranking_loss", Direction.LOWER, SHARE, support="rows", aliases=("ranking_loss",)),
    Metric(
        "label_ranking_average_precision",
        Direction.HIGHER,
        SHARE,
        support="rows",
        family="ranking",
        aliases=("lrap", "ranking_average_precision"),
    ),
    Metric("recall_at_precision", Direction.HIGHER, SHARE, aliases=("recall_at_fixed_precision",)),
    Metric("precision_at_recall", Direction.HIGHER, SHARE, aliases=("precision_at_fixed_recall",)),
    Metric("sensitivity_at_specificity", Direction.HIGHER, SHARE),
    Metric("specificity_at_sensitivity", Direction.HIGHER, SHARE),
    Metric(
        "success_rate",
        Direction.HIGHER,
        SHARE,
        support="rows",
        proportion=True,
        family="response",
        aliases=("task_success_rate", "goal_success_rate"),
    ),
    Metric("win_rate", Direction.HIGHER, SHARE, support="rows", proportion=True, family="response"),
)
