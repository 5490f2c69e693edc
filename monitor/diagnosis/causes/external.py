"""Causes around the model: a release, a price list, a market, or one segment alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from modeltop.core.diagnosis import ROW_COUNT, Cause, CauseHypothesis
from modeltop.core.incident import Note
from modeltop.core.metrics.phrases import format_change, safe_name
from modeltop.core.series import Direction
from modeltop.core.stats.spacing import period_unit
from modeltop.core.text import format_day, format_percent, per_unit, sanitize
from modeltop.diagnosis.causes.base import EvidenceItem, cause, combine_evidence
from modeltop.diagnosis.observations import Observations
from modeltop.diagnosis.signals import MIN_DOMINANT_SHARE, dominant_segment, dominant_share, moved_output

RELEASE = re.compile(r"(releas|deploy|roll(ed|ing)?[ -]?out|upgrad)\w*\b.*\b(model|v?\d+\.\d[\w.]*)\b", re.IGNORECASE)
"""A text that can only be about a release: it starts with the word, and names a model or a version."""
FREQUENT_RELEASE = 0.4
"""Strength of a new version near the onset where new ones are so frequent that one would be near by chance."""
MAX_NOTE = 40
"""Cells of a note, which fits in a sentence then."""


def named_versions(observations: Observations) -> list[Note]:
    """Return the versions that the history itself names as new near the onset, the newest first."""
    return [note for note in reversed(observations.notes) if not note.by]


def release_notes(observations: Observations) -> list[Note]:
    """Return the notes of releases near the onset, marked ones first."""
    notes = (note for note in observations.notes if note.is_release or not note.by or RELEASE.match(note.text))
    return sorted(notes, key=lambda note: not note.is_release)


def release_evidence(observations: Observations, strength: float, *, marked: float | None = None) -> list[EvidenceItem]:
    """Return that a release is noted; `marked` is the strength where a person, or the history, marks it as one."""
    return [
        EvidenceItem(
            marked if note.is_release and marked else strength if note.by else FREQUENT_RELEASE,
            _describe_note(observations, note),
        )
        for note in release_notes(observations)[:1]
    ]


def _describe_note(observations: Observations, note: Note) -> str:
    if not note.by:
        return f"{sanitize(note.text, MAX_NOTE)} since {format_day(note.at, observations.context.now)}"
    is_near = observations.is_near_onset(note)
    when = "noted" if is_near else f"noted for {format_day(note.at, observations.context.now)}"
    return f"{when}: {sanitize(note.text, MAX_NOTE)}"


@cause
def business(observations: Observations) -> CauseHypothesis | None:
    """Weigh whether people noted something for that day, a segment is new, or there are many more rows."""
    if observations.focus is None:
        return None
    return combine_evidence(Cause.BUSINESS, _business_changes(observations))


def _business_changes(observations: Observations) -> Iterator[EvidenceItem]:
    releases = release_notes(observations) if observations.is_sudden else ()
    for note in [note for note in observations.notes if note.by and note not in releases][:2]:
        strength = 0.85 if observations.is_sudden and observations.is_near_onset(note) else 0.5
        yield EvidenceItem(strength, _describe_note(observations, note))
    loss = observations.loss(observations.focus)
    change = -loss if observations.metric.better is Direction.HIGHER else loss
    totals = {contribution.segment: contribution.total for contribution in reversed(observations.contributions)}
    for segment in observations.new_segments[:2]:
        contribution = totals[segment] / change if segment in totals and change else 0.0
        if contribution >= MIN_DOMINANT_SHARE:
            text = f"{safe_name(segment)} is new, {format_percent(min(1.0, contribution))} of the change"
            yield EvidenceItem(0.85, text)
        else:
            yield EvidenceItem(0.5, f"{safe_name(segment)} is new since then")
    rows = observations.before_after.get(ROW_COUNT)
    if observations.series is not None and rows is not None and rows.is_significant and rows.after > 1.5 * rows.before:
        unit = per_unit(period_unit(observations.series))
        yield EvidenceItem(0.35, f"rows rose {rows.before:,.0f}→{rows.after:,.0f} {unit}")


@cause
def segment(observations: Observations) -> CauseHypothesis | None:
    """Weigh whether one segment alone fell, and makes most of the fall."""
    dominant, dominated = dominant_segment(observations), dominant_share(observations)
    if dominant is None or dominated is None:
        return None
    segmentation, contribution = dominant
    levels = format_change(observations.metric, *contribution.level)
    share = format_percent(contribution.share[1])
    others = f"the other segments of {safe_name(segmentation.column) or 'this column'} are as before"
    fall = f"{safe_name(contribution.segment)} {levels}, {format_percent(dominated.ratio)} of the change"
    pro = [EvidenceItem(0.8, fall), EvidenceItem(0.3, f"{share} of the rows; {others}")]
    return combine_evidence(Cause.SEGMENT, pro, _beyond_segment(observations))


def _beyond_segment(observations: Observations) -> Iterator[EvidenceItem]:
    shifts = observations.feature_shifts
    if observations.is_within_noise:
        yield EvidenceItem(0.5, "over all rows the difference is not significant")
    if shifts.shifted:
        yield EvidenceItem(0.4, f"{len(shifts.shifted)} of {shifts.feature_count} features of all rows shifted")
    changes = observations.before_after
    positives, labels = changes.get("positive_rate"), changes.get("label_rate")
    if positives is not None and positives.is_significant and not (labels is not None and labels.is_significant):
        yield EvidenceItem(0.5, f"positive predictions of all rows {positives.direction}")
    if (moved := moved_output(observations)) is not None:
        yield EvidenceItem(0.4, f"{moved} over all rows")
