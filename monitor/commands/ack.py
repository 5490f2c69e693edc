"""`modeltop ack`: a person has it."""

from __future__ import annotations

import argparse

from monitor.commands.base import Context, add_source
from monitor.commands.people import journal_of, span, the_one
from monitor.text import safe


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `ack`."""
    parser.add_argument(
        "target", metavar="ALERT", help="the begin of its id, or MODEL, or MODEL/METRIC, where only one alert is meant"
    )
    parser.add_argument("--why", metavar="TEXT", default="", help="what you are doing about it, for the others")
    parser.add_argument(
        "--for", dest="lasting", type=span, metavar="TIME", help="how long, such as 4h (default: watch.ack_for, or 24h)"
    )
    add_source(parser)
    parser.epilog = (
        "it stops repeats and escalation until the alert gets worse or is over, the time has come, or `unack`; "
        "exit codes: 0 it is yours, 2 another has it, no or several alerts are meant, or nothing could be kept"
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Take one alert, unless another has it."""
    from monitor.journal import deeds
    from monitor.journal.author import author
    from monitor.report.text import alert_line

    observer = context.observer(args)
    snapshot = observer.observe(context.clock())
    journal = journal_of(observer)
    episode = the_one(args.target, snapshot, snapshot.facts)
    lasting = args.lasting or context.config(args).watch.ack_for
    by = author()
    facts = journal.act(
        lambda facts: deeds.take(
            facts, episode, by=by, why=args.why.strip(), now=journal.moment(facts), lasting=lasting
        )
    )
    ack = facts.acks[-1]
    context.say(f"{safe(ack.incident, 20)} is yours until {deeds.when(ack.until)}: {alert_line(episode)}")
    return 0
