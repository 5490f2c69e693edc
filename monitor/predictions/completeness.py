"""When a period is complete: it has ended, and has the labels that it will have.

Labels arrive late, and until they are all there no metric that rests on them is evaluated. A period is complete when
its label coverage has reached the baseline, or when its delay has passed. The baseline is the median coverage of the
last complete periods before it. If no delay is given, it is derived from the log itself: labels arrive roughly in
order, so when a newer period has reached the baseline, an older one that has not has had its time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from modeltop.core.metrics.registry import LABEL_COVERAGE
from modeltop.core.series import Flags, Floats, Times
from modeltop.history.store.computed_format import ComputedHistory

PeriodEnds = Callable[[Times, Floats], Times]
"""A function from the starts of periods, sorted, and their rows to their ends; NaT if one has none."""
ALL = "all"
"""The segment of all rows."""
FAR_FUTURE = np.datetime64("9999-01-01", "us")
"""End of a period that still grows."""
BASELINE_PERIODS = 30
"""Complete periods whose median coverage is the baseline."""
COVERAGE_SLACK = 0.1
"""Proportion of the baseline that may still be missing."""
COMPLETE_COVERAGE = 0.9
"""Coverage that is complete if there is no baseline."""
DEFAULT_LABEL_TIMEOUT = np.timedelta64(90, "D")
"""Maximum wait for labels if there is no baseline."""
MAX_LABEL_TIMEOUT = np.timedelta64(365, "D")
"""Time after which labels are no longer waited for at all."""
MAX_STD_ERRORS = 2.0
"""Standard errors by which a coverage may lie below the baseline by chance."""


def chunk_ends(times: Times, rows: Floats, size: int) -> Times:
    """Return the ends of periods of `size` rows: the start of the next; for the last one only once it is full.

    Args:
        times: Starts, sorted.
        rows: Rows of each period; earlier ones may have fewer if rows were left out.
        size: Rows of a full period.
    """
    ends = span_ends(times)
    if len(ends) and rows[-1] < size:
        ends[-1] = FAR_FUTURE
    return ends


def span_ends(times: Times) -> Times:
    """Return the ends of periods named by a column: the start of the next; for the last one by the median distance.

    Args:
        times: Starts, sorted.

    Returns:
        NaT if there is only one period: its end is unknown.
    """
    if len(times) < 2:
        return np.full(len(times), np.datetime64("NaT", "us"), dtype=times.dtype)
    steps = np.diff(times)
    return np.concatenate([times[1:], times[-1:] + np.sort(steps)[len(steps) // 2]])


@dataclass(frozen=True, slots=True, eq=False)
class PeriodFlags:
    """Which periods of one model have ended and are complete; all arrays have one entry a period."""

    times: Times
    """Starts, sorted."""
    ended: Flags
    complete: Flags

    def apply(self, history: ComputedHistory) -> ComputedHistory:
        """Return the history with its flags set; a period that is not among these is complete."""
        index = np.searchsorted(self.times, history.times)
        is_among = index < len(self.times)
        index = np.where(is_among, index, 0)
        is_among &= self.times[index] == history.times if len(self.times) else False
        return replace(history, provisional=is_among & ~self.ended[index], incomplete=is_among & ~self.complete[index])


def period_flags(
    history: ComputedHistory,
    ends: PeriodEnds,
    *,
    now: np.datetime64,
    delay: np.timedelta64 | None = None,
) -> PeriodFlags:
    """Return which of a model's periods have ended and have their labels.

    Args:
        history: The computed periods, with those stored before; the rows of its segment `all` count.
        ends: The ends of its periods.
        now: UTC.
        delay: Maximum wait for labels after the end of a period; None: derived from the coverage.
    """
    times, rows, labelled = overall(history)
    end_times = ends(times, rows)
    ended = ~(end_times > now)
    if LABEL_COVERAGE not in history.columns:
        return PeriodFlags(times, ended, ended)
    return PeriodFlags(times, ended, labels_complete(end_times, rows, labelled, now=now, delay=delay))


def overall(history: ComputedHistory) -> tuple[Times, Floats, Floats]:
    """Return the times, rows and labeled rows of the segment `all`, sorted."""
    index = np.flatnonzero(history.segments == ALL)
    index = index[np.argsort(history.times[index], kind="stable")]
    coverage = history.columns.get(LABEL_COVERAGE, np.zeros(len(history)))[index]
    rows = history.rows[index]
    return history.times[index], rows, np.nan_to_num(coverage * rows)


def labels_complete(
    ends: Times, rows: Floats, labelled: Floats, *, now: np.datetime64, delay: np.timedelta64 | None = None
) -> Flags:
    """Return which periods have all the labels that they will have, or had their time to get them.

    Args:
        ends: Ends of the periods of one model, oldest first, UTC; NaT if a period has none.
        rows: Rows of each period.
        labelled: Rows with a label.
        now: UTC.
        delay: Maximum wait for labels after the end of a period; None: derived from the log.
    """
    coverage = np.divide(labelled, rows, out=np.zeros(len(rows)), where=rows > 0)
    ended = ~(ends > now)  # a period without an end has ended
    waited = now >= ends + (DEFAULT_LABEL_TIMEOUT if delay is None else delay)
    if (coverage >= COMPLETE_COVERAGE).all():
        return ended
    reached = _coverage_reached(coverage.tolist(), rows)
    if delay is not None:
        return ended & (reached | waited)
    # Up to the newest that has reached the baseline, each has had as much time as that one needed.
    had_time = np.logical_or.accumulate((reached & ended)[::-1])[::-1]
    timed_out = now >= ends + MAX_LABEL_TIMEOUT
    return ended & (had_time | timed_out | (waited & (not reached.any())))


def _coverage_reached(coverages: Sequence[float], rows: Floats) -> Flags:
    """Return whether the coverage of each period has reached the baseline before it."""
    reached: list[bool] = []
    baseline: list[float] = []
    for index, coverage in enumerate(coverages):
        if baseline:
            expected = (1 - COVERAGE_SLACK) * median(baseline[-BASELINE_PERIODS:])
        else:
            expected = _first_expected_coverage(coverages, index)
        error = (max(coverage * (1 - coverage), 0.0) / max(float(rows[index]), 1.0)) ** 0.5
        is_reached = coverage > 0 and coverage + MAX_STD_ERRORS * error >= expected
        reached.append(is_reached)
        if is_reached:  # periods complete only by timeout do not lower the baseline
            baseline.append(coverage)
    return np.array(reached, dtype=np.bool_)


def _first_expected_coverage(coverages: Sequence[float], index: int) -> float:
    """Return the coverage needed by the first complete period: `COMPLETE_COVERAGE`, or as much as the next one has too.

    While labels are still arriving, the younger period has clearly fewer of them.
    """
    coverage = coverages[index]
    is_settled = index + 1 < len(coverages) and coverages[index + 1] >= (1 - COVERAGE_SLACK) * coverage
    return min(COMPLETE_COVERAGE, coverage) if is_settled else COMPLETE_COVERAGE
