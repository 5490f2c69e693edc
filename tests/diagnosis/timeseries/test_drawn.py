"""What is drawn of an explanation."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy.stats import theilslopes

from modeltop.core.diagnosis import Forecast
from modeltop.diagnosis.timeseries.forecast import trend_line, usual_band

START = datetime(2025, 1, 1, tzinfo=UTC)
BEGIN = START + timedelta(days=20)
FALLING = [0.95, 0.94] * 10 + [0.90 - 0.002 * day + 0.001 * (-1) ** day for day in range(11)]


def test_what_is_usual_is_what_was_before_the_change(daily):
    found = usual_band(daily(FALLING), BEGIN)
    spread = 2 * np.std(FALLING[:20], ddof=1)
    assert (found.low, found.high) == pytest.approx((0.945 - spread, 0.945 + spread))
    assert found.start == np.datetime64("2025-01-01")


@pytest.mark.parametrize("values", [[0.9] * 10, [1e200] * 30], ids=["too little history", "no number"])
def test_nothing_is_usual(daily, values):
    assert usual_band(daily(values), None) is None


def test_the_line_is_that_of_theil_and_sen(daily):
    slope, *_ = theilslopes(FALLING[20:], np.arange(11))
    line = trend_line(daily(FALLING), BEGIN, Forecast(slope, slope, slope, 0.001))
    oracle = np.median(np.array(FALLING[20:]) - slope * np.arange(11))
    assert (line.level, line.value_at(10)) == pytest.approx((oracle, oracle + 10 * slope))
    assert (line.start, line.end) == (np.datetime64("2025-01-21"), np.datetime64("2025-01-31"))


@pytest.mark.parametrize(("begin", "slope"), [(START + timedelta(days=30), -0.1), (BEGIN, float("nan")), (BEGIN, None)])
def test_without_two_periods_or_a_slope_there_is_no_line(daily, begin, slope):
    forecast = None if slope is None else Forecast(slope, slope, slope, 0.001)
    assert trend_line(daily(FALLING), begin, forecast) is None
