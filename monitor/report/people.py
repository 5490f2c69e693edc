"""What people did about an alert, in words: who has it, who is not told, why, and until when. Times are UTC."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime

from monitor.facts import Ack, Matchers, Note, Silence, Suppression
from monitor.records import Episode
from monitor.snapshot import Snapshot
from monitor.text import safe

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
