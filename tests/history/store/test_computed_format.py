"""The format of computed files: what is written, and that it is read as it was written."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltop.core.errors import StoreError
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.history.reader import Reader
from modeltop.history.store.computed import is_equivalent
from modeltop.history.store.computed_format import ComputedHistory, decode_computed, encode_computed, normalized

CATALOG = MetricRegistry()
NAN = float("nan")
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).map(str.strip).filter(bool)


def needs_labels(metric):
    return metric != "positive_rate"


def encoded(history):
    return encode_computed(normalized(history, CATALOG), needs_labels)


def test_a_period_is_one_row_of_shortest_exact_numbers(computed_history):
    data = encoded(computed_history([9, 10], accuracy=[0.1 + 0.2, NAN], recall=[0.5, 0.25], recall_count=[40, NAN]))
    assert data.decode() == (
        "date,model,segment,count,accuracy,recall,recall_count,provisional\n"
        "2025-01-09,churn,all,100,0.30000000000000004,0.5,40,false\n"
        "2025-01-10,churn,all,100,,0.25,,false\n"
    )


def test_metrics_that_wait_for_labels_have_a_row_of_their_own(computed_history):
    data = encoded(computed_history([9, 10], pending=[10], accuracy=[0.9, 0.8], positive_rate=[0.3, 0.4]))
    assert data.decode().splitlines()[1:] == [
        "2025-01-09,churn,all,100,0.9,0.3,false",
        "2025-01-10,churn,all,100,,0.4,false",
        "2025-01-10,churn,all,100,0.8,,true",
    ]


def test_a_reader_takes_the_flag_of_each_metric_from_its_own_row(computed_history, tmp_path):
    (tmp_path / "x.computed.csv").write_bytes(
        encoded(
            computed_history(
                [8, 9, 10], pending=[9], provisional=[10], accuracy=[0.9, 0.8, 0.7], positive_rate=[0.3, 0.4, 0.5]
            )
        )
    )
    series = {key.metric: series for key, series in Reader([tmp_path], catalog=CATALOG).read().series.items()}
    assert series["accuracy"].evaluable().tolist() == [True, False, False]
    assert series["positive_rate"].evaluable().tolist() == [True, True, False]
    assert series["accuracy"].support.tolist() == [100, 100, 100]


def test_columns_that_a_reader_derives_are_not_stored(computed_history):
    names = normalized(
        computed_history(
            [9, 10], accuracy=[0.9, 0.8], accuracy_count=[100, 100], accuracy_low=[0.8, 0.7], recall=[1, NAN]
        ),
        CATALOG,
    ).columns
    assert list(names) == ["accuracy", "recall"]


def test_the_support_is_stored_where_not_every_row_has_a_label(computed_history):
    [counts] = (
        normalized(computed_history([9, 10], accuracy=[0.9, 0.8], accuracy_count=[100, 60]), CATALOG).columns[
            "accuracy_count"
        ],
    )
    assert np.isnan(counts[0])
    assert counts[1] == 60


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [(0.123456789, 0.123456, 0.123457), (-0.5, -0.5, -0.5), (12345678.9, 12345678.9, 12345678.9), (0.0, 0.0, 0.0)],
)
def test_bounds_are_rounded_outwards_to_six_digits(computed_history, value, low, high):
    columns = normalized(
        computed_history([9], f1_score=[0.5], f1_score_low=[value], f1_score_high=[value]), CATALOG
    ).columns
    assert (columns["f1_score_low"][0], columns["f1_score_high"][0]) == (low, high)


def test_all_comes_before_its_segments_and_days_in_order(computed_history):
    first, second = computed_history([10, 9], accuracy=[1, 2]), computed_history([9], segment="EU=1", accuracy=[3])
    arrays = (np.concatenate([getattr(first, name), getattr(second, name)]) for name in ("times", "segments", "rows"))
    flags = np.zeros(3, dtype=bool)
    both = ComputedHistory("churn", *arrays, flags, flags, {"accuracy": np.array([1.0, 2.0, 3.0])})
    assert normalized(both, CATALOG).columns["accuracy"].tolist() == [2, 3, 1]


@settings(max_examples=60)
@given(
    NAMES,
    NAMES,
    st.lists(st.floats(allow_nan=True, allow_infinity=False), min_size=2, max_size=2),
    st.sampled_from([(False, False), (False, True), (True, True)]),
)
def test_what_is_written_is_what_is_read(model, segment, values, flags):
    times = np.array(["2025-01-09", "2025-01-10T02:30"], dtype="datetime64[us]")
    provisional, pending = (np.array([False, flag]) for flag in flags)
    columns = {"positive_rate": np.array([0.5, 0.25]), "recall": np.array(values)}
    before = normalized(
        ComputedHistory(
            model, times, np.array([segment] * 2, dtype=object), np.array([1.0, NAN]), provisional, pending, columns
        ),
        CATALOG,
    )
    data = encode_computed(before, needs_labels)
    after = decode_computed(data, "x")
    assert after.model == model
    assert encode_computed(after, needs_labels) == data
    assert is_equivalent(after, decode_computed(encode_computed(after, needs_labels), "x"))


@pytest.mark.parametrize(
    "row",
    [
        pytest.param("2025-01-01,m,all,1,x,false\n", id="no number"),
        pytest.param("2025-01-01,m,all,1,0.5,fal\n", id="no flag"),
        pytest.param("2025-01-01,m,all,1,0.5,false", id="cut short"),
        pytest.param("2025-01-01,m,all,1,0.5,0.5,false\n", id="one cell too many"),
        pytest.param('"', id="a quote that stays open"),
    ],
)
def test_a_file_that_compute_did_not_write_is_refused(row):
    for header in ("date,model,segment,count,a,provisional\n", "date,a\n", "\xff", ""):
        with pytest.raises(StoreError, match="move it away"):
            decode_computed((header + row).encode("latin-1"), "churn.computed.csv")


def test_of_periods_without_any_value_only_the_header_is_written():
    times, complete = np.array(["2025-01-09"], dtype="datetime64[us]"), np.array([False])
    columns = {"recall": np.array([NAN])}
    history = ComputedHistory(
        "churn", times, np.array(["all"], dtype=object), np.array([1.0]), complete, complete, columns
    )
    assert encode_computed(history, needs_labels) == b"date,model,segment,count,recall,provisional\n"
