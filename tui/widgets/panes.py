"""The alerts: the selected model's first, how its other rules stand, then the other models'."""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar

from rich.console import Console
from textual.binding import Binding

from modeltop.core.series import Episode
from modeltop_tui.chart.data import ChartData, PlotTheme
from modeltop_tui.chart.draw import draw
from modeltop_tui.view.alerts import Entry, entries, place_of, pointed_at
from modeltop_tui.view.changes import change_lines
from modeltop_tui.view.chart import chart_of, read_out
from modeltop_tui.view.metrics import columns, heading, metric_cells, rows
from modeltop_tui.view.models import model_cells, nothing_listed
from modeltop_tui.view.state import listed
from modeltop_tui.view.styled_text import Cells, wrap
from modeltop_tui.widgets.pane import Body, Pane


class ModelsPane(Pane):
    """Which models there are and which is worst; thousands cost no more than those in sight."""

    NUMBER = 1
    TITLE = "Models"
    STEPS = "model"
    KEYS: ClassVar[tuple[Binding, ...]] = (
        Binding("e", "go('problem', 1)", "problem", tooltip="next problem that nobody has taken"),
        Binding("E", "go('problem', -1)", "previous problem", show=False),
        Binding("!", "go('problems_only', 1)", "problems only, or all models", show=False),
        Binding("/", "ask('filter')", "filter", tooltip="list only models with this in their name"),
        Binding(":", "ask('jump')", "jump to a model or a metric by typing", show=False),
        Binding("s", "go('sort', 1)", "sort: worst first, by name, oldest data first", show=False),
    )

    def body(self, cells_wide: int, rows: int) -> Body:
        """One line a model."""
        del rows
        empty = nothing_listed(self.scene)
        if empty:
            lines = wrap(empty, cells_wide)
            return Body(len(lines), lambda at: lines[at])
        models = listed(self.scene)
        chosen = self.scene.view.model
        at = models.index(chosen) if chosen in models else None
        return Body(len(models), lambda row: model_cells(self.scene, models[row], cells_wide), at)

    def step(self, steps: int) -> None:
        """Up and down move the selection."""
        self.post_message(self.Move("model", steps))

    def pointed(self, row: int) -> None:
        """A click selects."""
        models = listed(self.scene)
        if row < len(models):
            self.post_message(self.Look(models[row]))


class MetricsPane(Pane):
    """Latest value, changes, support and rule of each metric."""

    NUMBER = 2
    TITLE = "Metrics"
    STEPS = "metric"
    KEYS: ClassVar[tuple[Binding, ...]] = (
        Binding("right,l", "go('side', 1)", "metric", key_display="←→", tooltip="next metric (→ l); with c, point"),
        Binding("left,h", "go('side', -1)", "previous metric; with c, point", key_display="← h", show=False),
        Binding("v", "app.deed('periods')", "the periods as a table", show=False),
    )

    def body(self, cells_wide: int, high: int) -> Body:
        """One line a series."""
        del high
        table = rows(self.scene)
        if not table:
            return Body(1, lambda _: (("no metrics", "dim"),)) if self.scene.snapshot else Body()
        shape = columns(table, cells_wide)
        keys = [row.key for row in table]
        chosen = self.scene.view.key
        at = keys.index(chosen) if chosen in keys else None
        return Body(
            len(table), lambda row: metric_cells(table[row], shape, selected=row == at), at, heading=(heading(shape),)
        )

    def step(self, steps: int) -> None:
        """Up and down move the selection."""
        self.post_message(self.Move("metric", steps))

    def pointed(self, row: int) -> None:
        """A click selects."""
        key = rows(self.scene)[row].key
        self.post_message(self.Look(key.model, key))


_CONSOLE = Console(color_system=None, width=1)


@lru_cache(maxsize=16)
def drawn(chart: ChartData, cells_wide: int, rows: int, theme: PlotTheme) -> list[Cells]:
    """The drawing as lines of spans, whose roles are Rich's names of styles."""
    lines = draw(chart, cells_wide, rows, theme).split("\n", allow_blank=True)
    return [tuple((part.text, str(part.style or "")) for part in line.render(_CONSOLE)) for line in lines]


class ChartPane(Pane):
    """Draws the selection at the size it is given."""

    NUMBER = 3
    TITLE = "Chart"
    STEPS = "model"
    KEYS: ClassVar[tuple[Binding, ...]] = (
        Binding("z", "zoom", "zoom", tooltip="give the pane the whole screen, or go back"),
        Binding("m", "go('overlay', 1)", "overlay the metric's family, or draw it alone", show=False),
        Binding("c", "go('cursor_switch', 1)", "cursor with read-out; ←→ move it", show=False),
        Binding("+,=", "go('zoom', 1)", "half of the time shown", show=False),
        Binding("-", "go('zoom', -1)", "twice the time shown", show=False),
        Binding("0", "go('all_time', 1)", "all of time", show=False),
        Binding("[", "go('shift', -1)", "earlier", show=False),
        Binding("]", "go('shift', 1)", "later", show=False),
    )

    def body(self, cells_wide: int, rows: int) -> Body:
        """The drawing, line by line."""
        theme = self.app.current_theme
        look = PlotTheme(ascii=self.ascii_only, colours=not self.app.no_color, light=not theme.dark)
        lines = drawn(chart_of(self.scene), cells_wide, rows, look)
        return Body(min(rows, len(lines)), lambda at: lines[at])

    def title(self) -> str:
        """What is drawn, how much of it, and whether points had to be left out."""
        chart = chart_of(self.scene)
        thinned = any(len(line.times) > 2 * self.size.width for line in chart.lines)
        return f"{chart.title}{', thinned' if thinned else ''}" if chart.title else self.TITLE

    def note(self) -> str:
        """What the cursor stands on."""
        return read_out(self.scene)

    def step(self, steps: int) -> None:
        """Up and down move the selection."""
        self.post_message(self.Move("model", steps))


class AlertsPane(Pane):
    """What is wrong and since when, and who has it; a click goes to the series."""

    NUMBER = 4
    TITLE = "Alerts"
    STEPS = "alert"
    KEYS: ClassVar[tuple[Binding, ...]] = (
        Binding("a", "app.deed('take')", "ack", tooltip="acknowledge: you have the alert; again gives it back"),
        Binding("S", "app.deed('silence')", "silence alerts for a while; list silences, end one", show=False),
        Binding("N", "app.deed('note')", "write a note about the model", show=False),
    )

    def __init__(self, *, ascii_only: bool = False, id: str | None = None) -> None:  # noqa: A002  the framework's name
        super().__init__(ascii_only=ascii_only, id=id)
        self.at = 0
        self._on: Episode | None = None
        self._model: str | None = None
        self._followed: tuple[int, int, int] | None = None

    @property
    def chosen(self) -> Episode | None:
        """The alert under the cursor, while the pane has the keys."""
        return self._on if self.front else None

    def body(self, cells_wide: int, rows: int) -> Body:
        """The lines of all entries."""
        found = self._entries(cells_wide)
        self._settle(found)
        if found and self.front:
            found[self.at] = pointed_at(found[self.at])
            self._follow(found, rows)
        lines: list[Cells] = [line for entry in found for line in entry.lines]
        if not lines:
            lines = wrap(self.scene.loading, cells_wide)
        return Body(len(lines), lambda at: lines[at])

    def _settle(self, found: list[Entry]) -> None:
        """Keep the cursor on its alert wherever that went; another model begins at its worst."""
        model = self.scene.view.model
        if model != self._model and (self._on is None or self._on.key.model != model):
            self.at, self._on = 0, None
        self._model = model
        if self._on is not None:
            self.at = place_of(self._on, found, self.at)
        self.at = max(0, min(self.at, len(found) - 1))
        self._on = found[self.at].episode if found else None

    def _follow(self, found: list[Entry], rows: int) -> None:
        """Keep the whole entry in sight once the cursor moved; a person may have scrolled away since."""
        first = sum(len(entry.lines) for entry in found[: self.at])
        place = (self.at, first, rows)
        if place != self._followed:
            last = first + len(found[self.at].lines)
            self.top = min(max(self.top, last - rows), first)
        self._followed = place

    def _entries(self, cells_wide: int) -> list[Entry]:
        return entries(self.scene, cells_wide)

    def step(self, steps: int) -> None:
        """Up and down move the cursor."""
        self.at, self._on = self.at + steps, None
        self.show()

    def page(self, pages: int) -> None:
        """A page up or down: an alert takes two lines or more."""
        self.step(pages * max(1, (self.size.height - 3) // 2))

    def pointed(self, row: int) -> None:
        """A click looks at the series that the alert is about."""
        first = 0
        for at, entry in enumerate(self._entries(max(0, self.size.width - 2))):
            first += len(entry.lines)
            if row < first:
                self.at, self._on = at, entry.episode
                if entry.episode is not None:
                    self.post_message(self.Look(entry.episode.key.model, entry.episode.key))
                self.show()
                return


class ChangesPane(Pane):
    """The verdict in one sentence, then by how much the metric moved, and whether that can be chance."""

    NUMBER = 5
    TITLE = "Changes"
    KEYS: ClassVar[tuple[Binding, ...]] = (
        Binding("d", "app.deed('diagnosis')", "why", tooltip="diagnosis: what happened, why, and what to do"),
    )

    def body(self, cells_wide: int, rows: int) -> Body:
        """The verdict and one line a comparison."""
        del rows
        lines = change_lines(self.scene, cells_wide)
        return Body(len(lines), lambda at: lines[at])
