"""`modeltop unack`: nobody has it any more."""

from __future__ import annotations

import argparse

from monitor.commands.base import Context, add_source
from monitor.commands.people import journal_of, the_one
from monitor.errors import UsageError
from monitor.text import safe


def configure_unack(parser: argparse.ArgumentParser) -> None:
    """The arguments of `unack`."""
    parser.add_argument("target", metavar="ALERT", help="as for `ack`")
    add_source(parser)
    parser.epilog = "exit codes: 0 it was given back, 2 nobody has it, no or several alerts are meant, or nothing kept"


def run_unack(args: argparse.Namespace, context: Context) -> int:
    """Give one alert back, whoever has it."""
    from monitor.journal import deeds
    from monitor.journal.author import author
    from monitor.report.people import taken
    from monitor.report.text import alert_line

    observer = context.observer(args)
    snapshot = observer.observe(context.clock())
    journal = journal_of(observer)
    episode = the_one(args.target, snapshot, snapshot.facts)
    ack = deeds.holder(snapshot.facts, episode, journal.now())
    if ack is None:
        raise UsageError(f"nobody has {deeds.name_of(episode, snapshot.facts)}: {alert_line(episode)}")
    journal.act(lambda facts: deeds.give_back(facts, ack, by=author(), now=journal.moment(facts)))
    context.say(f"{safe(ack.incident, 20)} was given back ({taken(ack)}): {alert_line(episode)}")
    return 0
