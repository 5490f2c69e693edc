"""Rows dated after now: read and judged all the same, and said, since a clock or a zone is wrong somewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monitor.records import Problem, to_datetime
from monitor.sources.base import Block


@dataclass(frozen=True, slots=True)
class Ahead:
    """The newest row of a model, where it lies more than one period after now."""

    model: str
    newest: np.datetime64
    period: np.timedelta64
    """The median step between its periods; a day where there is one row."""

    def holds(self, now: float) -> bool:
        """Whether it still does, `now` seconds after 1970."""
        return bool(self.newest > _stamp(now) + self.period)

    def problem(self, source: str) -> Problem:
        """The same, for a person."""
        row = f"model `{self.model[:40]}`: its newest row, {to_datetime(self.newest):%Y-%m-%d %H:%M}, is in the future"
        return Problem(source, f"{row}: check the clock, and the zone of the dates")


def ahead(block: Block, now: float) -> Ahead | None:
    """The newest row of `block`, if it lies more than one period after now."""
    newest = block.times.max()
    if newest <= _stamp(now):
        return None
    steps = np.diff(np.unique(block.times)).astype(np.int64)
    period = np.timedelta64(int(np.median(steps)), "us") if len(steps) else np.timedelta64(1, "D")
    found = Ahead(block.model, newest, period)
    return found if found.holds(now) else None


def _stamp(now: float) -> np.datetime64:
    return np.datetime64(round(now * 1e6), "us")
