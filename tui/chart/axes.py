"""The ticks of both axes and their labels. All times are UTC."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from modeltop.core.text import format_period

Tick = tuple[float, str]

_MINUTE, _HOUR, DAY_SECONDS = 60, 3600, 86400
_MAX_NUMBER_WIDTH = 8
_LABEL_GAP = 2


def value_ticks(low: float, high: float, max_ticks: int) -> list[Tick]:
    """Return round values within [low, high], ascending; the step is 1, 2 or 5 times a power of ten.

    Args:
        low: Lower end of the axis.
        high: Upper end of the axis.
        max_ticks: Maximum number of ticks.

    >>> [label for _, label in value_ticks(0.86, 0.97, 6)]
    ['0.86', '0.88', '0.90', '0.92', '0.94', '0.96']
    >>> [label for _, label in value_ticks(-3.0, 12.0, 4)]
    ['0', '5', '10']
    """
    if not (low < high and max_ticks > 0):
        return []
    step = _step(low, high, max_ticks)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    values = [index * step for index in range(first, last + 1)][:max_ticks]
    return list(zip(values, labels(values, step), strict=True))


def _step(low: float, high: float, max_ticks: int) -> float:
    power = math.floor(math.log10((high - low) / max_ticks))
    for exponent in (power, power + 1, power + 2):
        for factor in (1.0, 2.0, 5.0):
            # Dividing by a power of ten keeps 0.2 the float nearest to it; multiplying by 0.1 does not.
            step: float = factor / 10.0**-exponent if exponent < 0 else factor * 10.0**exponent
            if math.floor(high / step + 1e-9) - math.ceil(low / step - 1e-9) + 1 <= max_ticks:
                return step
    raise AssertionError("three powers of ten hold every step")


def labels(values: list[float], step: float) -> list[str]:
    """Format values with the decimals that `step` needs; all with exponents if plain digits would be too long.

    >>> labels([0.0, 0.5, 1.0], 0.5), labels([1e9, 2e9], 1e9), labels([2e-7, 4e-7], 2e-7)
    (['0.0', '0.5', '1.0'], ['1e+09', '2e+09'], ['2e-07', '4e-07'])
    """
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    plain = [f"{value + 0.0:.{decimals}f}" for value in values]
    if max(map(len, plain), default=0) <= _MAX_NUMBER_WIDTH:
        return plain
    largest = max(abs(value) for value in values)
    digits = max(0, math.floor(math.log10(largest)) - math.floor(math.log10(step) + 1e-9)) if largest else 0
    return [f"{value + 0.0:.{digits}e}" for value in values]


def date_ticks(start: float, end: float, width: int, *, is_daily: bool = False) -> list[Tick]:
    """Return calendar dates or times within [start, end], as densely as their labels fit.

    A tick at the start of a larger unit is labeled by that unit: the year for months, the date for hours.

    Args:
        start: Left end of the axis, in seconds since 1970, UTC.
        end: Right end of the axis.
        width: Width of the axis in cells.
        is_daily: Whether there is nothing to see between two days.

    >>> day = 86400.0
    >>> [label for _, label in date_ticks(20089 * day, 20098 * day, 40)]
    ['1 Jan', '3 Jan', '5 Jan', '7 Jan', '9 Jan']
    >>> [label for _, label in date_ticks(16436 * day, 18993 * day, 40)]
    ['2016', '2018', '2020', '2022']
    """
    for generate, label_of in _CALENDAR[_FIRST_OF_DAYS:] if is_daily else _CALENDAR:
        ticks: list[Tick] = []
        room = width + _LABEL_GAP
        for moment in generate(start, end):
            label = label_of(moment)
            room -= len(label) + _LABEL_GAP
            if room < 0:
                break
            ticks.append((moment.timestamp(), label))
        else:
            if ticks:
                return ticks
    return single_date_tick(start, width)


def with_last_day(ticks: list[Tick], last: float, span: tuple[float, float], width: int) -> list[Tick]:
    """Return the ticks of days with one of the last day, in place of those that leave no room for its label.

    Args:
        ticks: Ticks of days, which are extended; or of months or years, which stay as they are.
        last: The start of the last day, in seconds since 1970, UTC.
        span: Both ends of the axis.
        width: Width of the axis in cells.

    >>> day = 86400.0
    >>> span = (20089 * day, 20098 * day)
    >>> [label for _, label in with_last_day(date_ticks(*span, 26), span[1], span, 26)]
    ['1 Jan', '6 Jan', '10 Jan']
    """
    label = _month_day(_to_datetime(last))
    if not ticks or any(text != _month_day(_to_datetime(time)) for time, text in ticks):
        return ticks
    cells = width / (span[1] - span[0])
    left = min((last - span[0]) * cells - len(label) / 2, width - len(label))
    kept = [(time, text) for time, text in ticks if (time - span[0]) * cells + len(text) / 2 + _LABEL_GAP <= left]
    return [*kept, (last, label)]


def single_date_tick(time: float, width: int) -> list[Tick]:
    """Return one tick with its date; none if that does not fit."""
    label = format_period(_to_datetime(time))
    return [(time, label)] if len(label) <= width else []


def axis_context(start: float, end: float) -> str:
    """Return the part that `date_ticks` leaves out, for the corner of the axis: the year, or the date of hours."""
    first, span = _to_datetime(start), end - start
    if span < 2 * DAY_SECONDS:
        return _month_day(first)
    return "" if span > 2 * 366 * DAY_SECONDS else f"{first.year}"


def _to_datetime(seconds: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def _month_day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b}"


def _time_or_day(moment: datetime) -> str:
    return _month_day(moment) if (moment.hour, moment.minute) == (0, 0) else f"{moment:%H:%M}"


TickGenerator = Callable[[float, float], Iterator[datetime]]


def _seconds_apart(step: int) -> TickGenerator:
    def generate(start: float, end: float) -> Iterator[datetime]:
        at = math.ceil(start / step) * step
        while at <= end:
            yield _to_datetime(at)
            at += step

    return generate


def _days_of_month(step: int) -> TickGenerator:
    """Generate every `step`-th day, counted from the first of each month, so that the first always has its tick."""

    def generate(start: float, end: float) -> Iterator[datetime]:
        at = _to_datetime(math.ceil(start / DAY_SECONDS) * DAY_SECONDS)
        while at.timestamp() <= end:
            # The last tick of a month keeps its distance from the first of the next.
            if (at.day - 1) % step == 0 and (at.day == 1 or at.day + step <= 32):
                yield at
            at += timedelta(days=1)

    return generate


def _months_apart(step: int) -> TickGenerator:
    def generate(start: float, end: float) -> Iterator[datetime]:
        first = _to_datetime(start)
        month = first.year * 12 + first.month - 1
        month -= month % step
        while month < 12 * 9999:
            at = datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)
            if at.timestamp() > end:
                return
            if at.timestamp() >= start:
                yield at
            month += step

    return generate


_CALENDAR: list[tuple[TickGenerator, Callable[[datetime], str]]] = [
    *((_seconds_apart(_MINUTE * n), _time_or_day) for n in (1, 2, 5, 10, 15, 30)),
    *((_seconds_apart(_HOUR * n), _time_or_day) for n in (1, 2, 3, 6, 12)),
    *((_days_of_month(n), _month_day) for n in (1, 2, 5, 10, 15)),
    *((_months_apart(n), lambda date: f"{date:%b}" if date.month > 1 else f"{date.year}") for n in (1, 2, 3, 6)),
    *((_months_apart(12 * n), lambda moment: str(moment.year)) for n in (1, 2, 5, 10, 20, 50, 100)),
]
"""Generators of ticks from the densest to the sparsest, each with the function that labels them."""
_FIRST_OF_DAYS = 11
"""Number of the first of these that generates days."""
