"""How time is cut: by the clock of a zone, in all its changes."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.core.errors import SourceError
from modeltop.predictions.periods import parse_period, rows_per_period, utc_offset_changes

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "America/Sao_Paulo", "Australia/Lord_Howe")
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1)).map(lambda moment: np.datetime64(moment, "us"))  # noqa: DTZ001
CODES = ("15min", "H", "6h", "D", "2D", "W", "MS", "QS", "YS")


def at(text):
    return np.datetime64(text, "us")


@pytest.mark.parametrize(
    ("code", "zone", "moment", "start", "end"),
    [
        pytest.param("D", "UTC", "2025-03-30T23:59:59", "2025-03-30T00", "2025-03-31T00", id="a day of UTC"),
        pytest.param("D", "Europe/Berlin", "2025-03-30T12", "2025-03-29T23", "2025-03-30T22", id="a day of 23 hours"),
        pytest.param("D", "Europe/Berlin", "2025-10-26T12", "2025-10-25T22", "2025-10-26T23", id="a day of 25 hours"),
        pytest.param("H", "Europe/Berlin", "2025-10-26T01:10", "2025-10-26T01", "2025-10-26T02", id="an hour twice"),
        pytest.param("H", "Asia/Kolkata", "2025-01-01T00:10", "2024-12-31T23:30", "2025-01-01T00:30", id="half hours"),
        pytest.param("6h", "Europe/Berlin", "2025-03-30T02", "2025-03-29T23", "2025-03-30T04", id="a quarter of 5 h"),
        pytest.param("W", "UTC", "2025-01-01T00", "2024-12-30T00", "2025-01-06T00", id="weeks begin on Monday"),
        pytest.param("MS", "Europe/Berlin", "2025-03-31T22", "2025-03-31T22", "2025-04-30T22", id="a month of a zone"),
        pytest.param("QS", "UTC", "2025-05-05T00", "2025-04-01T00", "2025-07-01T00", id="a quarter"),
        pytest.param("D", "America/Sao_Paulo", "2018-11-04T12", "2018-11-04T03", "2018-11-05T02", id="no midnight"),
    ],
)
def test_a_moment_lies_in_the_period_of_the_clock_on_the_wall(code, zone, moment, start, end):
    period = parse_period(code, zone)
    assert period.start(at(moment)) == at(start)
    assert period.end(at(start)) == at(end)


@given(st.sampled_from(CODES), st.sampled_from(ZONES), MOMENTS)
def test_every_moment_lies_in_one_period_and_the_next_begins_where_it_ends(code, zone, moment):
    period = parse_period(code, zone)
    start = period.start(moment)
    end = period.end(start)
    assert start <= moment < end
    assert period.start(start) == start
    assert period.start(end) == end


@pytest.mark.parametrize("zone", ZONES)
def test_clock_changes_are_found_to_the_second(zone):
    changes = utc_offset_changes(parse_period("D", zone), at("2018-01-01"), at("2019-12-31"))
    for hours in range(0, 24 * 728, 5):
        moment = at("2018-01-01") + np.timedelta64(hours, "h")
        offset = [change_offset for since, change_offset in changes if since <= moment][-1]
        aware = datetime(2018, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
        assert offset == np.timedelta64(aware.astimezone(ZoneInfo(zone)).utcoffset(), "us")


@pytest.mark.parametrize("code", ["", "fortnight", "0D", "7h", "-1D", "D; DROP", "1.5h"])
def test_a_code_that_is_none_is_refused(code):
    with pytest.raises(SourceError, match="--period"):
        parse_period(code)


def test_runs_of_rows_are_told_from_spans_of_time():
    assert (rows_per_period("5000rows"), rows_per_period("D")) == (5000, None)
    with pytest.raises(SourceError, match="at least one row"):
        rows_per_period("0rows")


def test_a_zone_that_is_none_is_refused():
    with pytest.raises(SourceError, match="--timezone Mars"):
        parse_period("D", "Mars/Olympus")
