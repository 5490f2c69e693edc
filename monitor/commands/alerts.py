"""`modeltop alerts`: the alerts that stand, or all of the past."""

from __future__ import annotations

import argparse

from monitor.commands.base import Context, add_source


def configure_alerts(parser: argparse.ArgumentParser) -> None:
    """The arguments of `alerts`."""
    add_source(parser)
    parser.add_argument("--history", action="store_true", help="resolved alerts too, newest first")
    parser.add_argument("--json", action="store_true", help="as JSON, ASCII-escaped and exact")


def run_alerts(args: argparse.Namespace, context: Context) -> int:
    """List alerts; the exit code says only whether they could be listed."""
    import json

    from monitor.commands.check import tell_problems
    from monitor.journal.deeds import name_of
    from monitor.report.as_json import alert_record
    from monitor.report.text import alert_line

    snapshot = context.observer(args).observe(context.clock())
    shown = [episode for episode in snapshot.episodes if args.history or episode.resolved is None]
    if args.json:
        context.say(json.dumps([alert_record(episode, snapshot) for episode in shown], allow_nan=False, indent=1))
        return 0
    for episode in shown:
        context.say(alert_line(episode, snapshot, name=name_of(episode, snapshot.facts)))
    if not shown:
        context.tell("no alert stands" if not args.history else "no alert, now or in the past")
    tell_problems(snapshot.history.problems, context)
    return 0
