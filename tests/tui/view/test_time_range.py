"""Ranges as people type them."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop_tui.view.state import ALL_TIME, TimeWindow
from modeltop_tui.view.time_range import EXAMPLES, is_range_like, parse_range, window_of

DAY = 86_400.0
NEWEST = date(2199, 12, 31)


def stamp(day):
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


@given(st.dates(date(1970, 1, 2), NEWEST), st.dates(date(1970, 1, 2), NEWEST))
def test_two_days_are_the_range_from_the_start_of_the_first_to_the_end_of_the_last(one, other):
    first, last = min(one, other), max(one, other)
    found = parse_range(f"{first}..{last}")
    assert (found.start, found.end) == (stamp(first), stamp(last + timedelta(days=1)))
    assert parse_range(f"{first}..").start == found.start
    assert parse_range(f"..{last}").end == found.end
    assert first == last or parse_range(f"{last}..{first}") is None


@given(st.dates(date(1970, 1, 2), NEWEST))
def test_a_month_ends_where_the_next_one_starts(day):
    following = (day.replace(day=1) + timedelta(days=31)).replace(day=1)
    found = parse_range(f"{day:%Y-%m}")
    assert (found.start, found.end) == (stamp(day.replace(day=1)), stamp(following))


@given(st.integers(1, 99_999), st.sampled_from("smhdw"))
def test_a_duration_is_a_length_up_to_the_newest_period(number, unit):
    seconds = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
    assert parse_range(f"{number}{unit}").length == number * seconds[unit]


@given(st.dates(date(1970, 1, 8), NEWEST))
def test_a_week_is_seven_days_from_its_monday_and_a_quarter_three_months(day):
    monday, quarter = day - timedelta(days=day.weekday()), (day.month + 2) // 3
    week = parse_range(f"{day.isocalendar().year}-w{day.isocalendar().week:02}")
    assert (week.start, week.end) == (stamp(monday), stamp(monday + timedelta(days=7)))
    first, last = (parse_range(f"{day.year}-{3 * quarter - months:02}") for months in (2, 0))
    assert parse_range(f"{day.year}-Q{quarter}") == (first.start, last.end, first.length)


def test_a_year_is_a_length_and_weeks_and_quarters_can_be_ends():
    assert parse_range("2y").length == 2 * 365.25 * DAY
    assert parse_range("2025-W01..2025-Q1") == (stamp(date(2024, 12, 30)), stamp(date(2025, 4, 1)), float("inf"))


@given(st.text() | st.from_regex(r"[0-9.:TZ+-]{0,24}(\.\.)?[0-9-]{0,12}", fullmatch=True))
def test_no_text_raises_and_no_range_ends_before_it_starts(text):
    found = parse_range(text)
    assert found is None or (found.start < found.end and found.length > 0)


@pytest.mark.parametrize(
    "text",
    [
        "2025-13",
        "0y",
        "2025-W54",
        "2025-Q5",
        "2025-q0",
        "2025-06-31",
        "0d",
        "7x",
        "2025-06-02..2025-06-01",
        "1735689600",
        "2025-06..x",
    ],
)
def test_a_bad_range_is_none_but_looks_like_one(text):
    assert parse_range(text) is None
    assert is_range_like(text)


@pytest.mark.parametrize("text", EXAMPLES.split(", "))
def test_each_example_is_a_range(text):
    assert parse_range(text) is not None


def test_hostile_text_is_no_range(make):
    assert not any(map(parse_range, make.hostile))


@pytest.mark.parametrize(
    ("typed", "window"),
    [
        pytest.param("7d", TimeWindow(6 * DAY), id="seven daily periods, and on with the newest"),
        pytest.param("24h", TimeWindow(0.0), id="the newest one"),
        pytest.param("99d", ALL_TIME, id="more than there is"),
        pytest.param("1970-01-03..1970-01-05", TimeWindow(2 * DAY, 4 * DAY), id="both ends count"),
        pytest.param("1970-01-25..", TimeWindow(6 * DAY), id="up to the newest"),
        pytest.param("..1970-01-02", TimeWindow(DAY, DAY), id="from the first"),
        pytest.param("1970-02", None, id="a month without data"),
    ],
)
def test_a_range_shows_exactly_the_periods_in_it(typed, window):
    assert window_of(parse_range(typed), np.arange(31) * DAY) == window
