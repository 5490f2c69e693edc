"""Charts in a few characters."""

from datetime import UTC, datetime

import numpy as np
import pytest

from modeltop.core.series import Severity
from modeltop_tui.chart.data import ChartData, LimitLine, Trace

DAY = 86_400.0
JANUARY = datetime(2025, 1, 1, tzinfo=UTC).timestamp()
TEN_DAYS = [0.96, 0.96, 0.95, 0.94, 0.94, 0.92, 0.91, 0.90, 0.89, 0.87]
FLOOR = LimitLine(0.9, Severity.CRITICAL, "< 0.90")
WARNING = LimitLine(0.92, Severity.WARNING, "< 0.92")


def trace(values, *, name="accuracy", times=None, breaches=None, unevaluated=(), gaps=()):
    values = np.asarray(values, float)
    count = len(values)
    if times is None:
        times = JANUARY + DAY * np.arange(count)
    severities = np.zeros(count, np.int8)
    for index, severity in (breaches or {}).items():
        severities[index] = severity
    flags = [np.isin(np.arange(count), list(indices)) for indices in (unevaluated, gaps)]
    return Trace(name, np.asarray(times, float), values, severities, *flags)


def chart(*traces, limits=(), digits=3, cursor=None, empty="no values in this range"):
    times = [time for trace in traces for time in trace.times.tolist()] or [JANUARY]
    return ChartData(traces, tuple(limits), "title", digits, min(times), max(times), cursor, empty)


@pytest.fixture(scope="session")
def make():
    """`make.line`, `make.chart` and some of each."""

    class Make:
        day, january, floor, warning = DAY, JANUARY, FLOOR, WARNING
        ten_days = TEN_DAYS

    Make.trace, Make.chart = staticmethod(trace), staticmethod(chart)
    Make.ten = chart(trace(TEN_DAYS, breaches={8: 3, 9: 3}), limits=[FLOOR])
    Make.both = chart(trace(TEN_DAYS, breaches={6: 1, 7: 1, 8: 3, 9: 3}), limits=[FLOOR, WARNING])
    return Make
