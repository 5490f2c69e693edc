"""Metrics of order: whether relevant or positive rows are ranked first."""

from __future__ import annotations

from functools import partial

from modeltop.core.metrics.registry import AT_LEAST_ZERO, CORRELATION, HIGHER, LOWER, SHARE, metric, register

_discrimination = partial(metric, HIGHER, SHARE, family="discrimination")
_signed_discrimination = partial(metric, HIGHER, CORRELATION, family="discrimination")
_ranking = partial(metric, HIGHER, SHARE, family="ranking")
_response = partial(metric, HIGHER, SHARE, support="rows", proportion=True, family="response")
_score = partial(metric, HIGHER, SHARE)
_lift = partial(metric, HIGHER, AT_LEAST_ZERO)
_row_ranking = partial(metric, HIGHER, SHARE, support="rows", family="ranking")

register(
    _discrimination(
        "roc_auc",
        "auc auroc auc_roc rocauc roc_auc_score area_under_roc au_roc area_under_the_roc_curve "
        "area_under_roc_curve auc_mu",
        title="area under the ROC curve",
    ),
    _discrimination(
        "average_precision",
        "pr_auc auprc aupr auc_pr ap precision_recall_auc auc_precision_recall area_under_pr auc_prc "
        "au_prc area_under_precision_recall_curve",
        title="area under the precision-recall curve",
    ),
    _signed_discrimination("gini", "gini_coefficient normalized_gini gini_norm gini_normalized"),
    _ranking(
        "ndcg", "normalized_dcg normalized_discounted_cumulative_gain", title="normalized discounted cumulative gain"
    ),
    _ranking("map", "mean_average_precision"),
    _ranking("mrr", "mean_reciprocal_rank reciprocal_rank"),
    # One query is a hit or not, so this one is a share of its rows; the means above are not.
    metric(HIGHER, SHARE, "hit_rate", "hit_ratio", support="rows", proportion=True, family="ranking"),
    _response("click_through_rate", "ctr click_rate"),
    _response("conversion_rate", "cvr"),
    _score("catalog_coverage", "catalogue_coverage item_coverage"),
    _discrimination("partial_auc", "pauc roc_auc_partial"),
    _discrimination("log_auc"),
    _discrimination(
        "concordance_index", "c_index cindex harrells_c c_statistic concordance_index_censored concordance_index_ipcw"
    ),
    metric(LOWER, SHARE, "equal_error_rate", "eer", family="errors"),
    _lift("lift", "lift_score"),
    _lift("dcg", "discounted_cumulative_gain"),
    _ranking("mar", "mean_average_recall"),
    _ranking("r_precision"),
    metric(LOWER, SHARE, "label_ranking_loss", "ranking_loss", support="rows"),
    _row_ranking("label_ranking_average_precision", "lrap ranking_average_precision"),
    _score("recall_at_precision", "recall_at_fixed_precision"),
    _score("precision_at_recall", "precision_at_fixed_recall"),
    _score("sensitivity_at_specificity"),
    _score("specificity_at_sensitivity"),
    _response("success_rate", "task_success_rate goal_success_rate"),
    _response("win_rate"),
)
