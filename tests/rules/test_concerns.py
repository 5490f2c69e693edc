"""What is worth a word about a model without an alert."""

import numpy as np
import pytest

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import ConcernKind
from modeltop.rules.concerns import describe_concern, find_concerns
from modeltop.rules.rule import limit_rule

CATALOG = MetricRegistry()
TEN_DAYS = [0.96, 0.96, 0.95, 0.94, 0.94, 0.92, 0.91, 0.90, 0.89, 0.87]


def concerns_of(series, rules=(), **options):
    return find_concerns([series], {series.key: rules}, CATALOG, **options).get(series.key, ())


def test_a_decline_inside_the_limits_is_dated_and_leads_to_the_next_limit(daily):
    (concern,) = concerns_of(daily(TEN_DAYS), [limit_rule("accuracy", below=0.8)])
    assert (concern.kind, concern.since.day, concern.limit, concern.limit_at.day) == (ConcernKind.DECLINING, 2, 0.8, 17)
    text = describe_concern(concern, CATALOG.get("accuracy"))
    assert text == "accuracy declining: -0.092 since 2025-01-02; at this pace below 0.80 around 2025-01-17"
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
    text = describe_concern(concern, CATALOG.get("accuracy"))
    assert text.endswith("1 period far below baseline, not confirmed")
    assert concerns_of(daily([*values, 0.88])) == ()
    assert concerns_of(daily([*values[:7], 0.5])) == (), "needs eight periods"
