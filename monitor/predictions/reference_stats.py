"""What the rows of the reference say: what scores meant, for estimates without labels, and how rows were spread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from modeltop.predictions.aggregates.base import Cells, Tally
from modeltop.predictions.aggregates.classification import BinaryTally, MulticlassTally
from modeltop.predictions.aggregates.score_bins import BINS
from modeltop.predictions.metrics import cbpe
from modeltop.predictions.metrics.drift import prediction_column, score_column

if TYPE_CHECKING:
    from modeltop.core.series import Floats
    from modeltop.predictions.aggregates.feature import FeatureTally
    from modeltop.predictions.metrics.base import Measured

Key = tuple[str, str]
"""Model and segment."""


@dataclass(slots=True)
class References:
    """By model and segment; a segment that the reference never had has none."""

    chances: dict[Key, Floats] = field(default_factory=dict)
    """The chance of a positive label by bin of the score, [256]."""
    tallies: dict[str, Tally] = field(default_factory=dict)
    """Of whole models, one cell each."""

    @classmethod
    def of(cls, batches: Iterable[Cells[Tally]], whole: str) -> References:
        """Read the reference: one cell a model and segment; `whole` is the segment of all rows."""
        found = cls()
        for cells in batches:
            keys = list(zip(cells.model.tolist(), cells.segment.tolist(), strict=True))
            if isinstance(cells.tally, BinaryTally):
                found.chances |= dict(zip(keys, cbpe.calibrate(cells.tally), strict=True))
            at = (place for place, (_, segment) in enumerate(keys) if segment == whole)
            found.tallies |= {keys[place][0]: cells.tally.take(slice(place, place + 1)) for place in at}
        return found

    def estimates(self, cells: Cells[Tally]) -> dict[str, Measured]:
        """The estimated metrics of a batch; none of a model without scores."""
        if not self.chances or not isinstance(cells.tally, BinaryTally) or not cells.tally.score.any():
            return {}
        unknown = np.full(BINS, np.nan)
        keys = zip(cells.model.tolist(), cells.segment.tolist(), strict=True)
        chance = np.stack([self.chances.get(key, unknown) for key in keys])
        return cbpe.compute_cbpe(cells.tally, chance)

    def columns(self, model: str, tally: Tally) -> Iterator[FeatureTally]:
        """The model's own score and prediction as columns that may move; none without a reference."""
        known = self.tallies.get(model)
        if isinstance(tally, BinaryTally) and isinstance(known, BinaryTally):
            if known.score.any():
                yield score_column(tally, known)
            yield prediction_column(tally, known)
        elif isinstance(tally, MulticlassTally) and isinstance(known, MulticlassTally):
            yield prediction_column(tally, known)
