"""`modeltop baseline`: accept the values of a model from a date on as its new baseline."""

from __future__ import annotations

import argparse

from modeltop.alerting import actions
from modeltop.alerting.event_log.event_log import author
from modeltop.cli.context import Context, add_source, parse_moment
from modeltop.cli.targets import event_log_for
from modeltop.core.errors import UsageError
from modeltop.core.series import to_datetime64
from modeltop.core.text import did_you_mean, format_day, pluralize, sanitize
from modeltop.rules.snapshot import Snapshot


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `baseline` to its parser."""
    parser.add_argument("model", metavar="MODEL", help="the exact name")
    parser.add_argument(
        "--from", dest="start", type=parse_moment, required=True, metavar="DATE", help="of the retraining or release"
    )
    add_source(parser)
    parser.epilog = (
        "Rules compare later periods with those from DATE on. Active alerts end as `new baseline accepted`.\n"
        "Exit codes: 0 accepted, 2 no such model or period, or not saved."
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Restart the baselines of one model."""
    args.model = context.current_name(args.model, args)
    pipeline = context.pipeline(args)
    before = pipeline.run(context.clock())
    event_log, name = event_log_for(pipeline), sanitize(args.model, 60)
    periods = before.history.periods
    if args.model not in periods:
        raise UsageError(f"no model is called {name}{did_you_mean(args.model, periods)}")
    times = periods[args.model]
    event_log.append(*actions.restart_baseline(args.model, args.start, times, by=author(), now=event_log.now()))
    later = int((times >= to_datetime64(args.start)).sum())
    active, remaining = (_active_alerts(snapshot, args.model) for snapshot in (before, pipeline.run(context.clock())))
    alerts = f"; {pluralize(len(active - remaining), 'alert')} ended" if active - remaining else ""
    alerts += f"; {pluralize(len(remaining), 'alert')} still active" if remaining else ""
    context.out_line(
        f"new baseline of {name} from {format_day(args.start)} on: {pluralize(later, 'period')} so far{alerts}"
    )
    return 0


def _active_alerts(snapshot: Snapshot, model: str) -> set[str | None]:
    return {alert.id for alert in snapshot.alerts if alert.is_active and alert.key.model == model}
