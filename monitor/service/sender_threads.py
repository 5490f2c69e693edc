"""One thread per receiver: one that hangs keeps neither another nor the watcher waiting."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from modeltop.core.errors import NotifyError
from modeltop.core.event import Notification

if TYPE_CHECKING:
    from modeltop.alerting.messages.message import Message


class MessageSender(Protocol):
    """Sends; `modeltop.alerting.notifiers.base` knows the kinds."""

    def send(self, message: Message) -> None:
        """Tell the receiver. Raises NotifyError."""


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """One message, and all that is told by it."""

    notifications: tuple[Notification, ...]
    message: Message


@dataclass(frozen=True, slots=True)
class SendResult:
    """What became of a parcel."""

    receiver: str
    notifications: tuple[Notification, ...]
    error: NotifyError | None
    """None: the receiver took it."""
    title: str = ""
    """What it was about."""


class SenderPool:
    """Takes for each receiver a row of parcels, one row at a time; sends them in order up to the first failure.

    Args:
        ring: Called, in any thread, when there are outcomes to fetch.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._threads: dict[str, _Sender] = {}
        self._done: queue.SimpleQueue[SendResult | _Idle] = queue.SimpleQueue()
        self._busy: set[str] = set()

    def busy_receivers(self) -> frozenset[str]:
        """Receivers that have not finished their row; nothing else is handed to them."""
        return frozenset(self._busy)

    def send(self, receiver: str, notifier: MessageSender, parcels: Sequence[QueuedMessage]) -> None:
        """Hand over a row. The receiver must not be busy."""
        if receiver in self._busy:
            raise RuntimeError("one row at a time: the next is planned from what became of this one")
        if receiver not in self._threads:
            self._threads[receiver] = _Sender(receiver, self._tell)
        self._busy.add(receiver)
        self._threads[receiver].rows.put((notifier, tuple(parcels)))

    def has_results(self) -> bool:
        """Whether there are outcomes to fetch."""
        return not self._done.empty()

    def take_results(self) -> list[SendResult]:
        """What became of parcels since the last call, per receiver in the order of sending."""
        found: list[SendResult] = []
        with contextlib.suppress(queue.Empty):
            while True:
                item = self._done.get_nowait()
                if isinstance(item, _Idle):
                    self._busy.discard(item.receiver)
                else:
                    found.append(item)
        return found

    def retain(self, receivers: Iterable[str]) -> None:
        """End the threads of all others, once they have finished."""
        for name in self._threads.keys() - set(receivers) - self._busy:
            self._threads.pop(name).rows.put(None)

    def stop(self) -> None:
        """Begin nothing more: each finishes the message it is at; the rest of its row is not sent."""
        for sender in self._threads.values():
            sender.stopping.set()
            sender.rows.put(None)

    def _tell(self, item: SendResult | _Idle) -> None:
        self._done.put(item)
        self._ring()


@dataclass(frozen=True, slots=True)
class _Idle:
    receiver: str


class _Sender:
    def __init__(self, receiver: str, tell: Callable[[SendResult | _Idle], None]) -> None:
        self._receiver, self._tell = receiver, tell
        self.rows: queue.SimpleQueue[tuple[MessageSender, tuple[QueuedMessage, ...]] | None] = queue.SimpleQueue()
        self.stopping = threading.Event()
        # A daemon: leaving never waits for a receiver that hangs.
        threading.Thread(target=self._run, name="modeltop sender", daemon=True).start()

    def _run(self) -> None:
        while (row := self.rows.get()) is not None:
            notifier, parcels = row
            for parcel in parcels:
                if self.stopping.is_set():
                    break
                error = try_send(notifier, parcel.message)
                self._tell(SendResult(self._receiver, parcel.notifications, error, parcel.message.title))
                if error is not None:
                    break
            self._tell(_Idle(self._receiver))


def try_send(notifier: MessageSender, message: Message) -> NotifyError | None:
    """Send one message; whatever goes wrong is an answer, never an end of the thread."""
    try:
        notifier.send(message)
    except NotifyError as error:
        return error
    except Exception as error:  # noqa: BLE001  a fault of a notifier must not silence its receiver for ever
        # Its text is not repeated: an error that is not ours may quote an address with a token in it.
        return NotifyError(f"an error of modeltop's own, {type(error).__name__}")
    return None
