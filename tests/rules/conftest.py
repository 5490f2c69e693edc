"""Fixtures of the tests of rules: series, rules and alerts in a few characters."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import (
    DATETIME_DTYPE,
    Alert,
    Breach,
    Condition,
    Direction,
    History,
    Series,
    SeriesKey,
    Severity,
    State,
)
from modeltop.rules.detectors.limit import Limit
from modeltop.rules.detectors.threshold import Threshold
from modeltop.rules.rule import Rule

START = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def day():
    """The n-th day of the series, counted from 1."""
    return lambda number: START + timedelta(days=number - 1)


@pytest.fixture(scope="session")
def daily():
    """A series of one value a day; `days` are their days, by default 1, 2, 3 and so on."""

    def make(values, *, days=None, model="fraud", metric="accuracy", segment="all", **columns):
        offsets = np.arange(len(values)) if days is None else np.asarray(days) - 1
        times = np.datetime64("2025-01-01", "us") + offsets * np.timedelta64(1, "D")
        key = SeriesKey(model, metric, segment)
        columns = {name: cells if isinstance(cells, bool) else np.asarray(cells) for name, cells in columns.items()}
        return Series(key, Direction.HIGHER, times.astype(DATETIME_DTYPE), np.array(values, dtype=float), **columns)

    return make


@pytest.fixture(scope="session")
def catalog():
    return MetricRegistry()


@pytest.fixture(scope="session")
def series_of(catalog):
    """A series of one value a day; `support`, `low`, ... are columns, `dates` the days if not in a row."""

    def make(values, *, metric="accuracy", dates=None, start="2025-01-01", **columns):
        kind = catalog.get(metric)
        times = np.datetime64(start, "us") + np.arange(len(values)) * np.timedelta64(1, "D")
        if dates:
            times = np.array(dates, DATETIME_DTYPE)
        arrays = {name: np.array(column, bool if name == "provisional" else float) for name, column in columns.items()}
        key = SeriesKey("m", kind.name)
        return Series(key, kind.better, times.astype(DATETIME_DTYPE), np.array(values, dtype=float), **arrays)

    return make


@pytest.fixture(scope="session")
def floor():
    """A rule with floors; one number confirms both levels."""

    def make(critical=0.90, warn=None, *, margin=0.0, confirm=1, **options):
        limits = [None if side is None else Limit(below=side) for side in (warn, critical)]
        both = (confirm, confirm) if isinstance(confirm, int) else confirm
        return Rule("floor", Threshold(*limits, margin), "accuracy", confirm=both, **options)

    return make


@pytest.fixture(scope="session")
def make_alert():
    """An alert by its fields, by default a critical one that fires."""

    def make(model="m", metric="accuracy", *, severity=Severity.CRITICAL, value=0.8, limit=0.9, fired=1, **other):
        since = START + timedelta(days=fired - 1)
        state = other.pop("state", State.FIRING)
        breach = Breach(severity, value, limit, f"{value} < {limit}")
        alert_id = None if state is State.PENDING else f"{model}/{metric}/{fired}"
        times = {"since": since, "fired": None if state is State.PENDING else since}
        if state is State.RESOLVED:
            times["resolved"] = since + timedelta(days=1)
        key = SeriesKey(model, metric, other.pop("segment", "all"))
        condition = other.pop("condition", Condition.THRESHOLD)
        return Alert(
            alert_id,
            other.pop("rule", "floor"),
            key,
            condition,
            state,
            severity,
            **{"breach": breach, "periods": 1} | times | other,
        )

    return make


@pytest.fixture(scope="session")
def history_of():
    """A history of the given series."""

    def make(*all_series, problems=()):
        periods = {}
        for series in all_series:
            periods_so_far = periods.get(series.key.model, series.times[:0])
            periods[series.key.model] = np.union1d(periods_so_far, series.times)
        return History({series.key: series for series in all_series}, periods, tuple(problems))

    return make


@pytest.fixture(scope="session")
def ranked_world(daily, make_alert, history_of):
    """Twelve alerts that differ in all that counts for the order, with their history."""
    alerts = [
        make_alert(model, metric, severity=severity, fired=fired, value=0.9 - 0.01 * fired, state=state)
        for model, metric in (("a", "accuracy"), ("b", "accuracy"), ("b", "recall"))
        for fired, severity, state in (
            (1, Severity.WARNING, State.FIRING),
            (1, Severity.CRITICAL, State.RESOLVED),
            (2, Severity.CRITICAL, State.RECOVERING),
            (2, Severity.CRITICAL, State.PENDING),
        )
    ]
    series = [daily([0.9], model=model, metric=metric) for model, metric in (("b", "accuracy"), ("a", "accuracy"))]
    return history_of(*series), alerts, (), MetricRegistry()
