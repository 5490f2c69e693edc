"""Contributions of segments sum up to the change over all rows."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.core.series import to_datetime64
from modeltop.diagnosis.before_after import BeforeAfterWindows
from modeltop.diagnosis.segments import decompose

accuracies = st.floats(0, 1, allow_nan=False)
cases = st.floats(1, 1e6, allow_nan=False)
CHANGE = BeforeAfterWindows(np.datetime64("2025-01-03", "us"), np.datetime64("2025-01-03", "us"))


def test_a_worked_example(make_series):
    # Before 0.9 and 0.8 at 600 and 400 rows: 0.86. After 0.9 and 0.6 at 500 and 500: 0.75.
    good = make_series("accuracy", [0.9, 0.9, 0.9], segment="plan=a", rows=[300.0, 300.0, 500.0])
    bad = make_series("accuracy", [0.8, 0.8, 0.6], segment="plan=b", rows=[200.0, 200.0, 500.0])
    [segmentation] = decompose([good, bad], CHANGE)
    first, second = segmentation.contributions
    assert (segmentation.column, first.segment, second.segment) == ("plan", "plan=b", "plan=a")
    assert first.within == pytest.approx(0.5 * (0.6 - 0.8))
    assert first.mix == pytest.approx(0.1 * (0.8 - 0.86))
    assert (second.within, second.mix) == pytest.approx((0.0, -0.1 * (0.9 - 0.86)))
    assert first.total + second.total == pytest.approx(0.75 - 0.86)


@given(st.lists(st.tuples(accuracies, accuracies, cases, cases), min_size=2, max_size=6))
def test_contributions_sum_up_to_the_overall_change(make_series, cells):
    segments = [
        make_series("accuracy", [before, before, after], segment=f"plan={index}", rows=[rows / 2, rows / 2, later])
        for index, (before, after, rows, later) in enumerate(cells)
    ]
    [segmentation] = decompose(segments, CHANGE)
    before, after, rows_before, rows_after = zip(*cells, strict=True)
    change = np.average(after, weights=rows_after) - np.average(before, weights=rows_before)
    contributions = segmentation.contributions
    assert sum(contribution.total for contribution in contributions) == pytest.approx(change, abs=1e-9)
    for side in (0, 1):
        assert sum(contribution.share[side] for contribution in contributions) == pytest.approx(1)


def test_a_segment_that_is_new_adds_its_distance_from_all_rows_of_before(make_series):
    old = make_series("accuracy", [0.9, 0.9, 0.9], segment="plan=a", rows=[100.0, 100.0, 75.0])
    new = make_series("accuracy", [0.5], segment="plan=b", rows=[25.0], first=2)
    [segmentation] = decompose([old, new], CHANGE)
    assert segmentation.contributions[0].segment == "plan=b"
    assert segmentation.contributions[0].total == pytest.approx(0.25 * (0.5 - 0.9))
    assert segmentation.contributions[0].share == (0.0, 0.25)


def test_columns_are_decomposed_apart_and_features_and_classes_are_none(make_series):
    segments = ("plan=a", "plan=b", "city=x", "city=y", "feature=age", "class=1", "all", "single=1")
    segmentations = decompose([make_series("accuracy", [0.9, 0.9, 0.8], segment=name) for name in segments], CHANGE)
    assert [segmentation.column for segmentation in segmentations] == ["plan", "city"]


def test_without_the_cases_of_segments_there_is_no_sum(make_series):
    segments = [make_series("f1_score", [0.9, 0.9, 0.8], segment=f"plan={name}") for name in "ab"]
    assert decompose(segments, CHANGE) == ()


def test_without_a_period_after_there_is_no_change(make_series):
    windows = BeforeAfterWindows(
        to_datetime64(make_series("accuracy", [0.9]).newest + timedelta(days=2)), np.datetime64("2025-01-03", "us")
    )
    assert decompose([make_series("accuracy", [0.9, 0.9], segment=f"plan={name}") for name in "ab"], windows) == ()
