"""Measured cells, batch by batch, become one draft a model: nothing but points is kept of what was read."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from monitor.measures.base import Measured
    from monitor.records import Floats, Times

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
