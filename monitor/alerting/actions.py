"""What a person may do, as events to be kept; pure, so that the screen and the command line decide alike.

Each is meant for `Journal.act`, which gives it the newest facts: whoever comes second is told by a UsageError who was
first, and nothing is kept.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from modeltop.alerting.incidents import find_incident
from modeltop.alerting.suppression import acknowledged_alerts, silence_error
from modeltop.core.errors import UsageError
from modeltop.core.event import Acknowledged, NoteAdded, SilenceCreated, SilenceExpired, Unacknowledged
from modeltop.core.incident import Acknowledgement, AlertingState, Matchers, Note, Silence
from modeltop.core.series import Alert
from modeltop.core.text import sanitize

MAX_NAME = 64
"""Characters of a name."""


def author(environ: Mapping[str, str] = os.environ) -> str:
    """The login name of this process's user, else `uid N`; where sudo says for whom it acts, that too.

    Args:
        environ: Where `SUDO_USER` may stand; it is only mentioned, never believed.
    """
    number = os.getuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:
        name = f"uid {number}"
    behind = environ.get("SUDO_USER", "")[:MAX_NAME]
    return f"{name} (sudo by {behind})" if behind and behind != name else name


TEXT_LIMIT = 500
"""Characters of a reason or a note."""
ACK_DURATION = timedelta(hours=24)
MAX_ACK_DURATION = timedelta(days=30)

_HEX = re.compile(r"[0-9a-f]{1,8}")


def resolve_target(target: str, episodes: Iterable[Alert], facts: AlertingState) -> list[Alert]:
    """The standing alerts that are meant: those of a model, else of `MODEL/METRIC`, else those whose id begins so.

    Args:
        target: What a person wrote. An alert answers to its own id and to that of its incident.
        episodes: All of a snapshot.
        facts: Where incidents stand.
    """
    standing = [episode for episode in episodes if episode.is_active]
    for name in ("{0.model}", "{0.model}/{0.metric}"):
        if found := [episode for episode in standing if name.format(episode.key) == target]:
            return found
    prefix = target.lower()
    if not _HEX.fullmatch(prefix):
        return []
    return [one for one in standing if any(name.startswith(prefix) for name in (incident_id(one, facts), one.id or ""))]


def incident_id(episode: Alert, facts: AlertingState) -> str:
    """The id by which people know it: that of its incident, else its own."""
    incident = find_incident(episode, facts)
    return incident.id if incident else episode.id or ""


def acknowledge(
    facts: AlertingState, episode: Alert, *, by: str, reason: str, now: datetime, duration: timedelta = ACK_DURATION
) -> tuple[Acknowledged]:
    """A person takes an alert; the same person may do so again, for a new reason or longer.

    Raises:
        UsageError: Another has it, or the time or the reason is impossible.
    """
    _check_text("reason", reason)
    if not timedelta(0) < duration <= MAX_ACK_DURATION:
        raise UsageError(
            f"an acknowledgement lasts more than nothing and at most {MAX_ACK_DURATION.days} days: say by --for"
        )
    held = current_acknowledgement(facts, episode, now)
    if held is not None and held.by != by:
        raise UsageError(f"{sanitize(held.by, 64)} has had it since {format_minute(held.at)}{_because(held.reason)}")
    name = held.incident if held is not None else incident_id(episode, facts)
    # Who takes it for longer does so for the same reason, unless another is given.
    reason = reason if reason.strip() or held is None else held.reason
    ack = Acknowledgement(
        name, episode.rule, episode.key, episode.severity, by, reason, now, now + duration, episode.since
    )
    return (Acknowledged(now, ack),)


def current_acknowledgement(facts: AlertingState, episode: Alert, now: datetime) -> Acknowledgement | None:
    """Who has the alert now."""
    return acknowledged_alerts((episode,), facts, now).get(episode.id or "")


def unacknowledge(facts: AlertingState, ack: Acknowledgement, *, by: str, now: datetime) -> tuple[Unacknowledged]:
    """A person gives an alert back, their own or another's.

    Raises:
        UsageError: It was given back, or taken anew, meanwhile.
    """
    if ack not in facts.acks:
        raise UsageError(f"{sanitize(ack.by, 64)} has not got it any more: look again")
    return (Unacknowledged(now, ack.incident, by),)


def create_silence(
    matchers: Matchers,
    episodes: Sequence[Alert],
    *,
    start: datetime,
    end: datetime,
    by: str,
    reason: str,
    now: datetime,
) -> tuple[SilenceCreated]:
    """A person silences alerts.

    Raises:
        UsageError: It would silence everything, or for too long, or without a reason.
    """
    _check_text("reason", reason)
    if (refused := silence_error(matchers, start, end, reason, episodes)) is not None:
        raise UsageError(refused)
    if end <= now:
        raise UsageError(f"it would end {format_minute(end)}, which is over: say when by --start and --for")
    parts = (*(getattr(matchers, name) for name in Matchers.__slots__), by, reason, *map(str, (start, end, now)))
    name = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return (SilenceCreated(now, Silence(name, matchers, start, end, by, reason, now)),)


def expire_silence(facts: AlertingState, prefix: str, *, by: str, now: datetime) -> tuple[SilenceExpired]:
    """A person ends a silence before its time.

    Raises:
        UsageError: There is none, it has ended, or several begin so.
    """
    found = [silence for silence in facts.silences if silence.id.startswith(prefix.lower())]
    if exact := [silence for silence in found if silence.end > now]:
        found = exact
    if not found:
        raise UsageError(f"no silence is called {sanitize(prefix, 40)}: `modeltop silence list` shows them")
    if len(found) > 1:
        names = ", ".join(silence.id for silence in found)
        raise UsageError(f"{sanitize(prefix, 40)} begins the names of {names}: say which")
    if found[0].end <= now:
        raise UsageError(f"silence {found[0].id} ended {format_minute(found[0].end)}")
    return (SilenceExpired(now, found[0].id, by),)


def add_note(model: str, text: str, *, by: str, now: datetime, at: datetime | None = None) -> tuple[NoteAdded]:
    """A person writes down what they know of a model, or of all by a glob.

    Raises:
        UsageError: Nothing is said, or too much.
    """
    _check_text("note", text)
    if not text.strip() or not model.strip():
        raise UsageError("a note without model or text says nothing: give both")
    return (NoteAdded(now, Note(model, text, by, at or now)),)


def format_minute(moment: datetime) -> str:
    """The minute, in UTC.

    >>> format_minute(datetime(2025, 1, 10, 14, 3, 27, tzinfo=UTC))
    '2025-01-10 14:03 UTC'
    """
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _because(why: str) -> str:
    return f": {sanitize(why)}" if why.strip() else ""


def _check_text(what: str, text: str) -> None:
    if len(text) > TEXT_LIMIT:
        raise UsageError(f"the {what} has {len(text):,} characters: {TEXT_LIMIT} are enough")
