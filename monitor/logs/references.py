"""What `--reference` names: rows by a value of a column, or by time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from monitor.errors import SourceError
from monitor.logs.columns import is_date, to_moment
from monitor.text import safe


@dataclass(frozen=True, slots=True)
class Value:
    """Rows whose column holds the value."""

    column: str
    value: str


@dataclass(frozen=True, slots=True)
class Range:
    """Rows from `start` up to, not including, `end`; naive, UTC. None: open."""

    start: datetime | None
    end: datetime | None


def parse(written: str | None) -> Value | Range | None:
    """`COLUMN=VALUE`, or `START..END`; an end that is a date counts to its last moment.

    >>> parse("period=reference")
    Value(column='period', value='reference')
    >>> parse("2025-01-01..2025-01-31").end
    datetime.datetime(2025, 2, 1, 0, 0)
    """
    if written is None:
        return None
    first, dots, last = written.partition("..")
    if dots and "=" not in first:
        found = Range(_moment(first, written), _end(last, written))
        if found.start is not None and found.end is not None and found.start >= found.end:
            raise SourceError(f"--reference {safe(written, 60)} ends before it starts: write START..END")
        return found
    column, sign, value = written.partition("=")
    if not sign or not column:
        raise SourceError(f"--reference {safe(written, 60)}: write COLUMN=VALUE or START..END")
    return Value(column, value)


def _moment(text: str, whole: str) -> datetime | None:
    if not text.strip():
        return None
    found = to_moment(text.strip())
    if found is None:
        raise SourceError(f"--reference {safe(whole, 60)}: {safe(text, 40)} is no ISO date")
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found


def _end(text: str, whole: str) -> datetime | None:
    found = _moment(text, whole)
    return found + timedelta(days=1) if found is not None and is_date(text.strip()) else found
