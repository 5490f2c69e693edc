"""How the columns of a log have moved: each a segment `feature=NAME`, and their share in the segment of all rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from modeltop.predictions.aggregates.base import CellBatch
from modeltop.predictions.aggregates.feature import FeatureCounts
from modeltop.predictions.collect import ALL, PeriodBuffer, concat_buffers, to_columns
from modeltop.predictions.metrics import drift
from modeltop.predictions.metrics import drift as quality
from modeltop.predictions.metrics.base import MetricValues, UndefinedReason, metric_values
from modeltop.predictions.run import FEATURE, ModelRun

if TYPE_CHECKING:
    from modeltop.core.series import Floats, Times

DRIFTED_SHARE = "drifted_share"


@dataclass(slots=True)
class _ModelFeatures:
    """What is known of one model's features so far."""

    name: str
    drafts: list[PeriodBuffer] = field(default_factory=list)
    effects: list[tuple[Times, MetricValues]] = field(default_factory=list)


def compute_features(work: ModelRun, batches: Iterable[CellBatch[FeatureCounts]]) -> None:
    """Measure features and keep what comes of them.

    Args:
        work: Whose models are done.
        batches: Of one model and feature each, ordered by model.
    """
    known: _ModelFeatures | None = None
    for cells in batches:
        if not len(cells):
            continue
        model = str(cells.model[0])
        if known is None or known.name != model:
            _keep(work, known)
            known = _ModelFeatures(model)
        found = drift.compute_drift(cells.aggregate)
        known.effects.append((cells.period, drift.effect_size(found)))
        known.drafts.append(_draft(model, cells, found | quality.compute_quality(cells.aggregate)))
        work.distributions.add_feature(model, cells.period, cells.aggregate)
    _keep(work, known)


def _draft(model: str, cells: CellBatch[FeatureCounts], found: dict[str, MetricValues]) -> PeriodBuffer:
    segments = np.full(len(cells), f"{FEATURE}={cells.aggregate.reference.name}", dtype=object)
    rows: Floats = cells.aggregate.count.sum(axis=1).astype(np.float64)
    return PeriodBuffer(model, cells.period, segments, rows, to_columns(found))


def _keep(work: ModelRun, known: _ModelFeatures | None) -> None:
    if known is not None:
        work.add_rows(concat_buffers([*known.drafts, _drifted_share(known)]), (FEATURE,))


def _drifted_share(known: _ModelFeatures) -> PeriodBuffer:
    """The share of moved columns by period, as a metric of all rows."""
    times = np.unique(np.concatenate([period for period, _ in known.effects]))
    moved = drift.drifted_share(
        [_align_periods(effect, np.searchsorted(times, at), len(times)) for at, effect in known.effects]
    )
    rows = np.zeros(len(times))
    for draft in known.drafts:
        at = np.searchsorted(times, draft.times)
        rows[at] = np.maximum(rows[at], draft.rows)
    return PeriodBuffer(
        known.name, times, np.full(len(times), ALL, dtype=object), rows, to_columns({DRIFTED_SHARE: moved})
    )


def _align_periods(effect: MetricValues, at: np.ndarray, size: int) -> MetricValues:
    """The effect over all periods of the model; undefined where the feature has no rows."""
    value, support = np.full(size, np.nan), np.zeros(size)
    value[at], support[at] = effect.value, effect.support
    why = np.full(size, UndefinedReason.NO_ROWS, dtype=np.int8)
    why[at] = effect.undefined_reason
    return metric_values(value, support, reason=why)
