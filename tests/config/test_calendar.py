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


def test_an_event_without_a_name_or_with_an_unknown_key_is_a_mistake(load_config):
    with pytest.raises(ConfigError, match=r"calendar\[1\]\.name: missing"):
        load_config('[[calendar]]\ndates = "12-25"\n')
    with pytest.raises(ConfigError, match=r"calendar\[1\]\.date: unknown key; did you mean dates\?"):
        load_config(f'{CHRISTMAS}dates = "12-25"\ndate = "12-26"\n')
