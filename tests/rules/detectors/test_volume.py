"""Fewer rows than normal, and the series of row counts that is made for it."""

import numpy as np
import pytest

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import Severity
from modeltop.rules.defaults import default_rules
from modeltop.rules.evaluator import Evaluator

WEEK = np.where(np.arange(70) % 7 >= 5, 300.0, 1000.0)


def volume_alerts(daily, rows):
    series = daily([0.95] * len(rows), rows=np.asarray(rows, float))
    evaluator = Evaluator(default_rules(), MetricRegistry())
    evaluator.evaluate({series.key: series})
    alerts = [alert for alert in evaluator.alerts if alert.rule == "volume-drop" and alert.fired]
    assert bool(evaluator.volumes_with_alerts) is bool(alerts), "it is a series of the history only then"
    return alerts


@pytest.mark.parametrize(
    ("tail", "fires"),
    [
        pytest.param([1.0] * 7, False, id="as many as usual, weekends too"),
        pytest.param([0.5] * 5, True, id="half for five periods"),
        pytest.param([0.5] * 4, False, id="for four"),
        pytest.param([0.1] * 2, True, id="a tenth for two"),
        pytest.param([0.1], False, id="for one"),
    ],
)
def test_how_few_rows_for_how_long_warn(daily, tail, fires):
    rows = np.concatenate([WEEK[:63], WEEK[63 : 63 + len(tail)] * tail])
    alerts = volume_alerts(daily, rows)
    assert [(alert.severity, alert.key.metric, alert.periods) for alert in alerts] == (
        [(Severity.WARNING, "rows", len(tail))] if fires else []
    )


def test_a_growing_volume_never_warns(daily):
    assert volume_alerts(daily, np.linspace(100, 5000, 200)) == []
