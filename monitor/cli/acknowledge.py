"""`modeltop ack`, `unack`, `note` and `baseline`: what a person says of a model and of its incident."""

from __future__ import annotations

import argparse
from fnmatch import fnmatchcase

from modeltop.alerting import actions
from modeltop.alerting.event_log.event_log import author
from modeltop.cli.context import Context, add_data, add_source, parse_moment
from modeltop.cli.targets import event_log_for, incident_line, parse_duration, resolve_incident, warn_of_clock
from modeltop.core.errors import UsageError
from modeltop.core.series import to_datetime64
from modeltop.core.text import did_you_mean, exact_glob, format_day, format_minute, pluralize, sanitize
from modeltop.report.phrases import describe_ack, describe_note


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


def configure_note(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `note` to its parser."""
    parser.add_argument("model", nargs="?", metavar="MODEL", help="its name, or a glob such as `churn-*`")
    parser.add_argument("text", nargs="?", metavar="TEXT", help="what happened, such as a release or a migration")
    add_data(parser)
    parser.add_argument("--at", type=parse_moment, metavar="DATE", help="when it happened (default: now)")
    parser.add_argument("--release", action="store_true", help="mark a release of the model: a drop may be rolled back")
    parser.add_argument("--list", action="store_true", help="print the notes: `note --list [MODEL [PATH ...]]`")
    parser.epilog = "Exit codes: 0 done, 2 not saved, or not readable."


def run_note(args: argparse.Namespace, context: Context) -> int:
    """Write down a note, or print the existing ones."""
    return _list(args, context) if args.list else _add(args, context)


def _add(args: argparse.Namespace, context: Context) -> int:
    if args.model is None or args.text is None:
        raise UsageError("a note needs a model and a text: `modeltop note MODEL TEXT`")
    args.model = context.current_name(args.model, args)
    pipeline = context.pipeline(args)
    event_log = event_log_for(pipeline)
    models = pipeline.read_history().periods
    glob = exact_glob(args.model) if args.model in models else args.model
    now, text = event_log.now(), args.text.strip()
    (event,) = actions.add_note(glob, text, by=author(), now=now, at=args.at, is_release=args.release)
    event_log.append(event)
    context.out_line(
        f"note added to {sanitize(args.model, 60)} at {format_minute(event.note.at, now)}: {sanitize(event.note.text)}"
    )
    if not any(fnmatchcase(model, glob) for model in models):
        context.err_line(f"no model is called {sanitize(args.model, 60)} yet{did_you_mean(args.model, models)}")
    return 0


def _list(args: argparse.Namespace, context: Context) -> int:
    if args.text is not None:
        args.paths = [args.text, *args.paths]
    event_log = event_log_for(context.pipeline(args))
    now = event_log.now()
    notes = [
        note
        for note in event_log.state().notes
        if args.model is None or fnmatchcase(args.model, note.model) or fnmatchcase(note.model, args.model)
    ]
    for note in sorted(notes, key=lambda note: note.at):
        context.out_line(f"{sanitize(note.model, 60)}: {describe_note(note, now)}")
    context.err_line("times are UTC" if notes else "no notes: `modeltop note MODEL TEXT` adds one")
    return 0


def configure_baseline(parser: argparse.ArgumentParser) -> None:
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


def run_baseline(args: argparse.Namespace, context: Context) -> int:
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
    active, remaining = (
        {alert.id for alert in snapshot.alerts if alert.is_active and alert.key.model == args.model}
        for snapshot in (before, pipeline.run(context.clock()))
    )
    alerts = f"; {pluralize(len(active - remaining), 'alert')} ended" if active - remaining else ""
    alerts += f"; {pluralize(len(remaining), 'alert')} still active" if remaining else ""
    context.out_line(
        f"new baseline of {name} from {format_day(args.start)} on: {pluralize(later, 'period')} so far{alerts}"
    )
    return 0
