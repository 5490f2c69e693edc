"""Models in one line: each metric with its level before and after a change, and the chance of 1,000 rows a day."""

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
def changed():
    """The day on which everything changes."""
    return START + timedelta(days=BEFORE)


@pytest.fixture(scope="session")
def line():
    """A daily series of any values; `first` is its first day, counted from 0."""

    def make(metric, values, *, segment="all", rows=ROWS, support=None, first=0, model="m"):
        known = CATALOG.get(metric)
        n = len(values)
        times = np.datetime64("2025-01-01", "us") + (first + np.arange(n)) * np.timedelta64(1, "D")
        counts = np.broadcast_to(np.asarray(rows, dtype=float), (n,)).copy()
        cases = counts if support is None and known.support == "rows" else support
        return Series(
            SeriesKey(model, known.name, segment),
            known.better,
            times.astype(DATETIME_DTYPE),
            np.array(values, dtype=float),
            support=None if cases is None else np.broadcast_to(np.asarray(cases, dtype=float), (n,)).copy(),
            rows=counts,
            proportion=known.proportion and cases is not None,
        )

    return make


@pytest.fixture(scope="session")
def stepped(line):
    """A series that goes from one level to another, with the chance of a share of its rows, or `spread`."""

    def make(metric, before, after, *, spread=None, n=(BEFORE, AFTER), seed=1, **columns):
        level = np.concatenate([np.full(n[0], before), np.full(n[1], after)])
        rows = np.mean(columns.get("rows", ROWS))
        chance = np.sqrt(np.clip(level * (1 - level), 1e-4, None) / rows) if spread is None else spread
        noise = np.random.default_rng([seed, *map(ord, metric)]).standard_normal(len(level))
        # Chance without its mean: both levels are exact.
        for part in (slice(0, n[0]), slice(n[0], None)):
            noise[part] -= noise[part].mean()
        return line(metric, level + chance * noise, **columns)

    return make


@pytest.fixture(scope="session")
def features(stepped):
    """Columns of a log, each with the distance and the missing rate that it goes to."""

    def make(**moved):
        out = []
        for name, (distance, missing) in moved.items():
            segment = f"feature={name}"
            out.append(stepped("js_distance", 0.03, distance, spread=0.006, segment=segment))
            out.append(stepped("missing_rate", 0.001, missing, spread=0.0005, segment=segment))
        return out

    return make


@pytest.fixture(scope="session")
def model(stepped):
    """Series of a model by metric: (before, after), over all rows."""

    def make(**levels):
        return [stepped(metric, *pair, support=ROWS) for metric, pair in levels.items()]

    return make


@pytest.fixture(scope="session")
def ask():
    """The diagnosis of some series."""

    def make(series, **fields):
        return diagnose(ModelContext("m", series, CATALOG, **fields))

    return make


@pytest.fixture(scope="session")
def alert(changed):
    """An alert that stands on a series since the change."""

    def make(metric="accuracy", *, since=None, condition=Condition.THRESHOLD, segment="all", message="0.8 < 0.9"):
        begin = since or changed
        evidence = Breach(Severity.CRITICAL, 0.8, 0.9, message)
        key = SeriesKey("m", metric, segment)
        states = {"since": begin, "fired": begin, "breach": evidence, "periods": 3}
        return Alert("abc", "floor", key, condition, State.FIRING, Severity.CRITICAL, **states)

    return make
