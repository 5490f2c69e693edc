"""What people did about alerts: marks beside them, lines under them, and which alert a key is about."""

from __future__ import annotations

from collections.abc import Iterable

from modeltop.core.incident import Acknowledgement
from modeltop.core.series import Alert
from modeltop.core.text import pluralize
from modeltop.report.phrases import describe_ack, describe_note, describe_suppression
from modeltop_tui.view.chart_annotations import model_notes
from modeltop_tui.view.state import ScreenState, SnapshotIndex, snapshot_index
from modeltop_tui.view.styled_text import Cells, wrap

ACKNOWLEDGED_MARK, SUPPRESSED_MARK = "✓", "×"
NOTES = 5
"""Notes about one model that are shown, the newest first."""


def handling_mark(known: SnapshotIndex, episodes: Iterable[Alert]) -> str:
    """What is done about alerts: `✓` where a person has each that stands, `×` where nobody is told of the others.

    Blank where somebody is still to be found for one of them, and where none stands.
    """
    standing = [episode.id or "" for episode in episodes if episode.is_active]
    left = [name for name in standing if name not in known.snapshot.acknowledgements]
    if not standing or any(name not in known.snapshot.suppressions for name in left):
        return " "
    return SUPPRESSED_MARK if left else ACKNOWLEDGED_MARK


def handling_lines(episode: Alert, scene: ScreenState, cells_wide: int) -> list[Cells]:
    """Who has the alert, and why nobody is told of it; nothing where nobody did anything."""
    snapshot, name = scene.snapshot, episode.id or ""
    if snapshot is None:
        return []
    lines: list[Cells] = []
    if (ack := snapshot.acknowledgements.get(name)) is not None:
        lines += wrap(
            describe_ack(ack, snapshot.clock), cells_wide, indent="  ", lead=((f"{ACKNOWLEDGED_MARK} ", "ok"),)
        )
    if (reason := snapshot.suppressions.get(name)) is not None:
        lines += wrap(describe_suppression(reason), cells_wide, indent="  ", lead=((f"{SUPPRESSED_MARK} ", "warning"),))
    return lines


def note_lines(scene: ScreenState, cells_wide: int) -> list[list[Cells]]:
    """The newest notes about the selected model."""
    snapshot, model = scene.snapshot, scene.selection.model
    if snapshot is None or model is None:
        return []
    mine = model_notes(snapshot_index(snapshot), model)[::-1]
    texts = [f"note {describe_note(note, snapshot.clock)}" for note in mine[:NOTES]]
    texts += [f"and {pluralize(len(mine) - NOTES, 'older note')}"] if len(mine) > NOTES else []
    return [wrap(text, cells_wide, role="dim", indent="  ", lead=(("  ", ""),)) for text in texts]


def selected_alert(scene: ScreenState) -> Alert | None:
    """The alert that the selection is about: on its series or on its whole model, else on another series of the model.

    Of several the worst that nobody has; where somebody has each, the worst.
    """
    if scene.snapshot is None or scene.selection.model is None:
        return None
    standing = [
        episode for episode in snapshot_index(scene.snapshot).alerts(scene.selection.model) if episode.is_active
    ]
    series = scene.snapshot.history.series
    near = [episode for episode in standing if episode.key == scene.selection.key or episode.key not in series]
    acks = scene.snapshot.acknowledgements
    return next(iter(sorted(near or standing, key=lambda episode: episode.id in acks)), None)


def acknowledgement_of(scene: ScreenState, episode: Alert) -> Acknowledgement | None:
    """Who has the alert, as far as the last look knows."""
    return scene.snapshot.acknowledgements.get(episode.id or "") if scene.snapshot is not None else None
