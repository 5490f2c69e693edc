"""`modeltop silence`: alerts that nobody is told of for a while; they are shown all the same."""

from __future__ import annotations

import argparse
from dataclasses import fields
from datetime import timedelta

from modeltop.cli.context import Context, add_source, parse_moment
from modeltop.cli.targets import event_log_for, list_alerts, parse_duration
from modeltop.core.errors import UsageError
from modeltop.core.text import pluralize, sanitize

DEFAULT_DURATION = timedelta(hours=1)
LABELS = ("model", "metric", "segment", "rule", "severity")


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `silence`."""
    parser.add_argument("deed", choices=("add", "list", "expire"), help="`expire` takes the begin of a silence's id")
    for name in LABELS:
        parser.add_argument(
            f"--{name}", metavar="GLOB", help="warning, unknown or critical" if name == LABELS[-1] else None
        )
    parser.add_argument(
        "--for", dest="lasting", type=parse_duration, metavar="TIME", help="how long, such as 2h; at most 30d"
    )
    parser.add_argument("--start", type=parse_moment, metavar="DATE", help="when it begins (default: now)")
    parser.add_argument("--why", metavar="TEXT", help="the reason, which all will see")
    add_source(parser)
    parser.usage = (
        "%(prog)s add [--model GLOB] [--metric GLOB] [--segment GLOB] [--rule GLOB] [--severity GLOB]\n"
        "                            --why TEXT [--for TIME] [--start DATE] [PATH ...]\n"
        "       %(prog)s list [PATH ...]\n"
        "       %(prog)s expire ID [PATH ...]"
    )
    parser.epilog = (
        "who was told of an alert is told that it is over, silenced or not; "
        "exit codes: 0 done, 2 refused, not found, or nothing could be kept"
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Add, list or end silences."""
    if args.deed != "add" and any(getattr(args, name) is not None for name in (*LABELS, "lasting", "start", "why")):
        raise UsageError(f"only `silence add` takes such options, `silence {args.deed}` does not: leave them out")
    return {"add": _add, "list": _list, "expire": _expire}[args.deed](args, context)


def _add(args: argparse.Namespace, context: Context) -> int:
    from modeltop.alerting import actions
    from modeltop.alerting.event_log.event_log import author
    from modeltop.alerting.suppression import format_minute, preview_silence
    from modeltop.core.incident import Matchers
    from modeltop.report.phrases import describe_matchers

    observer = context.pipeline(args)
    snapshot = observer.run(context.clock())
    journal = event_log_for(observer)
    given = {field.name: getattr(args, field.name) for field in fields(Matchers)}
    matchers = Matchers(**{name: glob for name, glob in given.items() if glob is not None})
    now = journal.now()
    start = args.start or now
    silenced = actions.create_silence(
        matchers,
        snapshot.alerts,
        start=start,
        end=start + (args.lasting or DEFAULT_DURATION),
        by=author(),
        reason=(args.why or "").strip(),
        now=now,
    )
    found = preview_silence(matchers, snapshot.alerts)
    context.err_line(f"matches {len(found.matching)} of {pluralize(found.active_count, 'alert')} that stand")
    for line in list_alerts(found.matching, snapshot.alerting_state):
        context.err_line(f"  {line}")
    if found.warning:
        context.err_line(found.warning)
    journal.append(*silenced)
    silence = silenced[0].silence
    begins = "" if start <= now else f"from {format_minute(start)} "
    context.out_line(
        f"{silence.id} silences {describe_matchers(matchers)} {begins}until {format_minute(silence.end)}"
    )
    return 0


def _list(args: argparse.Namespace, context: Context) -> int:
    from modeltop.report.phrases import describe_matchers, describe_silence

    journal = event_log_for(context.pipeline(args))
    facts, now = journal.state(), journal.now()
    for silence in sorted(facts.silences, key=lambda one: one.end, reverse=True):
        context.out_line(
            f"{sanitize(silence.id, 20)}  {describe_matchers(silence.matchers)}: {describe_silence(silence, now)}"
        )
    context.err_line("times are UTC" if facts.silences else "no silence, now or in the last 5 days")
    return 0


def _expire(args: argparse.Namespace, context: Context) -> int:
    from modeltop.alerting import actions
    from modeltop.alerting.event_log.event_log import author

    if not args.paths:
        raise UsageError("say which: `modeltop silence expire ID`; `modeltop silence list` shows them")
    prefix, *args.paths = args.paths
    journal = event_log_for(context.pipeline(args))
    (meant,) = actions.expire_silence(journal.state(), prefix, by=author(), now=journal.now())
    journal.update(
        lambda facts: actions.expire_silence(facts, meant.silence, by=meant.by, now=journal.now_given(facts))
    )
    context.out_line(f"silence {sanitize(meant.silence, 20)} is over: its alerts are told again")
    return 0
