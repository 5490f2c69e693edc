"""Rows of the future: they take no part until their time has come, unless it is the clock that is wrong. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.series import History, ReadProblem, Series, SeriesKey, to_datetime
from modeltop.core.stats.robust import median
from modeltop.core.text import format_age, pluralize

if TYPE_CHECKING:
    from modeltop.core.series import Times

GAPS = 60
"""Newest gaps from which the usual gap between two periods of a model is computed."""
_DAILY = (np.timedelta64(20, "h"), np.timedelta64(28, "h"))
"""Gaps that are those of a daily model."""
_DAILY_MARGIN = np.timedelta64(26, "h")
"""Margin of a daily model: a day, and two hours for a zone or a clock that is changed."""
_ZONE_SHIFT = np.timedelta64(15, "h")
"""Rows that are ahead by less may be dated in another zone: no two zones differ by more than about this."""
CONTIGUOUS_GAPS = 5
"""Rows ahead follow the others without a break where the first comes within so many usual gaps."""


@dataclass(frozen=True, slots=True, eq=False)
class BoundedHistory:
    """A history without the rows of the future."""

    history: History
    """The same object where no row is of the future."""
    clock_doubt: str | None = None
    """Why the clock must be wrong rather than the rows, in one clause; then all rows take part. None: it is right."""
    next_due: np.datetime64 | None = None
    """When the next row of the future takes part; None without one."""


class FutureRowFilter:
    """A filter of histories; what is cut at the same row as before is the same object as before."""

    def __init__(self) -> None:
        self._series: dict[SeriesKey, tuple[Series, int, Series]] = {}
        self._periods: dict[str, tuple[Times, int, Times]] = {}

    def apply(self, history: History, now: np.datetime64, *, is_exact: bool = False) -> BoundedHistory:
        """Return a history without rows later than `now` and one usual gap of their model.

        Args:
            history: All rows.
            now: The present, UTC.
            is_exact: Whether a person gave `now`: no row after it takes part, none is reported, no clock is doubted.
        """
        margins = {
            model: np.timedelta64(0, "us") if is_exact else margin_of(times, now)
            for model, times in history.periods.items()
        }
        ahead = {
            model: end
            for model, times in history.periods.items()
            if (end := _end(times, now + margins[model])) < len(times)
        }
        if not ahead:
            return BoundedHistory(history)
        contiguous = [
            model for model, end in ahead.items() if _is_contiguous(history.periods[model], end, margins[model])
        ]
        if not is_exact and 2 * len(contiguous) > len(history.periods):
            return BoundedHistory(history, clock_doubt=_doubt([history.periods[one][-1] for one in contiguous], now))
        problems = () if is_exact else tuple(_problem(one, history.periods[one], end) for one, end in ahead.items())
        return BoundedHistory(
            self._cut(history, {model: now + margins[model] for model in ahead}, problems),
            next_due=min(history.periods[model][end] - margins[model] for model, end in ahead.items()),
        )

    def _cut(self, history: History, limits: Mapping[str, np.datetime64], problems: tuple[ReadProblem, ...]) -> History:
        series, periods = dict(history.series), dict(history.periods)
        for key, one in history.series.items():
            if key.model in limits:
                end = _end(one.times, limits[key.model])
                cached = self._series.get(key)
                if cached is None or cached[0] is not one or cached[1] != end:
                    cached = self._series[key] = (one, end, one[:end])
                series[key] = cached[2]
        for model, limit in limits.items():
            times = history.periods[model]
            end, known = _end(times, limit), self._periods.get(model)
            if known is None or known[0] is not times or known[1] != end:
                known = self._periods[model] = (times, end, times[:end])
            periods[model] = known[2]
        return replace(
            history,
            series={key: one for key, one in series.items() if len(one)},
            periods={model: times for model, times in periods.items() if len(times)},
            problems=(*history.problems, *problems),
            refused={
                key: times[: _end(times, limits[key.model])] if key.model in limits else times
                for key, times in history.refused.items()
            },
        )


def margin_of(times: Times, now: np.datetime64) -> np.timedelta64:
    """Return how far ahead of `now` a row of a model may be dated: one usual gap, at least 26 h where it is daily."""
    known = times[: _end(times, now)]  # rows of the future must not stretch it
    gaps = np.diff((known if len(known) > 1 else times)[-GAPS - 1 :]).astype(np.int64)
    usual = np.timedelta64(int(median(gaps)), "us") if len(gaps) else np.timedelta64(1, "D")
    return max(usual, _DAILY_MARGIN) if _DAILY[0] <= usual <= _DAILY[1] else usual


def _end(times: Times, limit: np.datetime64) -> int:
    return int(np.searchsorted(times, limit, "right"))


def _is_contiguous(times: Times, end: int, margin: np.timedelta64) -> bool:
    """Return whether the rows ahead go on from those before, as all do where a clock is wrong, and no typo does."""
    if not end:
        return len(times) > 1
    return bool(times[end] - times[end - 1] <= CONTIGUOUS_GAPS * margin)


def _doubt(newest: Sequence[np.datetime64], now: np.datetime64) -> str:
    lead = max(newest) - now
    cause = "the clock, or the time zone of the dates" if lead < _ZONE_SHIFT else "the clock"
    span = format_age(timedelta(microseconds=int(lead.astype("timedelta64[us]").astype(np.int64))))
    return f"the newest rows of most models are up to {span} in the future: check {cause}"


def _problem(model: str, times: Times, end: int) -> ReadProblem:
    count, first = len(times) - end, f"{to_datetime(times[end]):%Y-%m-%d %H:%M}"
    if not end:
        subject = "its only row is" if count == 1 else f"all of its {count} rows are"
        message = f"{subject} in the future, from {first} on: check its date, its time zone and the clock"
        return ReadProblem(model, message, fatal=True)
    message = (
        f"{pluralize(count, 'period')} from {first} on {'is' if count == 1 else 'are'} in the future: not evaluated"
    )
    return ReadProblem(model, f"{message} yet; check the date and its time zone")
