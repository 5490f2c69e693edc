"""Start-up: the cached frame, the query of the terminal, then the app; with cleanup whenever the end comes."""

from __future__ import annotations

import contextlib
import gc
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

from modeltop.cli.context import AppOptions
from modeltop.core.text import format_age, holds_credentials, truncate
from modeltop.service.output_cache import CachedOutput, FileStats, cache_path, load_output, save_output
from modeltop_tui.terminal import capabilities, saved_view, shutdown
from modeltop_tui.terminal.background_colour import TerminalQuery

if TYPE_CHECKING:
    from modeltop.rules.snapshot import Snapshot
    from modeltop.service.pipeline import Pipeline
    from modeltop_tui.view.state import ScreenState

FIRST_RESULT_SECONDS = 0.3
"""Seconds that the import of Textual waits for the first result: both need the same processor."""


class Launcher:
    """Opens the app of one command line."""

    def __init__(self, argv: Sequence[str]) -> None:
        self._exit_request = shutdown.ExitRequest()
        self._query = TerminalQuery(os.environ)
        self._frame_cache = FirstFrameCache(argv)

    @contextlib.contextmanager
    def cached_frame(self) -> Iterator[None]:
        """Show the cached frame while the heavy modules are imported; the terminal is restored whatever happens."""
        # Thousands of objects are made until the first frame is shown, and none of them is garbage.
        gc.disable()
        with shutdown.exit_on_signals() as self._exit_request, self._query, self._frame_cache:
            self._exit_request.cleanup = self._cleanup
            if not capabilities.in_browser():
                self._query.send()  # the terminal answers in the meantime
            yield

    def _cleanup(self) -> None:
        self._query.close()
        self._frame_cache.close()

    def open_app(self, pipeline: Pipeline, options: AppOptions) -> int:
        """Run the app until the person leaves it, and return the exit code."""
        from modeltop_tui.workers.poller import Poller

        detected = capabilities.detect_capabilities()
        capabilities.prepare_environment(detected)
        poller = Poller(pipeline)
        source = str(pipeline.state_reader.folder)
        initial = saved_view.load_state(source)
        poller.start()  # what is not read at once is read while Textual is imported
        ascii_only = detected.ascii if options.ascii is None else options.ascii
        self._show_answer(initial, poller.wait_for_first(FIRST_RESULT_SECONDS).snapshot, ascii_only=ascii_only)
        from modeltop_tui.app import ModeltopApp
        from modeltop_tui.terminal.driver import TerminalDriver

        light = self._query.is_light()
        default_theme = detected.theme(light=light)
        options = replace(options, theme=options.theme or saved_view.load_theme(default_theme))
        options = capabilities.resolve_options(options, detected, light=light)
        TerminalDriver.expects_late_reply = self._query.reply_pending
        TerminalDriver.typed_ahead = self._query.typed_ahead
        self._query.close()
        driver = None if capabilities.in_browser() else TerminalDriver  # textual-serve names its own to Textual
        app = ModeltopApp(poller, options, initial=initial, driver_class=driver)

        def on_first_frame(lines: list[str]) -> None:
            gc.enable()
            gc.freeze()
            due = pipeline.valid_until
            stats = pipeline.file_stats() | saved_view.file_stats()
            self._frame_cache.save(lines, stats, None if due is None else due.timestamp())

        app.first_frame_callback = on_first_frame
        TerminalDriver.on_alternate_screen = self._frame_cache.hand_over()
        code = shutdown.run_app(app, self._exit_request, mouse=options.mouse)
        saved_view.save_state(source, app.main_screen.screen_state)
        if app.theme != options.theme:
            saved_view.save_theme(default_theme, app.theme)
        return code

    def _show_answer(self, initial: ScreenState, snapshot: Snapshot | None, *, ascii_only: bool) -> None:
        """Show what the first result says before Textual, a quarter of a second, is imported."""
        size = self._frame_cache.size
        if snapshot is None or not snapshot.history.series or size is None:
            return
        from modeltop_tui.view.first_answer import answer_lines

        state = replace(initial, snapshot=snapshot)
        self._frame_cache.show(answer_lines(state, snapshot.clock, size, ascii_only=ascii_only))


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
