"""Entry point of `python -m modeltop`: the same as the command `modeltop`, including the app if it is installed."""

import sys
from importlib import import_module
from importlib.util import find_spec


def main() -> int:
    """Run the command line of this process and return its exit code."""
    # By name: this package never imports its screen. Without one, `cli` prints the summary instead of the app.
    entry = "modeltop_tui.__main__" if find_spec("modeltop_tui") else "modeltop.cli.main"
    code: int = import_module(entry).main()
    return code


if __name__ == "__main__":
    sys.exit(main())
