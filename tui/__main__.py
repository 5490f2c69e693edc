"""`modeltop`: the command line, with the app at hand. Textual is imported once it is known that the app is wanted."""

from __future__ import annotations

import sys

from monitor import cli
from tui import guard, terminal
from tui.stage import Stage


def main() -> int:
    """Run the command line of this process; the exit code."""
    words = sys.argv[1:]
    stage = Stage(words)
    return guard.leave(
        cli.main(words, open_app=stage.open_app, unusable=terminal.usable, curtain=stage.curtain),
    )


if __name__ == "__main__":
    sys.exit(main())
