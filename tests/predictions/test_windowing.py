"""Periods by runs of rows or values of a column, labels in another file, and models grouped by code or by name."""

import numpy as np
import pytest

from modeltop.core.errors import SourceError
from modeltop.predictions.engines.duckdb import DuckEngine
from modeltop.predictions.queries.aggregate import aggregate, aggregate_reference
from modeltop.predictions.schema_inference import resolve
from modeltop.predictions.spec import LogSpec

HEADER = ("model", "timestamp", "id", "prediction", "label", "season")


@pytest.fixture
def cells(engine):
    """(model, period, rows) of each cell, in the order in which they come."""

    def read(path, *, since=None, **options):
        log = resolve(LogSpec(sources=(str(path),), **options), engine)
        return [
            (model, str(period), int(rows))
            for batch in aggregate(log, engine, since=since and np.datetime64(since, "us"))
            for model, period, rows in zip(
                batch.model, batch.period.astype("M8[s]"), batch.aggregate.count.sum(axis=(1, 2, 3)), strict=True
            )
        ]

    return read


def make_row(model, day, number, label=1, season=""):
    return (model, f"2025-01-{day:02}", number, 1, label, season)


def test_runs_of_rows_are_each_models_own_and_dated_by_their_first(written, cells):
    path = written([make_row("b", 9, 1), *(make_row("a", day, day) for day in (5, 3, 4, 1, 2))], header=HEADER)
    assert cells(path, period="2rows") == [
        ("a", "2025-01-01T00:00:00", 2),
        ("a", "2025-01-03T00:00:00", 2),
        ("a", "2025-01-05T00:00:00", 1),
        ("b", "2025-01-09T00:00:00", 1),
    ]


def test_rows_of_the_same_moment_are_ordered_by_their_number(written, engine):
    rows = [make_row("a", 1, number, label=int(number > 4)) for number in (10, 9, 2, 3, 1, 4)]
    log = resolve(LogSpec(sources=(str(written(rows, header=HEADER)),), period="4rows"), engine)
    (batch,) = list(aggregate(log, engine))
    assert batch.aggregate.count[:, 1].sum(axis=(1, 2)).tolist() == [0, 2]
    assert batch.period[1] - batch.period[0] == np.timedelta64(1, "us")


def test_values_of_a_column_are_dated_per_model_by_their_first_row(written, cells):
    rows = [make_row("a", 5, 1, season="2"), make_row("a", 7, 2, season="10"), make_row("a", 6, 3, season="2")]
    rows += [make_row("b", 1, 4, season="10"), make_row("b", 2, 5, season="2"), make_row("b", 3, 6, season="")]
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


def test_only_complete_periods_are_read_again(written, cells):
    path = written([make_row("a", day, day) for day in range(1, 20)], header=HEADER)
    assert cells(path, period="W", since="2025-01-09T10:00") == [
        ("a", "2025-01-06T00:00:00", 7),
        ("a", "2025-01-13T00:00:00", 7),
    ]
    assert cells(path, period="5rows", since="2025-01-11") == [
        ("a", "2025-01-11T00:00:00", 5),
        ("a", "2025-01-16T00:00:00", 4),
    ]


@pytest.mark.parametrize("reference", ["season=old", "2025-01-01..2025-01-02", "..2025-01-02"])
def test_the_reference_is_one_cell_a_model(written, engine, reference):
    rows = [make_row(model, day, day, season="old" if day < 3 else "new") for model in "ab" for day in (1, 2, 3)]
    log = resolve(LogSpec(sources=(str(written(rows, header=HEADER)),), reference=reference), engine)
    (batch,) = list(aggregate_reference(log, engine))
    assert batch.model.tolist() == ["a", "b"]
    assert batch.aggregate.count.sum(axis=(1, 2, 3)).tolist() == [2, 2]


def test_a_reference_without_rows_is_refused(written, engine):
    log = resolve(LogSpec(sources=(str(written([make_row("a", 1, 1)], header=HEADER)),), reference="season=x"), engine)
    with pytest.raises(SourceError, match="no row of the log is in it"):
        list(aggregate_reference(log, engine))


def test_labels_of_another_file_are_joined_by_the_number_and_the_last_counts(written, engine):
    path = written(
        [(f"2025-01-{day:02}", f"00{day}", 1) for day in (1, 2, 3)], header=("timestamp", "id", "prediction")
    )
    labels = written([("001", 0), ("002", 1), ("001", 1), ("9", 1)], name="labels.csv", header=("id", "label"))
    log = resolve(LogSpec(sources=(str(path),), labels=str(labels), id="id"), engine)
    (batch,) = list(aggregate(log, engine))
    assert [np.argwhere(count)[0][0] for count in batch.aggregate.count] == [1, 1, 2]


@pytest.mark.parametrize(
    ("options", "message"),
    [({}, "--labels needs --id"), ({"id": "timestamp"}, "has no column timestamp"), ({"id": "idd"}, "mean id")],
)
def test_labels_that_cannot_be_joined_are_refused(written, engine, options, message):
    path = written([("2025-01-01", "1", 1)], header=("timestamp", "id", "prediction"))
    labels = written([("1", 0)], name="labels.csv", header=("id", "label"))
    with pytest.raises(SourceError, match=message):
        resolve(LogSpec(sources=(str(path),), labels=str(labels), **options), engine)


DIFFICULT_NAMES = ["a'b", "[/]", "007", "NA", "Z", "a", "ä", "宽" * 20, "x" * 300]


def make_rows(names):
    """n + 1 rows of the n-th model, every third on the second day."""
    return [
        (name, f"2025-01-0{1 + row % 3 // 2}", 0.7, 1, row % 2) for n, name in enumerate(names) for row in range(n + 1)
    ]


@pytest.mark.parametrize(
    ("names", "encoded"),
    [
        pytest.param(["only"], True, id="a single one"),
        pytest.param(DIFFICULT_NAMES, True, id="names with quotes, markup, wide characters"),
        pytest.param([f"m{n}" for n in range(DuckEngine.max_dictionary_size)], True, id="as many as are encoded"),
        pytest.param([f"m{n}" for n in range(DuckEngine.max_dictionary_size + 1)], False, id="one more"),
    ],
)
def test_each_model_has_its_own_rows(written, cells_of, engine, names, encoded):
    path = written(make_rows(names))
    assert bool(resolve(LogSpec(sources=(str(path),)), engine).models) == encoded
    cells = cells_of(path)
    assert [model for model, *_ in cells] == sorted(model for model, *_ in cells)
    rows = {name: sum(int(counts.count.sum()) for key, counts in cells.items() if key[0] == name) for name in names}
    assert rows == {name: n + 1 for n, name in enumerate(names)}


@pytest.mark.parametrize("others", [1, DuckEngine.max_dictionary_size + 1])
def test_rows_without_the_name_of_a_model_belong_to_none(written, cells_of, others):
    names = [f"m{n}" for n in range(others)]
    cells = cells_of(written([*make_rows(names), ("", "2025-01-01", 0.9, 1, 1)]))
    assert {model for model, *_ in cells} == set(names)
    assert sum(int(counts.count.sum()) for counts in cells.values()) == sum(n + 1 for n in range(others))


def test_segments_and_runs_of_rows_have_the_right_models(written, cells_of):
    rows = [(*row, row[0][:1]) for row in make_rows(["b", "a", "c"])]
    header = ("model", "timestamp", "score", "prediction", "label", "part")
    cells = cells_of(written(rows, header=header), segments=("part",), period="2rows")
    assert {(model, segment) for model, _, segment in cells} == {
        (name, segment) for name in "abc" for segment in ("all", f"part={name}")
    }
    assert np.sum([counts.count.sum() for counts in cells.values()]) == 2 * len(rows)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("2025-01-02..2025-01-04", {1: 1, 2: 2, 4: 1, 5: 2, 7: 2}),
        ("..2025-01-03", {1: 2, 3: 1, 4: 2, 6: 2, 8: 1}),
        ("season=old", {2: 2, 4: 1, 1: 2, 6: 2, 8: 1}),
    ],
)
def test_no_run_of_rows_is_partly_in_the_reference(written, cells, reference, expected):
    rows = [make_row("a", day, day, season="old" if 2 <= day <= 4 else "new") for day in range(1, 9)]
    found = cells(written(rows, header=HEADER), period="2rows", reference=reference)
    assert {int(start[8:10]): count for _, start, count in found} == expected
