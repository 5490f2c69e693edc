"""The answer in a few lines of plain text, for the moment between the first result and the first frame of the app."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from modeltop.core.text import truncate
from modeltop_tui.view.alerts import entries
from modeltop_tui.view.header import header_line
from modeltop_tui.view.navigation import clamp_selection
from modeltop_tui.view.state import ScreenState
from modeltop_tui.view.styled_text import Cells, plain_text, to_ascii
from modeltop_tui.view.verdict import verdict_lines

LOADING = "loading the panes"


def answer_lines(state: ScreenState, now: datetime, size: tuple[int, int], *, ascii_only: bool) -> list[str]:
    """Return the counts, what happened to the selected model, and its alerts, where the app shows the first of them.

    Args:
        state: The state that the app is about to show.
        now: The present, from which the age of the data counts.
        size: Columns and rows of the terminal.
        ascii_only: Whether only characters below 128 are written.

    Returns:
        A line for each row of the terminal.
    """
    columns, rows = size
    state = replace(state, selection=clamp_selection(state))
    cells: list[Cells] = [header_line(state, now, columns), *verdict_lines(state, columns), ()]
    for entry in entries(state, columns):
        if entry.alert is not None:
            cells += entry.lines
    blank = [()] * (rows - len(cells))
    lines = [*map(plain_text, [*cells, *blank][: rows - 1]), truncate(LOADING, columns)]
    return [*map(to_ascii, lines)] if ascii_only else lines
