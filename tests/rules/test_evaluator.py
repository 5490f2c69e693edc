from dataclasses import replace

import numpy as np
import pytest

from modeltop.core.metrics.registry import Metric
from modeltop.core.series import Direction, Severity
from modeltop.rules.defaults import default_rules
from modeltop.rules.detectors.limit import Limit
from modeltop.rules.detectors.threshold import Threshold
from modeltop.rules.evaluator import rule_status
from modeltop.rules.replay import replay
from modeltop.rules.rule import Rule

OK, WARNING, CRITICAL = Severity.OK, Severity.WARNING, Severity.CRITICAL


def stands(series, rule):
    return rule_status(series, rule, replay([series], rule)[0], Metric(series.key.metric))


def test_of_a_metric_of_which_less_is_better_a_rise_is_what_would_be_bad(daily):
    (rule,) = (rule for rule in default_rules() if rule.name == "baseline-drop")
    noise = np.random.default_rng(1).normal(0, 0.01, 60)
    errors = replace(daily(list(0.5 + noise), metric="log_loss"), better=Direction.LOWER)
    assert stands(errors, rule).sentence.endswith(": ok, no sustained rise above its baseline")
    assert stands(daily(list(0.9 + noise)), rule).sentence.endswith(": ok, no sustained drop below its baseline")


@pytest.mark.parametrize(
    ("values", "severity", "sentence"),
    [
        ([0.95], OK, "accuracy 0.950: ok, not below 0.92"),
        ([0.92], OK, "accuracy 0.920: ok, not below 0.92"),
        ([0.95, 0.87], OK, "accuracy 0.870: below 0.90 for 1 of 2 periods, not confirmed"),
        ([0.91], OK, "accuracy 0.910: below 0.92 for 1 of 2 periods, not confirmed"),
        ([0.87, 0.86], CRITICAL, "accuracy 0.860: critical, below 0.90 for 2 days, since 1 Jan"),
        ([0.95, 0.91, 0.91], WARNING, "accuracy 0.910: warning, below 0.92 for 2 days, since 2 Jan"),
        ([0.9, np.nextafter(0.9, 0), 0.89, np.nextafter(0.9, 0)], CRITICAL,
         "accuracy 0.8999999999999999: critical, below 0.9 for 4 days, since 1 Jan"),
        ([0.87, 0.86, 0.903], CRITICAL,
         "accuracy 0.903: critical, not yet 0.005 back inside 0.90 for 3 days, since 1 Jan"),
        ([0.87, 0.86, 0.95], CRITICAL,
         "accuracy 0.950: recovering from critical, 1 of 3 good periods, since 1 Jan"),
        ([0.87, 0.86, 0.91, 0.95], CRITICAL,
         "accuracy 0.950: recovering from critical, 2 of 3 good periods, since 1 Jan"),
        ([0.87, 0.86, 0.95, 0.95, 0.95], OK, "accuracy 0.950: ok, not below 0.92"),
    ],
)  # fmt: skip
def test_a_rule_says_how_it_stands(daily, floor, values, severity, sentence):
    status = stands(daily(values), floor(0.90, 0.92, margin=0.005, confirm=2, recover=3))
    assert (status.severity, status.sentence, status.skip_reason) == (severity, sentence, None)


@pytest.mark.parametrize(
    ("check", "value", "sentence"),
    [
        (Threshold(critical=Limit(above=0.5)), 0.4, "loss 0.400: ok, not above 0.50"),
        (Threshold(critical=Limit(above=0.5)), 0.6, "loss 0.600: critical, above 0.50 for 1 day, since 1 Jan"),
        (Threshold(critical=Limit(0.1, 0.5)), 0.4, "loss 0.400: ok, not below 0.10 nor above 0.50"),
        (Threshold(critical=Limit(0.1, 0.5)), 0.05, "loss 0.050: critical, below 0.10 for 1 day, since 1 Jan"),
    ],
)
def test_ceilings_and_bands_say_it_their_way(daily, check, value, sentence):
    assert stands(daily([value], metric="loss"), Rule("r", check, "loss")).sentence == sentence


@pytest.mark.parametrize(
    ("newest", "support", "provisional", "reason"),
    [
        (1.0, 5, False, "accuracy 1.000: only 5 cases (min 30): not evaluated"),
        (0.0, 1, False, "accuracy 0.000: only 1 case (min 30): not evaluated"),
        (0.0, 1.09, False, "accuracy 0.000: only 1 case (min 30): not evaluated"),
        (0.5, 500, True, "accuracy 0.500: not evaluated (period not complete)"),
        (np.inf, 500, False, "accuracy inf: not evaluated (not finite)"),
    ],
)
def test_a_newest_value_that_is_not_judged_is_said_with_what_held_before(
    daily, floor, newest, support, provisional, reason
):
    columns = {"support": np.array([500.0, support]), "provisional": np.array([False, provisional])}
    before = "before it 0.870: critical, below 0.90 for 1 day, since 1 Jan"
    assert stands(daily([0.87, newest], **columns), floor(min_count=30)).sentence == f"{reason}; {before}"
    alone = daily([newest], support=columns["support"][1:], provisional=columns["provisional"][1:])
    status = stands(alone, floor(min_count=30))
    assert (status.severity, status.sentence) == (OK, reason)


def test_a_value_that_rests_on_no_case_is_not_evaluated_by_any_rule(daily, floor):
    status = stands(daily([0.87] * 3, support=np.zeros(3)), floor())
    assert (status.severity, status.sentence) == (OK, "accuracy 0.870: only 0 cases (min 1): not evaluated")


def test_a_default_that_was_left_out_says_why_and_judges_nothing(daily):
    series = daily([0.61] * 9)
    status = stands(series, default_rules()[0])
    assert status.severity is OK
    assert status.skip_reason == "default limit 0.90 skipped: this model is usually at 0.610. Set your own: `[[rules]]`"
    assert status.sentence == f"accuracy 0.610: {status.skip_reason}"


def test_alerts_of_other_rules_and_series_are_passed_over(daily, floor, make_alert):
    series = daily([0.95])
    others = [make_alert("other", "accuracy"), make_alert("fraud", "recall"), make_alert("fraud", rule="other")]
    assert rule_status(series, floor(), others, Metric("accuracy")).severity is OK


@pytest.mark.parametrize(
    ("confirm", "values", "sentence"),
    [
        ((1, 3), [0.87, 0.87], "warning, below 0.90 for 2 days"),
        ((3, 5), [0.87], "below 0.90 for 1 of 3 periods"),
        ((3, 2), [0.91, 0.87], "below 0.90 for 2 of 3 periods"),
        ((4, 1), [0.91], "below 0.92 for 1 of 4 periods"),
    ],
)
def test_who_waits_says_when_people_will_first_be_told(daily, floor, confirm, values, sentence):
    assert sentence in stands(daily(values), floor(0.90, 0.92, confirm=confirm)).sentence
