"""`modeltop check`: one look, one verdict, one exit code."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from monitor.commands.base import Context, add_source

if TYPE_CHECKING:
    from monitor.records import Problem

PROBLEMS_SHOWN = 20


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of `check`."""
    add_source(parser)
    parser.add_argument("--json", action="store_true", help="everything as JSON, ASCII-escaped and exact")
    parser.epilog = "exit codes: 0 ok, 1 warning, 2 critical, 3 unknown or usage error"


def run(args: argparse.Namespace, context: Context) -> int:
    """Judge what the arguments name; the exit code is the worst severity."""
    from monitor.report.as_json import as_json
    from monitor.report.summary import summary
    from monitor.report.text import exit_code

    snapshot = context.observer(args).observe(context.clock())
    if args.json:
        context.say(as_json(snapshot))
        return exit_code(snapshot)
    for line in summary(snapshot):
        context.say(line)
    tell_problems([problem for problem in snapshot.history.problems if not problem.fatal], context)
    return exit_code(snapshot)


def tell_problems(problems: Sequence[Problem], context: Context) -> None:
    """What could not be read, a line each, on stderr."""
    from monitor.text import safe

    for problem in problems[:PROBLEMS_SHOWN]:
        context.tell(safe(problem, 300))
    if len(problems) > PROBLEMS_SHOWN:
        context.tell(f"and {len(problems) - PROBLEMS_SHOWN:,} more; --json lists them all")
