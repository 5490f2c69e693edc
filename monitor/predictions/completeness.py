"""When a period is complete: labels come late, and until they are all there a metric of them may not be judged.

A period is complete when its label coverage has reached what is usual, or when its delay has passed. Usual is the
median coverage of the last complete periods before it. Where no delay is given, it is taken from the log itself: labels
come roughly in order, so when a newer period has reached what is usual, an older one that has not has had its time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from modeltop.core.series import Floats, Times

if TYPE_CHECKING:
    from modeltop.core.series import Flags, Floats, Times


FAR_FUTURE = np.datetime64("9999-01-01", "us")
"""The end of a period that still grows."""


def chunk_ends(times: Times, rows: Floats, size: int) -> Times:
    """Periods of `size` rows each: one ends where the next begins; the last one only once it is full.

    Args:
        times: Starts, sorted.
        rows: Of each period; earlier ones may have fewer where rows were left out.
        size: Rows of a full period.
    """
    ends = span_ends(times)
    if len(ends) and rows[-1] < size:
        ends[-1] = FAR_FUTURE
    return ends


def span_ends(times: Times) -> Times:
    """Periods named by a column: one ends where the next begins, the last one after the usual distance.

    Args:
        times: Starts, sorted.

    Returns:
        NaT where there is one period alone: nobody knows when it ends.
    """
    if len(times) < 2:
        return np.full(len(times), np.datetime64("NaT"), dtype=times.dtype)
    steps = np.diff(times)
    return np.concatenate([times[1:], times[-1:] + np.sort(steps)[len(steps) // 2]])


BASELINE_PERIODS = 30
"""Complete periods that say what is usual."""
COVERAGE_SLACK = 0.1
"""Share of what is usual that may still be missing."""
COMPLETE_COVERAGE = 0.9
"""Coverage that is complete where nothing is known of what is usual."""
DEFAULT_LABEL_TIMEOUT = np.timedelta64(90, "D")
"""Time after which labels are no longer waited for, where nothing is known of what is usual."""
MAX_LABEL_TIMEOUT = np.timedelta64(365, "D")
"""Time after which they are no longer waited for at all."""
MAX_STD_ERRORS = 2.0
"""Standard errors by which a coverage may lie lower by chance."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelCounts:
    """How the labels of one model's periods stand, oldest first; all arrays have one entry a period."""

    ends: Times
    """UTC; NaT where a period has no end of its own."""
    rows: Floats
    labelled: Floats

    @property
    def coverage(self) -> Floats:
        """Labelled rows by rows; 0 without rows."""
        return np.divide(self.labelled, self.rows, out=np.zeros(len(self.rows)), where=self.rows > 0)


def labels_complete(labels: LabelCounts, now: np.datetime64, delay: np.timedelta64 | None = None) -> Flags:
    """Which periods have all the labels that they will have, or had their time to get them.

    Args:
        labels: Of one model.
        now: UTC.
        delay: Time after the end of a period after which its labels are not waited for; None: seen from the log.
    """
    over = ~(labels.ends > now)  # a period without an end is over when the caller says so
    waited = _timed_out(labels.ends, now, DEFAULT_LABEL_TIMEOUT if delay is None else delay)
    coverage = labels.coverage
    if (coverage >= COMPLETE_COVERAGE).all():
        return over
    reached = _coverage_reached(labels)
    if delay is not None:
        return over & (reached | waited)
    # Up to the newest that has reached what is usual, each has had as much time as that one needed.
    had_time = np.logical_or.accumulate((reached & over)[::-1])[::-1]
    known = bool(reached.any())
    return over & (had_time | _timed_out(labels.ends, now, MAX_LABEL_TIMEOUT) | (waited & (not known)))


def _timed_out(ends: Times, now: np.datetime64, delay: np.timedelta64) -> Flags:
    passed: Flags = now >= ends + delay
    return passed


def _coverage_reached(labels: LabelCounts) -> Flags:
    """Whether the coverage of each period is what was usual before it."""
    coverage = labels.coverage.tolist()
    rows = np.maximum(labels.rows, 1.0).tolist()
    found: list[bool] = []
    known: list[float] = []
    for index, share in enumerate(coverage):
        least = (
            (1 - COVERAGE_SLACK) * median(known[-BASELINE_PERIODS:])
            if known
            else _first_expected_coverage(coverage, index)
        )
        error = (max(share * (1 - share), 0.0) / rows[index]) ** 0.5
        enough = share > 0 and share + MAX_STD_ERRORS * error >= least
        found.append(enough)
        if enough:  # what only waited long enough does not lower what is usual: time alone makes nothing incomplete
            known.append(share)
    return np.array(found, dtype=np.bool_)


def _first_expected_coverage(coverage: Sequence[float], index: int) -> float:
    """What the first complete period must reach: plenty, or as much as the next one, which is younger, has too.

    Where labels are still coming, a younger period has clearly fewer of them.
    """
    share = coverage[index]
    settled = index + 1 < len(coverage) and coverage[index + 1] >= (1 - COVERAGE_SLACK) * share
    return min(COMPLETE_COVERAGE, share) if settled else COMPLETE_COVERAGE
