"""Many series side by side, so that what goes point by point goes through all of them at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from monitor.records import Better, Series
from monitor.statistics.cusum import Sequences

if TYPE_CHECKING:
    from monitor.records import Floats

WIDE = 1_000
"""Series side by side: a call a step for as many costs little more than for one, and what is held of them at once
stays below 50 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """Series of which the same is known."""

    places: NDArray[np.int64]
    """Which of the series each column is."""
    sequences: Sequences
    """Their judged values, so that falls are bad."""
    min_count: float


def sheets(many: Sequence[Series], asked: Sequence[int], min_count: float) -> Iterator[Sheet]:
    """The series of the places `asked`: those whose chance is known apart, those of like length together."""
    kinds: tuple[list[int], list[int]] = ([], [])
    for place in asked:
        one = many[place]
        if len(one):
            kinds[one.proportion and one.support is not None].append(place)
    for shares, places in enumerate(kinds):
        places.sort(key=lambda place: len(many[place]))
        for first in range(0, len(places), WIDE):
            yield _sheet(many, places[first : first + WIDE], min_count, shares=bool(shares))


def _sheet(many: Sequence[Series], places: list[int], min_count: float, *, shares: bool) -> Sheet:
    series = [many[place] for place in places]
    longest = max(map(len, series))
    values = np.full((len(series), longest), np.nan)
    support = values.copy() if any(one.support is not None for one in series) else None
    for row, one in enumerate(series):
        plain = min_count <= 0 and one.provisional is None and _finite(one.values)
        judged = slice(None) if plain else one.judged(min_count)
        own = one.values[judged]
        values[row, : len(own)] = own
        if one.support is not None and support is not None:
            support[row, : len(own)] = one.support[judged]
    signs = np.array([-1.0 if one.better is Better.LOWER else 1.0 for one in series])
    sequences = _sequences(values, support, shares=shares)
    turned = Sequences(*(None if one is None else np.ascontiguousarray(one.T) for one in sequences))  # type: ignore[arg-type]
    return Sheet(np.array(places), turned._replace(values=turned.values * signs), min_count)


def _finite(values: Floats) -> bool:
    return bool(np.isfinite(values).all())


def _sequences(values: Floats, support: Floats | None, *, shares: bool) -> Sequences:
    if support is None:
        return Sequences(values)
    if not shares:
        return Sequences(values, trust=_trust(support))
    known = np.where(support > 0, support, 1.0)  # of an unknown number of cases, one is known
    hits = np.clip(values * known, 0, known)
    return Sequences(np.arcsin(np.sqrt((hits + 0.375) / (known + 0.75))), noise=1 / (4 * known + 2))


def _trust(support: Floats) -> Floats:
    """What a value counts for that rests on fewer cases than those before it did on average."""
    known = np.nan_to_num(support)
    before = np.cumsum(known, axis=1) - known
    usual = before / np.maximum(np.arange(support.shape[1]), 1)
    share = np.divide(known, usual, out=np.ones_like(known), where=usual > 0)
    return np.sqrt(np.minimum(np.where(np.isnan(support), 1.0, share), 1.0))
