"""The five panes of the main screen: models, metrics, chart, alerts, changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from itertools import accumulate
from typing import ClassVar

from rich.console import Console
from textual.binding import Binding

from modeltop.core.series import Alert, SeriesKey
from modeltop.core.text import display_width, sanitize
from modeltop_tui.chart.data import ChartData, PlotTheme
from modeltop_tui.chart.draw import draw_chart
from modeltop_tui.view.alerts import (
    MIN_WIDTH_FOR_DATES,
    AlertEntry,
    alerts_title,
    describe_hidden,
    entries,
    entry_index,
    forecast_text,
)
from modeltop_tui.view.changes import change_lines, changes_title
from modeltop_tui.view.chart import chart_data, cursor_readout, history_strip, spark_start
from modeltop_tui.view.clipboard import alerts_text, lines_text, model_text, series_text
from modeltop_tui.view.metric_tree import selected_row, tree_rows
from modeltop_tui.view.metrics import heading, metric_cells, metric_rows, table_layout
from modeltop_tui.view.models import empty_list_message, list_position, model_cells, models_title
from modeltop_tui.view.multiples import GAP, FigureGrid, figure_grid, figure_heading, grid_title
from modeltop_tui.view.state import ScreenState, visible_models
from modeltop_tui.view.styled_text import Cells, with_cursor, wrap
from modeltop_tui.view.verdict import summary_lines
from modeltop_tui.widgets.pane import Pane, PaneBody


class MainPane(Pane):
    """A pane of the main screen; on a small one, which has no room for the verdict above the panes, it is in each."""

    ROWS: ClassVar[tuple[int, int]] = (6, 2)
    """Lines that the verdict leaves to the content: where all of it fits, and where only a part of it does."""

    def copy_text(self, now: datetime) -> str:
        """Return the selected series, or the point of it at the cursor."""
        return series_text(self.screen_state, now)

    def content(self, width: int, height: int) -> PaneBody:
        """Return the content for an inside of this size, without the verdict. Empty here."""
        del width, height
        return PaneBody()

    def body(self, width: int, height: int) -> PaneBody:
        """Return the content, on a small screen with the verdict below it."""
        body = self.content(width, height)
        if not (self.screen.has_class("-narrow") or self.screen.has_class("-low")):
            return body
        lines = len(body.heading) + body.count
        room, most = (height - min(lines, least) for least in self.ROWS)
        summary = summary_lines(self.screen_state, width, room, only_whole=True)
        summary = summary or summary_lines(self.screen_state, width, most)
        footing = [(), *summary] if 0 < len(summary) < room else summary
        return replace(self.content(width, height - len(footing)), footing=footing)


class ModelsPane(MainPane):
    """The models, worst first; thousands cost no more than those in view."""

    NUMBER = 1
    TITLE = "Models"
    STEPS = "model"
    KEYS: ClassVar[tuple[Binding, ...]] = (
        Binding("e", "move('problem', 1)", "next", tooltip="next open problem"),
        Binding("E", "move('problem', -1)", "previous open problem", show=False),
        Binding("!", "move('problems_only', 1)", "problems only, or all models", show=False),
        Binding("/", "prompt('filter')", "filter", tooltip="filter: word, !word, new, status:crit, recall<0.8"),
        Binding(":", "app.perform('goto')", "go to, compare, command", show=False),
        Binding("s", "move('sort', 1)", "sort: worst, name, oldest", show=False),
    )

    def content(self, width: int, height: int) -> PaneBody:
        """Return one line per model."""
        del height
        message = empty_list_message(self.screen_state)
        if message:
            return PaneBody.of_lines(wrap(message, width))
        models = visible_models(self.screen_state)
        selected = self.screen_state.selection.model
        cursor = models.index(selected) if selected in models else None

        def line(row: int) -> Cells:
            cells = model_cells(self.screen_state, models[row], width)
            return with_cursor(cells, width, focused=self.active) if row == cursor else cells

        return PaneBody(len(models), line, cursor)

    def copy_text(self, now: datetime) -> str:
        """Return the selected model."""
        return model_text(self.screen_state, now)

    def title(self) -> str:
        """Return the number of models, with the filters that are set."""
        return models_title(self.screen_state)

    def _position(self, count: int, visible: int) -> str:
        position = super()._position(count, visible)
        room = self.size.width - display_width(self.title()) - 6
        return list_position(self.screen_state, position, range(self.top, self.top + visible), room)

    def step(self, steps: int) -> None:
        """Move the selection."""
        self.post_message(self.Move("model", steps))

    def click_row(self, row: int) -> None:
        """Select the clicked row."""
        self.post_message(self.Selected(visible_models(self.screen_state)[row]))


class MetricsPane(MainPane):
    """The latest value, changes, support and rule of each metric of the selected model."""

    NUMBER = 2
    TITLE = "Metrics"
    ROWS = (6, 3)
    STEPS = "metric"
    KEYS: ClassVar[tuple[Binding, ...]] = (
        Binding("right,l", "move('side', 1)", "metric", key_display="←→ h l", tooltip="next metric"),
        Binding("left,h", "move('side', -1)", "previous metric", key_display="← h", show=False),
        Binding("v", "app.perform('periods')", "periods as a table", show=False),
    )

    def content(self, width: int, height: int) -> PaneBody:
        """Return one line per metric, and per segment of the selected one."""
        del height
        rows = metric_rows(self.screen_state)
        if not rows:
            return PaneBody.of_lines([(("no metrics", "dim"),)]) if self.screen_state.snapshot else PaneBody()
        layout, state = table_layout(rows, width), self.screen_state
        since = spark_start(state)
        cursor = selected_row(state, tree_rows(state))

        def line(number: int) -> Cells:
            cells = metric_cells(rows[number], layout, since=since)
            return with_cursor(cells, width, focused=self.active) if number == cursor else cells

        return PaneBody(len(rows), line, cursor, (heading(layout),))

    def copy_text(self, now: datetime) -> str:
        """Return the selected series; where there is no list of models the only one."""
        is_model = self.screen.has_class("-single") and self.screen_state.selection.cursor is None
        return model_text(self.screen_state, now) if is_model else super().copy_text(now)

    def title(self) -> str:
        """Return the title with the name of the model."""
        model = self.screen_state.selection.model
        return self.TITLE if model is None else f"{self.TITLE} of {sanitize(model, 60)}"

    def step(self, steps: int) -> None:
        """Move the selection."""
        self.post_message(self.Move("metric", steps))

    def click_row(self, row: int) -> None:
        """Select the clicked row."""
        selected = selected_row(self.screen_state, tree_rows(self.screen_state)) or 0
        self.post_message(self.Move("metric", row - selected))


MIN_MULTIPLES_WIDTH = 76
"""Width of the pane, in cells, from which all metrics are drawn."""
MIN_HEIGHT_FOR_STRIP = 7
_CONSOLE = Console(color_system=None, width=1)


@lru_cache(maxsize=128)
def draw_cells(chart: ChartData, width: int, height: int, theme: PlotTheme) -> list[Cells]:
    """Return the drawn chart as lines of spans, whose roles are Rich's names of styles."""
    lines = draw_chart(chart, width, height, theme).split("\n", allow_blank=True)
    return [tuple((segment.text, str(segment.style or "")) for segment in line.render(_CONSOLE)) for line in lines]


def grid_lines(grid: FigureGrid, state: ScreenState, theme: PlotTheme) -> list[Cells]:
    """Return the lines of charts that are arranged in rows."""
    lines: list[Cells] = []
    for figures, width, height in grid.rows():
        columns: list[list[Cells]] = []
        for figure in figures:
            head = [] if grid.is_row else [figure_heading(figure, state, width)]
            columns.append([*head, *draw_cells(figure.chart, width, height - len(head), theme)])
        gap = (" " * GAP, "")
        lines += [tuple(span for cells in row for span in (*cells, gap))[:-1] for row in zip(*columns, strict=True)]
    return lines


def plot_theme(pane: Pane) -> PlotTheme:
    """Return how charts are drawn on the terminal of a pane."""
    return PlotTheme(ascii=pane.ascii_only, colours=not pane.app.no_color, light=not pane.app.current_theme.dark)


class ChartPane(MainPane):
    """The charts of all metrics of the selected model, or that of the selected one."""

    NUMBER = 3
    TITLE = "Chart"
    ROWS = (9, 5)
    STEPS = "model"
    KEYS: ClassVar[tuple[Binding, ...]] = (
        Binding("z", "zoom", "zoom", tooltip="pane on the full screen", show=False),
        Binding("+,=", "move('zoom', 1)", "range", key_display="+- =", tooltip="zoom in"),
        Binding("-", "move('zoom', -1)", "zoom out", show=False),
        Binding("0", "move('all_time', 1)", "full history, or incident", show=False),
        Binding("[", "move('shift', -1)", "earlier", show=False),
        Binding("]", "move('shift', 1)", "later", show=False),
        Binding("f", "move('one_metric', 1)", "one metric, or all", show=False),
        Binding("m", "move('overlay', 1)", "overlay the metric's family", show=False),
        Binding("c", "move('cursor_switch', 1)", "cursor; ←→ Home End move it", show=False),
        Binding("shift+right", "move('side', 10)", "ten points", key_display="shift+←→", show=False),
        Binding("shift+left", "move('side', -10)", "", show=False),
    )

    _drawn_size = (0, 0)

    @property
    def _has_room(self) -> bool:
        wide = self.screen.has_class("-wide") or self.screen.has_class("-single")
        selection = self.screen_state.selection
        has_family = selection.overlay or selection.comparison is not None
        is_large = selection.one_metric or has_family or self.screen.has_class("-zoomed")
        return wide and self.size.width >= MIN_MULTIPLES_WIDTH and not is_large

    def content(self, width: int, height: int) -> PaneBody:
        """Return the charts, drawn at this size."""
        theme, self._drawn_size = plot_theme(self), (width, height)
        if self._has_room:
            grid = figure_grid(self.screen_state, width, height)
            if grid is not None:
                return PaneBody.of_lines(grid_lines(grid, self.screen_state, theme)[:height])
        strip = history_strip(self.screen_state, width) if height >= MIN_HEIGHT_FOR_STRIP else ()
        chart = draw_cells(chart_data(self.screen_state), width, height - bool(strip), theme)
        return PaneBody.of_lines([*chart, *([strip] if strip else [])][:height])

    def title(self) -> str:
        """Return the name and extent of what is drawn, and whether points had to be left out."""
        grid = figure_grid(self.screen_state, *self._drawn_size) if self._has_room else None
        if grid is not None:
            return grid_title(grid)
        chart = chart_data(self.screen_state)
        thinned = any(len(trace.times) > 2 * self.size.width for trace in chart.traces)
        return f"{chart.title}{' (min and max per column)' if thinned else ''}" if chart.title else self.TITLE

    def subtitle(self) -> str:
        """Return the read-out of the cursor."""
        return cursor_readout(self.screen_state, self.size.width - 4)

    def step(self, steps: int) -> None:
        """Move the selection."""
        self.post_message(self.Move("model", steps))


class AlertsPane(MainPane):
    """What is wrong, since when, and who works on it; a click selects the series."""

    NUMBER = 4
    TITLE = "Alerts"
    STEPS = "alert"
    KEYS: ClassVar[tuple[Binding, ...]] = (
        Binding("a", "app.perform('ack')", "ack", tooltip="acknowledge / un-acknowledge"),
        Binding("S", "app.perform('silence')", "silence; list silences", show=False),
        Binding("N", "app.perform('note')", "write a note on the model", show=False),
    )

    def __init__(self, *, ascii_only: bool = False, id: str | None = None) -> None:  # noqa: A002  the framework's name
        super().__init__(ascii_only=ascii_only, id=id)
        self.cursor_row = 0
        self._cursor_alert: Alert | None = None
        self._model: str | None = None
        self._scrolled_to: tuple[int, int, int] | None = None
        self._entries: list[AlertEntry] = []
        self._visible = 0
        """Lines of its inside."""
        self.unfolded = False

    @property
    def selected_key(self) -> SeriesKey | None:
        """The series of the entry under the cursor."""
        return self._entries[self.cursor_row].key if self._entries else None

    @property
    def selected_alert(self) -> Alert | None:
        """The alert under the cursor, while the pane has the keys."""
        return self._cursor_alert if self.active else None

    def content(self, width: int, height: int) -> PaneBody:
        """Return the lines of all entries; alerts that started together share one if there is no room for all."""
        self._entries, self._visible = entries(self.screen_state, width), height
        if not self.unfolded and sum(len(entry.lines) for entry in self._entries) > height:
            self._entries = entries(self.screen_state, width, folded=True)
        alert_entries = self._entries
        self._place_cursor(alert_entries)
        if alert_entries and self.active:
            self._scroll_to_entry(alert_entries, height)
        lines = [
            with_cursor(line, width) if self.active and number == self.cursor_row else line
            for number, entry in enumerate(alert_entries)
            for line in entry.lines
        ]
        return PaneBody.of_lines(lines or wrap(self.screen_state.loading, width))

    def copy_text(self, now: datetime) -> str:
        """Return the alerts of the line under the cursor, or what it says."""
        del now
        if not self._entries:
            return ""
        entry = self._entries[self.cursor_row]
        model = sanitize(self.screen_state.selection.model, 80)
        return alerts_text(self.screen_state, entry.alerts) if entry.alerts else lines_text(model, entry.lines)

    def title(self) -> str:
        """Return the number of alerts."""
        note = self._position(len(self._entries), self._visible)
        return alerts_title(self.screen_state, self.size.width, "" if self.borders.lower else note)

    def _position(self, count: int, visible: int) -> str:
        del count
        ends = accumulate(len(entry.lines) for entry in self._entries)
        below = (entry for end, entry in zip(ends, self._entries, strict=True) if end > self.top + visible)
        is_wide = self.size.width >= MIN_WIDTH_FOR_DATES
        forecast = forecast_text(self.screen_state) if is_wide else ""
        return " · ".join(filter(None, (describe_hidden(below, brief=not is_wide), forecast)))

    def unfold(self) -> bool:
        """Give each alert a line of its own, and return whether the line under the cursor has several."""
        is_folded = bool(self._entries) and self._entries[self.cursor_row].is_folded
        if is_folded:
            self.unfolded = True
            self.repaint()
        return is_folded

    def _place_cursor(self, alert_entries: list[AlertEntry]) -> None:
        model = self.screen_state.selection.model
        if model != self._model and (self._cursor_alert is None or self._cursor_alert.key.model != model):
            self.cursor_row, self._cursor_alert, self.top, self.unfolded = 0, None, 0, False
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
        for number, entry in enumerate(self._entries):
            first += len(entry.lines)
            if row < first:
                self.cursor_row, self._cursor_alert = number, entry.alert
                if entry.alert is not None:
                    self.post_message(self.Selected(entry.alert.key.model, entry.alert.key))
                self.repaint()
                return


class ChangesPane(MainPane):
    """How much the selected metric changed, and whether that may be noise."""

    NUMBER = 5
    TITLE = "Changes"

    def content(self, width: int, height: int) -> PaneBody:
        """Return one line per comparison."""
        del height
        return PaneBody.of_lines(change_lines(self.screen_state, width))

    def title(self) -> str:
        """Return the title with the name of the metric."""
        return changes_title(self.screen_state)
