"""One expression, two engines: counts are equal, sums within 1e-12, scores fall into the same bins."""

import csv
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from modeltop.core.errors import SourceError
from modeltop.predictions.aggregates.score_bins import score_bin
from modeltop.predictions.engines.base import fetch, open_engine
from modeltop.predictions.queries.aggregate import aggregate, read_areas
from modeltop.predictions.queries.arrow import column_to_numpy
from modeltop.predictions.queries.score_bins import score_bin as bin_expression
from modeltop.predictions.schema_inference import resolve
from modeltop.predictions.spec import LogSpec, Task

ROOT = Path(__file__).parents[3]
LOG = ROOT / "sample_data" / "predictions.csv.gz"
LOG_OPTIONS = {
    "model": "churn",
    "timestamp": "timestamp",
    "score": "score",
    "prediction": "prediction",
    "label": "churned",
    "id": "id",
    "segment": "country",
    "reference": "2025-06-01..2025-06-14",
    "now": "2025-07-01",
}
OPTIONS = [word for name, value in LOG_OPTIONS.items() for word in (f"--{name}", value)]
OPTIONS += ["--feature", "tenure", "--feature", "plan"]

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


BINARY = {"scores": ("cat",), "label": "land", "positive": "AT"}
CASES = {
    "binary": {**BINARY, "segments": ("animal",)},
    "classes": {"scores": ("cat=cat", "dog=dog", "emu=emu"), "label": "animal", "segments": ("land",)},
    "numbers": {"prediction": "said", "label": "true", "task": Task.REGRESSION, "segments": ("land",)},
    "a zone": {**BINARY, "timezone": "Europe/Berlin", "period": "6h"},
    "runs of rows": {**BINARY, "period": "70rows"},
}


@pytest.fixture
def read(concat):
    """Return the keys of all cells of a log, their aggregate, and the notes on the log."""

    def aggregate_log(engine, path, options):
        log = resolve(LogSpec(sources=(path,), **options), engine)
        batches = list(aggregate(log, engine))
        keys = [
            key for batch in batches for key in zip(batch.model, batch.period.astype(str), batch.segment, strict=True)
        ]
        return keys, concat([batch.aggregate for batch in batches]), log.notes

    return aggregate_log


@pytest.mark.parametrize("case", CASES)
def test_aggregates_are_the_same(engine, spark, log, read, case):
    keys, by_duckdb, notes = read(engine, log, CASES[case])
    spark_keys, by_spark, spark_notes = read(spark, log, CASES[case])
    assert (keys, notes) == (spark_keys, spark_notes)
    assert len(keys) > 5
    for name in (field.name for field in fields(by_duckdb)):
        expected, actual = getattr(by_duckdb, name), getattr(by_spark, name)
        if isinstance(expected, np.ndarray) and expected.dtype.kind == "f":
            np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-13, err_msg=name)
        else:
            assert np.array_equal(actual, expected), name


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
@pytest.mark.parametrize("around", ["log", "a[1]"])
def test_keys_of_folders_are_columns_where_the_name_is_free_and_refused_where_not(
    engine, spark, partitions, suffix, around
):
    free, taken = partitions("country", suffix, around), partitions("label", suffix, f"{around}/other")
    counts = []
    for opened in (engine, spark):
        table = opened.open((f"{free}/country=0", f"{free}/country=1")).table
        rows = fetch(opened, table.group_by("country", "label").agg(rows=table.count())).to_pylist()
        counts.append(sorted((row["country"], int(row["label"]), row["rows"]) for row in rows))
        with pytest.raises(SourceError, match=r"named label=\.\.\., which is a column"):
            opened.open((taken,))
    assert counts[0] == counts[1] == [("0", 0, 1), ("0", 1, 2), ("1", 0, 1), ("1", 1, 2)]


@pytest.mark.parametrize("case", ["binary", "runs of rows"])
def test_exact_areas_are_the_same(engine, spark, log, case):
    by_duckdb, by_spark = (
        read_areas(resolve(LogSpec(sources=(log,), **CASES[case]), opened), opened) for opened in (engine, spark)
    )
    assert len(by_duckdb) > 5
    assert by_spark.keys() == by_duckdb.keys()
    for key, areas in by_duckdb.items():
        assert by_spark[key] == pytest.approx(areas, abs=1e-12, nan_ok=True), key


def test_scores_fall_into_the_same_bins(engine, spark):
    scores = np.concatenate([np.random.default_rng(2).beta(0.05, 0.05, 20_000), np.arange(0, 4097) / 4096])
    for opened in (engine, spark):
        table = opened.from_arrow(pa.table({"score": pa.array(scores)}))
        result = fetch(opened, table.select("score", bin=bin_expression(table.score)))
        order = column_to_numpy(result["score"].combine_chunks())
        assert np.array_equal(column_to_numpy(result["bin"].combine_chunks()), score_bin(order))


def compute(folder, *engine):
    """Return the rows of the computed history by date, segment and whether they are provisional."""
    words = [sys.executable, "-m", "modeltop", "compute", str(LOG), *OPTIONS, "--store", str(folder), *engine]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    with next(folder.glob("*.computed.csv")).open(newline="") as file:
        return {(row["date"], row["segment"], row["provisional"]): row for row in csv.DictReader(file)}


def test_the_same_log_gives_the_same_history(tmp_path):
    pytest.importorskip("pyspark", reason="needs the extra `spark`")
    duck = compute(tmp_path / "duck")
    spark = compute(tmp_path / "spark", "--engine", "local[2]")
    assert list(duck) == list(spark)
    for key, row in duck.items():
        for name, value in row.items():
            other = spark[key][name]
            if name.endswith("count") or name in ("date", "model", "segment", "provisional") or not value:
                assert other == value, (key, name)
            else:
                assert float(other) == pytest.approx(float(value), rel=1e-9, abs=1e-12), (key, name)
