"""Models in one line: each metric with its level before and after a change, and the noise of 1,000 rows a day."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import DATETIME_DTYPE, Alert, Breach, Condition, Series, SeriesKey, Severity, State
from modeltop.diagnosis.context import ModelContext
from modeltop.diagnosis.diagnose import diagnose

START = datetime(2025, 1, 1, tzinfo=UTC)
BEFORE, AFTER, ROWS = 60, 10, 1000.0
CATALOG = MetricRegistry()


@pytest.fixture(scope="session")
def changed_at():
    """Return the day on which everything changes."""
    return START + timedelta(days=BEFORE)


@pytest.fixture(scope="session")
def make_series():
    """Return a maker of a daily series of any values; `first` is its first day, counted from 0."""

    def make(metric, values, *, segment="all", rows=ROWS, support=None, first=0, model="m"):
        definition = CATALOG.get(metric)
        n = len(values)
        times = np.datetime64("2025-01-01", "us") + (first + np.arange(n)) * np.timedelta64(1, "D")
        counts = np.broadcast_to(np.asarray(rows, dtype=float), (n,)).copy()
        cases = counts if support is None and definition.support == "rows" else support
        return Series(
            SeriesKey(model, definition.name, segment),
            definition.better,
            times.astype(DATETIME_DTYPE),
            np.array(values, dtype=float),
            support=None if cases is None else np.broadcast_to(np.asarray(cases, dtype=float), (n,)).copy(),
            rows=counts,
            proportion=definition.proportion and cases is not None,
        )

    return make


@pytest.fixture(scope="session")
def make_step(make_series):
    """Return a maker of a series with a step, and the noise of a proportion of its rows, or `spread`."""

    def make(metric, before, after, *, spread=None, n=(BEFORE, AFTER), seed=1, **columns):
        level = np.concatenate([np.full(n[0], before), np.full(n[1], after)])
        rows = np.mean(columns.get("rows", ROWS))
        deviation = np.sqrt(np.clip(level * (1 - level), 1e-4, None) / rows) if spread is None else spread
        noise = np.random.default_rng([seed, *map(ord, metric)]).standard_normal(len(level))
        # Noise without its mean: both levels are exact.
        for window in (slice(0, n[0]), slice(n[0], None)):
            noise[window] -= noise[window].mean()
        return make_series(metric, level + deviation * noise, **columns)

    return make


@pytest.fixture(scope="session")
def make_features(make_step):
    """Return a maker of the series of features, each with the distance and the missing rate after the change."""

    def make(**levels):
        series = []
        for name, (distance, missing) in levels.items():
            segment = f"feature={name}"
            series.append(make_step("js_distance", 0.03, distance, spread=0.006, segment=segment))
            series.append(make_step("missing_rate", 0.001, missing, spread=0.0005, segment=segment))
        return series

    return make


@pytest.fixture(scope="session")
def make_model(make_step):
    """Return a maker of the series of a model over all rows, by metric: levels (before, after)."""

    def make(**levels):
        return [make_step(metric, *pair, support=ROWS) for metric, pair in levels.items()]

    return make


@pytest.fixture(scope="session")
def run_diagnosis():
    """Return a function that diagnoses a model of some series."""

    def make(series, **fields):
        return diagnose(ModelContext("m", series, CATALOG, **fields))

    return make


@pytest.fixture(scope="session")
def make_alert(changed_at):
    """Return a maker of an active alert on a series since the change."""

    def make(metric="accuracy", *, since=None, condition=Condition.THRESHOLD, segment="all", message="0.8 < 0.9"):
        start = since or changed_at
        breach = Breach(Severity.CRITICAL, 0.8, 0.9, message)
        key = SeriesKey("m", metric, segment)
        fields = {"since": start, "fired": start, "breach": breach, "periods": 3}
        return Alert("abc", "floor", key, condition, State.FIRING, Severity.CRITICAL, **fields)

    return make
