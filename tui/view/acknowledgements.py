"""What people did about alerts: marks beside them, lines under them, and which alert a key is about."""

from __future__ import annotations

from collections.abc import Iterable

from modeltop.core.incident import Ack
from modeltop.core.series import Episode
from modeltop.core.text import plural
from modeltop.report.phrases import hushed, note_words, taken
from modeltop_tui.view.chart_annotations import notes_about
from modeltop_tui.view.state import Board, Scene, board
from modeltop_tui.view.styled_text import Cells, wrap

TAKEN, HUSHED = "✓", "×"
NOTES = 5
"""Notes about one model that are shown, the newest first."""


def mark(known: Board, episodes: Iterable[Episode]) -> str:
    """What is done about alerts: `✓` where a person has each that stands, `×` where nobody is told of the others.

    Blank where somebody is still to be found for one of them, and where none stands.
    """
    standing = [episode.id or "" for episode in episodes if episode.stands]
    left = [name for name in standing if name not in known.snapshot.acks]
    if not standing or any(name not in known.snapshot.suppressed for name in left):
        return " "
    return HUSHED if left else TAKEN


def people_lines(episode: Episode, scene: Scene, cells_wide: int) -> list[Cells]:
    """Who has the alert, and why nobody is told of it; nothing where nobody did anything."""
    snapshot, name = scene.snapshot, episode.id or ""
    if snapshot is None:
        return []
    lines: list[Cells] = []
    if (ack := snapshot.acks.get(name)) is not None:
        lines += wrap(taken(ack, snapshot.clock), cells_wide, indent="  ", lead=((f"{TAKEN} ", "ok"),))
    if (reason := snapshot.suppressed.get(name)) is not None:
        lines += wrap(hushed(reason), cells_wide, indent="  ", lead=((f"{HUSHED} ", "warning"),))
    return lines


def note_lines(scene: Scene, cells_wide: int) -> list[list[Cells]]:
    """The newest notes about the selected model."""
    snapshot, model = scene.snapshot, scene.view.model
    if snapshot is None or model is None:
        return []
    mine = notes_about(board(snapshot), model)[::-1]
    texts = [f"note {note_words(note, snapshot.clock)}" for note in mine[:NOTES]]
    texts += [f"and {plural(len(mine) - NOTES, 'older note')}"] if len(mine) > NOTES else []
    return [wrap(text, cells_wide, role="dim", indent="  ", lead=(("  ", ""),)) for text in texts]


def selected_alert(scene: Scene) -> Episode | None:
    """The alert that the selection is about: on its series or on its whole model, else on another series of the model.

    Of several the worst that nobody has; where somebody has each, the worst.
    """
    if scene.snapshot is None or scene.view.model is None:
        return None
    standing = [episode for episode in board(scene.snapshot).episodes(scene.view.model) if episode.stands]
    series = scene.snapshot.history.series
    near = [episode for episode in standing if episode.key == scene.view.key or episode.key not in series]
    acks = scene.snapshot.acks
    return next(iter(sorted(near or standing, key=lambda episode: episode.id in acks)), None)


def ack_of(scene: Scene, episode: Episode) -> Ack | None:
    """Who has the alert, as far as the last look knows."""
    return scene.snapshot.acks.get(episode.id or "") if scene.snapshot is not None else None
