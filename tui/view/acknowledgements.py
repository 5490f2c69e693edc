"""Acknowledgements, silences and notes: marks beside alerts, lines under them, and the alert that a key is about."""

from __future__ import annotations

from collections.abc import Iterable

from modeltop.core.series import Alert
from modeltop.core.text import pluralize
from modeltop.report.phrases import describe_ack, describe_note, describe_suppression
from modeltop_tui.view.chart_annotations import model_notes
from modeltop_tui.view.state import ScreenState, SnapshotIndex, snapshot_index
from modeltop_tui.view.styled_text import Cells, wrap

ACKNOWLEDGED_MARK, SUPPRESSED_MARK = "✓", "×"
MAX_NOTES = 5
"""Notes about one model that are shown, the newest first."""


def handling_mark(index: SnapshotIndex, alerts: Iterable[Alert]) -> str:
    """Return the mark for how alerts are handled.

    Returns:
        `✓` if each active alert is acknowledged, `×` if the others are suppressed; a blank if an active alert is
        neither, or none is active.
    """
    active = [alert.id or "" for alert in alerts if alert.is_active]
    unacknowledged = [alert_id for alert_id in active if alert_id not in index.snapshot.acknowledgements]
    if not active or any(alert_id not in index.snapshot.suppressions for alert_id in unacknowledged):
        return " "
    return SUPPRESSED_MARK if unacknowledged else ACKNOWLEDGED_MARK


def handling_lines(alert: Alert, state: ScreenState, width: int) -> list[Cells]:
    """Return who acknowledged the alert and why it is suppressed; no lines if neither applies.

    Args:
        alert: One alert of the snapshot.
        state: Has the acknowledgements and suppressions.
        width: Width of a line in cells.
    """
    snapshot, alert_id = state.snapshot, alert.id or ""
    if snapshot is None:
        return []
    lines: list[Cells] = []
    if (ack := snapshot.acknowledgements.get(alert_id)) is not None:
        lines += wrap(describe_ack(ack, snapshot.clock), width, indent="  ", lead=((f"{ACKNOWLEDGED_MARK} ", "ok"),))
    if (reason := snapshot.suppressions.get(alert_id)) is not None:
        lines += wrap(describe_suppression(reason), width, indent="  ", lead=((f"{SUPPRESSED_MARK} ", "warning"),))
    return lines


def note_lines(state: ScreenState, width: int) -> list[list[Cells]]:
    """Return the newest notes about the selected model, each as its lines."""
    snapshot, model = state.snapshot, state.selection.model
    if snapshot is None or model is None:
        return []
    notes = model_notes(snapshot_index(snapshot), model)[::-1]
    texts = [f"note {describe_note(note, snapshot.clock)}" for note in notes[:MAX_NOTES]]
    texts += [f"and {pluralize(len(notes) - MAX_NOTES, 'older note')}"] if len(notes) > MAX_NOTES else []
    return [wrap(text, width, role="dim", indent="  ", lead=(("  ", ""),)) for text in texts]


def selected_alert(state: ScreenState) -> Alert | None:
    """Return the alert that the selection is about.

    Returns:
        The active alert on the selected series or on the model itself, else on another series of the model. Of several
        the worst unacknowledged one; if all are acknowledged, the worst.
    """
    if state.snapshot is None or state.selection.model is None:
        return None
    active = [
        alert for alert in snapshot_index(state.snapshot).alerts_by_model[state.selection.model] if alert.is_active
    ]
    series = state.snapshot.history.series
    nearby = [alert for alert in active if alert.key == state.selection.key or alert.key not in series]
    acks = state.snapshot.acknowledgements
    return next(iter(sorted(nearby or active, key=lambda alert: alert.id in acks)), None)
