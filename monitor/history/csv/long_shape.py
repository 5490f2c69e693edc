"""The long shape, one row per metric: its metric names are placed as the columns of the wide shape are.

Which name represents a model depends on all names of the model, so the blocks of a file keep the names as written until
all of the file that is there has been read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.history.csv.placement import Placement, place, placement_notes
from modeltop.history.merge import Block, join_segments


class LongShape:
    """Placement of the blocks of one file; a block that did not change stays the same object.

    Args:
        catalog: The metrics.
    """

    def __init__(self, catalog: MetricRegistry) -> None:
        self._catalog = catalog
        self._placed: dict[tuple[str, str, str], tuple[Block, Placement, Block]] = {}

    def place(self, blocks: Sequence[Block]) -> tuple[tuple[Block, ...], list[str]]:
        """Return the blocks under their canonical metrics, and messages on names that share a metric.

        Args:
            blocks: Of one metric each, under its name as written; of none where its values are not used.
        """
        names: dict[str, dict[str, None]] = {}
        for block in blocks:
            names.setdefault(block.model, {}).update(dict.fromkeys(block.values))
        places: dict[tuple[str, str], Placement] = {}
        notes: dict[str, None] = {}
        for model, written in names.items():
            listed = list(written)
            placements = place(listed, self._catalog)
            places.update({(model, name): each for name, each in zip(listed, placements, strict=True)})
            notes.update(dict.fromkeys(placement_notes(listed, placements, self._catalog)))
        placed = (
            self._place(block, name, places[block.model, name]) if block.values else block
            for block in blocks
            for name in [next(iter(block.values), "")]
        )
        return tuple(placed), list(notes)

    def _place(self, block: Block, written: str, placement: Placement) -> Block:
        key = (block.model, block.segment, written)
        cached = self._placed.get(key)
        if cached and cached[0] is block and cached[1] == placement:
            return cached[2]
        values = block.values[written]
        refused = {placement.metric: block.refused[written]} if written in block.refused else {}
        placed = replace(
            block,
            segment=join_segments(block.segment, placement.segment),
            values={placement.metric: 0.0 - values if placement.sign < 0 else values},
            refused=refused,
            written={} if written == placement.metric else {placement.metric: written},
        )
        self._placed[key] = block, placement, placed
        return placed
