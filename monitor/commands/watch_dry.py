"""`watch --dry-run`: what would go out now. Nothing is written, nothing is sent, no lock is taken."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from monitor.commands.base import Context
from monitor.delivery import plan
from monitor.journal.fold import fold_all
from monitor.journal.journal import Journal
from monitor.message.base import Message
from monitor.message.compose import compose
from monitor.text import plural, safe
from monitor.watch.dispatch import orders
from monitor.watch.introduce import broken, introduced
from monitor.watch.look import Looker
from monitor.watch.setup import Setup


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
