"""The verdict in messages: the first line of every one, and no reason why one would not go out."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from modeltop.alerting.messages.message import Message
from modeltop.alerting.notifiers import command, email, pagerduty, slack, webhook
from modeltop.core.diagnosis import Action, Cause, CauseHypothesis, Certainty, Diagnosis, Question, Verdict
from modeltop.core.event import NotificationAction, NotificationReason
from modeltop.core.series import SeriesKey, Severity
from modeltop.core.text import sanitize

DIAGNOSIS = Diagnosis(
    "fraud-detector",
    Severity.CRITICAL,
    SeriesKey("fraud-detector", "accuracy"),
    Verdict("Accuracy dropped on 9 Jan, 0.96→0.87.", "Likely data drift: amount shifted.", "Compare the inputs."),
    None,
    (CauseHypothesis(Cause.DATA_DRIFT, 0.8, ("amount shifted",), certainty=Certainty.LIKELY),),
    (Action.COMPARE_INPUTS,),
    (Question("Declining?", "yes", "\ud800 fell"),),
)
SENTENCES = str(DIAGNOSIS.verdict)
VERDICT = {"verdict": SENTENCES, "diagnosis": DIAGNOSIS}


def test_the_verdict_is_the_first_line(message):
    assert message(**VERDICT).text.splitlines()[0] == SENTENCES


def test_in_a_group_the_verdict_precedes_the_sections_of_its_model_once(message, section):
    sections = (section(**VERDICT), section(**VERDICT, metric="recall"), section(model="churn", verdict="recall fell"))
    lines = message(*sections).text.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == [
        f"fraud-detector: {SENTENCES}",
        "churn: recall fell",
    ]
    assert lines[1] == "  critical fraud-detector: accuracy 0.870 < 0.90"


@pytest.mark.parametrize(
    "reason", [NotificationReason.RESOLVED, NotificationReason.MISSED, NotificationReason.WITHDRAWN]
)
def test_where_an_alert_is_over_the_verdict_says_that_the_model_still_alerts(message, reason):
    ended = datetime(2025, 1, 9, 4, tzinfo=UTC)
    sent = message(**VERDICT, action=NotificationAction.RESOLVE, reason=reason, severity=Severity.OK, resolved_at=ended)
    assert sent.text.startswith(f"the model still alerts: {SENTENCES}\n")


def test_without_a_verdict_nothing_stands_in_its_place(message):
    sent = message(verdict="", diagnosis=None)
    assert sent.text.startswith("accuracy 0.870: critical, below 0.90 for 2 periods")
    assert not {"evidence", "against ", "do "} & {line[:8] for line in sent.text.splitlines()}


def first_words(kind: str, sent: Message) -> str:
    """Where each kind of receiver has the first words after the title."""
    match kind:
        case "slack":
            return slack.payload(sent)["blocks"][1]["text"]["text"]
        case "pagerduty":
            (event,) = pagerduty.events(sent, "key")
            return event["payload"]["summary"].partition(" | ")[2]
        case "email":
            return (
                email.build_email(sent, "a@example.org", ("b@example.org",))
                .get_body(("plain",))
                .get_content()
                .split("\n")[2]
            )
        case "command":
            return command.environment(sent)["MODELTOP_VERDICT"]
    return webhook.payload(sent)["verdict"]


@pytest.mark.parametrize("kind", ["slack", "pagerduty", "email", "command", "webhook"])
def test_every_notifier_puts_the_verdict_first(message, kind):
    assert first_words(kind, message(**VERDICT)).startswith(SENTENCES)


def test_the_webhook_has_the_diagnosis_exactly(message):
    (alert,) = json.loads(json.dumps(webhook.payload(message(**VERDICT)), allow_nan=False))["alerts"]
    assert alert["verdict"] == SENTENCES
    assert alert["diagnosis"]["causes"] == [{"cause": "data drift", "certainty": "likely", "weight": 0.8}]
    assert webhook.payload(message())["alerts"][0]["diagnosis"] is None


def test_a_name_with_a_lone_surrogate_arrives_as_valid_text(message):
    (alert,) = webhook.payload(message(**VERDICT))["alerts"]
    assert alert["diagnosis"]["questions"][0]["reason"] == "\ufffd fell"


def test_a_long_verdict_is_truncated_to_the_limits_of_the_service(message):
    sent = message(verdict="W" * 4000)
    (event,) = pagerduty.events(sent, "key")
    assert len(event["payload"]["summary"]) <= 1024
    assert len(slack.payload(sent)["blocks"][1]["text"]["text"]) <= 3000


def test_foreign_text_in_a_verdict_becomes_no_markup_anywhere(message, hostile):
    hostile_text = sanitize(hostile, 400)
    questions = (Question("Declining?", "yes", hostile_text),)
    sent = message(verdict=hostile_text, diagnosis=replace(DIAGNOSIS, questions=questions))
    texts = [text for text in strings(slack.payload(sent)) if "Runbook" not in text]
    assert not any(markup in text for text in texts for markup in ("<!", "<@", "<script"))
    page = email.html_body(sent)
    assert "<script>alert" not in page
    assert all(char.isprintable() or char == "\n" for char in page)
    (event,) = pagerduty.events(sent, "key")
    assert event["payload"]["custom_details"]["verdict"] == hostile_text


def strings(value):
    """All of them in a structure."""
    if isinstance(value, str):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for item in items for text in strings(item)]
