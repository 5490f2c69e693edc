"""Metrics of decisions: a prediction is right or wrong."""

from __future__ import annotations

from functools import partial

from modeltop.core.metrics.registry import LABEL_COVERAGE, Metric, register
from modeltop.core.series import Direction

AT_LEAST_ZERO = (0.0, None)
SHARE = (0.0, 1.0)
_score = partial(Metric, better=Direction.HIGHER, bounds=(0.0, 1.0))
# Support of precision: predicted positives. Of recall: positives. The row count would be far too many.
_proportion = partial(_score, proportion=True)
_precision_recall = partial(_proportion, family="precision-recall")
_agreement = partial(_score, bounds=(-1.0, 1.0), family="agreement")
_error = partial(_proportion, better=Direction.LOWER, family="errors")
_rate = partial(_proportion, better=Direction.NEITHER, support="rows", family="rates")

register(
    _proportion(
        "accuracy",
        support="rows",
        family="accuracy",
        aliases=(
            "acc",
            "accuracy_rate",
            "categorical_accuracy",
            "sparse_categorical_accuracy",
            "classification_accuracy",
            "subset_accuracy",
            "prediction_accuracy",
        ),
    ),
    _score(
        "balanced_accuracy",
        family="accuracy",
        aliases=(
            "bal_acc",
            "bacc",
            "balanced_acc",
        ),
        title="mean of the recalls of all classes",
    ),
    _precision_recall(
        "precision",
        aliases=(
            "ppv",
            "positive_predictive_value",
            "prec",
            "precision_rate",
        ),
    ),
    _precision_recall(
        "recall",
        aliases=(
            "sensitivity",
            "tpr",
            "true_positive_rate",
            "recall_rate",
        ),
    ),
    _precision_recall("f1_score", proportion=False, aliases=("f1", "f_score", "f_measure", "f1_measure")),
    _proportion("specificity", family="negatives", aliases=("tnr", "true_negative_rate", "selectivity")),
    _proportion("negative_predictive_value", family="negatives", aliases=("npv",)),
    _agreement(
        "mcc",
        aliases=(
            "matthews_corrcoef",
            "matthews_correlation",
            "phi_coefficient",
            "matthews",
            "matthews_corr",
            "matthews_corr_coef",
            "matthews_correlation_coefficient",
        ),
        title="Matthews correlation",
    ),
    _agreement(
        "cohen_kappa",
        aliases=(
            "kappa",
            "cohens_kappa",
            "cohen_kappa_score",
            "quadratic_weighted_kappa",
            "quadratic_kappa",
            "qwk",
        ),
        title="Cohen's kappa",
    ),
    _error(
        "error_rate",
        support="rows",
        aliases=(
            "misclassification_rate",
            "zero_one_loss",
            "merror",
            "multi_error",
            "binary_error",
            "classification_error",
            "misclassification_error",
        ),
    ),
    _error("false_positive_rate", aliases=("fpr", "fall_out", "false_alarm_rate")),
    _error("false_negative_rate", aliases=("fnr", "miss_rate")),
    _rate("label_rate", aliases=("prevalence", "base_rate"), title="share of positive labels"),
    _rate(
        "positive_rate",
        aliases=(
            "predicted_positive_rate",
            "prediction_rate",
            "selection_rate",
        ),
        title="share of positive predictions",
        needs_labels=False,
    ),
    _proportion(LABEL_COVERAGE, support="rows", title="share of rows whose label is known"),
    Metric(
        "cost_per_1000_rows",
        Direction.LOWER,
        (0.0, None),
        support="rows",
        digits=1,
        aliases=("cost", "cost_per_1000"),
        title="cost of false alarms and misses per 1,000 rows",
    ),
    Metric(
        "fbeta_score",
        Direction.HIGHER,
        SHARE,
        family="f-beta",
        aliases=("f_beta", "f_beta_measure", "f_beta_top"),
    ),
    Metric("f2_score", Direction.HIGHER, SHARE, family="f-beta", aliases=("f2", "f2_measure")),
    Metric("f05_score", Direction.HIGHER, SHARE, family="f-beta", aliases=("f0.5", "f0_5", "f0.5_score")),
    Metric(
        "jaccard",
        Direction.HIGHER,
        SHARE,
        aliases=("jaccard_index", "jaccard_similarity", "jaccard_coefficient"),
        title="Jaccard index",
    ),
    Metric(
        "hamming_loss",
        Direction.LOWER,
        SHARE,
        support="rows",
        family="errors",
        aliases=("hamming_distance",),
        title="share of labels that are wrong",
    ),
    Metric("hinge_loss", Direction.LOWER, AT_LEAST_ZERO, support="rows", aliases=("hinge", "squared_hinge")),
    Metric(
        "mean_per_class_error",
        Direction.LOWER,
        SHARE,
        family="errors",
        aliases=("balanced_error_rate", "ber", "max_per_class_error"),
    ),
    Metric(
        "false_discovery_rate",
        Direction.LOWER,
        SHARE,
        proportion=True,
        family="errors",
        aliases=("fdr",),
    ),
    Metric("false_omission_rate", Direction.LOWER, SHARE, proportion=True, family="errors"),
    Metric(
        "youden_j",
        Direction.HIGHER,
        (-1.0, 1.0),
        family="agreement",
        aliases=("youdens_j", "youden_index", "youdens_index", "informedness", "bookmaker_informedness"),
        title="sensitivity plus specificity minus one",
    ),
    Metric(
        "norm_macro_recall",
        Direction.HIGHER,
        (-1.0, 1.0),
        family="agreement",
        aliases=("normalized_macro_recall",),
        title="macro recall, 0 at chance",
    ),
    Metric("geometric_mean", Direction.HIGHER, SHARE, family="accuracy", aliases=("g_mean", "geometric_mean_score")),
    Metric("fleiss_kappa", Direction.HIGHER, (-1.0, 1.0), family="agreement", title="Fleiss' kappa"),
    Metric("positive_likelihood_ratio", Direction.HIGHER, AT_LEAST_ZERO),
    Metric("negative_likelihood_ratio", Direction.LOWER, AT_LEAST_ZERO),
    Metric("critical_success_index", Direction.HIGHER, SHARE, aliases=("threat_score",)),
    # Counts grow with the volume: neither way is better.
    *(
        Metric(f"{kind}s", Direction.NEITHER, AT_LEAST_ZERO, digits=0, aliases=(kind, f"{kind}_count", short))
        for kind, short in (
            ("true_positive", "tp"),
            ("true_negative", "tn"),
            ("false_positive", "fp"),
            ("false_negative", "fn"),
        )
    ),
)
