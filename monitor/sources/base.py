"""What a source of history hands over: blocks of periods."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.records import Flags, Floats, Times

Progress = Callable[[int, int], None]
"""Called with (files read, files in all)."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Periods of one model and segment, as one file gives them, in the file's order.

    Every array has the length of `times`. Times may repeat and need not be sorted; merging sorts and merges.
    """

    model: str
    segment: str
    times: Times
    """Period starts, UTC, dtype `datetime64[us]`."""
    values: Mapping[str, Floats]
    """Canonical metric name → values; NaN where the cell is empty."""
    supports: Mapping[str, Floats] = field(default_factory=dict)
    """Metric → its own support, from `<metric>_count`; NaN where unknown."""
    lows: Mapping[str, Floats] = field(default_factory=dict)
    highs: Mapping[str, Floats] = field(default_factory=dict)
    rows: Floats | None = None
    """From `count`: rows of the period; NaN where unknown."""
    provisional: Flags | None = None
