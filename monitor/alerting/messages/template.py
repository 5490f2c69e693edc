"""The text of messages. Pure; everything returned is sanitized."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC

from modeltop.alerting.messages.message import AlertSection
from modeltop.core.event import NotificationReason
from modeltop.core.series import Severity
from modeltop.core.text import format_day, format_duration, sanitize, truncate

LEVELS = {severity: severity.name.lower() for severity in sorted(Severity, reverse=True)}
"""Words of the severities, worst first: those of every other surface."""
MAX_TITLE_WIDTH = 120
MAX_MEMBERS = 8
MAX_LISTED = 40


def series_name(section: AlertSection, width: int = 60) -> str:
    """Return the metric and its segment; empty for a model-wide alert."""
    return series_label(section.metric, section.segment, width)


def series_label(metric: str, segment: str, width: int = 60) -> str:
    """Return the metric, with its segment unless that is `all`, in `width` cells each; empty for `*`."""
    if metric == "*":
        return ""
    name = sanitize(metric, width)
    return name if segment == "all" else f"{name} [{sanitize(segment, width)}]"


def section_title(section: AlertSection, value_vs_limit: str) -> str:
    """Return a section in one line: the value against its limit, or the problem of a model without values."""
    model = sanitize(section.model, 60)
    subject = series_name(section) or value_vs_limit
    if section.reason is NotificationReason.RESOLVED:
        lasted = f", lasted {format_duration(section.duration)}" if section.duration is not None else ""
        name = f"{model}: {subject}" if subject else model
        state = f"resolved ({section.state_note})" if section.state_note else "resolved"
        return truncate(f"{state} {name}{lasted}", MAX_TITLE_WIDTH)
    if section.reason is NotificationReason.MISSED:
        interval = format_firing_interval(section)
        return truncate(f"late {model}: {subject} was firing {interval}, delivered late", MAX_TITLE_WIDTH)
    text = f"{series_name(section)} {value_vs_limit}".strip()
    text += f" and {len(section.members)} more" if section.members else ""
    return truncate(f"{_state_label(section)} {model}: {text}", MAX_TITLE_WIDTH)


def _state_label(section: AlertSection) -> str:
    level = LEVELS[section.severity]
    labels = {
        NotificationReason.ESCALATED: f"{level} (worse)",
        NotificationReason.JOINED: f"{level} (new alert)",
        NotificationReason.REPEAT: f"{level} (still)",
        NotificationReason.WITHDRAWN: "withdrawn",
        NotificationReason.ACKNOWLEDGED: "acknowledged",
    }
    return labels.get(section.reason, level)


def section_lines(section: AlertSection) -> Iterator[str]:
    """Yield one section in full, without its title; the verdict first."""
    if sentences := lead_sentences(section):
        yield from sentences
        yield ""
    yield from (f"{label:8} {text}" for label, text in labeled_facts(section))
    if section.chart:
        yield ""
        yield from section.chart
    if section.runbook or section.ack_command:
        yield ""
    if section.runbook:
        yield f"runbook  {section.runbook}"
    if section.ack_command:
        yield f"ack      {section.ack_command}"


def lead_sentences(section: AlertSection) -> list[str]:
    """Return what joined, the verdict on the model and the status of the series, without those empty or equal."""
    texts = (joined_alerts(section), model_verdict(section), section.sentence)
    return list(dict.fromkeys(text for text in texts if text))


def joined_alerts(section: AlertSection) -> str:
    """Return the alerts that joined the incident late in one line; empty if the section is not about that."""
    if section.reason is not NotificationReason.JOINED:
        return ""
    lead = f"{series_name(section)} {section.value_vs_limit}".strip()
    new = [lead, *(member.text for member in section.members if member.is_new)]
    rest = len(new) - MAX_MEMBERS
    return f"New alerts: {'; '.join(new[:MAX_MEMBERS])}{f'; and {rest:,} more' if rest > 0 else ''}."


def model_verdict(section: AlertSection) -> str:
    """Return the verdict; if only this alert is over, with a remark that the model still alerts."""
    still_alerts = section.diagnosis is not None and not section.severity
    return f"the model still alerts: {section.verdict}" if still_alerts else section.verdict


def labeled_facts(section: AlertSection) -> list[tuple[str, str]]:
    """Return pairs of label and text, in the order of their importance."""
    is_over = section.resolved_at is not None
    # Once over, the firing interval shows the duration, unless the alert waited for confirmation.
    shows_since = not is_over or (section.fired_at is not None and section.fired_at != section.since)
    condition = f": {section.condition}" if section.condition else ""
    facts = [
        ("why", section.state_note),
        ("model", sanitize(section.model)),
        ("metric", series_name(section, 200)),
        ("what" if section.value is None else "value", "" if is_over else section.value_vs_limit),
        ("worst", section.worst_vs_limit if is_over or section.worst_vs_limit != section.value_vs_limit else ""),
        ("also", _member_list(section)),
        ("severity", LEVELS[section.severity] if section.severity else f"was {LEVELS[section.peak_severity]}"),
        ("since", in_utc(format_day(section.since, section.written_at)) if section.since and shows_since else ""),
        ("firing", format_firing_interval(section) if is_over else ""),
        ("lasted", format_duration(section.duration) if section.duration is not None else ""),
        ("cases", f"{round(section.count):,}" if section.count is not None and not is_over else ""),
        ("rule", sanitize(section.rule, 60 if condition else 200) + condition),
    ]
    return [(label, text) for label, text in facts if text]


def _member_list(section: AlertSection) -> str:
    texts = [member.text for member in section.members[:MAX_MEMBERS]]
    rest = len(section.members) - len(texts)
    return "; ".join([*texts, *([f"and {rest:,} more"] if rest else [])])


def group_title(sections: Sequence[AlertSection], *, digest: bool, shared: Sequence[str] = ()) -> str:
    """Return several sections in one line: what they share, how many of each state, then the worst."""
    if not sections:
        return "no alerts"
    counts = Counter(_state(section) for section in sections)
    states = (*LEVELS.values(), "acknowledged", "withdrawn", "late", "resolved")
    summary = ", ".join(f"{counts[state]} {state}" for state in states if counts[state])
    parts = (*shared[:1], summary, sections[0].title)
    return truncate(f"{'digest: ' if digest else ''}{' | '.join(parts)}", MAX_TITLE_WIDTH)


def group_lines(sections: Sequence[AlertSection]) -> Iterator[str]:
    """Yield several sections, a title and details each; before the first of each model its verdict."""
    models: set[str] = set()
    for section in sections[:MAX_LISTED]:
        if section.verdict and section.model not in models:
            yield f"{sanitize(section.model, 60)}: {model_verdict(section)}"
        models.add(section.model)
        yield f"  {section.title}" if section.verdict else section.title
        sentence = section.sentence if section.sentence != section.verdict else ""
        runbook = section.runbook and f"runbook {section.runbook}"
        details = (sentence or section.state_note, runbook, section.ack_command)
        yield from (f"    {text}" for text in details if text)
    if len(sections) > MAX_LISTED:
        yield f"and {len(sections) - MAX_LISTED:,} more: modeltop alerts"


def _state(section: AlertSection) -> str:
    if section.reason is NotificationReason.RESOLVED:
        return "resolved"
    if section.reason in (NotificationReason.MISSED, NotificationReason.WITHDRAWN, NotificationReason.ACKNOWLEDGED):
        return str(section.reason.value)
    return LEVELS[section.severity]


def format_firing_interval(section: AlertSection) -> str:
    """Return from when to when the alert fired, in UTC; the day only once if it is the same."""
    start, end = section.fired_at or section.since, section.resolved_at
    if start is None or end is None:
        return "for a while"
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if start.date() == end.date() and start != end:
        return f"{format_day(start.replace(hour=0, minute=0), section.written_at)} {start:%H:%M}–{end:%H:%M} UTC"
    return in_utc(" – ".join(format_day(moment, section.written_at) for moment in (start, end)))


def in_utc(text: str) -> str:
    """Return a date with its zone if it has a time of day."""
    return f"{text} UTC" if ":" in text else text
