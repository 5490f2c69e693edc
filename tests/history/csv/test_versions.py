"""The column of the model's version: when each came into use, without a part in what is a series."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

START = datetime(2025, 1, 1, tzinfo=UTC)


def day(number):
    return START + timedelta(days=number)


def rows(versions, header="date,version,accuracy"):
    lines = [f"{day(number).date()},{version},0.{90 + number % 7}\n" for number, version in enumerate(versions)]
    return "".join([f"{header}\n", *lines])


@pytest.mark.parametrize("name", ["version", "Version", "model_version", "modelVersion", "Model Version"])
@pytest.mark.parametrize("first", ["v1", "3", "2024-11-01", "3f2c9a1"])
def test_the_first_period_of_each_version_is_known_and_no_series_is_split(history_folder, name, first):
    history = history_folder.read(rows([first] * 5 + ["v2"] * 3, f"date,{name},accuracy"))
    assert history.versions == {"m": ((day(0), first), (day(5), "v2"))}
    (series,) = history.series.values()
    assert len(series) == 8
    assert not history.problems


def test_a_version_that_comes_back_is_a_rollback(history_folder):
    history = history_folder.read(rows(["v1", "v1", "v2", "v1"]))
    assert [name for _, name in history.versions["m"]] == ["v1", "v2", "v1"]


def test_rows_that_name_no_version_change_nothing(history_folder):
    history = history_folder.read(rows(["", "v1", "", " v1 ", "v2"]))
    assert history.versions == {"m": ((day(1), "v1"), (day(4), "v2"))}


def test_versions_that_are_served_side_by_side_are_segments_and_start_too(history_folder):
    lines = [
        f"{day(n).date()},{version},0.{value}{n % 10}" for n in range(12) for version, value in (("a", 9), ("b", 8))
    ]
    lines = [line for line in lines if ",b," not in line or line >= str(day(6).date())]
    history = history_folder.read("\n".join(["date,version,accuracy", *lines, ""]))
    assert {key.segment for key in history.series} == {"version=a", "version=b"}
    assert history.versions == {"m": ((day(0), "a"), (day(6), "b"))}


def test_rows_appended_later_go_on_with_the_same_version(history_folder):
    path = history_folder.write(rows(["v1"] * 4))
    reader = history_folder.reader()
    reader.read()
    history_folder.append(path, rows(["v1"] * 5 + ["v2"]).split("\n", 5)[5].encode())
    assert reader.read().versions == {"m": ((day(0), "v1"), (day(5), "v2"))}


@settings(max_examples=60)
@given(st.lists(st.sampled_from(["v1", "v2", "v3"]), min_size=1, max_size=40))
def test_a_version_starts_where_it_differs_from_the_day_before(make_history_folder, versions):
    expected = [(day(n), name) for n, name in enumerate(versions) if n == 0 or versions[n - 1] != name]
    assert make_history_folder().read(rows(versions)).versions["m"] == tuple(expected)
