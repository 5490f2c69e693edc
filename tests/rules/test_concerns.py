"""What is worth a word about a model without an alert."""

from dataclasses import replace

import numpy as np
import pytest

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import ConcernKind, Direction
from modeltop.rules.concerns import describe_concern, find_concerns
from modeltop.rules.defaults import DROP, default_rules
from modeltop.rules.replay import replay
from modeltop.rules.rule import limit_rule

CATALOG = MetricRegistry()
TEN_DAYS = [0.96, 0.96, 0.95, 0.94, 0.94, 0.92, 0.91, 0.90, 0.89, 0.87]


def concerns_of(series, rules=(), **options):
    return find_concerns([series], {series.key: rules}, CATALOG, **options).get(series.key, ())


def describe(concern):
    return describe_concern(concern, CATALOG.get("accuracy"), "day", concern.since)


def test_a_decline_inside_the_limits_is_dated_and_leads_to_the_next_limit(daily):
    (concern,) = concerns_of(daily(TEN_DAYS), [limit_rule("accuracy", below=0.8)])
    assert (concern.kind, concern.since.day, concern.limit, concern.limit_at.day) == (ConcernKind.DECLINING, 2, 0.8, 17)
    assert describe(concern) == "declining: accuracy -0.092 in 9 days; at this pace below 0.80 around 17 Jan"
    assert concerns_of(daily(TEN_DAYS), declining=False) == ()


def test_a_limit_that_is_already_crossed_is_not_ahead(daily):
    (concern,) = concerns_of(daily(TEN_DAYS), [limit_rule("accuracy", below=0.9)])
    assert concern.limit == pytest.approx(0.8), "the next tenth"


@pytest.mark.parametrize("metric", ["psi", "latency", "estimated_accuracy", "avg_confidence"])
def test_only_performance_declines(daily, metric):
    assert concerns_of(daily(TEN_DAYS, metric=metric)) == ()


def test_one_value_far_below_the_baseline_is_named_until_it_is_confirmed(daily):
    values = np.random.default_rng(1).normal(0.9, 0.01, 40).tolist()
    (concern,) = concerns_of(daily([*values, 0.84]))
    assert (concern.kind, concern.value) == (ConcernKind.BELOW_BASELINE, 0.84)
    assert describe(concern).startswith("1 day far below baseline, not confirmed: accuracy 0.90")
    assert concerns_of(daily([*values, 0.88])) == ()
    assert concerns_of(daily([*values[:7], 0.5])) == (), "needs eight periods"


def test_two_values_far_off_are_counted_as_two(daily):
    (concern,) = concerns_of(daily([*np.random.default_rng(1).normal(0.9, 0.01, 40), 0.85, 0.84]))
    assert (concern.periods, concern.since.day, concern.before) == (2, 10, pytest.approx(0.9, abs=0.01))
    assert "2 days far below baseline" in describe(concern)


@pytest.mark.parametrize(
    ("metric", "usual", "newest", "side"),
    [
        pytest.param("latency_p95", 100.0, 900.0, "above", id="a latency"),
        pytest.param("psi", 0.02, 0.5, "above", id="drift"),
        pytest.param("latency_p95", 100.0, 130.0, None, id="far, but not large"),
        pytest.param("latency_p95", 100.0, 10.0, None, id="better"),
    ],
)
def test_a_metric_without_labels_far_on_its_bad_side_is_named_if_that_is_large(daily, metric, usual, newest, side):
    values = usual * np.random.default_rng(1).normal(1, 0.03, 40)
    series = replace(daily([*values, newest], metric=metric), better=Direction.LOWER)
    assert [concern.side for concern in concerns_of(series)] == ([side] if side else [])


@pytest.mark.parametrize(("newest", "side"), [(0.8154, "below"), (0.99, "above"), (0.95, None)])
def test_confidence_far_off_on_either_side_is_named(daily, newest, side):
    values = np.random.default_rng(1).normal(0.94, 0.004, 40)
    series = replace(daily([*values, newest], metric="avg_confidence"), better=Direction.NEITHER)
    rules = [rule for rule in default_rules() if rule.metric == "avg_confidence"]
    assert [concern.side for concern in concerns_of(series, rules)] == ([side] if side else [])


def test_an_earlier_drop_hides_no_later_value(daily):
    rng = np.random.default_rng(1)
    values = [*rng.normal(0.9, 0.01, 40), *[0.5] * 4, *rng.normal(0.9, 0.01, 10), 0.845]
    series = daily(values)
    assert concerns_of(series) == ()
    (rule,) = (rule for rule in default_rules() if rule.name == DROP)
    (alerts,) = replay([series], rule.for_metric(CATALOG.get("accuracy")))
    assert [alert.resolved is not None for alert in alerts] == [True]
    (concern,) = concerns_of(series, earlier={series.key: alerts})
    assert concern.before == pytest.approx(0.9, abs=0.01)


def test_a_decline_in_a_weekly_season_is_measured_without_it(daily):
    days = np.arange(56)
    season = np.where(days % 7 >= 5, -0.08, 0.0) + np.random.default_rng(1).normal(0, 0.002, 56)
    assert concerns_of(daily(0.85 + season)) == ()
    (concern,) = concerns_of(daily(0.85 + season - 0.0015 * np.maximum(days - 28, 0)))
    assert (concern.kind, concern.value - concern.before) == (ConcernKind.DECLINING, pytest.approx(-0.04, abs=0.01))
