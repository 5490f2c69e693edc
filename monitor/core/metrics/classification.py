"""Metrics of decisions: a prediction is right or wrong."""

from __future__ import annotations

from functools import partial

from modeltop.core.metrics.registry import AT_LEAST_ZERO, CORRELATION, HIGHER, LOWER, NEITHER, SHARE, metric, register

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
