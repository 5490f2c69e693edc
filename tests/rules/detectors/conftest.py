"""Series for detectors that compare."""

from typing import NamedTuple

import numpy as np
import pytest

from modeltop.core.series import DATETIME_DTYPE, Direction, Series, SeriesKey, Severity
from modeltop.rules.detectors.base import QueryContext


class MetricChange(NamedTuple):
    """A metric moves up (1) or down (-1) under a rule that counts both directions (`outside`) or the bad one."""

    better: Direction
    sign: int
    outside: bool
    breaches: bool


@pytest.fixture(
    scope="session",
    params=[
        pytest.param(MetricChange(Direction.HIGHER, -1, outside=False, breaches=True), id="accuracy falls"),
        pytest.param(MetricChange(Direction.HIGHER, 1, outside=False, breaches=False), id="accuracy rises"),
        pytest.param(MetricChange(Direction.LOWER, 1, outside=False, breaches=True), id="loss rises"),
        pytest.param(MetricChange(Direction.LOWER, -1, outside=False, breaches=False), id="loss falls"),
        pytest.param(MetricChange(Direction.NEITHER, -1, outside=False, breaches=False), id="neither is better, falls"),
        pytest.param(MetricChange(Direction.NEITHER, 1, outside=False, breaches=False), id="neither is better, rises"),
        pytest.param(MetricChange(Direction.NEITHER, -1, outside=True, breaches=True), id="outside, falls"),
        pytest.param(MetricChange(Direction.NEITHER, 1, outside=True, breaches=True), id="outside, rises"),
        pytest.param(MetricChange(Direction.HIGHER, 1, outside=True, breaches=True), id="outside, even for the better"),
    ],
)
def change(request):
    """Return a change, and whether it breaches."""
    return request.param


@pytest.fixture(scope="session")
def daily():
    """A series of one value a day from 2025-01-01, a Wednesday."""

    def make(values, *, better=Direction.HIGHER, model="fraud", metric="accuracy", days=None, **columns):
        offsets = np.arange(len(values)) if days is None else np.asarray(days)
        times = (np.datetime64("2025-01-01", "us") + offsets * np.timedelta64(1, "D")).astype(DATETIME_DTYPE)
        arrays = {
            name: np.asarray(column) if not isinstance(column, bool) else column for name, column in columns.items()
        }
        return Series(SeriesKey(model, metric), better, times, np.array(values, dtype=float), **arrays)

    return make


@pytest.fixture(scope="session")
def levels():
    """The levels that a detector gives the points of a series, with no level active."""

    def levels_of(detector, series, context=None):
        (scan,) = detector.prepare([series], context or QueryContext())
        return [0] * len(series) if scan is None else scan.levels.tolist()

    return levels_of


@pytest.fixture(scope="session")
def last_breach():
    """The breach of the last point of a series while a level is active; None where it is fine."""

    def find(detector, past, scan, current_level):
        level = Severity(int(scan.levels_while(current_level)[-1]))
        return detector.breach(past, scan, level) if level else None

    return find


@pytest.fixture(scope="session")
def steady():
    """Values around 0.95 that scatter by 0.01, the same on every run."""
    return lambda number, seed=1: 0.95 + 0.01 * np.random.default_rng(seed).standard_normal(number)
