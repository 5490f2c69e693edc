"""`modeltop ack` and `modeltop unack`: acknowledge an incident, or take that back."""

from __future__ import annotations

import argparse

from modeltop.alerting import actions
from modeltop.alerting.event_log.event_log import author
from modeltop.cli.context import Context, add_source
from modeltop.cli.targets import incident_line, parse_duration, resolve_incident, warn_of_clock
from modeltop.core.errors import UsageError
from modeltop.core.text import format_minute
from modeltop.report.phrases import describe_ack


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ack` to its parser."""
    parser.add_argument(
        "target", metavar="INCIDENT", help="MODEL, MODEL/METRIC, or the start of an incident's or alert's id"
    )
    parser.add_argument("--why", metavar="TEXT", default="", help="what you are doing about it")
    parser.add_argument(
        "--for",
        dest="duration",
        type=parse_duration,
        metavar="TIME",
        help="how long, such as 4h (default: watch.ack_for, or 24h)",
    )
    add_source(parser)
    parser.epilog = (
        "It ends when the incident gets worse or is resolved, when its time is up, or by `unack`.\n"
        "Exit codes: 0 acknowledged, 2 acknowledged by another person, no such incident, several match, or not saved."
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Acknowledge the open incident of a model, unless another person has."""
    incident, snapshot, event_log = resolve_incident(args, context)
    duration = args.duration or context.load_config(args).watch.ack_for
    by, reason = author(), args.why.strip()
    state = event_log.update(
        lambda state: actions.acknowledge(
            state,
            incident,
            snapshot.alerts,
            by=by,
            reason=reason,
            now=event_log.now_given(state),
            duration=duration,
        )
    )
    until = format_minute(state.acks[-1].until, state.acks[-1].at)
    context.out_line(f"acknowledged until {until}: {incident_line(incident, snapshot)}")
    warn_of_clock(event_log, context)
    return 0


def configure_unack(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `unack` to its parser."""
    parser.add_argument("target", metavar="INCIDENT", help="as for `ack`")
    add_source(parser)
    parser.epilog = "Exit codes: 0 un-acknowledged, 2 not acknowledged, no such incident, several match, or not saved."


def run_unack(args: argparse.Namespace, context: Context) -> int:
    """End the acknowledgement of an incident, regardless of who acknowledged it."""
    incident, snapshot, event_log = resolve_incident(args, context)
    line = incident_line(incident, snapshot)
    ack = next((snapshot.acknowledgements[name] for name in incident.alerts if name in snapshot.acknowledgements), None)
    if ack is None:
        raise UsageError(f"not acknowledged: {line}")
    event_log.update(lambda state: actions.unacknowledge(state, ack, by=author(), now=event_log.now_given(state)))
    context.out_line(f"un-acknowledged ({describe_ack(ack, event_log.now())}): {line}")
    return 0
