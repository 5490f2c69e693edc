"""A series in one line."""

import pytest

from monitor.metrics.base import Catalog
from monitor.records import STAMP, Series, SeriesKey


@pytest.fixture(scope="session")
def catalog():
    return Catalog()


@pytest.fixture(scope="session")
def series_of(catalog):
    """Makes a daily series from its values; `support`, `low`, ... are columns, `dates` the days if not in a row."""
    import numpy as np

    def make(values, *, metric="accuracy", dates=None, start="2025-01-01", **columns):
        known = catalog.of(metric)
        times = (
            np.array(dates, STAMP)
            if dates
            else np.datetime64(start, "us") + np.arange(len(values)) * np.timedelta64(1, "D")
        )
        arrays = {name: np.array(column, bool if name == "provisional" else float) for name, column in columns.items()}
        return Series(
            SeriesKey("m", known.name), known.better, times.astype(STAMP), np.array(values, dtype=float), **arrays
        )

    return make
