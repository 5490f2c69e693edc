"""The words for a verdict, an alert, a series; every foreign string is made safe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import UTC, datetime

from modeltop.core.incident import Acknowledgement, Matchers, Note, Silence, Suppression
from modeltop.core.series import Alert, Condition, RuleStatus, SeriesKey, Severity, State
from modeltop.core.text import display_width, format_exact, format_period, pluralize, sanitize, truncate
from modeltop.rules.snapshot import Snapshot

MAX_NAME = 40
"""Cells of a person's name."""
MAX_REASON = 200
"""Cells of a reason."""


def format_moment(at: datetime, now: datetime | None = None) -> str:
    """The date and the time of day; beside `now` without what both have in common.

    >>> at = datetime(2025, 1, 10, 14, 3, 27, tzinfo=UTC)
    >>> format_moment(at), format_moment(at, at), format_moment(at, datetime(2025, 1, 9, tzinfo=UTC))
    ('2025-01-10 14:03 UTC', '14:03', 'Jan 10 14:03')
    """
    at = at.astimezone(UTC)
    if now is None or at.year != now.year:
        return f"{at:%Y-%m-%d %H:%M}{' UTC' if now is None else ''}"
    return f"{at:%H:%M}" if at.date() == now.date() else f"{at:%b} {at.day} {at:%H:%M}"


def describe_ack(ack: Acknowledgement, now: datetime | None = None) -> str:
    """Who has an alert, since when, until when, and why; as long as `moment` without `now`."""
    text = f"taken by {sanitize(ack.by, MAX_NAME)} {format_moment(ack.at, now)}, until {format_moment(ack.until, now)}"
    return f"{text}: {sanitize(ack.reason, MAX_REASON)}" if ack.reason.strip() else text


def describe_suppression(suppression: Suppression) -> str:
    """Why nobody is told of an alert: the reason says who, why and until when."""
    reason = sanitize(suppression.reason, MAX_REASON + MAX_NAME)
    return reason if reason.startswith(suppression.kind) else f"{suppression.kind}: {reason}"


def describe_matchers(matchers: Matchers) -> str:
    """Which alerts: what is asked for, without what may be anything.

    >>> describe_matchers(Matchers(model="fraud-*", severity="warning")), describe_matchers(Matchers())
    ('model fraud-*, severity warning', 'everything')
    """
    asked = ((field.name, getattr(matchers, field.name)) for field in fields(matchers))
    return ", ".join(f"{name} {sanitize(glob, 60)}" for name, glob in asked if glob != "*") or "everything"


def describe_silence(silence: Silence, now: datetime) -> str:
    """One silence: until when, who and why; that it is over, or has yet to begin, where it is so."""
    if silence.end <= now:
        span = f"ended {format_moment(silence.end, now)}"
    elif silence.start > now:
        span = f"from {format_moment(silence.start, now)} until {format_moment(silence.end, now)}"
    else:
        span = f"until {format_moment(silence.end, now)}"
    return f"{span}, {sanitize(silence.by, MAX_NAME)}: {sanitize(silence.reason, MAX_REASON)}"


def describe_note(note: Note, now: datetime) -> str:
    """When, who and what."""
    return f"{format_moment(note.at, now)} {sanitize(note.by, MAX_NAME)}: {sanitize(note.text, MAX_REASON)}"


def describe_handling(episode: Alert, snapshot: Snapshot, now: datetime | None = None) -> list[str]:
    """Who has an alert, and why nobody is told of it, a clause each; none where nobody did anything."""
    if episode.id is None:
        return []
    ack, suppression = snapshot.acknowledgements.get(episode.id), snapshot.suppressions.get(episode.id)
    return [
        *([describe_ack(ack, now)] if ack is not None else []),
        *([describe_suppression(suppression)] if suppression is not None else []),
    ]


MARKS = {
    Severity.CRITICAL: ("▲", "CRIT"),
    Severity.UNKNOWN: ("○", "n/d"),
    Severity.WARNING: ("◆", "WARN"),
    Severity.OK: ("●", "ok"),
}
"""Shape and word of each severity, worst first: never colour alone."""

EXIT_CODES = {Severity.OK: 0, Severity.WARNING: 1, Severity.CRITICAL: 2, Severity.UNKNOWN: 3}
"""As monitoring plugins have them."""
FIRST_LINE = 80
"""Cells; the first line may become a mail's subject or a pager's whole message."""
MAX_NAMED = 8
"""Models named in one line."""


def overall_severity(snapshot: Snapshot) -> Severity:
    """The worst severity of any model; without any model and any alert, unknown."""
    found = [verdict.severity for verdict in snapshot.model_statuses]
    found += [episode.severity for episode in snapshot.alerts if episode.is_active]
    return max(found, default=Severity.UNKNOWN)


def exit_code(snapshot: Snapshot) -> int:
    """0 ok, 1 warning, 2 critical, 3 unknown."""
    return EXIT_CODES[overall_severity(snapshot)]


def headline(snapshot: Snapshot) -> str:
    """The verdict on everything in at most 80 cells, the worst model named."""
    models = len(snapshot.model_statuses)
    if not models:
        return "UNKNOWN: no model found; there is nothing to judge"
    worst = overall_severity(snapshot)
    if worst is Severity.OK:
        rules = sum(one.skip_reason is None and not has_too_little_history(one) for one in snapshot.rule_statuses)
        said = f"{pluralize(rules, 'rule')} hold{'s' if rules == 1 else ''}" if rules else "no rule judges any of them"
        return f"OK: {pluralize(models, 'model')}, {said}"
    counts = Counter(verdict.severity for verdict in snapshot.model_statuses)
    words = [f"{counts[severity]} {severity.name.lower()}" for severity in MARKS if severity and counts[severity]]
    first = next((episode for episode in snapshot.alerts if episode.is_active), None)
    named = f": {sanitize(first.key.model, 40)} {_about(first)}" if first else _unjudged(snapshot)
    if models == 1 and named:
        return truncate(f"{worst.name}{named}", FIRST_LINE)
    line = f"{worst.name}: {', '.join(words)} of {pluralize(models, 'model')}{named}"
    # What is wrong is worth more than a word that can be guessed.
    return line if display_width(line) <= FIRST_LINE else truncate(line.replace(" models:", ":", 1), FIRST_LINE)


def _unjudged(snapshot: Snapshot) -> str:
    """The first model that nothing could be judged of for want of labels."""
    first = next(
        (one for one in snapshot.model_statuses if one.severity and one.model in snapshot.label_coverage), None
    )
    return f": {sanitize(first.model, 40)} {snapshot.label_coverage[first.model].sentence}" if first else ""


def has_too_little_history(one: RuleStatus) -> bool:
    """Whether there is too little history to judge by the rule; what follows the last colon is our own words."""
    return one.sentence.rpartition(": ")[2].startswith("too little history")


def skipped_rules(standings: Iterable[RuleStatus]) -> Iterator[str]:
    """Default rules that were not applied, the models of one reason in one line."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for item in standings:
        if item.skip_reason is not None:
            grouped.setdefault((item.key.metric, item.skip_reason), []).append(sanitize(item.key.model, 60))
    for (metric, reason), models in grouped.items():
        rest = f" and {pluralize(len(models) - MAX_NAMED, 'more model')}" if len(models) > MAX_NAMED else ""
        yield f"  {sanitize(metric)} of {', '.join(models[:MAX_NAMED])}{rest}: {reason}"


def severity_mark(severity: Severity) -> str:
    """Shape and word in eight cells."""
    shape, word = MARKS[severity]
    return f"{shape} {word:5} "


def alert_line(
    episode: Alert, snapshot: Snapshot | None = None, *, name: str | None = None, with_model: bool = True
) -> str:
    """One alert in one line.

    Args:
        episode: The alert.
        snapshot: Adds who has it and why nobody is told, where somebody did something about it.
        name: The id to show before it, with how it ended; None: neither is shown.
        with_model: False where the model is named already.
    """
    shape, word = ("·", "pend") if episode.state is State.PENDING else MARKS[episode.severity]
    count = "" if episode.count is None else f", n {format_exact(episode.count)}"
    line = f"{shape} {word:5} {sanitize(episode.key.model, 60)}" if with_model else f"{shape} {word}"
    line += f" {_about(episode)}"
    if episode.condition is Condition.THRESHOLD:
        line += f", {pluralize(episode.periods, 'period')}"
    line += f", since {format_period(episode.since)}{count}"
    if episode.state in (State.RECOVERING, State.PENDING):
        line += f", {episode.state.value}"
    if name is not None:
        ended = f", resolved {format_period(episode.resolved)}" if episode.resolved else ""
        line = f"{name:8}  {line}{ended}"
    said = describe_handling(episode, snapshot) if snapshot is not None else []
    return "; ".join((line, *said))


def _about(episode: Alert) -> str:
    """The metric, its segment, and the value against the limit."""
    message = episode.breach.message if episode.breach else episode.condition.value
    if episode.condition is not Condition.THRESHOLD:
        return sanitize(message)
    return f"{series_name(episode.key)} {sanitize(message)}"


def series_name(key: SeriesKey) -> str:
    """The metric, with its segment where that is not all, made safe."""
    name = sanitize(key.metric, 60)
    return name if key.segment == "all" else f"{name} [{sanitize(key.segment, 60)}]"


WIDE = 80
HANG = 8
"""Cells in front of what belongs to a model: as many as its mark takes."""


def wrapped(text: str, hang: int, cells: int = WIDE) -> Iterator[str]:
    """The text in lines of at most so many cells, cut at spaces; what goes on begins `hang` cells from the left.

    A word that is longer than a line is not cut: it may be a name that is looked for, or a command.

    >>> list(wrapped("* WARN churn recall fell from 0.64 to 0.50", 7, 24))
    ['* WARN churn recall fell', '       from 0.64 to 0.50']
    """
    lead = len(text) - len(text.lstrip(" "))
    line, used, fresh = text[:lead], lead, True
    for word in text[lead:].split(" "):
        size = display_width(word)
        if not fresh and used + 1 + size > cells:
            yield line.rstrip()
            line, used, fresh = " " * hang, hang, True
        line, used = (line + word, used + size) if fresh else (f"{line} {word}", used + 1 + size)
        fresh = False
    yield line
