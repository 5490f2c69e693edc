"""The cached first frame, shown before anything heavy is imported.

It is the first frame of the last run of the same command line in the same terminal: text and colors in the cache
folder, with the stat of each file it depends on. It is shown only while none of them has changed and no row that was in
the future is due, and its last line shows its age. Without one, the first line shows that files are being read, and
then, if they are read before the app is there, the answer in plain text.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Self

from modeltop.core.text import format_age, holds_credentials, truncate
from modeltop.service.output_cache import CachedOutput, FileStats, cache_path, load_output, save_output

ENTER, LEAVE = "\x1b[?1049h\x1b[?25l\x1b[1;1H", "\x1b[?25h\x1b[?1049l"
VARIABLES = ("TERM", "COLORTERM", "NO_COLOR", "COLORFGBG", "TERM_PROGRAM", "LANG", "LC_ALL", "LC_CTYPE", "TMUX", "STY")

_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")


def frame_path(argv: Sequence[str], size: tuple[int, int], environ: Mapping[str, str] = os.environ) -> Path:
    """Return the file of a frame.

    Args:
        argv: The command line.
        size: Columns and lines of the terminal.
        environ: Environment of the process.

    Raises:
        RuntimeError: No cache folder is known.
    """
    variables = [environ.get(name, "") for name in VARIABLES]
    return cache_path([list(argv), list(size), variables], ".frame", environ)


def load_frame(path: Path, now: float) -> tuple[float, list[str]] | None:
    """Return when the frame was saved, and its lines; None if there is no current one `now`, in seconds since 1970.

    Only text and colors pass: a file with anything else is no frame.
    """
    output = load_output(path, now)
    is_frame = output is not None and all(_COLOUR.sub("", line).isprintable() for line in output.lines)
    return (output.saved_at, output.lines) if output is not None and is_frame else None


def render_frame(frame: tuple[float, list[str]] | None, size: tuple[int, int], now: float) -> str:
    """Return the text to send to the terminal: the frame with its age in the last line, or that files are being read.

    Args:
        frame: As `load_frame` returns it.
        size: Columns and lines of the terminal.
        now: Seconds since 1970.
    """
    columns, rows = size
    if frame is None:
        return f"{ENTER}{truncate('modeltop  reading', columns)}"
    saved_at, lines = frame
    age = f"as last seen, {format_age(timedelta(seconds=now - saved_at))} ago: reading"
    return ENTER + _place([*lines[: rows - 1], truncate(age, columns)])


def _place(lines: Sequence[str]) -> str:
    return "".join(f"\x1b[{row};1H{line}\x1b[0m" for row, line in enumerate(lines, 1))


class FirstFrameCache:
    """Context in which the terminal shows the cached frame; on exit it is restored, unless handed over to the app."""

    def __init__(self, argv: Sequence[str], descriptor: int = 2) -> None:
        self._argv = argv
        self._descriptor = descriptor
        self._path: Path | None = None
        self._shown = False
        self.size: tuple[int, int] | None = None
        """Columns and rows of the terminal while it shows only that files are being read; None otherwise."""

    def __enter__(self) -> Self:
        with contextlib.suppress(OSError):
            columns, rows = os.get_terminal_size(self._descriptor)
            with contextlib.suppress(RuntimeError):
                self._path = frame_path(self._argv, (columns, rows))
            now = time.time()
            frame = load_frame(self._path, now) if self._path is not None else None
            self._write(render_frame(frame, (columns, rows), now))
            self._shown = True
            self.size = (columns, rows) if frame is None else None
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def show(self, lines: Sequence[str]) -> None:
        """Show lines of plain text in place of the note that files are being read, until the app draws."""
        if self._shown:
            self._write(_place(lines))

    def hand_over(self) -> bool:
        """Leave the terminal to the app; return whether it is on the alternate screen already."""
        shown, self._shown = self._shown, False
        return shown

    def close(self) -> None:
        """Restore the terminal, unless it was handed over. May be called again."""
        if self._shown:
            self._shown = False
            with contextlib.suppress(OSError):
                self._write(LEAVE)

    def save(self, lines: Sequence[str], stats: FileStats, valid_until: float | None) -> None:
        """Save the first frame of this run for the next, as `save_output` does."""
        # The paths are kept beside the lines: a password in one is not.
        if self._path is not None and not any(map(holds_credentials, stats)):
            save_output(self._path, CachedOutput(time.time(), list(lines)), stats, valid_until)

    def _write(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        while data:
            data = data[os.write(self._descriptor, data) :]
