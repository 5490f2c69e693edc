"""What was planted in a history, and how large it is in the terms of chance."""

from __future__ import annotations

from dataclasses import dataclass

from modeltop.core.diagnosis import Cause, Pattern
from modeltop.core.series import History, Series, SeriesKey

MODEL = "model"


@dataclass(frozen=True, slots=True)
class Truth:
    """The right answer."""

    kind: str
    """Name of the scenario."""
    metric: str
    """The one that falls, or would."""
    segment: str
    """Where it is read: `all`, or the only segment that falls."""
    begin: int | None
    """Place of the first changed period; None where nothing changes."""
    size: float
    """Of the fall once it is complete, in deviations of the healthy period value."""
    pattern: Pattern
    cause: Cause | None
    """None where no cause is asked for."""
    mean: float
    """Of the healthy metric."""
    deviation: float
    """Of the healthy period value."""


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One model history and its truth."""

    truth: Truth
    history: History
    notes: tuple[tuple[int, str], ...] = ()
    """Place of the period, and what people wrote."""

    @property
    def fallen(self) -> Series:
        """The series that the truth is about."""
        return self.history.series[SeriesKey(MODEL, self.truth.metric, self.truth.segment)]
