"""The timeline of a model's incidents in lines of text: fired, notified, acknowledged, resolved, and notes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from modeltop.alerting.incidents import NEW_BASELINE
from modeltop.alerting.timeline import IncidentTimeline, Timeline, TimelineEntry
from modeltop.core.text import format_day, format_minute, sanitize
from modeltop.report.phrases import series_name, severity_mark

WORDS = {
    "fired": "fired",
    "worse": "got worse",
    "better": "got better",
    "joined": "new alert",
    "alert-resolved": "an alert resolved; still active",
    "moved": "moved: late or corrected rows, or an edited rule",
    "missing": "rows",
    "resolved": "resolved",
    "withdrawn": "withdrawn",
    "merged": "merged",
    "known": "was over when the watcher first saw it",
    "notified": "notified",
    "sending": "notification started, unknown whether it arrived:",
    "abandoned": "could not notify",
    "acknowledged": "acknowledged by",
    "unacknowledged": "un-acknowledged by",
    "ack-ended": "no longer acknowledged by",
    "silenced": "silenced by",
    "silence-ended": "silence ended",
    "noted": "note by",
    "baseline-accepted": "new baseline accepted by",
}


def timeline_lines(timeline: Timeline, model: str, now: datetime) -> Iterator[str]:
    """Yield the incidents of a model with their entries, then its other notes and silences, a line each; sanitized."""
    listed = {(entry.at, entry.actor, entry.text) for incident in timeline.incidents for entry in incident.entries}
    for incident in timeline.incidents:
        yield _title(incident, model, now)
        for entry in incident.entries:
            yield f"  {format_minute(entry.at, now):>16}  {_entry_text(entry)}"
    others = [
        TimelineEntry(note.at, "noted", note.by, note.text)
        for note in timeline.notes
        if (note.at, note.by, note.text) not in listed
    ]
    for entry in sorted((*others, *timeline.silences), key=lambda entry: entry.at):
        yield f"{format_minute(entry.at, now)}  {_entry_text(entry)}"


def _title(timeline: IncidentTimeline, model: str, now: datetime) -> str:
    incident, name = timeline.incident, sanitize(timeline.id, 20)
    if incident is None:
        return f"{name}  {sanitize(model, 60)}"
    last = next((entry for entry in reversed(timeline.entries) if entry.event == incident.status.value), None)
    is_accepted = last is not None and last.text == NEW_BASELINE
    end = NEW_BASELINE if is_accepted else incident.status.value
    end += f" {format_day(incident.resolved_at, now)}" if incident.resolved_at else ""
    series = dict.fromkeys(series_name(member.key) for member in incident.members if member.key.metric != "*")
    subject = f": {', '.join(series)}" if series else ""
    mark, since = severity_mark(incident.peak_severity), format_day(incident.started_at, now)
    return f"{name}  {mark} {sanitize(incident.model, 60)}{subject}; since {since}, {end}"


def _entry_text(entry: TimelineEntry) -> str:
    words = WORDS.get(entry.event, entry.event)
    actor = f" {sanitize(entry.actor, 40)}" if entry.actor else ""
    if not entry.text:
        return f"{words}{actor}"
    text = sanitize(entry.text)
    return f"{words}{actor} ({text})" if entry.event == "notified" else f"{words}{actor}: {text}"
