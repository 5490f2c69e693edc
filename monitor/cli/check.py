"""`modeltop check` and `modeltop alerts`: one evaluation, printed; the exit code of `check` is the verdict."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from modeltop.cli.context import Context, add_source
from modeltop.core.errors import UsageError
from modeltop.core.series import Severity
from modeltop.core.text import sanitize
from modeltop.history.files import STDIN
from modeltop.history.patterns import is_pattern
from modeltop.history.sources import is_service
from modeltop.report.json import alert_record, as_json
from modeltop.report.phrases import alert_line, list_names
from modeltop.report.text_report import text_explanation, text_summary
from modeltop.rules.snapshot import Snapshot
from modeltop.service.output_cache import CachedOutput, cache_path, lasting_stats, load_output, save_output

EXIT_CODES = {Severity.OK: 0, Severity.WARNING: 1, Severity.CRITICAL: 2, Severity.UNKNOWN: 3}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `check` to its parser."""
    add_source(parser)
    parser.add_argument("--json", action="store_true", help="everything as JSON, ASCII-escaped and exact")
    parser.add_argument(
        "--explain",
        action="store_true",
        help="the five questions and the evidence of each MODEL that is named beside the paths; without one, of all",
    )
    parser.epilog = "Exit codes: 0 ok, 1 warning, 2 critical, 3 unknown or usage error."


def run(args: argparse.Namespace, context: Context) -> int:
    """Evaluate the data that the arguments name; the exit code is the worst severity."""
    named = [word for word in args.paths if args.explain and not _is_path(word)]
    args.paths = [word for word in args.paths if word not in named]
    started_at, path = time.time(), None if args.explain else _cache_path(args)
    if path is not None and (output := load_output(path, context.clock().timestamp())) is not None:
        with context.output_may_be_closed():
            context.out_lines(output.lines)
        return output.code
    pipeline, clock = context.pipeline(args), context.clock()
    snapshot = pipeline.run(clock)
    models = [status.model for status in snapshot.model_statuses]
    if unknown := [word for word in named if word not in models]:
        raise UsageError(f"no model {sanitize(unknown[0])}; the models are {list_names([*map(sanitize, models)])}")
    code, explained = EXIT_CODES[snapshot.severity], (named or models) if args.explain else []
    lines = None
    with context.output_may_be_closed():
        if explained and not args.json:
            context.out_lines(text_explanation(snapshot, explained))
        elif args.json:
            lines = [as_json(snapshot, explained=explained)]
            context.out_lines(lines)
        else:
            lines = print_summary(snapshot, context)
    if path is not None and lines and (stats := lasting_stats(pipeline, snapshot, started_at)):
        save_output(path, CachedOutput(clock.timestamp(), lines, code), stats)
    return code


def _cache_path(args: argparse.Namespace) -> Path | None:
    """Return the file of what is printed for arguments in this environment; None if there can be none."""
    words = {name: value for name, value in vars(args).items() if not callable(value)}
    try:
        return cache_path([sys.version, sorted(os.environ.items()), repr(sorted(words.items()))], ".check")
    except (RuntimeError, OSError):
        return None


def _is_path(word: str) -> bool:
    return Path(word).exists() or word == STDIN or is_service(word) or is_pattern(word)


def print_summary(snapshot: Snapshot, context: Context) -> list[str]:
    """Print and return the summary of a snapshot; also print, on stderr, what of its history could not be read."""
    lines = [*text_summary(snapshot)]
    context.out_lines(lines)
    # A fatal problem is an alert of its own, which the summary shows.
    context.err_problems([problem for problem in snapshot.history.problems if not problem.fatal])
    return lines


def configure_alerts(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `alerts` to its parser."""
    add_source(parser)
    parser.add_argument("--history", action="store_true", help="resolved alerts too, newest first")
    parser.add_argument("--json", action="store_true", help="as JSON, ASCII-escaped and exact")


def run_alerts(args: argparse.Namespace, context: Context) -> int:
    """List alerts; the exit code reports only whether they could be listed: 2 if nothing could be read."""
    snapshot = context.snapshot(args)
    code = 2 if not snapshot.history.series and any(problem.fatal for problem in snapshot.history.problems) else 0
    alerts = [alert for alert in snapshot.alerts if args.history or alert.resolved is None]
    if args.json:
        context.out_json([alert_record(alert, snapshot) for alert in alerts])
        return code
    incidents = {alert: f"; incident {one.id}" for one in snapshot.incidents for alert in one.alerts}
    context.out_lines(
        alert_line(alert, snapshot, name=alert.id or "") + incidents.get(alert.id or "", "") for alert in alerts
    )
    if not alerts:
        context.err_line(
            "no alerts, now or in the past: `modeltop check` shows what is evaluated"
            if args.history
            else "no active alerts: `modeltop alerts --history` lists past ones"
        )
    context.err_problems([problem for problem in snapshot.history.problems if not problem.fatal])
    return code
