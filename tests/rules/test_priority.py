from dataclasses import replace

import pytest

from modeltop.core.metrics.registry import Metric, MetricRegistry
from modeltop.core.series import ReadProblem, SeriesKey, Severity, State
from modeltop.rules.defaults import default_rules
from modeltop.rules.evaluator import rule_status
from modeltop.rules.priority import model_statuses, ordered_alerts, relative_excess, worst_series
from modeltop.rules.replay import no_data_alert, replay, source_error_alert
from modeltop.rules.rule import limit_rule

CRITICAL, UNKNOWN, WARNING, OK = Severity.CRITICAL, Severity.UNKNOWN, Severity.WARNING, Severity.OK
ACCURACY = limit_rule("accuracy", below=0.9)
FLOOR = default_rules()[0]
LEFT_OUT = "no rule evaluates it: default limit 0.90 skipped: this model is usually at 0.600. Set your own: `[[rules]]`"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param({"fired": 1}, {"severity": UNKNOWN, "fired": 9}, id="critical before unknown"),
        pytest.param({"severity": UNKNOWN}, {"severity": WARNING, "fired": 9}, id="unknown before warning"),
        pytest.param({"fired": 1}, {"fired": 9, "metric": "taken"}, id="what nobody has acknowledged"),
        pytest.param({"metric": "taken", "fired": 9}, {"severity": WARNING}, id="but critical stays before warning"),
        pytest.param({"fired": 9}, {"fired": 1, "value": 0.1}, id="then the newest fired"),
        pytest.param({"value": 0.7}, {"value": 0.8, "model": "a"}, id="then the furthest beyond its limit"),
        pytest.param({"value": 0.8}, {"value": 81, "limit": 90, "model": "a"}, id="as a share of the limit"),
        pytest.param({"model": "a"}, {"model": "b"}, id="then the name"),
        pytest.param({"state": State.RECOVERING, "value": 0.7}, {}, id="recovering stands as firing does"),
        pytest.param({"severity": WARNING}, {"state": State.PENDING}, id="what stands before the pending"),
        pytest.param({"state": State.PENDING}, {"state": State.RESOLVED}, id="the pending before the past"),
        pytest.param(
            {"state": State.RESOLVED, "severity": WARNING, "fired": 9}, {"state": State.RESOLVED}, id="the past by time"
        ),
    ],
)
def test_problems_stand_in_the_order_in_which_people_should_look(make_alert, first, second):
    alert, other = make_alert(**first), make_alert(**second)
    assert ordered_alerts([other, alert], {"m/taken/9"}) == (alert, other)
    assert ordered_alerts([alert, other], {"m/taken/9"}) == (alert, other)


def test_distance_is_a_share_of_the_limit_and_absolute_where_that_is_zero(make_alert):
    assert relative_excess(make_alert(value=45, limit=90)) == 0.5
    assert relative_excess(make_alert(value=-0.25, limit=0)) == 0.25


def test_what_was_usual_is_no_limit_to_be_far_beyond(make_alert):
    alert, other = make_alert(metric="accuracy", value=0.8), make_alert(metric="brier_score", value=0.2, limit=0.1)
    breach = replace(other.breach, is_baseline=True)
    assert ordered_alerts([alert, replace(other, breach=breach)])[0] is alert
    assert relative_excess(replace(other, breach=breach)) == 0.0


@pytest.fixture
def statuses_of(history_of):
    """The model statuses of some series under the default accuracy floor."""

    def make(*all_series, more=(), problems=()):
        matching = [series for series in all_series if ACCURACY.matches(series.key)]
        alerts = [alert for series in matching for alert in replay([series], ACCURACY)[0]] + list(more)
        statuses = [rule_status(series, ACCURACY, alerts, Metric("accuracy")) for series in matching]
        return model_statuses(
            history_of(*all_series, problems=problems), ordered_alerts(alerts), statuses, MetricRegistry()
        )

    return make


@pytest.mark.parametrize(
    ("values", "severity", "sentence"),
    [
        ([0.95, 0.89, 0.87], CRITICAL, "accuracy 0.870 < 0.90 for 2 days, since 2 Jan"),
        ([0.87, 0.95], OK, "accuracy 0.950: ok, not below 0.90"),
        ([0.6] * 9, UNKNOWN, LEFT_OUT),
    ],
)
def test_the_verdict_says_the_worst_thing_in_one_sentence(daily, history_of, values, severity, sentence):
    series = daily(values)
    rule = ACCURACY if len(values) < 8 else FLOOR
    alerts = replay([series], rule)[0]
    rule = rule_status(series, rule, alerts, Metric("accuracy"))
    (status,) = model_statuses(history_of(series), alerts, [rule], MetricRegistry())
    assert (status.model, status.severity, status.sentence) == ("fraud", severity, sentence)


def test_what_waits_or_recovers_is_said_as_that(daily, floor, history_of):
    for values, severity, sentence in (
        ([0.95, 0.87], OK, "accuracy 0.870 < 0.90 for 1 day, not confirmed"),
        ([0.87, 0.86, 0.95], CRITICAL, "accuracy recovering from 0.860 < 0.90, since 1 Jan"),
    ):
        series = daily(values)
        alerts = replay([series], floor(confirm=2, recover=2))[0]
        (status,) = model_statuses(history_of(series), alerts, [], MetricRegistry())
        assert (status.severity, status.sentence) == (severity, sentence)


def test_a_metric_without_the_newest_value_is_named_before_a_model_is_called_healthy(daily, floor, history_of):
    missing = {"fraud": "recall has no value on 2025-01-02, evaluated up to 2025-01-01"}
    for values, sentence in (
        ([0.95, 0.95], f"{missing['fraud']}; accuracy 0.950: ok, not below 0.90"),
        ([0.87, 0.87], f"accuracy 0.870 < 0.90 for 2 days, since 1 Jan; {missing['fraud']}"),
    ):
        series = daily(values)
        alerts = replay([series], ACCURACY)[0]
        rule = rule_status(series, ACCURACY, alerts, Metric("accuracy"))
        (status,) = model_statuses(history_of(series), alerts, [rule], MetricRegistry(), missing_values=missing)
        assert status.sentence == sentence


def test_a_segment_is_named_and_the_whole_is_not(daily, floor, history_of):
    series = daily([0.8], segment="country=DE")
    (status,) = model_statuses(history_of(series), replay([series], floor(segment="*"))[0], [], MetricRegistry())
    assert status.sentence.startswith("country=DE: accuracy 0.800 < 0.90")


def test_models_and_unreadable_sources_come_worst_first(daily, day, statuses_of):
    silent = daily([0.95] * 5, model="silent")
    broken = ReadProblem("x.csv", "no such file; check the path", fatal=True)
    more = [no_data_alert("silent", silent.times, day(100)), source_error_alert(broken, day(50))]
    statuses = statuses_of(
        daily([0.95], model="zoo"),
        daily([0.95], model="ape"),
        silent,
        daily([0.5], model="old"),
        daily([0.95, 0.5], model="new"),
        daily([0.5], model="unasked", metric="recall"),
        more=more,
        problems=[broken],
    )
    assert [status.model for status in statuses] == ["new", "old", "x.csv", "silent", "unasked", "ape", "zoo"]
    sentences = {status.model: status.sentence for status in statuses}
    assert sentences["x.csv"] == "no such file; check the path"
    assert sentences["silent"] == "no rows since 5 Jan"
    assert sentences["unasked"] == "no rule evaluates it"


def test_an_acknowledged_model_stands_below_the_others_of_its_severity(make_alert, history_of, daily):
    series = [daily([0.8], model=model) for model in "ab"]
    alerts = [make_alert("a"), make_alert("b")]
    order = model_statuses(history_of(*series), alerts, [], MetricRegistry(), acknowledged={"a/accuracy/1"})
    assert [status.model for status in order] == ["b", "a"]


def test_a_model_opens_on_its_worst_series(daily, make_alert, history_of):
    metrics = ("loss", "accuracy", "recall")
    history = history_of(*(daily([0.8], model="m", metric=metric) for metric in metrics))
    alerts = [
        make_alert(metric="recall", severity=WARNING, fired=9),
        make_alert(metric="accuracy", state=State.RECOVERING),
        make_alert(metric="loss", state=State.RESOLVED, fired=9),
        make_alert(metric="*", severity=UNKNOWN, fired=9),
        make_alert("other", metric="loss", fired=9),
    ]
    assert worst_series("m", history, alerts) == SeriesKey("m", "accuracy")
    assert worst_series("m", history, alerts[3:]) == SeriesKey("m", "loss")
    assert worst_series("x.csv", history, alerts) is None


def test_a_rule_that_holds_is_said_before_one_that_was_left_out(daily, history_of):
    series = [daily([0.6] * 9), daily([0.95] * 9, metric="f1_score")]
    rules = zip(series, default_rules(), strict=False)
    statuses = [rule_status(series, rule, [], Metric(series.key.metric)) for series, rule in rules]
    (status,) = model_statuses(history_of(*series), [], statuses, MetricRegistry())
    assert status.sentence == "f1_score 0.950: ok, not below 0.85"
    assert worst_series("fraud", history_of(*series), [], statuses) == series[1].key


def test_a_healthy_model_opens_on_a_series_that_a_rule_judges(daily, history_of):
    series = [daily([0.95], metric=metric) for metric in ("loss", "accuracy")]
    statuses = [rule_status(series[1], ACCURACY, [], Metric("accuracy"))]
    assert worst_series("fraud", history_of(*series), [], statuses) == series[1].key
