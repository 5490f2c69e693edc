"""Dates as people and programs write them."""

import contextlib
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.history.csv import dates

FIRST, LAST = datetime(1970, 1, 1), datetime(2200, 12, 31)  # noqa: DTZ001  hypothesis wants them naive
FORMATS = {
    "d": "%Y-%m-%d",
    "m": "%Y-%m-%dT%H:%M",
    "T": "%Y-%m-%dT%H:%M:%S",
    "s": "%Y-%m-%d %H:%M:%S",
    "Z": "%Y-%m-%dT%H:%M:%SZ",
    "+": "%Y-%m-%d %H:%M:%S+00:00",
}
BAD = ["2025-02-30", "1969-12-31", "2201-01-01", "2025x01-01", "2025-01-0l", "2025-01-0\0", "soon"]
NEW_YEAR = datetime(2025, 1, 1, tzinfo=UTC)


def moment(text, zone=UTC):
    return datetime.fromtimestamp(dates.parse_microseconds(text, zone) / 1e6, UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2025-01-01", "2025-01", "20250101", " 2025-01-01 ", "2025-01-01T00:00", "2025-01-01 00:00:00",
        "2025-01-01T00:00:00Z", "2025-01-01T00:00:00.000000", "2025-01-01t00:00:00z", "2025-01-01T01:00:00+01:00",
        "2024-12-31T19:00:00-0500", "2025-01-01 02:00:00+02", "2025-01-01T00:00:00,000 Z",
        "1735689600", "1735689600000", "1735689600000000", "1735689600000000000",
    ],
)  # fmt: skip
def test_the_first_of_january_is_read_however_it_is_written(text):
    assert moment(text) == NEW_YEAR


@pytest.mark.parametrize(
    "text",
    [
        "now", "today", "NaT", "", "yesterday", "2025", "2025-13-01", "2025-02-30", "01/02/2025", "0025-01-01",
        "20255-01-01", "9999-12-31", "2025-01-01T25:00", "2025-01-01T00:00:00+99:00", "2025-W01", "0", "12", "20251",
        "99999999", "-1735689600", "1735689600.5", "9" * 5000, "２０２５-01-01", "2025-01-01\0",
    ],
)  # fmt: skip
def test_what_is_no_date_is_refused_with_a_remedy(text):
    with pytest.raises(ValueError, match="write an ISO 8601 date"):
        dates.parse_microseconds(text)
    assert np.isnat(dates.read_dates([text])).all()


def test_a_date_without_a_zone_is_of_the_configured_one():
    assert moment("2025-07-01", ZoneInfo("Europe/Paris")) == datetime(2025, 6, 30, 22, tzinfo=UTC)
    assert moment("2025-07-01T00:00Z", ZoneInfo("Europe/Paris")) == datetime(2025, 7, 1, tzinfo=UTC)


def test_fractions_are_kept_to_the_microsecond():
    assert moment("2025-01-01T00:00:00.123456789").microsecond == 123456


@given(
    st.lists(st.datetimes(FIRST, LAST), min_size=65, max_size=80),
    st.sampled_from(list(FORMATS)),
)
def test_a_column_is_parsed_as_its_dates_one_by_one(moments, layout):
    texts = [moment.strftime(FORMATS[layout]) for moment in moments]
    times = dates.read_dates(texts)
    assert times.dtype == np.dtype("datetime64[us]")
    assert times.tolist() == [datetime.fromisoformat(text).replace(tzinfo=None) for text in texts]
    assert times.view(np.int64).tolist() == [dates.parse_microseconds(text) for text in texts]


@pytest.mark.parametrize("bad", BAD)
def test_one_bad_date_is_refused_and_its_neighbours_are_read(bad):
    texts = [*["2025-01-01"] * 99, bad, "2025-01"]
    *good, refused, month = dates.read_dates(texts)
    assert all(time == np.datetime64("2025-01-01") for time in (*good, month))
    assert np.isnat(refused)
    with pytest.raises(ValueError, match="write an ISO 8601 date"):
        dates.parse_microseconds(bad)


DATE_LIKE = st.from_regex(
    r"[12][0-9]{3}-[0-3][0-9]-[0-3][0-9]([T ][0-2][0-9]:[0-6][0-9](:[0-6][0-9]Z?)?)?", fullmatch=True
)


@given(st.lists(st.one_of(DATE_LIKE, st.dates().map(str), st.sampled_from(BAD)), min_size=1, max_size=90))
def test_dates_are_parsed_in_the_text_itself_as_they_are_one_by_one(texts):
    body = ",".join(texts).encode()
    stops = np.cumsum([len(text) + 1 for text in texts]) - 1
    starts = stops - [len(text) for text in texts]
    expected = np.concatenate([dates.read_dates([text]) for text in texts])
    with contextlib.suppress(ValueError):
        times = dates.parse_dates_at(body, starts, stops)
        assert times is None or times.tolist() == expected.tolist()


@pytest.mark.parametrize("bad", BAD)
def test_one_bad_date_in_the_text_is_refused(bad):
    body = b"2025-01-01," * 200 + bad.encode()
    stops = np.append(np.arange(1, 201) * 11 - 1, len(body))
    starts = np.append(np.arange(200) * 11, 2200)
    with contextlib.suppress(ValueError):
        assert dates.parse_dates_at(body, starts, stops) is None


def test_dates_of_another_zone_or_without_a_common_layout_are_not_parsed_in_the_text():
    stops = np.arange(1, 201) * 11 - 1
    assert dates.parse_dates_at(b"2025-01-01," * 200, stops - 10, stops) is not None
    assert dates.parse_dates_at(b"2025-01-01," * 200, stops - 10, stops, ZoneInfo("Europe/Paris")) is None
    assert dates.parse_dates_at(b"2025.01.01," * 200, stops - 10, stops) is None
