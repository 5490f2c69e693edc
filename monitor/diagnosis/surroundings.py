"""Something changed around the model: a release, a price list, a market, or one group of cases alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from monitor.diagnosis.base import Clause, cause, weighed
from monitor.diagnosis.facts import ROWS, Facts, contributions
from monitor.diagnosis.said import name, percent, rows
from monitor.diagnosis.segments import Cut
from monitor.findings import Cause, Contribution, Finding
from monitor.records import Better
from monitor.text import brief, day, safe

RELEASE = re.compile(
    r"\b(releas\w*|deploy\w*|roll(ed|ing)?[ -]?out|rollout|shipped|version|v\d[\w.]*|upgrad\w*|retrain\w*|new model)\b",
    re.IGNORECASE,
)
MOST = 0.6
"""Share of the fall from which it is one segment's."""


def releases(facts: Facts) -> list[str]:
    """Notes about a release at the begin, as they were written: foreign text."""
    return [note.text for note in facts.notes if RELEASE.search(note.text)]


@cause
def business(facts: Facts) -> Finding | None:
    """People noted something for that day, a group of cases is new, or there are many more."""
    return None if facts.focus is None else weighed(Cause.BUSINESS, _changed(facts))


def _changed(facts: Facts) -> Iterator[Clause]:
    for note in facts.notes[:2]:
        yield Clause(0.6, f"noted for {day(note.at)}: {safe(note.text, 60)}")
    for segment in facts.novel[:2]:
        part = next((one for one in contributions(facts) if one.segment == segment), None)
        whole = -facts.loss(facts.focus) if facts.metric.better is Better.HIGHER else facts.loss(facts.focus)
        if part is not None and whole and part.total / whole >= MOST:
            yield Clause(0.85, f"{name(segment)} is new and makes {percent(min(1.0, part.total / whole))} of the fall")
        else:
            yield Clause(0.5, f"{name(segment)} is new since then")
    count = facts.readings.get(ROWS)
    if count is not None and count.moved and count.after > 1.5 * count.before:
        yield Clause(0.35, f"rows rose from {rows(count.before)} to {rows(count.after)} a period")


@cause
def segment(facts: Facts) -> Finding | None:
    """One segment alone fell, and it makes most of the whole fall."""
    if facts.focus is None:
        return None
    found = [(cut, part) for cut in facts.cuts if (part := lone(facts, cut)) is not None]
    if not found:
        return None
    cut, part = max(found, key=lambda one: abs(one[1].total))
    whole = sum(one.total for one in cut.parts)
    text = f"{name(part.segment)} {brief(part.level[0])} -> {brief(part.level[1])}"
    pro = [
        Clause(
            0.8, f"{text}: {percent(min(1.0, part.total / whole))} of the fall in {percent(part.share[1])} of the rows"
        )
    ]
    others = len(cut.parts) - 1
    pro.append(Clause(0.3, f"the other {others} of {name(cut.name) or 'its cut'} are as before"))
    return weighed(Cause.SEGMENT, pro)


def lone(facts: Facts, cut: Cut) -> Contribution | None:
    """The segment that makes most of the fall, far more than its share, while no other fell."""
    first = cut.parts[0]
    whole = sum(one.total for one in cut.parts)
    own = cut.readings.get(first.segment)
    if not whole or own is None or not own.moved or facts.loss(own) <= 0:
        return None
    alike = [
        found
        for name, found in cut.readings.items()
        if name != first.segment and found.moved and facts.loss(found) > 0.3 * facts.loss(own)
    ]
    share = first.total / whole
    return None if alike or share < MOST or share < 1.3 * first.share[1] else first
