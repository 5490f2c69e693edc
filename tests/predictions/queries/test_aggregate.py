"""The counts of a log, whatever its format, against a loop over its rows."""

import gzip
from collections import Counter

import duckdb
import numpy as np
import pytest

from modeltop.core.errors import SourceError
from modeltop.predictions.aggregates.score_bins import score_bin
from modeltop.predictions.queries import aggregate as query

LABELS = {"0": 0, "1": 1, "": 2}


def count_rows(rows):
    """Return the same counts, row by row."""
    counts = {}
    for model, timestamp, score, prediction, label in rows:
        index = LABELS[str(label)], int(prediction), 256 if score == "" else int(score_bin(np.array([float(score)]))[0])
        counts.setdefault((model, f"{timestamp[:10]}T00", "all"), Counter())[index] += 1
    return counts


def as_counters(cells):
    return {
        key: Counter({tuple(index): int(counts.count[0][tuple(index)]) for index in np.argwhere(counts.count[0])})
        for key, counts in cells.items()
    }


def test_counts_are_those_of_a_loop_over_the_rows(rows, written, cells_of):
    assert as_counters(cells_of(written(rows))) == count_rows(rows)


def test_small_cells_of_a_fleet_are_read_by_rows_to_the_counts_and_sums_of_their_groups(
    rows, written, cells_of, monkeypatch
):
    extreme = [("m", "2025-03-30", score, 1, label) for score in (0.0, 5e-324, 1.0, "") for label in (0, 1, "")]
    fleet = [(f"{row[0]}-{number % 40}", *row[1:]) for number, row in enumerate(rows)] + extreme
    monkeypatch.setattr(query, "RANGE_ROWS", 70)
    by_rows = cells_of(written(fleet), model="model")
    monkeypatch.setattr(query, "SMALL_CELL", 0)
    by_groups = cells_of(written(fleet), model="model")
    assert as_counters(by_rows) == as_counters(by_groups) == count_rows(fleet)
    for key, counts in by_rows.items():
        for name in ("score", "score2", "nll"):
            np.testing.assert_allclose(getattr(counts, name), getattr(by_groups[key], name), rtol=1e-12, atol=1e-300)


def test_sums_are_those_of_the_rows(rows, written, cells_of):
    for (model, day, _), counts in cells_of(written(rows)).items():
        scores = [float(row[2]) for row in rows if (row[0], row[1][:10]) == (model, day[:10]) and row[2] != ""]
        assert counts.score.sum() == pytest.approx(sum(scores), rel=1e-12)
        assert counts.score2.sum() == pytest.approx(sum(value * value for value in scores), rel=1e-12)


def test_the_loss_of_an_impossible_label_is_what_scikit_learn_makes_of_it(written, cells_of):
    log_loss = pytest.importorskip("sklearn.metrics").log_loss
    score = [0.0, 1.0, 0.0, 1.0, np.nextafter(1, 0), np.nextafter(1, 0), 1e-17, 5e-324, 0.4]
    label = [1, 0, 0, 1, 0, 1, 1, 0, 1]
    rows = [("m", "2025-01-01", repr(float(s)), 1, y) for s, y in zip(score, label, strict=True)]
    (counts,) = cells_of(written([*rows, ("m", "2025-01-01", "0.0", 1, "")])).values()
    assert counts.nll.sum() == pytest.approx(log_loss(label, score, normalize=False), rel=1e-12)


@pytest.mark.parametrize("form", ["csv.gz", "parquet", "jsonl", "folder", "glob", "duckdb"])
def test_every_format_of_the_same_log_gives_the_same_counts(rows, written, cells_of, tmp_path, form):
    path = written(rows)
    expected = as_counters(cells_of(path))
    table = f"read_csv('{path}', types={{'model': 'VARCHAR'}})"
    target = tmp_path / f"other.{form}"
    if form == "csv.gz":
        target.write_bytes(gzip.compress(path.read_bytes()))
    elif form in ("parquet", "jsonl"):
        duckdb.sql(f"COPY (FROM {table}) TO '{target}' (FORMAT {'parquet' if form == 'parquet' else 'json'})")
    elif form == "duckdb":
        with duckdb.connect(str(target)) as base:
            base.sql(f'CREATE TABLE "the log" AS FROM {table}')
        target = f"{target}::the log"
    else:
        target = tmp_path / "parts"
        target.mkdir()
        lines = path.read_text().splitlines(keepends=True)
        for number in (0, 1):
            (target / f"{number}.csv").write_text(lines[0] + "".join(lines[1 + number :: 2]))
        target = target / "*.csv" if form == "glob" else target
    assert as_counters(cells_of(target, model="model")) == expected


def test_days_are_those_of_the_configured_zone(written, cells_of):
    # On 2025-03-30 Berlin has 23 hours: from 23:00 UTC of the day before to 22:00 UTC.
    moments = ["2025-03-29T22:59:59Z", "2025-03-29T23:00:00Z", "2025-03-30T21:59:59Z", "2025-03-30T22:00:00Z"]
    path = written([("m", moment, 0.7, 1, 1) for moment in moments])
    cells = cells_of(path, timezone="Europe/Berlin")
    assert {key[1]: int(counts.count.sum()) for key, counts in cells.items()} == {
        "2025-03-28T23": 1,
        "2025-03-29T23": 2,
        "2025-03-30T22": 1,
    }


def test_the_counts_of_a_month_are_the_sums_of_its_days_in_any_order(rows, written, cells_of):
    path = written(rows)
    months = cells_of(path, period="MS")
    for (model, month, _), total in months.items():
        days = [counts for key, counts in cells_of(path).items() if (key[0], key[1][:7]) == (model, month[:7])]
        for order in (days, days[::-1]):
            assert np.array_equal(sum(day.count for day in order), total.count)
            np.testing.assert_allclose(sum(day.score for day in order), total.score, rtol=1e-12)


def test_segments_divide_the_same_rows(rows, written, cells_of):
    path = written(
        [(*row, country) for row, country in zip(rows, ["AT", "DE", "=x"] * 100, strict=True)],
        header=("model", "timestamp", "score", "prediction", "label", "country"),
    )
    cells = cells_of(path, segments=("country",))
    for (model, day, segment), counts in cells.items():
        if segment == "all":
            segments = [cells.get((model, day, f"country={name}")) for name in ("AT", "DE", "=x")]
            assert np.array_equal(sum(segment.count for segment in segments if segment is not None), counts.count)


@pytest.mark.parametrize("name", ["[/]", "'; DROP TABLE x; --", "a\x1b]0;PWNED\x07", "宽" * 20, "NA", "null", "007"])
def test_names_of_models_and_columns_are_taken_as_they_are(written, cells_of, name):
    header = ("model", "timestamp", "score", "prediction", name)
    cells = cells_of(written([(name, "2025-01-01", 0.7, 1, 1)], header=header), label=name)
    assert [key[0] for key in cells] == [name]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        pytest.param({"label": "lable"}, "label", id="a column that is not there: the nearest is named"),
        pytest.param({"scores": ("timestamp",)}, "timestamp", id="a score that is not a number"),
        pytest.param({"period": "fortnight"}, "fortnight", id="a period that is none"),
        pytest.param({"reference": "nonsense"}, "nonsense", id="a reference that is none"),
        pytest.param({"positive": "maybe"}, "maybe", id="a positive value that never occurs"),
    ],
)
def test_a_mistake_is_reported_in_one_line(rows, written, cells_of, change, text):
    with pytest.raises(SourceError) as caught:
        cells_of(written(rows), **change)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_score_outside_of_0_and_1_is_refused(rows, written, cells_of):
    with pytest.raises(SourceError, match=r"1\.5|between 0 and 1|\[0, 1\]"):
        cells_of(written([*rows, ("m", "2025-03-30", 1.5, 1, 1)]))
