import numpy as np
import pytest

from modeltop.cli import demo
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import DATETIME_DTYPE, Direction, Series, SeriesKey
from modeltop.history.reader import Reader


@pytest.fixture(scope="session")
def daily():
    """Return a maker of a series of one value a day from Wednesday 2025-01-01, or of values on other `days`."""

    def make(values, *, days=None, better=Direction.HIGHER, **columns):
        offsets = np.arange(len(values)) if days is None else np.asarray(days)
        times = np.datetime64("2025-01-01", "us") + offsets * np.timedelta64(1, "D")
        key = SeriesKey("m", "accuracy")
        return Series(key, better, times.astype(DATETIME_DTYPE), np.array(values, dtype=float), **columns)

    return make


@pytest.fixture(scope="session")
def shares(daily):
    """Return a maker of a series of proportions of `cases` each, drawn around given levels."""

    def make(levels, cases, seed=0, **columns):
        counts = np.broadcast_to(np.asarray(cases), len(levels)).astype(float)
        hits = np.random.default_rng(seed).binomial(counts.astype(int), levels)
        return daily(hits / counts, support=counts, proportion=True, **columns)

    return make


@pytest.fixture(scope="session")
def fleet():
    """Return the sample fleet: series by model and metric."""
    return _read(demo.samples_folder() / "fleet")


@pytest.fixture(scope="session")
def forecasts(reference_data):
    """Return months of forecasts that were really made, some of them of a handful of games."""
    return _read(reference_data("forecast_history.csv"))


def _read(path):
    history = Reader([path], catalog=MetricRegistry()).read()
    return {(key.model, key.metric): series for key, series in history.series.items()}
