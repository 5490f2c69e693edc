"""`modeltop silence`: stop notifications of matching alerts for a while; the alerts are still shown."""

from __future__ import annotations

import argparse
from datetime import timedelta

from modeltop.alerting import actions
from modeltop.alerting.event_log.event_log import author
from modeltop.alerting.state import SILENCE_RETENTION
from modeltop.alerting.suppression import preview_silence
from modeltop.cli.context import Context, add_source, parse_moment
from modeltop.cli.targets import event_log_for, parse_duration, warn_of_clock
from modeltop.core.errors import UsageError
from modeltop.core.incident import Matchers
from modeltop.core.text import did_you_mean, exact_glob, format_minute, pluralize, sanitize
from modeltop.report.phrases import describe_matchers, describe_silence, list_names

DEFAULT_DURATION = timedelta(hours=1)
LABELS = ("model", "metric", "segment", "rule", "severity")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `silence` to its parser."""
    parser.add_argument(
        "action", metavar="MODEL | add | list | expire", help="`expire` needs the start of a silence's id"
    )
    for name in LABELS:
        parser.add_argument(
            f"--{name}", metavar="GLOB", help="warning, unknown or critical" if name == LABELS[-1] else None
        )
    parser.add_argument(
        "--for", dest="duration", type=parse_duration, metavar="TIME", help="how long, such as 2h; at most 30d"
    )
    parser.add_argument("--start", type=parse_moment, metavar="DATE", help="when it starts (default: now)")
    parser.add_argument("--why", metavar="TEXT", help="the reason, shown to everyone")
    add_source(parser)
    parser.usage = (
        "%(prog)s MODEL --why TEXT [--for TIME] [--start DATE] [PATH ...]\n"
        "       %(prog)s add [--model GLOB] [--metric GLOB] [--segment GLOB] [--rule GLOB] [--severity GLOB]\n"
        "                            --why TEXT [--for TIME] [--start DATE] [PATH ...]\n"
        "       %(prog)s list [PATH ...]\n"
        "       %(prog)s expire ID [PATH ...]"
    )
    parser.epilog = (
        "Receivers are still notified when an alert of which they were notified resolves.\n"
        "Exit codes: 0 done, 2 refused, not found, or not saved."
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Add, list or expire silences, depending on `args.action`."""
    if args.action not in ("add", "list", "expire"):
        if args.model is not None:
            raise UsageError("`silence MODEL` does not accept --model: use `silence add --model GLOB`")
        args.named, args.action = context.current_name(args.action, args), "add"
        args.model = exact_glob(args.named)
    if args.action != "add" and any(getattr(args, name) is not None for name in (*LABELS, "duration", "start", "why")):
        raise UsageError(f"only `silence add` accepts these options, `silence {args.action}` does not: leave them out")
    return {"add": _add, "list": _list, "expire": _expire}[args.action](args, context)


def _add(args: argparse.Namespace, context: Context) -> int:
    pipeline = context.pipeline(args)
    snapshot = pipeline.run(context.clock())
    event_log = event_log_for(pipeline)
    models = {status.model for status in snapshot.model_statuses}
    if (named := getattr(args, "named", None)) is not None and named not in models:
        near = did_you_mean(named, models) or ": `modeltop check` lists the models"
        raise UsageError(f"no model is called {sanitize(named, 60)}{near}")
    matchers = Matchers(**{name: glob for name in LABELS if (glob := getattr(args, name)) is not None})
    now = event_log.now()
    start = args.start or now
    events = actions.create_silence(
        matchers,
        snapshot.alerts,
        start=start,
        end=start + (args.duration or DEFAULT_DURATION),
        by=author(),
        reason=(args.why or "").strip(),
        now=now,
    )
    preview = preview_silence(matchers, snapshot.alerts)
    silenced = list(dict.fromkeys(sanitize(alert.key.model, 60) for alert in preview.matching))
    names = f", of {pluralize(len(silenced), 'model')}: {list_names(silenced)}" if silenced else ""
    context.err_line(f"matches {len(preview.matching)} of {pluralize(preview.active_count, 'active alert')}{names}")
    if preview.warning:
        context.err_line(preview.warning)
    event_log.append(*events)
    silence = events[0].silence
    start_text = "" if start <= now else f"from {format_minute(start, now)} "
    context.out_line(
        f"{silence.id} silences {describe_matchers(matchers)} {start_text}until {format_minute(silence.end, now)}"
    )
    warn_of_clock(event_log, context)
    return 0


def _list(args: argparse.Namespace, context: Context) -> int:
    event_log = event_log_for(context.pipeline(args))
    now = event_log.now()
    silences = [silence for silence in event_log.state().silences if silence.end >= now - SILENCE_RETENTION]
    for silence in sorted(silences, key=lambda silence: silence.end, reverse=True):
        context.out_line(
            f"{sanitize(silence.id, 20)}  {describe_matchers(silence.matchers)}: {describe_silence(silence, now)}"
        )
    empty = "no silences, now or in the last 5 days: `modeltop silence MODEL --why TEXT` adds one"
    context.err_line("times are UTC" if silences else empty)
    return 0


def _expire(args: argparse.Namespace, context: Context) -> int:
    if not args.paths:
        raise UsageError("name one: `modeltop silence expire ID`; `modeltop silence list` shows them")
    prefix, *args.paths = args.paths
    event_log = event_log_for(context.pipeline(args))
    (event,) = actions.expire_silence(event_log.state(), prefix, by=author(), now=event_log.now())
    # Decide again on the state written in the meantime, by the full id: another silence may have got the same prefix.
    event_log.update(
        lambda state: actions.expire_silence(state, event.silence, by=event.by, now=event_log.now_given(state))
    )
    context.out_line(f"silence {sanitize(event.silence, 20)} expired: notifications of its alerts resume")
    return 0
