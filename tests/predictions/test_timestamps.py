"""The dates of a log in other formats than ISO 8601: decided for the column, or refused with what to write."""

import contextlib
import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modeltop.core.errors import SourceError
from modeltop.predictions.engines.base import fetch
from modeltop.predictions.loading import AT, canonical_rows, load_log
from modeltop.predictions.schema_inference import resolve
from modeltop.predictions.spec import LogSpec

MOMENTS = [datetime(2025, 1, 9, 15, 4, 5) + timedelta(days=day, minutes=11) for day in range(7)]  # noqa: DTZ001  naive UTC


def seconds(moment):
    return int((moment - datetime(1970, 1, 1)).total_seconds())  # noqa: DTZ001


@pytest.fixture
def moments_of(written, engine):
    """Return the moments that are read of a column of timestamps, in the order of the file."""

    names = itertools.count()  # an engine reads a file once

    def read(cells, **options):
        rows = [(cell, number % 2, number) for number, cell in enumerate(cells)]
        path = written(rows, f"{next(names)}.csv", ("timestamp", "prediction", "id"))
        spec = LogSpec(sources=(str(path),), id="id", timestamp="timestamp", **options)
        table = canonical_rows(load_log(spec, engine), resolve(spec, engine), engine)
        return [row[AT] for row in fetch(engine, table.select("id", AT).order_by("id")).to_pylist()]

    return read


@pytest.mark.parametrize(
    "written_as",
    [
        "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S UTC", "%Y/%m/%d %H:%M:%S", "%Y.%m.%d %H:%M:%S",
        "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y, %I:%M:%S\u202f%p", "%m/%d/%Y %H:%M:%S GMT",
        "%d/%m/%Y %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%d-%m-%Y %H:%M:%S", "%d.%m.%Y %H:%M:%S+00:00", "%d/%m/%YT%H:%M:%SZ",
    ],
)  # fmt: skip
def test_dates_of_three_numbers_are_read(moments_of, written_as):
    assert moments_of([moment.strftime(written_as) for moment in MOMENTS]) == MOMENTS


@pytest.mark.parametrize("factor", [1, 1_000, 1_000_000, 1_000_000_000])
@pytest.mark.parametrize("suffix", ["", ".0"])
def test_numbers_since_1970_are_read(moments_of, factor, suffix):
    assert moments_of([f"{seconds(moment) * factor}{suffix}" for moment in MOMENTS]) == MOMENTS


def test_numbers_without_zeros_and_days_alone_are_read(moments_of):
    days = [moment.replace(hour=0, minute=0, second=0) for moment in MOMENTS]
    assert moments_of([f"{day.day}.{day.month}.{day.year}" for day in days]) == days
    assert moments_of([f"{day.month}/{day.day}/{day.year}" for day in days]) == days


@pytest.mark.parametrize(("order", "last"), [("%d/%m/%Y", "13/01/2025"), ("%m/%d/%Y", "01/13/2025")])
def test_a_day_above_12_far_behind_the_first_rows_decides(moments_of, order, last):
    cells = [datetime(2025, 1, 2).strftime(order)] * 6_000  # noqa: DTZ001
    *rest, newest = moments_of([*cells, last])
    assert set(rest) == {datetime(2025, 1, 2)}  # noqa: DTZ001
    assert newest == datetime(2025, 1, 13)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (
            ["01/02/2025 10:00", "02/02/2025 10:00"],
            "holds 01/02/2025 10:00, which is ambiguous since no day is above 12",
        ),
        (["13/01/2025", "14/01/2025", "01/13/2025", "01/14/2025"], "13/01/2025 with the day first and 01/13/2025"),
        ([*["01/13/2025"] * 6_000, "13/01/2025"], "has 1 value that cannot be read as a date"),
        (["Jan 3, 2025", "Jan 4, 2025"], "holds Jan 3, 2025, which is not an ISO date"),
        (["01/02/25", "01/13/25"], "holds 01/02/25, which is not an ISO date"),
    ],
)
def test_what_is_not_certain_is_refused_in_one_line(moments_of, cells, message):
    with pytest.raises(SourceError, match=message) as caught:
        moments_of(cells)
    assert "\n" not in str(caught.value)


FORMATS = ["%m/%d/%Y %I:%M:%S %p", "%d.%m.%Y %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%d/%m/%Y %H:%M:%S"]
moments = st.datetimes(datetime(1975, 1, 1), datetime(2099, 12, 31)).map(lambda each: each.replace(microsecond=0))  # noqa: DTZ001


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(moments, min_size=1, max_size=20), st.sampled_from(FORMATS))
def test_no_format_reads_another_moment(moments_of, moments, written_as):
    cells = [moment.strftime(written_as) for moment in moments]
    if all(moment.day <= 12 for moment in moments) and "/%Y" in written_as:
        with contextlib.suppress(SourceError):
            assert moments_of(cells) == moments
    else:
        assert moments_of(cells) == moments


@pytest.mark.parametrize(
    "written_as",
    ["%d.%m.%y %H:%M:%S", "%Y%m%d %H%M%S", "%b %d, %Y %I:%M:%S %p", "%d %B %Y %H:%M:%S%z", "%d/%m/%Y %H.%M.%S.%f"],
)
def test_dates_are_read_in_the_format_that_is_given(moments_of, written_as):
    cells = [moment.replace(tzinfo=UTC).strftime(written_as) for moment in MOMENTS]
    assert moments_of(cells, timestamp_format=written_as) == MOMENTS


def test_days_as_numbers_are_read_in_the_format_that_is_given(moments_of):
    days = [moment.replace(hour=0, minute=0, second=0) for moment in MOMENTS]
    assert moments_of([day.strftime("%Y%m%d") for day in days], timestamp_format="%Y%m%d") == days


def test_local_times_are_moments_on_both_sides_of_the_change_of_clocks(moments_of):
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2025, 10, 25, 12)  # noqa: DTZ001  local times
    local = [start + timedelta(minutes=30 * step) for step in range(60)]
    expected = [moment.replace(tzinfo=berlin).astimezone(UTC).replace(tzinfo=None) for moment in local]
    assert moments_of([str(moment) for moment in local], local_time="Europe/Berlin") == expected
    assert len({wall - utc for wall, utc in zip(local, expected, strict=True)}) == 2


@pytest.mark.parametrize(
    ("cells", "options", "message"),
    [
        (["2025-01-01"], {"timestamp_format": "%Q"}, r"%Q is not one of %Y, "),
        (["2025-01-01"], {"timestamp_format": "%d.%m"}, "has not one year and one month: write one such as"),
        (["01.02.2025"], {"timestamp_format": "%m/%d/%Y"}, "1 value that cannot be read as a date, such as 01.02.2025"),
        (["2025-01-01T00:00:00Z"], {"local_time": "Europe/Berlin"}, "without a zone, and those of timestamp are mom"),
        (["1735689600"], {"local_time": "Europe/Berlin"}, "without a zone, and those of timestamp are moments"),
        (["2025-01-01"], {"local_time": "Berlin"}, "--local-time Berlin is not a time zone: write one such as"),
    ],
)
def test_a_setting_that_is_wrong_or_contradicts_the_values_is_refused(moments_of, cells, options, message):
    with pytest.raises(SourceError, match=message):
        moments_of(cells, **options)


def test_an_hour_that_comes_twice_is_reported(written, engine):
    path = written([("2025-10-25", 1), ("2025-10-26 02:30", 0)], header=("timestamp", "prediction"))
    notes = resolve(LogSpec(sources=(str(path),), local_time="Europe/Berlin"), engine).notes
    assert "local times of the hour before 26 Oct 2025 03:00 come twice: the first of both is used" in notes
