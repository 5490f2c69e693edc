"""Metrics of groups: alike inside, apart from each other, or the same as the known ones."""

from __future__ import annotations

from functools import partial

from modeltop.core.metrics.registry import (
    AT_LEAST_ZERO,
    AT_MOST_ONE,
    CORRELATION,
    HIGHER,
    LOWER,
    SHARE,
    metric,
    register,
)

_clustering = partial(metric, HIGHER, CORRELATION, support="rows", family="clustering", needs_labels=False)
_criterion = partial(metric, HIGHER, AT_LEAST_ZERO, digits=1, needs_labels=False)
_agreement = partial(metric, HIGHER, SHARE, family="clustering")

register(
    _clustering("silhouette", "silhouette_coefficient silhouette_width"),
    metric(LOWER, AT_LEAST_ZERO, "davies_bouldin", "davies_bouldin_index db_index", needs_labels=False),
    _criterion("calinski_harabasz", "calinski_harabasz_index variance_ratio_criterion"),
    metric(HIGHER, AT_LEAST_ZERO, "dunn_index", needs_labels=False),
    metric(LOWER, AT_LEAST_ZERO, "inertia", "wcss", digits=1, needs_labels=False),
    metric(HIGHER, CORRELATION, "adjusted_rand", "adjusted_rand_index ari", family="clustering"),
    _agreement("rand_index", "rand_score"),
    metric(HIGHER, AT_LEAST_ZERO, "mutual_information", "mutual_info"),
    metric(HIGHER, AT_MOST_ONE, "adjusted_mutual_information", "adjusted_mutual_info ami", family="clustering"),
    _agreement("normalized_mutual_information", "normalized_mutual_info nmi"),
    _agreement("homogeneity"),
    _agreement("completeness"),
    _agreement("v_measure"),
    _agreement("fowlkes_mallows", "fowlkes_mallows_index"),
    metric(HIGHER, SHARE, "cluster_accuracy", "clustering_accuracy", support="rows", proportion=True),
)
