"""From the first glimpse to the app: who has the terminal, and what is done when the end comes early."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from modeltop.cli.context import AppOptions
from modeltop_tui.terminal import capabilities, shutdown
from modeltop_tui.terminal.background_colour import TerminalQuery
from modeltop_tui.terminal.first_frame_cache import FirstFrameCache

if TYPE_CHECKING:
    from modeltop.service.pipeline import Pipeline


class Launcher:
    """Opens the app of one command line.

    Args:
        words: The command line, by which the last frame is found again.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self._ending = shutdown.ExitRequest()
        self._question = TerminalQuery(os.environ)
        self._glimpse = FirstFrameCache(words)

    @contextmanager
    def cached_frame(self) -> Iterator[None]:
        """What was last seen, while everything heavy is imported; the terminal is given back whatever happens."""
        # Thousands of objects are made until the first frame stands, and none of them is garbage.
        gc.disable()
        with shutdown.exit_on_signals() as self._ending, self._question, self._glimpse:
            self._ending.cleanup = self._tidy
            self._question.send()  # it thinks about its answer in the meantime
            yield

    def _tidy(self) -> None:
        self._question.close()
        self._glimpse.close()

    def open_app(self, observer: Pipeline, options: AppOptions) -> int:
        """Show the app until the person leaves it; the exit code.

        Raises:
            UsageError: There is no theme of that name.
        """
        from modeltop_tui.workers.poller import Poller

        found = capabilities.current_capabilities()
        capabilities.prepare_environment(found)
        feed = Poller(observer)
        feed.start()  # the files are read while Textual is imported
        from modeltop_tui.app import ModeltopApp
        from modeltop_tui.terminal.driver import TerminalDriver

        options = capabilities.resolve_options(options, found, light=self._question.is_light())
        capabilities.check_theme(options.theme)
        TerminalDriver.expects_late_reply = self._question.reply_pending
        TerminalDriver.typed_ahead = self._question.typed_ahead
        self._question.close()
        app = ModeltopApp(feed, options, driver_class=TerminalDriver)

        def seen(lines: list[str]) -> None:
            gc.enable()
            gc.freeze()
            self._glimpse.save(lines, observer.file_stats())

        app.first_frame_callback = seen
        TerminalDriver.on_alternate_screen = self._glimpse.hand_over()
        return shutdown.run_app(app, self._ending, mouse=options.mouse)
