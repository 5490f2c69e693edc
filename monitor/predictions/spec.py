"""What a prediction log is: where it lies, which column plays which part, and how its rows fall into periods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum

from modeltop.core.errors import SourceError
from modeltop.core.text import sanitize
from modeltop.predictions.schema import is_date, parse_timestamp

ALL_FEATURES = "*"
"""Stands for every column that plays no other part."""
DEFAULT_THRESHOLD = 0.5
"""Score from which on a prediction is positive, where the log holds scores alone."""


class Task(Enum):
    """What the model predicts."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSpec:
    """A prediction log as it was asked for; `modeltop.predictions.schema_inference` finds out what was left open.

    Names of columns are as written in the log: foreign text.
    """

    sources: tuple[str, ...]
    """Files, folders, globs, `FILE.duckdb::TABLE`, or `CONNECTION::TABLE` with a connection string of Ibis."""
    model: str | None = None
    """A column of the log, else the name of the one model; None: the column `model`, else the stem of the source."""
    timestamp: str | None = None
    prediction: str | None = None
    label: str | None = None
    scores: tuple[str, ...] = ()
    """One column: the score of the positive class. Several, as `CLASS=COLUMN` or bare names: one a class."""
    id: str | None = None
    labels: str | None = None
    """A file of labels that arrive later, joined by `id`; it has the columns `id` and `label`."""
    segments: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    """Columns; `*` for all that play no other part."""
    task: Task | None = None
    positive: str | None = None
    """The value that is the positive class, as text."""
    threshold: float | None = None
    """Score from which on a prediction is positive; given, it overrules the log's own predictions."""
    period: str = "D"
    """`15min`, `6h`, `H`, `D`, `W`, `MS`, `QS`, `YS`, `5000rows`, or `column=NAME`."""
    timezone: str = "UTC"
    """Days, weeks and months are cut in this zone; a timestamp without a zone is in UTC."""
    reference: str | None = None
    """`COLUMN=VALUE`, or `START..END` with ISO dates, the end included where it is a date."""
    start: str | None = None
    """ISO date of the first period of a log without any timestamp."""
    every: str | None = None
    """Distance of its periods, such as `D` or `6h`."""


@dataclass(frozen=True, slots=True)
class ResolvedLog:
    """A log with every part known: what `read`, `counts`, `reference` and `features` work on.

    Names are columns of the log; None where the log has none for the part.
    """

    spec: LogSpec
    task: Task
    model: str | None
    """Column; None where `model_name` is the one model."""
    model_name: str
    timestamp: str | None
    prediction: str | None
    """None: derived from score and threshold."""
    label: str | None
    scores: Mapping[str, str]
    """Class → column; for a binary task the one key is the positive class."""
    id: str | None
    classes: tuple[str, ...]
    """Binary: negative, positive. Multi-class: in natural order. Regression: empty."""
    threshold: float
    segments: tuple[str, ...]
    features: tuple[str, ...]
    notes: tuple[str, ...] = field(default=())
    """What was guessed, in words for a person; may quote foreign text."""
    first_row_at: datetime | None = None
    """Time of the first and of the last row, UTC; None without any."""
    last_row_at: datetime | None = None
    row_count: int = 0
    """Rows."""
    total_bytes: int = 0
    """Size of the files; 0 where unknown."""
    models: tuple[str, ...] = ()
    """Names of all models in their order, where they are so few that the engine groups by their places; else none."""
    score_decides: bool = False
    """Whether all rows have a score, and are predicted positive just where it is `DEFAULT_THRESHOLD` or more."""
    clean_columns: frozenset[str] = frozenset()
    """Columns that a look at every row has found to need no mending: no NaN, no class but 0 and 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """One log, and what to make of it."""

    spec: LogSpec
    name: str = ""
    """Of the table `[logs.NAME]`; empty for a log of the command line."""
    engine: str = "duckdb"
    """`duckdb`, or a connection string such as `spark://host:7077` or `local[2]`."""
    cost: Mapping[str, float] = field(default_factory=dict)
    """Price of one false positive, `fp`, and of one false negative, `fn`; at least 0."""
    label_delay: timedelta | None = None
    """Time after a period's end after which its labels are not waited for; None: seen from the log."""
    per_class: bool = False
    """Whether each class is a segment, `class=NAME`."""
    since: timedelta | None = None
    """Only periods as young as this are computed; None: all."""
    every: timedelta | None = None
    """How often the watcher computes it; None: never by itself."""


@dataclass(frozen=True, slots=True)
class ColumnValue:
    """Rows whose column holds the value."""

    column: str
    value: str


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Rows from `start` up to, not including, `end`; naive, UTC. None: open."""

    start: datetime | None
    end: datetime | None


def parse_reference(written: str | None) -> ColumnValue | TimeRange | None:
    """`COLUMN=VALUE`, or `START..END`; an end that is a date counts to its last moment.

    >>> parse_reference("period=reference")
    Value(column='period', value='reference')
    >>> parse_reference("2025-01-01..2025-01-31").end_index
    datetime.datetime(2025, 2, 1, 0, 0)
    """
    if written is None:
        return None
    first, dots, last = written.partition("..")
    if dots and "=" not in first:
        found = TimeRange(_moment(first, written), _end(last, written))
        if found.start is not None and found.end is not None and found.start >= found.end:
            raise SourceError(f"--reference {sanitize(written, 60)} ends before it starts: write START..END")
        return found
    column, sign, value = written.partition("=")
    if not sign or not column:
        raise SourceError(f"--reference {sanitize(written, 60)}: write COLUMN=VALUE or START..END")
    return ColumnValue(column, value)


def _moment(text: str, whole: str) -> datetime | None:
    if not text.strip():
        return None
    found = parse_timestamp(text.strip())
    if found is None:
        raise SourceError(f"--reference {sanitize(whole, 60)}: {sanitize(text, 40)} is no ISO date")
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found


def _end(text: str, whole: str) -> datetime | None:
    found = _moment(text, whole)
    return found + timedelta(days=1) if found is not None and is_date(text.strip()) else found
