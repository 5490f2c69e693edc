"""`modeltop report`: everything about every model, to be read or pasted elsewhere."""

from __future__ import annotations

import argparse

from modeltop.cli.context import Context, add_source
from modeltop.report.html import html
from modeltop.report.json import as_json
from modeltop.report.markdown import markdown
from modeltop.report.text_report import text_report


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `report` to its parser."""
    add_source(parser)
    parser.add_argument("--format", choices=("text", "markdown", "json", "html"), default="text", help="default: text")
    parser.epilog = "A single file to share: modeltop report --format html > report.html"


def run(args: argparse.Namespace, context: Context) -> int:
    """Print the report; the exit code is 0 regardless of its content."""
    snapshot = context.snapshot(args)
    if args.format == "json":
        context.out_line(as_json(snapshot))
        return 0
    writers = {"text": text_report, "markdown": markdown, "html": html}
    context.out_lines(writers[args.format](snapshot))
    context.err_problems([problem for problem in snapshot.history.problems if not problem.fatal])
    return 0
