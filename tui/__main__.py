"""`modeltop`: the command line with the app. Textual is imported only when a command opens the app."""

from __future__ import annotations

import sys

from modeltop.cli import main as cli
from modeltop_tui.terminal import capabilities, shutdown
from modeltop_tui.terminal.launch import Launcher


def main() -> int:
    """Run the command line of this process, and return the exit code."""
    argv = sys.argv[1:]
    launcher = Launcher(argv)
    return shutdown.finish_exit(
        cli.main(
            argv,
            open_app=launcher.open_app,
            unusable_reason=capabilities.unusable_reason,
            cover_terminal=launcher.cached_frame,
            check_theme=capabilities.check_theme,
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
