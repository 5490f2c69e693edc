"""From cells to the store: each model's points with their support, their completeness, and what is told of them."""

import csv
from datetime import UTC, datetime

import numpy as np
import pytest

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import SeriesKey
from modeltop.history.reader import Reader
from modeltop.history.store.computed import read_computed, staged_run
from modeltop.predictions.aggregates.base import CellBatch
from modeltop.predictions.completeness import span_ends
from modeltop.predictions.reference_stats import ReferenceStats
from modeltop.predictions.run import ModelRun

CATALOG = MetricRegistry()
DAYS = np.array(["2025-01-01", "2025-01-02", "2025-01-03"], dtype="datetime64[us]")
NOW = np.datetime64("2025-01-10", "us")


def names(*values):
    return np.array(values, dtype=object)


def calendar(times, _):
    return times + np.timedelta64(1, "D")


@pytest.fixture
def rows():
    """Three days of 400 rows each: (day, label, score)."""
    rng = np.random.default_rng(7)
    score = rng.uniform(size=1_200)
    return np.repeat([0, 1, 2], 400), (rng.uniform(size=1_200) < score).astype(int), score


@pytest.fixture
def kept(tmp_path):
    def keep(batches, *, now=NOW, ends=calendar, cuts=("all",), **more):
        with staged_run(tmp_path / "store", CATALOG, lambda name: CATALOG.get(name).needs_labels) as run:
            work = ModelRun(run, ends, now, segment_columns=cuts, **more)
            work.add_batches(batches)
            for model, data in work.distributions.files():
                run.stage_distributions(model, data)
            changed = run.commit()
        return tmp_path / "store", work.summary, changed

    return keep


def test_cells_become_periods_with_support_and_interval(kept, tallied, rows):
    day, label, score = rows
    cells = CellBatch(names(*["churn"] * 3), DAYS, names(*["all"] * 3), tallied(day, label, score, 3))
    store, told, changed = kept([cells])
    series = {key.metric: one for key, one in Reader([store], catalog=CATALOG).read().series.items()}
    right = (label == (score >= 0.5)).reshape(3, 400)
    assert series["accuracy"].values.tolist() == right.mean(axis=1).tolist()
    assert series["recall"].support.tolist() == label.reshape(3, 400).sum(axis=1).tolist()
    assert (series["f1_score"].low < series["f1_score"].values).all()
    assert series["accuracy"].provisional is None
    assert (changed.models, told.periods, told.rows, told.until) == (1, 3, 1200, datetime(2025, 1, 3, tzinfo=UTC))


def test_a_model_whose_cells_come_in_two_batches_is_one_model(kept, tallied, rows):
    day, label, score = rows
    tally = tallied(day, label, score, 3)
    one = CellBatch(names("a", "b"), DAYS[[0, 0]], names("all", "all"), tally.take(slice(0, 2)))
    other = CellBatch(names("b", "c"), DAYS[[1, 1]], names("all", "all"), tally.take(slice(1, 3)))
    store, told, _ = kept([one, other])
    assert told.models == ["a", "b", "c"]
    assert len(read_computed(store, "b")) == 2


def test_labels_that_are_still_to_come_make_provisional_what_rests_on_them(kept, tallied, rows):
    day, label, score = rows
    label = np.where((day == 2) & (np.arange(1_200) % 3 > 0), 2, label)
    cells = CellBatch(names(*["churn"] * 3), DAYS, names(*["all"] * 3), tallied(day, label, score, 3))
    store, told, _ = kept([cells])
    series = {key.metric: one for key, one in Reader([store], catalog=CATALOG).read().series.items()}
    assert series["accuracy"].evaluable().tolist() == [True, True, False]
    assert series["positive_rate"].evaluable().tolist() == [True, True, True]
    assert "labels are still to come for 1 period" in "\n".join(told.lines())
    _, told, changed = kept([cells], delay=np.timedelta64(5, "D"))
    assert (told.no_data_first_seen, changed.models) == (0, 1)


def test_a_period_that_is_not_over_is_provisional_whatever_its_labels(kept, tallied, rows):
    cells = CellBatch(names(*["churn"] * 3), DAYS, names(*["all"] * 3), tallied(*rows, 3))
    store, told, _ = kept([cells], now=np.datetime64("2025-01-03T12:00", "us"))
    for series in Reader([store], catalog=CATALOG).read().series.values():
        assert series.evaluable().tolist() == [True, True, False]
    assert "1 period not over yet" in "\n".join(told.lines())


def test_periods_that_left_the_log_still_say_what_is_usual(kept, tallied, rows):
    day, label, score = rows
    first = CellBatch(names("m", "m"), DAYS[:2], names("all", "all"), tallied(day, label, score, 3).take(slice(0, 2)))
    kept([first], ends=of_whole)
    half = np.where(np.arange(1_200) % 2 > 0, 2, label)
    last = CellBatch(names("m"), DAYS[2:], names("all"), tallied(day, half, score, 3).take(slice(2, 3)))
    _, told, _ = kept([last], ends=of_whole)
    assert told.no_data_first_seen == 1


def of_whole(times, _):
    return span_ends(times) if len(times) > 1 else calendar(times, _)


def test_undefined_is_said_with_its_reason(kept, tallied, rows):
    day, _, score = rows
    cells = CellBatch(names(*["m"] * 3), DAYS, names(*["all"] * 3), tallied(day, np.ones(1_200, int), score, 3))
    store, told, _ = kept([cells])
    assert "roc_auc" not in read_computed(store, "m").columns
    [line] = [line for line in told.lines() if "roc_auc" in line]
    assert line.startswith("undefined in 3 periods: ")


def test_estimates_come_from_the_reference_of_the_same_segment(kept, tallied, rows):
    day, label, score = rows
    tally = tallied(day, label, score, 3)
    known = CellBatch(names("m"), DAYS[:1], names("all"), tally.take(slice(0, 1)))
    references = ReferenceStats.from_batches([known], "all")
    cells = CellBatch(names("m", "m"), DAYS[[1, 1]], names("all", "plan=a"), tally.take(slice(1, 3)))
    store, _, _ = kept([cells], references=references, cuts=("all", "plan"))
    sheet = read_computed(store, "m")
    estimate = dict(zip(sheet.segments, sheet.columns["estimated_accuracy"], strict=True))
    assert estimate["all"] == pytest.approx(sheet.columns["accuracy"][0], abs=0.06)
    assert np.isnan(estimate["plan=a"])


def test_score_and_prediction_move_against_the_reference(kept, tallied, rows):
    day, label, score = rows
    tally = tallied(day, label, np.where(day == 2, score**3, score), 3)
    references = ReferenceStats.from_batches(
        [CellBatch(names("m"), DAYS[:1], names("all"), tally.take(slice(0, 1)))], "all"
    )
    store, _, _ = kept([CellBatch(names(*["m"] * 3), DAYS, names(*["all"] * 3), tally)], references=references)
    found = Reader([store], catalog=CATALOG).read().series
    psi = found[SeriesKey("m", "psi", "feature=score")].values
    assert psi[0] == 0
    assert psi[2] > 0.25 > psi[1]
    assert SeriesKey("m", "js_distance", "feature=prediction") in found


def test_evidence_holds_the_reference_and_the_newest_periods_of_its_own_model(kept, tallied):
    score = np.random.default_rng(3).uniform(size=550)
    tally = tallied(np.repeat(np.arange(11), 50), (score > 0.4).astype(int), score, 11)
    times = DAYS[0] + np.append(np.arange(10), 0) * np.timedelta64(1, "D")
    cells = CellBatch(names(*["a"] * 10, "b"), times, names(*["all"] * 11), tally)
    first = CellBatch(cells.model[:1], times[:1], cells.segment[:1], tally.take(slice(0, 1)))
    store, _, changed = kept([cells], references=ReferenceStats.from_batches([first], "all"))
    assert changed.distributions == 2
    a, b = (list(csv.DictReader(path.read_text().splitlines())) for path in sorted(store.glob("evidence/*.csv")))
    curve = [line for line in a if line["kind"] == "reliability"]
    assert sorted({line["period"] for line in curve}) == [*(f"2025-01-{day:02d}" for day in range(3, 11)), "reference"]
    assert sum(float(line["rows"]) for line in curve if line["period"] == "2025-01-10") == 50
    assert {line["period"] for line in b} == {"2025-01-01"}
    assert kept([cells], references=ReferenceStats.from_batches([first], "all"))[2].distributions == 0
