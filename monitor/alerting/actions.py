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

from modeltop.alerting.incidents import incident_of
from modeltop.alerting.suppression import objection, taken
from modeltop.core.errors import UsageError
from modeltop.core.event import Acknowledged, Expired, Noted, Silenced, Unacknowledged
from modeltop.core.incident import Ack, Facts, Matchers, Note, Silence
from modeltop.core.series import Episode
from modeltop.core.text import safe

MOST = 64
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
    behind = environ.get("SUDO_USER", "")[:MOST]
    return f"{name} (sudo by {behind})" if behind and behind != name else name


TEXT_LIMIT = 500
"""Characters of a reason or a note."""
ACK_FOR = timedelta(hours=24)
ACK_MOST = timedelta(days=30)

_HEX = re.compile(r"[0-9a-f]{1,8}")


def named(target: str, episodes: Iterable[Episode], facts: Facts) -> list[Episode]:
    """The standing alerts that are meant: those of a model, else of `MODEL/METRIC`, else those whose id begins so.

    Args:
        target: What a person wrote. An alert answers to its own id and to that of its incident.
        episodes: All of a snapshot.
        facts: Where incidents stand.
    """
    standing = [episode for episode in episodes if episode.stands]
    for name in ("{0.model}", "{0.model}/{0.metric}"):
        if found := [episode for episode in standing if name.format(episode.key) == target]:
            return found
    prefix = target.lower()
    if not _HEX.fullmatch(prefix):
        return []
    return [one for one in standing if any(name.startswith(prefix) for name in (name_of(one, facts), one.id or ""))]


def name_of(episode: Episode, facts: Facts) -> str:
    """The id by which people know it: that of its incident, else its own."""
    incident = incident_of(episode, facts)
    return incident.id if incident else episode.id or ""


def take(
    facts: Facts, episode: Episode, *, by: str, why: str, now: datetime, lasting: timedelta = ACK_FOR
) -> tuple[Acknowledged]:
    """A person takes an alert; the same person may do so again, for a new reason or longer.

    Raises:
        UsageError: Another has it, or the time or the reason is impossible.
    """
    _check_text("reason", why)
    if not timedelta(0) < lasting <= ACK_MOST:
        raise UsageError(f"an acknowledgement lasts more than nothing and at most {ACK_MOST.days} days: say by --for")
    held = holder(facts, episode, now)
    if held is not None and held.by != by:
        raise UsageError(f"{safe(held.by, 64)} has had it since {when(held.at)}{_because(held.why)}")
    name = held.incident if held is not None else name_of(episode, facts)
    # Who takes it for longer does so for the same reason, unless another is given.
    why = why if why.strip() or held is None else held.why
    ack = Ack(name, episode.rule, episode.key, episode.severity, by, why, now, now + lasting, episode.since)
    return (Acknowledged(now, ack),)


def holder(facts: Facts, episode: Episode, now: datetime) -> Ack | None:
    """Who has the alert now."""
    return taken((episode,), facts, now).get(episode.id or "")


def give_back(facts: Facts, ack: Ack, *, by: str, now: datetime) -> tuple[Unacknowledged]:
    """A person gives an alert back, their own or another's.

    Raises:
        UsageError: It was given back, or taken anew, meanwhile.
    """
    if ack not in facts.acks:
        raise UsageError(f"{safe(ack.by, 64)} has not got it any more: look again")
    return (Unacknowledged(now, ack.incident, by),)


def hush(
    matchers: Matchers, episodes: Sequence[Episode], *, start: datetime, end: datetime, by: str, why: str, now: datetime
) -> tuple[Silenced]:
    """A person silences alerts.

    Raises:
        UsageError: It would silence everything, or for too long, or without a reason.
    """
    _check_text("reason", why)
    if (refused := objection(matchers, start, end, why, episodes)) is not None:
        raise UsageError(refused)
    if end <= now:
        raise UsageError(f"it would end {when(end)}, which is over: say when by --start and --for")
    parts = (*(getattr(matchers, name) for name in Matchers.__slots__), by, why, *map(str, (start, end, now)))
    name = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return (Silenced(now, Silence(name, matchers, start, end, by, why, now)),)


def expire(facts: Facts, prefix: str, *, by: str, now: datetime) -> tuple[Expired]:
    """A person ends a silence before its time.

    Raises:
        UsageError: There is none, it has ended, or several begin so.
    """
    found = [silence for silence in facts.silences if silence.id.startswith(prefix.lower())]
    if exact := [silence for silence in found if silence.end > now]:
        found = exact
    if not found:
        raise UsageError(f"no silence is called {safe(prefix, 40)}: `modeltop silence list` shows them")
    if len(found) > 1:
        names = ", ".join(silence.id for silence in found)
        raise UsageError(f"{safe(prefix, 40)} begins the names of {names}: say which")
    if found[0].end <= now:
        raise UsageError(f"silence {found[0].id} ended {when(found[0].end)}")
    return (Expired(now, found[0].id, by),)


def note(model: str, text: str, *, by: str, now: datetime, at: datetime | None = None) -> tuple[Noted]:
    """A person writes down what they know of a model, or of all by a glob.

    Raises:
        UsageError: Nothing is said, or too much.
    """
    _check_text("note", text)
    if not text.strip() or not model.strip():
        raise UsageError("a note without model or text says nothing: give both")
    return (Noted(now, Note(model, text, by, at or now)),)


def when(moment: datetime) -> str:
    """The minute, in UTC.

    >>> when(datetime(2025, 1, 10, 14, 3, 27, tzinfo=UTC))
    '2025-01-10 14:03 UTC'
    """
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _because(why: str) -> str:
    return f": {safe(why)}" if why.strip() else ""


def _check_text(what: str, text: str) -> None:
    if len(text) > TEXT_LIMIT:
        raise UsageError(f"the {what} has {len(text):,} characters: {TEXT_LIMIT} are enough")
