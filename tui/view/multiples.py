"""Small multiples: the arrangement of the charts of all metrics of a model, and the lines above them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from modeltop.core.text import display_width, truncate
from modeltop_tui.view.chart import Figure, chart_figures, value_at
from modeltop_tui.view.metrics import metric_row
from modeltop_tui.view.state import ScreenState, snapshot_index
from modeltop_tui.view.styled_text import SHAPES, TINTS, Cells, fit

MIN_WIDTH, MIN_HEIGHT = 25, 6
GAP = 1


@dataclass(frozen=True, slots=True)
class FigureGrid:
    """Charts in rows."""

    figures: tuple[Figure, ...]
    columns: int
    width: int
    total_width: int
    total_height: int

    @property
    def is_row(self) -> bool:
        """Whether all charts are side by side."""
        return self.columns >= len(self.figures)

    def rows(self) -> Iterator[tuple[tuple[Figure, ...], int, int]]:
        """Yield the charts of each row, with their width and height; a row that is not full has wider ones.

        The height has the line above a chart, which a single row has in the border of the pane.
        """
        starts = range(0, len(self.figures), self.columns)
        for number, first in enumerate(starts):
            row = self.figures[first : first + self.columns]
            height, rest = divmod(self.total_height, len(starts))
            yield row, (self.total_width + GAP) // len(row) - GAP, height + (number < rest)


def figure_grid(state: ScreenState, width: int, height: int) -> FigureGrid | None:
    """Return the charts of the selected model at a size; None if there is no room for two.

    The charts have as few columns as fit, since wide ones are easier to read.
    """
    if state.snapshot is None or state.selection.key is None:
        return None
    most, rows = (width + GAP) // (MIN_WIDTH + GAP), height // (MIN_HEIGHT + 1)
    figures = chart_figures(state, most * max(1, rows)) if height >= MIN_HEIGHT else ()
    if min(most, len(figures)) < 2:
        return None
    columns = next((count for count in range(1, most) if ceil(len(figures) / count) <= rows), most)
    columns = min(columns, len(figures))
    return FigureGrid(figures, columns, (width + GAP) // columns - GAP, width, height)


def figure_heading(figure: Figure, state: ScreenState, width: int) -> Cells:
    """Return the line above a chart: metric, severity, newest value, change since the baseline, limit.

    With a cursor, the value there and its change from the previous point: the cursor reads all charts.
    """
    if len(figure.keys) > 1 or figure.is_history or state.snapshot is None:
        return fit(((figure.chart.title, "dim"),), width)
    row = metric_row(snapshot_index(state.snapshot), figure.keys[0])
    now, change, severity = row.texts["now"], row.texts.get("reference", ""), row.severity
    if state.selection.cursor is not None:
        now, change, severity = value_at(state, row.series)
    role = TINTS[severity] if severity else ""
    name = (truncate(row.name, width), "selected" if row.key == state.selection.key else "")
    mark = f" {SHAPES[severity]} " if severity else "   "
    limit = row.texts["limit"].lstrip("<> ")
    facts = f"{now}  {change}"
    limit = f"  limit {limit}" if limit[:1].isdecimal() else ""
    room = width - display_width(row.name + mark + facts + limit)
    return fit((name, (mark, role), (facts, ""), (limit if room > 0 else "", "dim")), width)


def grid_title(grid: FigureGrid) -> str:
    """Return the title of the pane: of charts side by side their names, else that all metrics are shown."""
    if not grid.is_row:
        extent = grid.figures[0].chart.title.partition(", ")[2]
        return f"All metrics, {extent}"
    first, *others = grid.figures
    titles = (one.chart.title if one.is_history else one.chart.title.partition(",")[0] for one in others)
    # The extent is whole or not at all.
    short = first.chart.title if display_width(first.chart.title) < grid.width - 1 else first.chart.title.split(",")[0]
    texts = [truncate(text, grid.width - 2) for text in (short, *titles)]
    padded = [
        f"{text}{'─' * (grid.width + GAP - display_width(text) - 2 * (at == 0))}" for at, text in enumerate(texts)
    ]
    return "".join(padded).rstrip("─")
