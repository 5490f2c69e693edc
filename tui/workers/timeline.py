"""The thread that reads the timeline of a model's incidents: the event log may be long, and its disk slow."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from modeltop.alerting.timeline import build_timeline
from modeltop.core.errors import MonitorError
from modeltop.report.timeline import timeline_lines

if TYPE_CHECKING:
    from textual.app import App

    from modeltop_tui.workers.poller import Poller


def read_timeline(app: App[Any], poller: Poller, model: str, on_done: Callable[[tuple[str, ...]], None]) -> None:
    """Read what happened to the incidents of a model, in a daemon thread: leaving the app never waits for it.

    Args:
        app: Runs `on_done` in its own thread.
        poller: Has the event log.
        model: Name of the model.
        on_done: Called with the lines that `modeltop story` prints; none without an event log.
    """
    event_log = poller.pipeline.state_reader.event_log
    if event_log is None:
        return

    def read() -> None:
        try:
            now = event_log.now()
            lines = tuple(timeline_lines(build_timeline(event_log.events(), model, now), model, now))
        except MonitorError as error:
            lines = (str(error),)
        with contextlib.suppress(RuntimeError):  # the app's loop may have ended since
            app.call_later(on_done, lines)

    threading.Thread(target=read, name="modeltop timeline", daemon=True).start()
