"""A model that alerts, as `check` tells it: which of its alerts share a line, and what is never folded away."""

from dataclasses import replace
from datetime import timedelta

import pytest

from modeltop.core.incident import Acknowledgement
from modeltop.core.series import Condition, Severity, State
from modeltop.report.index import build_index
from modeltop.report.text_report import alert_lines, alerting_section


@pytest.mark.parametrize(
    ("alerts", "lines"),
    [
        pytest.param(
            [("floor", "accuracy", 30), ("fall", "accuracy", 30)],
            ["▲ CRIT accuracy 0.85 < 0.90, 10 periods, since 2025-01-31"],
            id="a fall of what a limit alerts about adds nothing",
        ),
        pytest.param(
            [("floor", "accuracy", 30), ("fall", "accuracy", 20)],
            ["▲ CRIT accuracy 0.85 < 0.90, 10 periods, since 2025-01-31; lastingly worse since 2025-01-21"],
            id="unless it began before",
        ),
        pytest.param(
            [("floor", "accuracy", 30), ("fall", "recall", 31), ("fall", "precision", 33)],
            [
                "▲ CRIT accuracy 0.85 < 0.90, 10 periods, since 2025-01-31",
                "◆ WARN and 2 more metrics fell with it: recall, precision",
            ],
            id="falls that began with it are one line",
        ),
        pytest.param(
            [("floor", "accuracy", 30), ("fall", "recall", 10), ("fall", "precision", 12)],
            [
                "▲ CRIT accuracy 0.85 < 0.90, 10 periods, since 2025-01-31",
                "◆ WARN 2 metrics lastingly worse: recall, precision, since 2025-01-11",
            ],
            id="those that began at another time say when",
        ),
        pytest.param(
            [("floor", "accuracy", 30), ("fall", "recall", 30), ("fall", "precision", 34)],
            [
                "▲ CRIT accuracy 0.85 < 0.90, 10 periods, since 2025-01-31",
                "◆ WARN recall 0.85 below its usual 0.95, 10 periods, since 2025-01-31",
                "◆ WARN precision 0.85 below its usual 0.95, 6 periods, since 2025-02-04",
            ],
            id="more than three periods apart is not together",
        ),
        pytest.param(
            [("fall", "accuracy", 30), ("fall", "recall", 30), ("fall", "log_loss", 30)],
            [
                "◆ WARN accuracy 0.85 below its usual 0.95, 10 periods, since 2025-01-31",
                "◆ WARN and 2 more metrics got worse with it: recall, log_loss",
            ],
            id="the first is told in full, and what is better when it is low did not fall",
        ),
        pytest.param(
            [("fall", "accuracy", 30), ("move", "recall", 30), ("move", "precision", 30)],
            [
                "◆ WARN accuracy 0.85 below its usual 0.95, 10 periods, since 2025-01-31",
                "◆ WARN and 2 more metrics changed with it: recall, precision",
            ],
            id="what objects to both sides is not said to be worse",
        ),
    ],
)  # fmt: skip
def test_falls_are_folded_into_what_is_told_already(look, alert, alerts, lines):
    assert list(alert_lines(build_index(look(*(alert(*one) for one in alerts))), "m")) == lines


def test_a_fall_that_is_worse_than_the_limit_keeps_its_line(look, alert):
    warning = alert("floor", "accuracy", 30, severity=Severity.WARNING)
    worse = alert("fall", "accuracy", 30, severity=Severity.CRITICAL)
    assert len(list(alert_lines(build_index(look(worse, warning)), "m"))) == 2


def test_a_fall_that_somebody_has_taken_keeps_its_line(look, alert):
    limit, fall = alert("floor", "accuracy", 30), alert("fall", "accuracy", 30)
    until = fall.since + timedelta(days=1)
    ack = Acknowledgement(fall.id, fall.rule, fall.key, fall.severity, "ana", "", fall.since, until, fall.since)
    _, line = alert_lines(build_index(look(limit, fall, acks={fall.id: ack})), "m")
    assert "taken by ana" in line


def test_pending_falls_are_not_mixed_with_those_that_fire(look, alert):
    pending = [alert("fall", metric, 30, state=State.PENDING, id=None, fired=None) for metric in ("recall", "f1_score")]
    lines = list(alert_lines(build_index(look(alert("floor", "accuracy", 30), *pending)), "m"))
    assert lines[1:] == ["· pend and 2 more metrics fell with it: recall, f1_score"]


def test_with_a_model_that_stopped_nothing_is_said_to_hold_or_to_fall_with_it(look, alert):
    silent = replace(
        alert("floor", "*", 30), rule="no-data", condition=Condition.NO_DATA, evidence=None, severity=Severity.UNKNOWN
    )
    falls = [alert("fall", metric, 30) for metric in ("recall", "precision")]
    snapshot = look(silent, *falls, quiet=[("m", "floor", "accuracy", "accuracy 0.95: healthy, not below 0.90")])
    said = "\n".join(alerting_section(snapshot.model_statuses[0], build_index(snapshot)))
    assert "2 metrics lastingly worse: recall, precision, since 2025-01-31" in said
    assert "healthy" not in said


def test_what_holds_and_what_could_not_be_judged_is_said_beneath(look, alert):
    snapshot = look(
        alert("floor", "accuracy", 30),
        quiet=[
            ("m", "floor", "recall", "recall 0.95: healthy, not below 0.90"),
            ("m", "fall", "precision", "precision 0.95: too little history, 9 earlier periods of 10"),
            ("m", "floor", "f1_score", "f1_score inf: not judged, as it is not finite"),
        ],
    )
    assert list(alerting_section(snapshot.model_statuses[0], build_index(snapshot))) == [
        "▲ CRIT  m stands so",
        "        ▲ CRIT accuracy 0.85 < 0.90, 10 periods, since 2025-01-31",
        "        ● ok recall: healthy",
        "        ○ n/d 1 metric with too little history, 9 earlier periods of 10",
        "        ○ n/d 1 rule could not judge the newest period",
    ]


@pytest.mark.parametrize("evil", ["\x1b[2J", "\u202e", "a\nb", "宽" * 200, "[bold]x[/]"])
def test_names_are_made_visible_and_long_ones_are_cut(look, alert, evil):
    alerts = [alert(rule, "accuracy", 30, model=evil) for rule in ("floor", "fall")]
    snapshot = look(*alerts, models=(evil,))
    lines = list(alerting_section(snapshot.model_statuses[0], build_index(snapshot)))
    assert all(line.isprintable() for line in lines)
    assert all(len(line) < 200 for line in lines)
