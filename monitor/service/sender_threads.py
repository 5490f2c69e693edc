"""One thread per receiver: one that hangs blocks neither another nor the daemon."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modeltop.core.errors import NotifyError
from modeltop.core.event import Notification

if TYPE_CHECKING:
    from modeltop.alerting.messages.message import Message
    from modeltop.alerting.notifiers.base import Notifier


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """One message, and the notifications that it carries."""

    notifications: tuple[Notification, ...]
    message: Message


@dataclass(frozen=True, slots=True)
class SendResult:
    """The result of one attempt to send a message."""

    receiver: str
    notifications: tuple[Notification, ...]
    error: NotifyError | None
    """None if the receiver accepted it."""
    title: str = ""


class SenderPool:
    """A thread and a queue for each receiver; messages go out in order, up to the first failure.

    `wake` is called in any thread when there are results to collect.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._threads: dict[str, _Sender] = {}
        self._done: queue.SimpleQueue[SendResult | str] = queue.SimpleQueue()
        """Results, and the name of a receiver once it has finished its queue."""
        self._busy: set[str] = set()

    def busy_receivers(self) -> frozenset[str]:
        """Return the receivers that have not finished their queue and are handed nothing else."""
        return frozenset(self._busy)

    def send(self, receiver: str, notifier: Notifier, messages: Sequence[QueuedMessage]) -> None:
        """Queue messages for a receiver, in the order of sending; raise RuntimeError if it is busy."""
        if receiver in self._busy:
            raise RuntimeError("one queue at a time: the next is planned from the results of this one")
        if receiver not in self._threads:
            self._threads[receiver] = _Sender(receiver, self._report)
        self._busy.add(receiver)
        self._threads[receiver].batches.put((notifier, tuple(messages)))

    def has_results(self) -> bool:
        """Return whether there are results to collect."""
        return not self._done.empty()

    def take_results(self) -> list[SendResult]:
        """Return the results since the last call, per receiver in the order of sending."""
        results: list[SendResult] = []
        with contextlib.suppress(queue.Empty):
            while True:
                item = self._done.get_nowait()
                if isinstance(item, str):
                    self._busy.discard(item)
                else:
                    results.append(item)
        return results

    def retain(self, receivers: Iterable[str]) -> None:
        """End the threads of all other receivers that are not busy."""
        for name in self._threads.keys() - set(receivers) - self._busy:
            self._threads.pop(name).batches.put(None)

    def stop(self) -> None:
        """Stop after the messages that are on their way; the rest of each queue is not sent."""
        for sender in self._threads.values():
            sender.stopping.set()
            sender.batches.put(None)

    def _report(self, item: SendResult | str) -> None:
        self._done.put(item)
        self._wake()


class _Sender:
    def __init__(self, receiver: str, report: Callable[[SendResult | str], None]) -> None:
        self._receiver, self._report = receiver, report
        self.batches: queue.SimpleQueue[tuple[Notifier, tuple[QueuedMessage, ...]] | None] = queue.SimpleQueue()
        self.stopping = threading.Event()
        # A daemon thread: the process never waits for a receiver that hangs.
        threading.Thread(target=self._run, name="modeltop sender", daemon=True).start()

    def _run(self) -> None:
        while (batch := self.batches.get()) is not None:
            notifier, messages = batch
            for queued in messages:
                if self.stopping.is_set():
                    break
                error = try_send(notifier, queued.message)
                self._report(SendResult(self._receiver, queued.notifications, error, queued.message.title))
                if error is not None:
                    break
            self._report(self._receiver)


def try_send(notifier: Notifier, message: Message) -> NotifyError | None:
    """Send one message and return its error, if any; nothing it raises ends the thread."""
    try:
        notifier.send(message)
    except NotifyError as error:
        return error
    except Exception as error:  # noqa: BLE001  a fault of a notifier must not silence its receiver for ever
        # Its text is not repeated: an error that is not ours may quote an address with a token in it.
        return NotifyError(f"an internal error, {type(error).__name__}")
    return None
