"""Something changed around the model: a release, a price list, a market, or one group of cases alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from modeltop.core.diagnosis import ROWS, Cause, Finding
from modeltop.core.series import Better
from modeltop.core.text import brief, day, safe
from modeltop.diagnosis.causes.base import Clause, cause, weighed
from modeltop.diagnosis.observations import Facts, contributions, dated
from modeltop.diagnosis.phrases import name, percent, rows
from modeltop.diagnosis.signals import MOST, lonely

RELEASE = re.compile(
    r"\b(releas\w*|deploy\w*|roll(ed|ing)?[ -]?out|rollout|shipped|version|v\d[\w.]*|upgrad\w*|retrain\w*|new model)\b",
    re.IGNORECASE,
)


def releases(facts: Facts) -> list[str]:
    """Notes about a release at the begin, as they were written: foreign text."""
    return [note.text for note in facts.notes if RELEASE.search(note.text)]


@cause
def business(facts: Facts) -> Finding | None:
    """People noted something for that day, a group of cases is new, or there are many more."""
    return None if facts.focus is None else weighed(Cause.BUSINESS, _changed(facts))


def _changed(facts: Facts) -> Iterator[Clause]:
    for note in facts.notes[:2]:
        strength = 0.85 if facts.sudden and dated(facts, note) else 0.5
        when = "noted that day" if dated(facts, note) else f"noted for {day(note.at)}"
        yield Clause(strength, f"{when}: {safe(note.text, 60)}")
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
    found = lonely(facts) if facts.focus is not None else None
    if found is None:
        return None
    cut, part = found
    whole = sum(one.total for one in cut.parts)
    much = percent(min(1.0, part.total / whole))
    text = f"{name(part.segment)} {brief(part.level[0])} -> {brief(part.level[1])}"
    pro = [
        Clause(0.8, f"{text}: {much} of the fall"),
        Clause(
            0.3, f"in {percent(part.share[1])} of the rows; the others of {name(cut.name) or 'its cut'} are as before"
        ),
    ]
    doubt = Clause(0.5, "over all rows the difference is within chance") if facts.chance else None
    return weighed(Cause.SEGMENT, pro, [doubt])
