"""Acknowledgements, silences and notes: marks beside alerts, lines under them, and the alert that a key is about."""

from __future__ import annotations

from modeltop.core.series import Alert
from modeltop.core.text import pluralize, sanitize, truncate
from modeltop.report.phrases import (
    ACKNOWLEDGED_MARK,
    SUPPRESSED_MARK,
    describe_ack,
    describe_note,
    describe_suppression,
    format_moment,
)
from modeltop_tui.view.state import ScreenState, snapshot_index
from modeltop_tui.view.styled_text import Cells, Span, wrap

MAX_NOTES = 5


def incident_handling(state: ScreenState) -> list[str]:
    """Return who acknowledged the incident of the selected model, and who silenced it, until when and why."""
    snapshot, model = state.snapshot, state.selection.model
    if snapshot is None or model is None:
        return []
    index = snapshot_index(snapshot)
    if (incident := index.incidents.get(model)) is None:
        return []
    out = []
    acks = (snapshot.acknowledgements[name] for name in incident.alerts if name in snapshot.acknowledgements)
    if (ack := next(acks, None)) is not None:
        reason = f": {sanitize(ack.reason)}" if ack.reason.strip() else ""
        until = format_moment(ack.until, snapshot.clock)
        out.append(f"acknowledged by {sanitize(ack.by, 40)} until {until}{reason}")
    if (suppression := snapshot.suppressions.get(incident.lead)) is not None:
        out.append(describe_suppression(suppression))
    return out


def handling_lines(alert: Alert, state: ScreenState, width: int, *, brief: bool = False) -> list[Cells]:
    """Return who acknowledged the alert and why it is suppressed; no lines if neither applies.

    Args:
        alert: One alert of the snapshot.
        state: Has the acknowledgements and suppressions.
        width: Width of a line in cells.
        brief: A line each, without the times of an acknowledgement.
    """
    snapshot, alert_id = state.snapshot, alert.id or ""
    if snapshot is None:
        return []
    lines: list[Cells] = []
    if (ack := snapshot.acknowledgements.get(alert_id)) is not None:
        text = ": ".join(filter(None, (f"by {ack.by}", ack.reason))) if brief else describe_ack(ack, snapshot.clock)
        lines += _handling_line(text, width, (f"{ACKNOWLEDGED_MARK} ", "ok"), brief=brief)
    if (reason := snapshot.suppressions.get(alert_id)) is not None:
        lead = (f"{SUPPRESSED_MARK} ", "warning")
        lines += _handling_line(describe_suppression(reason), width, lead, brief=brief)
    return lines


def _handling_line(text: str, width: int, lead: Span, *, brief: bool) -> list[Cells]:
    text = truncate(sanitize(text), max(1, width - 2)) if brief else text
    return wrap(text, width, indent="  ", lead=(lead,))


def note_lines(state: ScreenState, width: int) -> list[list[Cells]]:
    """Return the newest notes about the selected model, each as its lines."""
    snapshot, model = state.snapshot, state.selection.model
    if snapshot is None or model is None:
        return []
    notes = snapshot.notes_about(model)[::-1]
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
