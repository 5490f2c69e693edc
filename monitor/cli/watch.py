"""`modeltop watch`: looks on change and on a timer, and tells receivers; the service, or one run from cron."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from modeltop.alerting.dispatch import plan_notifications
from modeltop.alerting.event_log.event_log import EventLog
from modeltop.alerting.messages.compose import compose
from modeltop.alerting.messages.compose import build_test_message
from modeltop.alerting.messages.message import Message
from modeltop.alerting.state import apply_events
from modeltop.cli.context import Context, add_config, add_paths
from modeltop.config.load import Config
from modeltop.core.errors import StoreError, UsageError
from modeltop.core.event import ReceiverChanged
from modeltop.core.text import pluralize, sanitize
from modeltop.service.evaluate import IncidentTracker
from modeltop.service.receivers import after_success, disabled_receivers, receiver_changes
from modeltop.service.sender_threads import try_send
from modeltop.service.sending import routing_config
from modeltop.service.settings import DaemonSettings

if TYPE_CHECKING:
    from modeltop.service.settings import DaemonSettings, LoadSettings


FAILURES_BEFORE_ALERT = 3
"""Looks in a row that must fail before a source that cannot be read is an alert."""


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `watch`."""
    add_paths(parser)
    add_config(parser)
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--once", action="store_true", help="one cycle, for cron: retries are left for the next run")
    one.add_argument("--status", action="store_true", help="how the watcher is, with an exit code")
    one.add_argument("--test", metavar="RECEIVER", help="send a receiver a marked test message")
    one.add_argument("--dry-run", action="store_true", help="print what would go out now; write and send nothing")
    parser.add_argument("--json", action="store_true", help="the log, or what is printed, as JSON")
    parser.epilog = (
        "exit codes: 0 all well, or ended as asked; 1 something could not be sent, saved or read, or a receiver is "
        "broken; 2 usage or configuration; 3 (--status) no watcher runs, or it is late"
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Watch, or do the one thing that was asked for."""
    if args.status:
        from modeltop.service.health import print_status

        return print_status(_folder(args, context), context.clock(), context.out_line, as_json=args.json)
    if args.test is not None:
        return test_receiver(context.load_config(args), args.test, _folder(args, context), context)
    if args.dry_run:
        return dry_run(_loader(args, context, patience=1)(), _folder(args, context), context, as_json=args.json)
    return _watch(args, context)


def _watch(args: argparse.Namespace, context: Context) -> int:
    import os
    import platform

    from modeltop.history.store.durable import store_error
    from modeltop.history.store.lock import make_folder
    from modeltop.service.cycle import Cycle
    from modeltop.service.health import DaemonIdentity
    from modeltop.service.leader import LeaderLock, LockHolder
    from modeltop.service.log import DaemonLog

    folder = _folder(args, context)
    try:
        make_folder(folder)
    except OSError as error:
        raise store_error(folder, error) from error
    post = DaemonIdentity(folder, LockHolder(os.getpid(), platform.node()), one_shot=args.once)
    log = DaemonLog(context.err, as_json=args.json or context.load_config(args).watch.log == "json")
    leader = LeaderLock(folder, post.holder)
    rounds = Cycle(_loader(args, context), post, log)
    if args.once:
        from modeltop.service.daemon import run_once

        return run_once(rounds, leader, post, log)
    from modeltop.service.daemon import Daemon

    Daemon(rounds, leader, post, log).run()
    return 0


def _folder(args: argparse.Namespace, context: Context) -> Path:
    """Where the watcher of what the arguments name keeps its state."""
    from modeltop.alerting.event_log.segments import state_folder

    paths = [Path(path) for path in args.paths]
    if paths and args.store:
        raise UsageError("either paths or --store, not both")
    return state_folder(None if paths else context.store_folder(args), paths)


def _loader(args: argparse.Namespace, context: Context, patience: int = FAILURES_BEFORE_ALERT) -> LoadSettings:
    """What reads the configuration, again and again; its store must stay where it is."""
    folder = _folder(args, context)

    def load() -> DaemonSettings:
        from modeltop.history.store.lock import make_folder
        from modeltop.service.pipeline import Pipeline
        from modeltop.service.settings import DaemonSettings

        config = context.load_config(args)
        if _folder(args, context) != folder:
            raise UsageError("the store lies elsewhere now: start the watcher anew")
        paths = [Path(path) for path in args.paths] or [context.store_folder(args)]
        if any(log.every is not None for log in config.logs.values()) and not args.paths:
            make_folder(paths[0])  # what is computed will be its first history
        if not args.paths and not paths[0].is_dir():
            raise UsageError(
                f"no history: {sanitize(paths[0])} is not there; name a file or folder, or record a period"
            )
        observer = Pipeline(config, paths, live=True, failures_before_alert=patience)
        return DaemonSettings(config, observer, None if args.paths else paths[0])

    return load


def dry_run(setup: DaemonSettings, folder: Path, context: Context, *, as_json: bool) -> int:
    """Print the messages that a cycle would send now, as they would be; those of no data without a second look.

    Returns:
        0; 1 where a receiver that is meant does not work.
    """
    messages, useless = _planned(setup, folder, context)
    if as_json:
        context.out_line(json.dumps([_as_json(message) for message in messages]))
    else:
        for message in messages:
            for line in _lines(message):
                context.out_line(line)
        receivers = {message.receiver for message in messages}
        context.err_line(
            f"{pluralize(len(messages), 'message')} for {pluralize(len(receivers), 'receiver')}; nothing was sent"
        )
    for name, why in useless.items():
        context.err_line(f"receiver {sanitize(name, 60)} does not work: {sanitize(why, 300)}")
    return 1 if useless else 0


def _planned(setup: DaemonSettings, folder: Path, context: Context) -> tuple[list[Message], dict[str, str]]:
    facts = EventLog(folder).state()
    now = max(context.clock(), facts.last_event_at or context.clock())
    snapshot = setup.pipeline.run(now)
    look = IncidentTracker(folder, timedelta(0)).evaluate(snapshot, facts, now)
    receivers = setup.config.receivers
    facts = apply_events(facts, (*receiver_changes(receivers, facts, now), *look.incident_changes))
    planned = plan_notifications(facts, routing_config(setup, snapshot), now)
    why = {one.incident.id: one.message for one in look.incident_changes}
    messages = [
        compose(one.notifications, snapshot, facts, withdrawal_reasons=why, is_digest=one.is_digest)
        for one in planned.batches
    ]
    return messages, disabled_receivers(receivers, facts)


def _lines(message: Message) -> Iterator[str]:
    yield f"to {sanitize(message.receiver, 60)}: {sanitize(message.title)}"
    for line in message.text.split("\n"):
        yield f"  {sanitize(line, 300)}".rstrip()
    yield ""


def _as_json(message: Message) -> dict[str, object]:
    return {
        "receiver": message.receiver,
        "key": message.key,
        "title": message.title,
        "text": message.text,
        "digest": message.is_digest,
        "incidents": [
            {"incident": part.incident, "kind": part.action.value, "reason": part.reason.value, "key": part.key}
            for part in message.sections
        ],
    }


def test_receiver(config: Config, name: str, folder: Path, context: Context) -> int:
    """Send a marked test and say what happened; one that arrives mends a receiver that was broken.

    Args:
        config: Names the receivers.
        name: Which one.
        folder: The state folder; it need not exist.
        context: Where to say it.

    Returns:
        0 where the receiver took it, else 1.

    Raises:
        UsageError: There is no such receiver.
    """
    receiver = config.receivers.get(name)
    if receiver is None:
        known = f"configured: {', '.join(config.receivers)}" if config.receivers else "none is configured"
        raise UsageError(f"there is no receiver {name!r}; {known}")
    error = try_send(receiver.notifier, build_test_message(name, context.clock()))
    if error is not None:
        again = "trying again is useless" if error.permanent else "it may pass"
        context.err_line(f"{sanitize(name, 60)} did not take the test: {sanitize(error, 300)} ({again})")
        return 1
    context.out_line(f"{sanitize(name, 60)} took the test message: see that it arrived")
    _mend(name, folder, context)
    return 0


def _mend(name: str, folder: Path, context: Context) -> None:
    if not folder.is_dir():
        return
    journal = EventLog(folder, clock=context.clock)
    state = journal.state().receivers.get(name)
    if state is None or (state.disabled_reason is None and not state.failures):
        return
    try:
        journal.append(ReceiverChanged(journal.now(), name, after_success(state)))
    except StoreError as error:
        context.err_line(f"that it works again could not be saved: {sanitize(error, 300)}")
    else:
        context.out_line(f"{sanitize(name, 60)} was taken for broken, and is used again")
