"""How the log behind a computed series was cut into periods: stored with the distributions of each model."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from itertools import islice

from modeltop.history.store.row_format import encode_csv_line

KIND = "windowing"
"""Kind of the line, the first below the header, that holds it."""


@dataclass(frozen=True, slots=True)
class Windowing:
    """What the periods of one series have in common; all of it is text as it is stored, without credentials."""

    period: str
    """Length of the periods in one spelling, such as `D`, `5000rows` or `column=NAME`."""
    timezone: str = ""
    """Zone in which they start; empty where it does not count."""
    reference: str = ""
    """What drift is compared with; empty without any."""
    source: str = ""
    """The log of the newest run."""
    reference_rows: int = 0
    """Rows of the model in its reference."""

    def __str__(self) -> str:
        """Return what two of them may differ in, for a person."""
        zone = f" in {self.timezone}" if self.timezone else ""
        return f"{self.period}{zone}" + (f", reference {self.reference}" if self.reference else "")

    @property
    def counts_rows(self) -> bool:
        """Whether each period starts where the rows before it end."""
        return self.period[:1].isdigit() and "rows" in self.period

    def is_compatible(self, stored: Windowing) -> bool:
        """Return whether periods of both can stand in one series; the source does not count.

        Values that no reference was needed for may stand beside those of any, but runs of rows start anew at its ends.
        """
        if (self.period, self.timezone) != (stored.period, stored.timezone):
            return False
        has_one = bool(self.reference and stored.reference) or self.counts_rows
        return self.reference == stored.reference or not has_one

    def merged_with(self, stored: Windowing) -> Windowing:
        """Return that of a series of both, which are compatible."""
        if self.reference or not stored.reference:
            return self
        return replace(self, reference=stored.reference, reference_rows=stored.reference_rows)

    def encode(self) -> bytes:
        """Return its line in the file of distributions; readers of that skip it, as its third cell is no date."""
        rows = str(self.reference_rows)
        return encode_csv_line((KIND, self.period, self.timezone, self.reference, self.source, "", rows, "", ""))


def decode_windowing(data: bytes) -> Windowing | None:
    """Return the windowing in a file of distributions; None if it has none: older versions wrote no such line."""
    lines = io.StringIO(data[: 1 << 16].decode("utf-8", "replace"), newline="")
    try:
        for cells in islice(csv.reader(lines), 1, 2):
            if len(cells) == 9 and cells[0] == KIND:
                period, timezone, reference, source, _, rows = cells[1:7]
                return Windowing(period, timezone, reference, source, int(rows))
    except (csv.Error, ValueError):
        pass
    return None
