"""`modeltop ack`: a person has it."""

from __future__ import annotations

import argparse

from modeltop.cli.context import Context, add_source
from modeltop.cli.targets import event_log_for, parse_duration, resolve_one
from modeltop.core.errors import UsageError
from modeltop.core.text import sanitize


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `ack`."""
    parser.add_argument(
        "target", metavar="ALERT", help="the begin of its id, or MODEL, or MODEL/METRIC, where only one alert is meant"
    )
    parser.add_argument("--why", metavar="TEXT", default="", help="what you are doing about it, for the others")
    parser.add_argument(
        "--for",
        dest="lasting",
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
    """Take one alert, unless another has it."""
    from modeltop.alerting import actions
    from modeltop.alerting.event_log.event_log import author
    from modeltop.alerting.suppression import format_minute
    from modeltop.report.phrases import alert_line

    observer = context.pipeline(args)
    snapshot = observer.run(context.clock())
    journal = event_log_for(observer)
    episode = resolve_one(args.target, snapshot, snapshot.alerting_state)
    lasting = args.lasting or context.load_config(args).watch.ack_for
    by = author()
    facts = journal.update(
        lambda facts: actions.acknowledge(
            facts, episode, by=by, reason=args.why.strip(), now=journal.now_given(facts), duration=lasting
        )
    )
    ack = facts.acks[-1]
    context.out_line(
        f"{sanitize(ack.incident, 20)} is yours until {format_minute(ack.until)}: {alert_line(episode)}"
    )
    return 0


def configure_unack(parser: argparse.ArgumentParser) -> None:
    """The arguments of `unack`."""
    parser.add_argument("target", metavar="ALERT", help="as for `ack`")
    add_source(parser)
    parser.epilog = "exit codes: 0 it was given back, 2 nobody has it, no or several alerts are meant, or nothing kept"


def run_unack(args: argparse.Namespace, context: Context) -> int:
    """Give one alert back, whoever has it."""
    from modeltop.alerting import actions
    from modeltop.alerting.event_log.event_log import author
    from modeltop.report.phrases import alert_line, describe_ack

    observer = context.pipeline(args)
    snapshot = observer.run(context.clock())
    journal = event_log_for(observer)
    episode = resolve_one(args.target, snapshot, snapshot.alerting_state)
    ack = actions.current_acknowledgement(snapshot.alerting_state, episode, journal.now())
    if ack is None:
        raise UsageError(f"nobody has {actions.incident_id(episode, snapshot.alerting_state)}: {alert_line(episode)}")
    journal.update(lambda facts: actions.unacknowledge(facts, ack, by=author(), now=journal.now_given(facts)))
    context.out_line(f"{sanitize(ack.incident, 20)} was given back ({describe_ack(ack)}): {alert_line(episode)}")
    return 0
