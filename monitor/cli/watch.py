"""`modeltop watch`: evaluates on change and on a timer, and notifies receivers; a daemon, or one run from cron."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

from modeltop.alerting.dispatch import plan_notifications
from modeltop.alerting.event_log.event_log import EventLog, author
from modeltop.alerting.event_log.location import real_paths, state_folder
from modeltop.alerting.messages.compose import build_test_message, compose
from modeltop.alerting.messages.message import Message
from modeltop.alerting.state import apply_events
from modeltop.cli.context import FAILURES_BEFORE_ALERT, Context, add_data, check_paths_or_store
from modeltop.core.errors import StoreError, UsageError
from modeltop.core.event import ClockAcceptRequested, ReceiverTested
from modeltop.core.incident import AlertingState
from modeltop.core.text import format_duration, format_minute, pluralize, sanitize
from modeltop.history.files import STDIN
from modeltop.history.locations import is_address
from modeltop.history.store.durable import store_error
from modeltop.history.store.lock import make_folder
from modeltop.service.cycle import Cycle
from modeltop.service.daemon import Daemon, run_once
from modeltop.service.health import DaemonIdentity, print_status
from modeltop.service.incident_tracker import IncidentTracker
from modeltop.service.leader import LeaderLock, LockHolder
from modeltop.service.log import DaemonLog
from modeltop.service.pipeline import DaemonSettings, LoadSettings, Pipeline
from modeltop.service.receiver_health import disabled_receivers, receiver_changes
from modeltop.service.sender_threads import try_send
from modeltop.service.sending import routing_config


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `watch` to its parser."""
    add_data(parser)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--once", action="store_true", help="one cycle, for cron: retries are left for the next run")
    mode.add_argument("--status", action="store_true", help="watcher status, with an exit code")
    mode.add_argument("--test", metavar="RECEIVER", help="send a receiver a marked test message")
    mode.add_argument("--dry-run", action="store_true", help="print what would be sent now, without sending or writing")
    mode.add_argument(
        "--accept-clock",
        action="store_true",
        help="trust the clock that the watcher reports as unreliable",
    )
    parser.add_argument("--json", action="store_true", help="log and output as JSON")
    parser.epilog = (
        "Exit codes:\n"
        "0 ok, or stopped by a signal\n"
        "1 something could not be sent, saved or read, or a receiver fails\n"
        "2 usage or configuration error\n"
        "3 (--status) the watcher is not running, or is late"
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Run the daemon, one cycle of it, a dry run or a test, or print the status."""
    store = _checked_store(args, context)
    folder = state_folder(store, args.paths)
    if args.status:
        command = _command(args, context, "--test")
        return print_status(folder, context.clock(), context.out_line, as_json=args.json, test_command=command)
    if args.accept_clock:
        return _accept_clock(folder, context)
    if args.test is not None:
        return _test_receiver(args, folder, context)
    if args.dry_run:
        return _dry_run(args, store, folder, context)
    return _watch(args, store, context)


def _checked_store(args: argparse.Namespace, context: Context) -> Path | None:
    check_paths_or_store(args)
    if STDIN in args.paths:
        raise UsageError("standard input ends, so it cannot be watched: name a file, a folder or an address")
    return None if args.paths else context.store_folder(args)


def _watch(args: argparse.Namespace, store: Path | None, context: Context) -> int:
    command = _command(args, context, "--accept-clock")
    watched = args.paths if store is None else [store]
    paths = real_paths(f"{path}/**" if args.recursive and Path(path).is_dir() else path for path in watched)
    holder = LockHolder(os.getpid(), platform.node(), paths)
    log = DaemonLog(context.err, as_json=args.json or context.load_config(args).watch.log == "json")
    find_state = partial(state_folder, store, args.paths)
    while True:
        identity = DaemonIdentity(find_state(), holder, args.once, command)
        try:
            make_folder(identity.folder)
        except OSError as error:
            raise store_error(identity.folder, error) from error
        leader = LeaderLock(identity.folder, holder)
        cycle = Cycle(_settings_loader(args, store, context), identity, log)
        if args.once:
            return run_once(cycle, leader, identity, log)
        if Daemon(cycle, leader, identity, log, find_state).run():
            return 0


def _accept_clock(folder: Path, context: Context) -> int:
    """Ask the watcher to trust its machine's clock; raise UsageError if nothing is wrong with it."""
    from modeltop.service.clock import Clock
    from modeltop.service.health import read_last_health
    from modeltop.service.leader import has_leader

    event_log = EventLog(folder, clock=context.clock)
    health = read_last_health(folder) if has_leader(folder) else None
    if health is not None:
        trusted, host, seconds = health.at, sanitize(health.host, 60), health.clock_offset_seconds
        offset = None if seconds is None else timedelta(seconds=seconds)
    else:
        clock = Clock(context.clock)
        clock.load(folder)
        trusted, offset, host = clock.now(event_log.state().last_event_at), clock.offset, "this machine"
    if offset is None:
        reason = f"; the watcher reports: {sanitize(health.error, 300)}" if health is not None and health.error else ""
        raise UsageError(f"the clock agrees with the event log: nothing to accept{reason}")
    moments = [format_minute(moment) for moment in (trusted, trusted + offset)]
    context.out_line(f"event log: {moments[0]}; clock of {host}: {moments[1]}")
    event_log.append(ClockAcceptRequested(event_log.now(), author()))
    context.out_line(f"the watcher trusts the clock of {host} from its next {'cycle' if health else 'start'} on")
    return 0


def _command(args: argparse.Namespace, context: Context, option: str) -> str:
    """Return a command line of `watch` about the same data, which works in any folder."""
    given: list[str | Path] = [path if is_address(path) else Path(path).absolute() for path in args.paths]
    given = given or ["--store", context.store_folder(args).absolute()]
    given += ["--recursive"] if args.recursive else []
    given += ["--config", Path(args.config).absolute()] if args.config else []
    return sanitize(shlex.join(["modeltop", "watch", *map(str, given), option]), 400)


def _settings_loader(
    args: argparse.Namespace, store: Path | None, context: Context, failures_before_alert: int = FAILURES_BEFORE_ALERT
) -> LoadSettings:
    """Return the function that loads the configuration each time it is called; the store must not move."""

    def load() -> DaemonSettings:
        config = context.load_config(args)
        if _checked_store(args, context) != store:
            raise UsageError("the store has moved: restart the watcher")
        if any(log.every is not None for log in config.logs.values()) and not args.paths:
            make_folder(context.store_folder(args, config))  # computed periods will be its first history
        sources = context.sources(args, config)
        pipeline = Pipeline(config, sources, live=True, failures_before_alert=failures_before_alert)
        return DaemonSettings(config, pipeline, store, file_times=pipeline.file_times)

    return load


def _dry_run(args: argparse.Namespace, store: Path | None, folder: Path, context: Context) -> int:
    settings = _settings_loader(args, store, context, failures_before_alert=1)()
    watch = settings.config.watch
    tracker = IncidentTracker(folder, watch.no_data_wait, watch.every)
    messages, disabled = _plan(settings, tracker, EventLog(folder).state(), context)
    if args.json:
        context.out_line(json.dumps([_message_json(message) for message in messages]))
    else:
        for message in messages:
            context.out_lines(_message_lines(message))
        receivers = {message.receiver for message in messages}
        context.err_line(
            f"{pluralize(len(messages), 'message')} for {pluralize(len(receivers), 'receiver')}; nothing was sent"
        )
    if waiting := tracker.no_data_grace.waiting:
        wait = format_duration(watch.no_data_wait)
        context.err_line(f"{pluralize(waiting, 'no-data alert')} would be sent after {wait} without new rows")
    for name, reason in disabled.items():
        context.err_line(f"receiver {sanitize(name, 60)} fails: {sanitize(reason, 300)}")
    return 1 if disabled else 0


def _plan(
    settings: DaemonSettings, tracker: IncidentTracker, state: AlertingState, context: Context
) -> tuple[list[Message], dict[str, str]]:
    now = max(context.clock(), state.last_event_at or context.clock())
    snapshot = settings.pipeline.run(now, state=state)
    evaluation = tracker.evaluate(snapshot, state, now)
    receivers = settings.config.receivers
    state = apply_events(state, (*receiver_changes(receivers, state, now), *evaluation.incident_changes))
    plan = plan_notifications(state, routing_config(settings, evaluation.snapshot), now)
    reasons = {change.incident.id: change.message for change in evaluation.incident_changes}
    messages = [
        compose(batch.notifications, evaluation.snapshot, state, withdrawal_reasons=reasons, is_digest=batch.is_digest)
        for batch in plan.batches
    ]
    return messages, disabled_receivers(receivers, state)


def _message_lines(message: Message) -> Iterator[str]:
    yield f"to {sanitize(message.receiver, 60)}: {sanitize(message.title)}"
    for line in message.text.split("\n"):
        yield f"  {sanitize(line, 300)}".rstrip()
    yield ""


def _message_json(message: Message) -> dict[str, object]:
    return {
        "receiver": message.receiver,
        "key": message.key,
        "title": message.title,
        "text": message.text,
        "digest": message.is_digest,
        "incidents": [
            {
                "incident": section.incident,
                "kind": section.action.value,
                "reason": section.reason.value,
                "key": section.key,
            }
            for section in message.sections
        ],
    }


def _test_receiver(args: argparse.Namespace, folder: Path, context: Context) -> int:
    name, receivers = args.test, context.load_config(args).receivers
    if name not in receivers:
        remedy = f"configured: {', '.join(receivers)}" if receivers else "none is configured"
        raise UsageError(f"there is no receiver {name!r}; {remedy}")
    error = try_send(receivers[name].notifier, build_test_message(name, context.clock()))
    if error is not None:
        hint = "permanent error" if error.permanent else "temporary error"
        context.err_line(f"the test of {sanitize(name, 60)} failed: {sanitize(error, 300)} ({hint})")
        return 1
    context.out_line(f"test message sent to {sanitize(name, 60)}: check that it arrived")
    if folder.is_dir():
        _enable(name, EventLog(folder, clock=context.clock), context)
    return 0


def _enable(name: str, event_log: EventLog, context: Context) -> None:
    state = event_log.state().receivers.get(name)
    if state is None or (state.disabled_reason is None and not state.failures):
        return
    try:
        event_log.append(ReceiverTested(event_log.now(), name))
    except StoreError as error:
        context.err_line(f"its recovery could not be saved: {sanitize(error, 300)}")
    else:
        context.out_line(f"{sanitize(name, 60)} recovered: it works again")
