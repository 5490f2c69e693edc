"""The evidence about the selected model: what happened, why, what to do, and the timeline of its incidents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from modeltop.core.incident import AlertingState
from modeltop.core.text import sanitize
from modeltop_tui.screens.main import MainScreen
from modeltop_tui.screens.modal import ModalPane, RowsPane
from modeltop_tui.view.acknowledgements import incident_handling
from modeltop_tui.view.diagnosis import evidence_rows
from modeltop_tui.view.rows import Row, open_by_room
from modeltop_tui.view.state import ScreenState
from modeltop_tui.view.styled_text import Cells
from modeltop_tui.workers.poller import Poller
from modeltop_tui.workers.timeline import read_timeline


class DiagnosisPane(RowsPane):
    """The evidence; rows are open as far as all of it fits on the screen."""

    def __init__(self, *, ascii_only: bool = False) -> None:
        super().__init__(ascii_only=ascii_only)
        self.timeline: tuple[str, ...] = ()

    def rows(self, width: int, height: int) -> Sequence[Row]:
        """Return the rows about the selected model."""
        del height
        return evidence_rows(self.screen_state, width, self.timeline)

    def open_rows(self, height: int) -> frozenset[int]:
        """Return the rows for which there is room."""
        return open_by_room(self.listed, height)

    def wrapped_rows(self) -> dict[int, Sequence[Cells]]:
        """Return the rows that a narrow screen would cut."""
        return {number: row.wrapped for number, row in enumerate(self.listed) if row.wrapped}

    def title(self) -> str:
        """Return the name of the model, and who acknowledged or silenced its incident, until when and why."""
        title = f"{sanitize(self.screen_state.selection.model, 60)}: diagnosis"
        return ", ".join((title, *incident_handling(self.screen_state)))

    def start_over(self) -> None:
        """Forget what was open, and where the cursor was: another model is selected."""
        self.toggled, self.cursor_row, self.top, self.timeline = set(), 0, 0, ()

    def show_timeline(self, lines: tuple[str, ...]) -> None:
        """Show the timeline."""
        self.timeline = lines
        self.repaint()


class DiagnosisScreen(ModalPane):
    """The evidence over the full screen.

    Args:
        main_screen: Its state is followed.
        poller: Has the event log.
    """

    TITLE = "Evidence"
    IS_ABOUT_MODEL = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l", "move('model', 1)", "model", key_display="←→ h l", tooltip="next model"),
        Binding("left,h", "move('model', -1)", "previous model", key_display="← h", show=False),
        Binding("e", "move('problem_model', 1)", "next", tooltip="next problem"),
        Binding("E", "move('problem_model', -1)", "previous problem", show=False),
        Binding("enter,space", "open", "open", key_display="Enter Space", tooltip="open the row"),
        Binding("a", "app.perform('ack')", "ack", tooltip="acknowledge / un-acknowledge"),
        Binding("S", "app.perform('silence')", "silence; list silences", show=False),
        Binding("N", "app.perform('note')", "write a note on the model", show=False),
        Binding("v", "app.perform('periods')", "periods as a table", show=False),
        Binding("q,d,escape", "dismiss", "back", tooltip="back to the models"),
    ]

    pane: DiagnosisPane

    def __init__(self, main_screen: MainScreen, poller: Poller) -> None:
        super().__init__(main_screen, DiagnosisPane(ascii_only=main_screen.ascii_only))
        self.poller = poller

    def on_mount(self) -> None:
        """Read the timeline."""
        self._read_timeline(self.screen_state)

    def _follow(self, state: ScreenState) -> None:
        previous = self.screen_state
        if state.selection.model != previous.selection.model:
            self.pane.start_over()
        super()._follow(state)
        is_same_model = state.selection.model == previous.selection.model
        if not is_same_model or _alerting_state(state) != _alerting_state(previous):
            self._read_timeline(state)

    def _read_timeline(self, state: ScreenState) -> None:
        model = state.selection.model

        def show(lines: tuple[str, ...]) -> None:
            if self.screen_state.selection.model == model:
                self.pane.show_timeline(lines)

        read_timeline(self.app, self.poller, state, show)

    def action_move(self, name: str, steps: int) -> None:
        """Move the selection of the main screen."""
        self.main_screen.action_move(name, steps)

    def action_open(self) -> None:
        """Open the row under the cursor: in place, or the chart and the periods of its series."""
        pane = self.pane
        if not pane.listed:
            return
        key = pane.listed[pane.cursor_row].key
        if key is None:
            pane.toggle()
            return
        self.main_screen.open_series(key)


def _alerting_state(state: ScreenState) -> AlertingState | None:
    return state.snapshot.alerting_state if state.snapshot is not None else None
