"""Fewer rows than normal, and the series of row counts that is made for it."""

from dataclasses import replace

import numpy as np
import pytest

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import Severity
from modeltop.rules.defaults import default_rules
from modeltop.rules.evaluator import Evaluator
from modeltop.rules.volume_series import VolumeSeries

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


SEGMENTS = {"country=DE": 1000.0, "country=FR": 800.0, "country=US": 2000.0}


def evaluate_segments(daily, tails, *, segments=SEGMENTS, days=5, before=60, names=None):
    """Return the segments with a volume alert, once their rows were multiplied by `tails` for so many days.

    A segment whose rows are None then has no periods any more.
    """
    history, total = {}, np.zeros(before + days)
    for segment, level in segments.items():
        tail = tails.get(segment, 1.0)
        rows = np.concatenate([np.full(before, level), np.full(days, level * (tail or 0.0))])
        total += rows
        series = daily([0.95] * len(rows), rows=rows)
        kept = slice(None, before) if tail is None else slice(None)
        key = series.key._replace(segment=(names or {}).get(segment, segment))
        history[key] = replace(series[kept], key=key)
    overall = daily([0.95] * len(total), rows=total)
    evaluator = Evaluator(default_rules(), MetricRegistry())
    evaluator.evaluate({overall.key: overall, **history})
    alerts = [alert for alert in evaluator.alerts if alert.rule == "volume-drop" and alert.fired]
    assert all(alert.key.metric == "rows" and alert.severity is Severity.WARNING for alert in alerts)
    return [alert.key.segment for alert in alerts]


@pytest.mark.parametrize(
    ("tails", "alerting"),
    [
        pytest.param({}, [], id="as many as usual"),
        pytest.param({"country=DE": 0.1}, ["country=DE"], id="one segment fell"),
        pytest.param({"country=DE": None}, ["country=DE"], id="one segment vanished"),
        pytest.param({"country=US": 0.4}, ["country=US"], id="the largest fell by more than half"),
        pytest.param(dict.fromkeys(SEGMENTS, 0.3), ["all"], id="all fell alike: the model alone warns"),
        pytest.param(dict.fromkeys(SEGMENTS, 0.55), [], id="all fell by less than half"),
    ],
)
def test_a_segment_warns_where_it_lost_rows_by_itself(daily, tails, alerting):
    assert evaluate_segments(daily, tails) == alerting


def test_a_small_segment_a_feature_or_a_class_never_warns(daily):
    few = {"country=DE": 20.0, "country=FR": 800.0}
    assert evaluate_segments(daily, {"country=DE": 0.1}, segments=few) == []
    for name in ("feature=age", "class=yes", "split=train"):
        assert evaluate_segments(daily, {"country=DE": 0.1}, names={"country=DE": name}) == []


def test_days_without_any_segment_are_no_loss_of_rows(daily):
    assert evaluate_segments(daily, dict.fromkeys(SEGMENTS)) == ["all"]  # the rows of all are 0 here
    overall, series = daily([0.95] * 70, rows=np.full(70, 1000.0)), daily([0.95] * 60, rows=np.full(60, 500.0))
    keys = [series.key._replace(segment=segment) for segment in ("country=DE", "country=FR")]
    evaluator = Evaluator(default_rules(), MetricRegistry())
    evaluator.evaluate({overall.key: overall, **{key: replace(series, key=key) for key in keys}})
    assert not evaluator.volumes_with_alerts


def test_only_the_row_counts_of_changed_segments_are_counted_anew(daily):
    volumes, rows = VolumeSeries(), np.full(60, 500.0)
    series = [daily([0.95] * 60, rows=rows, model=model) for model in ("a", "b")]
    keys = [each.key._replace(segment=segment) for each in series for segment in ("all", "country=DE", "country=FR")]
    history = {key: replace(series[0], key=key) for key in keys}
    first = volumes.update(history)
    assert len(first) == 6
    changed = keys[1]
    second = volumes.update(history | {changed: replace(history[changed], rows=rows + 1)})
    assert {key for key in first if second[key] is not first[key]} == {key._replace(metric="rows") for key in keys[1:3]}
