"""`watch --test RECEIVER`: whether a message arrives, asked by sending one."""

from __future__ import annotations

from pathlib import Path

from monitor.commands.base import Context
from monitor.config import Config
from monitor.errors import StoreError, UsageError
from monitor.events import ReceiverChanged
from monitor.journal.journal import Journal
from monitor.message.compose import trial as test_message
from monitor.text import safe
from monitor.watch.backoff import works
from monitor.watch.senders import attempt


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
