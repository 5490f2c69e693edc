"""What each segment adds to the change of the whole.

The whole is the mean of its segments, weighted by their cases: L = Σ s·l. Its change is taken apart into what the
segments themselves did (within: s after × change of l) and what their shares did (mix: change of s × how far the
segment lay from the whole before), as Kitagawa did for rates (1955, JASA 50); the two sum up to the change exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from modeltop.core.diagnosis import BeforeAfter, SegmentContribution
from modeltop.core.series import Series
from modeltop.diagnosis.before_after import BeforeAfterWindows, compare

MAX_SEGMENTS = 200
"""Segments of a cut; beyond, none alone says much."""
NON_SEGMENT_PREFIXES = ("feature=", "class=")


@dataclass(frozen=True, slots=True)
class Segmentation:
    """One way to divide all rows, such as by country."""

    name: str
    """The column: foreign text."""
    contributions: tuple[SegmentContribution, ...]
    """Largest contribution in the direction of the change first."""
    before_after: Mapping[str, BeforeAfter] = field(default_factory=dict)
    """By segment, how surely it moved itself."""


def segment_column(segment: str) -> str | None:
    """The column that the segment is cut by; None for one that is not part of a cut."""
    if segment == "all" or segment.startswith(NON_SEGMENT_PREFIXES):
        return None
    column, sign, _ = segment.partition("=")
    return column if sign else ""


def decompose(series: Iterable[Series], span: BeforeAfterWindows) -> tuple[Segmentation, ...]:
    """Take the change of one metric apart, cut by cut.

    Args:
        series: Of one metric that is a mean over its support, over all segments; others are passed over.
        span: What is compared.
    """
    by_cut: dict[str, list[Series]] = {}
    for one in series:
        name = segment_column(one.key.segment)
        if name is not None and one.support is not None:
            by_cut.setdefault(name, []).append(one)
    return tuple(cut for name, parts in by_cut.items() if (cut := _cut(name, parts, span)) is not None)


def _cut(name: str, parts: list[Series], span: BeforeAfterWindows) -> Segmentation | None:
    if not 2 <= len(parts) <= MAX_SEGMENTS:
        return None
    cases = np.array([[_sum(one, at) for at in _stretches(one, span)] for one in parts])
    totals = cases[:, :, 0].sum(axis=0)
    if not (totals > 0).all():
        return None
    share = cases[:, :, 0] / totals
    whole = float(cases[:, 0, 1].sum() / totals[0])
    # A segment that was not there before is compared with the whole of before.
    level = np.where(cases[..., 0] > 0, cases[..., 1] / np.maximum(cases[..., 0], 1e-12), whole)
    within = share[:, 1] * (level[:, 1] - level[:, 0])
    mix = (share[:, 1] - share[:, 0]) * (level[:, 0] - whole)
    made = [
        SegmentContribution(
            one.key.segment,
            (float(share[place, 0]), float(share[place, 1])),
            (float(level[place, 0]), float(level[place, 1])),
            float(within[place]),
            float(mix[place]),
        )
        for place, one in enumerate(parts)
    ]
    sign = -1.0 if (within + mix).sum() < 0 else 1.0
    readings = {one.key.segment: found for one in parts if (found := compare(one, span)) is not None}
    return Segmentation(name, tuple(sorted(made, key=lambda part: -sign * part.total)), readings)


def _stretches(one: Series, span: BeforeAfterWindows) -> tuple[np.ndarray, np.ndarray]:
    return span.before_indices(one), span.after_indices(one)


def _sum(one: Series, at: np.ndarray) -> tuple[float, float]:
    """Cases of the periods, and the sum of what they rest on times the value."""
    assert one.support is not None, "asked of a series with support"
    support = one.support[at]
    known = np.isfinite(support)
    return float(support[known].sum()), float((support[known] * one.values[at][known]).sum())
