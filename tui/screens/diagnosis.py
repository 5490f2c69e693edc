"""The diagnosis of the selected model: what happened, why, what to do, and what that rests on."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from modeltop.core.text import sanitize
from modeltop_tui.screens.modal import ModalPane
from modeltop_tui.view.diagnosis import diagnosis_lines, heading_lines
from modeltop_tui.widgets.pane import Pane, PaneBody

MIN_LINE_RATIO = 3
"""The sentence stays on top where it takes at most one of so many lines; else it scrolls with the rest."""


class DiagnosisPane(Pane):
    """The sections, one below the other; they scroll under the sentence."""

    TITLE = "Diagnosis"

    def __init__(self, *, ascii_only: bool = False) -> None:
        super().__init__(ascii_only=ascii_only)
        self._model: str | None = None

    def body(self, cells_wide: int, rows: int) -> PaneBody:
        """The sentence, then everything else."""
        if self.screen_state.selection.model != self._model:
            self._model, self.top = self.screen_state.selection.model, 0
        sentence = (*heading_lines(self.screen_state, cells_wide), ())
        lines = diagnosis_lines(self.screen_state, cells_wide)
        if len(sentence) * MIN_LINE_RATIO <= rows:
            return PaneBody(len(lines), lambda at: lines[at], heading=sentence)
        whole = (*sentence, *lines)
        return PaneBody(len(whole), lambda at: whole[at])

    def title(self) -> str:
        """Whose."""
        return f"{self.TITLE} of {sanitize(self.screen_state.selection.model, 60)}"

    def subtitle(self) -> str:
        """How to move and to leave."""
        return "↑↓ scroll  ←→ model  e problem  d or q back"


class DiagnosisScreen(ModalPane):
    """The pane over the whole screen."""

    PANE = DiagnosisPane

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l", "move('model', 1)", "next model", key_display="→ l"),
        Binding("left,h", "move('model', -1)", "previous model", key_display="← h"),
        Binding("e", "move('trouble', 1)", "next model with a problem"),
        Binding("E", "move('trouble', -1)", "previous model with a problem"),
        Binding("q,d,escape", "dismiss", "back", key_display="q"),
    ]

    def action_move(self, name: str, steps: int) -> None:
        """To another model, as on the desk."""
        self.main_screen.action_move(name, steps)
