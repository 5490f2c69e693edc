"""What the rows of the reference say: what scores meant, for estimates without labels, and how rows were spread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from modeltop.predictions.aggregates.base import Aggregate, CellBatch
from modeltop.predictions.aggregates.classification import BinaryCounts, MulticlassCounts
from modeltop.predictions.aggregates.score_bins import BINS
from modeltop.predictions.metrics import cbpe
from modeltop.predictions.metrics.drift import prediction_column, score_column

if TYPE_CHECKING:
    from modeltop.core.series import Floats
    from modeltop.predictions.aggregates.feature import FeatureCounts
    from modeltop.predictions.metrics.base import MetricValues

ModelSegment = tuple[str, str]
"""Model and segment."""


@dataclass(slots=True)
class ReferenceStats:
    """By model and segment; a segment that the reference never had has none."""

    label_probabilities: dict[ModelSegment, Floats] = field(default_factory=dict)
    """The chance of a positive label by bin of the score, [256]."""
    aggregates: dict[str, Aggregate] = field(default_factory=dict)
    """Of whole models, one cell each."""

    @classmethod
    def from_batches(cls, batches: Iterable[CellBatch[Aggregate]], whole: str) -> ReferenceStats:
        """Read the reference: one cell a model and segment; `whole` is the segment of all rows."""
        found = cls()
        for cells in batches:
            keys = list(zip(cells.model.tolist(), cells.segment.tolist(), strict=True))
            if isinstance(cells.aggregate, BinaryCounts):
                found.label_probabilities |= dict(zip(keys, cbpe.calibrate(cells.aggregate), strict=True))
            at = (place for place, (_, segment) in enumerate(keys) if segment == whole)
            found.aggregates |= {keys[place][0]: cells.aggregate.take(slice(place, place + 1)) for place in at}
        return found

    def compute_estimates(self, cells: CellBatch[Aggregate]) -> dict[str, MetricValues]:
        """The estimated metrics of a batch; none of a model without scores."""
        if (
            not self.label_probabilities
            or not isinstance(cells.aggregate, BinaryCounts)
            or not cells.aggregate.score.any()
        ):
            return {}
        unknown = np.full(BINS, np.nan)
        keys = zip(cells.model.tolist(), cells.segment.tolist(), strict=True)
        chance = np.stack([self.label_probabilities.get(key, unknown) for key in keys])
        return cbpe.compute_cbpe(cells.aggregate, chance)

    def drift_columns(self, model: str, tally: Aggregate) -> Iterator[FeatureCounts]:
        """The model's own score and prediction as columns that may move; none without a reference."""
        known = self.aggregates.get(model)
        if isinstance(tally, BinaryCounts) and isinstance(known, BinaryCounts):
            if known.score.any():
                yield score_column(tally, known)
            yield prediction_column(tally, known)
        elif isinstance(tally, MulticlassCounts) and isinstance(known, MulticlassCounts):
            yield prediction_column(tally, known)
