"""Acknowledge, silence, note: people's actions as events to journal. Pure, so that screen and commands decide alike.

Called within `EventLog.update`, which passes the newest state. `by` is the person; `now` and other times are aware.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from modeltop.alerting.grouping import usual_gap
from modeltop.alerting.suppression import acknowledged_alerts, silence_error
from modeltop.core.errors import UsageError
from modeltop.core.event import (
    Acknowledged,
    BaselineRestarted,
    NoteAdded,
    SilenceCreated,
    SilenceExpired,
    Unacknowledged,
)
from modeltop.core.incident import (
    Acknowledgement,
    AlertingState,
    BaselineRestart,
    Incident,
    IncidentStatus,
    Matchers,
    Note,
    Silence,
)
from modeltop.core.series import Alert, Times, to_datetime
from modeltop.core.text import format_minute, format_period, holds_credentials, redact_credentials, sanitize
from modeltop.rules.snapshot import Snapshot

TEXT_LIMIT = 500
"""Maximum characters of a reason or a note."""
MAX_ACK_DURATION = timedelta(days=30)

_HEX = re.compile(r"[0-9a-f]{1,8}")


def resolve_target(target: str, snapshot: Snapshot) -> list[Incident]:
    """Return the open incidents that `target` names: a model, else `MODEL/METRIC`, else the start of an id."""
    alerts = {alert.id: alert for alert in snapshot.alerts if alert.is_active}
    prefix = target.lower()
    is_id = _HEX.fullmatch(prefix) is not None
    named, by_metric, by_id = list[Incident](), list[Incident](), list[Incident]()
    for incident in snapshot.incidents:
        if incident.status is not IncidentStatus.OPEN:
            continue
        active = [alerts[name] for name in incident.alerts if name in alerts]
        if incident.model == target:
            named.append(incident)
        elif any(f"{alert.key.model}/{alert.key.metric}" == target for alert in active):
            by_metric.append(incident)
        elif is_id and any(name.startswith(prefix) for name in (incident.id, *incident.alerts)):
            by_id.append(incident)
    return named or by_metric or by_id


def acknowledge(
    state: AlertingState,
    incident: Incident,
    alerts: Iterable[Alert],
    *,
    by: str,
    reason: str,
    now: datetime,
    duration: timedelta,
) -> tuple[Acknowledged]:
    """Acknowledge an open incident; the same person may do so again, for longer or a new reason (empty keeps the old).

    Args:
        state: The newest state.
        incident: An open incident of a snapshot.
        alerts: The alerts of the snapshot.
        by: The person.
        reason: What they are doing about it.
        now: Aware.
        duration: How long.

    Raises:
        UsageError: Another person has it, or the duration or the reason is out of range.
    """
    reason = redact_credentials(reason)
    _check_length("reason", reason)
    if not timedelta(0) < duration <= MAX_ACK_DURATION:
        raise UsageError(f"an acknowledgement lasts at most {MAX_ACK_DURATION.days} days: set --for")
    fired = [alert.fired or alert.since for alert in alerts if alert.id in incident.alerts] or [incident.started_at]
    acks = acknowledged_alerts((incident,), alerts, state, now).values()
    current = next(iter(acks), None)
    if current is not None and current.by != by:
        because = f": {sanitize(current.reason)}" if current.reason.strip() else ""
        raise UsageError(f"acknowledged by {sanitize(current.by, 64)} at {format_minute(current.at, now)}{because}")
    reason = reason if reason.strip() or current is None else current.reason
    until, about = now + duration, (incident.id, incident.model, incident.severity)
    return (Acknowledged(now, Acknowledgement(*about, by, reason, now, until, min(fired), max(fired))),)


def unacknowledge(state: AlertingState, ack: Acknowledgement, *, by: str, now: datetime) -> tuple[Unacknowledged]:
    """Take back an acknowledgement; raise UsageError if it was undone or renewed since the person decided."""
    if ack not in state.acks:
        raise UsageError(f"no longer acknowledged by {sanitize(ack.by, 64)}: `modeltop alerts` shows by whom")
    return (Unacknowledged(now, ack.incident, by),)


def create_silence(
    matchers: Matchers,
    alerts: Sequence[Alert],
    *,
    start: datetime,
    end: datetime,
    by: str,
    reason: str,
    now: datetime,
) -> tuple[SilenceCreated]:
    """Silence matching alerts from `start` until before `end`; the id is a hash of all of its fields.

    Matchers of everything are recognized by the names in `alerts`, all of a snapshot.

    Raises:
        UsageError: It would silence everything, or for too long, or without a reason.
    """
    reason = redact_credentials(reason)
    _check_length("reason", reason)
    _check_names(*(getattr(matchers, name) for name in Matchers.__slots__))
    if (error := silence_error(matchers, start, end, reason, alerts)) is not None:
        raise UsageError(error)
    if end <= now:
        raise UsageError(f"it would end {format_minute(end, now)}, which is in the past: set --start and --for")
    fields = (*(getattr(matchers, name) for name in Matchers.__slots__), by, reason, *map(str, (start, end, now)))
    silence_id = hashlib.sha256("\0".join(fields).encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return (SilenceCreated(now, Silence(silence_id, matchers, start, end, by, reason, now)),)


def expire_silence(state: AlertingState, prefix: str, *, by: str, now: datetime) -> tuple[SilenceExpired]:
    """End a silence before its time; of several whose id starts with `prefix`, one that is in force counts.

    Raises:
        UsageError: No silence, an ended one or several have such an id.
    """
    matches = [silence for silence in state.silences if silence.id.startswith(prefix.lower())]
    matches = [silence for silence in matches if silence.end > now] or matches
    if not matches:
        raise UsageError(f"no silence is called {sanitize(prefix, 40)}: `modeltop silence list` shows them")
    if len(matches) > 1:
        names = ", ".join(silence.id for silence in matches)
        raise UsageError(f"{sanitize(prefix, 40)} matches {names}: name one")
    (silence,) = matches
    if silence.end <= now:
        raise UsageError(f"silence {silence.id} ended {format_minute(silence.end, now)}")
    return (SilenceExpired(now, silence.id, by),)


def add_note(
    model: str, text: str, *, by: str, now: datetime, at: datetime | None = None, is_release: bool = False
) -> tuple[NoteAdded]:
    """Add a note about a model.

    Args:
        model: Its name, or a glob of names.
        text: The note.
        by: The person.
        now: Aware.
        at: The moment that it is about; None for now.
        is_release: Whether it marks a release of the model.

    Raises:
        UsageError: Model or text is empty, or the text is too long.
    """
    text = redact_credentials(text)
    _check_length("note", text)
    _check_names(model)
    if not text.strip() or not model.strip():
        raise UsageError("a note needs a model and a text: give both")
    return (NoteAdded(now, Note(model, text, by, at or now, is_release)),)


def restart_baseline(
    model: str, start: datetime, periods: Times, *, by: str, now: datetime
) -> tuple[BaselineRestarted]:
    """Accept the values of a model from `start` on as its new baseline.

    Args:
        model: Its name.
        start: Aware.
        periods: All periods of the model, sorted.
        by: The person.
        now: Aware.

    Raises:
        UsageError: No period is before `start`, or none after it.
    """
    name, day = sanitize(model, 60), format_period(start)
    first, newest = to_datetime(periods[0]), to_datetime(periods[-1])
    if newest < start:
        raise UsageError(f"{name} has no period from {day} on: give an earlier DATE")
    if start <= first:
        raise UsageError(f"{name} has no period before {day}: give a DATE after {format_period(first)}")
    restart = BaselineRestart(start, newest, newest + usual_gap(periods, newest))
    return (BaselineRestarted(now, model, restart, by),)


def _check_names(*names: str) -> None:
    for name in filter(holds_credentials, names):
        raise UsageError(f"{sanitize(name, 60)} holds a password or a token: leave it out, `*` matches any text")


def _check_length(label: str, text: str) -> None:
    if len(text) > TEXT_LIMIT:
        raise UsageError(f"the {label} has {len(text):,} characters: {TEXT_LIMIT} are enough")
