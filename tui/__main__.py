"""`modeltop`: the command line, with the app at hand. Textual is imported once it is known that the app is wanted."""

from __future__ import annotations

import sys

from modeltop.cli import main as cli
from modeltop_tui.terminal import capabilities, shutdown
from modeltop_tui.terminal.launch import Launcher


def main() -> int:
    """Run the command line of this process; the exit code."""
    words = sys.argv[1:]
    stage = Launcher(words)
    return shutdown.finish_exit(
        cli.main(
            words,
            open_app=stage.open_app,
            unusable_reason=capabilities.unusable_reason,
            cover_terminal=stage.cached_frame,
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
