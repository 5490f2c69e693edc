"""Simulated causes, the alerts of the default rules on them, and their diagnoses."""

import pytest

from modeltop.core.diagnosis import Cause
from modeltop.core.series import Condition
from tests.benchmarks.detection.cause_scenarios import IDENTIFIABLE, UNIDENTIFIABLE, simulate_causes
from tests.benchmarks.detection.causes import diagnose_histories, evaluation_time, replay_alerts

BY_NAME = {scenario.name: scenario for scenario in (*IDENTIFIABLE, *UNIDENTIFIABLE)}


def test_alerts_are_those_of_the_rules_as_the_product_applies_them():
    histories = [labeled for _, _, labeled in simulate_causes(BY_NAME["one segment"], 2)]
    for alerts in replay_alerts(histories):
        assert any(alert.rule == "baseline-drop" for alert in alerts)
        assert not any(alert.rule == "unknown-metric" for alert in alerts)  # every metric there is registered


def test_a_model_whose_rows_stopped_is_evaluated_late_enough_for_a_no_data_alert():
    (_, _, labeled) = next(simulate_causes(BY_NAME["stopped"], 1))
    assert any(alert.condition is Condition.NO_DATA for alert in replay_alerts([labeled])[0])
    (_, _, labeled) = next(simulate_causes(BY_NAME["concept"], 1))
    assert not any(alert.condition is Condition.NO_DATA for alert in replay_alerts([labeled])[0])
    now = evaluation_time(labeled)
    assert now > labeled.target_series.times[-1].item().replace(tzinfo=now.tzinfo)


def test_a_history_of_noise_ends_in_a_period_under_the_floor():
    for _, _, labeled in simulate_causes(BY_NAME["chance"], 4):
        assert labeled.truth.cause is Cause.NOISE
        assert labeled.target_series.values[-1] < 0.9 < labeled.truth.mean


@pytest.mark.parametrize("name", ["concept", "concept, accuracy alone"])
def test_a_diagnosis_is_compared_with_the_ground_truth(name):
    (result,) = diagnose_histories(BY_NAME[name], 1)
    assert result.prediction.truth == BY_NAME[name].cause.value
    assert result.in_top_two or not result.prediction.correct
    assert dict(result.prediction.conditions)["SE"] == "5"
