"""Start-up: the cached frame, the query of the terminal, then the app; with cleanup whenever the end comes."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from modeltop.cli.context import AppOptions
from modeltop_tui.terminal import capabilities, saved_view, shutdown
from modeltop_tui.terminal.background_colour import TerminalQuery
from modeltop_tui.terminal.first_frame_cache import FirstFrameCache

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

    @contextmanager
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
