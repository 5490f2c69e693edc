"""Where the cells of a text stand, told by its delimiters and line ends alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from monitor.sources.dialect import MAX_CELL, is_utf8
from monitor.sources.header import Layout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Places = NDArray[np.intp]


def date_spans(body: bytes, layout: Layout) -> tuple[Places, Places] | None:
    """Where each row's date begins and ends.

    None unless every line is UTF-8, ends with a line feed and has as many cells as the header, none of them quoted or
    too long.
    """
    foreign = any(sign in body for sign in (b'"', b"\r", b"\0")) or not is_utf8(body)
    if foreign or not body.endswith(b"\n"):
        return None
    signs = np.frombuffer(body, np.uint8)
    line_ends = np.flatnonzero(signs == ord("\n"))
    line_starts = np.concatenate(([0], line_ends[:-1] + 1))
    if (line_ends - line_starts).max() >= MAX_CELL:
        return None
    if layout.width == 1:
        return line_starts, line_ends
    between = np.flatnonzero(signs == ord(layout.delimiter))
    if len(between) != len(line_ends) * (layout.width - 1):
        return None
    rows = between.reshape(len(line_ends), layout.width - 1)
    if (rows[:, -1] > line_ends).any() or (rows[:, 0] < line_starts).any():
        return None
    starts = rows[:, layout.date - 1] + 1 if layout.date else line_starts
    return starts, rows[:, layout.date] if layout.date < layout.width - 1 else line_ends
