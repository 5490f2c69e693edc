"""From cells and features to the store: periods with their support, their completeness, and the summary."""

import csv
from datetime import UTC, datetime

import numpy as np
import pytest

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import SeriesKey
from modeltop.history.reader import Reader
from modeltop.history.store.computed import read_computed, staged_run
from modeltop.history.store.windowing import Windowing
from modeltop.predictions.aggregates.base import CellBatch
from modeltop.predictions.aggregates.feature import FeatureCounts, FeatureReference
from modeltop.predictions.completeness import span_ends
from modeltop.predictions.run import ModelRun, ReferenceStats

CATALOG = MetricRegistry()
DAYS = np.array(["2025-01-01", "2025-01-02", "2025-01-03"], dtype="datetime64[us]")
NOW = np.datetime64("2025-01-10", "us")
DAILY = Windowing("D", "UTC", "", "churn.csv")


def names(*values):
    return np.array(values, dtype=object)


def day_after(times, _):
    return times + np.timedelta64(1, "D")


@pytest.fixture
def binary_counts(binary):
    """Make binary counts of rows: the cell of each, its label (0, 1, 2 for none), score; predicted from 0.5 on."""
    return lambda cell, label, score, cells: binary(label, score >= 0.5, score, cell=cell, cells=cells)


@pytest.fixture
def rows():
    """Return three days of 400 rows each: (day, label, score)."""
    rng = np.random.default_rng(7)
    score = rng.uniform(size=1_200)
    return np.repeat([0, 1, 2], 400), (rng.uniform(size=1_200) < score).astype(int), score


@pytest.fixture
def compute(tmp_path):
    def run_batches(batches, *, now=NOW, period_ends=day_after, windowing=DAILY, segment_columns=("all",), **options):
        with staged_run(tmp_path / "store", CATALOG, lambda name: CATALOG.get(name).needs_labels) as run:
            model_run = ModelRun(run, period_ends, now, windowing, segment_columns=segment_columns, **options)
            model_run.add_batches(batches)
            for model, data in model_run.distributions.files():
                run.stage_distributions(model, data)
            result = run.commit()
        return tmp_path / "store", model_run.summary, result

    return run_batches


def test_cells_become_periods_with_support_and_interval(compute, binary_counts, rows):
    day, label, score = rows
    cells = CellBatch(names(*["churn"] * 3), DAYS, names(*["all"] * 3), binary_counts(day, label, score, 3))
    store, summary, result = compute([cells])
    series = {key.metric: series for key, series in Reader([store], catalog=CATALOG).read().series.items()}
    correct = (label == (score >= 0.5)).reshape(3, 400)
    assert series["accuracy"].values.tolist() == correct.mean(axis=1).tolist()
    assert series["recall"].support.tolist() == label.reshape(3, 400).sum(axis=1).tolist()
    assert (series["f1_score"].low < series["f1_score"].values).all()
    assert series["accuracy"].provisional is None
    assert (result.models, summary.periods, summary.rows, summary.newest_period) == (
        1,
        3,
        1200,
        datetime(2025, 1, 3, tzinfo=UTC),
    )


def test_a_model_whose_cells_come_in_two_batches_is_one_model(compute, binary_counts, rows):
    day, label, score = rows
    counts = binary_counts(day, label, score, 3)
    first = CellBatch(names("a", "b"), DAYS[[0, 0]], names("all", "all"), counts.take(slice(0, 2)))
    second = CellBatch(names("b", "c"), DAYS[[1, 1]], names("all", "all"), counts.take(slice(1, 3)))
    store, summary, _ = compute([first, second])
    assert summary.models == ["a", "b", "c"]
    assert len(read_computed(store, "b")) == 2


def test_metrics_of_labels_are_provisional_while_labels_are_still_to_come(compute, binary_counts, rows):
    day, label, score = rows
    label = np.where((day == 2) & (np.arange(1_200) % 3 > 0), 2, label)
    cells = CellBatch(names(*["churn"] * 3), DAYS, names(*["all"] * 3), binary_counts(day, label, score, 3))
    store, summary, _ = compute([cells])
    series = {key.metric: series for key, series in Reader([store], catalog=CATALOG).read().series.items()}
    assert series["accuracy"].evaluable().tolist() == [True, True, False]
    assert series["positive_rate"].evaluable().tolist() == [True, True, True]
    assert "labels are pending for 1 period" in "\n".join(summary.lines())
    _, summary, result = compute([cells], delay=np.timedelta64(5, "D"))
    assert (summary.awaiting_labels, result.models) == (0, 1)


def test_a_period_that_has_not_ended_is_provisional_whatever_its_labels(compute, binary_counts, rows):
    cells = CellBatch(names(*["churn"] * 3), DAYS, names(*["all"] * 3), binary_counts(*rows, 3))
    store, summary, _ = compute([cells], now=np.datetime64("2025-01-03T12:00", "us"))
    for series in Reader([store], catalog=CATALOG).read().series.values():
        assert series.evaluable().tolist() == [True, True, False]
    assert "1 period not over yet" in "\n".join(summary.lines())


def test_by_a_clock_that_is_behind_no_period_is_lost_unless_a_person_gave_the_moment(compute, binary_counts, rows):
    cells = CellBatch(names(*["churn"] * 3), DAYS, names(*["all"] * 3), binary_counts(*rows, 3))
    behind = np.datetime64("2024-12-20", "us")
    store, summary, _ = compute([cells], now=behind)
    assert len(read_computed(store, "churn")) == 3
    assert "periods up to 3 Jan 2025 are in the future: set the clock" in "\n".join(summary.lines())
    _, summary, _ = compute([cells], now=behind + np.timedelta64(12, "D"), is_backtest=True)
    assert "400 rows of 1 period from 3 Jan 2025 on are in the future: skipped" in "\n".join(summary.lines())


def test_periods_that_left_the_log_are_still_part_of_the_baseline(compute, binary_counts, rows):
    day, label, score = rows
    first = CellBatch(
        names("m", "m"), DAYS[:2], names("all", "all"), binary_counts(day, label, score, 3).take(slice(0, 2))
    )
    compute([first], period_ends=day_ends)
    half = np.where(np.arange(1_200) % 2 > 0, 2, label)
    last = CellBatch(names("m"), DAYS[2:], names("all"), binary_counts(day, half, score, 3).take(slice(2, 3)))
    _, summary, _ = compute([last], period_ends=day_ends)
    assert summary.awaiting_labels == 1


def day_ends(times, _):
    return span_ends(times) if len(times) > 1 else day_after(times, _)


def test_undefined_metrics_are_reported_with_their_reason(compute, binary_counts, rows):
    day, _, score = rows
    cells = CellBatch(names(*["m"] * 3), DAYS, names(*["all"] * 3), binary_counts(day, np.ones(1_200, int), score, 3))
    store, summary, _ = compute([cells])
    assert "roc_auc" not in read_computed(store, "m").columns
    [line] = [line for line in summary.lines() if "roc_auc" in line]
    assert line.startswith("undefined in 3 periods: ")


def test_estimates_come_from_the_reference_of_the_same_segment(compute, binary_counts, rows):
    day, label, score = rows
    counts = binary_counts(day, label, score, 3)
    labelled = CellBatch(names("m"), DAYS[:1], names("all"), counts.take(slice(0, 1)))
    reference = ReferenceStats.from_batches([labelled])
    cells = CellBatch(names("m", "m"), DAYS[[1, 1]], names("all", "plan=a"), counts.take(slice(1, 3)))
    store, _, _ = compute([cells], reference=reference, segment_columns=("all", "plan"))
    history = read_computed(store, "m")
    estimate = dict(zip(history.segments, history.columns["estimated_accuracy"], strict=True))
    assert estimate["all"] == pytest.approx(history.columns["accuracy"][0], abs=0.06)
    assert np.isnan(estimate["plan=a"])


def test_score_and_prediction_drift_against_the_reference(compute, binary_counts, rows):
    day, label, score = rows
    counts = binary_counts(day, label, np.where(day == 2, score**3, score), 3)
    reference = ReferenceStats.from_batches([CellBatch(names("m"), DAYS[:1], names("all"), counts.take(slice(0, 1)))])
    store, _, _ = compute([CellBatch(names(*["m"] * 3), DAYS, names(*["all"] * 3), counts)], reference=reference)
    series = Reader([store], catalog=CATALOG).read().series
    psi = series[SeriesKey("m", "psi", "feature=score")].values
    assert psi[0] == 0
    assert psi[2] > 0.25 > psi[1]
    assert SeriesKey("m", "js_distance", "feature=prediction") in series


def test_distributions_are_of_the_reference_and_the_newest_periods_of_their_model(compute, binary_counts):
    score = np.random.default_rng(3).uniform(size=550)
    counts = binary_counts(np.repeat(np.arange(11), 50), (score > 0.4).astype(int), score, 11)
    times = DAYS[0] + np.append(np.arange(10), 0) * np.timedelta64(1, "D")
    cells = CellBatch(names(*["a"] * 10, "b"), times, names(*["all"] * 11), counts)
    first = CellBatch(cells.model[:1], times[:1], cells.segment[:1], counts.take(slice(0, 1)))
    store, _, result = compute([cells], reference=ReferenceStats.from_batches([first]))
    assert result.distributions == 2
    a, b = (list(csv.DictReader(path.read_text().splitlines())) for path in sorted(store.glob("evidence/*.csv")))
    curve = [line for line in a if line["kind"] == "reliability"]
    assert sorted({line["period"] for line in curve}) == [*(f"2025-01-{day:02d}" for day in range(3, 11)), "reference"]
    assert sum(float(line["rows"]) for line in curve if line["period"] == "2025-01-10") == 50
    assert {line["period"] for line in b if line["kind"] != "windowing"} == {"2025-01-01"}
    assert compute([cells], reference=ReferenceStats.from_batches([first]))[2].distributions == 0


FEATURE_DAYS = DAYS[:2]


def keys_of(model, days):
    return np.array([model] * len(days), dtype=object), days, np.array(["all"] * len(days), dtype=object)


@pytest.fixture
def feature():
    """Make a feature of two categories, by day: rows of a, of b, of neither, missing."""

    def make(name, counts, *, model="churn", days=FEATURE_DAYS):
        reference = FeatureReference(name, np.array([500, 500, 0, 0]), categories=("a", "b"))
        return CellBatch(*keys_of(model, days), FeatureCounts(reference, np.array(counts)))

    return make


@pytest.fixture
def compute_features(tmp_path, binary_counts):
    rng = np.random.default_rng(5)
    score = rng.uniform(size=2000)
    cells = CellBatch(
        *keys_of("churn", FEATURE_DAYS), binary_counts(np.repeat([0, 1], 1000), np.zeros(2000, int), score, 2)
    )

    def run_features(*features):
        with staged_run(tmp_path / "store", CATALOG, lambda name: CATALOG.get(name).needs_labels) as run:
            model_run = ModelRun(
                run,
                day_after,
                np.datetime64("2025-02-01", "us"),
                DAILY,
                segment_columns=("all", "feature=score", "feature=prediction"),
            )
            model_run.add_batches([cells])
            model_run.add_features(features)
            for model, data in model_run.distributions.files():
                run.stage_distributions(model, data)
            return run.commit()

    return run_features


STABLE, DRIFTED = [500, 500, 0, 0], [900, 40, 10, 50]


def test_each_feature_is_a_segment_and_their_share_a_metric_of_all_rows(compute_features, feature, tmp_path):
    compute_features(feature("plan", [STABLE, DRIFTED]), feature("device", [STABLE, STABLE]))
    history = Reader([tmp_path / "store"], catalog=CATALOG).read().series
    values = {key: series.values.tolist() for key, series in history.items()}
    assert values[SeriesKey("churn", "drifted_share")] == [0, 0.5]
    assert values[SeriesKey("churn", "missing_rate", "feature=plan")] == [0, 0.05]
    assert values[SeriesKey("churn", "psi", "feature=device")] == [0, 0]
    assert values[SeriesKey("churn", "psi", "feature=plan")][1] > 0.25
    assert len(values[SeriesKey("churn", "positive_rate")]) == 2


def test_the_same_features_twice_write_nothing(compute_features, feature):
    assert compute_features(feature("plan", [STABLE, DRIFTED])).models == 1
    again = compute_features(feature("plan", [STABLE, DRIFTED]))
    assert (again.models, again.distributions) == (0, 0)


def test_a_feature_that_is_no_longer_configured_is_removed(compute_features, feature, tmp_path):
    compute_features(feature("plan", [STABLE, DRIFTED]), feature("device", [STABLE, STABLE]))
    compute_features(feature("device", [STABLE, STABLE]))
    assert set(read_computed(tmp_path / "store", "churn").segments) == {"all", "feature=device"}


def test_a_feature_without_rows_on_a_day_is_undefined_there(compute_features, feature, tmp_path):
    compute_features(feature("plan", [DRIFTED], days=FEATURE_DAYS[1:]), feature("device", [STABLE, STABLE]))
    history = read_computed(tmp_path / "store", "churn")
    drifted_share = history.columns["drifted_share"][history.segments == "all"]
    assert drifted_share.tolist() == [0, 0.5]
    assert history.columns["drifted_share_count"][history.segments == "all"].tolist() == [1, 2]


def test_histograms_are_stored(compute_features, feature, tmp_path):
    compute_features(feature("plan", [STABLE, DRIFTED]))
    [path] = (tmp_path / "store" / "evidence").glob("*.csv")
    lines = [line for line in path.read_text().splitlines() if line.startswith("feature,plan,2025-01-02")]
    assert [line.split(",")[3::3][:2] for line in lines] == [
        ["a", "900"],
        ["b", "40"],
        ["other", "10"],
        ["missing", "50"],
    ]


def test_a_model_with_features_alone_is_skipped(compute_features, feature, tmp_path):
    compute_features(feature("plan", [STABLE, DRIFTED], model="unknown"))
    assert read_computed(tmp_path / "store", "unknown") is None
