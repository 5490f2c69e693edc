"""Metrics of groups: alike inside, apart from each other, or the same as the known ones."""

from __future__ import annotations

from modeltop.core.metrics.registry import Metric, register
from modeltop.core.series import Direction

SHARE = (0.0, 1.0)
AT_LEAST_ZERO = (0.0, None)

register(
    Metric(
        "silhouette",
        Direction.HIGHER,
        (-1.0, 1.0),
        support="rows",
        family="clustering",
        aliases=("silhouette_coefficient", "silhouette_width"),
        needs_labels=False,
    ),
    Metric(
        "davies_bouldin",
        Direction.LOWER,
        AT_LEAST_ZERO,
        aliases=("davies_bouldin_index", "db_index"),
        needs_labels=False,
    ),
    Metric(
        "calinski_harabasz",
        Direction.HIGHER,
        AT_LEAST_ZERO,
        digits=1,
        aliases=("calinski_harabasz_index", "variance_ratio_criterion"),
        needs_labels=False,
    ),
    Metric("dunn_index", Direction.HIGHER, AT_LEAST_ZERO, needs_labels=False),
    Metric("inertia", Direction.LOWER, AT_LEAST_ZERO, digits=1, aliases=("wcss",), needs_labels=False),
    Metric("adjusted_rand", Direction.HIGHER, (-1.0, 1.0), family="clustering", aliases=("adjusted_rand_index", "ari")),
    Metric("rand_index", Direction.HIGHER, SHARE, family="clustering", aliases=("rand_score",)),
    Metric("mutual_information", Direction.HIGHER, AT_LEAST_ZERO, aliases=("mutual_info",)),
    Metric(
        "adjusted_mutual_information",
        Direction.HIGHER,
        (None, 1.0),
        family="clustering",
        aliases=("adjusted_mutual_info", "ami"),
    ),
    Metric(
        "normalized_mutual_information",
        Direction.HIGHER,
        SHARE,
        family="clustering",
        aliases=("normalized_mutual_info", "nmi"),
    ),
    Metric("homogeneity", Direction.HIGHER, SHARE, family="clustering"),
    Metric("completeness", Direction.HIGHER, SHARE, family="clustering"),
    Metric("v_measure", Direction.HIGHER, SHARE, family="clustering"),
    Metric("fowlkes_mallows", Direction.HIGHER, SHARE, family="clustering", aliases=("fowlkes_mallows_index",)),
    Metric(
        "cluster_accuracy", Direction.HIGHER, SHARE, support="rows", proportion=True, aliases=("clustering_accuracy",)
    ),
)
