"""What the commands that write to the event log share: the log, the incident that is meant, and lengths of time."""

from __future__ import annotations

import argparse
from datetime import timedelta

from modeltop.alerting.actions import resolve_target
from modeltop.alerting.event_log.event_log import EventLog
from modeltop.cli.context import Context
from modeltop.core import text as core_text
from modeltop.core.errors import StoreError, UsageError
from modeltop.core.incident import CLOCK_TOLERANCE, Incident
from modeltop.core.text import format_age, pluralize, sanitize
from modeltop.report.phrases import alert_line
from modeltop.rules.snapshot import Snapshot
from modeltop.service.health import read_last_health
from modeltop.service.leader import has_leader
from modeltop.service.pipeline import Pipeline

MAX_LISTED = 20


def parse_duration(text: str) -> timedelta:
    """Return a length of time on the command line, such as `30m`, `24h`, `7d`.

    Raises:
        ArgumentTypeError: It is none.
    """
    duration = core_text.parse_duration(text)
    if duration is None:
        raise argparse.ArgumentTypeError(f"invalid duration {sanitize(text, 40)!r}: {core_text.DURATION_HINT}")
    return duration


def event_log_for(pipeline: Pipeline) -> EventLog:
    """Return the event log of the data that a pipeline reads; raise StoreError if no folder can hold it."""
    if pipeline.state_reader.event_log is None:
        raise StoreError(f"nothing can be saved: {pipeline.state_reader.error}")
    return pipeline.state_reader.event_log


def warn_of_clock(event_log: EventLog, context: Context) -> None:
    """Print a warning if this machine's clock is ahead of the watcher's: then what a person set is not in force."""
    health = read_last_health(event_log.folder) if has_leader(event_log.folder) else None
    if health is None:
        return
    ahead = context.clock() - health.at
    if ahead > CLOCK_TOLERANCE + timedelta(seconds=3 * health.interval_seconds):
        context.err_line(
            f"the clock of this machine is {format_age(ahead)} ahead of the watcher's, so that is not in force: "
            "set the clock, then repeat the command"
        )


def resolve_incident(args: argparse.Namespace, context: Context) -> tuple[Incident, Snapshot, EventLog]:
    """Return the open incident that `args.target` means, the snapshot that it is of, and where actions are logged.

    Raises:
        UsageError: There is no such incident, or there are several, which are listed.
    """
    pipeline = context.pipeline(args)
    snapshot = pipeline.run(context.clock())
    event_log = event_log_for(pipeline)
    model, slash, metric = args.target.partition("/")
    target = context.current_name(args.target, args)
    if target == args.target:
        target = context.current_name(model, args) + slash + metric
    incidents = resolve_target(target, snapshot)
    if len(incidents) == 1:
        return incidents[0], snapshot, event_log
    is_model = target in {status.model for status in snapshot.model_statuses}
    target = sanitize(args.target, 60)
    if incidents:
        lines = [incident_line(incident, snapshot) for incident in incidents[:MAX_LISTED]]
        raise UsageError("\n".join([f"{target} matches several incidents: name one of these", *lines]))
    reason = f"no active alerts of {target}" if is_model else f"no incident or alert is called {target}"
    raise UsageError(f"{reason}: `modeltop alerts` lists the active ones")


def incident_line(incident: Incident, snapshot: Snapshot) -> str:
    """Return an incident in one line: its id, its lead alert, and how many others it has."""
    alert = next(alert for alert in snapshot.alerts if alert.id == incident.lead)
    active = {alert.id for alert in snapshot.alerts if alert.is_active}
    others = len(active & {*incident.alerts} - {incident.lead})
    rest = f", and {pluralize(others, 'more alert')}" if others else ""
    return f"{sanitize(incident.id, 20)}  {alert_line(alert, snapshot)}{rest}"
