"""Something changed around the model: a release, a price list, a market, or one group of cases alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from modeltop.core.diagnosis import ROW_COUNT, Cause, CauseHypothesis
from modeltop.core.series import Direction
from modeltop.core.text import format_period, format_value, sanitize
from modeltop.diagnosis.causes.base import EvidenceItem, cause, combine_evidence
from modeltop.diagnosis.observations import Observations, contributions, is_near_onset
from modeltop.diagnosis.phrases import format_count, format_percent, safe_name
from modeltop.diagnosis.signals import MIN_DOMINANT_SHARE, most_dominant_segment

RELEASE = re.compile(
    r"\b(releas\w*|deploy\w*|roll(ed|ing)?[ -]?out|rollout|shipped|version|v\d[\w.]*|upgrad\w*|retrain\w*|new model)\b",
    re.IGNORECASE,
)


def release_notes(facts: Observations) -> list[str]:
    """Notes about a release at the begin, as they were written: foreign text."""
    return [note.text for note in facts.notes if RELEASE.search(note.text)]


@cause
def business(facts: Observations) -> CauseHypothesis | None:
    """People noted something for that day, a group of cases is new, or there are many more."""
    return None if facts.focus is None else combine_evidence(Cause.BUSINESS, _changed(facts))


def _changed(facts: Observations) -> Iterator[EvidenceItem]:
    for note in facts.notes[:2]:
        strength = 0.85 if facts.is_sudden and is_near_onset(facts, note) else 0.5
        when = "noted that day" if is_near_onset(facts, note) else f"noted for {format_period(note.at)}"
        yield EvidenceItem(strength, f"{when}: {sanitize(note.text, 60)}")
    for segment in facts.new_segments[:2]:
        part = next((one for one in contributions(facts) if one.segment == segment), None)
        whole = -facts.loss(facts.focus) if facts.metric.better is Direction.HIGHER else facts.loss(facts.focus)
        if part is not None and whole and part.total / whole >= MIN_DOMINANT_SHARE:
            yield EvidenceItem(
                0.85,
                f"{safe_name(segment)} is new and makes {format_percent(min(1.0, part.total / whole))} of the fall",
            )
        else:
            yield EvidenceItem(0.5, f"{safe_name(segment)} is new since then")
    count = facts.before_after.get(ROW_COUNT)
    if count is not None and count.is_significant and count.after > 1.5 * count.before:
        yield EvidenceItem(0.35, f"rows rose from {format_count(count.before)} to {format_count(count.after)} a period")


@cause
def segment(facts: Observations) -> CauseHypothesis | None:
    """One segment alone fell, and it makes most of the whole fall."""
    found = most_dominant_segment(facts) if facts.focus is not None else None
    if found is None:
        return None
    cut, part = found
    whole = sum(one.total for one in cut.contributions)
    much = format_percent(min(1.0, part.total / whole))
    text = f"{safe_name(part.segment)} {format_value(part.level[0])} -> {format_value(part.level[1])}"
    pro = [
        EvidenceItem(0.8, f"{text}: {much} of the fall"),
        EvidenceItem(
            0.3,
            f"in {format_percent(part.share[1])} of the rows; the others of {safe_name(cut.name) or 'its cut'} are as before",
        ),
    ]
    doubt = EvidenceItem(0.5, "over all rows the difference is within chance") if facts.is_within_noise else None
    return combine_evidence(Cause.SEGMENT, pro, [doubt])
