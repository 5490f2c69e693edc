"""Counts of features by the bins of their reference, counted once more by numpy."""

import numpy as np
import pytest

from modeltop.predictions.aggregates.feature import QUANTILES
from modeltop.predictions.queries.features import aggregate_features
from modeltop.predictions.schema_inference import resolve
from modeltop.predictions.spec import LogSpec

HEADER = ("model", "timestamp", "score", "prediction", "label", "amount", "plan")


@pytest.fixture
def written_log(written):
    random = np.random.default_rng(3)
    rows = []
    for number in range(400):
        day = 1 + number // 100
        amount = "" if number % 50 == 7 else f"{random.normal(day if day > 2 else 0):.3f}"
        plan = "new" if day == 4 and number % 2 else ("basic", "family")[number % 2]
        rows.append(("m", f"2025-01-{day:02}", 0.7, 1, 1, amount, plan))
    return rows, written(rows, header=HEADER)


@pytest.fixture
def batches(written_log, engine):
    """Return the batch of each feature by its name."""
    return read(written_log, engine)


def read(written_log, engine):
    log = LogSpec(
        sources=(str(written_log[1]),),
        timestamp="timestamp",
        scores=("score",),
        prediction="prediction",
        label="label",
        features=("amount", "plan"),
        reference="2025-01-01..2025-01-02",
    )
    return {batch.aggregate.reference.name: batch for batch in aggregate_features(resolve(log, engine), engine)}


def test_a_number_falls_into_the_quantiles_of_its_reference(written_log, batches):
    counts = batches["amount"].aggregate
    edges = counts.reference.edges
    assert len(edges) == QUANTILES - 1
    for index, day in enumerate(range(1, 5)):
        values = [row[5] for row in written_log[0] if row[1].endswith(f"{day:02}")]
        slots = np.searchsorted(edges, [float(value) for value in values if value], side="right")
        expected = [*np.bincount(slots, minlength=QUANTILES), 0, values.count("")]
        assert counts.count[index].tolist() == expected


def test_the_smallest_and_largest_value_of_a_number_are_kept_of_each_day_and_of_the_reference(written_log, batches):
    counts = batches["amount"].aggregate
    days = [[float(row[5]) for row in written_log[0] if row[5] and row[1].endswith(f"{day:02}")] for day in range(1, 5)]
    assert counts.extremes.tolist() == [[min(day), max(day)] for day in days]
    first = counts.take(slice(0, 1)).extremes[0]
    assert counts.reference.extremes[0] <= first[0]
    both = counts.merge(np.array([0, 0, 1, 1]), 2).extremes.tolist()
    assert both == [[min(days[0] + days[1]), max(days[0] + days[1])], [min(days[2] + days[3]), max(days[2] + days[3])]]


def test_the_reference_falls_into_its_own_quantiles_evenly(batches):
    inside = batches["amount"].aggregate.reference.count[:QUANTILES]
    assert inside.max() - inside.min() <= 2


def test_a_category_that_the_reference_never_had_is_counted_as_other(batches):
    counts = batches["plan"].aggregate
    assert set(counts.reference.categories) == {"basic", "family"}
    assert counts.count[:, -2].tolist() == [0, 0, 0, 50]
    assert counts.count.sum(axis=1).tolist() == [100] * 4


def test_text_is_parsed_once_for_all_features(written_log, engine, monkeypatch):
    parsed, materialize = [], engine.materialize
    monkeypatch.setattr(engine, "materialize", lambda rows: parsed.append(rows) or materialize(rows))
    assert set(read(written_log, engine)) == {"amount", "plan"}
    assert len(parsed) == 1
