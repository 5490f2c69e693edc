"""The specification of a prediction log: its sources, the role of each column, and its periods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum

from modeltop.core.errors import SourceError
from modeltop.core.text import sanitize
from modeltop.predictions.schema import is_date, parse_timestamp
from modeltop.predictions.timestamps import TimestampFormat

ALL_FEATURES = "*"
"""Wildcard for every column that has no other role."""
DEFAULT_THRESHOLD = 0.5
"""Minimum score of a positive prediction, if the log has scores only."""


class Task(Enum):
    """Kind of the predictions."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSpec:
    """A prediction log as the user specifies it; unspecified fields are inferred by `schema_inference.resolve`.

    Names of columns are foreign text; None: inferred.
    """

    sources: tuple[str, ...]
    """Files, folders, globs, `FILE.duckdb::TABLE`, or `CONNECTION::TABLE` with a connection string of Ibis."""
    model: str | None = None
    """A column of the log, else the name of its only model; None: the column `model`, else the stem of the source."""
    timestamp: str | None = None
    timestamp_format: str | None = None
    """Directives of strptime; None: inferred."""
    local_time: str | None = None
    """Zone of timestamps that name none; None: UTC."""
    prediction: str | None = None
    label: str | None = None
    scores: tuple[str, ...] = ()
    """One column: the score of the positive class. Several, as `CLASS=COLUMN` or column names: one a class."""
    id: str | None = None
    """Identifies a prediction; where it is given, the newest row of each counts."""
    keep_duplicates: bool = False
    """Whether each row counts, whatever its id."""
    labels: str | None = None
    """A file of labels that arrive later, joined by `id`; it has the columns `id` and `label`."""
    segments: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    """Columns; `*` for all that have no other role."""
    task: Task | None = None
    positive: str | None = None
    """Value of the positive class, as text."""
    threshold: float | None = None
    """Least score of a positive prediction; given, it overrules the predictions of the log."""
    max_bad_rows: float = 0.01
    """Share of rows up to which values that cannot be read are skipped; above it the log is refused."""
    period: str = "D"
    """`15min`, `6h`, `H`, `D`, `W`, `MS`, `QS`, `YS`, `5000rows`, or `column=NAME`."""
    timezone: str = "UTC"
    """Zone of days, weeks and months; timestamps without a zone are in UTC or `local_time` all the same."""
    reference: str | None = None
    """`COLUMN=VALUE`, or `START..END` with ISO dates, the end included if it is a date."""
    start: str | None = None
    """ISO date of the first period of a log without any timestamp."""
    every: str | None = None
    """Distance of its periods, such as `D` or `6h`."""

    @property
    def counts_ids_once(self) -> bool:
        """Whether of several rows with one id the newest counts: ids that were not named may be those of customers."""
        return self.id is not None and not self.keep_duplicates


@dataclass(frozen=True, slots=True)
class ResolvedLog:
    """A log with a column for each role, its task, its classes and its size.

    Names are columns of the log; None if it has none for the role.
    """

    spec: LogSpec
    task: Task
    model: str | None
    """Column; None if `model_name` is the only model."""
    model_name: str
    timestamp: str | None
    prediction: str | None
    """None: derived from score and threshold."""
    label: str | None
    scores: Mapping[str, str]
    """Columns by class; a binary task has one, of the positive class."""
    id: str | None
    classes: tuple[str, ...]
    """Binary: negative, positive. Multi-class: in natural order. Regression: empty."""
    class_values: Mapping[str, tuple[str, ...]]
    """Column of labels or predictions → how it writes the classes, where that is otherwise; case does not count."""
    threshold: float
    segments: tuple[str, ...]
    features: tuple[str, ...]
    notes: tuple[str, ...] = ()
    """Sentences for a person on the inferred settings and the rows left out; may quote foreign text."""
    first_row_at: datetime | None = None
    """Time of the first and of the last row, UTC; None without any."""
    last_row_at: datetime | None = None
    row_count: int = 0
    total_bytes: int = 0
    """Size of the files; 0 where unknown."""
    models: tuple[str, ...] = ()
    """Names of all models, sorted, if they are so few that the engine groups by their codes; else none."""
    score_decides: bool = False
    """Whether all rows have a score, and are predicted positive exactly if it is `DEFAULT_THRESHOLD` or more."""
    clean_columns: frozenset[str] = frozenset()
    """Columns that can be read as they are stored: without NaN, without classes but 0 and 1."""
    timestamp_format: TimestampFormat = field(default_factory=TimestampFormat)
    is_recognized: bool = False
    """Whether the role of a column was recognized by anything else than its being called so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """One log, and how it is computed."""

    spec: LogSpec
    name: str = ""
    """Name of the table `[logs.NAME]`; empty for a log of the command line."""
    engine: str = "duckdb"
    """`duckdb`, or a connection string such as `spark://host:7077` or `local[2]`."""
    cost: Mapping[str, float] = field(default_factory=dict)
    """Cost of one false positive, `fp`, and of one false negative, `fn`; 0 or more."""
    label_delay: timedelta | None = None
    """Maximum wait for labels after the end of a period; None: derived from the log."""
    per_class: bool = False
    """Whether each class is a segment, `class=NAME`."""
    since: timedelta | None = None
    """Most age of the periods that are computed; None: all."""
    every: timedelta | None = None
    """Interval at which the watcher computes it; None: it does not."""


@dataclass(frozen=True, slots=True)
class ColumnValue:
    """A reference of the rows whose column holds a value."""

    column: str
    value: str


@dataclass(frozen=True, slots=True)
class TimeRange:
    """A reference of the rows from `start` up to, not including, `end`; naive, UTC; None: open."""

    start: datetime | None
    end: datetime | None


def parse_reference(text: str | None) -> ColumnValue | TimeRange | None:
    """Parse `COLUMN=VALUE`, or `START..END`; an end that is a date counts to its last moment.

    Raises:
        SourceError: It is neither, or ends before it starts.

    >>> parse_reference("period=reference")
    ColumnValue(column='period', value='reference')
    >>> parse_reference("2025-01-01..2025-01-31").end
    datetime.datetime(2025, 2, 1, 0, 0)
    """
    if text is None:
        return None
    first, dots, last = text.partition("..")
    if dots and "=" not in first:
        start, end = _moment(first, text), _moment(last, text)
        if end is not None and is_date(last.strip()):
            end += timedelta(days=1)
        if start is not None and end is not None and start >= end:
            raise SourceError(f"--reference {sanitize(text, 60)} ends before it starts: write START..END")
        return TimeRange(start, end)
    column, sign, value = text.partition("=")
    if not sign or not column:
        raise SourceError(f"--reference {sanitize(text, 60)}: write COLUMN=VALUE or START..END")
    return ColumnValue(column, value)


def _moment(date_text: str, text: str) -> datetime | None:
    if not date_text.strip():
        return None
    moment = parse_timestamp(date_text.strip())
    if moment is None:
        raise SourceError(f"--reference {sanitize(text, 60)}: {sanitize(date_text, 40)} is not an ISO date")
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
