"""One expression, two engines: counts are equal, sums within 1e-12, scores fall into the same bins."""

from dataclasses import fields

import numpy as np
import pyarrow as pa
import pytest

from modeltop.predictions.aggregates.base import concat
from modeltop.predictions.aggregates.score_bins import score_bin
from modeltop.predictions.engines.base import fetch, open_engine
from modeltop.predictions.queries.aggregate import aggregate
from modeltop.predictions.queries.arrow import column_to_numpy
from modeltop.predictions.queries.score_bins import score_bin as expression
from modeltop.predictions.schema_inference import resolve
from modeltop.predictions.spec import LogSpec, Task

pytestmark = [
    pytest.mark.spark,
    # What Spark's own gateway leaves open ends with the process.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def spark():
    pytest.importorskip("pyspark", reason="needs the extra `spark`")
    with open_engine("local[2]") as opened:
        yield opened


@pytest.fixture
def log(written):
    random = np.random.default_rng(11)
    score = random.beta(0.3, 0.3, (400, 3))
    rows = [
        (
            ("007", "'; --")[number % 2],
            f"2025-03-{28 + number % 4}T{number % 24:02}:30:00Z",
            number,
            *score[number],
            ("cat", "dog", "emu", "")[random.integers(4)],
            round(random.normal(), 3),
            "" if number % 9 == 0 else round(random.normal(), 3),
            ("AT", "DE", "")[number % 3],
        )
        for number in range(400)
    ]
    return str(
        written(rows, header=("model", "timestamp", "id", "cat", "dog", "emu", "animal", "said", "true", "land"))
    )


YES = {"scores": ("cat",), "label": "land", "positive": "AT"}
CASES = {
    "binary": {**YES, "segments": ("animal",)},
    "classes": {"scores": ("cat=cat", "dog=dog", "emu=emu"), "label": "animal", "segments": ("land",)},
    "numbers": {"prediction": "said", "label": "true", "task": Task.REGRESSION, "segments": ("land",)},
    "a zone": {**YES, "timezone": "Europe/Berlin", "period": "6h"},
    "runs of rows": {**YES, "period": "70rows"},
}


def whole(engine, path, asked):
    reading = resolve(LogSpec(sources=(path,), **asked), engine)
    batches = list(aggregate(reading, engine))
    keys = [key for cells in batches for key in zip(cells.model, cells.period.astype(str), cells.segment, strict=True)]
    return keys, concat([cells.aggregate for cells in batches]), reading.notes


@pytest.mark.parametrize("case", CASES)
def test_tallies_are_the_same(engine, spark, log, case):
    keys, tally, said = whole(engine, log, CASES[case])
    others, other, also = whole(spark, log, CASES[case])
    assert (keys, said) == (others, also)
    assert len(keys) > 5
    for name in (field.name for field in fields(tally)):
        mine, theirs = getattr(tally, name), getattr(other, name)
        if isinstance(mine, np.ndarray) and mine.dtype.kind == "f":
            np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-13, err_msg=name)
        else:
            assert np.array_equal(mine, theirs), name


def test_scores_fall_into_the_same_bins(engine, spark):
    scores = np.concatenate([np.random.default_rng(2).beta(0.05, 0.05, 20_000), np.arange(0, 4097) / 4096])
    for one in (engine, spark):
        table = one.from_arrow(pa.table({"score": pa.array(scores)}))
        found = fetch(one, table.select("score", b=expression(table.score)))
        order = column_to_numpy(found["score"].combine_chunks())
        assert np.array_equal(column_to_numpy(found["b"].combine_chunks()), score_bin(order))
