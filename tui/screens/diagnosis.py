"""The diagnosis of the selected model: what happened, why, what to do, and the evidence for it."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from modeltop.core.text import sanitize
from modeltop_tui.screens.main import MainScreen
from modeltop_tui.screens.modal import ModalPane
from modeltop_tui.view.diagnosis import diagnosis_lines, heading_lines
from modeltop_tui.widgets.pane import Pane, PaneBody

MAX_HEADING_RATIO = 1 / 3
"""Ratio of the pane's lines up to which the summary stays on top; a longer one scrolls with the rest."""


class DiagnosisPane(Pane):
    """The sections of the diagnosis, one below the other; they scroll under the summary."""

    TITLE = "Diagnosis"

    def __init__(self, *, ascii_only: bool = False) -> None:
        super().__init__(ascii_only=ascii_only)
        self._model: str | None = None

    def body(self, width: int, height: int) -> PaneBody:
        """Return the summary as heading and the sections as lines."""
        if self.screen_state.selection.model != self._model:
            self._model, self.top = self.screen_state.selection.model, 0
        summary = (*heading_lines(self.screen_state, width), ())
        lines = diagnosis_lines(self.screen_state, width)
        if len(summary) <= MAX_HEADING_RATIO * height:
            return PaneBody.of_lines(lines, heading=summary)
        return PaneBody.of_lines((*summary, *lines))

    def title(self) -> str:
        """Return the title with the model's name."""
        return f"{self.TITLE} of {sanitize(self.screen_state.selection.model, 60)}"

    def subtitle(self) -> str:
        """Return the keys that move and leave."""
        return "↑↓ scroll  ←→ model  e problem  d or q back"


class DiagnosisScreen(ModalPane):
    """The diagnosis over the full screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l", "move('model', 1)", "next model", key_display="→ l"),
        Binding("left,h", "move('model', -1)", "previous model", key_display="← h"),
        Binding("e", "move('problem_model', 1)", "next model with a problem"),
        Binding("E", "move('problem_model', -1)", "previous model with a problem"),
        Binding("q,d,escape", "dismiss", "back", key_display="q"),
    ]

    def __init__(self, main_screen: MainScreen) -> None:
        super().__init__(main_screen, DiagnosisPane(ascii_only=main_screen.ascii_only))

    def action_move(self, name: str, steps: int) -> None:
        """Move the selection of the main screen."""
        self.main_screen.action_move(name, steps)
