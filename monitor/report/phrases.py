"""The words for a verdict, an alert, a series; every foreign string is made safe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import UTC, datetime

from modeltop.core.incident import Ack, Matchers, Note, Silence, Suppression
from modeltop.core.series import Condition, Episode, SeriesKey, Severity, Standing, State
from modeltop.core.text import clip, day, plain, plural, safe, width
from modeltop.rules.snapshot import Snapshot

NAME = 40
"""Cells of a person's name."""
WHY = 200
"""Cells of a reason."""


def moment(at: datetime, now: datetime | None = None) -> str:
    """The date and the time of day; beside `now` without what both have in common.

    >>> at = datetime(2025, 1, 10, 14, 3, 27, tzinfo=UTC)
    >>> moment(at), moment(at, at), moment(at, datetime(2025, 1, 9, tzinfo=UTC))
    ('2025-01-10 14:03 UTC', '14:03', 'Jan 10 14:03')
    """
    at = at.astimezone(UTC)
    if now is None or at.year != now.year:
        return f"{at:%Y-%m-%d %H:%M}{' UTC' if now is None else ''}"
    return f"{at:%H:%M}" if at.date() == now.date() else f"{at:%b} {at.day} {at:%H:%M}"


def taken(ack: Ack, now: datetime | None = None) -> str:
    """Who has an alert, since when, until when, and why; as long as `moment` without `now`."""
    text = f"taken by {safe(ack.by, NAME)} {moment(ack.at, now)}, until {moment(ack.until, now)}"
    return f"{text}: {safe(ack.why, WHY)}" if ack.why.strip() else text


def hushed(suppression: Suppression) -> str:
    """Why nobody is told of an alert: the reason says who, why and until when."""
    reason = safe(suppression.reason, WHY + NAME)
    return reason if reason.startswith(suppression.kind) else f"{suppression.kind}: {reason}"


def matcher_words(matchers: Matchers) -> str:
    """Which alerts: what is asked for, without what may be anything.

    >>> matcher_words(Matchers(model="fraud-*", severity="warning")), matcher_words(Matchers())
    ('model fraud-*, severity warning', 'everything')
    """
    asked = ((field.name, getattr(matchers, field.name)) for field in fields(matchers))
    return ", ".join(f"{name} {safe(glob, 60)}" for name, glob in asked if glob != "*") or "everything"


def silence_words(silence: Silence, now: datetime) -> str:
    """One silence: until when, who and why; that it is over, or has yet to begin, where it is so."""
    if silence.end <= now:
        span = f"ended {moment(silence.end, now)}"
    elif silence.start > now:
        span = f"from {moment(silence.start, now)} until {moment(silence.end, now)}"
    else:
        span = f"until {moment(silence.end, now)}"
    return f"{span}, {safe(silence.by, NAME)}: {safe(silence.why, WHY)}"


def note_words(note: Note, now: datetime) -> str:
    """When, who and what."""
    return f"{moment(note.at, now)} {safe(note.by, NAME)}: {safe(note.text, WHY)}"


def handled(episode: Episode, snapshot: Snapshot, now: datetime | None = None) -> list[str]:
    """Who has an alert, and why nobody is told of it, a clause each; none where nobody did anything."""
    if episode.id is None:
        return []
    ack, suppression = snapshot.acks.get(episode.id), snapshot.suppressed.get(episode.id)
    return [
        *([taken(ack, now)] if ack is not None else []),
        *([hushed(suppression)] if suppression is not None else []),
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
NAMED = 8
"""Models named in one line."""


def status(snapshot: Snapshot) -> Severity:
    """The worst severity of any model; without any model and any alert, unknown."""
    found = [verdict.severity for verdict in snapshot.verdicts]
    found += [episode.severity for episode in snapshot.episodes if episode.stands]
    return max(found, default=Severity.UNKNOWN)


def exit_code(snapshot: Snapshot) -> int:
    """0 ok, 1 warning, 2 critical, 3 unknown."""
    return EXIT_CODES[status(snapshot)]


def headline(snapshot: Snapshot) -> str:
    """The verdict on everything in at most 80 cells, the worst model named."""
    models = len(snapshot.verdicts)
    if not models:
        return "UNKNOWN: no model found; there is nothing to judge"
    worst = status(snapshot)
    if worst is Severity.OK:
        rules = sum(one.left_out is None and not too_new(one) for one in snapshot.standings)
        said = f"{plural(rules, 'rule')} hold{'s' if rules == 1 else ''}" if rules else "no rule judges any of them"
        return f"OK: {plural(models, 'model')}, {said}"
    counts = Counter(verdict.severity for verdict in snapshot.verdicts)
    words = [f"{counts[severity]} {severity.name.lower()}" for severity in MARKS if severity and counts[severity]]
    first = next((episode for episode in snapshot.episodes if episode.stands), None)
    named = f": {safe(first.key.model, 40)} {_about(first)}" if first else _unjudged(snapshot)
    if models == 1 and named:
        return clip(f"{worst.name}{named}", FIRST_LINE)
    line = f"{worst.name}: {', '.join(words)} of {plural(models, 'model')}{named}"
    # What is wrong is worth more than a word that can be guessed.
    return line if width(line) <= FIRST_LINE else clip(line.replace(" models:", ":", 1), FIRST_LINE)


def _unjudged(snapshot: Snapshot) -> str:
    """The first model that nothing could be judged of for want of labels."""
    first = next((one for one in snapshot.verdicts if one.severity and one.model in snapshot.labels), None)
    return f": {safe(first.model, 40)} {snapshot.labels[first.model].sentence}" if first else ""


def too_new(one: Standing) -> bool:
    """Whether there is too little history to judge by the rule; what follows the last colon is our own words."""
    return one.sentence.rpartition(": ")[2].startswith("too little history")


def left_out(standings: Iterable[Standing]) -> Iterator[str]:
    """Default rules that were not applied, the models of one reason in one line."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for item in standings:
        if item.left_out is not None:
            grouped.setdefault((item.key.metric, item.left_out), []).append(safe(item.key.model, 60))
    for (metric, reason), models in grouped.items():
        rest = f" and {plural(len(models) - NAMED, 'more model')}" if len(models) > NAMED else ""
        yield f"  {safe(metric)} of {', '.join(models[:NAMED])}{rest}: {reason}"


def mark_of(severity: Severity) -> str:
    """Shape and word in eight cells."""
    shape, word = MARKS[severity]
    return f"{shape} {word:5} "


def alert_line(
    episode: Episode, snapshot: Snapshot | None = None, *, name: str | None = None, whole: bool = True
) -> str:
    """One alert in one line.

    Args:
        episode: The alert.
        snapshot: Adds who has it and why nobody is told, where somebody did something about it.
        name: The id to show before it, with how it ended; None: neither is shown.
        whole: False where the model is named already.
    """
    shape, word = ("·", "pend") if episode.state is State.PENDING else MARKS[episode.severity]
    count = "" if episode.count is None else f", n {plain(episode.count)}"
    line = f"{shape} {word:5} {safe(episode.key.model, 60)}" if whole else f"{shape} {word}"
    line += f" {_about(episode)}"
    if episode.condition is Condition.THRESHOLD:
        line += f", {plural(episode.periods, 'period')}"
    line += f", since {day(episode.since)}{count}"
    if episode.state in (State.RECOVERING, State.PENDING):
        line += f", {episode.state.value}"
    if name is not None:
        ended = f", resolved {day(episode.resolved)}" if episode.resolved else ""
        line = f"{name:8}  {line}{ended}"
    said = handled(episode, snapshot) if snapshot is not None else []
    return "; ".join((line, *said))


def _about(episode: Episode) -> str:
    """The metric, its segment, and the value against the limit."""
    message = episode.evidence.message if episode.evidence else episode.condition.value
    if episode.condition is not Condition.THRESHOLD:
        return safe(message)
    return f"{series_name(episode.key)} {safe(message)}"


def series_name(key: SeriesKey) -> str:
    """The metric, with its segment where that is not all, made safe."""
    name = safe(key.metric, 60)
    return name if key.segment == "all" else f"{name} [{safe(key.segment, 60)}]"


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
        size = width(word)
        if not fresh and used + 1 + size > cells:
            yield line.rstrip()
            line, used, fresh = " " * hang, hang, True
        line, used = (line + word, used + size) if fresh else (f"{line} {word}", used + 1 + size)
        fresh = False
    yield line
