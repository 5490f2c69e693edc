"""`modeltop watch`: looks on change and on a timer, and tells receivers; the service, or one run from cron."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from modeltop.alerting.dispatch import plan
from modeltop.alerting.event_log.event_log import Journal
from modeltop.alerting.messages.compose import compose
from modeltop.alerting.messages.compose import trial as test_message
from modeltop.alerting.messages.message import Message
from modeltop.alerting.state import fold_all
from modeltop.cli.context import Context, add_config, add_paths
from modeltop.config.load import Config
from modeltop.core.errors import StoreError, UsageError
from modeltop.core.event import ReceiverChanged
from modeltop.core.text import plural, safe
from modeltop.service.evaluate import Looker
from modeltop.service.receivers import broken, introduced, works
from modeltop.service.sender_threads import attempt
from modeltop.service.sending import orders
from modeltop.service.settings import Setup

if TYPE_CHECKING:
    from modeltop.service.settings import Load, Setup


PATIENCE = 3
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
        from modeltop.service.health import status

        return status(_folder(args, context), context.clock(), context.say, as_json=args.json)
    if args.test is not None:
        return trial(context.config(args), args.test, _folder(args, context), context)
    if args.dry_run:
        return dry_run(_loader(args, context, patience=1)(), _folder(args, context), context, as_json=args.json)
    return _watch(args, context)


def _watch(args: argparse.Namespace, context: Context) -> int:
    import os
    import platform

    from modeltop.history.store.durable import failed
    from modeltop.history.store.lock import make_folder
    from modeltop.service.cycle import Rounds
    from modeltop.service.health import Post
    from modeltop.service.leader import Holder, Leader
    from modeltop.service.log import Log

    folder = _folder(args, context)
    try:
        make_folder(folder)
    except OSError as error:
        raise failed(folder, error) from error
    post = Post(folder, Holder(os.getpid(), platform.node()), once=args.once)
    log = Log(context.err, as_json=args.json or context.config(args).watch.log == "json")
    leader = Leader(folder, post.me)
    rounds = Rounds(_loader(args, context), post, log)
    if args.once:
        from modeltop.service.daemon import once

        return once(rounds, leader, post, log)
    from modeltop.service.daemon import Watcher

    Watcher(rounds, leader, post, log).run()
    return 0


def _folder(args: argparse.Namespace, context: Context) -> Path:
    """Where the watcher of what the arguments name keeps its state."""
    from modeltop.alerting.event_log.segments import state_folder

    paths = [Path(path) for path in args.paths]
    if paths and args.store:
        raise UsageError("either paths or --store, not both")
    return state_folder(None if paths else context.store_folder(args), paths)


def _loader(args: argparse.Namespace, context: Context, patience: int = PATIENCE) -> Load:
    """What reads the configuration, again and again; its store must stay where it is."""
    folder = _folder(args, context)

    def load() -> Setup:
        from modeltop.history.store.lock import make_folder
        from modeltop.service.pipeline import Observer
        from modeltop.service.settings import Setup

        config = context.config(args)
        if _folder(args, context) != folder:
            raise UsageError("the store lies elsewhere now: start the watcher anew")
        paths = [Path(path) for path in args.paths] or [context.store_folder(args)]
        if any(log.every is not None for log in config.logs.values()) and not args.paths:
            make_folder(paths[0])  # what is computed will be its first history
        if not args.paths and not paths[0].is_dir():
            raise UsageError(f"no history: {safe(paths[0])} is not there; name a file or folder, or record a period")
        observer = Observer(config, paths, live=True, patience=patience)
        return Setup(config, observer, None if args.paths else paths[0])

    return load


def dry_run(setup: Setup, folder: Path, context: Context, *, as_json: bool) -> int:
    """Print the messages that a cycle would send now, as they would be; those of no data without a second look.

    Returns:
        0; 1 where a receiver that is meant does not work.
    """
    messages, useless = _planned(setup, folder, context)
    if as_json:
        context.say(json.dumps([_as_json(message) for message in messages]))
    else:
        for message in messages:
            for line in _lines(message):
                context.say(line)
        receivers = {message.receiver for message in messages}
        context.tell(f"{plural(len(messages), 'message')} for {plural(len(receivers), 'receiver')}; nothing was sent")
    for name, why in useless.items():
        context.tell(f"receiver {safe(name, 60)} does not work: {safe(why, 300)}")
    return 1 if useless else 0


def _planned(setup: Setup, folder: Path, context: Context) -> tuple[list[Message], dict[str, str]]:
    facts = Journal(folder).facts()
    now = max(context.clock(), facts.newest or context.clock())
    snapshot = setup.observer.observe(now)
    look = Looker(folder, timedelta(0)).look(snapshot, facts, now)
    receivers = setup.config.receivers
    facts = fold_all(facts, (*introduced(receivers, facts, now), *look.followed))
    planned = plan(facts, orders(setup, snapshot), now)
    why = {one.incident.id: one.message for one in look.followed}
    messages = [compose(one.deliveries, snapshot, facts, why=why, digest=one.digest) for one in planned.bundles]
    return messages, broken(receivers, facts)


def _lines(message: Message) -> Iterator[str]:
    yield f"to {safe(message.receiver, 60)}: {safe(message.title)}"
    for line in message.text.split("\n"):
        yield f"  {safe(line, 300)}".rstrip()
    yield ""


def _as_json(message: Message) -> dict[str, object]:
    return {
        "receiver": message.receiver,
        "key": message.key,
        "title": message.title,
        "text": message.text,
        "digest": message.digest,
        "incidents": [
            {"incident": part.incident, "kind": part.kind.value, "reason": part.reason.value, "key": part.key}
            for part in message.parts
        ],
    }


def trial(config: Config, name: str, folder: Path, context: Context) -> int:
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
    error = attempt(receiver.notifier, test_message(name, context.clock()))
    if error is not None:
        again = "trying again is useless" if error.permanent else "it may pass"
        context.tell(f"{safe(name, 60)} did not take the test: {safe(error, 300)} ({again})")
        return 1
    context.say(f"{safe(name, 60)} took the test message: see that it arrived")
    _mend(name, folder, context)
    return 0


def _mend(name: str, folder: Path, context: Context) -> None:
    if not folder.is_dir():
        return
    journal = Journal(folder, clock=context.clock)
    state = journal.facts().receivers.get(name)
    if state is None or (state.broken is None and not state.failures):
        return
    try:
        journal.append(ReceiverChanged(journal.now(), name, works(state)))
    except StoreError as error:
        context.tell(f"that it works again could not be saved: {safe(error, 300)}")
    else:
        context.say(f"{safe(name, 60)} was taken for broken, and is used again")
