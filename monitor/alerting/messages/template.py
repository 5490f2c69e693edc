"""What messages say, in words. Pure; everything that is given out is safe for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from modeltop.alerting.messages.message import AlertSection
from modeltop.core.diagnosis import Cause
from modeltop.core.event import NotificationReason
from modeltop.core.series import Severity
from modeltop.core.text import format_age, format_exact, format_period, sanitize, truncate

LEVELS = {Severity.CRITICAL: "CRIT", Severity.UNKNOWN: "UNKNOWN", Severity.WARNING: "WARN", Severity.OK: "OK"}
TITLE = 120
"""Cells of a title at most: a mail's subject, a phone's lock screen."""
CLAUSES = 600
"""Cells of what speaks for a cause."""
LISTED = 40
"""Parts that a message about several tells one by one."""


def series_name(part: AlertSection, cells: int = 60) -> str:
    """The metric, with its segment where that is not all; empty for an alert about the model as a whole."""
    if part.metric == "*":
        return ""
    metric = sanitize(part.metric, cells)
    return metric if part.segment == "all" else f"{metric} [{sanitize(part.segment, cells)}]"


def section_title(part: AlertSection, against: str) -> str:
    """One part in one line: how bad, which model, what about it.

    Args:
        part: Its own title is not read.
        against: The value against its limit; for an alert without a metric, what is wrong.
    """
    subject = sanitize(part.model, 60)
    about = series_name(part)
    if part.reason is NotificationReason.RESOLVED:
        lasted = f", lasted {format_duration(part.duration)}" if part.duration is not None else ""
        return truncate(f"RESOLVED {subject}: {about or against}{lasted}", TITLE)
    if part.reason is NotificationReason.MISSED:
        return truncate(
            f"LATE {subject}: {about or against} was firing {format_firing_interval(part)} UTC, delivered late", TITLE
        )
    said = f"{about} {against}".strip()
    return truncate(f"{_word(part)} {subject}: {said}", TITLE)


def _word(part: AlertSection) -> str:
    level = LEVELS[part.severity]
    words = {
        NotificationReason.ESCALATED: f"{level} (worse)",
        NotificationReason.REPEAT: f"{level} (still)",
        NotificationReason.WITHDRAWN: "WITHDRAWN",
        NotificationReason.ACKNOWLEDGED: "TAKEN",
    }
    return words.get(part.reason, level)


def section_lines(part: AlertSection) -> Iterator[str]:
    """One part in full, without its title; the verdict first."""
    said = lead_sentence(part)
    if said:
        yield from said
        yield ""
    yield from (f"{label:8} {text}" for label, text in labeled_facts(part))
    if part.chart:
        yield ""
        yield from part.chart
    if part.runbook or part.ack_command:
        yield ""
    if part.runbook:
        yield f"runbook  {part.runbook}"
    if part.ack_command:
        yield f"take it  {part.ack_command}"


def lead_sentence(part: AlertSection) -> list[str]:
    """The verdict on the model, then how the series stands, where that is not the same."""
    return list(dict.fromkeys(text for text in (model_verdict(part), part.sentence) if text))


def model_verdict(part: AlertSection) -> str:
    """The verdict, in which it is said that the model alerts all the same, where only this alert of it is over."""
    return (
        f"the model still alerts: {part.verdict}" if part.diagnosis is not None and not part.severity else part.verdict
    )


def labeled_facts(part: AlertSection) -> list[tuple[str, str]]:
    """Labelled facts, in the order in which a person asks for them."""
    over = part.resolved_at is not None
    waited = part.fired_at is not None and part.fired_at != part.since
    found = [
        ("why", part.state_note),
        ("model", sanitize(part.model)),
        ("metric", series_name(part, 200)),
        ("what" if part.metric == "*" else "value", "" if over else part.value_vs_limit),
        ("worst", part.worst_vs_limit if over or part.worst_vs_limit != part.value_vs_limit else ""),
        ("level", LEVELS[part.severity] if part.severity else f"was {LEVELS[part.peak_severity]}"),
        ("since", f"{format_period(part.since)} UTC" if part.since and (waited or not over) else ""),
        ("firing", f"{format_firing_interval(part)} UTC" if over else ""),
        ("lasted", format_duration(part.duration) if part.duration is not None else ""),
        ("n", format_exact(part.count) if part.count is not None and not over else ""),
        *_found(part),
        ("rule", f"{sanitize(part.rule, 60)}: {part.condition}" if part.condition else sanitize(part.rule)),
    ]
    return [(label, text) for label, text in found if text]


def _found(part: AlertSection) -> list[tuple[str, str]]:
    """What speaks for the likeliest cause and what against it, and the next step, of what stands."""
    if part.diagnosis is None or not part.severity or not part.diagnosis.hypotheses:
        return []
    first = part.diagnosis.hypotheses[0]
    told = first.cause is Cause.UNKNOWN or all(clause in part.verdict for clause in first.evidence_for)
    evidence, against = (
        sanitize("; ".join(clauses), CLAUSES)
        for clauses in (() if told else first.evidence_for, first.evidence_against)
    )
    return [("evidence", evidence), ("against", against), ("do", sanitize(part.diagnosis.advice, CLAUSES))]


def group_title(parts: Sequence[AlertSection], *, digest: bool) -> str:
    """Several parts in one line: how many of each level, then the worst.

    >>> group_title([], is_digest=False)
    'nothing to tell'
    """
    if not parts:
        return "nothing to tell"
    counts = Counter(_state(part) for part in parts)
    order = {state: place for place, state in enumerate((*LEVELS.values(), "taken", "withdrawn", "late", "resolved"))}
    states = sorted(counts, key=lambda state: order[state])
    said = ", ".join(f"{counts[state]} {state}" for state in states)
    return truncate(f"{'digest: ' if digest else ''}{said} | {parts[0].title}", TITLE)


def group_lines(parts: Sequence[AlertSection]) -> Iterator[str]:
    """Several parts, a line each, worst first, with what it takes to look closer; before each model its verdict."""
    judged: set[str] = set()
    for part in parts[:LISTED]:
        if part.verdict and part.model not in judged:
            yield f"{sanitize(part.model, 60)}: {model_verdict(part)}"
        judged.add(part.model)
        yield f"  {part.title}" if part.verdict else part.title
        said = part.sentence if part.sentence != part.verdict else ""
        details = [said or part.state_note, part.runbook and f"runbook {part.runbook}", part.ack_command]
        yield from (f"    {text}" for text in details if text)
    if len(parts) > LISTED:
        yield f"and {len(parts) - LISTED:,} more: modeltop alerts"


def _state(part: AlertSection) -> str:
    if part.reason is NotificationReason.RESOLVED:
        return "resolved"
    if part.reason in (NotificationReason.MISSED, NotificationReason.WITHDRAWN, NotificationReason.ACKNOWLEDGED):
        return str(part.reason.value)
    return LEVELS[part.severity]


def format_firing_interval(part: AlertSection) -> str:
    """From when to when it was firing, the day said once where it is the same."""
    begin, end = part.fired_at or part.since, part.resolved_at
    if begin is None or end is None:
        return "for a while"
    begin, end = begin.astimezone(UTC), end.astimezone(UTC)
    whole = begin.time() == end.time() == datetime.min.time()
    if begin.date() == end.date() and not whole:
        return f"{begin:%Y-%m-%d %H:%M}–{end:%H:%M}"
    return (
        f"{format_period(begin)} – {format_period(end)}" if whole else f"{begin:%Y-%m-%d %H:%M} – {end:%Y-%m-%d %H:%M}"
    )


def format_duration(length: timedelta) -> str:
    """A length of time in its two largest units, cut.

    >>> format_duration(timedelta(days=2, time_intervals=5, minutes=59)), format_duration(timedelta(minutes=30)), format_duration(timedelta(days=3, minutes=5))
    ('2d 5h', '30m', '3d')
    """
    first = format_age(length)
    for unit, size, below in (("d", 86_400, "h"), ("h", 3_600, "m"), ("m", 60, "s")):
        if first.endswith(unit):
            rest = format_age(timedelta(seconds=length.total_seconds() % size))
            return f"{first} {rest}" if rest.endswith(below) and rest != f"0{below}" else first
    return first
