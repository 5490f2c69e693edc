"""Distributions under a diagnosis: histograms of features that shifted, and the reliability of scores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.text import block_characters, sanitize, truncate
from modeltop_tui.view.state import SnapshotIndex
from modeltop_tui.view.styled_text import Cells, paragraph, wrap

if TYPE_CHECKING:
    from datetime import datetime

    from modeltop.core.diagnosis import Diagnosis, FeatureShift
    from modeltop.core.distribution import Counts, Histogram, ReliabilityCurve

MAX_NAME_WIDTH = 24
MAX_FEATURES = 12
MAX_BINS = 40
SCALE_WIDTH = 11
"""Cells from 0 to 1 on the scale of a reliability curve."""
DISTANCES = {
    "js_distance": "JS distance",
    "psi": "PSI",
    "ks_distance": "KS distance",
    "wasserstein_normed": "Wasserstein distance",
}
OUTPUTS = ("feature=score", "feature=prediction")


def feature_shift_lines(index: SnapshotIndex, diagnosis: Diagnosis, width: int) -> list[Cells]:
    """Return each feature that shifted: the distance, and its histogram in the reference and now.

    Args:
        index: Index of the diagnosed snapshot.
        diagnosis: The diagnosis of one model.
        width: Width of a line in cells.
    """
    distributions, out = index.snapshot.distributions.get(diagnosis.model), list[Cells]()
    for shift in sorted(diagnosis.feature_shifts, key=lambda shift: -shift.after)[:MAX_FEATURES]:
        lead = ((f"  {sanitize(shift.feature, MAX_NAME_WIDTH)}  ", "strong"),)
        out += wrap(_shift_text(shift), width, indent="    ", lead=lead)
        histogram = distributions.histograms.get(shift.feature) if distributions is not None else None
        if histogram is not None:
            out += _histogram_lines(histogram, _started_at(diagnosis), width)
    if len(diagnosis.feature_shifts) > MAX_FEATURES:
        out += paragraph(f"and {len(diagnosis.feature_shifts) - MAX_FEATURES} more", width)
    return out


def _started_at(diagnosis: Diagnosis) -> datetime | None:
    return diagnosis.series_pattern.started_at if diagnosis.series_pattern is not None else None


def _shift_text(shift: FeatureShift) -> str:
    name = DISTANCES.get(shift.metric, sanitize(shift.metric, MAX_NAME_WIDTH))
    text = f"{name} {shift.after:.2f}, before {shift.before:.2f}"
    for kind, pair in (("missing", shift.missing), ("unseen", shift.unseen)):
        text += f", {kind} {_percent_change(*pair)}" if pair is not None else ""
    return text


def _percent_change(before: float, after: float) -> str:
    return f"{100 * before:.0f}→{100 * after:.0f} %"


def _recent_periods(periods: tuple[datetime | None, ...], started_at: datetime | None) -> list[int]:
    dated = [(index, period) for index, period in enumerate(periods) if period is not None]
    recent = [index for index, period in dated if started_at is not None and period >= started_at]
    return recent or [index for index, _ in dated[-1:]]


def _histogram_lines(histogram: Histogram, started_at: datetime | None, width: int) -> list[Cells]:
    indices = _recent_periods(histogram.periods, started_at)
    now = histogram.counts[indices].sum(axis=0) if indices else np.zeros(len(histogram.slots))
    proportions = [_proportions(histogram.reference), _proportions(now)]
    top = max(float(values.max()) for values in proportions)
    notes = (_range_text(histogram), _largest_change(histogram, *proportions))
    lines: list[Cells] = []
    for name, values, note in zip(("reference", "now"), proportions, notes, strict=True):
        shown = values[: len(histogram.slots) - 2].tolist()[:MAX_BINS]
        blocks = block_characters([value or np.inf for value in shown], 0.0, top)
        line = truncate(f"    {name:<9} {blocks}  {note}", width)
        lines.append(((line, ""),))
    return lines


def _proportions(counts: Counts) -> Counts:
    total = float(counts.sum())
    return counts / total if total > 0 else counts * 0.0


def _range_text(histogram: Histogram) -> str:
    if histogram.edges is None:
        return " ".join(sanitize(slot, MAX_NAME_WIDTH) for slot in histogram.slots[:-2])
    inner = [end for pair in histogram.edges for end in pair if np.isfinite(end)]
    return f"{_format_number(min(inner))} to {_format_number(max(inner))}" if inner else ""


def _format_number(value: float) -> str:
    return f"{value:.4g}"


def _largest_change(histogram: Histogram, before: Counts, after: Counts) -> str:
    if not len(before):
        return ""
    at = int(np.argmax(np.abs(after - before)))
    return f"{_slot_label(histogram, at)}: {_percent_change(float(before[at]), float(after[at]))}"


def _slot_label(histogram: Histogram, at: int) -> str:
    if histogram.edges is None or at >= len(histogram.edges):
        return sanitize(histogram.slots[at], MAX_NAME_WIDTH)
    low, high = histogram.edges[at]
    if not np.isfinite(low):
        return f"up to {_format_number(high)}"
    if not np.isfinite(high):
        return f"over {_format_number(low)}"
    return f"{_format_number(low)} to {_format_number(high)}"


def reliability_lines(index: SnapshotIndex, diagnosis: Diagnosis, width: int) -> list[Cells]:
    """Return the reliability curve since the change: mean score beside the observed rate, by group of scores.

    Args:
        index: Index of the diagnosed snapshot.
        diagnosis: The diagnosis of one model.
        width: Width of a line in cells.
    """
    distributions = index.snapshot.distributions.get(diagnosis.model)
    curve = distributions.reliability if distributions is not None else None
    lines = list(_curve_rows(curve, _started_at(diagnosis))) if curve is not None else []
    if curve is None or not lines:
        return paragraph("no labeled rows in the newest periods", width)
    name, scale = truncate(sanitize(curve.name, MAX_NAME_WIDTH), 11), f"0{'1':>{SCALE_WIDTH - 1}}"
    head = f"  {name:<11}  {'mean':>6}  {'came true':>9}  {'rows':>8}  {scale}"
    legend = paragraph("│ is the mean score, × how often it came true; one × alone: they agree", width)
    return [((truncate(head, width), "dim"),), *(((truncate(line, width), ""),) for line in lines), *legend]


def _curve_rows(curve: ReliabilityCurve, started_at: datetime | None) -> Iterator[str]:
    indices = _recent_periods(curve.periods, started_at)
    rows = curve.rows[indices]
    total = rows.sum(axis=0)
    filled = np.where(rows > 0, rows, 0.0)
    scores = (np.nan_to_num(curve.score[indices]) * filled).sum(axis=0)
    rates = (np.nan_to_num(curve.rate[indices]) * filled).sum(axis=0)
    groups = len(total)
    for at in np.flatnonzero(total > 0).tolist():
        score, rate = float(scores[at] / total[at]), float(rates[at] / total[at])
        interval = f"{at / groups:.2f}-{(at + 1) / groups:.2f}"
        yield f"  {interval:<11}  {score:>6.3f}  {rate:>9.3f}  {total[at]:>8.0f}  {_scale(score, rate)}"


def _scale(score: float, rate: float) -> str:
    characters = ["·"] * SCALE_WIDTH
    for value, character in ((score, "│"), (rate, "×")):
        characters[max(0, min(round(value * (SCALE_WIDTH - 1)), SCALE_WIDTH - 1))] = character
    return "".join(characters)
