"""The alerts: the selected model's first, how its other rules stand, then the other models'."""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar

from rich.console import Console
from textual.binding import Binding

from modeltop.core.series import Alert
from modeltop_tui.chart.data import ChartData, PlotTheme
from modeltop_tui.chart.draw import draw_chart
from modeltop_tui.view.alerts import AlertEntry, entries, entry_index, with_cursor
from modeltop_tui.view.changes import change_lines
from modeltop_tui.view.chart import chart_data, cursor_readout
from modeltop_tui.view.metrics import column_widths, heading, metric_cells, metric_rows
from modeltop_tui.view.models import empty_list_message, model_cells
from modeltop_tui.view.state import visible_models
from modeltop_tui.view.styled_text import Cells, wrap
from modeltop_tui.widgets.pane import Pane, PaneBody


class ModelsPane(Pane):
    """Which models there are and which is worst; thousands cost no more than those in sight."""

    NUMBER = 1
    TITLE = "Models"
    STEPS = "model"
    KEYS: ClassVar[tuple[Binding, ...]] = (
        Binding("e", "move('problem', 1)", "problem", tooltip="next problem that nobody has taken"),
        Binding("E", "move('problem', -1)", "previous problem", show=False),
        Binding("!", "move('problems_only', 1)", "problems only, or all models", show=False),
        Binding("/", "prompt('filter')", "filter", tooltip="list only models with this in their name"),
        Binding(":", "prompt('jump')", "jump to a model or a metric by typing", show=False),
        Binding("s", "move('sort', 1)", "sort: worst first, by name, oldest data first", show=False),
    )

    def body(self, cells_wide: int, rows: int) -> PaneBody:
        """One line a model."""
        del rows
        empty = empty_list_message(self.screen_state)
        if empty:
            lines = wrap(empty, cells_wide)
            return PaneBody(len(lines), lambda at: lines[at])
        models = visible_models(self.screen_state)
        chosen = self.screen_state.selection.model
        at = models.index(chosen) if chosen in models else None
        return PaneBody(len(models), lambda row: model_cells(self.screen_state, models[row], cells_wide), at)

    def step(self, steps: int) -> None:
        """Up and down move the selection."""
        self.post_message(self.Move("model", steps))

    def click_row(self, row: int) -> None:
        """A click selects."""
        models = visible_models(self.screen_state)
        if row < len(models):
            self.post_message(self.Selected(models[row]))


class MetricsPane(Pane):
    """Latest value, changes, support and rule of each metric."""

    NUMBER = 2
    TITLE = "Metrics"
    STEPS = "metric"
    KEYS: ClassVar[tuple[Binding, ...]] = (
        Binding("right,l", "move('side', 1)", "metric", key_display="←→", tooltip="next metric (→ l); with c, point"),
        Binding("left,h", "move('side', -1)", "previous metric; with c, point", key_display="← h", show=False),
        Binding("v", "app.perform('periods')", "the periods as a table", show=False),
    )

    def body(self, cells_wide: int, high: int) -> PaneBody:
        """One line a series."""
        del high
        table = metric_rows(self.screen_state)
        if not table:
            return PaneBody(1, lambda _: (("no metrics", "dim"),)) if self.screen_state.snapshot else PaneBody()
        shape = column_widths(table, cells_wide)
        keys = [row.key for row in table]
        chosen = self.screen_state.selection.key
        at = keys.index(chosen) if chosen in keys else None
        return PaneBody(
            len(table), lambda row: metric_cells(table[row], shape, selected=row == at), at, heading=(heading(shape),)
        )

    def step(self, steps: int) -> None:
        """Up and down move the selection."""
        self.post_message(self.Move("metric", steps))

    def click_row(self, row: int) -> None:
        """A click selects."""
        key = metric_rows(self.screen_state)[row].key
        self.post_message(self.Selected(key.model, key))


_CONSOLE = Console(color_system=None, width=1)


@lru_cache(maxsize=16)
def draw_cells(chart: ChartData, cells_wide: int, rows: int, theme: PlotTheme) -> list[Cells]:
    """The drawing as lines of spans, whose roles are Rich's names of styles."""
    lines = draw_chart(chart, cells_wide, rows, theme).split("\n", allow_blank=True)
    return [tuple((part.text, str(part.style or "")) for part in line.render(_CONSOLE)) for line in lines]


class ChartPane(Pane):
    """Draws the selection at the size it is given."""

    NUMBER = 3
    TITLE = "Chart"
    STEPS = "model"
    KEYS: ClassVar[tuple[Binding, ...]] = (
        Binding("z", "zoom", "zoom", tooltip="give the pane the whole screen, or go back"),
        Binding("m", "move('overlay', 1)", "overlay the metric's family, or draw it alone", show=False),
        Binding("c", "move('cursor_switch', 1)", "cursor with read-out; ←→ move it", show=False),
        Binding("+,=", "move('zoom', 1)", "half of the time shown", show=False),
        Binding("-", "move('zoom', -1)", "twice the time shown", show=False),
        Binding("0", "move('all_time', 1)", "all of time", show=False),
        Binding("[", "move('shift', -1)", "earlier", show=False),
        Binding("]", "move('shift', 1)", "later", show=False),
    )

    def body(self, cells_wide: int, rows: int) -> PaneBody:
        """The drawing, line by line."""
        theme = self.app.current_theme
        look = PlotTheme(ascii=self.ascii_only, colours=not self.app.no_color, light=not theme.dark)
        lines = draw_cells(chart_data(self.screen_state), cells_wide, rows, look)
        return PaneBody(min(rows, len(lines)), lambda at: lines[at])

    def title(self) -> str:
        """What is drawn, how much of it, and whether points had to be left out."""
        chart = chart_data(self.screen_state)
        thinned = any(len(line.times) > 2 * self.size.width for line in chart.traces)
        return f"{chart.title}{', thinned' if thinned else ''}" if chart.title else self.TITLE

    def subtitle(self) -> str:
        """What the cursor stands on."""
        return cursor_readout(self.screen_state)

    def step(self, steps: int) -> None:
        """Up and down move the selection."""
        self.post_message(self.Move("model", steps))


class AlertsPane(Pane):
    """What is wrong and since when, and who has it; a click goes to the series."""

    NUMBER = 4
    TITLE = "Alerts"
    STEPS = "alert"
    KEYS: ClassVar[tuple[Binding, ...]] = (
        Binding("a", "app.perform('take')", "ack", tooltip="acknowledge: you have the alert; again gives it back"),
        Binding("S", "app.perform('silence')", "silence alerts for a while; list silences, end one", show=False),
        Binding("N", "app.perform('note')", "write a note about the model", show=False),
    )

    def __init__(self, *, ascii_only: bool = False, id: str | None = None) -> None:  # noqa: A002  the framework's name
        super().__init__(ascii_only=ascii_only, id=id)
        self.cursor_row = 0
        self._on: Alert | None = None
        self._model: str | None = None
        self._followed: tuple[int, int, int] | None = None

    @property
    def selected_alert(self) -> Alert | None:
        """The alert under the cursor, while the pane has the keys."""
        return self._on if self.active else None

    def body(self, cells_wide: int, rows: int) -> PaneBody:
        """The lines of all entries."""
        found = self._entries(cells_wide)
        self._settle(found)
        if found and self.active:
            found[self.cursor_row] = with_cursor(found[self.cursor_row])
            self._follow(found, rows)
        lines: list[Cells] = [line for entry in found for line in entry.lines]
        if not lines:
            lines = wrap(self.screen_state.loading, cells_wide)
        return PaneBody(len(lines), lambda at: lines[at])

    def _settle(self, found: list[AlertEntry]) -> None:
        """Keep the cursor on its alert wherever that went; another model begins at its worst."""
        model = self.screen_state.selection.model
        if model != self._model and (self._on is None or self._on.key.model != model):
            self.cursor_row, self._on = 0, None
        self._model = model
        if self._on is not None:
            self.cursor_row = entry_index(self._on, found, self.cursor_row)
        self.cursor_row = max(0, min(self.cursor_row, len(found) - 1))
        self._on = found[self.cursor_row].alert if found else None

    def _follow(self, found: list[AlertEntry], rows: int) -> None:
        """Keep the whole entry in sight once the cursor moved; a person may have scrolled away since."""
        first = sum(len(entry.lines) for entry in found[: self.cursor_row])
        place = (self.cursor_row, first, rows)
        if place != self._followed:
            last = first + len(found[self.cursor_row].lines)
            self.top = min(max(self.top, last - rows), first)
        self._followed = place

    def _entries(self, cells_wide: int) -> list[AlertEntry]:
        return entries(self.screen_state, cells_wide)

    def step(self, steps: int) -> None:
        """Up and down move the cursor."""
        self.cursor_row, self._on = self.cursor_row + steps, None
        self.repaint()

    def page(self, pages: int) -> None:
        """A page up or down: an alert takes two lines or more."""
        self.step(pages * max(1, (self.size.height - 3) // 2))

    def click_row(self, row: int) -> None:
        """A click looks at the series that the alert is about."""
        first = 0
        for at, entry in enumerate(self._entries(max(0, self.size.width - 2))):
            first += len(entry.lines)
            if row < first:
                self.cursor_row, self._on = at, entry.alert
                if entry.alert is not None:
                    self.post_message(self.Selected(entry.alert.key.model, entry.alert.key))
                self.repaint()
                return


class ChangesPane(Pane):
    """The verdict in one sentence, then by how much the metric moved, and whether that can be chance."""

    NUMBER = 5
    TITLE = "Changes"
    KEYS: ClassVar[tuple[Binding, ...]] = (
        Binding("d", "app.perform('diagnosis')", "why", tooltip="diagnosis: what happened, why, and what to do"),
    )

    def body(self, cells_wide: int, rows: int) -> PaneBody:
        """The verdict and one line a comparison."""
        del rows
        lines = change_lines(self.screen_state, cells_wide)
        return PaneBody(len(lines), lambda at: lines[at])
