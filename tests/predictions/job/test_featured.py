"""Features that move: a segment each, their share beside the metrics of all rows, their histograms as evidence."""

import numpy as np
import pytest

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import SeriesKey
from modeltop.history.reader import Reader
from modeltop.history.store.computed import read_computed, staged_run
from modeltop.predictions.aggregates.base import CellBatch
from modeltop.predictions.aggregates.feature import FeatureCounts, FeatureReference
from modeltop.predictions.feature_job import compute_features
from modeltop.predictions.run import ModelRun

CATALOG = MetricRegistry()
DAYS = np.array(["2025-01-01", "2025-01-02"], dtype="datetime64[us]")
CUTS = ("all", "feature=score", "feature=prediction")


def day_after(times, _):
    return times + np.timedelta64(1, "D")


def of_model(model, days):
    return np.array([model] * len(days), dtype=object), days, np.array(["all"] * len(days), dtype=object)


@pytest.fixture
def feature():
    """A feature of two categories, by day: rows of a, of b, of neither, missing."""

    def made(name, counts, *, model="churn", days=DAYS):
        reference = FeatureReference(name, np.array([500, 500, 0, 0]), categories=("a", "b"))
        return CellBatch(*of_model(model, days), FeatureCounts(reference, np.array(counts)))

    return made


@pytest.fixture
def kept(tmp_path, tallied):
    rng = np.random.default_rng(5)
    score = rng.uniform(size=2000)
    cells = CellBatch(*of_model("churn", DAYS), tallied(np.repeat([0, 1], 1000), np.zeros(2000, int), score, 2))

    def keep(*features):
        with staged_run(tmp_path / "store", CATALOG, lambda name: CATALOG.get(name).needs_labels) as run:
            work = ModelRun(run, day_after, np.datetime64("2025-02-01", "us"), segment_columns=CUTS)
            work.add_batches([cells])
            compute_features(work, features)
            for model, data in work.distributions.files():
                run.stage_distributions(model, data)
            return run.commit()

    return keep


STILL, MOVED = [500, 500, 0, 0], [900, 40, 10, 50]


def test_each_feature_is_a_segment_and_their_share_a_metric_of_all_rows(kept, feature, tmp_path):
    kept(feature("plan", [STILL, MOVED]), feature("device", [STILL, STILL]))
    found = {
        key: one.values.tolist() for key, one in Reader([tmp_path / "store"], catalog=CATALOG).read().series.items()
    }
    assert found[SeriesKey("churn", "drifted_share")] == [0, 0.5]
    assert found[SeriesKey("churn", "missing_rate", "feature=plan")] == [0, 0.05]
    assert found[SeriesKey("churn", "psi", "feature=device")] == [0, 0]
    assert found[SeriesKey("churn", "psi", "feature=plan")][1] > 0.25
    assert len(found[SeriesKey("churn", "positive_rate")]) == 2


def test_the_same_features_twice_write_nothing(kept, feature):
    assert kept(feature("plan", [STILL, MOVED])).models == 1
    again = kept(feature("plan", [STILL, MOVED]))
    assert (again.models, again.distributions) == (0, 0)


def test_a_feature_that_is_not_asked_for_any_more_goes(kept, feature, tmp_path):
    kept(feature("plan", [STILL, MOVED]), feature("device", [STILL, STILL]))
    kept(feature("device", [STILL, STILL]))
    assert set(read_computed(tmp_path / "store", "churn").segments) == {"all", "feature=device"}


def test_a_feature_without_rows_on_a_day_is_undefined_there(kept, feature, tmp_path):
    kept(feature("plan", [MOVED], days=DAYS[1:]), feature("device", [STILL, STILL]))
    sheet = read_computed(tmp_path / "store", "churn")
    share = sheet.columns["drifted_share"][sheet.segments == "all"]
    assert share.tolist() == [0, 0.5]
    assert sheet.columns["drifted_share_count"][sheet.segments == "all"].tolist() == [1, 2]


def test_histograms_are_evidence(kept, feature, tmp_path):
    kept(feature("plan", [STILL, MOVED]))
    [path] = (tmp_path / "store" / "evidence").glob("*.csv")
    lines = [line for line in path.read_text().splitlines() if line.startswith("feature,plan,2025-01-02")]
    assert [line.split(",")[3::3][:2] for line in lines] == [
        ["a", "900"],
        ["b", "40"],
        ["other", "10"],
        ["missing", "50"],
    ]


def test_a_model_that_has_features_alone_is_passed_over(kept, feature, tmp_path):
    kept(feature("plan", [STILL, MOVED], model="unknown"))
    assert read_computed(tmp_path / "store", "unknown") is None
