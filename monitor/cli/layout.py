"""The flags that say what the columns of files are: the keys of `[sources.NAME]`, for one command."""

from __future__ import annotations

import argparse
import contextlib

FLAGS = {
    "date": ("COLUMN", "the column of the dates, or of the steps that --start and --every date"),
    "date_format": ("FORMAT", "such as %%d/%%m/%%Y"),
    "model": ("COLUMN", "the column of the models"),
    "segments": ("COLUMN", "a column of segments; may be given again"),
    "metric": ("COLUMN", "the column of metric names, with --value"),
    "value": ("COLUMN", "the column of the values"),
    "count": ("COLUMN", "the column of the number of cases"),
    "timezone": ("ZONE", "of dates that name none, such as Europe/Berlin"),
    "scale": ("SCALE", "percent or fraction, of metrics that are at most 1"),
    "decimal": ("MARK", "the decimal mark: a point or a comma"),
    "models_as_columns": ("METRIC", "each column is a model, and its numbers are METRIC"),
    "start": ("DATE", "the date of step 0, for a training log"),
    "every": ("TIME", "the time from step to step, such as 1d"),
}
"""Field of `Layout`, what its flag is followed by, and its help."""


def add_layout(parser: argparse.ArgumentParser) -> None:
    """Add the flags, except those that the command has already for something else."""
    group = parser.add_argument_group(
        "columns", "What the columns of the files are, where it is open; `modeltop inspect` shows it."
    )
    for name, (metavar, text) in FLAGS.items():
        action = "append" if name == "segments" else "store"
        with contextlib.suppress(argparse.ArgumentError):
            flag = f"--{name.replace('_', '-')}"
            group.add_argument(flag, dest=f"layout_{name}", metavar=metavar, help=text, action=action)


def given_flags(args: argparse.Namespace) -> dict[str, str | list[str]]:
    """Return the flags that are given, by the field of `Layout`."""
    return {name: value for name in FLAGS if (value := getattr(args, f"layout_{name}", None)) is not None}
