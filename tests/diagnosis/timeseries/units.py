import numpy as np

from modeltop.core.series import STAMP, Better, Series, SeriesKey


def series(values, better=Better.HIGHER):
    times = (np.datetime64("2025-01-01", "us") + np.arange(len(values)) * np.timedelta64(1, "D")).astype(STAMP)
    return Series(SeriesKey("m", "x"), better, times, np.asarray(values, dtype=float))
