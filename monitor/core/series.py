"""Series, alerts and statuses. Frozen; times are aware UTC; a ratio is a fraction; with arrays compared by identity.

A series consists of numpy arrays, not of pandas objects, which take 0.3 s to import.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from modeltop.core.text import format_fixed, redact_credentials

Times = NDArray[np.datetime64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Levels = NDArray[np.int8]

DATETIME_DTYPE = "datetime64[us]"  # of period starts, in UTC
FEATURE_PREFIX = "feature="
"""Prefix of the segment of a feature, whose drift is measured."""
NON_SEGMENT_PREFIXES = (FEATURE_PREFIX, "class=")
"""Prefixes of segments that are not parts of the rows."""
MAX_SEGMENTS = 200
"""Segments of a column beyond which each is too small to watch, and to explain much."""


class Direction(Enum):
    """The direction in which a metric improves."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


class Severity(IntEnum):
    """How bad something is, in the order in which people should look."""

    OK = 0
    WARNING = 1
    UNKNOWN = 2
    CRITICAL = 3


class State(Enum):
    """The state of an alert; the first three are those of an alert that is not over."""

    PENDING = "pending"
    FIRING = "firing"
    RECOVERING = "recovering"
    RESOLVED = "resolved"


class Condition(Enum):
    """The subject of an alert: a value, an absence, a source that cannot be read, or a part of one that cannot."""

    THRESHOLD = "threshold"
    NO_DATA = "no-data"
    ERROR = "error"
    UNREADABLE = "unreadable"


def to_datetime64(moment: datetime) -> np.datetime64:
    """Return an aware moment as numpy's naive UTC.

    Raises:
        ValueError: The moment has no zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a naive datetime has no place on the time axis: give its zone")
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")


def to_datetime(stamp: np.datetime64) -> datetime:
    """Return the aware UTC datetime of a period start."""
    naive: datetime = stamp.astype(DATETIME_DTYPE).item()
    return naive.replace(tzinfo=UTC)


class SeriesKey(NamedTuple):
    """The identity of a series: one line on one chart. The strings are as written in the data: foreign text.

    A tuple, as every look-up of a series hashes one.
    """

    model: str
    metric: str
    segment: str = "all"


def segment_column(segment: str) -> str | None:
    """Return the column of a segment such as `country=AT`, empty without one; None for all rows, a feature, a class."""
    if segment == "all" or segment.startswith(NON_SEGMENT_PREFIXES):
        return None
    column, sign, _ = segment.partition("=")
    return column if sign else ""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """The values of one metric of one model, one per period; a missing period is absent, not NaN.

    All arrays have the length of `times`; a column that is unknown throughout is None.
    """

    key: SeriesKey
    better: Direction
    times: Times
    """Period starts, UTC, strictly increasing, dtype `datetime64[us]`."""
    values: Floats
    """Finite, or infinite if the data contains that (which no rule evaluates); never NaN."""
    support: Floats | None = None
    """The number of cases the value rests on; NaN where unknown."""
    rows: Floats | None = None
    """The number of rows of the period, an upper bound of the support; NaN where unknown."""
    provisional: Flags | None = None
    """True for periods that are not complete yet: shown, never evaluated."""
    low: Floats | None = None
    """Lower end of the 95 % interval that came with the data; NaN if it gave none."""
    high: Floats | None = None
    proportion: bool = False
    """True if each value is a proportion of its support, so that its sampling error is known."""
    usual_delay: float = 0.0
    """Seconds that its values usually come after its model's newest row, as labels do, where the files show that."""
    digits: int = 3
    """Decimals of its metric."""
    _evaluable: dict[float, Flags] = field(default_factory=dict, init=False, repr=False)
    """What `evaluable` returned by `min_count`: every rule asks."""

    def __len__(self) -> int:
        return len(self.times)

    def __getitem__(self, periods: slice | NDArray[Any]) -> Series:
        """Return the series at some of its periods: by a slice (arrays are views), by indices, or by flags."""
        columns = (self.times, self.values, self.support, self.rows, self.provisional, self.low, self.high)
        selected = [None if column is None else column[periods] for column in columns]
        arguments: list[Any] = [self.key, self.better, *selected, self.proportion, self.usual_delay, self.digits]
        return Series(*arguments)

    def format(self, value: float) -> str:
        """Return a value with the digits of its metric, the same wherever a person reads it."""
        return format_fixed(value, self.digits)

    @property
    def latest(self) -> float:
        """The value of the newest period."""
        return float(self.values[-1])

    @property
    def newest(self) -> datetime:
        """Start of the newest period."""
        return to_datetime(self.times[-1])

    @property
    def latest_support(self) -> float | None:
        """The number of cases the newest value rests on; None where unknown."""
        return self.support_at(-1)

    def support_at(self, index: int) -> float | None:
        """Return the number of cases a value rests on; None where unknown."""
        if self.support is None or not np.isfinite(self.support[index]):
            return None
        return float(self.support[index])

    def effective_support(self) -> Floats:
        """Return the number that `min_count` is compared with, per point: the support, else the row count, else NaN."""
        known = self.rows if self.support is None else self.support
        if known is not None and np.isfinite(known).all():
            return known
        support = np.full(len(self), np.nan)
        for column in (self.rows, self.support):
            if column is not None:
                support = np.where(np.isfinite(column), column, support)
        return support

    def evaluable(self, min_count: float = 0) -> Flags:
        """Return which points a rule may evaluate: finite, not provisional, and not known to rest on too few cases.

        A value that rests on no case at all is none, whatever the minimum.
        """
        if (known := self._evaluable.get(min_count)) is not None:
            return known
        mask: Flags
        if min_count > 0:
            mask = self.evaluable() & ~(self.effective_support() < min_count)
        else:
            mask = np.isfinite(self.values)
            if self.provisional is not None:
                mask = mask & ~self.provisional
            if self.support is not None:
                mask = mask & (self.support != 0)
        mask.flags.writeable = False
        self._evaluable[min_count] = mask
        return mask


@dataclass(frozen=True, slots=True)
class ReadProblem:
    """Something that could not be read, in words for a person; without credentials, as it is stored and sent."""

    source: str
    """The file or source, as it was named: foreign text."""
    message: str
    """One clause in lower case with the reason and the remedy; may quote foreign text."""
    line: int | None = None
    fatal: bool = False
    """True if nothing of the source could be read; then it has an alert."""
    count: int = 1
    """Lines or cells that this first one of its reason represents; 0 if an earlier problem counts it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", redact_credentials(self.source))
        object.__setattr__(self, "message", redact_credentials(self.message))

    def __str__(self) -> str:
        location = self.source if self.line is None else f"{self.source}:{self.line}"
        return f"{location}: {self.message}"


class FaultReason(Enum):
    """What kept a reader from reading an entire column or file as it is meant."""

    COLUMN_REFUSED = "column-refused"
    ROWS_COLLIDE = "rows-collide"
    """Rows could not be distinguished, and values were lost."""
    PERIODS_OF_TWO_LENGTHS = "periods-of-two-lengths"
    """Hourly and daily values of one model, say."""
    ROWS_MISDATED = "rows-misdated"
    """The newest rows have a wrong year."""


@dataclass(frozen=True, slots=True)
class ReadFault:
    """A fault of an entire file or column, as its reader found it."""

    reason: FaultReason
    message: str
    """One clause in lower case with the column, the reason and what to write; may quote foreign text."""
    column: str | None = None
    """The name as the header has it; None if it is about rows."""
    line: int | None = None
    models: tuple[str, ...] = ()
    """The models it is about; empty: all of the file."""


MAX_LOST_SHARE = 0.05
"""Share of the rows of a file, or of the values of a series, from which on their loss is more than a slip."""


def is_too_much_lost(lost: int, total: int) -> bool:
    """Return whether so much of the data is lost that the rest may mislead: more than one part, and than 5 %.

    >>> is_too_much_lost(1, 2), is_too_much_lost(5, 100), is_too_much_lost(6, 100)
    (False, False, True)
    """
    return lost > 1 and lost > MAX_LOST_SHARE * total


@dataclass(frozen=True, slots=True)
class FileSummary:
    """How much of one file could be read."""

    source: str
    """The file, as it was named: foreign text."""
    models: tuple[str, ...]
    rows_read: int
    rows_lost: int
    """Rows lost as a whole: a wrong date, a wrong number of cells, no model."""
    newest_lost: bool
    """True if rows after the newest one that could be read were lost."""
    faults: tuple[ReadFault, ...] = ()
    span: tuple[datetime, datetime] | None = None
    """The oldest and the newest period; None if no row could be read."""
    lost_row: ReadProblem | None = None
    """The last row that was lost."""
    refused: Mapping[str, ReadProblem] = field(default_factory=dict)
    """Canonical metric → the last of its values that is there but could not be read."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", redact_credentials(self.source))


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """All data that was read: one series per key, and the read problems."""

    series: Mapping[SeriesKey, Series]
    """In the order in which models, then metrics first occur."""
    periods: Mapping[str, Times]
    """Per model, every period start of any metric and segment, sorted, without repeats."""
    problems: tuple[ReadProblem, ...] = ()
    refused: Mapping[SeriesKey, Times] = field(default_factory=dict)
    """Starts of the periods whose value is there but could not be read, sorted; a key may have no series."""
    files: tuple[FileSummary, ...] = ()
    """The files that were read, in the order in which they count."""
    versions: Mapping[str, tuple[tuple[datetime, str], ...]] = field(default_factory=dict)
    """Per model that names its versions, each with the first period of it, oldest first: foreign text."""

    def for_model(self, model: str) -> list[Series]:
        """Return the series of a model, in order."""
        return [series for key, series in self.series.items() if key.model == model]

    @property
    def newest(self) -> datetime | None:
        """Start of the newest period of any model; None without data."""
        newest = [times[-1] for times in self.periods.values() if len(times)]
        return to_datetime(max(newest)) if newest else None


@dataclass(frozen=True, slots=True)
class Breach:
    """Reason why a value breaches a rule."""

    severity: Severity
    value: float
    limit: float | None
    message: str
    """Such as `0.870 < 0.90`; numbers and signs only, no foreign text."""
    is_baseline: bool = False
    """True if `limit` is a baseline, not a line that was crossed: the distance from it has a scale of its own."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert, from its first breached period to its last."""

    id: str | None
    """Stable name of the alert, 8 hexadecimal digits of its rule, series and `since`; None while pending."""
    rule: str
    key: SeriesKey
    condition: Condition
    state: State
    severity: Severity
    """The highest active level; once resolved, the highest level reached; while pending, the level it would reach."""
    since: datetime
    """Start of the first breached period; earlier than `fired` when the rule waits for confirmation."""
    fired: datetime | None
    """Start of the period that confirmed it; None while pending."""
    resolved: datetime | None = None
    worst_breach: Breach | None = None
    """The breach furthest beyond its limit, among those of the highest level any value had."""
    breach: Breach | None = None
    periods: int = 0
    """Evaluated periods from `since` to the newest, or to the last before `resolved`."""
    count: float | None = None
    """Support of the value that breached last; None where unknown."""

    @property
    def is_active(self) -> bool:
        """True while people should know of it: firing or recovering."""
        return self.state in (State.FIRING, State.RECOVERING)

    @property
    def is_model_wide(self) -> bool:
        """True if it inhibits the alerts of its model's metrics: the model stopped, or its source cannot be read."""
        return is_model_wide(self.condition, self.key)


def is_model_wide(condition: Condition, key: SeriesKey) -> bool:
    """Return whether there is nothing to evaluate of a model: no rows, or its source cannot be read."""
    return condition in (Condition.NO_DATA, Condition.ERROR) and key.metric == "*"


@dataclass(frozen=True, slots=True)
class RuleStatus:
    """The current result of one rule on one series, in words."""

    rule: str
    key: SeriesKey
    severity: Severity
    sentence: str
    """A plain sentence about the value and the limit, without the model's name."""
    skip_reason: str | None = None
    """Why a default rule was skipped here; None if it was applied."""
    is_evaluated: bool = True
    """False if it was skipped, or if there is too little history: then it says nothing about the model."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The change from one period, or window, to the newest value of a series."""

    key: SeriesKey
    against: str
    """`first`, `previous`, `7d`, `30d` or `reference`."""
    before: float
    """The earlier value; for `reference`, the mean of the window, weighted by support where known."""
    after: float
    delta: float
    """`after - before`, computed in decimal, so that 0.87 - 0.96 is -0.09."""
    low: float | None
    """Lower end of the 95 % interval of the difference; None if the support is unknown."""
    high: float | None
    before_at: datetime
    """Start of the earlier period; for `reference`, of the first one in the window."""
    count: float | None


class ConcernKind(Enum):
    """What is worth a word about a model although nothing fires."""

    BELOW_BASELINE = "below-baseline"
    """Its newest values lie far on the bad side of its baseline, and are not confirmed yet."""
    DECLINING = "declining"
    """It gets worse, and is still inside its limits."""


@dataclass(frozen=True, slots=True)
class Concern:
    """A fact about the newest periods of a series without an active alert: the model is ok, but."""

    kind: ConcernKind
    key: SeriesKey
    since: datetime
    periods: int
    """Evaluated periods from `since` to the newest, both included."""
    before: float
    """The baseline, or the trend line where it starts."""
    value: float
    """The newest value, or the trend line at the newest period."""
    limit: float | None = None
    """The next limit that a decline would cross; None: none within a year."""
    limit_at: datetime | None = None

    @property
    def side(self) -> str:
        """Where the newest value lies."""
        return "below" if self.value < self.before else "above"


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """The status of one model: the first line that the person on call reads about it."""

    model: str
    severity: Severity
    sentence: str
    """One sentence about the worst thing; foreign text may be in it."""
    concerns: tuple[Concern, ...] = ()
    """What is worth a word beside, of series without an active alert."""
