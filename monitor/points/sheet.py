"""The computed periods of one model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from monitor.records import Flags, Floats, Times


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """The computed periods of one model. All arrays have one entry a (time, segment), which does not repeat."""

    model: str
    times: Times
    segments: NDArray[np.object_]
    rows: Floats
    """Rows of the log in the period; NaN where unknown."""
    provisional: Flags
    """True where the period itself is not over."""
    pending: Flags
    """True where labels are still to come, or the period is not over."""
    columns: Mapping[str, Floats]
    """A metric, or its `_count`, `_low`, `_high` → its numbers; NaN where undefined."""

    def __len__(self) -> int:
        return len(self.times)

    def keys(self) -> list[tuple[int, str]]:
        """Time in microseconds and segment of each row."""
        return list(zip(self.times.astype("int64").tolist(), self.segments.tolist(), strict=True))

    def take(self, chosen: NDArray[np.intp] | Flags) -> Sheet:
        """Some of the rows."""
        return Sheet(
            self.model,
            self.times[chosen],
            self.segments[chosen],
            self.rows[chosen],
            self.provisional[chosen],
            self.pending[chosen],
            {name: column[chosen] for name, column in self.columns.items()},
        )
