"""`modeltop story`: the timeline of each incident of a model: fired, sent, acknowledged, resolved, and notes."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from modeltop.alerting.event_log.codec import encode
from modeltop.alerting.incidents import NEW_BASELINE
from modeltop.alerting.timeline import IncidentTimeline, Timeline, TimelineEntry, build_timeline
from modeltop.cli.context import Context, add_data
from modeltop.cli.targets import event_log_for
from modeltop.core.text import did_you_mean, format_period, sanitize
from modeltop.report.phrases import MARKS, format_moment, series_name

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
"""Words by kind of entry; the name of the actor, if there is one, follows."""

INCIDENT_KEYS = {
    "status": "status",
    "level": "level",
    "peak": "peak_severity",
    "lead": "lead",
    "started_at": "started_at",
    "fired": "fired_at",
    "resolved": "resolved_at",
    "opened": "opened_at",
    "closed": "closed_at",
}
"""Field of an incident by its key in the JSON of this command."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `story` to its parser."""
    parser.add_argument("model", metavar="MODEL", help="its name, exactly")
    add_data(parser)
    parser.add_argument("--json", action="store_true", help="as JSON, ASCII-escaped and exact")
    parser.epilog = "exit codes: 0 printed, even if there is nothing; 2 the event log cannot be read"


def run(args: argparse.Namespace, context: Context) -> int:
    """Print all that the event log holds about one model."""
    pipeline = context.pipeline(args)
    event_log = event_log_for(pipeline)
    timeline = build_timeline(event_log.events(), args.model, event_log.now())
    state = event_log.state()
    if state.damaged_lines:
        context.err_line(
            f"{state.damaged_lines:,} damaged lines of the journal could not be read: something may be missing here"
        )
    if args.json:
        context.out_json(_timeline_json(timeline, args.model))
        return 0
    context.out_lines(_lines(timeline, args.model))
    if not timeline.incidents and not timeline.notes:
        models = {incident.model for incident in state.incidents.values()} | pipeline.read_history().periods.keys()
        name = sanitize(args.model, 60)
        context.err_line(
            f"no events of {name} yet: `modeltop watch` records them; `modeltop alerts --history` lists past alerts"
            if args.model in models
            else f"no model is called {name}{did_you_mean(args.model, models)}"
        )
    return 0


def _lines(timeline: Timeline, model: str) -> Iterator[str]:
    listed = {(entry.at, entry.actor, entry.text) for incident in timeline.incidents for entry in incident.entries}
    for incident in timeline.incidents:
        yield _title(incident, model)
        for entry in incident.entries:
            yield f"  {format_moment(entry.at)}  {_entry_text(entry)}"
    for note in timeline.notes:
        if (note.at, note.by, note.text) not in listed:
            yield f"{format_moment(note.at)}  note by {sanitize(note.by, 40)}: {sanitize(note.text)}"


def _title(timeline: IncidentTimeline, model: str) -> str:
    incident, name = timeline.incident, sanitize(timeline.id, 20)
    if incident is None:
        return f"{name}  {sanitize(model, 60)}"
    shape, word = MARKS[incident.peak_severity]
    last = next((entry for entry in reversed(timeline.entries) if entry.event == incident.status.value), None)
    is_accepted = last is not None and last.text == NEW_BASELINE
    end = NEW_BASELINE if is_accepted else incident.status.value
    end += f" {format_period(incident.resolved_at)}" if incident.resolved_at else ""
    series = dict.fromkeys(series_name(member.key) for member in incident.members if member.key.metric != "*")
    subject = f": {', '.join(series)}" if series else ""
    return (
        f"{name}  {shape} {word} {sanitize(incident.model, 60)}{subject}; since {format_period(incident.started_at)}, "
        f"{end}"
    )


def _entry_text(entry: TimelineEntry) -> str:
    """Return an entry in words, sanitized."""
    words = WORDS.get(entry.event, entry.event)
    actor = f" {sanitize(entry.actor, 40)}" if entry.actor else ""
    if not entry.text:
        return f"{words}{actor}"
    text = sanitize(entry.text)
    return f"{words}{actor} ({text})" if entry.event == "notified" else f"{words}{actor}: {text}"


def _timeline_json(timeline: Timeline, model: str) -> dict[str, object]:
    return {
        "model": model,
        "incidents": [_incident_json(incident) for incident in timeline.incidents],
        "notes": [
            {"at": note.at.isoformat(), "model": note.model, "by": note.by, "text": note.text}
            for note in timeline.notes
        ],
    }


def _incident_json(timeline: IncidentTimeline) -> dict[str, object]:
    return {
        "id": timeline.id,
        "alerts": [] if timeline.incident is None else encode(timeline.incident.members),
        **{
            key: None if timeline.incident is None else encode(getattr(timeline.incident, name))
            for key, name in INCIDENT_KEYS.items()
        },
        "events": [
            {"at": entry.at.isoformat(), "event": entry.event, "who": entry.actor or None, "text": entry.text}
            for entry in timeline.entries
        ],
    }
