import numpy as np

from modeltop.core.series import DATETIME_DTYPE, Direction, Series, SeriesKey


def series(values, better=Direction.HIGHER):
    times = (np.datetime64("2025-01-01", "us") + np.arange(len(values)) * np.timedelta64(1, "D")).astype(DATETIME_DTYPE)
    return Series(SeriesKey("m", "x"), better, times, np.asarray(values, dtype=float))
