"""`modeltop story`: the timeline of each incident of a model: fired, sent, acknowledged, resolved, and notes."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable

from modeltop.alerting.event_log.codec import encode
from modeltop.alerting.timeline import IncidentTimeline, Timeline, TimelineEntry, build_timeline, open_incident
from modeltop.cli.context import Context, add_data
from modeltop.cli.targets import event_log_for
from modeltop.core.text import did_you_mean, sanitize
from modeltop.report.timeline import timeline_lines

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


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `story` to its parser."""
    parser.add_argument("model", metavar="MODEL", help="the exact name")
    add_data(parser)
    parser.add_argument("--json", action="store_true", help="as JSON, ASCII-escaped and exact")
    parser.epilog = "Exit codes: 0 printed, even if empty, 2 the event log cannot be read."


def run(args: argparse.Namespace, context: Context) -> int:
    """Print all that the event log holds about one model."""
    args.model = context.current_name(args.model, args)
    pipeline = context.pipeline(args)
    event_log = event_log_for(pipeline)
    snapshot = pipeline.run(context.clock())
    current = open_incident(snapshot, args.model)  # no watcher may have recorded it
    timeline = build_timeline(event_log.events(), args.model, event_log.now(), current=current)
    state = event_log.state()
    if state.damaged_lines:
        context.err_line(
            f"{state.damaged_lines:,} damaged lines of the event log could not be read: this timeline may be incomplete"
        )
    if args.json:
        context.out_json(_timeline_json(timeline, args.model))
        return 0
    context.out_lines(timeline_lines(timeline, args.model, event_log.now()))
    if not (timeline.incidents or timeline.notes or timeline.silences):
        models = {incident.model for incident in state.incidents.values()} | snapshot.history.periods.keys()
        name = sanitize(args.model, 60)
        context.err_line(
            f"no events of {name} yet: `modeltop watch` records them; `modeltop alerts --history` lists past alerts"
            if args.model in models
            else f"no model is called {name}{_remedy(args, models)}"
        )
    return 0


def _remedy(args: argparse.Namespace, models: Iterable[str]) -> str:
    if os.path.lexists(args.model):
        return ", but a path: write it behind the model, as in `modeltop story MODEL PATH`"
    return did_you_mean(args.model, models) or ": `modeltop check` lists the models"


def _timeline_json(timeline: Timeline, model: str) -> dict[str, object]:
    return {
        "model": model,
        "incidents": [_incident_json(incident) for incident in timeline.incidents],
        "notes": [
            {"at": note.at.isoformat(), "model": note.model, "by": note.by, "text": note.text}
            for note in timeline.notes
        ],
        "silences": [_entry_json(entry) for entry in timeline.silences],
    }


def _entry_json(entry: TimelineEntry) -> dict[str, object]:
    return {"at": entry.at.isoformat(), "event": entry.event, "who": entry.actor or None, "text": entry.text}


def _incident_json(timeline: IncidentTimeline) -> dict[str, object]:
    return {
        "id": timeline.id,
        "alerts": [] if timeline.incident is None else encode(timeline.incident.members),
        **{
            key: None if timeline.incident is None else encode(getattr(timeline.incident, name))
            for key, name in INCIDENT_KEYS.items()
        },
        "events": [_entry_json(entry) for entry in timeline.entries],
    }
