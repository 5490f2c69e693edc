"""Threads for the event log, whose disk may be slow: one writes a person's actions, one reads a timeline."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from modeltop.alerting.timeline import build_timeline, open_incident
from modeltop.core.errors import MonitorError, UsageError
from modeltop.report.timeline import timeline_lines

if TYPE_CHECKING:
    from datetime import datetime

    from textual.app import App

    from modeltop.core.event import Event
    from modeltop.core.incident import AlertingState
    from modeltop_tui.view.state import ScreenState
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


def read_timeline(
    app: App[Any], poller: Poller, state: ScreenState, on_done: Callable[[tuple[str, ...]], None]
) -> None:
    """Read what happened to the incidents of the selected model, in a daemon thread: leaving never waits for it.

    Args:
        app: Runs `on_done` in its own thread.
        poller: Has the event log.
        state: Has the model, and its open incident.
        on_done: Called with the lines that `modeltop story` prints; not called without an event log.
    """
    event_log, model = poller.pipeline.state_reader.event_log, state.selection.model
    if event_log is None or model is None:
        return
    current = None if state.snapshot is None else open_incident(state.snapshot, model)

    def read() -> None:
        try:
            now = event_log.now()
            timeline = build_timeline(event_log.events(), model, now, current=current)
            lines = tuple(timeline_lines(timeline, model, now))
        except MonitorError as error:
            lines = (str(error),)
        with contextlib.suppress(RuntimeError):  # the app's loop may have ended since
            app.call_later(on_done, lines)

    threading.Thread(target=read, name="modeltop timeline", daemon=True).start()
