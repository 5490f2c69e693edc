"""The thread that writes a person's actions: a disk is slow, and another process may hold the lock."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from modeltop.core.errors import MonitorError, UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from textual.app import App

    from modeltop.core.event import Event
    from modeltop.core.incident import AlertingState
    from modeltop_tui.workers.poller import Poller

SAVING = "saving"

Decide = Callable[["AlertingState", "datetime"], Sequence["Event"]]
"""From the newest alerting state and the present to the events to write; raises UsageError to refuse."""


def write_events(app: App[Any], poller: Poller, decide: Decide, on_done: Callable[[str | None], None]) -> None:
    """Write events in a thread of their own, and report only once they are on the disk.

    Args:
        app: Runs `on_done` in its own thread.
        poller: Has the event log; polls again afterwards, so that the screen shows the change.
        decide: Called in the writing thread, under the lock of the log.
        on_done: Called with None, or with the reason why nothing was written.
    """
    event_log = poller.pipeline.state_reader.event_log
    if event_log is None:
        on_done(no_event_log_message(poller))
        return

    def write() -> None:
        refusal: str | None = None
        try:
            event_log.update(lambda state: decide(state, event_log.now_given(state)))
        except UsageError as error:
            refusal = str(error)
        except MonitorError as error:
            refusal = f"not saved: {error}"
        except Exception as error:  # noqa: BLE001  a person must hear that nothing was kept, whatever the reason
            refusal = f"not saved: {type(error).__name__}: {error}"
        poller.poll_now()
        with contextlib.suppress(RuntimeError):  # the app's loop may have ended since
            app.call_later(on_done, refusal)

    # A daemon: leaving the app never waits for another process's lock. Unreported actions may not have been written.
    threading.Thread(target=write, name="modeltop event writer", daemon=True).start()


def no_event_log_message(poller: Poller) -> str:
    """Return the message for a poller without an event log."""
    return f"nothing can be saved: {poller.pipeline.state_reader.error}"
