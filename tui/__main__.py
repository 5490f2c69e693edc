"""`modeltop`: the command line, with the app at hand. Textual is imported once it is known that the app is wanted."""

from __future__ import annotations

import sys

from modeltop.cli import main as cli
from modeltop_tui.terminal import capabilities, shutdown
from modeltop_tui.terminal.launch import Stage


def main() -> int:
    """Run the command line of this process; the exit code."""
    words = sys.argv[1:]
    stage = Stage(words)
    return shutdown.leave(
        cli.main(words, open_app=stage.open_app, unusable=capabilities.usable, curtain=stage.curtain),
    )


if __name__ == "__main__":
    sys.exit(main())
