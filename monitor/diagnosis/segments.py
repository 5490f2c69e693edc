"""Decomposition of the change of a mean over cases, L = Σ s·l over segments (Kitagawa 1955, JASA 50).

Within: s after × change of l; mix: change of s × how far l was from L before. They sum up to the change exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from modeltop.core.diagnosis import BeforeAfter, SegmentContribution
from modeltop.core.series import MAX_SEGMENTS, Series, segment_column
from modeltop.diagnosis.before_after import BeforeAfterWindows, compare


@dataclass(frozen=True, slots=True)
class Segmentation:
    """All rows, segmented by one column, such as country."""

    column: str
    """Foreign text."""
    contributions: tuple[SegmentContribution, ...]
    """Largest contribution in the direction of the change first."""
    before_after: Mapping[str, BeforeAfter] = field(default_factory=dict)
    """Change of the metric in each segment, by its name."""


def decompose(series: Iterable[Series], windows: BeforeAfterWindows) -> tuple[Segmentation, ...]:
    """Decompose the change of one metric, a mean over its support, column by column."""
    by_column: dict[str, list[Series]] = {}
    for segment_series in series:
        column = segment_column(segment_series.key.segment)
        if column is not None and segment_series.support is not None:
            by_column.setdefault(column, []).append(segment_series)
    segmentations = (_decompose_column(column, segments, windows) for column, segments in by_column.items())
    return tuple(segmentation for segmentation in segmentations if segmentation is not None)


def _decompose_column(column: str, segments: list[Series], windows: BeforeAfterWindows) -> Segmentation | None:
    if not 2 <= len(segments) <= MAX_SEGMENTS:
        return None
    indices = [(windows.before_indices(series), windows.after_indices(series)) for series in segments]
    sums = np.array(
        [[_case_sums(series, rows) for rows in pair] for series, pair in zip(segments, indices, strict=True)]
    )
    cases, weighted = sums[:, :, 0], sums[:, :, 1]
    totals = cases.sum(axis=0)
    if not (totals > 0).all():
        return None
    proportions = cases / totals
    overall = float(weighted[:, 0].sum() / totals[0])
    # A segment that was not there before is compared with all rows of before.
    level = np.where(cases > 0, weighted / np.maximum(cases, 1e-12), overall)
    within = proportions[:, 1] * (level[:, 1] - level[:, 0])
    mix = (proportions[:, 1] - proportions[:, 0]) * (level[:, 0] - overall)
    contributions = [
        SegmentContribution(series.key.segment, (s0, s1), (l0, l1), change_within, change_mix)
        for series, (s0, s1), (l0, l1), change_within, change_mix in zip(
            segments, proportions.tolist(), level.tolist(), within.tolist(), mix.tolist(), strict=True
        )
    ]
    sign = -1.0 if (within + mix).sum() < 0 else 1.0
    contributions.sort(key=lambda contribution: -sign * contribution.total)
    changes = (compare(series, windows) for series in segments)
    return Segmentation(column, tuple(contributions), {change.key.segment: change for change in changes if change})


def _case_sums(series: Series, indices: np.ndarray) -> tuple[float, float]:
    assert series.support is not None, "series without support are skipped"
    support, values = series.support[indices], series.values[indices]
    finite = np.isfinite(support)
    return float(support[finite].sum()), float((support[finite] * values[finite]).sum())
