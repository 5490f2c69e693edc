"""Many rows, one value a period."""

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import SeriesKey
from modeltop.history.merge import Block, merge_blocks

cell = st.one_of(st.just(float("nan")), st.sampled_from([0.1, 0.2, 0.3]))
rows = st.lists(st.tuples(st.integers(0, 6), cell, cell, cell, st.booleans()), max_size=12)


def block(lines):
    days, values, counts, lows, flags = ([line[i] for line in lines] for i in range(5))
    times = np.array(days, dtype="datetime64[D]").astype("datetime64[us]")
    low = {"kpi": np.array(lows, dtype=float)}
    return Block(
        "m", "all", times, {"kpi": np.array(values, dtype=float)}, {}, low, {}, np.array(counts), np.array(flags, bool)
    )


def expected(lines):
    """Merge row by row."""
    periods = {}
    for day, value, count, low, flag in lines:
        period = periods.setdefault(day, {"value": None, "count": None, "low": None, "flag": False})
        if not math.isnan(value):
            period.update(value=value, low=None, flag=flag)
        if not math.isnan(low):
            period["low"] = low
        if not math.isnan(count):
            period["count"] = count
    return [(day, *periods[day].values()) for day in sorted(periods) if periods[day]["value"] is not None]


def plain(column, size, missing=None):
    return [missing] * size if column is None else [None if math.isnan(x) else x for x in column.tolist()]


@given(st.lists(rows.filter(len), min_size=1, max_size=3))
def test_merging_equals_merging_row_by_row(blocks):
    merged, _ = merge_blocks([block(lines) for lines in blocks], MetricRegistry())
    expected_rows = expected([line for lines in blocks for line in lines])
    if not expected_rows:
        assert merged == []
        return
    (series,) = merged
    size = len(series)
    days = series.times.astype("datetime64[D]").astype(int).tolist()
    columns = [plain(column, size) for column in (series.values, series.rows, series.low)]
    assert list(zip(days, *columns, plain(series.provisional, size, missing=False), strict=True)) == expected_rows


def test_a_sorted_complete_block_is_not_copied():
    sorted_block = block([(1, 0.1, 5.0, 0.0, False), (2, 0.2, 5.0, 0.0, False)])
    ((series,), _) = merge_blocks([sorted_block], MetricRegistry())
    assert series.values is sorted_block.values["kpi"]
    assert series.times is sorted_block.times


def test_columns_without_any_value_are_left_out():
    nan = float("nan")
    ((series,), _) = merge_blocks([block([(1, 0.1, nan, nan, False)])], MetricRegistry())
    assert (series.rows, series.low, series.provisional) == (None, None, None)


def test_a_corrected_value_does_not_keep_the_interval_of_the_old_one(history_folder):
    old = "date,model,accuracy,accuracy_low\n2025-01-01,m,0.9,0.88\n"
    (series,) = history_folder.read(old, "date,model,accuracy\n2025-01-01,m,0.5\n").series.values()
    assert (series.latest, series.low) == (0.5, None)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_models_and_metrics_stand_in_the_order_of_their_first_row(history_folder, order):
    files = ["date,model,f1,accuracy\n2025-01-01,b,1,1\n2025-01-01,a,1,1\n", "date,model,recall,f1\n2025-01-01,a,1,1\n"]
    history = history_folder.read(*(files[i] for i in order))
    keys = [(key.model, key.metric) for key in history.series]
    first = [("b", "f1_score"), ("b", "accuracy"), ("a", "f1_score"), ("a", "accuracy"), ("a", "recall")]
    second = [("a", "recall"), ("a", "f1_score"), ("a", "accuracy"), ("b", "f1_score"), ("b", "accuracy")]
    assert keys == (first if order == (0, 1) else second)


def test_rows_are_the_support_of_accuracy_but_not_of_recall(history_folder):
    rows = "2025-01-01,100,0.9,0.8,\n2025-01-02,50,0.9,0.8,7\n"
    series = history_folder.read("date,count,accuracy,recall,recall_count\n" + rows).series
    assert series[SeriesKey("m", "accuracy")].support.tolist() == [100, 50]
    assert str(series[SeriesKey("m", "recall")].support.tolist()) == "[nan, 7.0]"
    assert series[SeriesKey("m", "recall")].rows.tolist() == [100, 50]


def test_a_support_of_its_own_goes_before_the_rows(history_folder):
    rows = "2025-01-01,100,0.9,60\n2025-01-02,50,0.9,\n"
    series = history_folder.read("date,count,accuracy,accuracy_count\n" + rows).series
    assert series[SeriesKey("m", "accuracy")].support.tolist() == [60, 50]


@pytest.mark.parametrize(
    ("rows", "refused"),
    [
        pytest.param(
            "2025-01-01,0.9\n2025-01-02,95\n2025-01-03,\n", ["2025-01-02"], id="an empty cell is no refused one"
        ),
        pytest.param("2025-01-01,95\n2025-01-01,0.9\n", [], id="a later row corrects it"),
        pytest.param("2025-01-01,0.9\n2025-01-01,95\n", ["2025-01-01"], id="a correction that cannot be read counts"),
        pytest.param("2025-01-02,95\n2025-01-01,x\n", ["2025-01-01", "2025-01-02"], id="no value at all, sorted"),
    ],
)
@pytest.mark.parametrize("files", [1, 2])
def test_periods_whose_last_value_could_not_be_read_are_refused(history_folder, rows, refused, files):
    header, lines = "date,accuracy\n", rows.splitlines(keepends=True)
    texts = [header + rows] if files == 1 else [header + lines[0], header + "".join(lines[1:])]
    for index, text in enumerate(texts):
        history_folder.write("model," + text.replace("\n2", "\nm,2"), f"{index}.csv")
    history = history_folder.reader().read()
    assert {
        key.metric: times.astype("datetime64[D]").astype(str).tolist() for key, times in history.refused.items()
    } == ({"accuracy": refused} if refused else {})


def appended(days, delay):
    """One row a day of latency, and of accuracy `delay` days later."""
    first = np.datetime64("2025-01-01")
    for day in range(days):
        yield f"{first + np.timedelta64(day, 'D')},,120\n"
        if day >= delay:
            yield f"{first + np.timedelta64(day - delay, 'D')},0.9,\n"


@pytest.mark.parametrize(
    ("rows", "days"),
    [
        pytest.param(list(appended(30, 7)), 7, id="labels that come a week later"),
        pytest.param(sorted(appended(30, 7)), 0, id="a sorted file shows no delay"),
        pytest.param(list(appended(30, 7))[::-1], 0, id="nor does one with its newest rows first"),
        pytest.param(random.Random(1).sample(list(appended(30, 7)), 53), 0, id="nor one in no order"),
        pytest.param([*appended(30, 0), "2025-01-02,0.8,\n"], 0, id="a correction is no delay"),
    ],
)
def test_a_file_that_is_appended_to_shows_how_late_values_come(history_folder, rows, days):
    history = history_folder.read("date,accuracy,latency_ms\n" + "".join(rows))
    assert history.series[SeriesKey("m", "accuracy")].usual_delay == days * 86_400
    assert history.series[SeriesKey("m", "latency_ms")].usual_delay == 0
