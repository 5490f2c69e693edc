"""Blocks to which rows are appended, at the price of those rows alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from modeltop.history.merge import Block

if TYPE_CHECKING:
    from numpy.typing import NDArray

Key = tuple[str, str, str | None]
Place = tuple[str, str]
A = TypeVar("A", bound="NDArray[np.generic]")


def block_key(block: Block, *, long: bool) -> Key:
    """What tells the blocks of one file apart: in the long shape each metric has its own."""
    return block.model, block.segment, next(iter(block.values), None) if long else None


class GrowableBlock:
    """A block with room behind its last row.

    Blocks that were handed out stay as they were: they are views, and only what lies behind them is written.
    """

    def __init__(self, block: Block) -> None:
        self.block = block
        self._room: dict[Place, NDArray[np.generic]] = {}

    def append(self, more: Block) -> None:
        """Add the rows of `more`, which has the same columns."""
        used, added = len(self.block.times), len(more.times)
        extra = _arrays(more)
        if not self._room or len(self._room["times", ""]) < used + added:
            room = (used + added) * 3 // 2 + 16
            self._room = {place: _with_capacity(array, room) for place, array in _arrays(self.block).items()}
        for place, array in self._room.items():
            array[used : used + added] = extra[place]
        self.block = _rebuilt(self.block, {place: array[: used + added] for place, array in self._room.items()})


def _with_capacity(array: A, room: int) -> A:
    wide = np.empty(room, dtype=array.dtype)
    wide[: len(array)] = array
    return wide  # type: ignore[return-value]  # the dtype is the array's own


def _arrays(block: Block) -> dict[Place, NDArray[np.generic]]:
    found: dict[Place, NDArray[np.generic]] = {("times", ""): block.times}
    for name in ("values", "supports", "lows", "highs"):
        found.update({(name, metric): array for metric, array in getattr(block, name).items()})
    for name in ("rows", "provisional"):
        if getattr(block, name) is not None:
            found[name, ""] = getattr(block, name)
    return found


def _rebuilt(block: Block, arrays: Mapping[Place, NDArray[np.generic]]) -> Block:
    parts: dict[str, dict[str, NDArray[np.generic]]] = {name: {} for name in ("values", "supports", "lows", "highs")}
    plain = {}
    for (name, metric), array in arrays.items():
        if name in parts:
            parts[name][metric] = array
        else:
            plain[name] = array
    return Block(block.model, block.segment, **plain, **parts)  # type: ignore[arg-type]  # dtypes are the block's own


def append_blocks(blocks: dict[Key, GrowableBlock], more: Iterable[Block], *, long: bool) -> None:
    """Add the rows of `more` to the blocks of a file."""
    for block in more:
        key = block_key(block, long=long)
        if key in blocks:
            blocks[key].append(block)
        else:
            blocks[key] = GrowableBlock(block)
