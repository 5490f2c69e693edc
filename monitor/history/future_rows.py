"""Rows in the future take no part until they are due, unless it is the clock that must be wrong. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from modeltop.core.incident import CLOCK_TOLERANCE
from modeltop.core.series import History, ReadProblem, Series, SeriesKey, Times, to_datetime
from modeltop.core.stats.robust import median
from modeltop.core.text import format_age, format_day, pluralize, sanitize

GAPS = 60
"""Newest gaps between periods whose median is the usual gap of a model."""
_MIN_MARGIN = np.timedelta64(CLOCK_TOLERANCE)
_DAILY = (np.timedelta64(20, "h"), np.timedelta64(28, "h"))
"""Usual gaps of a daily model."""
_DAILY_MARGIN = np.timedelta64(26, "h")
"""A day, and two hours for a time zone or a clock that is changed."""
_MAX_ZONE_SHIFT = np.timedelta64(15, "h")
"""Rows that are less far ahead may be dated in another time zone (offsets from UTC reach from -12 to +14 h)."""
CONTIGUOUS_GAPS = 5
"""Rows ahead continue the others if the first follows within this many usual gaps."""
_MAX_CONTIGUOUS = np.timedelta64(300, "D")
"""A row that is a year too late continues nothing, even if the usual gap is a quarter."""


@dataclass(frozen=True, slots=True, eq=False)
class BoundedHistory:
    """A history without the rows in the future."""

    history: History
    """The same object if no row is left out."""
    clock_doubt: str | None = None
    """Why the clock must be wrong rather than the rows, in one clause; then no row is left out. None: it is right."""
    next_due: np.datetime64 | None = None
    """When the next row takes part that is left out; None without one."""


class FutureRowFilter:
    """A filter of histories; from the same rows it returns the same objects, so that nothing is evaluated again."""

    def __init__(self) -> None:
        self._series: dict[SeriesKey, tuple[Series, Series]] = {}
        self._last: tuple[History, dict[str, int], tuple[ReadProblem, ...], History] | None = None

    def apply(self, history: History, clock: np.datetime64, as_of: np.datetime64 | None = None) -> BoundedHistory:
        """Return a history without the rows later than the clock and one usual gap of their model, which are reported.

        Args:
            history: All rows.
            clock: The present, UTC.
            as_of: The moment that replaces the present: later rows are left out too, and the clock is not doubted.
        """
        now = clock if as_of is None else max(clock, as_of)
        margins = {model: margin_of(times, now) for model, times in history.periods.items() if times[-1] > now}
        ahead = {
            model: end
            for model, margin in margins.items()
            if (end := _end(history.periods[model], now + margin)) < len(history.periods[model])
        }
        contiguous = [model for model, end in ahead.items() if is_contiguous(history.periods[model], end)]
        is_clock = 2 * len(contiguous) > len(history.periods)
        problems = () if is_clock else tuple(_problem(history, model, end) for model, end in ahead.items())
        if as_of is not None:
            ends = {model: _end(times, as_of) for model, times in history.periods.items()}
            ahead = {model: end for model, end in ends.items() if end < len(history.periods[model])}
            if ends and not any(ends.values()):
                problems += (_before_all(history, as_of),)
            return BoundedHistory(self._cut(history, ahead, problems) if ahead else history)
        if is_clock:
            lead = max(history.periods[model][-1] for model in contiguous) - now
            return BoundedHistory(history, clock_doubt=_clock_doubt(lead))
        if not ahead:
            return BoundedHistory(history)
        due = min(history.periods[model][end] - margins[model] for model, end in ahead.items())
        return BoundedHistory(self._cut(history, ahead, problems), next_due=due)

    def _cut(self, history: History, ends: dict[str, int], problems: tuple[ReadProblem, ...]) -> History:
        """Return the history with so many periods of some models, and its problems."""
        if self._last is not None and self._last[0] is history and self._last[1:3] == (ends, problems):
            return self._last[3]
        periods = {model: times[: ends.get(model, len(times))] for model, times in history.periods.items()}
        before, self._series = self._series, {}
        series = dict(history.series)
        for key, whole in history.series.items():
            if key.model in ends:
                series[key] = self._cut_series(whole, periods[key.model], before.get(key))
                self._series[key] = whole, series[key]
        bounded = replace(
            history,
            series={key: each for key, each in series.items() if len(each)},
            periods={model: times for model, times in periods.items() if len(times)},
            problems=(*history.problems, *problems),
            refused={key: _up_to(times, periods.get(key.model, times)) for key, times in history.refused.items()},
        )
        self._last = history, ends, problems, bounded
        return bounded

    def _cut_series(self, whole: Series, periods: Times, before: tuple[Series, Series] | None) -> Series:
        end = len(_up_to(whole.times, periods))
        return before[1] if before is not None and before[0] is whole and len(before[1]) == end else whole[:end]


def margin_of(times: Times, now: np.datetime64) -> np.timedelta64:
    """Return how far ahead of `now` a row of a model may be dated: one usual gap, at least 26 h if it is daily.

    Less than the tolerance of clocks it never is: those of two machines differ.
    """
    past = times[: _end(times, now)]  # rows in the future must not widen it
    gaps = np.diff((past if len(past) > 1 else times)[-GAPS - 1 :]).astype(np.int64)
    usual = np.timedelta64(int(median(gaps)), "us") if len(gaps) else np.timedelta64(1, "D")
    return max(usual, _DAILY_MARGIN if _DAILY[0] <= usual <= _DAILY[1] else _MIN_MARGIN)


def _end(times: Times, limit: np.datetime64) -> int:
    return int(np.searchsorted(times, limit, "right"))


def _up_to(times: Times, periods: Times) -> Times:
    """Return the times up to the last of some periods."""
    return times[: _end(times, periods[-1])] if len(periods) else times[:0]


def is_contiguous(times: Times, end: int) -> bool:
    """Return whether the rows from `end` on continue those before: a wrong clock makes such rows, a typo never does."""
    if not end:
        return len(times) > 1
    usual = margin_of(times[:end], times[end - 1])
    return bool(times[end] - times[end - 1] <= max(usual, min(CONTIGUOUS_GAPS * usual, _MAX_CONTIGUOUS)))


def _clock_doubt(lead: np.timedelta64) -> str:
    span = format_age(timedelta(microseconds=int(lead.astype("timedelta64[us]").astype(np.int64))))
    remedy = "the clock, or `timezone` of the configuration" if lead < _MAX_ZONE_SHIFT else "the clock"
    return f"most models have rows up to {span} in the future: check {remedy}"


def _before_all(history: History, as_of: np.datetime64) -> ReadProblem:
    first = format_day(to_datetime(min(times[0] for times in history.periods.values())))
    moment = format_day(to_datetime(as_of))
    message = f"{moment} is before all periods, the first of which is {first}: give a later date"
    return ReadProblem("--now", message, fatal=True)


def _problem(history: History, model: str, end: int) -> ReadProblem:
    times = history.periods[model]
    count, first = len(times) - end, format_day(to_datetime(times[end]))
    files = [file.source for file in history.files if model in file.models]
    place = f" of {sanitize(files[0])}" if len(files) == 1 else ""
    if not end:
        subject = f"its only row{place} is" if count == 1 else f"all of its {pluralize(count, 'period')}{place} are"
        remedy = "correct the date, its time zone or the clock"
        return ReadProblem(model, f"{subject} in the future, from {first} on: {remedy}", fatal=True)
    text = f"{pluralize(count, 'period')}{place} {'is' if count == 1 else 'are'} in the future, from {first} on"
    return ReadProblem(model, f"{text}: not evaluated; correct the date or its time zone")
