from dataclasses import fields, replace
from datetime import timedelta

import pytest

from modeltop.core.metrics.registry import Metric, MetricRegistry
from modeltop.core.series import Direction, SeriesKey, Severity
from modeltop.rules.defaults import Defaults, default_rules, rules_in_force
from modeltop.rules.detectors.limit import Limit
from modeltop.rules.detectors.threshold import Threshold
from modeltop.rules.replay import replay
from modeltop.rules.rule import Rule, describe_rule, is_meaningless_for, limit_rule, rules_for, skip_reason

BY_NAME = {rule.name: rule for rule in default_rules()}
ACCURACY, DROP, UNKNOWN, NOMINAL = (
    BY_NAME[name] for name in ("accuracy-floor", "baseline-drop", "unknown-metric", "two-sided-shift")
)
OWN = Rule("own", Threshold(critical=Limit(below=0.5)), "recall")


def test_the_defaults_ask_every_model_about_all_its_cases_only():
    assert ACCURACY.matches(SeriesKey("any", "accuracy"))
    assert not ACCURACY.matches(SeriesKey("any", "accuracy", "country=DE"))
    assert not ACCURACY.matches(SeriesKey("any", "balanced_accuracy"))


def test_what_a_person_configured_is_never_left_out(daily, floor):
    series = daily([0.5] * 20)
    assert skip_reason(floor(0.90), series) is None
    assert skip_reason(limit_rule("accuracy", below=0.9), series) is None


@pytest.mark.parametrize(
    ("key", "names"),
    [
        (SeriesKey("m", "accuracy"), ["baseline-drop", "limit-accuracy"]),
        (SeriesKey("m", "accuracy", "country=DE"), ["baseline-drop"]),
        (SeriesKey("m", "f1_score"), ["baseline-drop", "all-scores"]),
        (SeriesKey("m", "f1_score", "country=DE"), ["baseline-drop", "all-scores"]),
        (SeriesKey("m", "avg_confidence"), ["confidence-shift", "all-scores"]),
        (SeriesKey("m", "psi", "feature=age"), ["all-scores"]),
        (SeriesKey("m", "missing_rate", "feature=age"), ["missing-values", "all-scores"]),
        (SeriesKey("m", "f1_score", "split=train"), ["all-scores"]),
    ],
)
def test_thresholds_replace_thresholds_and_no_other_rules(key, names):
    scores = Rule("all-scores", Threshold(critical=Limit(below=0.5)), "*", segment="*")
    rules = [*default_rules(), scores, limit_rule("accuracy", below=0.8)]
    metric = MetricRegistry().get(key.metric)
    assert [rule.name for rule in rules_for(rules, key) if not is_meaningless_for(rule, metric)] == names


def test_the_metric_of_a_limit_is_no_glob():
    rule = limit_rule("hit[a-z]*?", above=0.5)
    assert rule.matches(SeriesKey("m", "hit[a-z]*?"))
    assert not rule.matches(SeriesKey("m", "hitb12"))


LIMITS = "accuracy below 0.92 warns, below 0.90 is critical"


@pytest.mark.parametrize(
    ("rule", "rest"),
    [
        ({}, ""),
        ({"confirm": 2}, ", after 2 periods in a row"),
        ({"confirm": (1, 3)}, ", a warning at once, critical after 3 periods in a row"),
        ({"recover": 3}, "; resolves after 3 good periods in a row"),
        ({"margin": 0.01}, "; resolves after one good period at least 0.01 back inside"),
        ({"recover": 2, "margin": 0.005}, "; resolves after 2 good periods in a row at least 0.005 back inside"),
        ({"min_count": 200}, "; periods with fewer than 200 cases are not evaluated"),
        ({"max_gap": timedelta(days=3)}, ""),
        (
            {"confirm": 2, "max_gap": timedelta(days=3)},
            ", after 2 periods in a row; a gap of more than 3d restarts the count",
        ),
    ],
)
def test_a_rule_can_be_said_in_one_sentence(floor, rule, rest):
    assert describe_rule(floor(0.90, 0.92, **rule), Metric("accuracy")) == LIMITS + rest


def test_one_limit_alone_says_the_count_that_it_has(floor):
    assert describe_rule(floor(None, 0.92, confirm=(2, 1)), Metric("accuracy")).endswith(
        "warns, after 2 periods in a row"
    )
    both = describe_rule(floor(0.90, confirm=(1, 3)), Metric("accuracy"))
    assert both == "accuracy below 0.90 is critical, a warning at once, critical after 3 periods in a row"


def test_ceilings_and_bands_can_be_said_too():
    ceiling = Rule("r", Threshold(critical=Limit(above=0.5)), "log_loss")
    assert describe_rule(ceiling, Metric("log_loss")) == "log_loss above 0.50 is critical"
    band = Rule("r", Threshold(warn=Limit(below=0.4, above=0.6)), "positive_rate")
    assert describe_rule(band, Metric("positive_rate")) == "positive_rate below 0.40 or above 0.60 warns"


@pytest.mark.parametrize(
    ("name", "overrides", "rule"),
    [
        pytest.param("recall", {}, "baseline-drop", id="a direction"),
        pytest.param("gps_accuracy", {}, "unknown-metric", id="not registered"),
        pytest.param("gps_accuracy", {"better": Direction.HIGHER}, "baseline-drop", id="a direction configured"),
        pytest.param("gps_accuracy", {"better": Direction.NEITHER}, None, id="configured to have none"),
        pytest.param("gps_accuracy", {"digits": 2}, "unknown-metric", id="something else configured"),
        pytest.param("example_count", {}, "unknown-metric", id="a quantity, on which it is skipped"),
        pytest.param("bias", {}, "two-sided-shift", id="a nominal value"),
        pytest.param("label_rate", {}, None, id="neither way better"),
    ],
)
def test_one_default_rule_at_most_watches_for_a_shift_of_a_metric(name, overrides, rule):
    metric = MetricRegistry({name: overrides} if overrides else {}).get(name)
    assert [each.name for each in (DROP, UNKNOWN, NOMINAL) if not is_meaningless_for(each, metric)] == (
        [rule] if rule else []
    )


def test_default_rules_hold_beside_configured_ones():
    assert rules_in_force((), Defaults()) == default_rules()
    assert rules_in_force((OWN,), Defaults()) == (OWN, *default_rules())
    replaced = replace(OWN, name="unknown-metric")
    in_force = rules_in_force((replaced,), Defaults())
    assert [rule for rule in in_force if rule.name == "unknown-metric"] == [replaced], (
        "one of that name is the person's"
    )


@pytest.mark.parametrize(
    ("switch", "names"),
    [
        ("floors", {"accuracy-floor", "f1-floor"}),
        ("drop", {"baseline-drop", "two-sided-shift"}),
        ("confidence", {"confidence-shift", "prediction-shift"}),
        ("volume", {"volume-drop"}),
        ("quality", {"missing-values", "unseen-categories"}),
        ("unknown_metrics", {"unknown-metric"}),
    ],
)
@pytest.mark.parametrize("configured", [(), (OWN,)])
def test_default_rules_are_turned_off_by_their_key_alone(configured, switch, names):
    on, off = (rules_in_force(configured, Defaults(**{switch: value})) for value in (True, False))
    assert {rule.name for rule in on if rule not in off} == names


def test_every_switch_of_a_default_rule_is_a_key():
    assert {rule.switch for rule in default_rules()} | {"declining"} == {field.name for field in fields(Defaults)}


@pytest.mark.parametrize(
    ("values", "is_skipped"),
    [
        pytest.param(range(100, 140), True, id="row numbers"),
        pytest.param(range(0, 4000, 100), True, id="steps"),
        pytest.param(range(100, 110), False, id="too few to tell"),
        pytest.param([*range(100, 111), 5], True, id="what comes later changes nothing"),
        pytest.param(range(140, 100, -1), False, id="a fall"),
        pytest.param([0.1 * day for day in range(40)], False, id="a rise of no whole numbers"),
        pytest.param([100 + day * day for day in range(40)], False, id="by other steps"),
        pytest.param([7] * 40, False, id="nothing changes"),
    ],
)
def test_a_counter_by_any_name_is_skipped_and_the_reason_names_the_remedy(daily, values, is_skipped):
    reason = skip_reason(UNKNOWN, daily(list(values), metric="my kpi"))
    assert (reason is not None) is is_skipped
    assert reason is None or reason.endswith('set better = "higher" or "lower" under [metrics."my kpi"]')


@pytest.mark.parametrize("name", ["example_count", "version", "epoch", "train_time", "lr-Adam"])
def test_quantities_and_bookkeeping_are_skipped_by_name(daily, name):
    assert skip_reason(UNKNOWN, daily([0.5] * 20, metric=name)).startswith("not evaluated: its name is")


@pytest.mark.parametrize("value", [0.2, 1.9])
def test_one_period_far_from_all_before_it_is_a_collapse_of_an_unknown_metric(daily, value):
    past = [0.9 + 0.01 * (day % 3) for day in range(11)]
    (alert,) = replay([daily([*past, value], metric="kpi")], UNKNOWN)[0]
    assert (alert.severity, alert.is_active) == (Severity.WARNING, True)
    assert not replay([daily([*past, 0.92], metric="kpi")], UNKNOWN)[0]


def test_a_limit_of_a_segment_displaces_the_rules_of_that_segment_alone():
    rules = [ACCURACY, limit_rule("accuracy", below=0.9, segment="split=train")]
    assert rules_for(rules, SeriesKey("m", "accuracy")) == [ACCURACY]
    assert rules_for(rules, SeriesKey("m", "accuracy", "split=train")) == [rules[1]]


@pytest.mark.parametrize(
    ("segment", "others", "applies"),
    [
        pytest.param("country=DE", [], True, id="a segment without a series of all rows"),
        pytest.param("country=DE", ["all"], False, id="a segment beside all rows"),
        pytest.param("split=train", [], False, id="training data alone"),
        pytest.param("feature=tenure", [], False, id="a feature"),
        pytest.param("country=DE,split=train_0", [], False, id="training data of a segment"),
        pytest.param("dataset=Training", [], False, id="training data by another name"),
    ],
)
def test_rules_of_all_rows_apply_to_segments_if_there_are_no_others(segment, others, applies):
    key = SeriesKey("m", "accuracy", segment)
    keys = {key, *(SeriesKey("m", "accuracy", other) for other in others)}
    assert (rules_for([ACCURACY], key, keys) == [ACCURACY]) is applies
    assert rules_for([ACCURACY], key) == []
