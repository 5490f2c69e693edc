"""The five panes of the main screen: models, metrics, chart, alerts, changes."""

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
    """The models, worst first; thousands cost no more than those in view."""

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

    def body(self, width: int, height: int) -> PaneBody:
        """Return one line per model."""
        del height
        message = empty_list_message(self.screen_state)
        if message:
            return PaneBody.of_lines(wrap(message, width))
        models = visible_models(self.screen_state)
        selected = self.screen_state.selection.model
        cursor = models.index(selected) if selected in models else None
        return PaneBody(len(models), lambda row: model_cells(self.screen_state, models[row], width), cursor)

    def step(self, steps: int) -> None:
        """Move the selection."""
        self.post_message(self.Move("model", steps))

    def click_row(self, row: int) -> None:
        """Select the clicked row."""
        models = visible_models(self.screen_state)
        if row < len(models):
            self.post_message(self.Selected(models[row]))


class MetricsPane(Pane):
    """The latest value, changes, support and rule of each metric of the selected model."""

    NUMBER = 2
    TITLE = "Metrics"
    STEPS = "metric"
    KEYS: ClassVar[tuple[Binding, ...]] = (
        Binding("right,l", "move('side', 1)", "metric", key_display="←→", tooltip="next metric (→ l); with c, point"),
        Binding("left,h", "move('side', -1)", "previous metric; with c, point", key_display="← h", show=False),
        Binding("v", "app.perform('periods')", "the periods as a table", show=False),
    )

    def body(self, width: int, height: int) -> PaneBody:
        """Return one line per series."""
        del height
        rows = metric_rows(self.screen_state)
        if not rows:
            return PaneBody.of_lines([(("no metrics", "dim"),)]) if self.screen_state.snapshot else PaneBody()
        widths = column_widths(rows, width)
        keys = [row.key for row in rows]
        selected = self.screen_state.selection.key
        cursor = keys.index(selected) if selected in keys else None

        def line(number: int) -> Cells:
            return metric_cells(rows[number], widths, selected=number == cursor)

        return PaneBody(len(rows), line, cursor, heading=(heading(widths),))

    def step(self, steps: int) -> None:
        """Move the selection."""
        self.post_message(self.Move("metric", steps))

    def click_row(self, row: int) -> None:
        """Select the clicked row."""
        key = metric_rows(self.screen_state)[row].key
        self.post_message(self.Selected(key.model, key))


_CONSOLE = Console(color_system=None, width=1)


@lru_cache(maxsize=16)
def draw_cells(chart: ChartData, width: int, height: int, theme: PlotTheme) -> list[Cells]:
    """Return the drawn chart as lines of spans, whose roles are Rich's names of styles."""
    lines = draw_chart(chart, width, height, theme).split("\n", allow_blank=True)
    return [tuple((segment.text, str(segment.style or "")) for segment in line.render(_CONSOLE)) for line in lines]


class ChartPane(Pane):
    """The chart of the selected series."""

    NUMBER = 3
    TITLE = "Chart"
    STEPS = "model"
    KEYS: ClassVar[tuple[Binding, ...]] = (
        Binding("z", "zoom", "zoom", tooltip="give the pane the whole screen, or go back"),
        Binding("m", "move('overlay', 1)", "overlay the metric's family, or draw it alone", show=False),
        Binding("c", "move('cursor_switch', 1)", "cursor with read-out; ←→ move it", show=False),
        Binding("+,=", "move('zoom', 1)", "half of the time shown", show=False),
        Binding("-", "move('zoom', -1)", "twice the time shown", show=False),
        Binding("0", "move('all_time', 1)", "full history", show=False),
        Binding("[", "move('shift', -1)", "earlier", show=False),
        Binding("]", "move('shift', 1)", "later", show=False),
    )

    def body(self, width: int, height: int) -> PaneBody:
        """Return the chart, drawn at this size."""
        light = not self.app.current_theme.dark
        theme = PlotTheme(ascii=self.ascii_only, colours=not self.app.no_color, light=light)
        return PaneBody.of_lines(draw_cells(chart_data(self.screen_state), width, height, theme)[:height])

    def title(self) -> str:
        """Return the name and extent of what is drawn, and whether points had to be left out."""
        chart = chart_data(self.screen_state)
        thinned = any(len(trace.times) > 2 * self.size.width for trace in chart.traces)
        return f"{chart.title}{', thinned' if thinned else ''}" if chart.title else self.TITLE

    def subtitle(self) -> str:
        """Return the read-out of the cursor."""
        return cursor_readout(self.screen_state)

    def step(self, steps: int) -> None:
        """Move the selection."""
        self.post_message(self.Move("model", steps))


class AlertsPane(Pane):
    """What is wrong, since when, and who works on it; a click selects the series."""

    NUMBER = 4
    TITLE = "Alerts"
    STEPS = "alert"
    KEYS: ClassVar[tuple[Binding, ...]] = (
        Binding(
            "a", "app.perform('acknowledge')", "ack", tooltip="acknowledge: you have the alert; again gives it back"
        ),
        Binding("S", "app.perform('silence')", "silence alerts for a while; list silences, end one", show=False),
        Binding("N", "app.perform('note')", "write a note about the model", show=False),
    )

    def __init__(self, *, ascii_only: bool = False, id: str | None = None) -> None:  # noqa: A002  the framework's name
        super().__init__(ascii_only=ascii_only, id=id)
        self.cursor_row = 0
        self._cursor_alert: Alert | None = None
        self._model: str | None = None
        self._scrolled_to: tuple[int, int, int] | None = None

    @property
    def selected_alert(self) -> Alert | None:
        """The alert under the cursor, while the pane has the keys."""
        return self._cursor_alert if self.active else None

    def body(self, width: int, height: int) -> PaneBody:
        """Return the lines of all entries."""
        alert_entries = entries(self.screen_state, width)
        self._place_cursor(alert_entries)
        if alert_entries and self.active:
            alert_entries[self.cursor_row] = with_cursor(alert_entries[self.cursor_row])
            self._scroll_to_entry(alert_entries, height)
        lines = [line for entry in alert_entries for line in entry.lines]
        return PaneBody.of_lines(lines or wrap(self.screen_state.loading, width))

    def _place_cursor(self, alert_entries: list[AlertEntry]) -> None:
        """Keep the cursor on its alert wherever that went; on another model start at its worst."""
        model = self.screen_state.selection.model
        if model != self._model and (self._cursor_alert is None or self._cursor_alert.key.model != model):
            self.cursor_row, self._cursor_alert, self.top = 0, None, 0
        self._model = model
        if self._cursor_alert is not None:
            self.cursor_row = entry_index(self._cursor_alert, alert_entries, self.cursor_row)
        self.cursor_row = max(0, min(self.cursor_row, len(alert_entries) - 1))
        self._cursor_alert = alert_entries[self.cursor_row].alert if alert_entries else None

    def _scroll_to_entry(self, alert_entries: list[AlertEntry], height: int) -> None:
        """Scroll to all lines of the entry once the cursor moved; a person may have scrolled away since."""
        first = sum(len(entry.lines) for entry in alert_entries[: self.cursor_row])
        position = (self.cursor_row, first, height)
        if position != self._scrolled_to:
            last = first + len(alert_entries[self.cursor_row].lines)
            self.top = min(max(self.top, last - height), first)
        self._scrolled_to = position

    def step(self, steps: int) -> None:
        """Move the cursor from entry to entry."""
        self.cursor_row, self._cursor_alert = self.cursor_row + steps, None
        self.repaint()

    def page(self, pages: int) -> None:
        """Move the cursor by pages; an entry takes two lines or more."""
        self.step(pages * max(1, (self.size.height - 3) // 2))

    def click_row(self, row: int) -> None:
        """Move the cursor to the entry, and select the series that it is about."""
        first = 0
        for number, entry in enumerate(entries(self.screen_state, max(0, self.size.width - 2))):
            first += len(entry.lines)
            if row < first:
                self.cursor_row, self._cursor_alert = number, entry.alert
                if entry.alert is not None:
                    self.post_message(self.Selected(entry.alert.key.model, entry.alert.key))
                self.repaint()
                return


class ChangesPane(Pane):
    """The diagnosis in one sentence, then how much the selected metric changed, and whether that may be noise."""

    NUMBER = 5
    TITLE = "Changes"
    KEYS: ClassVar[tuple[Binding, ...]] = (
        Binding("d", "app.perform('diagnosis')", "the evidence, as Enter", show=False),
    )

    def body(self, width: int, height: int) -> PaneBody:
        """Return the sentence and one line per comparison."""
        del height
        return PaneBody.of_lines(change_lines(self.screen_state, width))
