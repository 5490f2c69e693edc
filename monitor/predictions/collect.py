"""Measured cells, batch by batch, become one draft a model: nothing but points is kept of what was read."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.metrics.registry import LABEL_COVERAGE
from modeltop.history.store.computed_format import ComputedHistory
from modeltop.predictions.completeness import LabelCounts, labels_complete

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from modeltop.core.series import Floats, Times
    from modeltop.predictions.metrics.base import MetricValues

if TYPE_CHECKING:
    from modeltop.core.series import Flags, Floats, Times


MEASURE_SUFFIXES = (("", "value"), ("_count", "support"), ("_low", "low"), ("_high", "high"))
"""Which column each part of a measurement goes to."""


@dataclass(frozen=True, slots=True, eq=False)
class PeriodBuffer:
    """Points of one model, before it is known which of its periods are complete. Arrays have one entry a row."""

    model: str
    times: Times
    """Period starts, UTC."""
    segments: NDArray[np.object_]
    rows: Floats
    columns: Mapping[str, Floats]
    """A metric, or its `_count`, `_low`, `_high`."""


def to_columns(measured: Mapping[str, MetricValues]) -> dict[str, Floats]:
    """The columns of a file that measurements fill; what belongs to an undefined value is undefined with it."""
    found: dict[str, Floats] = {}
    for name, one in measured.items():
        blank = np.isnan(one.value)
        for suffix, part in MEASURE_SUFFIXES:
            found[name + suffix] = np.where(blank, np.nan, getattr(one, part))
    return found


class PeriodCollector:
    """Puts the batches of one reading together, one model after the other.

    Cells come ordered by model, so a model is complete when the next one begins.
    """

    def __init__(self) -> None:
        self._model: str | None = None
        self._parts: list[PeriodBuffer] = []

    def add(self, part: PeriodBuffer) -> Iterator[PeriodBuffer]:
        """Take rows of one model in; gives the draft of the model before, if this is another."""
        if self._model is not None and part.model != self._model:
            yield from self.flush()
        self._model = part.model
        self._parts.append(part)

    def flush(self) -> Iterator[PeriodBuffer]:
        """The draft of the model that is being gathered."""
        if self._parts:
            yield concat_buffers(self._parts)
        self._model, self._parts = None, []


def split_by_model(
    model: NDArray[np.object_], times: Times, segments: NDArray[np.object_], rows: Floats, columns: Mapping[str, Floats]
) -> Iterator[PeriodBuffer]:
    """The rows of one batch, which is ordered by model, as one draft a model."""
    starts = [0, *(np.flatnonzero(model[1:] != model[:-1]) + 1).tolist(), len(model)]
    for begin, end in itertools.pairwise(starts):
        if end > begin:
            part = slice(begin, end)
            cut = {name: column[part] for name, column in columns.items()}
            yield PeriodBuffer(str(model[begin]), times[part], segments[part], rows[part], cut)


def concat_buffers(parts: Sequence[PeriodBuffer]) -> PeriodBuffer:
    """Parts of one model as one; NaN where a part lacks a column that another has."""
    if len(parts) == 1:
        return parts[0]
    names = dict.fromkeys(name for part in parts for name in part.columns)
    return PeriodBuffer(
        parts[0].model,
        np.concatenate([part.times for part in parts]),
        np.concatenate([part.segments for part in parts]),
        np.concatenate([part.rows for part in parts]),
        {name: np.concatenate([_column(part, name) for part in parts]) for name in names},
    )


def _column(part: PeriodBuffer, name: str) -> Floats:
    column = part.columns.get(name)
    return np.full(len(part.times), np.nan) if column is None else column


ALL = "all"


@dataclass(frozen=True, slots=True, eq=False)
class PeriodFlags:
    """What is known of one model's periods, sorted by their starts; all arrays have one entry a period."""

    times: Times
    ended: Flags
    complete: Flags

    def for_rows(self, times: Times) -> tuple[Flags, Flags]:
        """For rows of these times: whether the period still runs, and whether it, or its labels, are to be waited for.

        A period that nothing is known of is complete.
        """
        place = np.searchsorted(self.times, times)
        known = place < len(self.times)
        place = np.where(known, place, 0)
        known &= self.times[place] == times if len(self.times) else False
        return known & ~self.ended[place], known & ~self.complete[place]


def period_flags(
    draft: PeriodBuffer,
    ends: Callable[[Times, Floats], Times],
    *,
    now: np.datetime64,
    delay: np.timedelta64 | None = None,
    before: ComputedHistory | None = None,
) -> PeriodFlags:
    """Which of a model's periods are over and have their labels.

    Args:
        draft: Of the model; the rows of its segment `all` count.
        ends: From the starts of periods, sorted, and their rows to their ends; NaT where one has none.
        now: UTC.
        delay: Time after which labels are not waited for; None: seen from the coverage.
        before: What was computed of the model earlier: its older periods say what is usual.
    """
    times, rows, labelled = _overall(draft.times, draft.segments, draft.rows, draft.columns)
    if before is not None and len(times):
        old = _overall(before.times, before.segments, before.rows, before.columns)
        older = old[0] < times[0]
        times, rows, labelled = (
            np.concatenate([one[older], other]) for one, other in zip(old, (times, rows, labelled), strict=True)
        )
    ended = ends(times, rows)
    over = ~(ended > now)
    if LABEL_COVERAGE not in draft.columns:
        return PeriodFlags(times, over, over)
    return PeriodFlags(times, over, labels_complete(LabelCounts(ended, rows, labelled), now, delay))


def _overall(
    times: Times, segments: np.ndarray, rows: Floats, columns: Mapping[str, Floats]
) -> tuple[Times, Floats, Floats]:
    """Times, rows and labelled rows of the segment `all`, sorted."""
    at = np.flatnonzero(segments == ALL)
    at = at[np.argsort(times[at], kind="stable")]
    coverage = columns.get(LABEL_COVERAGE, np.zeros(len(times)))[at]
    count = rows[at]
    return times[at], count, np.nan_to_num(coverage * count)


def to_computed_history(draft: PeriodBuffer, periods: PeriodFlags) -> ComputedHistory:
    """The rows of the store."""
    running, waiting = periods.for_rows(draft.times)
    return ComputedHistory(draft.model, draft.times, draft.segments, draft.rows, running, waiting, draft.columns)
