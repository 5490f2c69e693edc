"""The thread that reads the timeline of a model's incidents: the event log may be long, and its disk slow."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from modeltop.alerting.grouping import usual_gap
from modeltop.alerting.incidents import as_tracked, describe_breaches
from modeltop.alerting.timeline import build_timeline
from modeltop.core.errors import MonitorError
from modeltop.report.timeline import timeline_lines
from modeltop_tui.view.state import ScreenState, snapshot_index

if TYPE_CHECKING:
    from textual.app import App

    from modeltop.core.incident import TrackedIncident
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
    current = _open_incident(state, model)

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


def _open_incident(state: ScreenState, model: str) -> tuple[TrackedIncident, str] | None:
    """Return the open incident of a model by its data, and what is wrong; None without one."""
    if state.snapshot is None or (incident := snapshot_index(state.snapshot).incidents.get(model)) is None:
        return None
    by_id = {alert.id: alert for alert in state.snapshot.alerts}
    alerts = [by_id[name] for name in incident.alerts]
    gap = usual_gap(state.snapshot.history.periods.get(model), incident.started_at)
    return as_tracked(incident, alerts, gap, state.snapshot.clock), describe_breaches(alerts)
