"""What messages say, in words. Pure; everything that is given out is safe for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from modeltop.alerting.messages.message import Part
from modeltop.core.diagnosis import Cause
from modeltop.core.event import Reason
from modeltop.core.series import Severity
from modeltop.core.text import age, clip, day, plain, safe

LEVELS = {Severity.CRITICAL: "CRIT", Severity.UNKNOWN: "UNKNOWN", Severity.WARNING: "WARN", Severity.OK: "OK"}
TITLE = 120
"""Cells of a title at most: a mail's subject, a phone's lock screen."""
CLAUSES = 600
"""Cells of what speaks for a cause."""
LISTED = 40
"""Parts that a message about several tells one by one."""


def name(part: Part, cells: int = 60) -> str:
    """The metric, with its segment where that is not all; empty for an alert about the model as a whole."""
    if part.metric == "*":
        return ""
    metric = safe(part.metric, cells)
    return metric if part.segment == "all" else f"{metric} [{safe(part.segment, cells)}]"


def title(part: Part, against: str) -> str:
    """One part in one line: how bad, which model, what about it.

    Args:
        part: Its own title is not read.
        against: The value against its limit; for an alert without a metric, what is wrong.
    """
    subject = safe(part.model, 60)
    about = name(part)
    if part.reason is Reason.OVER:
        lasted = f", lasted {span(part.lasted)}" if part.lasted is not None else ""
        return clip(f"RESOLVED {subject}: {about or against}{lasted}", TITLE)
    if part.reason is Reason.LATE:
        return clip(f"LATE {subject}: {about or against} was firing {between(part)} UTC, delivered late", TITLE)
    said = f"{about} {against}".strip()
    return clip(f"{_word(part)} {subject}: {said}", TITLE)


def _word(part: Part) -> str:
    level = LEVELS[part.severity]
    words = {
        Reason.WORSE: f"{level} (worse)",
        Reason.REPEAT: f"{level} (still)",
        Reason.WITHDRAWN: "WITHDRAWN",
        Reason.TAKEN: "TAKEN",
    }
    return words.get(part.reason, level)


def lines(part: Part) -> Iterator[str]:
    """One part in full, without its title; the verdict first."""
    said = opening(part)
    if said:
        yield from said
        yield ""
    yield from (f"{label:8} {text}" for label, text in facts(part))
    if part.chart:
        yield ""
        yield from part.chart
    if part.runbook or part.acknowledge:
        yield ""
    if part.runbook:
        yield f"runbook  {part.runbook}"
    if part.acknowledge:
        yield f"take it  {part.acknowledge}"


def opening(part: Part) -> list[str]:
    """The verdict on the model, then how the series stands, where that is not the same."""
    return list(dict.fromkeys(text for text in (verdict(part), part.sentence) if text))


def verdict(part: Part) -> str:
    """The verdict, in which it is said that the model alerts all the same, where only this alert of it is over."""
    return (
        f"the model still alerts: {part.verdict}" if part.diagnosis is not None and not part.severity else part.verdict
    )


def facts(part: Part) -> list[tuple[str, str]]:
    """Labelled facts, in the order in which a person asks for them."""
    over = part.resolved is not None
    waited = part.fired is not None and part.fired != part.since
    found = [
        ("why", part.why),
        ("model", safe(part.model)),
        ("metric", name(part, 200)),
        ("what" if part.metric == "*" else "value", "" if over else part.against),
        ("worst", part.worst_against if over or part.worst_against != part.against else ""),
        ("level", LEVELS[part.severity] if part.severity else f"was {LEVELS[part.reached]}"),
        ("since", f"{day(part.since)} UTC" if part.since and (waited or not over) else ""),
        ("firing", f"{between(part)} UTC" if over else ""),
        ("lasted", span(part.lasted) if part.lasted is not None else ""),
        ("n", plain(part.count) if part.count is not None and not over else ""),
        *_found(part),
        ("rule", f"{safe(part.rule, 60)}: {part.asks}" if part.asks else safe(part.rule)),
    ]
    return [(label, text) for label, text in found if text]


def _found(part: Part) -> list[tuple[str, str]]:
    """What speaks for the likeliest cause and what against it, and the next step, of what stands."""
    if part.diagnosis is None or not part.severity or not part.diagnosis.findings:
        return []
    first = part.diagnosis.findings[0]
    told = first.cause is Cause.UNKNOWN or all(clause in part.verdict for clause in first.because)
    evidence, against = (
        safe("; ".join(clauses), CLAUSES) for clauses in (() if told else first.because, first.against)
    )
    return [("evidence", evidence), ("against", against), ("do", safe(part.diagnosis.advice, CLAUSES))]


def group_title(parts: Sequence[Part], *, digest: bool) -> str:
    """Several parts in one line: how many of each level, then the worst.

    >>> group_title([], digest=False)
    'nothing to tell'
    """
    if not parts:
        return "nothing to tell"
    counts = Counter(_state(part) for part in parts)
    order = {state: place for place, state in enumerate((*LEVELS.values(), "taken", "withdrawn", "late", "resolved"))}
    states = sorted(counts, key=lambda state: order[state])
    said = ", ".join(f"{counts[state]} {state}" for state in states)
    return clip(f"{'digest: ' if digest else ''}{said} | {parts[0].title}", TITLE)


def group_lines(parts: Sequence[Part]) -> Iterator[str]:
    """Several parts, a line each, worst first, with what it takes to look closer; before each model its verdict."""
    judged: set[str] = set()
    for part in parts[:LISTED]:
        if part.verdict and part.model not in judged:
            yield f"{safe(part.model, 60)}: {verdict(part)}"
        judged.add(part.model)
        yield f"  {part.title}" if part.verdict else part.title
        said = part.sentence if part.sentence != part.verdict else ""
        details = [said or part.why, part.runbook and f"runbook {part.runbook}", part.acknowledge]
        yield from (f"    {text}" for text in details if text)
    if len(parts) > LISTED:
        yield f"and {len(parts) - LISTED:,} more: modeltop alerts"


def _state(part: Part) -> str:
    if part.reason is Reason.OVER:
        return "resolved"
    if part.reason in (Reason.LATE, Reason.WITHDRAWN, Reason.TAKEN):
        return str(part.reason.value)
    return LEVELS[part.severity]


def between(part: Part) -> str:
    """From when to when it was firing, the day said once where it is the same."""
    begin, end = part.fired or part.since, part.resolved
    if begin is None or end is None:
        return "for a while"
    begin, end = begin.astimezone(UTC), end.astimezone(UTC)
    whole = begin.time() == end.time() == datetime.min.time()
    if begin.date() == end.date() and not whole:
        return f"{begin:%Y-%m-%d %H:%M}–{end:%H:%M}"
    return f"{day(begin)} – {day(end)}" if whole else f"{begin:%Y-%m-%d %H:%M} – {end:%Y-%m-%d %H:%M}"


def span(length: timedelta) -> str:
    """A length of time in its two largest units, cut.

    >>> span(timedelta(days=2, hours=5, minutes=59)), span(timedelta(minutes=30)), span(timedelta(days=3, minutes=5))
    ('2d 5h', '30m', '3d')
    """
    first = age(length)
    for unit, size, below in (("d", 86_400, "h"), ("h", 3_600, "m"), ("m", 60, "s")):
        if first.endswith(unit):
            rest = age(timedelta(seconds=length.total_seconds() % size))
            return f"{first} {rest}" if rest.endswith(below) and rest != f"0{below}" else first
    return first
