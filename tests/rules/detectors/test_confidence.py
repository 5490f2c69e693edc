"""A model that grows more or less sure of itself."""

import numpy as np
import pytest

from modeltop.core.series import Severity
from modeltop.rules.defaults import default_rules
from modeltop.rules.detectors.confidence import fit_turn
from modeltop.rules.replay import replay

(RULE,) = (rule for rule in default_rules() if rule.name == "confidence-shift")
TEN_DAYS = [0.94, 0.94, 0.93, 0.92, 0.91, 0.90, 0.89, 0.88, 0.86, 0.84]


def alerts_of(daily, values):
    return [alert for alert in replay([daily(list(values), metric="avg_confidence")], RULE)[0] if alert.fired]


def test_the_ten_days_are_less_confident_since_the_third(daily):
    (alert,) = alerts_of(daily, TEN_DAYS)
    assert (alert.severity, alert.since.day, alert.is_active) == (Severity.WARNING, 3, True)
    assert alert.breach.limit == pytest.approx(0.94, abs=0.005)
    longer = [*TEN_DAYS, *(0.83 - 0.01 * np.arange(20))]
    assert [alert.is_active for alert in alerts_of(daily, longer)] == [True], "as long as it goes on"


@pytest.mark.parametrize("shift", [-0.05, 0.05])
def test_a_sustained_shift_warns_on_either_side(daily, shift):
    values = np.random.default_rng(2).normal(0.9, 0.01, 50)
    assert alerts_of(daily, values) == []
    values[40:] += shift
    (alert,) = alerts_of(daily, values)
    assert (alert.since.day, alert.severity) == (10, Severity.WARNING)


def test_a_trend_of_no_size_is_no_warning(daily):
    assert alerts_of(daily, 0.9 - 0.0005 * np.arange(30) + np.tile([0, 0.0001], 15)) == []


def test_the_turn_of_a_constant_into_a_line_is_found():
    turn = fit_turn(np.array([1.0] * 10 + [0.9, 0.8, 0.7, 0.6]))
    assert (turn.start, round(turn.before, 6), round(turn.after, 6)) == (10, 1.0, 0.6)
