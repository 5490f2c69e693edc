"""Measured cells, batch by batch, become one draft a model: nothing but points is kept of what was read."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from modeltop.history.store.computed_format import Sheet
from modeltop.predictions.completeness import Labels, complete
from modeltop.rules.label_coverage import COVERAGE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modeltop.core.series import Floats, Times
    from modeltop.predictions.metrics.base import Measured

if TYPE_CHECKING:
    from modeltop.core.series import Flags, Floats, Times


COMPANIONS = (("", "value"), ("_count", "support"), ("_low", "low"), ("_high", "high"))
"""Which column each part of a measurement goes to."""


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """Points of one model, before it is known which of its periods are complete. Arrays have one entry a row."""

    model: str
    times: Times
    """Period starts, UTC."""
    segments: NDArray[np.object_]
    rows: Floats
    columns: Mapping[str, Floats]
    """A metric, or its `_count`, `_low`, `_high`."""


def columns_of(measured: Mapping[str, Measured]) -> dict[str, Floats]:
    """The columns of a file that measurements fill; what belongs to an undefined value is undefined with it."""
    found: dict[str, Floats] = {}
    for name, one in measured.items():
        blank = np.isnan(one.value)
        for suffix, part in COMPANIONS:
            found[name + suffix] = np.where(blank, np.nan, getattr(one, part))
    return found


class Gatherer:
    """Puts the batches of one reading together, one model after the other.

    Cells come ordered by model, so a model is complete when the next one begins.
    """

    def __init__(self) -> None:
        self._model: str | None = None
        self._parts: list[Draft] = []

    def add(self, part: Draft) -> Iterator[Draft]:
        """Take rows of one model in; gives the draft of the model before, if this is another."""
        if self._model is not None and part.model != self._model:
            yield from self.rest()
        self._model = part.model
        self._parts.append(part)

    def rest(self) -> Iterator[Draft]:
        """The draft of the model that is being gathered."""
        if self._parts:
            yield joined(self._parts)
        self._model, self._parts = None, []


def by_model(
    model: NDArray[np.object_], times: Times, segments: NDArray[np.object_], rows: Floats, columns: Mapping[str, Floats]
) -> Iterator[Draft]:
    """The rows of one batch, which is ordered by model, as one draft a model."""
    starts = [0, *(np.flatnonzero(model[1:] != model[:-1]) + 1).tolist(), len(model)]
    for begin, end in itertools.pairwise(starts):
        if end > begin:
            part = slice(begin, end)
            cut = {name: column[part] for name, column in columns.items()}
            yield Draft(str(model[begin]), times[part], segments[part], rows[part], cut)


def joined(parts: Sequence[Draft]) -> Draft:
    """Parts of one model as one; NaN where a part lacks a column that another has."""
    if len(parts) == 1:
        return parts[0]
    names = dict.fromkeys(name for part in parts for name in part.columns)
    return Draft(
        parts[0].model,
        np.concatenate([part.times for part in parts]),
        np.concatenate([part.segments for part in parts]),
        np.concatenate([part.rows for part in parts]),
        {name: np.concatenate([_column(part, name) for part in parts]) for name in names},
    )


def _column(part: Draft, name: str) -> Floats:
    column = part.columns.get(name)
    return np.full(len(part.times), np.nan) if column is None else column


ALL = "all"


@dataclass(frozen=True, slots=True, eq=False)
class Periods:
    """What is known of one model's periods, sorted by their starts; all arrays have one entry a period."""

    times: Times
    over: Flags
    complete: Flags

    def flags(self, times: Times) -> tuple[Flags, Flags]:
        """For rows of these times: whether the period still runs, and whether it, or its labels, are to be waited for.

        A period that nothing is known of is complete.
        """
        place = np.searchsorted(self.times, times)
        known = place < len(self.times)
        place = np.where(known, place, 0)
        known &= self.times[place] == times if len(self.times) else False
        return known & ~self.over[place], known & ~self.complete[place]


def periods_of(
    draft: Draft,
    ends: Callable[[Times, Floats], Times],
    *,
    now: np.datetime64,
    delay: np.timedelta64 | None = None,
    before: Sheet | None = None,
) -> Periods:
    """Which of a model's periods are over and have their labels.

    Args:
        draft: Of the model; the rows of its segment `all` count.
        ends: From the starts of periods, sorted, and their rows to their ends; NaT where one has none.
        now: UTC.
        delay: Time after which labels are not waited for; None: seen from the coverage.
        before: What was computed of the model earlier: its older periods say what is usual.
    """
    times, rows, labelled = _whole(draft.times, draft.segments, draft.rows, draft.columns)
    if before is not None and len(times):
        old = _whole(before.times, before.segments, before.rows, before.columns)
        older = old[0] < times[0]
        times, rows, labelled = (
            np.concatenate([one[older], other]) for one, other in zip(old, (times, rows, labelled), strict=True)
        )
    ended = ends(times, rows)
    over = ~(ended > now)
    if COVERAGE not in draft.columns:
        return Periods(times, over, over)
    return Periods(times, over, complete(Labels(ended, rows, labelled), now, delay))


def _whole(
    times: Times, segments: np.ndarray, rows: Floats, columns: Mapping[str, Floats]
) -> tuple[Times, Floats, Floats]:
    """Times, rows and labelled rows of the segment `all`, sorted."""
    at = np.flatnonzero(segments == ALL)
    at = at[np.argsort(times[at], kind="stable")]
    coverage = columns.get(COVERAGE, np.zeros(len(times)))[at]
    count = rows[at]
    return times[at], count, np.nan_to_num(coverage * count)


def finished(draft: Draft, periods: Periods) -> Sheet:
    """The rows of the store."""
    running, waiting = periods.flags(draft.times)
    return Sheet(draft.model, draft.times, draft.segments, draft.rows, running, waiting, draft.columns)
