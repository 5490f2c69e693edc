"""Metrics of classifiers: decisions that are right or wrong, the order of scores, and probabilities.

Whether events happen as often as their scores predict is a mean over the rows of a period, so the row count is its
support, and no share of them.
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

_accuracy = partial(metric, HIGHER, SHARE, support="rows", proportion=True, family="accuracy")
_class_accuracy = partial(metric, HIGHER, SHARE, family="accuracy")
_precision_recall = partial(metric, HIGHER, SHARE, proportion=True, family="precision-recall")
_negatives = partial(metric, HIGHER, SHARE, proportion=True, family="negatives")
_agreement = partial(metric, HIGHER, CORRELATION, family="agreement")
_errors = partial(metric, LOWER, SHARE, support="rows", proportion=True, family="errors")
_class_errors = partial(metric, LOWER, SHARE, proportion=True, family="errors")
_rates = partial(metric, NEITHER, SHARE, support="rows", proportion=True, family="rates")
_label_free_rates = partial(metric, NEITHER, SHARE, support="rows", proportion=True, family="rates", needs_labels=False)
_row_share = partial(metric, HIGHER, SHARE, support="rows", proportion=True)
_cost = partial(metric, LOWER, AT_LEAST_ZERO, support="rows", digits=1)
_f_beta = partial(metric, HIGHER, SHARE, family="f-beta")
_score = partial(metric, HIGHER, SHARE)
_row_errors = partial(metric, LOWER, SHARE, support="rows", family="errors")
_counts = partial(metric, NEITHER, AT_LEAST_ZERO, digits=0)

register(
    _accuracy(
        "accuracy",
        "acc accuracy_rate categorical_accuracy sparse_categorical_accuracy classification_accuracy "
        "subset_accuracy prediction_accuracy genauigkeit exactitude exactitud accuratezza acurácia nauwkeurigheid",
    ),
    _class_accuracy("balanced_accuracy", "bal_acc bacc balanced_acc", title="mean of the recalls of all classes"),
    _precision_recall("precision", "ppv positive_predictive_value prec precision_rate präzision précision precisión"),
    _precision_recall("recall", "sensitivity tpr true_positive_rate recall_rate sensitivität rappel sensibilidad"),
    metric(HIGHER, SHARE, "f1_score", "f1 f_score f_measure f1_measure f1_wert f1_maß", family="precision-recall"),
    _negatives("specificity", "tnr true_negative_rate selectivity"),
    _negatives("negative_predictive_value", "npv"),
    _agreement(
        "mcc",
        "matthews_corrcoef matthews_correlation phi_coefficient matthews matthews_corr matthews_corr_coef "
        "matthews_correlation_coefficient",
        title="Matthews correlation",
    ),
    _agreement(
        "cohen_kappa",
        "kappa cohens_kappa cohen_kappa_score quadratic_weighted_kappa quadratic_kappa qwk",
        title="Cohen's kappa",
    ),
    _errors(
        "error_rate",
        "misclassification_rate zero_one_loss merror multi_error binary_error classification_error "
        "misclassification_error fehlerrate fehlerquote",
    ),
    _class_errors("false_positive_rate", "fpr fall_out false_alarm_rate"),
    _class_errors("false_negative_rate", "fnr miss_rate"),
    _rates("label_rate", "prevalence base_rate", title="share of positive labels"),
    _label_free_rates(
        "positive_rate", "predicted_positive_rate prediction_rate selection_rate", title="share of positive predictions"
    ),
    _row_share("label_coverage", title="share of rows whose label is known"),
    _cost("cost_per_1000_rows", "cost cost_per_1000", title="cost of false alarms and misses per 1,000 rows"),
    _f_beta("fbeta_score", "f_beta f_beta_measure f_beta_top"),
    _f_beta("f2_score", "f2 f2_measure"),
    _f_beta("f05_score", "f0.5 f0_5 f0.5_score"),
    _score("jaccard", "jaccard_index jaccard_similarity jaccard_coefficient", title="Jaccard index"),
    _row_errors("hamming_loss", "hamming_distance", title="share of labels that are wrong"),
    metric(LOWER, AT_LEAST_ZERO, "hinge_loss", "hinge squared_hinge", support="rows"),
    metric(LOWER, SHARE, "mean_per_class_error", "balanced_error_rate ber max_per_class_error", family="errors"),
    _class_errors("false_discovery_rate", "fdr"),
    _class_errors("false_omission_rate"),
    _agreement(
        "youden_j",
        "youdens_j youden_index youdens_index informedness bookmaker_informedness",
        title="sensitivity plus specificity minus one",
    ),
    _agreement("norm_macro_recall", "normalized_macro_recall", title="macro recall, 0 at chance"),
    _class_accuracy("geometric_mean", "g_mean geometric_mean_score"),
    _agreement("fleiss_kappa", title="Fleiss' kappa"),
    metric(HIGHER, AT_LEAST_ZERO, "positive_likelihood_ratio"),
    metric(LOWER, AT_LEAST_ZERO, "negative_likelihood_ratio"),
    _score("critical_success_index", "threat_score"),
    # Counts grow with the volume: neither way is better.
    _counts("true_positives", "true_positive true_positive_count tp"),
    _counts("true_negatives", "true_negative true_negative_count tn"),
    _counts("false_positives", "false_positive false_positive_count fp"),
    _counts("false_negatives", "false_negative false_negative_count fn"),
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


_discrimination = partial(metric, HIGHER, SHARE, family="discrimination")
_signed_discrimination = partial(metric, HIGHER, CORRELATION, family="discrimination")
_ranking = partial(metric, HIGHER, SHARE, family="ranking")
_response = partial(metric, HIGHER, SHARE, support="rows", proportion=True, family="response")
_rank_score = partial(metric, HIGHER, SHARE)
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
    _rank_score("catalog_coverage", "catalogue_coverage item_coverage"),
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
    _rank_score("recall_at_precision", "recall_at_fixed_precision"),
    _rank_score("precision_at_recall", "precision_at_fixed_recall"),
    _rank_score("sensitivity_at_specificity"),
    _rank_score("specificity_at_sensitivity"),
    _response("success_rate", "task_success_rate goal_success_rate"),
    _response("win_rate"),
)
