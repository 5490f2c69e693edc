"""Periods that are runs of rows, or values of a column; labels that come in another file; what is read again."""

import numpy as np
import pytest

from modeltop.core.errors import SourceError
from modeltop.predictions.queries.aggregate import aggregate, aggregate_reference
from modeltop.predictions.schema_inference import resolve
from modeltop.predictions.spec import LogSpec

HEADER = ("model", "timestamp", "id", "prediction", "label", "season")


@pytest.fixture
def cells(engine):
    """(model, period) and rows of each cell, in the order in which they come."""

    def made(path, *, since=None, until=None, **asked):
        reading = resolve(LogSpec(sources=(str(path),), **asked), engine)
        bounds = {name: np.datetime64(at, "us") for name, at in (("since", since), ("until", until)) if at}
        return [
            (model, str(period), int(rows))
            for batch in aggregate(reading, engine, **bounds)
            for model, period, rows in zip(
                batch.model, batch.period.astype("M8[s]"), batch.aggregate.count.sum(axis=(1, 2, 3)), strict=True
            )
        ]

    return made


def row(model, day, number, label=1, season=""):
    return (model, f"2025-01-{day:02}", number, 1, label, season)


def test_runs_of_rows_are_each_models_own_and_dated_by_their_first(written, cells):
    path = written([row("b", 9, 1), *(row("a", day, day) for day in (5, 3, 4, 1, 2))], header=HEADER)
    assert cells(path, period="2rows") == [
        ("a", "2025-01-01T00:00:00", 2),
        ("a", "2025-01-03T00:00:00", 2),
        ("a", "2025-01-05T00:00:00", 1),
        ("b", "2025-01-09T00:00:00", 1),
    ]


def test_rows_of_the_same_moment_are_ordered_by_their_number(written, engine):
    rows = [row("a", 1, number, label=int(number > 4)) for number in (10, 9, 2, 3, 1, 4)]
    reading = resolve(LogSpec(sources=(str(written(rows, header=HEADER)),), period="4rows"), engine)
    (batch,) = list(aggregate(reading, engine))
    assert batch.aggregate.count[:, 1].sum(axis=(1, 2)).tolist() == [0, 2]
    assert batch.period[1] - batch.period[0] == np.timedelta64(1, "us")


def test_values_of_a_column_are_dated_per_model_by_their_first_row(written, cells):
    rows = [row("a", 5, 1, season="2"), row("a", 7, 2, season="10"), row("a", 6, 3, season="2")]
    rows += [row("b", 1, 4, season="10"), row("b", 2, 5, season="2"), row("b", 3, 6, season="")]
    assert cells(written(rows, header=HEADER), period="column=season") == [
        ("a", "2025-01-05T00:00:00", 2),
        ("a", "2025-01-07T00:00:00", 1),
        ("b", "2025-01-01T00:00:00", 1),
        ("b", "2025-01-02T00:00:00", 1),
    ]


def test_without_times_the_order_of_the_file_and_a_distance_date_the_periods(written, cells):
    path = written([(1, label) for label in (1, 1, 0, 0, 1)], header=("prediction", "label"))
    assert cells(path, period="2rows", start="2025-01-31", every="MS", model="m") == [
        ("m", "2025-01-31T00:00:00", 2),
        ("m", "2025-02-01T00:00:00", 2),
        ("m", "2025-03-01T00:00:00", 1),
    ]
    with pytest.raises(SourceError, match="--timestamp"):
        cells(path, model="m")


def test_only_whole_periods_are_read_again(written, cells):
    path = written([row("a", day, day) for day in range(1, 20)], header=HEADER)
    assert cells(path, period="W", since="2025-01-09T10:00", until="2025-01-14") == [
        ("a", "2025-01-06T00:00:00", 7),
        ("a", "2025-01-13T00:00:00", 7),
    ]
    assert cells(path, period="5rows", since="2025-01-11") == [
        ("a", "2025-01-11T00:00:00", 5),
        ("a", "2025-01-16T00:00:00", 4),
    ]


@pytest.mark.parametrize("named", ["season=old", "2025-01-01..2025-01-02", "..2025-01-02"])
def test_the_reference_is_one_cell_a_model(written, engine, named):
    rows = [row(model, day, day, season="old" if day < 3 else "new") for model in "ab" for day in (1, 2, 3)]
    reading = resolve(LogSpec(sources=(str(written(rows, header=HEADER)),), reference=named), engine)
    (batch,) = list(aggregate_reference(reading, engine))
    assert batch.model.tolist() == ["a", "b"]
    assert batch.aggregate.count.sum(axis=(1, 2, 3)).tolist() == [2, 2]


def test_a_reference_without_rows_is_told(written, engine):
    reading = resolve(LogSpec(sources=(str(written([row("a", 1, 1)], header=HEADER)),), reference="season=x"), engine)
    with pytest.raises(SourceError, match="no row of the log is in it"):
        list(aggregate_reference(reading, engine))


def test_labels_of_another_file_are_joined_by_the_number_and_the_last_counts(written, engine):
    log = written([(f"2025-01-{day:02}", f"00{day}", 1) for day in (1, 2, 3)], header=("timestamp", "id", "prediction"))
    late = written([("001", 0), ("002", 1), ("001", 1), ("9", 1)], name="late.csv", header=("id", "label"))
    reading = resolve(LogSpec(sources=(str(log),), labels=str(late), id="id"), engine)
    (batch,) = list(aggregate(reading, engine))
    assert [np.argwhere(count)[0][0] for count in batch.aggregate.count] == [1, 1, 2]


@pytest.mark.parametrize(
    ("asked", "said"),
    [({}, "--labels needs --id"), ({"id": "timestamp"}, "has no column timestamp"), ({"id": "idd"}, "mean id")],
)
def test_labels_that_cannot_be_joined_are_told(written, engine, asked, said):
    log = written([("2025-01-01", "1", 1)], header=("timestamp", "id", "prediction"))
    late = written([("1", 0)], name="late.csv", header=("id", "label"))
    with pytest.raises(SourceError, match=said):
        resolve(LogSpec(sources=(str(log),), labels=str(late), **asked), engine)
