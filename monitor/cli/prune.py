"""`modeltop prune`: delete the files of a store that hold only old periods, and old files of its event log."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from modeltop.alerting.event_log.location import state_folder
from modeltop.alerting.event_log.segments import segment_numbers, segment_path
from modeltop.cli.context import Context, add_config
from modeltop.core.errors import UsageError
from modeltop.core.text import format_day, parse_duration, pluralize, sanitize
from modeltop.history.store.lock import locked
from modeltop.history.store.retention import StoredFile, close_part, find_removable, remove


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `prune` to its parser."""
    text = "delete periods that start before this date, or are older than this, such as 730d"
    parser.add_argument("--before", metavar="DATE|AGE", required=True, help=text)
    add_config(parser)
    parser.add_argument("--apply", action="store_true", help="delete; without it, only list what would be deleted")
    parser.epilog = "Exit codes: 0 done, 2 not done, or the store cannot be read."


def run(args: argparse.Namespace, context: Context) -> int:
    """List what is old, and with `--apply` delete it."""
    now = context.clock()
    before = _parse_before(args.before, now)
    folder = context.store_folder(args)
    if not folder.is_dir():
        raise UsageError(f"{sanitize(folder)}: there is no store here; name one with --store")
    found = find_removable(folder, before)
    files = [*found.removable, *_old_segments(state_folder(folder), before)]
    if args.apply:
        with locked(folder):
            files = remove(files)
            closed = [file for file in found.growing if close_part(file.path) is not None]
    else:
        closed = list(found.growing)
    for file in files:
        context.out_line(f"{'deleted' if args.apply else 'would delete'} {_describe(file, folder, now)}")
    for file in closed:
        verb = "goes on" if args.apply else "would go on"
        context.out_line(f"{verb} in a new file: {_describe(file, folder, now)}; this one goes once all of it is older")
    for path in found.unreadable:
        context.err_line(f"{sanitize(path)}: not all of it can be read, so nothing of its model is deleted")
    if not files and not closed:
        context.err_line(f"nothing in {sanitize(folder)} is older than {format_day(before, now)}")
    elif not args.apply:
        context.err_line("nothing was changed: repeat with --apply")
    return 0


def _parse_before(text: str, now: datetime) -> datetime:
    """Return the moment that a date or an age on the command line means."""
    age = parse_duration(text)
    if age is not None:
        return now - age
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"--before {sanitize(text, 40)}: write a date such as 2024-01-01, or an age such as 730d"
        ) from None
    moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment > now:
        raise UsageError(f"--before {sanitize(text, 40)} is in the future: it would delete all periods")
    return moment


def _old_segments(folder: Path, before: datetime) -> Iterator[StoredFile]:
    """Yield the files of the event log that only timelines need, last written before a moment; never the newest."""
    for number in segment_numbers(folder)[:-1]:
        path = segment_path(folder, number)
        state = path.stat()
        if state.st_mtime < before.timestamp():
            yield StoredFile(path, state.st_size, (), None, None)


def _describe(file: StoredFile, folder: Path, now: datetime) -> str:
    size = f"{max(1, round(file.size / 1000)):,} kB"
    models = f" of {sanitize(file.models[0], 40)}" if file.models else ""
    models += f" and {pluralize(len(file.models) - 1, 'more model')}" if len(file.models) > 1 else ""
    span = ""
    if file.oldest is not None and file.newest is not None:
        span = f", {format_day(file.oldest, now)} to {format_day(file.newest, now)}"
    return f"{sanitize(os.path.relpath(file.path, folder))} ({size}{models}{span})"
