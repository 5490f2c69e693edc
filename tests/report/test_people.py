"""What people did about alerts, in text, markdown and JSON."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from modeltop.core.incident import Ack, Matchers, Note, Silence, Suppression
from modeltop.core.metrics.registry import Catalog
from modeltop.core.series import Condition, Episode, Evidence, History, SeriesKey, Severity, State, Verdict
from modeltop.report.json import as_json
from modeltop.report.markdown import markdown
from modeltop.report.phrases import exit_code, hushed, matcher_words, note_words, silence_words, taken
from modeltop.report.text_report import summary
from modeltop.rules.snapshot import Snapshot

NOW = datetime(2025, 1, 10, 14, 3, 27, tzinfo=UTC)
KEY = SeriesKey("churn", "accuracy")
EPISODE = Episode(
    "ab12cd34", "floor", KEY, Condition.THRESHOLD, State.FIRING, Severity.CRITICAL, NOW, NOW,
    evidence=Evidence(Severity.CRITICAL, 0.87, 0.9, "0.87 < 0.90"), periods=2,
)  # fmt: skip
ACK = Ack("ab12cd34", "floor", KEY, Severity.CRITICAL, "ana", "looking", NOW, NOW + timedelta(days=1), NOW)
HUSHED = Suppression("silenced", "silenced by bob until 2025-01-10 15:03 UTC: release", NOW + timedelta(hours=1))


@pytest.fixture
def untouched():
    verdict = Verdict("churn", Severity.CRITICAL, "accuracy 0.87 < 0.90")
    return Snapshot(NOW, NOW, History({}, {}), Catalog(), (), (EPISODE,), (), (verdict,))


@pytest.fixture
def handled(untouched):
    return replace(untouched, acks={"ab12cd34": ACK}, suppressed={"ab12cd34": HUSHED})


SAID = (
    "; taken by ana 2025-01-10 14:03 UTC, until 2025-01-11 14:03 UTC: looking"
    "; silenced by bob until 2025-01-10 15:03 UTC: release"
)


def test_the_line_of_an_alert_says_who_has_it_and_why_nobody_is_told(untouched, handled):
    before, after = (" ".join(" ".join(summary(each)).split()) for each in (untouched, handled))
    assert after == before + SAID


def test_markdown_says_it_too_in_a_code_span(handled):
    (line,) = [line for line in markdown(handled) if line.startswith("- `▲ CRIT ")]
    assert line.endswith(f"{SAID}`")


def test_neither_changes_the_exit_code(untouched, handled):
    assert exit_code(handled) == exit_code(untouched) == 2


def test_json_has_both_exactly_and_null_where_nobody_did_anything(untouched, handled):
    (before,), (after,) = (json.loads(as_json(each))["alerts"] for each in (untouched, handled))
    assert (before["suppressed_by"], before["acknowledged"]) == (None, None)
    assert after["suppressed_by"] == {"kind": "silenced", "reason": HUSHED.reason, "until": "2025-01-10T15:03:27Z"}
    assert after["acknowledged"] == {
        "by": "ana", "why": "looking", "at": "2025-01-10T14:03:27Z", "until": "2025-01-11T14:03:27Z",
    }  # fmt: skip
    assert before == after | {"suppressed_by": None, "acknowledged": None}


@pytest.mark.parametrize("evil", ["\x1b]52;c;ZWNobw==\x07", "\u202e", "x\ny", "\ud800"])
def test_foreign_text_is_made_visible(evil):
    silence = Silence("1", Matchers(model=evil), NOW, NOW, evil, evil, NOW)
    for text in (
        taken(replace(ACK, by=evil, why=evil)),
        hushed(replace(HUSHED, reason=evil)),
        silence_words(silence, NOW),
        matcher_words(silence.matchers),
        note_words(Note(evil, evil, evil, NOW), NOW),
    ):
        assert text.isprintable()


def test_a_reason_that_does_not_say_its_kind_is_given_it():
    assert hushed(Suppression("inhibited", "the model has stopped reporting")).startswith("inhibited: ")
    assert taken(replace(ACK, why="  "), NOW) == "taken by ana 14:03, until Jan 11 14:03"
