"""The configured layout of files: what their columns are; the rest is inferred from the header and the rows."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta, tzinfo
from enum import Enum
from fnmatch import fnmatchcase
from itertools import combinations, pairwise
from typing import Any

from modeltop.core.errors import SourceError
from modeltop.core.metrics.names import name_key
from modeltop.core.text import did_you_mean, sanitize
from modeltop.history.csv import date_formats
from modeltop.history.csv.date_formats import DateFormat

MAX_LISTED = 12
"""Columns of a file that are listed where none has the configured name."""
MAX_DAILY_STEPS = 300
_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


_COLUMNS = ("date", "model", "metric", "value", "count")
_CONTRADICTIONS = {
    "date_format": ("start", "every"),
    "start": ("date_format",),
    "models_as_columns": ("model", "metric", "value"),
    "model": ("models_as_columns",),
    "value": ("models_as_columns",),
}
"""What does not hold beside a field."""


class Scale(Enum):
    """The scale of metrics that are at most 1."""

    PERCENT = "percent"
    """95 represents 0.95."""
    FRACTION = "fraction"


class DecimalMark(Enum):
    """The decimal mark of numbers; the thousands have another one, or none."""

    POINT = "."
    COMMA = ","


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns by their names in the header, and how their cells are written; empty where it is inferred.

    The fields are the keys of `[sources.NAME]` and, with dashes, the flags of the command line.

    Raises:
        ValueError: Two of them contradict each other, or a date format is none.
    """

    date: str = ""
    """The column of the dates, or of the steps or epochs that `start` and `every` date."""
    date_format: str = ""
    """How dates are written, in the directives of strptime."""
    model: str = ""
    segments: tuple[str, ...] = ()
    metric: str = ""
    """The column of metric names, in the long shape."""
    value: str = ""
    """The column of values beside it; without a column of metric names the only metric."""
    count: str = ""
    """The column of the number of cases."""
    timezone: tzinfo | None = None
    """Time zone of dates that name none."""
    scale: Scale | None = None
    decimal: DecimalMark | None = None
    models_as_columns: str = ""
    """The metric that every column of numbers holds, each of another model."""
    start: datetime | None = None
    """The date of step 0."""
    every: timedelta | None = None
    """The time from one step to the next."""

    def __post_init__(self) -> None:
        if (self.start is None) != (self.every is None) or (self.start is not None and not self.date):
            raise ValueError(
                "`start`, the date of step 0, and `every`, the time from step to step, go together, "
                "with `date`, the column of the steps"
            )
        if self.start is not None and self.date_format:
            raise ValueError("`date_format` is of dates, `start` and `every` are of steps: give one of them")
        if self.metric and not self.value:
            raise ValueError("`metric` is a column of metric names: give `value` too, the column of their values")
        if self.models_as_columns and (self.model or self.value):
            raise ValueError("`models_as_columns` finds models and values in the columns: give no `model`, no `value`")
        named = [(key, name) for key in _COLUMNS if (name := getattr(self, key))]
        named += [("segments", name) for name in self.segments if name in {name for _, name in named}]
        for (first, name), (second, other) in combinations(named, 2):
            if name == other:
                raise ValueError(f"`{first}` and `{second}` both name the column {sanitize(name, 40)}: it has one role")
        if self.date_format:
            date_formats.from_strptime(self.date_format)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is configured, so that the header and the rows decide everything."""
        return self == DEFAULT_LAYOUT

    @property
    def configured_date_format(self) -> DateFormat | None:
        """The format of the dates; None if it is to be inferred."""
        if self.start is not None and self.every is not None:
            return date_formats.steps(self.start, self.every)
        return date_formats.from_strptime(self.date_format) if self.date_format else None

    def overridden(self, other: Layout) -> Layout:
        """Return the layout with what another one says in its place, without what contradicts that."""
        given = dict(other.settings())
        lost = {key for name in given for key in _CONTRADICTIONS.get(name, ())} - given.keys()
        kept = {name: value for name, value in self.settings() if name not in lost}
        try:
            return Layout(**(kept | given))
        except ValueError:
            return other

    def settings(self) -> Iterator[tuple[str, Any]]:
        """Yield the fields that are not empty, by name."""
        for field in fields(self):
            value = getattr(self, field.name)
            if value not in ("", (), None):
                yield field.name, value

    def to_settings(self) -> dict[str, str | list[str]]:
        """Return the fields that are not empty as the configuration writes them."""
        return {key: list(one) if isinstance(one, tuple) else format_setting(one) for key, one in self.settings()}

    def to_flags(self) -> list[str]:
        """Return the flags for the same settings."""
        words = []
        for name, value in self.settings():
            for each in value if isinstance(value, tuple) else (value,):
                words += [flag(name), format_setting(each)]
        return words

    def find(self, key: str, names: Sequence[str]) -> int | None:
        """Return the index of the column that a field names; None if it names none.

        Raises:
            SourceError: No column has the name.
        """
        name = getattr(self, key)
        return find_column(key, name, names) if name else None

    def find_segments(self, names: Sequence[str]) -> tuple[int, ...]:
        """Return the indices of the columns of segments; raise SourceError if one is missing."""
        return tuple(sorted({find_column("segments", name, names) for name in self.segments}))


DEFAULT_LAYOUT = Layout()


def flag(key: str) -> str:
    """Return the flag of a field."""
    return f"--{key.replace('_', '-')}"


def format_setting(value: object) -> str:
    """Return a value as the command line and the configuration have it.

    >>> format_setting(timedelta(hours=36)), format_setting(Scale.PERCENT), format_setting(datetime(2025, 1, 1))
    ('36h', 'percent', '2025-01-01')
    """
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, timedelta):
        seconds = round(value.total_seconds())
        unit, size = next((unit, size) for unit, size in _UNITS if seconds % size == 0)
        return f"{seconds // size}{unit}"
    if isinstance(value, datetime):
        return value.isoformat().removesuffix("+00:00").removesuffix("T00:00:00")
    return str(value)


def find_column(key: str, name: str, names: Sequence[str]) -> int:
    """Return the index of the column of a name, else of the only one that differs in case and punctuation alone.

    Raises:
        SourceError: There is none.
    """
    if name in names:
        return names.index(name)
    alike = [index for index, other in enumerate(names) if name_key(other) == name_key(name)]
    if len(alike) == 1:
        return alike[0]
    shown = ", ".join(sanitize(other, 40) for other in names[:MAX_LISTED])
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    near = did_you_mean(name, names)
    raise SourceError(
        f"`{key}` names the column {sanitize(name, 40)}, which is not in the header{near or ':'}"
        f"{' The' if near else ' the'} columns are {shown}{more}"
    )


def suggest_settings(*layouts: Layout) -> str:
    """Return which settings decide between readings: the flags of each, and their keys in the configuration.

    >>> suggest_settings(Layout(date="ts"), Layout(date="created at"))
    "use `--date ts` or `--date 'created at'` (`date` under [sources.NAME])"
    """
    flags = " or ".join(f"`{shlex.join(layout.to_flags())}`" for layout in layouts)
    keys = ", ".join(f"`{key}`" for key in dict.fromkeys(key for layout in layouts for key, _ in layout.settings()))
    return f"use {flags} ({keys} under [sources.NAME])"


def step_layout(column: str, steps: Iterable[str]) -> Layout:
    """Return an example of how steps or epochs are dated: a day from row to row, in a long log a minute.

    Args:
        column: The name of the column.
        steps: Its cells, or the first of them; those that are no whole numbers do not count.

    >>> step_layout("step", ["0", "100", "200"]).to_flags()
    ['--date', 'step', '--start', '2025-01-01', '--every', '864s']
    """
    numbers = sorted({int(step) for step in steps if step.strip().isdecimal()})
    distances = sorted(after - before for before, after in pairwise(numbers)) or [1]
    seconds = 60 if len(numbers) > MAX_DAILY_STEPS else 86_400  # a day each, a long log would end in the future
    every = timedelta(seconds=max(1, seconds // distances[len(distances) // 2]))
    return Layout(date=column, start=datetime(2025, 1, 1, tzinfo=UTC), every=every)


class AmbiguousFormatError(SourceError):
    """What can be read in more than one way, with the flags that decide it."""

    def __init__(self, fact: str, *layouts: Layout) -> None:
        super().__init__(f"{fact}: {suggest_settings(*layouts)}" if layouts else fact)
        self.fact = fact


@dataclass(frozen=True, slots=True)
class Source:
    """A table `[sources.NAME]`: files, and what their columns are."""

    name: str
    paths: tuple[str, ...]
    """Globs of absolute paths, or of addresses; a folder stands for the files in it. None: every file."""
    layout: Layout

    def matches(self, path: str) -> bool:
        """Return whether the table is about a path, as a person named it."""
        full = path if ":" in path.partition("/")[0] else os.path.abspath(path)  # noqa: PTH100  a Path would lose `./`
        return any(fnmatchcase(full, glob) or fnmatchcase(full, f"{glob.rstrip('/')}/*") for glob in self.paths)


@dataclass(frozen=True, slots=True)
class Sources:
    """The layouts of all files: those of the configuration, and that of the flags of one command."""

    tables: tuple[Source, ...] = ()
    """The first that matches a path is the one that counts."""
    flags: Layout = DEFAULT_LAYOUT
    """For every file, in place of what the tables set."""

    def layout_of(self, path: str) -> Layout:
        """Return the layout of one file."""
        configured = next((table.layout for table in self.tables if table.matches(path)), DEFAULT_LAYOUT)
        return configured if self.flags.is_empty else configured.overridden(self.flags)


NO_SOURCES = Sources()
