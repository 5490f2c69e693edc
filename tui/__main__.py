"""`modeltop`: the command line, with the app at hand. Textual is imported once it is known that the app is wanted."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from monitor import cli
from monitor.commands.base import AppOptions
from tui import guard, terminal

if TYPE_CHECKING:
    from monitor.pipeline import Observer


def open_app(observer: Observer, options: AppOptions) -> int:
    """Show the app until the person leaves it; the exit code.

    Raises:
        UsageError: There is no theme of that name.
    """
    from tui.background import Question
    from tui.feed import Feed

    found = terminal.here()
    terminal.prepare(found)
    feed = Feed(observer)
    feed.start()  # the files are read while Textual is imported
    with guard.signals() as ending:
        with Question(os.environ) as question:
            ending.tidy = question.close
            question.ask()
            # The terminal thinks about its answer while these are imported.
            from tui.app import ModeltopApp
            from tui.driver import TerminalDriver

            options = terminal.settled(options, found, light=question.light())
            TerminalDriver.late_replies = question.late
        terminal.check_theme(options.theme)
        app = ModeltopApp(feed, options)
        app.driver_class = TerminalDriver
        return guard.run(app, ending, mouse=options.mouse)


def main() -> int:
    """Run the command line of this process; the exit code."""
    try:
        code = cli.main(sys.argv[1:], open_app=open_app, unusable=terminal.usable)
    except Exception as error:  # noqa: BLE001  the last line of defence: whatever it is, it ends in one line
        from tui.crash import tell

        code = tell(error)
        if sys.argv[1:2] == ["check"]:
            code = cli.EXIT_CHECK_USAGE  # 1 would say that there is a warning
    return guard.leave(code)


if __name__ == "__main__":
    sys.exit(main())
