"""False alerts on healthy models, and detections on drifted ones."""

from collections import Counter

import numpy as np
import pytest

from modeltop.core.series import SeriesKey
from tests.benchmarks.detection.alerts import SCENARIOS, monitored_series, score_detectors, simulate_histories
from tests.benchmarks.detection.detectors import ALL_DEFAULTS, DEFAULT_SHIFT, ORACLE, assumed_truth
from tests.benchmarks.detection.false_alerts import HEALTHY_MODELS, AlertCounts, count_false_alerts
from tests.benchmarks.detection.ground_truth import MODEL
from tests.benchmarks.detection.sampling import INDEPENDENT
from tests.benchmarks.detection.simulation import Settings, simulate_history

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


def test_overdispersed_alerts_widen_the_interval():
    spread = AlertCounts(3652.5, [1] * 10 + [0] * 10)
    clustered = AlertCounts(3652.5, [10] + [0] * 19)
    assert spread.dispersion == 1
    assert clustered.dispersion == pytest.approx(np.var([10] + [0] * 19) / 0.5)
    assert spread.to_result("", 2.0).value == clustered.to_result("", 2.0).value == 1.0
    assert "95 % 0.479 to 1.839" in spread.to_result("", None).note
    assert "95 % 0.012 to 5.286" in clustered.to_result("", None).note


def test_a_detector_without_any_alert_has_no_worst_setting():
    quiet = AlertCounts(3652.5, [0] * 20, Counter({"accuracy of 50 rows, fair model": 0}))
    assert quiet.to_result("", 2.0).value == 0
    assert "most:" not in quiet.to_result("", 2.0).note


def test_a_healthy_model_is_evaluated_by_all_detectors_but_not_on_few_rows():
    large = count_false_alerts(HEALTHY_MODELS[0], Settings(before=60, after=0, rows=1000), 2)
    small = count_false_alerts(HEALTHY_MODELS[0], Settings(before=60, after=0, rows=50), 2)
    assert {ORACLE, DEFAULT_SHIFT, ALL_DEFAULTS, "trend", "spike"} <= set(large)
    assert large[DEFAULT_SHIFT].periods > small[DEFAULT_SHIFT].periods
    assert large[DEFAULT_SHIFT].periods > large[ORACLE].periods  # which has no standard error for ROC AUC
    assert len(large[DEFAULT_SHIFT].by_model) == 2


def test_the_mean_is_exact_for_ratios_and_estimated_from_the_past_for_others():
    settings = Settings(before=50, after=50, rows=5000, effect_size=8.0)
    labeled = simulate_history(BY_NAME["one segment only"], settings, 1, 0)
    segment = labeled.target_series
    assert assumed_truth(SCENARIOS[0].classifier, segment, settings).mean == pytest.approx(segment.values[:50].mean())
    accuracy = labeled.history.series[SeriesKey(MODEL, "accuracy", "all")]
    assert accuracy in monitored_series(labeled)
    truth = assumed_truth(SCENARIOS[0].classifier, accuracy, settings)
    assert truth.mean == pytest.approx(accuracy.values[:50].mean(), abs=2 * truth.standard_error)


def test_a_drop_is_detected_in_its_metric_and_in_the_model():
    scenario = BY_NAME["covariate"]
    target_score, model_score = score_detectors(scenario, simulate_histories(scenario, INDEPENDENT, 1))[DEFAULT_SHIFT]
    assert target_score.detection_rate == model_score.detection_rate == 1
    assert target_score.median_delay <= 6


def test_an_early_alert_about_confidence_is_not_false():
    scenario = BY_NAME["confidence first"]
    target_score, model_score = score_detectors(scenario, simulate_histories(scenario, INDEPENDENT, 1))[DEFAULT_SHIFT]
    assert model_score.median_delay < 7 < 7 + target_score.median_delay
    assert model_score.healthy_years < target_score.healthy_years


def test_the_default_evaluates_segments_as_well():
    scenario = BY_NAME["one segment only"]
    scores = score_detectors(scenario, simulate_histories(scenario, INDEPENDENT, 1))
    assert scores[DEFAULT_SHIFT][0].detection_rate > 0
    assert scores["shift, slack 0.5"][0].detection_rate > 0
