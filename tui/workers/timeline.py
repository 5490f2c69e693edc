"""The thread that reads the timeline of a model's incidents: the event log may be long, and its disk slow."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from modeltop.alerting.timeline import build_timeline, open_incident
from modeltop.core.errors import MonitorError
from modeltop.report.timeline import timeline_lines

if TYPE_CHECKING:
    from textual.app import App

    from modeltop_tui.view.state import ScreenState
    from modeltop_tui.workers.poller import Poller


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
