"""Aggregates merge: that of a month is the merge of its days', in any order and grouping."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltop.predictions.aggregates.base import CellBatch
from modeltop.predictions.aggregates.classification import BinaryCounts
from modeltop.predictions.aggregates.regression import RegressionSums


def arrays(aggregate):
    values = {field.name: getattr(aggregate, field.name) for field in fields(aggregate)}
    return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}


def assert_same(first, second):
    for name, array in arrays(first).items():
        assert np.allclose(array, arrays(second)[name], rtol=1e-12, atol=1e-15), name
        if array.dtype.kind == "i":
            assert np.array_equal(array, arrays(second)[name]), name


@st.composite
def logs(draw):
    """Return the day, the label and the score of each row."""
    rows = draw(st.integers(0, 40))
    cell = draw(st.lists(st.integers(0, 4), min_size=rows, max_size=rows))
    label = draw(st.lists(st.integers(0, 2), min_size=rows, max_size=rows))
    score = draw(st.lists(st.sampled_from([0.0, 1e-9, 0.3, 0.5, 0.999999, 1.0, np.nan]), min_size=rows, max_size=rows))
    return np.array(cell, dtype=int), np.array(label, dtype=int), np.array(score, dtype=float)


@given(logs())
@settings(max_examples=40, deadline=None)
def test_the_aggregate_of_a_month_is_the_merge_of_its_days(binary, merge_all, log):
    cell, label, score = log
    prediction = (np.nan_to_num(score) >= 0.5).astype(int)
    by_day = binary(label, prediction, score, cell=cell, cells=5)
    at_once = binary(label, prediction, score)
    assert_same(merge_all(by_day), at_once)
    weeks = by_day.merge(np.array([0, 1, 0, 1, 2]), 3)
    assert_same(merge_all(weeks.take(np.array([2, 0, 1]))), at_once)


@given(st.lists(st.lists(st.floats(-1e3, 1e3), max_size=6), min_size=1, max_size=5), st.floats(-1e9, 1e9))
@settings(max_examples=60, deadline=None)
def test_the_spread_of_labels_merges_even_where_they_are_large_and_close_together(
    regression, concat, merge_all, groups, offset
):
    labels = [np.array(group) + offset for group in groups]
    merged = merge_all(concat([regression(label, label) for label in labels]))
    label = np.concatenate(labels)
    exact = ((label - label.mean()) ** 2).sum() if len(label) else 0.0
    assert merged.spread[0] == pytest.approx(exact, rel=1e-9, abs=1e-6 * max(1.0, abs(offset) * 1e-9))
    assert merged.count[0] == len(label)


def test_some_cells_are_taken_with_all_that_cells_share(multiclass, concat):
    counts = multiclass([0, 1, 2, 1], [0, 1, 1, 0], np.full((4, 2), 0.5), size=2)
    both = concat([counts, multiclass([0], [1], np.full((1, 2), 0.5), size=2)])
    assert len(both) == 2
    assert_same(both.take(slice(0, 1)), counts)
    assert both.take(slice(0, 1)).classes == ("a", "b")


def test_a_group_without_cells_is_empty(regression):
    merged = regression([1.0, 2.0], [1.0, 1.0]).merge(np.array([1]), 3)
    assert merged.count.tolist() == [0, 2, 0]
    assert merged.spread.tolist() == [0.0, 0.5, 0.0]


def test_a_batch_has_the_size_of_its_aggregate():
    names = np.array(["m", "m"], dtype=object)
    batch = CellBatch(names, np.array(["2025-01-01", "2025-01-02"], "datetime64[us]"), names, BinaryCounts.empty(2))
    assert len(batch) == len(batch.aggregate) == 2
    assert len(RegressionSums.empty(7)) == 7
