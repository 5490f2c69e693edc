"""Acknowledgements, silences and notes in text, markdown and JSON."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from modeltop.core.incident import Acknowledgement, Matchers, Note, Silence, Suppression
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import Alert, Breach, Condition, History, ModelStatus, SeriesKey, Severity, State
from modeltop.report.json import as_json
from modeltop.report.markdown import markdown
from modeltop.report.phrases import (
    describe_ack,
    describe_matchers,
    describe_note,
    describe_silence,
    describe_suppression,
)
from modeltop.report.text_report import text_summary
from modeltop.rules.snapshot import Snapshot

NOW = datetime(2025, 1, 10, 14, 3, 27, tzinfo=UTC)
KEY = SeriesKey("churn", "accuracy")
ALERT = Alert(
    "ab12cd34", "floor", KEY, Condition.THRESHOLD, State.FIRING, Severity.CRITICAL, NOW, NOW,
    breach=Breach(Severity.CRITICAL, 0.87, 0.9, "0.870 < 0.90"), periods=2,
)  # fmt: skip
ACK = Acknowledgement("ab12cd34", "churn", Severity.CRITICAL, "ana", "looking", NOW, NOW + timedelta(days=1), NOW, NOW)
SUPPRESSION = Suppression("silenced", "silenced by bob until 10 Jan 15:03 UTC: release", NOW + timedelta(hours=1))


@pytest.fixture
def untouched():
    status = ModelStatus("churn", Severity.CRITICAL, "accuracy 0.870 < 0.90")
    return Snapshot(NOW, NOW, History({}, {}), MetricRegistry(), (), (ALERT,), (), (status,))


@pytest.fixture
def handled(untouched):
    return replace(untouched, acknowledgements={"ab12cd34": ACK}, suppressions={"ab12cd34": SUPPRESSION})


CLAUSES = "; acked by ana at 14:03 for 1 day: looking; silenced by bob until 10 Jan 15:03 UTC: release"


def test_the_line_of_an_alert_ends_with_its_acknowledgement_and_its_suppression(untouched, handled):
    before, after = (" ".join(" ".join(text_summary(snapshot)).split()) for snapshot in (untouched, handled))
    assert after == before + CLAUSES


def test_markdown_has_them_in_a_code_span(handled):
    (line,) = [line for line in markdown(handled) if line.startswith("- `▲ critical ")]
    assert line.endswith(f"{CLAUSES}`")


def test_neither_changes_the_severity(untouched, handled):
    assert handled.severity is untouched.severity is Severity.CRITICAL


def test_json_has_both_exactly_and_null_where_there_are_none(untouched, handled):
    (before,), (after,) = (json.loads(as_json(snapshot))["alerts"] for snapshot in (untouched, handled))
    assert (before["suppressed_by"], before["acknowledged"]) == (None, None)
    assert after["suppressed_by"] == {"kind": "silenced", "reason": SUPPRESSION.reason, "until": "2025-01-10T15:03:27Z"}
    assert after["acknowledged"] == {
        "by": "ana", "why": "looking", "at": "2025-01-10T14:03:27Z", "until": "2025-01-11T14:03:27Z",
    }  # fmt: skip
    assert before == after | {"suppressed_by": None, "acknowledged": None}


@pytest.mark.parametrize("evil", ["\x1b]52;c;ZWNobw==\x07", "\u202e", "x\ny", "\ud800"])
def test_foreign_text_is_escaped(evil):
    silence = Silence("1", Matchers(model=evil), NOW, NOW, evil, evil, NOW)
    for text in (
        describe_ack(replace(ACK, by=evil, reason=evil), NOW),
        describe_suppression(replace(SUPPRESSION, reason=evil)),
        describe_silence(silence, NOW),
        describe_matchers(silence.matchers),
        describe_note(Note(evil, evil, evil, NOW), NOW),
    ):
        assert text.isprintable()


def test_a_silence_by_a_clock_that_was_ahead_is_not_in_force():
    later = NOW + timedelta(days=400)
    silence = Silence("5e", Matchers(model="churn"), later, later + timedelta(hours=1), "ana", "deploy", later)
    assert describe_silence(silence, NOW) == (
        "not in force: set by a clock that was 1y ahead; set it again, ana: deploy"
    )


def test_a_reason_without_its_kind_is_given_it():
    assert describe_suppression(Suppression("inhibited", "the model has stopped reporting")).startswith("inhibited: ")
    assert describe_ack(replace(ACK, reason="  "), NOW) == "acked by ana at 14:03 for 1 day"
