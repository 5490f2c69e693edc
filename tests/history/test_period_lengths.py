"""Hourly and daily values of one model do not overwrite each other, whatever the order of the files."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

DAYS = [date(2025, 1, 1) + timedelta(days=number) for number in range(10)]
HEADER = "date,model,accuracy\n"
NOON = datetime(2025, 1, 1, tzinfo=UTC)


def every(step, count, value, start=NOON):
    """Rows of so many periods in a row."""
    return HEADER + "".join(
        f"{(start + step * number).isoformat()},churn,{value(number):.3f}\n" for number in range(count)
    )


HOURLY = every(timedelta(hours=1), 240, lambda number: 0.9 if number % 24 == 0 else 0.95)
DAILY = every(timedelta(days=1), 10, lambda _: 0.94)


def by_segment(history):
    return {key.segment: series for key, series in history.series.items()}


@pytest.mark.parametrize("order", [(HOURLY, DAILY), (DAILY, HOURLY)], ids=["the days last", "the hours last"])
def test_days_are_kept_apart_from_hours(history_folder, order):
    history = history_folder.read(*order)
    series = by_segment(history)
    assert len(series["all"]) == 240
    assert series["all"].values[::24].tolist() == [0.9] * 10
    assert series["period=day"].values.tolist() == [0.94] * 10
    (problem,) = history.problems
    assert "period=day" in problem.message


@pytest.mark.parametrize(
    ("step", "count", "segment"),
    [
        pytest.param(timedelta(days=7), 8, "period=week", id="weeks"),
        pytest.param(timedelta(days=30), 6, "period=month", id="months"),
        pytest.param(timedelta(days=2), 8, "period=2d", id="pairs of days"),
    ],
)
def test_longer_periods_are_kept_apart_from_days(history_folder, step, count, segment):
    days = every(timedelta(days=1), 200, lambda _: 0.9)
    history = history_folder.read(days, every(step, count, lambda _: 0.8))
    assert set(by_segment(history)) == {"all", segment}
    assert set(by_segment(history)["all"].values.tolist()) == {0.9}


@pytest.mark.parametrize(
    ("second", "values"),
    [
        pytest.param(every(timedelta(hours=1), 48, lambda _: 0.7), 48, id="the first two days anew"),
        pytest.param(every(timedelta(hours=1), 240, lambda _: 0.7), 240, id="all hours anew"),
        pytest.param(every(timedelta(days=1), 3, lambda _: 0.7), 3, id="three midnights"),
        pytest.param(
            HEADER + "".join(f"2025-01-{2 + n:02}T{n * 7 % 24:02}:00:00,churn,0.7\n" for n in range(8)), 8,
            id="hours here and there",
        ),
    ],
)  # fmt: skip
def test_a_later_file_of_the_same_periods_is_a_correction(history_folder, second, values):
    history = history_folder.read(HOURLY, second)
    (series,) = history.series.values()
    assert (series.values == 0.7).sum() == values
    assert history.problems == ()


def test_days_that_agree_with_their_first_hour_are_no_fault(history_folder):
    history = history_folder.read(HOURLY, every(timedelta(days=1), 10, lambda _: 0.9))
    assert set(by_segment(history)) == {"all"}
    assert history.problems == ()


def test_days_before_there_were_hours_are_one_series_with_them(history_folder):
    history = history_folder.read(every(timedelta(days=1), 60, lambda _: 0.94, NOON - timedelta(days=60)), HOURLY)
    (series,) = history.series.values()
    assert len(series) == 300
    assert history.problems == ()


def test_a_metric_that_only_the_days_have_stays_where_it_is(history_folder):
    both = DAILY.replace("accuracy", "accuracy,recall").replace("0.940\n", "0.940,0.8\n")
    history = history_folder.read(HOURLY, both)
    assert {(key.metric, key.segment) for key in history.series} == {
        ("accuracy", "all"), ("accuracy", "period=day"), ("recall", "all"),
    }  # fmt: skip


def test_a_file_for_each_day_is_kept_apart_too(history_folder):
    for number, line in enumerate(DAILY.splitlines(keepends=True)[1:]):
        history_folder.write(HEADER + line, f"day-{number}.csv")
    history_folder.write(HOURLY, "hours.csv")
    series = by_segment(history_folder.reader().read())
    assert series["all"].values[::24].tolist() == [0.9] * 10
    assert len(series["period=day"]) == 10


def test_series_that_did_not_change_stay_the_same_objects(history_folder):
    history_folder.write(HOURLY, "hours.csv")
    path = history_folder.write(DAILY, "days.csv")
    other = history_folder.write("date,accuracy\n2025-01-01,0.5\n", "other.csv")
    reader = history_folder.reader()
    before = reader.read()
    assert reader.read() is before
    history_folder.append(other, b"2025-01-02,0.5\n")
    after = reader.read()
    assert {key for key in after.series if after.series[key] is not before.series[key]} == {
        key for key in after.series if key.model == "other"
    }
    history_folder.append(path, b"2025-01-11,churn,0.94\n")
    assert len(by_segment(reader.read())["period=day"]) == 11


@settings(max_examples=25, deadline=None)
@given(files=st.permutations([HOURLY, DAILY, every(timedelta(minutes=15), 400, lambda _: 0.91)]))
def test_the_order_of_the_files_decides_nothing(make_history_folder, values_of, files):
    history = make_history_folder().read(*files)
    reference = make_history_folder().read(*sorted(files))
    assert values_of(history) == values_of(reference)
