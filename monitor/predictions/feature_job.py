"""How the columns of a log have moved: each a segment `feature=NAME`, and their share in the segment of all rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from modeltop.predictions.aggregates.base import Cells
from modeltop.predictions.aggregates.feature import FeatureTally
from modeltop.predictions.collect import ALL, Draft, columns_of, joined
from modeltop.predictions.metrics import drift
from modeltop.predictions.metrics import drift as quality
from modeltop.predictions.metrics.base import Measured, Why, measured
from modeltop.predictions.run import FEATURE, Work

if TYPE_CHECKING:
    from modeltop.core.series import Floats, Times

SHARE = "drifted_share"


@dataclass(slots=True)
class _Model:
    """What is known of one model's features so far."""

    name: str
    drafts: list[Draft] = field(default_factory=list)
    effects: list[tuple[Times, Measured]] = field(default_factory=list)


def featured(work: Work, batches: Iterable[Cells[FeatureTally]]) -> None:
    """Measure features and keep what comes of them.

    Args:
        work: Whose models are done.
        batches: Of one model and feature each, ordered by model.
    """
    known: _Model | None = None
    for cells in batches:
        if not len(cells):
            continue
        model = str(cells.model[0])
        if known is None or known.name != model:
            _keep(work, known)
            known = _Model(model)
        found = drift.compute_drift(cells.tally)
        known.effects.append((cells.period, drift.effect(found)))
        known.drafts.append(_draft(model, cells, found | quality.compute_quality(cells.tally)))
        work.pages.feature(model, cells.period, cells.tally)
    _keep(work, known)


def _draft(model: str, cells: Cells[FeatureTally], found: dict[str, Measured]) -> Draft:
    segments = np.full(len(cells), f"{FEATURE}={cells.tally.reference.name}", dtype=object)
    rows: Floats = cells.tally.count.sum(axis=1).astype(np.float64)
    return Draft(model, cells.period, segments, rows, columns_of(found))


def _keep(work: Work, known: _Model | None) -> None:
    if known is not None:
        work.beside(joined([*known.drafts, _share(known)]), (FEATURE,))


def _share(known: _Model) -> Draft:
    """The share of moved columns by period, as a metric of all rows."""
    times = np.unique(np.concatenate([period for period, _ in known.effects]))
    moved = drift.drifted_share(
        [_spread(effect, np.searchsorted(times, at), len(times)) for at, effect in known.effects]
    )
    rows = np.zeros(len(times))
    for draft in known.drafts:
        at = np.searchsorted(times, draft.times)
        rows[at] = np.maximum(rows[at], draft.rows)
    return Draft(known.name, times, np.full(len(times), ALL, dtype=object), rows, columns_of({SHARE: moved}))


def _spread(effect: Measured, at: np.ndarray, size: int) -> Measured:
    """The effect over all periods of the model; undefined where the feature has no rows."""
    value, support = np.full(size, np.nan), np.zeros(size)
    value[at], support[at] = effect.value, effect.support
    why = np.full(size, Why.NO_ROWS, dtype=np.int8)
    why[at] = effect.why
    return measured(value, support, why=why)
