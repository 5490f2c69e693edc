"""The text report: models without an alert, models that alert, which alerts share a line, and what is never folded."""

from dataclasses import replace
from datetime import timedelta

import pytest

from modeltop.core.incident import Acknowledgement
from modeltop.core.series import Condition, ModelStatus, SeriesKey, Severity, State
from modeltop.report.text_report import (
    MAX_DETAILED,
    MAX_SHOWN,
    ReportIndex,
    alert_lines,
    alerting_section,
    healthy_section,
    text_summary,
)
from modeltop.rules.label_coverage import LabelCoverage, LabelState

FINE = "accuracy 0.950: ok, not below 0.90"
YOUNG = "accuracy 0.950: needs 10 earlier periods, has 3"
LATE = "accuracy 0.5: only 4 cases (min 30): not evaluated; before it 0.950: ok, not below 0.90"
UNJUDGED = "accuracy 0.5: only 4 cases (min 30): not evaluated"


def healthy_lines(make_snapshot, models, **changes):
    """Return the lines of models without an alert, each given with the sentences of its rules."""
    healthy = [
        (model, "fall" if sentence is YOUNG else "floor", "accuracy", sentence)
        for model, sentences in models.items()
        for sentence in sentences
    ]
    snapshot = make_snapshot(healthy=healthy, models=tuple(models), **changes)
    return list(healthy_section(snapshot.model_statuses, ReportIndex(snapshot)))


@pytest.mark.parametrize(
    ("sentences", "line"),
    [
        pytest.param([FINE, FINE], "● ok a, b: ok, 4 rules passed", id="healthy"),
        pytest.param([FINE, YOUNG], "● ok a, b: ok, 2 rules passed", id="some rules have too little history"),
        pytest.param([YOUNG], "○ unknown a, b: needs more history", id="all of them have"),
        pytest.param([], "○ unknown a, b: no rule applies", id="no rule"),
    ],
)
def test_models_of_a_kind_share_a_line(make_snapshot, sentences, line):
    assert healthy_lines(make_snapshot, {"a": sentences, "b": sentences}) == [line]


def test_where_the_newest_period_is_not_judged_the_line_adds_that(make_snapshot):
    line = " ".join(" ".join(healthy_lines(make_snapshot, {"a": [LATE], "b": [LATE]})).split())
    assert line == "● ok a, b: ok; latest period too small to evaluate, 2 rules passed"


def test_a_model_of_a_kind_of_its_own_has_a_line_of_its_own(make_snapshot):
    assert healthy_lines(make_snapshot, {"a": [FINE], "b": [UNJUDGED], "c": [YOUNG]}) == [
        "● ok b: stands so",
        "● ok a: its metric is within limits and baseline.",
        "● ok c: stands so",
    ]


def test_a_model_with_missing_labels_has_a_line_of_its_own(make_snapshot):
    coverage = LabelCoverage(LabelState.PENDING, None, "LABELS PENDING since 2025-01-09")
    lines = healthy_lines(make_snapshot, {"a": [FINE], "b": [FINE], "c": [FINE]}, label_coverage={"b": coverage})
    assert lines == ["● ok b: stands so", "● ok a, c: ok, 2 rules passed"]


def test_a_model_with_a_missing_newest_value_has_a_line_of_its_own(make_snapshot):
    missing = {"b": "accuracy has no value on 2025-01-10, evaluated up to 2025-01-09"}
    lines = healthy_lines(make_snapshot, {"a": [FINE], "b": [FINE], "c": [FINE]}, missing_values=missing)
    assert lines == ["● ok b: stands so", "● ok a, c: ok, 2 rules passed"]


def test_of_a_thousand_models_only_so_many_have_a_line_each(make_snapshot):
    models = {f"m{number}": [UNJUDGED] for number in range(1000)}
    lines = healthy_lines(make_snapshot, models)
    assert len(lines) == MAX_SHOWN + 1
    assert lines[-1] == f"    and {1000 - MAX_SHOWN} more models without an alert"
    (line,) = healthy_lines(make_snapshot, {model: [] for model in models})
    assert "m7 and 992 more models: no rule applies" in line


def test_the_alerts_of_very_many_models_share_one_line_a_model(make_snapshot, alert):
    models = tuple(f"m{number:03}" for number in range(MAX_DETAILED + 10))
    snapshot = make_snapshot(*(alert("floor", "accuracy", 30, model=model) for model in models), models=models)
    lines = list(text_summary(snapshot))
    assert sum(line.startswith("▲ critical") for line in lines) == len(models)
    assert sum(line.startswith("    ▲ critical") for line in lines) == MAX_DETAILED


def test_control_characters_in_names_are_escaped(make_snapshot):
    (line,) = healthy_lines(make_snapshot, {"a\x1b[2J": [FINE], "\u202eb": [FINE]})
    assert line.startswith(r"● ok a\x1b[2J, \u202eb: ok")


def test_a_model_whose_labels_do_not_suffice_is_not_marked_ok(make_snapshot):
    status = ModelStatus("a", Severity.UNKNOWN, "NOT ENOUGH LABELS since 1 Jan")
    assert list(healthy_section([status], ReportIndex(make_snapshot(models=("a",))))) == [
        "○ unknown a: NOT ENOUGH LABELS since 1 Jan"
    ]


BELOW_LIMIT = "▲ critical accuracy 0.850 < 0.90, for 10 days, since 31 Jan"


@pytest.mark.parametrize(
    ("alerts", "lines"),
    [
        pytest.param(
            [("floor", "accuracy", 30), ("fall", "accuracy", 20)], [BELOW_LIMIT], id="a series is listed once"
        ),
        pytest.param(
            [("floor", "accuracy", 30), ("fall", "recall", 31), ("fall", "precision", 33)],
            [BELOW_LIMIT, "◆ warning also: recall, precision"],
            id="the others of one severity share a line",
        ),
        pytest.param(
            [("floor", "recall", 29), ("floor", "accuracy", 30), ("fall", "log_loss", 30)],
            [
                BELOW_LIMIT,
                "▲ critical recall 0.850 < 0.90, for 11 days, since 30 Jan",
                "◆ warning log_loss 0.850, baseline 0.950, for 10 days, since 31 Jan",
            ],
            id="the lead comes first, and what is alone is told in full",
        ),
    ],
)  # fmt: skip
def test_the_lead_is_listed_in_full_and_the_others_by_severity(make_snapshot, alert, alerts, lines):
    assert list(alert_lines(ReportIndex(make_snapshot(*(alert(*args) for args in alerts))), "m")) == lines


def test_an_alert_that_is_handled_apart_keeps_its_line(make_snapshot, alert):
    limit, fall = alert("floor", "accuracy", 30), alert("fall", "accuracy", 30)
    until = fall.since + timedelta(days=1)
    ack = Acknowledgement("1a2b", "m", fall.severity, "ana", "", fall.since, until, fall.since, fall.since)
    _, line = alert_lines(ReportIndex(make_snapshot(limit, fall, acknowledgements={fall.id: ack})), "m")
    assert "acked by ana" in line


def test_pending_falls_are_not_mixed_with_those_that_fire(make_snapshot, alert):
    pending = [alert("fall", metric, 30, state=State.PENDING, id=None, fired=None) for metric in ("recall", "f1_score")]
    lines = list(alert_lines(ReportIndex(make_snapshot(alert("floor", "accuracy", 30), *pending)), "m"))
    assert lines[1:] == ["· pending also: recall, f1_score"]


def test_a_model_that_stopped_has_nothing_healthy_and_nothing_that_fell_with_it(make_snapshot, alert):
    silent = replace(
        alert("floor", "*", 30), rule="no-data", condition=Condition.NO_DATA, breach=None, severity=Severity.UNKNOWN
    )
    falls = [alert("fall", metric, 30) for metric in ("recall", "precision")]
    snapshot = make_snapshot(silent, *falls, healthy=[("m", "floor", "accuracy", "accuracy 0.950: ok, not below 0.90")])
    text = "\n".join(alerting_section(snapshot.model_statuses[0], ReportIndex(snapshot)))
    assert "◆ warning recall 0.85" in text
    assert "healthy" not in text


def test_healthy_and_unevaluated_rules_are_listed_below_the_alerts(make_snapshot, alert):
    snapshot = make_snapshot(
        alert("floor", "accuracy", 30),
        healthy=[
            ("m", "floor", "recall", "recall 0.950: ok, not below 0.90"),
            ("m", "fall", "precision", "precision 0.950: needs 10 earlier periods, has 9"),
            ("m", "floor", "f1_score", "f1_score inf: not evaluated (not finite)"),
        ],
    )
    assert list(alerting_section(snapshot.model_statuses[0], ReportIndex(snapshot))) == [
        "▲ critical m: stands so",
        "    ▲ critical accuracy 0.850 < 0.90, for 10 days, since 31 Jan",
        "    no alert: recall",
        "    ○ unknown 1 metric needs 10 earlier periods, has 9",
        "    ○ unknown 1 rule could not evaluate the newest period",
    ]


@pytest.mark.parametrize(
    ("segments", "names"),
    [(3, "recall, recall [s0], recall [s1], recall [s2]"), (19, "recall, recall of 19 segments")],
)
def test_many_segments_without_an_alert_are_a_number(make_snapshot, alert, segments, names):
    snapshot = make_snapshot(
        alert("floor", "accuracy", 30), healthy=[("m", "floor", "recall", "recall 0.950: ok, not below 0.90")]
    )
    (overall,) = snapshot.rule_statuses
    parts = [replace(overall, key=SeriesKey("m", "recall", f"s{number}")) for number in range(segments)]
    snapshot = replace(snapshot, rule_statuses=(overall, *parts))
    assert f"    no alert: {names}" in list(alerting_section(snapshot.model_statuses[0], ReportIndex(snapshot)))


@pytest.mark.parametrize("evil", ["\x1b[2J", "\u202e", "a\nb", "宽" * 200, "[bold]x[/]"])
def test_names_of_alerting_models_are_escaped_and_cut(make_snapshot, alert, evil):
    alerts = [alert(rule, "accuracy", 30, model=evil) for rule in ("floor", "fall")]
    snapshot = make_snapshot(*alerts, models=(evil,))
    lines = list(alerting_section(snapshot.model_statuses[0], ReportIndex(snapshot)))
    assert all(line.isprintable() for line in lines)
    assert all(len(line) < 200 for line in lines)
