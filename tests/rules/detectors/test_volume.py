"""Fewer rows than normal, and the series of row counts that is made for it."""

from dataclasses import replace

import numpy as np
import pytest

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import Severity, State
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


@pytest.mark.parametrize("days", range(2, 15))
def test_a_warning_goes_on_until_half_of_the_rows_are_there_again(daily, days):
    tail = ([0.05, 0.08, 0.13, 0.12, 0.11, 0.09, 0.2] * 2)[:days]
    rows = np.concatenate([WEEK[:63], WEEK[:days] * tail])
    (alert,) = volume_alerts(daily, rows)
    assert (alert.state, alert.periods) == (State.FIRING, days)
    (alert,) = volume_alerts(daily, np.concatenate([rows, [1000.0]]))
    assert alert.state is State.RESOLVED


@pytest.mark.filterwarnings("error")
def test_no_rows_at_any_time_are_no_fewer_than_usual(daily):
    assert volume_alerts(daily, np.zeros(60)) == []


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


def test_chance_among_the_few_rows_that_all_segments_have_left_is_no_loss_of_one(daily):
    rng, levels, models = np.random.default_rng(1), [500.0, 300.0, 200.0], []
    for _ in range(20):
        means = np.outer(levels, np.where(np.arange(100) < 60, 1.0, 0.067))
        rows = rng.poisson(means).astype(float)
        series = [daily([0.95] * 100, rows=counts) for counts in (rows.sum(axis=0), *rows)]
        keys = [series[0].key._replace(segment=name) for name in ("all", "c=1", "c=2", "c=3")]
        evaluator = Evaluator(default_rules(), MetricRegistry())
        evaluator.evaluate({key: replace(each, key=key) for key, each in zip(keys, series, strict=True)})
        alerts = [alert for alert in evaluator.alerts if alert.rule == "volume-drop"]
        models.append({alert.key.segment for alert in alerts})
    assert models == [{"all"}] * 20


def test_a_segment_that_warns_again_in_the_same_days_of_few_rows_has_a_second_alert(daily):
    own, others = np.full(75, 100.0), np.full(75, 300.0)
    own[60:], others[68] = 30.0, 20.0  # on one day all segments have few rows
    series = daily([0.95] * 75, rows=own)
    key = series.key._replace(segment="country=DE")
    evaluator = Evaluator(default_rules(), MetricRegistry())
    evaluator.evaluate({series.key: replace(series, rows=own + others), key: replace(series, key=key)})
    first, second = (alert for alert in evaluator.alerts if alert.rule == "volume-drop")
    assert first.id != second.id
    assert (first.state, second.state) == (State.RESOLVED, State.FIRING)
    assert first.resolved is not None
    assert second.since >= first.resolved


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


@pytest.mark.parametrize("overdispersion", [1.0, 2.0])
def test_chance_among_small_segments_of_a_weekly_season_does_not_warn(daily, overdispersion):
    rng, days, alerts = np.random.default_rng(1), 365, 0
    week = np.where(np.arange(days) % 7 >= 5, 0.5, 1.0)
    for _ in range(50):  # years of a model with 4 segments of 30 to 200 rows
        means = np.outer(rng.uniform(30, 200, 4), week)
        rows = means if overdispersion == 1 else rng.gamma(means / (overdispersion - 1), overdispersion - 1)
        rows = rng.poisson(rows).astype(float)
        history = {}
        for name, counts in zip(("all", "c=1", "c=2", "c=3", "c=4"), (rows.sum(axis=0), *rows), strict=True):
            series = daily([0.95] * days, rows=counts)
            key = series.key._replace(segment=name)
            history[key] = replace(series, key=key)
        evaluator = Evaluator(default_rules(), MetricRegistry())
        evaluator.evaluate(history)
        alerts += sum(alert.rule == "volume-drop" and alert.fired is not None for alert in evaluator.alerts)
    assert alerts <= 50 / 10
