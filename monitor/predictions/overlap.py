"""Which stored periods a run replaces: only those of which it has as many rows and labels, or more.

A part of a log looks like a log whose rows were deleted, so stored periods of which a run has fewer rows are kept.
Periods of so many rows, whose starts depend on all rows before them, are kept or replaced together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from modeltop.core.series import Flags, Times
from modeltop.core.text import sanitize
from modeltop.history.store.computed_format import ComputedHistory, split_column_name
from modeltop.history.store.windowing import Windowing
from modeltop.predictions.completeness import ALL, overall

Note = tuple[str, str]
"""What a run did with stored periods, and why: the sentence before and after them."""
KEPT: Note = "kept", "as stored: this log has fewer of their rows or labels, or none; --replace overwrites them"
REMOVED: Note = "removed", "where no period of this log starts; `compute --undo` restores them"
CHANGED: Note = (
    "replaced",
    "of which this log has as many rows or more, possibly others; `compute --undo` restores them",
)
NARROWED: Note = "kept", "whose reference had more rows: drift and estimates are not comparable; log all of its rows"
BESIDE: Note = "kept", "beside those of this log, which are counted from its first row on: compute all files at once"


@dataclass(frozen=True, slots=True, eq=False)
class Overlap:
    """What of a stored and of a new history counts."""

    base: ComputedHistory | None
    """The stored periods that stay, unless the new ones have the same; None without any."""
    new: ComputedHistory
    """The new periods that are stored."""
    windowing: Windowing
    """That of all of them."""
    notes: tuple[tuple[Note, Times], ...] = ()
    """What is done with stored periods, of which a person must know, and their starts."""


def overlap(
    stored: ComputedHistory | None,
    old: Windowing | None,
    new: ComputedHistory,
    windowing: Windowing,
    *,
    log_span: tuple[np.datetime64, np.datetime64] | None = None,
    overwrites: bool = False,
) -> Overlap:
    """Return what counts of the stored and of the new periods of one model.

    Args:
        stored: The model's computed periods; None without any.
        old: How they were cut; None if it is unknown.
        new: The periods that the run computed, at least one.
        windowing: How these were cut.
        log_span: First and last row of the log, of any model; None: from the first to the last new period.
        overwrites: Whether periods with fewer rows replace stored ones.
    """
    if stored is None or not len(stored):
        return Overlap(None, new, windowing)
    old_times, old_rows, old_labelled = overall(stored)
    times, rows, labelled = overall(new)
    if old is not None and not windowing.is_compatible(old):
        kinds = f"of {sanitize(old, 120)} by those of {sanitize(windowing, 120)}"
        note = "replaced", f"{kinds}; `compute --undo` restores them"
        return Overlap(stored.select(np.zeros(len(stored), np.bool_)), new, windowing, ((note, old_times),))
    windowing = windowing if old is None else windowing.merged_with(old)
    begin, until = log_span or (times[0], times[-1])
    last = max(times[-1], until) if windowing.counts_rows else times[-1]
    in_span = (old_times >= times[0]) & (old_times <= last)
    is_lost = in_span & ~np.isin(old_times, times)
    shared, in_old, in_new = np.intersect1d(old_times, times, return_indices=True)
    if windowing.counts_rows:
        has_less = old_rows[in_span].sum() > rows.sum() or old_labelled[in_span].sum() > labelled.sum() + 0.5
        kept, left_out = (old_times[in_span], times) if has_less else (old_times[:0], times[:0])
    else:
        left_out = shared[(old_rows[in_old] > rows[in_new]) | (old_labelled[in_old] > labelled[in_new] + 0.5)]
        kept = np.union1d(left_out, old_times[is_lost])
    if overwrites:
        kept = left_out = old_times[:0]
    dropped = np.setdiff1d(old_times[is_lost], kept)
    notes = [(KEPT, kept), (REMOVED, dropped)]
    replaced = np.setdiff1d(shared, left_out)
    if old is not None and old.source != windowing.source:
        notes.append((CHANGED, replaced[_differs(stored, new, replaced)]))
    elif old_times[0] < times[0] <= begin and not windowing.counts_rows:
        # A log that lost its oldest rows may have lost some of its first period, and gained others.
        has_grown = (old_times == times[0]) & (old_rows < rows[0])
        notes.append((CHANGED, old_times[has_grown]))
    if old is not None and 0 < windowing.reference_rows < old.reference_rows:
        notes.append((NARROWED, np.setdiff1d(old_times, [*replaced, *dropped])))
    if windowing.counts_rows and times[0] not in old_times and not len(left_out):
        notes.append((BESIDE, old_times[~in_span]))
    base = stored.select(~np.isin(stored.times, dropped))
    new = new.select(~np.isin(new.times, left_out))
    return Overlap(base, new, windowing, tuple((note, times) for note, times in notes if len(times)))


def _differs(stored: ComputedHistory, new: ComputedHistory, times: Times) -> Flags:
    """Return in which periods the two differ, over all rows, in their rows or in a value that both have."""
    names = [name for name in stored.columns.keys() & new.columns.keys() if not split_column_name(name)[1]]
    both = []
    for history in (stored, new):
        rows = history.select((history.segments == ALL) & np.isin(history.times, times))
        rows = rows.select(np.argsort(rows.times))
        both.append((rows.rows, *(rows.columns[name] for name in names)))
    differs: Flags = np.zeros(len(times), np.bool_)
    for left, right in zip(*both, strict=True):
        differs |= ~np.isclose(left, right, rtol=1e-9, atol=1e-12, equal_nan=True)
    return differs
