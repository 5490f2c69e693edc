"""`[[calendar]]`: every form of a date arrives, every mistake is named with its key and what to write."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from modeltop.core.calendar import DayRange
from modeltop.core.errors import ConfigError

CHRISTMAS = '[[calendar]]\nname = "Christmas"\n'
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        pytest.param('"12-25"', [("12-25", "12-25")], id="a day of every year"),
        pytest.param('["2026-11-27", 2027-11-26]', [("2026-11-27",) * 2, ("2027-11-26",) * 2], id="days of one year"),
        pytest.param('"12-24 .. 01-02"', [("12-24", "01-02")], id="a range over the end of the year"),
        pytest.param('["02-29"]', [("02-29", "02-29")], id="a leap day"),
    ],
)
def test_dates_are_days_and_ranges_of_one_year_or_of_every_year(load_config, dates, expected):
    (event,) = load_config(f"{CHRISTMAS}dates = {dates}\n").calendar
    assert (event.name, event.model) == ("Christmas", "*")
    assert event.dates == tuple(DayRange(*pair) for pair in expected)


def test_a_day_starts_at_midnight_in_the_zone_of_the_file(load_config):
    text = f'timezone = "Asia/Tokyo"\n{CHRISTMAS}model = "shop-*"\ndates = "12-25"\n'
    (event,) = load_config(text).calendar
    assert (event.model, event.zone) == ("shop-*", ZoneInfo("Asia/Tokyo"))
    midnight = datetime(2026, 12, 24, 15, tzinfo=UTC)
    assert event.overlaps(midnight, DAY)
    assert not event.overlaps(midnight - DAY, DAY)
    assert not event.overlaps(midnight + DAY, DAY)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        pytest.param(CHRISTMAS, "calendar[1].dates: missing", id="without dates"),
        pytest.param(f"{CHRISTMAS}dates = []\n", "calendar[1].dates: missing", id="an empty array"),
        pytest.param(f'{CHRISTMAS}dates = "12-32"\n', "calendar[1].dates: '12-32' is not a date", id="no day"),
        pytest.param(f'{CHRISTMAS}dates = "25 Dec"\n', "calendar[1].dates: '25 Dec' is not a date", id="another form"),
        pytest.param(f"{CHRISTMAS}dates = [25]\n", "calendar[1].dates: '25' is not a date", id="a number"),
        pytest.param(f'{CHRISTMAS}dates = "2026-12-26..2026-12-24"\n', "is not a date", id="a range that ends before"),
        pytest.param(f'{CHRISTMAS}dates = "12-24..2026-12-26"\n', "is not a date", id="half of every year"),
    ],
)
def test_a_date_that_is_none_is_a_mistake_that_says_what_to_write(load_config, text, key):
    with pytest.raises(ConfigError) as error:
        load_config(text)
    (line,) = str(error.value).splitlines()
    assert key in line
    assert 'write "12-25" for every year' in line


@pytest.mark.parametrize(
    ("dates", "problem"),
    [
        pytest.param('"01-01..12-31"', "'01-01..12-31' is 366 days, maximum 60", id="a year"),
        pytest.param('"12-25..12-24"', "'12-25..12-24' is 366 days, maximum 60", id="a year over its end"),
        pytest.param('"0001-01-01..9999-12-31"', "maximum 60", id="all time"),
        pytest.param([f"{month:02}-{day:02}" for month in range(1, 9) for day in range(1, 29)], "224 days a year"),
        pytest.param([f"{month:02}-01..{month:02}-28" for month in range(1, 8)], "196 days a year, maximum 183"),
    ],
)
def test_a_calendar_that_leaves_no_ordinary_days_is_a_mistake(load_config, dates, problem):
    with pytest.raises(ConfigError) as error:
        load_config(f"{CHRISTMAS}dates = {dates}\n")
    (line,) = str(error.value).splitlines()
    assert "calendar[1].dates: " in line
    assert problem in line
    assert "list only the days on which other values are normal (line 3)" in line


def test_sixty_days_and_half_of_each_year_are_accepted(load_config):
    dates = [f"{year}-{month:02}-01..{year}-{month:02}-28" for year in (2025, 2026) for month in range(1, 7)]
    (event,) = load_config(f"{CHRISTMAS}dates = {[*dates, '11-18..01-16']}\n").calendar
    assert len(event.dates) == 13


@pytest.mark.parametrize(
    ("name", "problem"),
    [('"   "', "blank"), ('"\\u200b"', "blank"), ('""', "blank"), ("5", "a number where a string is expected")],
)
def test_a_name_that_cannot_be_read_is_one_mistake(load_config, name, problem):
    with pytest.raises(ConfigError) as error:
        load_config(f'[[calendar]]\nname = {name}\ndates = "12-25"\n')
    (line,) = str(error.value).splitlines()
    assert f"calendar[1].name: {problem}" in line


def test_an_event_without_a_name_or_with_an_unknown_key_is_a_mistake(load_config):
    with pytest.raises(ConfigError, match=r"calendar\[1\]\.name: missing"):
        load_config('[[calendar]]\ndates = "12-25"\n')
    with pytest.raises(ConfigError, match=r"calendar\[1\]\.date: unknown key; did you mean dates\?"):
        load_config(f'{CHRISTMAS}dates = "12-25"\ndate = "12-26"\n')
