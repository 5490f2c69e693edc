"""Formats of dates beside ISO 8601 and epoch integers, each chosen for an entire column and never for a single cell."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import lru_cache, partial
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from modeltop.core.series import DATETIME_DTYPE, Times
from modeltop.history.csv import dates
from modeltop.history.csv.table import CodedColumn
from modeltop.history.csv.tolerance import is_within_tolerance
from modeltop.history.store.row_format import YEAR_RANGE

_WRITE = dates.REMEDY
Parse = Callable[[str, tzinfo, int], int]
"""From a text, the zone of dates that name none, and the fold of a local time that comes twice, to microseconds since
1970; raises ValueError, without a message if the text has another format."""


@dataclass(frozen=True, slots=True)
class DateFormat:
    """One way to write dates."""

    description: str
    example: str
    parse: Parse
    words: frozenset[str] = frozenset()
    """Words of which the column's name has one where the cells could be any numbers; empty: the cells alone decide."""
    is_configured: bool = False
    """True if it is configured, not inferred: texts are read by it alone, and entire."""

    def read(self, texts: Sequence[str], zone: tzinfo = UTC, fold: int = 0) -> Times:
        """Return per text its date; NaT where it has another format, or is none."""
        if self is PLAIN and not fold:
            return dates.read_dates(texts, zone)
        if zone is UTC and not fold:
            return self.read_split(SplitDates.of(texts))
        return dates.read_each(texts, lambda text: self.parse(text, zone, fold))

    def read_split(self, split: SplitDates) -> Times:
        """Return the same of texts in UTC of which each day is read once."""
        if self is PLAIN:
            return dates.read_dates(split.texts)
        if self.is_configured:
            return dates.read_each(split.texts, lambda text: self.parse(text, UTC, 0))
        days = dates.read_each(split.days.cells, lambda text: self.parse(text, UTC, 0))
        return np.asarray(days[split.days.codes] + split.clocks)

    def explain(self, text: str, zone: tzinfo = UTC) -> str:
        """Return why a text is refused."""
        try:
            self.parse(text, zone, 0)
        except ValueError as error:
            if self is PLAIN or not text.strip():
                return str(error) or f"the date is empty: {_WRITE}"
            reason = str(error) or f"the column has {self.description}, such as {self.example}"
            remedy = f"write one such as {self.example}" if self.is_configured else _WRITE
            return f"`{text[:40]}` is not a date ({reason}): {remedy}"
        return ""


@dataclass(frozen=True, slots=True, eq=False)
class SplitDates:
    """Texts of dates, each split into a day and a time of day."""

    texts: Sequence[str]
    days: CodedColumn
    """The days at midnight; texts that cannot be split are here in full."""
    clocks: NDArray[np.timedelta64]
    """The times of day; 0 where the text was not split."""

    @classmethod
    def of(cls, texts: Sequence[str]) -> SplitDates:
        """Return the texts and their parts."""
        days, clocks = [], []
        for text in texts:
            end = text.rfind(" ", 0, text.find(":"))
            clock = _clock_microseconds(text[end + 1 :]) if end > 0 else None
            days.append(text if clock is None else f"{text[:end]} 00:00")
            clocks.append(clock or 0)
        return cls(texts, CodedColumn.of(days), np.array(clocks, dtype="timedelta64[us]"))


@lru_cache(maxsize=100_000)
def _clock_microseconds(text: str) -> int | None:
    """Return the microseconds from midnight to a time of day without zone and fraction; None if it is none."""
    match = re.fullmatch(f"{_TIME}{_HALF}", text, _FLAGS)
    if match is None or match["fraction"]:
        return None
    try:
        hour, minute, second, _ = _parse_clock(match.groupdict()) or (24, 0, 0, "")
    except ValueError:
        return None
    is_time = hour < 24 and minute < 60 and second < 60
    return (hour * 3_600 + minute * 60 + second) * 1_000_000 if is_time else None


PLAIN = DateFormat("ISO 8601 dates", "2025-01-09", dates.parse_microseconds)

_NAMES = (
    "january jan januar januari jänner jän janvier janv enero ene gennaio gen janeiro",
    "february feb februar februari février févr fév febrero febbraio fevereiro fev",
    "march mar märz mär mrz mars marzo maart mrt março",
    "april apr avril avr abril abr aprile",
    "may mai mayo maggio mag maio mei",
    "june jun juni juin junio giugno giu junho",
    "july jul juli juillet juil julio luglio lug julho",
    "august aug août agosto ago augustus",
    "september sep sept septembre septiembre settembre set setembro",
    "october oct oktober okt octobre octubre ottobre ott outubro out",
    "november nov novembre noviembre novembro",
    "december dec dezember dez décembre déc diciembre dic dicembre dezembro",
)
"""The months in English, German, French, Spanish, Italian, Portuguese and Dutch."""
_NUMBERS_BY_NAME = {name: number for number, names in enumerate(_NAMES, start=1) for name in names.split()}
_WEEKDAYS = (
    "mon monday tue tues tuesday wed wednesday thu thur thurs thursday fri friday sat saturday sun sunday "
    "mo di mi do fr sa so montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag "
    "lun mar mer jeu ven sam dim lundi mardi mercredi jeudi vendredi samedi dimanche"
)


def _any_of(words: Iterable[str]) -> str:
    """Return a pattern of words, the longest first, whatever the case of their letters."""
    text = "|".join(sorted(words, key=len, reverse=True))
    return "(?:" + "".join(each if each.isascii() else f"[{each}{each.upper()}]" for each in text) + r")\.?"


MONTH = _any_of(_NUMBERS_BY_NAME)
WEEKDAY = rf"(?:{_any_of(_WEEKDAYS.split())},?\s+)?"
_NAME = rf"(?P<name>{MONTH})"
_QUARTER = r"Q(?P<quarter>[1-4])"
_SHORT_YEAR = r"'?(?P<year>\d{2})"
_YEAR, _MONTH, _DAY = r"(?P<year>\d{4})", r"(?P<month>\d{1,2})", r"(?P<day>\d{1,2})"
_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
_HALF = r"(?:\s*(?P<half>[ap])\.?m\.?)?"
_ZONE = (
    r"(?:\s*(?P<zone>(?:Z|UTC|GMT)(?![+-])|(?:UTC|GMT)?[+-]\d{1,2}(?::?\d{2})?|[a-z_]+/[a-z_/]+)"
    r"(?:\s+(?:UTC|GMT)|\s*\[[\w/+-]+\]|\s*\([\w\s]+\))?)?"
)
_CLOCK = rf"(?:(?:T|,?\s+|\s+-\s+|\s+at\s+){_TIME}{_HALF}{_ZONE})?"
_FIRST_OF_1900 = 69
"""Years of two digits from here on are of the last century (POSIX, strptime)."""
_FLAGS = re.IGNORECASE | re.ASCII
_SPACES = str.maketrans("\u00a0\u202f", "  ")  # before AM and PM in what browsers write


def _parse_calendar(patterns: Sequence[str], text: str, zone: tzinfo, fold: int) -> int:
    stripped = text.translate(_SPACES).strip()
    # Compiled when first needed, and cached by `re`: most files need none of them.
    match = next((match for pattern in patterns if (match := re.fullmatch(pattern, stripped, _FLAGS))), None)
    if match is None:
        raise ValueError
    parts = match.groupdict()
    day = _first_day(parts)
    return dates.to_microseconds(
        (day.year, day.month, day.day), _parse_clock(parts), _parse_zone(parts.get("zone"), zone), fold
    )


def _first_day(parts: dict[str, str]) -> date:
    """Return the day, or the first of the week, month, quarter or year, that the parts of a date name."""
    year = int(parts["year"])
    if len(parts["year"]) == 2:
        year += 2000 if year < _FIRST_OF_1900 else 1900
    if "week" in parts:
        return date.fromisocalendar(year, int(parts["week"]), int(parts["weekday"] or 1))
    if "ordinal" in parts:
        day = date(year, 1, 1) + timedelta(days=int(parts["ordinal"]) - 1)
        if day.year != year:
            raise ValueError(f"{year} has no day {parts['ordinal']}")
        return day
    if "quarter" in parts:
        return date(year, 3 * int(parts["quarter"]) - 2, 1)
    month = _NUMBERS_BY_NAME[parts["name"].lower().rstrip(".")] if parts.get("name") else int(parts["month"] or 1)
    return date(year, month, int(parts.get("day") or 1))


def _parse_clock(parts: dict[str, str]) -> dates.Clock | None:
    if not parts.get("hour"):
        return None
    hour = int(parts["hour"])
    if half := parts.get("half"):
        if not 1 <= hour <= 12:
            raise ValueError(f"there is no {hour} {half}m")
        hour = hour % 12 + 12 * (half in "pP")
    return hour, int(parts["minute"] or 0), int(parts["second"] or 0), parts["fraction"] or ""


def _parse_zone(text: str | None, zone: tzinfo) -> tzinfo:
    if not text:
        return zone
    if "/" in text:
        return _named_zone(text)
    offset = re.sub("UTC|GMT", "", text.upper())
    if len(offset) == 2:
        offset = f"{offset[0]}0{offset[1]}"
    return dates.parse_offset(offset, UTC)


@lru_cache(maxsize=64)
def _named_zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name[:40]}") from None


def _calendar(description: str, example: str, *patterns: str, words: frozenset[str] = frozenset()) -> DateFormat:
    return DateFormat(description, example, partial(_parse_calendar, patterns), words)


def _parse_interval(text: str, zone: tzinfo, fold: int) -> int:
    # Spark writes a window as JSON, or as a struct.
    text = re.sub(r'"(?:start|end)"\s*:\s*|"', "", text.strip().strip("[](){}"))
    start, mark, end = text.partition(next((mark for mark in ("/", ", ") if mark in text), ","))
    if not mark:
        raise ValueError
    first, last = (YEAR_FIRST.parse(each, zone, fold) for each in (start, end))
    if last < first:
        raise ValueError("it ends before it starts")
    return first


_EPOCH = re.compile(r"\d{9,19}(?:\.\d*)?", re.ASCII)
_SCIENTIFIC = re.compile(r"\d(?:\.(?P<decimals>\d*))?e\+?(?P<exponent>\d{1,2})", re.ASCII | re.IGNORECASE)


def _parse_epoch(pattern: re.Pattern[str], text: str, zone: tzinfo, fold: int) -> int:  # noqa: ARG001  an epoch is in UTC
    stripped = text.strip()
    unit = dates.find_epoch_unit(number := Decimal(stripped)) if pattern.fullmatch(stripped) else None
    if unit is None:
        raise ValueError
    return int(number * unit.factor / unit.divisor)


_EXCEL_DAYS = (32_874, 73_051)
"""Serial numbers of 1 January 1990 and 2100 in Excel's 1900 system."""
_EXCEL_1970 = 25_569


def _parse_excel(text: str, zone: tzinfo, fold: int) -> int:
    if not re.fullmatch(r"\d{5}(?:\.\d*)?", text.strip(), re.ASCII):
        raise ValueError
    number = Decimal(text.strip())
    if not _EXCEL_DAYS[0] <= number < _EXCEL_DAYS[1]:
        raise ValueError
    milliseconds = round(number % 1 * 86_400_000)
    day = date(1970, 1, 1) + timedelta(days=int(number) - _EXCEL_1970)
    if not milliseconds:
        return dates.to_microseconds((day.year, day.month, day.day), None, zone, fold)
    if number.as_tuple().exponent > -5 and milliseconds % 60_000:  # type: ignore[operator]  # finite, so an int
        raise ValueError("it is rounded: export it with all digits")
    seconds, rest = divmod(milliseconds, 1000)
    clock = (seconds // 3600, seconds // 60 % 60, seconds % 60, f"{rest:03}")
    return dates.to_microseconds((day.year, day.month, day.day), clock, zone, fold)


_DAY_WORDS = frozenset({"date", "datum", "day", "dt", "ds", "excel", "serial"})
_MONTH_WORDS = frozenset({"date", "datum", "ds", "month", "period", "ym", "yyyymm", "yearmonth"})
_YEAR_WORDS = frozenset({"date", "datum", "ds", "year", "yr", "yyyy", "period", "time"})
TIME_WORDS = frozenset(
    {
        *(*_DAY_WORDS, *_MONTH_WORDS, *_YEAR_WORDS, "datetime", "timestamp", "timestamps", "ts", "stamp", "epoch"),
        *("unix", "wall", "at", "created", "recorded", "updated", "start", "begin", "from", "since", "end", "stop"),
        *("to", "until", "when", "week", "quarter", "hour", "index", "unnamed", ""),
    }
)
"""Words in the name of a column that may hold epoch numbers; pandas names an index `Unnamed: 0`, or not at all."""

YEAR_FIRST = _calendar(
    "the year first",
    "2025-01-31 14:00 UTC",
    rf"{WEEKDAY}{_YEAR}(?P<mark>[-/.]){_MONTH}(?P=mark){_DAY}{_CLOCK}",
    rf"{_YEAR}-{_MONTH}-{_DAY}[T ](?P<hour>\d\d)(?P<minute>(?P<second>(?P<fraction>)))?{_ZONE}",
    rf"{_YEAR}(?P<month>\d\d)(?P<day>\d\d)(?:[T ]?(?P<hour>\d\d)(?:(?P<minute>\d\d)(?P<second>\d\d)?"
    rf"(?:[.,](?P<fraction>\d{{1,9}}))?)?{_ZONE})?",
)


def _three_numbers(description: str, example: str, first: str, second: str, third: str, marks: str) -> DateFormat:
    pattern = rf"{WEEKDAY}{first}(?P<mark>[{marks}]){second}(?P=mark){third}{_CLOCK}"
    return _calendar(description, example, pattern)


DAY_FIRST = _three_numbers("the day first", "31.01.2025", _DAY, _MONTH, _YEAR, "./-")
MONTH_FIRST = _three_numbers("the month first", "01/31/2025", _MONTH, _DAY, _YEAR, "./-")
_SHORT_DAY_FIRST = _three_numbers("the day first", "31.01.25", _DAY, _MONTH, _SHORT_YEAR, "./-")
_SHORT_MONTH_FIRST = _three_numbers("the month first", "01/31/25", _MONTH, _DAY, _SHORT_YEAR, "./-")
_SHORT_YEAR_FIRST = _three_numbers("the year first", "25-01-31", _SHORT_YEAR, _MONTH, _DAY, "/-")
_SHORT_MONTHS = _calendar("months", "Jan-25", rf"{_NAME}[\s-]{_SHORT_YEAR}")
SCIENTIFIC = DateFormat(
    "numbers in scientific notation", "1.735689600e+09", partial(_parse_epoch, _SCIENTIFIC), TIME_WORDS
)
EXCEL = DateFormat("days of a spreadsheet", "45658", _parse_excel, _DAY_WORDS)

FORMATS = (
    YEAR_FIRST,
    DAY_FIRST,
    MONTH_FIRST,
    _SHORT_DAY_FIRST,
    _SHORT_MONTH_FIRST,
    _SHORT_YEAR_FIRST,
    _SHORT_MONTHS,
    _calendar(
        "names of months and years of two digits",
        "31 Jan 25",
        rf"{WEEKDAY}{_DAY}\.?[\s/-]*{_NAME}[\s,/-]*{_SHORT_YEAR}{_CLOCK}",
        rf"{WEEKDAY}{_NAME}\s*{_DAY},\s*{_SHORT_YEAR}{_CLOCK}",
    ),
    _calendar(
        "names of months",
        "31 Jan 2025",
        rf"{WEEKDAY}{_DAY}(?:st|nd|rd|th|\.)?[\s/-]*{_NAME}[\s,/-]*{_YEAR}{_CLOCK}",
        rf"{WEEKDAY}{_NAME}\s*{_DAY}(?:st|nd|rd|th)?,?\s+{_YEAR}{_CLOCK}",
        rf"{_YEAR}[\s/-]*{_NAME}[\s/-]*{_DAY}{_CLOCK}",
        rf"{WEEKDAY}{_NAME}\s+{_DAY}\s+{_TIME}(?:\s+(?P<zone>UTC|GMT|Z))?\s+{_YEAR}",
        rf"{WEEKDAY}{_NAME}\s+{_DAY}\s+{_TIME}\s+{_YEAR}\s+(?P<zone>[+-]\d{{4}})",
        rf"{_DAY}/{_NAME}/{_YEAR}:{_TIME}{_ZONE}",
        rf"{_NAME}[\s,/-]*{_YEAR}",
        rf"{_YEAR}[\s/-]*{_NAME}",
    ),
    _calendar("months", "2025M01", rf"{_YEAR}(?:[/-]|-?M){_MONTH}", rf"{_MONTH}[/-]{_YEAR}"),
    _calendar("months", "202501", rf"{_YEAR}\.?(?P<month>\d\d)", rf"{_MONTH}\.{_YEAR}", words=_MONTH_WORDS),
    _calendar("years", "2025", rf"{_YEAR}(?P<month>(?P<day>))", words=_YEAR_WORDS),
    _calendar("ISO weeks", "2025-W03", rf"{_YEAR}-?W(?P<week>\d\d)(?:-?(?P<weekday>[1-7]))?"),
    _calendar("quarters", "2025-Q1", rf"{_YEAR}[-\s/]?{_QUARTER}", rf"{_QUARTER}[-\s/]?{_YEAR}"),
    _calendar("days of the year", "2025-032", rf"{_YEAR}-(?P<ordinal>\d{{3}})"),
    DateFormat("intervals", "2025-01-06/2025-01-12", _parse_interval),
    DateFormat("seconds since 1970", "1735690320.409", partial(_parse_epoch, _EPOCH), TIME_WORDS),
    SCIENTIFIC,
    EXCEL,
)


class AmbiguousDatesError(ValueError):
    """Dates that can be read in more than one way, or not exactly; the message names the remedy.

    Args:
        fact: What the cells hold.
        remedy: What to write instead.
        formats: The formats between which a person has to decide, in the directives of strptime.
    """

    def __init__(self, fact: str, remedy: str = _WRITE, formats: Sequence[str] = ()) -> None:
        super().__init__(f"{fact}: {remedy}")
        self.fact = fact
        self.formats = tuple(formats)


_DIRECTIVES = {
    "Y": _YEAR,
    "y": r"(?P<year>\d{2})",
    "m": _MONTH,
    "d": _DAY,
    "e": r"\s?(?P<day>\d{1,2})",
    "b": _NAME,
    "B": _NAME,
    "h": _NAME,
    "a": _any_of(_WEEKDAYS.split()),
    "A": _any_of(_WEEKDAYS.split()),
    "H": r"(?P<hour>\d{1,2})",
    "I": r"(?P<hour>\d{1,2})",
    "M": r"(?P<minute>\d{2})",
    "S": r"(?P<second>\d{2})",
    "f": r"(?P<fraction>\d{1,9})",
    "p": r"(?P<half>[ap])\.?m\.?",
    "z": _ZONE,
    "Z": _ZONE,
    "j": r"(?P<ordinal>\d{1,3})",
    "G": _YEAR,
    "V": r"(?P<week>\d{1,2})",
    "u": r"(?P<weekday>[1-7])",
    "F": f"{_YEAR}-{_MONTH}-{_DAY}",
    "T": r"(?P<hour>\d{1,2}):(?P<minute>\d{2}):(?P<second>\d{2})",
    "%": "%",
}
"""Directive of strptime, C's and Python's → its pattern."""
_PARTS = frozenset({"year", "month", "day", "hour", "minute", "second", "fraction", "half", "zone", "weekday"})


@lru_cache(maxsize=64)
def from_strptime(directives: str) -> DateFormat:
    """Return the format that directives of strptime describe; without a time of day among them one may follow.

    Raises:
        ValueError: They describe no date; the message names the remedy.

    >>> str(from_strptime("%d/%m/%Y").read(["01/02/2025 14:00"])[0])
    '2025-02-01T14:00:00.000000'
    """
    example = "write one such as %d/%m/%Y or %Y-%m-%d %H:%M"
    pattern = ""
    for literal, blank, directive in re.findall(r"([^%\s])|(\s+)|%(.?)", directives, re.DOTALL):
        if not literal and not blank and directive not in _DIRECTIVES:
            raise ValueError(f"{directives[:40]!r} has the unknown directive %{directive}: {example}")
        pattern += re.escape(literal) or (r"\s+" if blank else _DIRECTIVES[directive])
    groups = re.findall(r"\(\?P<(\w+)>", pattern)
    names = set(groups)
    if len(names) < len(groups) or "year" not in names or not names & {"month", "name", "ordinal", "week"}:
        raise ValueError(f"{directives[:40]!r} has not one year and one month, week or day: {example}")
    if names.isdisjoint(_PARTS - {"year", "month", "day", "weekday"}):
        pattern += _CLOCK
    pattern += "".join(f"(?P<{part}>)" for part in sorted(_PARTS - {*re.findall(r"\(\?P<(\w+)>", pattern)}))
    written = datetime(2025, 1, 31, 14, tzinfo=UTC).strftime(directives)
    return replace(_calendar(f"the format {directives[:40]}", written[:40], pattern), is_configured=True)


def to_strptime(form: DateFormat, text: str) -> str | None:
    """Return the directives of strptime by which a text has its format; None if they cannot describe it.

    >>> to_strptime(DAY_FIRST, "31.01.2025 14:00"), to_strptime(PLAIN, "2025-01-31")
    ('%d.%m.%Y', None)
    """
    orders = {DAY_FIRST: "dmY", MONTH_FIRST: "mdY", _SHORT_DAY_FIRST: "dmy", _SHORT_MONTH_FIRST: "mdy"}
    order = (orders | {_SHORT_YEAR_FIRST: "ymd"}).get(form)
    mark = re.search(r"\d{1,4}([./-])", text)
    if order is None or mark is None:
        return None
    return mark[1].join(f"%{each}" for each in order)


def steps(start: datetime, every: timedelta) -> DateFormat:
    """Return the format of steps or epochs: step 0 is `start`, and each further one `every` later."""
    zero, length = ((moment // _MICROSECOND) for moment in (start - dates.EPOCH, every))

    def parse(text: str, zone: tzinfo, fold: int) -> int:  # noqa: ARG001  the start has a zone
        if not re.fullmatch(r"[+-]?\d{1,12}(?:\.\d*)?", text.strip(), re.ASCII):
            raise ValueError
        microseconds = zero + int(Decimal(text.strip()) * length)
        if not _FIRST <= microseconds < _LAST:
            raise ValueError(f"its year is outside {YEAR_RANGE[0]} to {YEAR_RANGE[1]}")
        return microseconds

    return DateFormat("numbers of steps", "12", parse, is_configured=True)


_MICROSECOND = timedelta(microseconds=1)
_FIRST, _LAST = (
    (datetime(year, 1, 1, tzinfo=UTC) - dates.EPOCH) // _MICROSECOND for year in (YEAR_RANGE[0], YEAR_RANGE[1] + 1)
)


_SAMPLE = 60
"""Texts that are tried in every format; all are tried in the formats of which one is."""


def choose_date_format(name: str, texts: Sequence[str]) -> DateFormat | None:
    """Return the format in which more than half of a column's dates can be read; None if there is none.

    Args:
        name: The column's name.
        texts: Its distinct cells that are not empty.

    Raises:
        AmbiguousDatesError: They fit two formats, or lost digits.
    """
    sample = SplitDates.of(texts[:: -(-len(texts) // _SAMPLE)])
    nothing: Times = np.full(len(texts), np.datetime64("NaT", "us"), dtype=DATETIME_DTYPE)
    plain = PLAIN.read(texts) if _count(PLAIN.read_split(sample)) else nothing
    if _count(plain) == len(texts):
        return PLAIN
    words, split = name_words(name), SplitDates.of(texts)
    formats = [each for each in FORMATS if (not each.words or words & each.words) and _count(each.read_split(sample))]
    times = {each: each.read_split(split) for each in formats} | {PLAIN: plain}
    best = max((PLAIN, *formats), key=lambda each: _count(times[each]))
    read = [text for text, time in zip(texts, times[best], strict=True) if not np.isnat(time)]
    for orders in ((DAY_FIRST, MONTH_FIRST), (_SHORT_DAY_FIRST, _SHORT_MONTH_FIRST)):
        day_first, month_first = (times.get(each, nothing) for each in orders)
        is_any = 2 * np.count_nonzero(~np.isnat(day_first) | ~np.isnat(month_first)) > len(texts)
        if best in orders and is_any:
            if _has_year_first(read[0], times[best], times.get(_SHORT_YEAR_FIRST, nothing)):
                return _SHORT_YEAR_FIRST
            return orders[0] if _has_day_first(texts, (day_first, month_first), orders) else orders[1]
    if 2 * len(read) <= len(texts):
        return None
    if best is _SHORT_MONTHS:
        _check_short_months(read)
    if best is SCIENTIFIC:
        _check_scientific(read)
    return best


def _count(times: Times) -> int:
    return int(np.count_nonzero(~np.isnat(times)))


def name_words(name: str) -> set[str]:
    """Return the words of a column's name in lower case.

    >>> sorted(name_words("chunk_startDate")), name_words("")
    (['chunk', 'date', 'start'], {''})
    """
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    return set(re.findall("[a-z]+", spaced.lower())) or {""}


def _has_year_first(example: str, times: Times, year_first: Times) -> bool:
    """Return whether the year of two digits is first: the dates are then closer together than with it last."""
    if _count(year_first) < _count(times):
        return False
    last, first = (np.ptp(each[~np.isnat(each)].view(np.int64)) for each in (times, year_first))
    if max(last, first) < 2 * min(last, first) or last == first:
        fact = f"holds {example[:40]}, with a year of two digits first or last"
        raise _ambiguous(fact, example, _SHORT_YEAR_FIRST, _SHORT_DAY_FIRST)
    return bool(first < last)


def _ambiguous(fact: str, text: str, *formats: DateFormat) -> AmbiguousDatesError:
    return AmbiguousDatesError(fact, formats=[found for form in formats if (found := to_strptime(form, text))])


def _has_day_first(texts: Sequence[str], times: tuple[Times, Times], orders: tuple[DateFormat, DateFormat]) -> bool:
    day_first, month_first = times
    are_days, are_months = (~np.isnat(each) for each in times)
    days, months = (np.flatnonzero(each).tolist() for each in (are_days & ~are_months, are_months & ~are_days))
    more, fewer = max(days, months, key=len), min(months, days, key=len)
    if not is_within_tolerance(len(fewer), len(more)):
        raise AmbiguousDatesError(
            f"holds {texts[days[0]]} with the day first and {texts[months[0]]} with the month first"
        )
    if more:
        if _mixes_orders(*(times if more is days else reversed(times))):
            raise AmbiguousDatesError("holds dates in order only if some have the day first and others the month")
        return more is days
    if sum("." in texts[index] for index in np.flatnonzero(are_days).tolist()) * 2 > np.count_nonzero(are_days):
        return True  # nobody writes the month first with dots
    either = np.flatnonzero(are_days & (day_first != month_first)).tolist()
    if not either:
        return True
    example = texts[either[0]]
    raise _ambiguous(f"holds {example[:40]}, which is ambiguous since no day is above 12", example, *orders)


def _mixes_orders(chosen: Times, other: Times) -> bool:
    """Return whether cells follow one another only if some are read in the other order, each near the one before."""
    known = ~np.isnat(chosen)
    first = chosen[known].view(np.int64)
    second = np.where(np.isnat(other[known]), chosen[known], other[known]).view(np.int64)
    if _is_sorted(first):
        return False
    for start in (first[0], second[0]):
        walk = [int(start)]
        for one, another in zip(first[1:].tolist(), second[1:].tolist(), strict=True):
            walk.append(one if abs(one - walk[-1]) <= abs(another - walk[-1]) else another)
        if _is_sorted(np.array(walk)):
            return True
    return False


def _is_sorted(moments: NDArray[np.int64]) -> bool:
    steps = np.diff(moments)
    return bool((steps >= 0).all() or (steps <= 0).all())


def _check_short_months(texts: Sequence[str]) -> None:
    """Raise AmbiguousDatesError if numbers behind names of months may be days: there are more of them than names."""
    numbers, names = ({re.sub(kept, "", text).lower() for text in texts} for kept in (r"\D", r"[\W\d_]"))
    if len(numbers) > len(names):
        fact = f"holds {texts[0][:40]}, a day without its year or a year of two digits"
        raise AmbiguousDatesError(fact, formats=["%b-%y" if "-" in texts[0] else "%b %y"])


def _check_scientific(texts: Sequence[str]) -> None:
    matches = [match for text in texts if (match := _SCIENTIFIC.fullmatch(text.strip()))]
    lost = min(int(match["exponent"]) - len(match["decimals"] or "") for match in matches)
    unit = dates.find_epoch_unit(Decimal(texts[0].strip()))
    if unit is not None and lost > 0 and 10**lost * unit.factor > 1_000_000 * unit.divisor:
        lost_digits = f"{unit.name} since 1970 rounded to {10**lost:,} {unit.symbol}"
        raise AmbiguousDatesError(f"holds {texts[0].strip()[:40]}, {lost_digits}", "export with all digits")
