"""The line of a forecast: through the periods since the change, with the slope that was forecast."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy.stats import theilslopes

from modeltop.core.diagnosis import Forecast
from modeltop.core.series import DATETIME_DTYPE, Direction, Series, SeriesKey
from modeltop.report.trend_line import trend_line

START = datetime(2025, 1, 1, tzinfo=UTC)
FALL = START + timedelta(days=20)
VALUES = [0.95, 0.94] * 10 + [0.90 - 0.002 * day + 0.001 * (-1) ** day for day in range(11)]
TIMES = (np.datetime64("2025-01-01") + np.arange(len(VALUES)).astype("timedelta64[D]")).astype(DATETIME_DTYPE)
FALLING = Series(SeriesKey("m", "accuracy"), Direction.HIGHER, TIMES, np.array(VALUES))


def test_the_line_is_that_of_theil_and_sen():
    slope, *_ = theilslopes(FALLING.values[20:], np.arange(11))
    line = trend_line(FALLING, FALL, Forecast(slope, slope, slope, 0.001))
    oracle = np.median(FALLING.values[20:] - slope * np.arange(11))
    assert (line.level, line.value_at(10)) == pytest.approx((oracle, oracle + 10 * slope))
    assert (line.start, line.end) == (np.datetime64("2025-01-21"), np.datetime64("2025-01-31"))


@pytest.mark.parametrize(
    ("started_at", "slope"), [(START + timedelta(days=30), -0.1), (FALL, float("nan")), (FALL, None)]
)
def test_without_two_periods_or_a_slope_there_is_no_line(started_at, slope):
    forecast = None if slope is None else Forecast(slope, slope, slope, 0.001)
    assert trend_line(FALLING, started_at, forecast) is None
