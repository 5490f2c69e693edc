"""From the first glimpse to the app: who has the terminal, and what is done when the end comes early."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from modeltop.cli.context import AppOptions
from modeltop_tui.terminal import capabilities, shutdown
from modeltop_tui.terminal.background_colour import Question
from modeltop_tui.terminal.first_frame_cache import Glimpse

if TYPE_CHECKING:
    from modeltop.service.pipeline import Observer


class Stage:
    """Opens the app of one command line.

    Args:
        words: The command line, by which the last frame is found again.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self._ending = shutdown.Ending()
        self._question = Question(os.environ)
        self._glimpse = Glimpse(words)

    @contextmanager
    def curtain(self) -> Iterator[None]:
        """What was last seen, while everything heavy is imported; the terminal is given back whatever happens."""
        # Thousands of objects are made until the first frame stands, and none of them is garbage.
        gc.disable()
        with shutdown.signals() as self._ending, self._question, self._glimpse:
            self._ending.tidy = self._tidy
            self._question.ask()  # it thinks about its answer in the meantime
            yield

    def _tidy(self) -> None:
        self._question.close()
        self._glimpse.close()

    def open_app(self, observer: Observer, options: AppOptions) -> int:
        """Show the app until the person leaves it; the exit code.

        Raises:
            UsageError: There is no theme of that name.
        """
        from modeltop_tui.workers.poller import Feed

        found = capabilities.here()
        capabilities.prepare(found)
        feed = Feed(observer)
        feed.start()  # the files are read while Textual is imported
        from modeltop_tui.app import ModeltopApp
        from modeltop_tui.terminal.driver import TerminalDriver

        options = capabilities.settled(options, found, light=self._question.light())
        capabilities.check_theme(options.theme)
        TerminalDriver.late_replies = self._question.late
        TerminalDriver.typed = self._question.typed
        self._question.close()
        app = ModeltopApp(feed, options, driver_class=TerminalDriver)

        def seen(lines: list[str]) -> None:
            gc.enable()
            gc.freeze()
            self._glimpse.keep(lines, observer.seen())

        app.seen = seen
        TerminalDriver.entered = self._glimpse.taken_over()
        return shutdown.run(app, self._ending, mouse=options.mouse)
