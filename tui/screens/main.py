"""The main screen: five panes about one state, and the keys that move through it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.reactive import reactive

from modeltop.core.series import SeriesKey
from modeltop_tui.screens.base import PaneScreen
from modeltop_tui.view import navigation
from modeltop_tui.view.chart import chart_data, cursor_readout
from modeltop_tui.view.metric_tree import has_deep_tree, has_few_rows
from modeltop_tui.view.models import no_match_message
from modeltop_tui.view.news import mark_seen
from modeltop_tui.view.state import ScreenState, Selection, snapshot_index
from modeltop_tui.widgets.header_footer import Header, Prompt, Tabs, VerdictLines
from modeltop_tui.widgets.pane import TO_END, Pane
from modeltop_tui.widgets.panes import AlertsPane, ChangesPane, ChartPane, MetricsPane, ModelsPane


def filter_prompt(screen: MainScreen) -> Prompt:
    """Return the prompt for a filter of the models, which applies while it is typed."""
    previous = screen.screen_state.selection
    unfiltered = screen.without_filter()

    def on_change(text: str) -> str:
        screen.select(replace(unfiltered, filter=text.strip()))
        return "no match" if no_match_message(screen.screen_state) else "words, !word, new, status:crit, recall<0.8"

    def on_submit(_: str) -> None:
        screen.filtered = (screen.screen_state.selection, unfiltered)
        screen.status.show_message(no_match_message(screen.screen_state))

    return Prompt("/", previous.filter, on_change, on_submit, on_cancel=lambda: screen.select(unfiltered))


USUAL_ROWS = 8
"""Rows of the list of models, from which on a roomy screen has a higher one for more incidents."""
PROMPTS = {"filter": filter_prompt}


PANES: tuple[type[Pane], ...] = (ModelsPane, MetricsPane, ChartPane, AlertsPane, ChangesPane)
MAIN_KEYS: tuple[Binding, ...] = (
    Binding("1", "focus_pane(1)", "pane by its number", key_display="1-5", show=False),
    Binding("tab", "next_pane(1)", "next pane", show=False),
    Binding("shift+tab", "next_pane(-1)", "previous pane", show=False),
    Binding("enter", "open", "why", key_display="Enter d", tooltip="why: the evidence"),
    Binding("d", "app.perform('diagnosis')", show=False),
    Binding("escape", "back", "back: cursor, zoom, segments, filter", key_display="Esc", show=False),
)


class MainScreen(PaneScreen):
    """All panes at 80x24 and above; below, one at a time with a line of tabs.

    It has more methods than is usual here because each key's action and each message of a pane is one.

    Args:
        now: Returns the present.
        app_keys: The app's own bindings, for the last line and the help.
        ascii_only: Whether only characters below 128 are drawn.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *MAIN_KEYS,
        *(Binding(str(number), f"focus_pane({number})", show=False) for number in range(2, len(PANES) + 1)),
        *(key for pane in PANES for key in pane.KEYS),
    ]
    # The framework declares these two as instance variables.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (80, "-usual"), (100, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (24, "-middling"), (30, "-high")]  # noqa: RUF012

    screen_state: reactive[ScreenState] = reactive(ScreenState(), repaint=False)

    def __init__(self, now: Callable[[], datetime], app_keys: tuple[Binding, ...], *, ascii_only: bool = False) -> None:
        super().__init__(ascii_only=ascii_only)
        self.now = now
        self.app_keys = app_keys
        self.ascii_only = ascii_only
        self.lookup_result: Callable[[str | SeriesKey | None], Any] = lambda _: None
        """Returns the `Diagnosis` of a model or the `TrendOutlook` of a series; None until there is one."""
        self.filtered: tuple[Selection, Selection] | None = None
        """The selection when the filter was set, and before."""
        self._pane_chosen = False

    def compose(self) -> ComposeResult:
        """Compose the panes, each bound to the state."""
        # The framework sets the size classes after the first layout: everything would be painted once more.
        breakpoints_of = (self.HORIZONTAL_BREAKPOINTS, self.VERTICAL_BREAKPOINTS)
        for length, breakpoints in zip(self.app.size, breakpoints_of, strict=True):
            self.add_class([name for least, name in breakpoints if length >= least][-1])
        flag = self.ascii_only
        panes = [pane(ascii_only=flag, id=pane.TITLE.lower()).data_bind(MainScreen.screen_state) for pane in PANES]
        yield Header(self.now, ascii_only=flag).data_bind(MainScreen.screen_state)
        yield VerdictLines(ascii_only=flag).data_bind(MainScreen.screen_state)
        yield Tabs([pane.TITLE for pane in PANES], ascii_only=flag)
        with Vertical(id="panes"):
            with Horizontal(id="upper"):
                yield from panes[:2]
            with Horizontal(id="lower"):
                yield panes[2]
                with Vertical(id="right"):
                    yield from panes[3:]
        yield self.status_bar

    def on_mount(self) -> None:
        """Focus the first pane, which does not count as the person's choice."""
        self._focus_first_pane()

    def _focus_first_pane(self) -> None:
        number = MetricsPane.NUMBER if self.has_class("-single") else ModelsPane.NUMBER
        first = next((pane for pane in self.query(Pane) if number == pane.NUMBER), None)
        if first is not None and not first.active:
            self._focus_pane(first)

    @property
    def focused_pane(self) -> Pane:
        """The focused pane; the only visible one if there is room for only one."""
        return self.query_one("Pane.-front", Pane)

    def show_state(self, state: ScreenState) -> None:
        """Show a state, with its selection clamped to what exists, and with the newest diagnosis of that."""
        selection = navigation.clamp_selection(state)
        if state.snapshot is not None:
            self.set_class(len(state.snapshot.model_statuses) == 1, "-single")
            self.set_class(bool(state.snapshot.shared_starts), "-shared")
            index = snapshot_index(state.snapshot)
            self.set_class(has_deep_tree(index), "-deep")
            self.set_class(has_few_rows(index), "-shallow")
            self.set_class(len(index.incidents) > USUAL_ROWS, "-many")
            if not self._pane_chosen:
                self._focus_first_pane()
            if state.seen is None:
                state = replace(state, seen=snapshot_index(state.snapshot).incident_states)
        left = self.screen_state.selection.model
        if left is not None and left != selection.model and self.status_bar.prompt is None:
            state = mark_seen(state, left)
        diagnosis, outlook = self.lookup_result(selection.model), self.lookup_result(selection.key)
        self.screen_state = replace(state, selection=selection, diagnosis=diagnosis, outlook=outlook)

    def select(self, selection: Selection) -> None:
        """Change the selection, and nothing else."""
        self.show_state(replace(self.screen_state, selection=selection))

    def without_filter(self) -> Selection:
        """Return the selection without its filter: the earlier one, unless a person has selected another since."""
        selection = self.screen_state.selection
        after, before = self.filtered or (None, selection)
        return before if selection == after else replace(selection, filter="")

    def _focus_pane(self, focused: Pane) -> None:
        for pane in self.query(Pane):
            pane.set_class(pane is focused, "-front")
            pane.active = pane is focused
        for pane in self.query(Pane):
            pane.repaint()  # neighbors draw parts of the frame
        for container in self.query("#upper, #lower, #right"):
            container.set_class(container in focused.ancestors, "-has-front")
        tabs = self.query_one(Tabs)
        tabs.active = focused.NUMBER
        tabs.repaint()
        steps = [("↑↓", focused.STEPS)]
        order = (MetricsPane, AlertsPane, ModelsPane, ChartPane, ChangesPane)
        shown = [key for keys in (MAIN_KEYS, *(pane.KEYS for pane in order), self.app_keys) for key in keys if key.show]
        named = [((key.key_display or key.key).split()[0], key.description) for key in shown]
        keys = [(key, name) for key, name in named if name != focused.STEPS]
        self.status_bar.keys = steps + keys  # another screen may be in front
        self.status_bar.repaint()

    def action_focus_pane(self, number: int) -> None:
        """Give the pane with this number the keys."""
        self._pane_chosen = True
        self._focus_pane(next(pane for pane in self.query(Pane) if number == pane.NUMBER))
        if number in self._hidden_panes:
            self.add_class("-zoomed")

    def action_next_pane(self, steps: int) -> None:
        """Give the next pane the keys."""
        numbers = [pane.NUMBER for pane in PANES if pane.NUMBER not in self._hidden_panes]
        number = self.focused_pane.NUMBER
        at = numbers.index(number) if number in numbers else 0
        self.action_focus_pane(numbers[(at + steps) % len(numbers)])

    @property
    def _hidden_panes(self) -> tuple[int, ...]:
        """The panes that are only shown zoomed: with one model the list of it, and its changes, which its table has."""
        return (ModelsPane.NUMBER, ChangesPane.NUMBER) if self.has_class("-single") else ()

    def action_zoom(self) -> None:
        """Give one pane the full screen: the chart, unless a person has chosen another; or go back."""
        if not self._pane_chosen and not self.has_class("-zoomed"):
            self.action_focus_pane(ChartPane.NUMBER)
        self.set_class(not self.has_class("-zoomed"), "-zoomed")
        self._leave_hidden_pane()

    def _leave_hidden_pane(self) -> None:
        if not self.has_class("-zoomed") and self.focused_pane.NUMBER in self._hidden_panes:
            self._focus_first_pane()

    async def action_open(self) -> None:
        """Open what is selected: what shares a line, an alert, hidden segments, a period, else the evidence."""
        pane, selection = self.focused_pane, self.screen_state.selection
        if isinstance(pane, AlertsPane):
            if pane.unfold():
                return
            if (key := pane.selected_key) is not None:
                self.open_series(key)
                return
        if selection.cursor is not None:
            await self.run_action("app.perform('periods')")
        elif selection.on_hidden and not isinstance(pane, AlertsPane):
            self.select(navigation.unfold_segments(self.screen_state))
        else:
            await self.run_action("app.perform('diagnosis')")

    def open_series(self, key: SeriesKey) -> None:
        """Show the chart, the rules and the periods of a series."""
        from modeltop_tui.screens.periods import PeriodsScreen  # it needs this module

        self.select(navigation.select_series(self.screen_state, key.model, key))
        self.app.push_screen(PeriodsScreen(self, with_chart=True))

    def action_back(self) -> None:
        """Undo one thing: the cursor, else the comparison, else the zoom, else the filters."""
        selection = self.screen_state.selection
        if selection.cursor is not None:
            self.select(replace(selection, cursor=None))
        elif selection.comparison is not None:
            self.select(replace(selection, comparison=None))
        elif self.has_class("-zoomed"):
            self.remove_class("-zoomed")
            self._leave_hidden_pane()
        elif selection.unfolded:
            self.select(replace(selection, unfolded=""))
        elif selection.filter or selection.problems_only:
            self.select(replace(self.without_filter(), problems_only=False))
        else:
            self.status.show_message("nothing to close; q quits")

    def action_step(self, steps: int) -> None:
        """Move the focused pane by lines or items; with a cursor in the chart, first and last are its points."""
        if self.screen_state.selection.cursor is not None and abs(steps) == TO_END:
            self.action_move("side", steps)
        else:
            super().action_step(steps)

    def action_move(self, name: str, steps: int) -> None:
        """Move the selection by one of `navigation.MOVES`, or show why it stays."""
        selection = navigation.clamp_selection(
            replace(self.screen_state, selection=navigation.MOVES[name](self.screen_state, steps))
        )
        if selection == self.screen_state.selection:
            self.status.show_message(navigation.why_unchanged(name, self.screen_state))
            return
        is_same_model = selection.model == self.screen_state.selection.model
        self.select(selection)
        self.status.show_message(
            navigation.announce(name, self.screen_state) or self._unseen(name, is_same_model=is_same_model)
        )

    def _unseen(self, move: str, *, is_same_model: bool) -> str:
        """Return what a move did to a chart that is out of sight, or that has less room for the read-out."""
        chart, readout = self.query_one(ChartPane), cursor_readout(self.screen_state, self.size.width)
        if not chart.region:
            return (readout or chart_data(self.screen_state).title) if is_same_model else ""
        return readout if move == "side" and readout != chart.subtitle() else ""

    def on_pane_move(self, event: Pane.Move) -> None:
        """Move the selection for a pane."""
        self.action_move(event.name, event.steps)

    def on_pane_activated(self, event: Pane.Activated) -> None:
        """Give the clicked pane the keys."""
        if event.number != self.focused_pane.NUMBER:
            self.action_focus_pane(event.number)

    def on_pane_selected(self, event: Pane.Selected) -> None:
        """Select the clicked model or series."""
        self.select(navigation.select_series(self.screen_state, event.model, event.key))

    def action_prompt(self, name: str) -> None:
        """Show the prompt that a key names, one of `PROMPTS`."""
        self.status.show_prompt(PROMPTS[name](self))
