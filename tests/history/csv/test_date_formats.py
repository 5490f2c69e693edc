"""The format of a column of dates: decided by all of its cells, or refused with what to write."""

import datetime as dt
import re
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltop.history.csv import date_formats

DAYS = [dt.datetime(2025, 1, day) for day in range(9, 16)]  # noqa: DTZ001  naive UTC, as numpy has it
JANUARY = [dt.datetime(2025, 1, day) for day in range(1, 32)]  # noqa: DTZ001
HOURS = [day.replace(hour=15, minute=4, second=5) for day in DAYS]
MONTHS = [dt.datetime(2024, month, 1) for month in range(9, 13)]  # noqa: DTZ001
LONG = [dt.datetime(year, month, 1) for year in (2023, 2024) for month in range(1, 13)]  # noqa: DTZ001
WORDS = [dt.datetime(2025, month, 1) for month in (3, 5, 10, 12)]  # noqa: DTZ001
MONDAYS = [dt.datetime(2025, 1, 6) + dt.timedelta(weeks=week) for week in range(7)]  # noqa: DTZ001
EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001


def excel(moment):
    return (moment - dt.datetime(1899, 12, 30)) / dt.timedelta(days=1)  # noqa: DTZ001


def seconds(moment):
    return int((moment - EPOCH).total_seconds())


def written(pattern, moments=DAYS):
    return [moment.strftime(pattern) for moment in moments]


def later(microseconds):
    return [moment.replace(microsecond=microseconds) for moment in HOURS]


READ = {
    # the year first
    "plain": (written("%Y-%m-%d"), DAYS),
    "slashes": (written("%Y/%m/%d"), DAYS),
    "dots": (written("%Y.%m.%d"), DAYS),
    "without zeros": ([f"{d.year}-{d.month}-{d.day}" for d in DAYS], DAYS),
    "slashes and a time": (written("%Y/%m/%d %H:%M:%S", HOURS), HOURS),
    "12 hours": (written("%Y-%m-%d %I:%M:%S %p", HOURS), HOURS),
    "a zone UTC": (written("%Y-%m-%d %H:%M:%S UTC", HOURS), HOURS),
    "a zone GMT": (written("%Y-%m-%d %H:%M:%S GMT", HOURS), HOURS),
    "Z": (written("%Y-%m-%dT%H:%M:%SZ", HOURS), HOURS),
    "an offset of whole hours": (written("%Y-%m-%dT%H:%M:%S+00", HOURS), HOURS),
    "an offset to the west": (written("%Y-%m-%dT10:04:05-05:00", HOURS), HOURS),
    "an offset without a colon": (written("%Y-%m-%d 20:34:05 +0530", HOURS), HOURS),
    "an offset as Go writes it": (written("%Y-%m-%d %H:%M:%S +0000 UTC", HOURS), HOURS),
    "an offset from UTC in words": (written("%Y-%m-%d 17:04:05 UTC+2", HOURS), HOURS),
    "an offset and its zone": (written("%Y-%m-%dT16:04:05+01:00[Europe/Berlin]", HOURS), HOURS),
    "a zone by name": (written("%Y-%m-%d 16:04:05 Europe/Berlin", HOURS), HOURS),
    "basic": (written("%Y%m%d"), DAYS),
    "basic with a time": (written("%Y%m%dT%H%M%SZ", HOURS), HOURS),
    "basic of digits": (written("%Y%m%d%H%M%S", HOURS), HOURS),
    "basic of digits to the minute": (written("%Y%m%d1504"), [d.replace(hour=15, minute=4) for d in DAYS]),
    "basic of digits to the hour": (written("%Y%m%d15"), [d.replace(hour=15) for d in DAYS]),
    "hours alone": (written("%Y-%m-%d 15"), [d.replace(hour=15) for d in DAYS]),
    "days of the year": (written("%Y-%j"), DAYS),
    "blanks around": (written("  %Y/%m/%d "), DAYS),
    "ISO beside ISO with a zone": ([*written("%Y-%m-%d")[:3], *written("%Y-%m-%d 00:00 UTC")[3:]], DAYS),
    # the day or the month first
    "German": (written("%d.%m.%Y"), DAYS),
    "German without zeros": ([f"{d.day}.{d.month}.{d.year}" for d in DAYS], DAYS),
    "German with a time": (written("%d.%m.%Y %H:%M:%S", HOURS), HOURS),
    "German, no day above 12": (["01.02.2025", "02.02.2025"], [dt.datetime(2025, 2, 1), dt.datetime(2025, 2, 2)]),  # noqa: DTZ001
    "British": (written("%d/%m/%Y"), DAYS),
    "British with a time": (written("%d/%m/%Y, %H:%M:%S", HOURS), HOURS),
    "Dutch": (written("%d-%m-%Y"), DAYS),
    "American": (written("%m/%d/%Y"), DAYS),
    "American without zeros": ([f"{d.month}/{d.day}/{d.year}" for d in DAYS], DAYS),
    "American, 12 hours": (written("%m/%d/%Y %I:%M:%S %p", HOURS), HOURS),
    "American, as a browser writes it": (written("%m/%d/%Y, %I:%M:%S\u202f%p", HOURS), HOURS),
    "American, a.m. and p.m.": (written("%m/%d/%Y 3:04:05 p.m.", HOURS), HOURS),
    "American with dashes": (written("%m-%d-%Y"), DAYS),
    "midnight and noon": (
        ["01/31/2025 12:00 AM", "01/31/2025 12:00 PM"],
        [dt.datetime(2025, 1, 31), dt.datetime(2025, 1, 31, 12)],  # noqa: DTZ001
    ),
    # months in words
    "3 January 2025": (written("%d %B %Y"), DAYS),
    "3. January 2025": (written("%d. %B %Y"), DAYS),
    "03-Jan-2025": (written("%d-%b-%Y"), DAYS),
    "Jan 3, 2025": (written("%b %d, %Y"), DAYS),
    "January 3rd, 2025": (written("%B %dth, %Y"), DAYS),
    "2025-Jan-03": (written("%Y-%b-%d"), DAYS),
    "RFC 2822": (written("%a, %d %b %Y %H:%M:%S +0000", HOURS), HOURS),
    "HTTP": (written("%a, %d %b %Y %H:%M:%S GMT", HOURS), HOURS),
    "ctime": (written("%a %b %e %H:%M:%S %Y", HOURS), HOURS),
    "date(1)": (written("%a %b %e %H:%M:%S UTC %Y", HOURS), HOURS),
    "git": (written("%a %b %d %H:%M:%S %Y +0000", HOURS), HOURS),
    "a browser's Date": (written("%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)", HOURS), HOURS),
    "Apache": (written("%d/%b/%Y:%H:%M:%S +0000", HOURS), HOURS),
    "German words": ([f"{d.day}. Januar 2025" for d in DAYS], DAYS),
    "German, shortened": (["1. Mär. 2025", "1. MÄRZ 2025", "1. Mai 2025", "1. Okt 2025", "1. Dez. 2025"], WORDS),
    "French": (["1 mars 2025", "01 mars 2025", "1 mai 2025", "1 oct. 2025", "1 déc. 2025"], WORDS),
    "French months": (["janv. 2025", "févr. 2025", "août 2025"], [dt.datetime(2025, month, 1) for month in (1, 2, 8)]),  # noqa: DTZ001
    "a weekday before ISO": (written("%a %Y-%m-%d"), DAYS),
    "a weekday and a comma": (written("%A, %d %B %Y"), DAYS),
    "a German weekday": ([f"Sa., {d:%d.%m.%Y}" for d in DAYS], DAYS),
    # years of two digits
    "German, two digits": (written("%d.%m.%y"), DAYS),
    "American, two digits": (written("%m/%d/%y"), DAYS),
    "British, two digits, with a time": (written("%d/%m/%y %H:%M:%S", HOURS), HOURS),
    "with dashes, two digits": (written("%d-%m-%y"), DAYS),
    "the year first, two digits": (written("%y-%m-%d"), DAYS),
    "09-Jan-25": (written("%d-%b-%y"), DAYS),
    "months of Excel": (written("%b-%y", MONTHS), MONTHS),
    "months of Excel over years": (written("%b-%y", LONG), LONG),
    # longer periods
    "months": (written("%Y-%m", MONTHS), MONTHS),
    "months with slashes": (written("%m/%Y", MONTHS), MONTHS),
    "months in words": (written("%b %Y", MONTHS), MONTHS),
    "months of statistics offices": (written("%YM%m", MONTHS), MONTHS),
    "months as numbers": (written("%Y%m", MONTHS), MONTHS),
    "weeks": (written("%G-W%V", MONDAYS), MONDAYS),
    "weeks in short": (written("%GW%V", MONDAYS), MONDAYS),
    "days of weeks": (written("%G-W%V-%u"), DAYS),
    "weeks as pandas writes them": ([f"{d:%Y-%m-%d}/{d + dt.timedelta(6):%Y-%m-%d}" for d in MONDAYS], MONDAYS),
    "intervals": ([f"[{d:%Y-%m-%d}, {d + dt.timedelta(1):%Y-%m-%d})" for d in DAYS], DAYS),
    "windows of Spark": ([f"[{d:%Y-%m-%d %H:%M:%S.0}, {d + dt.timedelta(1):%Y-%m-%d %H:%M:%S.0}]" for d in DAYS], DAYS),
    "windows of Spark as JSON": (
        [
            f'{{""start"":""{d:%Y-%m-%dT%H:%M:%S.0Z}"",""end"":""{d + dt.timedelta(1):%Y-%m-%dT%H:%M:%S.0Z}""}}'
            for d in DAYS
        ],
        DAYS,
    ),
    "quarters": (["2024-Q3", "2024-Q4"], [dt.datetime(2024, 7, 1), dt.datetime(2024, 10, 1)]),  # noqa: DTZ001
    "quarters as pandas writes them": (["2024Q3", "2024Q4"], [dt.datetime(2024, 7, 1), dt.datetime(2024, 10, 1)]),  # noqa: DTZ001
    "quarters in words": (["Q3 2024", "Q4 2024"], [dt.datetime(2024, 7, 1), dt.datetime(2024, 10, 1)]),  # noqa: DTZ001
    "years": (["2023", "2024"], [dt.datetime(2023, 1, 1), dt.datetime(2024, 1, 1)]),  # noqa: DTZ001
    # numbers
    "seconds": ([f"{seconds(m)}" for m in HOURS], HOURS),
    "seconds as floats": ([f"{seconds(m)}.0" for m in HOURS], HOURS),
    "seconds with a fraction": (
        [f"{seconds(m)}.409364" for m in HOURS],
        [m.replace(microsecond=409364) for m in HOURS],
    ),
    "milliseconds as floats": ([f"{seconds(m)}409.0" for m in HOURS], [m.replace(microsecond=409000) for m in HOURS]),
    "nanoseconds": ([f"{seconds(m)}409364123" for m in HOURS], [m.replace(microsecond=409364) for m in HOURS]),
    "scientific with all digits": ([f"{seconds(m):.9e}" for m in HOURS], HOURS),
    "scientific with a capital E": ([f"{seconds(m):.9E}" for m in HOURS], HOURS),
    "days of Excel": ([f"{excel(d):.0f}" for d in DAYS], DAYS),
    "days of Excel as floats": ([f"{excel(d)}" for d in DAYS], DAYS),
    "days of Excel with a time": ([f"{excel(m):.10f}" for m in HOURS], HOURS),
    "American dates in no order": ([f"{d:%m/%d/%Y}" for d in (*JANUARY[1::2], *JANUARY[::2])], JANUARY),
    # one odd cell does not turn the column
    "one slip in American": ([*written("%m/%d/%Y", JANUARY), "31/01/2025"], JANUARY),
}
REFUSED = {
    "no day above 12": (["01/02/2025", "02/02/2025"], "column `date` holds 01/02/2025, which is ambiguous"),
    "no day above 12 with dashes": (["01-02-2025", "02-02-2025"], "01-02-2025, which is ambiguous"),
    "no day above 12 with a time": (["01/02/2025 10:00", "02/02/2025 10:00"], "is ambiguous"),
    "both orders": ([*written("%d/%m/%Y"), *written("%m/%d/%Y")], "with the day first and .* with the month"),
    "an order that changes before a day above 12": (
        [f"{day:02}/01/2025" if day < 8 else f"01/{day:02}/2025" for day in range(1, 15)],
        "in order only if some have the day first and others the month",
    ),
    "two digits, no day above 12": (["01/02/25", "02/02/25"], "01/02/25, which is ambiguous"),
    "two digits, one date": (["13/01/25"], "13/01/25, with a year of two digits first or last"),
    "days without a year": (["Jan-20", "Jan-21", "Jan-22"], "Jan-20, a day without its year"),
    "seconds without their last digits": (
        [f"{seconds(m):.6e}" for m in HOURS],
        r", seconds since 1970 rounded to 1,000 s: export with all digits",
    ),
    "milliseconds without their last digits": ([f"{seconds(m) * 1000:.6e}" for m in HOURS], "rounded to 1,000,000 ms"),
    "nanoseconds without their last digits": (
        [f"{seconds(m) * 10**9:.7e}" for m in HOURS],
        "rounded to 100,000,000,000",
    ),
    "no dates at all": (["reference", "analysis"], "not a date"),
    "weekdays": (["Mon", "Tue"], "not a date"),
    "days of a month": (["1", "2"], "neither a date"),
    "a day that its year does not have": (["2025-366", "2025-367"], "not a date"),
    "times of day": (["10:00", "11:00"], "not a date"),
    "unknown zones": (written("%Y-%m-%d 10:00 CET"), "not a date"),
    "Polish words": (["3 lutego 2025", "4 lutego 2025"], "not a date"),
    "days of Excel that are rounded": (["45658.04", "45658.08", "45658.17"], "not a date|neither"),
    "days before Excel's plausible ones": (["12345", "12346"], "neither a date"),
    "two formats by halves": ([*written("%Y-%m-%d"), *written("%d.%m.%Y")], "not a date"),
}


def column(history_folder, cells, name="date", zone=dt.UTC):
    rows = "".join(f'"{cell}",0.9\n' for cell in cells)
    return history_folder.read(f"{name},accuracy\n{rows}", zone=zone)


@pytest.mark.parametrize("case", READ)
def test_a_column_in_one_format_is_read(history_folder, case):
    cells, moments = READ[case]
    (series,) = column(history_folder, cells).series.values()
    assert series.times.tolist() == moments


@pytest.mark.parametrize("case", REFUSED)
def test_what_has_two_readings_or_none_is_refused_with_what_to_write(history_folder, case):
    cells, message = REFUSED[case]
    history = column(history_folder, cells)
    assert any(re.search(message, problem.message) for problem in history.problems)
    assert re.search("write|export|use `--date-format ", history.problems[0].message)


def test_a_date_without_a_zone_is_of_the_configured_one_in_every_format(history_folder):
    for pattern in ("%d.%m.%Y %H:%M:%S", "%b %d, %Y %H:%M:%S", "%Y/%m/%d %H:%M:%S"):
        (series,) = column(history_folder, written(pattern, HOURS), zone=ZoneInfo("Europe/Berlin")).series.values()
        assert series.times.tolist() == [moment - dt.timedelta(hours=1) for moment in HOURS]
    (series,) = column(history_folder, written("%d.%m.%Y"), zone=ZoneInfo("Europe/Berlin")).series.values()
    assert series.times.tolist() == [day - dt.timedelta(hours=1) for day in DAYS]


def test_an_odd_cell_is_refused_by_what_the_column_is(history_folder):
    (problem,) = column(history_folder, READ["one slip in American"][0]).problems
    assert "`31/01/2025` is not a date" in problem.message


FORMATS = [
    "%Y/%m/%d %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%d %B %Y %H:%M:%S", "%a %b %d %H:%M:%S %Y",
    "%Y%m%dT%H%M%SZ", "%Y-%m-%d %H:%M:%S UTC", "%d/%m/%Y %H:%M:%S", "%a, %d %b %Y %H:%M:%S GMT", "%d-%b-%Y %H:%M:%S",
]  # fmt: skip
moments = st.datetimes(dt.datetime(1975, 1, 1), dt.datetime(2099, 12, 31)).map(lambda each: each.replace(microsecond=0))  # noqa: DTZ001


@settings(max_examples=150, deadline=None)
@given(st.lists(moments, min_size=1, max_size=30, unique=True), st.sampled_from(FORMATS))
def test_no_format_reads_another_moment_than_the_plain_one(make_history_folder, moments, pattern):
    history_folder = make_history_folder()
    plain = column(history_folder, [moment.isoformat() for moment in moments])
    other = column(history_folder, written(pattern, moments))
    if other.series:
        ((one,), (two,)) = (history.series.values() for history in (plain, other))
        assert one.times.tolist() == two.times.tolist()
    else:
        assert "ambiguous" in other.problems[0].message


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from([*written("%d/%m/%Y"), *written("%m/%d/%Y"), *written("%Y-%m-%d"), "", "soon"]), max_size=14
    ),
    st.lists(st.integers(0, 14), max_size=3),
)
def test_a_column_that_grows_is_read_as_at_once(make_history_folder, as_plain_data, cells, cuts):
    history_folder, rows = make_history_folder(), [f"{cell},0.9\n" for cell in cells]
    path = history_folder.write("date,accuracy\n")
    followed, done = history_folder.reader(path), 0
    for cut in [*sorted(cuts), len(rows)]:
        history_folder.append(path, "".join(rows[done:cut]).encode())
        done = max(done, cut)
        assert as_plain_data(followed.read()) == as_plain_data(history_folder.reader(path).read())


@pytest.mark.parametrize("form", date_formats.FORMATS, ids=lambda form: form.example)
def test_a_day_and_a_clock_time_read_apart_are_the_moment_read_at_once(form):
    days = ["31.01.2025", "01/31/2025", "2025/1/31", "31.01.25", "31 Jan 2025", "Jan-25", "202501", "2025-W03", "x", ""]
    clocks = [
        "",
        "00:00",
        "9:05",
        "23:59:59",
        "02:00 PM",
        "12:30 am",
        "14:00 PM",
        "24:00",
        "9:75",
        "09:00:01.5",
        "9:00Z",
    ]
    texts = [f"{day} {clock}" for day in days for clock in clocks]
    expected = []
    for text in texts:
        try:
            expected.append(form.parse(text, dt.UTC, 0))
        except ValueError:
            expected.append(None)
    times = form.read(texts)
    assert [None if np.isnat(time) else time.astype(int) for time in times] == expected
