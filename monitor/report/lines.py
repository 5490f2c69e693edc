"""Lines that fit a terminal of 80 columns, or a mail."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.text import width

WIDE = 80
HANG = 8
"""Cells in front of what belongs to a model: as many as its mark takes."""


def wrapped(text: str, hang: int, cells: int = WIDE) -> Iterator[str]:
    """The text in lines of at most so many cells, cut at spaces; what goes on begins `hang` cells from the left.

    A word that is longer than a line is not cut: it may be a name that is looked for, or a command.

    >>> list(wrapped("* WARN churn recall fell from 0.64 to 0.50", 7, 24))
    ['* WARN churn recall fell', '       from 0.64 to 0.50']
    """
    lead = len(text) - len(text.lstrip(" "))
    line, used, fresh = text[:lead], lead, True
    for word in text[lead:].split(" "):
        size = width(word)
        if not fresh and used + 1 + size > cells:
            yield line.rstrip()
            line, used, fresh = " " * hang, hang, True
        line, used = (line + word, used + size) if fresh else (f"{line} {word}", used + 1 + size)
        fresh = False
    yield line
