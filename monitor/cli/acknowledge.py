"""`modeltop ack` and `modeltop unack`: acknowledge an alert, or take that back."""

from __future__ import annotations

import argparse

from modeltop.alerting import actions
from modeltop.alerting.event_log.event_log import author
from modeltop.alerting.suppression import format_minute
from modeltop.cli.context import Context, add_source
from modeltop.cli.targets import parse_duration, resolve_alert, warn_of_clock
from modeltop.core.errors import UsageError
from modeltop.core.text import sanitize
from modeltop.report.phrases import alert_line, describe_ack


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ack` to its parser."""
    parser.add_argument(
        "target", metavar="ALERT", help="the begin of its id, or MODEL, or MODEL/METRIC, where only one alert is meant"
    )
    parser.add_argument("--why", metavar="TEXT", default="", help="what you are doing about it, for the others")
    parser.add_argument(
        "--for",
        dest="duration",
        type=parse_duration,
        metavar="TIME",
        help="how long, such as 4h (default: watch.ack_for, or 24h)",
    )
    add_source(parser)
    parser.epilog = (
        "it stops repeats and escalation until the alert gets worse or is over, the time has come, or `unack`; "
        "exit codes: 0 it is yours, 2 another has it, no or several alerts are meant, or nothing could be kept"
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Acknowledge one alert, unless another person has."""
    alert, _, event_log = resolve_alert(args, context)
    duration = args.duration or context.load_config(args).watch.ack_for
    user = author()
    state = event_log.update(
        lambda state: actions.acknowledge(
            state, alert, by=user, reason=args.why.strip(), now=event_log.now_given(state), duration=duration
        )
    )
    ack = state.acks[-1]
    context.out_line(f"{sanitize(ack.incident, 20)} is yours until {format_minute(ack.until)}: {alert_line(alert)}")
    warn_of_clock(event_log, context)
    return 0


def configure_unack(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `unack` to its parser."""
    parser.add_argument("target", metavar="ALERT", help="as for `ack`")
    add_source(parser)
    parser.epilog = "exit codes: 0 it was given back, 2 nobody has it, no or several alerts are meant, or nothing kept"


def run_unack(args: argparse.Namespace, context: Context) -> int:
    """End the acknowledgement of one alert, regardless of who acknowledged it."""
    alert, state, event_log = resolve_alert(args, context)
    ack = actions.current_acknowledgement(state, alert, event_log.now())
    if ack is None:
        raise UsageError(f"nobody has {actions.incident_id(alert, state)}: {alert_line(alert)}")
    event_log.update(lambda state: actions.unacknowledge(state, ack, by=author(), now=event_log.now_given(state)))
    context.out_line(f"{sanitize(ack.incident, 20)} was given back ({describe_ack(ack)}): {alert_line(alert)}")
    return 0
