"""Dates and durations for people: 26 Jun, 2 days 5 hours; and foreign text that stays on its line."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from modeltop.core.text import display_width, format_day, format_duration, format_minute, sanitize

NOON = datetime(2025, 1, 9, 12, 3, 27, tzinfo=UTC)


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (timedelta(seconds=0), "0 seconds"),
        (timedelta(seconds=59), "59 seconds"),
        (timedelta(minutes=61), "1 hour 1 minute"),
        (timedelta(hours=23, minutes=59, seconds=59), "23 hours 59 minutes"),
        (timedelta(days=3, minutes=5), "3 days"),
        (timedelta(days=2, hours=5), "2 days 5 hours"),
    ],
)
def test_a_duration_has_at_most_two_units_next_to_each_other(length, expected):
    assert format_duration(length) == expected


def test_a_date_has_its_year_unless_it_is_that_of_now():
    assert (format_day(NOON, NOON), format_day(NOON)) == ("9 Jan 12:03", "9 Jan 2025 12:03")
    assert format_minute(NOON, NOON.replace(year=2026)) == "9 Jan 2025 12:03 UTC"


def test_a_minute_is_in_utc_and_midnight_has_its_time():
    midnight = datetime(2025, 1, 9, 2, tzinfo=timezone(timedelta(hours=2)))
    assert format_minute(midnight, NOON) == "9 Jan 00:00 UTC"


@pytest.mark.parametrize("mark", ["\u0301", "\u20dd"], ids=["on top", "around"])
def test_two_combining_marks_are_kept_on_a_character_and_none_without_one(mark):
    assert display_width("a" + mark) == 1
    assert sanitize("a" + 2 * mark + "b") == "a" + 2 * mark + "b"
    assert sanitize("a" + 9 * mark + "b") == "a" + 2 * mark + "…b"
    assert sanitize(mark + "b") == "…b"


def test_marks_that_are_cut_leave_room_for_the_text_behind_them():
    assert sanitize("a" + 20 * "\u0301" + "bcd", 10) == "a\u0301\u0301…bcd"
