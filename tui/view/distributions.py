"""What lies under the numbers: histograms of the features that moved, and how reliable scores are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.text import sanitize, truncate
from modeltop_tui.view.diagnosis_tables import missing_lines
from modeltop_tui.view.state import SnapshotIndex
from modeltop_tui.view.styled_text import Cells, block_characters, wrap

if TYPE_CHECKING:
    from datetime import datetime

    from modeltop.core.diagnosis import Diagnosis, FeatureShift
    from modeltop.core.distribution import Counts, Distributions, Histogram, ReliabilityCurve

NAME = 24
MAX_FEATURES = 12
"""Features that are drawn; the rest is counted."""
BARS, BINS = 40, 20
"""Most cells of a histogram, and most of its bins."""
ROUNDING_TOLERANCE = 1e-9
"""A share that is dust of rounding."""
SCALE = 11
"""Cells from 0 to 1 on the scale of a reliability curve."""
DISTANCES = {
    "js_distance": "JS distance",
    "psi": "PSI",
    "ks_distance": "KS distance",
    "wasserstein_normed": "Wasserstein distance",
}
OUTPUTS = ("feature=score", "feature=prediction")


def feature_shift_lines(known: SnapshotIndex, found: Diagnosis, cells_wide: int) -> list[Cells]:
    """Each feature that moved: how far, and its histogram in the reference and now."""
    if not found.feature_shifts:
        segments = {key.segment for key in known.series_keys(found.model) if key.segment.startswith("feature=")}
        logged = len(segments.difference(OUTPUTS))
        none = "no features logged: `modeltop compute --feature all` measures how they move"
        return missing_lines(f"none of {logged} moved" if logged else none, cells_wide)
    exhibits, out = _exhibits(known, found), list[Cells]()
    for one in sorted(found.feature_shifts, key=lambda each: -each.after)[:MAX_FEATURES]:
        out += wrap(
            _moved_words(one), cells_wide, indent="    ", lead=((f"  {sanitize(one.feature, NAME)}  ", "strong"),)
        )
        drawn = exhibits.histograms.get(one.feature) if exhibits is not None else None
        if drawn is not None:
            out += histogram_lines(drawn, _begin(found), cells_wide)
    if len(found.feature_shifts) > MAX_FEATURES:
        out += missing_lines(f"and {len(found.feature_shifts) - MAX_FEATURES} more", cells_wide)
    return out


def _exhibits(known: SnapshotIndex, found: Diagnosis) -> Distributions | None:
    return known.snapshot.distributions.get(found.model)


def _begin(found: Diagnosis) -> datetime | None:
    return found.series_pattern.started_at if found.series_pattern is not None else None


def _moved_words(one: FeatureShift) -> str:
    text = f"{DISTANCES.get(one.metric, sanitize(one.metric, NAME))} {one.after:.2f}, before {one.before:.2f}"
    for name, pair in (("missing", one.missing), ("unseen", one.unseen)):
        text += f", {name} {_percents(*pair)}" if pair is not None else ""
    return text


def _percents(before: float, after: float) -> str:
    return f"{100 * before:.0f}→{100 * after:.0f} %"


def _newest(periods: tuple[datetime | None, ...], begin: datetime | None) -> list[int]:
    """Places of the periods since the change began; the newest one where none is, or no begin is known."""
    known = [at for at, period in enumerate(periods) if period is not None]
    since = [at for at in known if begin is not None and (start := periods[at]) is not None and start >= begin]
    return since or known[-1:]


def histogram_lines(drawn: Histogram, begin: datetime | None, cells_wide: int) -> list[Cells]:
    """Two rows of blocks on one scale, over the same bins; beside them what the bins are, and what changed most."""
    places = _newest(drawn.periods, begin)
    now = drawn.counts[places].sum(axis=0) if places else np.zeros(len(drawn.slots))
    shares = [_shares(drawn.reference), _shares(now)]
    bars = [_binned(drawn, each, min(BINS, max(1, cells_wide - 8))) for each in shares]
    top = max((float(each.max()) for each in bars if len(each)), default=0.0)
    wide = max(1, min(4, (cells_wide - 8) // max(1, len(bars[0])), BARS // max(1, len(bars[0]))))
    notes = (_extent(drawn), _largest(drawn, *shares))
    lines: list[Cells] = []
    for name, values, note in zip(("ref", "now"), bars, notes, strict=True):
        text = "".join(sign * wide for sign in _bars(values, top))
        line = ((f"    {name} ", "dim"), (text, ""))
        left = cells_wide - 8 - len(text) - 2
        lines.append((*line, (f"  {truncate(note, left)}", "dim")) if left >= 8 else line)
    return lines


def _shares(counts: Counts) -> Counts:
    total = float(counts.sum())
    return counts / total if total > 0 else counts * 0.0


def _binned(drawn: Histogram, shares: Counts, most: int) -> Counts:
    """Shares by bins of equal width, at most so many; by category where there are no edges.

    The bins of the reference hold equal shares, so their own heights would show no shape. What lies in one is taken to
    be spread evenly over it. Bins without an end stand by themselves, before and behind the others.
    """
    values = shares[: len(drawn.slots) - 2]
    if drawn.edges is None or not len(values):
        return values[:most]
    edges = np.array(drawn.edges[: len(values)])
    low, high = edges[:, 0], edges[:, 1]
    inner = np.isfinite(low) & np.isfinite(high)
    if not inner.any() or low[inner].min() >= high[inner].max():
        return values[:most]
    filled = int(np.count_nonzero(drawn.reference[: len(values)][inner]))
    evenly = _spread(values[inner], low[inner], high[inner], max(2, min(most - 2, filled)))
    return np.concatenate([values[np.isneginf(low)], evenly, values[np.isposinf(high) & ~np.isneginf(low)]])


def _spread(values: Counts, low: Counts, high: Counts, count: int) -> Counts:
    """What falls into `count` bins of equal width; a bin without a width lies where it begins."""
    steps = np.linspace(low.min(), high.max(), count + 1)
    widths = np.maximum(high - low, (steps[-1] - steps[0]) * ROUNDING_TOLERANCE)
    below = np.clip((steps[1:-1, None] - low[None, :]) / widths[None, :], 0.0, 1.0)
    cumulated = np.concatenate([[0.0], below @ values, [float(values.sum())]])
    spread: Counts = np.diff(cumulated)
    return np.where(spread > ROUNDING_TOLERANCE, spread, 0.0)


def _bars(values: Counts, top: float) -> str:
    """Blocks from 0 on; nothing where there is nothing."""
    drawn = block_characters(values.tolist(), 0.0, top)
    return "".join(sign if value > 0 else " " for sign, value in zip(drawn, values.tolist(), strict=True))


def _extent(drawn: Histogram) -> str:
    if drawn.edges is None:
        return " ".join(sanitize(slot, NAME) for slot in drawn.slots[:-2])
    inner = [end for pair in drawn.edges for end in pair if np.isfinite(end)]
    return f"{_number(min(inner))} to {_number(max(inner))}" if inner else ""


def _number(value: float) -> str:
    return f"{value:.4g}"


def _largest(drawn: Histogram, before: Counts, after: Counts) -> str:
    """The slot whose share changed most."""
    if not len(before):
        return ""
    at = int(np.argmax(np.abs(after - before)))
    return f"{_slot(drawn, at)}: {_percents(float(before[at]), float(after[at]))}"


def _slot(drawn: Histogram, at: int) -> str:
    if drawn.edges is None or at >= len(drawn.edges):
        return sanitize(drawn.slots[at], NAME)
    low, high = drawn.edges[at]
    if not np.isfinite(low):
        return f"up to {_number(high)}"
    return f"over {_number(low)}" if not np.isfinite(high) else f"{_number(low)} to {_number(high)}"


def reliability_lines(known: SnapshotIndex, found: Diagnosis, cells_wide: int) -> list[Cells]:
    """How often what was scored came true, since the change began."""
    exhibits = _exhibits(known, found)
    curve = exhibits.reliability if exhibits is not None else None
    if curve is None:
        return missing_lines("no curve kept: `modeltop compute --score COLUMN` keeps one", cells_wide)
    lines = list(_curve(curve, _begin(found)))
    if not lines:
        return missing_lines("no labelled rows in the newest periods", cells_wide)
    head = f"  {truncate(sanitize(curve.name, NAME), 11):<11}  {'mean':>6}  {'came true':>9}  {'rows':>8}  0{'1':>{SCALE - 1}}"
    legend = missing_lines("│ is the mean score, × how often it came true; where × stands alone they agree", cells_wide)
    return [((truncate(head, cells_wide), "dim"),), *(((truncate(line, cells_wide), ""),) for line in lines), *legend]


def _curve(curve: ReliabilityCurve, begin: datetime | None) -> Iterator[str]:
    places = _newest(curve.periods, begin)
    rows = curve.rows[places]
    total = rows.sum(axis=0)
    filled = np.where(rows > 0, rows, 0.0)
    scores = (np.nan_to_num(curve.score[places]) * filled).sum(axis=0)
    rates = (np.nan_to_num(curve.rate[places]) * filled).sum(axis=0)
    groups = len(total)
    for at in np.flatnonzero(total > 0).tolist():
        score, rate = float(scores[at] / total[at]), float(rates[at] / total[at])
        ends = f"{at / groups:.2f}-{(at + 1) / groups:.2f}"
        yield f"  {ends:<11}  {score:>6.3f}  {rate:>9.3f}  {total[at]:>8.0f}  {_scale(score, rate)}"


def _scale(score: float, rate: float) -> str:
    """Both on a scale from 0 to 1: where they should be the same, and how far they are apart."""
    signs = ["·"] * SCALE
    for value, sign in ((score, "│"), (rate, "×")):
        signs[max(0, min(round(value * (SCALE - 1)), SCALE - 1))] = sign
    return "".join(signs)
