"""`modeltop inspect`: what each column of a file is read as, on one screen, and the settings for the same reading."""

from __future__ import annotations

import argparse
import glob
import os
import re
import shlex
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath

from modeltop.cli.context import Context, add_config, add_recursive
from modeltop.cli.layout import add_layout
from modeltop.config.load import NAME, Config, find
from modeltop.config.sources import save_source, source_lines
from modeltop.core.errors import UsageError
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import to_datetime
from modeltop.core.text import (
    REDACTED,
    format_day,
    pad,
    pluralize,
    redact_credentials,
    sanitize,
    truncate,
    truncate_middle,
)
from modeltop.history.csv.layout import Layout
from modeltop.history.export import format_table, to_frame
from modeltop.history.inspection import UNKNOWN_METRIC, Inspection, inspect_files
from modeltop.service.pipeline import make_reader

WIDTH = 79
MAX_COLUMNS = 7
"""Columns of a file that are shown one by one, so that all fits on 24 lines."""
MAX_NOTES = 3
PERIODS = 3
MAX_WIDTHS = (18, 24, 16)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `inspect` to its parser."""
    parser.add_argument(
        "paths", nargs="+", metavar="FILE", help="metric files, folders of them, or - for standard input"
    )
    add_recursive(parser)
    add_config(parser)
    add_layout(parser)
    parser.add_argument("--json", action="store_true", help="as JSON, ASCII-escaped and exact")
    parser.add_argument("--write", action="store_true", help="write the settings into the configuration")
    parser.add_argument("--name", metavar="NAME", help="the name of their table (default: that of the file)")
    parser.epilog = "Exit codes: 0 all files are read, 1 one is not, 2 usage error."


def run(args: argparse.Namespace, context: Context) -> int:
    """Print what the columns of each file are, and write the settings if that is wanted."""
    config = context.load_config(args)
    reader = make_reader(config, context.sources(args, config), context.piped(args))
    inspections = list(inspect_files(reader))
    if args.json:
        context.out_json([_record(inspection) for inspection in inspections])
    for number, inspection in enumerate([] if args.json else inspections):
        context.out_lines(["", ""] if number else [])
        context.out_lines(_page(inspection, config.catalog))
    if not inspections:
        raise UsageError(context.nothing_read(reader.read(), "nothing to inspect"))
    if args.write:
        _write([each for each in inspections if each.history.series], args, config, context)
    return 1 if any(inspection.failure for inspection in inspections) else 0


def _page(inspection: Inspection, catalog: MetricRegistry) -> Iterator[str]:
    yield truncate(_title(inspection), WIDTH)
    if inspection.failure:
        yield from textwrap.wrap(sanitize(inspection.failure, 400), WIDTH)
    if inspection.columns:
        yield ""
        yield from _column_lines(inspection)
    if inspection.history.series:
        yield ""
        yield from (truncate(line, WIDTH) for line in format_table(to_frame(inspection.history, head=PERIODS), catalog))
    notes = [problem.message for problem in inspection.history.problems if not problem.fatal]
    yield from _note_lines([*notes, *_models_note(inspection, notes)])
    if inspection.history.series:
        yield ""
        yield f"Same settings: {sanitize(shlex.join(inspection.layout.to_flags()), 400)}"
        yield f"`--write` keeps them in the configuration, as [sources.{_table_name(inspection.source)}]."


def _models_note(inspection: Inspection, notes: Sequence[str]) -> Iterator[str]:
    """Yield how columns are read as models, where they are no metrics that are known and none names a model."""
    reasons = [column.reason for column in inspection.columns if column.role == "metric"]
    has_model = any(column.role == "model" for column in inspection.columns)
    if len(reasons) > 1 and {*reasons} == {UNKNOWN_METRIC} and not has_model and "models-as-columns" not in str(notes):
        yield "no column is a known metric: if each is a model, use `--models-as-columns METRIC`, such as accuracy"


def _note_lines(notes: Sequence[str]) -> Iterator[str]:
    ranked = sorted(notes, key=lambda note: "`--" not in note)
    shown = (
        ranked if len(notes) <= MAX_NOTES else [*ranked[: MAX_NOTES - 1], f"{len(notes) - MAX_NOTES + 1} more notes"]
    )
    for number, note in enumerate(shown):
        text = f"- {sanitize(note, 400)}"
        if number == 0:
            yield ""
        is_entire = number == 0 and "`--" in note
        yield from textwrap.wrap(text, WIDTH, subsequent_indent="  ") if is_entire else [truncate(text, WIDTH)]


def _title(inspection: Inspection) -> str:
    history = inspection.history
    if not history.series:
        return f"{sanitize(inspection.source, 60)}: not read"
    times = [series.times for series in history.series.values()]
    first, last = (to_datetime(moment) for moment in (min(each[0] for each in times), max(each[-1] for each in times)))
    span = f"{format_day(first, last)} to {format_day(last)}"
    name = truncate_middle(sanitize(inspection.source), 34)
    return f"{name}: {inspection.shape}, {pluralize(inspection.row_count, 'row')}, {span}"


def _column_lines(inspection: Inspection) -> Iterator[str]:
    used = [column for column in inspection.columns if column.role != "not used"]
    unused = [column for column in inspection.columns if column.role == "not used"]
    is_short = len(used) <= MAX_COLUMNS
    rows = [("COLUMN", "READ AS", "FORMAT", "WHY")]
    for column in used if is_short else used[: MAX_COLUMNS - 1]:
        name = sanitize(column.name, 40) or "(no name)"
        role = f"{column.role} {column.metric}".rstrip() + (f", {column.segment}" if column.segment else "")
        rows.append((name, sanitize(role, 80), sanitize(column.format, 40), column.reason))
    yield from _aligned(rows)
    if not is_short:
        rest = used[MAX_COLUMNS - 1 :]
        yield truncate(f"and {len(rest)} more: {', '.join(sanitize(column.name, 30) for column in rest)}", WIDTH)
    if unused:
        names = (f"{sanitize(column.name, 30)}{f' ({column.reason})' if column.reason else ''}" for column in unused)
        yield truncate(f"Not used: {', '.join(names)}", WIDTH)


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [min(most, max(map(len, cells))) for most, cells in zip(MAX_WIDTHS, zip(*rows, strict=True), strict=False)]
    for row in rows:
        cells = (pad(truncate(cell, width), width) for cell, width in zip(row, widths, strict=False))
        yield truncate("  ".join([*cells, row[-1]]).rstrip(), WIDTH)


def _record(inspection: Inspection) -> dict[str, object]:
    keys = ("name", "role", "metric", "segment", "format", "reason")
    return {
        "source": inspection.source,
        "shape": inspection.shape or None,
        "rows": inspection.row_count,
        "models": [*inspection.history.periods],
        "columns": [
            {**{key: getattr(column, key) or None for key in keys}, "examples": list(column.examples)}
            for column in inspection.columns
        ],
        "settings": inspection.layout.to_settings(),
        "problems": [
            {"line": problem.line, "message": problem.message, "fatal": problem.fatal}
            for problem in inspection.history.problems
        ],
    }


def _table_name(source: str) -> str:
    stem = PurePath(redact_credentials(source)).name.partition(".")[0]
    return re.sub(r"[^A-Za-z0-9_]+", "-", stem).strip("-").lower() or "source"


def _write(inspections: Sequence[Inspection], args: argparse.Namespace, config: Config, context: Context) -> None:
    """Write one table for the files that have the same settings; on a terminal ask first."""
    target = config.path or find(args.config) or Path(NAME)
    groups: dict[Layout, list[str]] = {}
    for inspection in inspections:
        groups.setdefault(inspection.layout, []).append(inspection.source)
    if args.name and len(groups) > 1:
        raise UsageError("--name is for one table, but these files have different settings: write one after the other")
    for layout, sources in groups.items():
        name = _table_name(args.name or sources[0])
        lines = source_lines(name, [_glob(source, target) for source in sources], layout)
        context.out_lines(["", *lines] if not args.json else [])
        if _is_confirmed(target, context):
            save_source(target, name, lines)
            context.err_line(f"[sources.{name}] is written to {sanitize(target)}")


def _is_confirmed(target: Path, context: Context) -> bool:
    """Return whether to write: always without a terminal, else if the person says so."""
    if not context.stdin.isatty():
        return True
    context.err.write(f"Write this to {sanitize(target)}? [y/N] ")
    context.err.flush()
    return context.stdin.readline().strip().lower() in (b"y", b"yes")


def _glob(source: str, target: Path) -> str:
    """Return what matches a path, for the configuration in its own folder; of an address without credentials."""
    if ":" in source.partition("/")[0]:
        return glob.escape(redact_credentials(source)).replace(glob.escape(REDACTED), "*")
    folder, full = os.path.abspath(target.parent), os.path.abspath(source)  # noqa: PTH100  a Path would lose `./`
    return glob.escape(os.path.relpath(full, folder) if full.startswith(f"{folder}{os.sep}") else full)
