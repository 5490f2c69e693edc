"""The periods of one model, newest first: every value with its count, change, interval and severity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from textual.binding import Binding, BindingType

from modeltop.core.stats.spacing import period_unit
from modeltop.core.text import pluralize, sanitize
from modeltop_tui.screens.main import MainScreen
from modeltop_tui.screens.modal import ModalPane, RowsPane
from modeltop_tui.view.changes import selected_series
from modeltop_tui.view.chart import chart_data
from modeltop_tui.view.clipboard import lines_text
from modeltop_tui.view.metrics import label
from modeltop_tui.view.periods import period_row, period_rows
from modeltop_tui.view.rows import Row
from modeltop_tui.view.series_rules import series_rule_lines
from modeltop_tui.view.styled_text import Cells
from modeltop_tui.widgets.header_footer import Prompt
from modeltop_tui.widgets.panes import draw_cells, plot_theme

MIN_HEIGHT_FOR_CHART = 14


class PeriodsPane(RowsPane):
    """One row per period; a row is made when it comes into view, and opens to its segments and counts."""

    STEPS = "period"

    def __init__(self, *, ascii_only: bool = False, with_chart: bool = False) -> None:
        super().__init__(ascii_only=ascii_only)
        self.with_chart = with_chart
        """Whether the chart and the rules of the series stay on top."""
        self.words = ""

    def rows(self, width: int, height: int) -> Sequence[Row]:
        """Return one row per period that the filter matches."""
        del width, height
        return period_rows(self.screen_state, self.words) or ()

    def heading(self, width: int) -> tuple[Cells, ...]:
        """Return the names of the columns."""
        table = period_rows(self.screen_state, self.words)
        if table is None:
            return ((("nothing could be read", "dim"),),)
        hint = (
            () if len(table) else (((f'no period matches "{sanitize(self.words)}" (/ to edit, Esc to clear)', "dim"),),)
        )
        return (*(self._series_lines(width) if self.with_chart else ()), table.heading(width), *hint)

    def _series_lines(self, width: int) -> list[Cells]:
        state, height = self.screen_state, self.borders.inner_size.height
        alone = replace(state.selection, time_window=None, cursor=None, overlay=False, comparison=None)
        rules = series_rule_lines(state, width, height // 4 + 1)
        if height < MIN_HEIGHT_FOR_CHART:
            return rules
        chart = chart_data(replace(state, selection=alone))
        return [*draw_cells(chart, width, height * 2 // 5, plot_theme(self)), *rules]

    def title(self) -> str:
        """Return what is listed, and the filter."""
        key = self.screen_state.selection.key
        if key is None:
            return f"{sanitize(self.screen_state.selection.model, 60)}: no periods"
        unit = period_unit(selected_series(self.screen_state))
        found = f' with "{sanitize(self.words, 40)}"' if self.words else ""
        return f"{sanitize(key.model, 60)}: {label(key)}, {pluralize(len(self.listed), unit)}{found}"

    def copy_text(self, now: datetime) -> str:
        """Return the period under the cursor, under the names of the columns."""
        del now
        if not self.listed:
            return ""
        row, names = self.listed[self.cursor_row], self.heading(self.size.width)[-1:]
        return lines_text(self.title(), [*names, *(row.unfold() if row.unfold is not None else [row.line])])

    def subtitle(self) -> str:
        """Return the position."""
        return f"{self.cursor_row + 1} of {len(self.listed)}" if self.listed else ""

    def filter(self, words: str) -> bool:
        """List only the periods that match some words; list all, and return False, if none does."""
        has_match = bool(period_rows(self.screen_state, words.strip()))
        self.words, self.toggled, self.cursor_row, self.top = words.strip() if has_match else "", set(), 0, 0
        self.repaint()
        return has_match


class PeriodsScreen(ModalPane):
    """The table of periods over the full screen, open at the cursor of the chart.

    Args:
        main_screen: Its state is followed.
        with_chart: Whether the chart and the rules of the series are above the table.
    """

    TITLE = "Periods"
    IS_ABOUT_MODEL = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l", "select_metric(1)", "metric", key_display="←→ h l", tooltip="next metric"),
        Binding("left,h", "select_metric(-1)", "previous metric", key_display="← h", show=False),
        Binding("enter,space", "open", "open", key_display="Enter Space", tooltip="open the period"),
        Binding("/", "filter", "filter", tooltip="filter: 2025-06, critical, <0.9, !word"),
        Binding("a", "app.perform('ack')", "ack", tooltip="acknowledge / un-acknowledge"),
        Binding("S", "app.perform('silence')", "silence; list silences", show=False),
        Binding("N", "app.perform('note')", "write a note on the model", show=False),
        Binding("escape", "clear", "clear the filter, or back", key_display="Esc", show=False),
        Binding("q,v", "dismiss", "back"),
    ]

    pane: PeriodsPane

    def __init__(self, main_screen: MainScreen, *, with_chart: bool = False) -> None:
        super().__init__(main_screen, PeriodsPane(ascii_only=main_screen.ascii_only, with_chart=with_chart))
        if main_screen.screen_state.selection.cursor is not None:
            row = period_row(main_screen.screen_state)
            self.pane.cursor_row, self.pane.toggled = row, {row}

    def action_select_metric(self, steps: int) -> None:
        """Select another metric of the model, on the main screen as well."""
        self.main_screen.action_move("metric", steps)
        if self.main_screen.screen_state.selection.on_hidden:  # a line of the table, and no series of its own
            self.main_screen.action_move("metric", steps)

    def action_open(self) -> None:
        """Show the segments and counts of the period under the cursor."""
        self.pane.toggle()

    def action_filter(self) -> None:
        """Ask for a filter, which applies while it is typed."""

        def on_change(text: str) -> str:
            return "2025-06, critical, <0.9, recall<0.8, !word" if self.pane.filter(text) else "no match"

        def on_submit(text: str) -> None:
            if not self.pane.filter(text):
                self.status.show_message(f'no period matches "{text}" (/ to edit, Esc to clear)')

        def on_cancel() -> None:
            self.pane.filter("")

        self.status.show_prompt(Prompt("/", self.pane.words, on_change, on_submit, on_cancel))

    async def action_clear(self) -> None:
        """Clear the filter; without one, go back."""
        if self.pane.words:
            self.pane.filter("")
        else:
            await self.action_dismiss()
