"""`modeltop rules test`: a backtest of rules, before a limit is set."""

from __future__ import annotations

import argparse

from modeltop.cli.context import Context, add_source
from modeltop.core.errors import UsageError
from modeltop.core.text import format_value, pluralize, sanitize
from modeltop.report.backtest import backtest, format_lines, records
from modeltop.rules.snapshot import Snapshot


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `rules` to its parser."""
    parser.add_argument("action", choices=("test",), help="`test` replays the rules, or the defaults, over history")
    add_source(parser)
    parser.add_argument("--json", action="store_true", help="as JSON, ASCII-escaped and exact")
    parser.add_argument("--at-most", type=float, metavar="N", help="exit 1 if a rule fires more than N times a month")
    parser.epilog = (
        "Test a limit before you set it: modeltop rules test --below accuracy=0.9\n"
        "Exit codes: 0 done, 1 a rule fires more often than --at-most, 2 usage error, or no history could be read."
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Replay the rules over history and print when each would have fired."""
    if args.at_most is not None and not 0 <= args.at_most < float("inf"):
        raise UsageError(f"--at-most {args.at_most}: give a number of alerts a month, 0 or more")
    snapshot = context.snapshot(args)
    if args.json:
        context.out_json(records(snapshot))
    else:
        context.out_lines(format_lines(snapshot) if snapshot.history.series else ())
    if not snapshot.history.series:
        raise UsageError(context.nothing_read(snapshot.history, "nothing to replay"))
    context.err_problems([] if args.json else snapshot.history.problems)
    return 0 if args.at_most is None else _noisy_rules_code(snapshot, args.at_most, context)


def _noisy_rules_code(snapshot: Snapshot, limit: float, context: Context) -> int:
    rates = {result.rule.name: result.per_month for result in backtest(snapshot) if (result.per_month or 0) > limit}
    for name, rate in rates.items():
        context.err_line(
            f"rule {sanitize(name, 60)} fires {format_value(rate or 0, 2)} times a month, "
            f"more than --at-most {format_value(limit, 2)}"
        )
    if rates:
        context.err_line(f"{pluralize(len(rates), 'rule')} of {len(snapshot.rules)} would fire too often")
    return 1 if rates else 0
