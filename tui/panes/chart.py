"""The chart of the selected series."""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar

from rich.console import Console
from textual.binding import Binding

from tui.chart_data import ChartData, PlotTheme
from tui.panes.base import Body, Pane
from tui.plot import draw
from tui.present.cells import Cells
from tui.present.chart import chart_of, read_out

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
