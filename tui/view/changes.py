"""How much the selected metric changed, and whether that may be noise."""

from __future__ import annotations

from modeltop.core.metrics.registry import Metric
from modeltop.core.series import Series
from modeltop.core.text import display_width, sanitize
from modeltop.report.summary import ChangeCell, change_cells
from modeltop.rules.change_summary import baseline_note
from modeltop_tui.view.metrics import label, short_day
from modeltop_tui.view.state import ScreenState
from modeltop_tui.view.styled_text import Cells, wrap

NAMES = {"previous": "", "7d": "7 days", "30d": "30 days", "first": "", "reference": "baseline"}
"""Labels by kind of comparison, in the order of display: the newest first; empty: the date."""
NAME_WIDTH = max(map(len, NAMES.values()))
VALUES_WIDTH, DELTA_WIDTH = 13, 7
"""Cells of the values before and after, and of their difference, where there is room."""


def selected_series(state: ScreenState) -> Series | None:
    """Return the selected series; None without one."""
    if state.snapshot is None or state.selection.key is None:
        return None
    return state.snapshot.history.series.get(state.selection.key)


def changes_title(state: ScreenState) -> str:
    """Return the title of the pane, with the metric."""
    return "Changes" if state.selection.key is None else f"Changes of {label(state.selection.key)}"


def change_lines(state: ScreenState, width: int) -> list[Cells]:
    """Return one comparison of the selected series per line, with its 95 % interval if there is room."""
    series = selected_series(state)
    if state.snapshot is None or series is None:
        return []
    metric = state.snapshot.catalog.get(series.key.metric)
    cells = change_cells(series, state.snapshot)
    names = {against: name or short_day(cells[against].change.before_at, series.newest)
             for against, name in NAMES.items() if against in cells}  # fmt: skip
    values = {
        against: f"{metric.format(cell.change.before)}→{metric.format(cell.change.after)}"
        for against, cell in cells.items()
    }
    name_width = max([NAME_WIDTH, *map(len, names.values())])
    room = width - name_width - 2
    least = max(map(len, values.values()), default=0), max((len(cell.text) for cell in cells.values()), default=0)
    if sum(least) > room:  # a clipped number is a wrong one
        values, least = dict.fromkeys(values, ""), (0, least[1])
    delta_width = max(least[1], min(DELTA_WIDTH, room - least[0]))
    values_width = max(least[0], min(VALUES_WIDTH, room - delta_width))
    lines = [
        _comparison(
            f"{name:<{name_width}} {values[against]:<{values_width}}", cells[against], metric, delta_width, width
        )
        for against, name in names.items()
    ]
    if metric.caveat:
        lines += wrap(metric.caveat, width, role="dim")
    if note := baseline_note(series, state.snapshot.baseline):
        lead = f"{NAMES['reference']:<{name_width}} "
        lines += wrap(sanitize(note), width, role="dim", indent=" " * (name_width + 1), lead=((lead, "dim"),))
    return lines


def _comparison(line: str, cell: ChangeCell, metric: Metric, delta_width: int, width: int) -> Cells:
    delta, change = f" {cell.text:>{delta_width}}", cell.change
    if change.low is None or change.high is None:
        return (line, ""), (delta, "")
    interval = f" [{metric.format_delta(change.low)}, {metric.format_delta(change.high)}]"
    interval += " (not significant)" if cell.is_chance else ""
    shown = interval if display_width(line + delta + interval) <= width else ""
    return (line, ""), (delta, "dim" if cell.is_chance else ""), (shown, "dim")
