"""Few models are grouped by number, many by name; nobody can tell which from the answer."""

import numpy as np
import pytest

from modeltop.predictions.engines.duckdb import DuckEngine
from modeltop.predictions.schema_inference import resolve
from modeltop.predictions.spec import LogSpec

ODD = ["a'b", "[/]", "007", "NA", "Z", "a", "ä", "宽" * 20, "x" * 300]


@pytest.fixture
def reading(engine):
    return lambda path: resolve(LogSpec(sources=(str(path),)), engine)


def rows_of(names):
    """Of the n-th name n + 1 rows, one of three in the second day."""
    return [
        (name, f"2025-01-0{1 + row % 3 // 2}", 0.7, 1, row % 2) for n, name in enumerate(names) for row in range(n + 1)
    ]


@pytest.mark.parametrize(
    ("names", "coded"),
    [
        pytest.param(["only"], True, id="one"),
        pytest.param(ODD, True, id="names that hurt"),
        pytest.param([f"m{n}" for n in range(DuckEngine.max_dictionary_size)], True, id="as many as are numbered"),
        pytest.param([f"m{n}" for n in range(DuckEngine.max_dictionary_size + 1)], False, id="one more"),
    ],
)
def test_each_model_has_its_own_rows(written, cells_of, reading, names, coded):
    path = written(rows_of(names))
    assert bool(reading(path).models) == coded
    found = cells_of(path)
    assert [model for model, *_ in found] == sorted(model for model, *_ in found)
    counts = {name: sum(int(tally.count.sum()) for key, tally in found.items() if key[0] == name) for name in names}
    assert counts == {name: n + 1 for n, name in enumerate(names)}


@pytest.mark.parametrize("others", [1, DuckEngine.max_dictionary_size + 1])
def test_rows_without_the_name_of_a_model_belong_to_none(written, cells_of, others):
    names = [f"m{n}" for n in range(others)]
    found = cells_of(written([*rows_of(names), ("", "2025-01-01", 0.9, 1, 1)]))
    assert {model for model, *_ in found} == set(names)
    assert sum(int(tally.count.sum()) for tally in found.values()) == sum(n + 1 for n in range(others))


def test_segments_and_runs_of_rows_know_their_models_too(written, cells_of):
    rows = [(*row, row[0][:1]) for row in rows_of(["b", "a", "c"])]
    header = ("model", "timestamp", "score", "prediction", "label", "part")
    found = cells_of(written(rows, header=header), segments=("part",), period="2rows")
    assert {(model, segment) for model, _, segment in found} == {
        (name, segment) for name in "abc" for segment in ("all", f"part={name}")
    }
    assert np.sum([tally.count.sum() for tally in found.values()]) == 2 * len(rows)
