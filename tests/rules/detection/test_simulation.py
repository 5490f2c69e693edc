"""Simulated histories are seeded, have the configured drift, and hold the configured series."""

from dataclasses import replace

import numpy as np
import pytest

from modeltop.core.diagnosis import Pattern
from modeltop.core.series import Direction, SeriesKey
from tests.benchmarks.detection.alerts import SCENARIOS
from tests.benchmarks.detection.columns import COLUMNS, NO_SHIFT
from tests.benchmarks.detection.drops import ESTIMATED_VARIANCE, KNOWN_VARIANCE
from tests.benchmarks.detection.false_alerts import HEALTHY_MODELS
from tests.benchmarks.detection.ground_truth import MODEL
from tests.benchmarks.detection.populations import IMBALANCED, recall_loss, underconfidence
from tests.benchmarks.detection.sampling import Noise
from tests.benchmarks.detection.simulation import Scenario, Settings, drift_profile, simulate_history

DROPS = (*KNOWN_VARIANCE, *ESTIMATED_VARIANCE)
SUDDEN = DROPS[0]
WITH_SEGMENTS = replace(SUDDEN, with_segments=True, column_shift=NO_SHIFT)


def values_by_key(labeled):
    return {key: series.values.tolist() for key, series in labeled.history.series.items()}


def test_equal_seeds_give_equal_histories_and_others_do_not():
    first, same, other = (simulate_history(WITH_SEGMENTS, Settings(), 1, index) for index in (2, 2, 3))
    assert values_by_key(first) == values_by_key(same)
    assert not np.array_equal(first.target_series.values, other.target_series.values)


@pytest.mark.parametrize(
    "scenario",
    [*DROPS, *HEALTHY_MODELS, *SCENARIOS],
    ids=lambda scenario: scenario.name,
)
def test_every_scenario_can_be_simulated_and_holds_the_series_of_its_ground_truth(scenario):
    labeled = simulate_history(scenario, Settings(rows=2000), 1, 0)
    assert labeled.target_series.key == SeriesKey(MODEL, labeled.truth.metric, labeled.truth.segment)
    assert labeled.target_series.better is not Direction.NEITHER
    if scenario.metrics is not None:
        assert {key.metric for key in labeled.history.series} == set(scenario.metrics)
    if labeled.truth.changepoint is not None:
        assert 0 < labeled.truth.changepoint < len(labeled.history.periods[MODEL])


@pytest.mark.parametrize("scenario", DROPS, ids=lambda scenario: scenario.name)
@pytest.mark.parametrize(
    "noise", [Noise(), Noise(autocorrelation=0.6), Noise(duplicates=2)], ids=lambda noise: noise.name
)
@pytest.mark.parametrize("effect_size", [3.0, 8.0])
def test_a_drop_has_the_configured_size_in_standard_errors_of_the_healthy_period(scenario, noise, effect_size):
    settings = Settings(before=100, after=100, rows=5000, effect_size=effect_size, noise=noise)
    histories = [simulate_history(scenario, settings, 11, index) for index in range(12)]
    z_scores = np.array(
        [(labeled.target_series.values - labeled.truth.mean) / labeled.truth.standard_error for labeled in histories]
    )
    assert z_scores[:, :100].mean() == pytest.approx(0.0, abs=0.15)
    assert z_scores[:, :100].std() == pytest.approx(1.0, abs=0.06)
    sign = 1 if scenario.metric == "brier_score" else -1
    assert z_scores[:, 135:].mean() == pytest.approx(sign * effect_size, abs=0.25)


def test_supports_are_the_rows_of_the_denominator():
    by_metric = {
        key.metric: series
        for key, series in simulate_history(WITH_SEGMENTS, Settings(rows=1000), 1, 0).history.series.items()
        if key.segment == "all"
    }
    assert by_metric["accuracy"].support.tolist() == by_metric["accuracy"].rows.tolist()
    assert by_metric["recall"].support.mean() == pytest.approx(500, rel=0.05)
    assert by_metric["f1_score"].support is None
    assert by_metric["recall"].proportion


def test_segments_and_columns_are_logged_where_configured_and_add_up():
    labeled = simulate_history(WITH_SEGMENTS, Settings(rows=1000), 1, 0)
    segments = [
        series for key, series in labeled.history.series.items() if key.metric == "accuracy" and key.segment != "all"
    ]
    assert sum(series.rows for series in segments).tolist() == labeled.target_series.rows.tolist()
    features = {key.segment for key in labeled.history.series if key.segment.startswith("feature=")}
    assert features == {f"feature={name}" for name in COLUMNS}


def test_only_the_segment_of_the_scenario_drops():
    scenario = next(scenario for scenario in SCENARIOS if scenario.name == "one segment only")
    labeled = simulate_history(scenario, Settings(rows=20_000, effect_size=10.0), 1, 0)
    for segment, drops in (("country=fr", True), ("country=de", False), ("country=us", False)):
        values = labeled.history.series[SeriesKey(MODEL, "accuracy", segment)].values
        z_score = (values[90:].mean() - values[:90].mean()) / (values[:90].std() / 36**0.5)
        assert (z_score < -8) == drops, segment


def test_confidence_drops_before_accuracy_does():
    scenario = Scenario("first", Pattern.DROP, early_drift=underconfidence, lead_periods=7)
    labeled = simulate_history(scenario, Settings(rows=5000, effect_size=8.0), 1, 0)
    confidence = labeled.history.series[SeriesKey(MODEL, "avg_confidence")].values
    assert confidence[83:90].max() < confidence[:83].min()
    assert labeled.target_series.values[83:90].mean() == pytest.approx(
        labeled.truth.mean, abs=2 * labeled.truth.standard_error
    )


def test_a_drop_of_recall_hides_under_accuracy():
    scenario = Scenario("hidden", Pattern.DROP, classifier=IMBALANCED, drift=recall_loss, metric="recall")
    labeled = simulate_history(scenario, Settings(rows=2000, effect_size=4.0), 1, 0)
    accuracy = labeled.history.series[SeriesKey(MODEL, "accuracy")].values
    assert (accuracy[:90].mean() - accuracy[90:].mean()) / accuracy[:90].std() < 2.5


@pytest.mark.parametrize(
    ("shape", "digits"),
    [
        ("steady", "000000"),
        ("sudden", "000999"),
        ("spike", "000900"),
        ("gradual", "000369"),
        ("improving", "999000"),
    ],
)
def test_drift_profiles_have_the_shape_of_their_name(shape, digits):
    profile = drift_profile(shape, Settings(before=3, after=3, ramp=3))
    assert "".join(str(round(9 * share)) for share in profile) == digits


def test_weekly_drift_is_on_saturday_and_sunday():
    labeled = simulate_history(replace(SUDDEN, shape="weekly"), Settings(before=14, after=0, effect_size=8.0), 1, 0)
    worst = np.sort(np.argsort(labeled.target_series.values)[:4])
    assert [labeled.target_series.times[index].item().weekday() for index in worst] == [5, 6, 5, 6]


def test_a_drop_larger_than_possible_is_rejected():
    with pytest.raises(ValueError, match="accuracy falls by"):
        simulate_history(SUDDEN, Settings(rows=10, effect_size=8.0), 1, 0)
