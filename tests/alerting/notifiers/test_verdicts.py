"""The verdict in messages: the first line of every one, and no reason why one would not go out."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from modeltop.alerting.messages.message import Message
from modeltop.alerting.notifiers import command, email, pagerduty, slack, webhook
from modeltop.core.diagnosis import Action, Cause, CauseHypothesis, Diagnosis
from modeltop.core.event import NotificationAction, NotificationReason
from modeltop.core.series import SeriesKey, Severity
from modeltop.core.text import sanitize

DIAGNOSIS = Diagnosis(
    "fraud-detector",
    Severity.CRITICAL,
    SeriesKey("fraud-detector", "accuracy"),
    "accuracy fell suddenly from 0.96 to 0.87 on 2025-01-09: data drift (amount 0.31); retrain",
    None,
    (CauseHypothesis(Cause.DATA_DRIFT, 0.8, ("amount 0.31", "confidence fell with it"), ("no release then",)),),
    (Action.RETRAIN,),
    "retrain: 12,000 labelled rows since the change began",
    labels_since_change=12_000,
)
VERDICT = {"verdict": DIAGNOSIS.sentence, "diagnosis": DIAGNOSIS}


def test_the_verdict_is_the_first_line_and_its_evidence_is_among_the_facts(message):
    lines = message(**VERDICT).text.splitlines()
    assert lines[0] == DIAGNOSIS.sentence
    assert "evidence amount 0.31; confidence fell with it" in lines
    assert "against  no release then" in lines
    assert "do       retrain: 12,000 labelled rows since the change began" in lines


def test_in_a_group_the_verdict_precedes_the_sections_of_its_model_once(message, section):
    sections = (section(**VERDICT), section(**VERDICT, metric="recall"), section(model="churn", verdict="recall fell"))
    lines = message(*sections).text.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == [
        f"fraud-detector: {DIAGNOSIS.sentence}",
        "churn: recall fell",
    ]
    assert lines[1] == "  CRIT fraud-detector: accuracy 0.87 < 0.90"


@pytest.mark.parametrize(
    "reason", [NotificationReason.RESOLVED, NotificationReason.MISSED, NotificationReason.WITHDRAWN]
)
def test_where_an_alert_is_over_the_verdict_says_that_the_model_still_alerts(message, reason):
    ended = datetime(2025, 1, 9, 4, tzinfo=UTC)
    sent = message(**VERDICT, action=NotificationAction.RESOLVE, reason=reason, severity=Severity.OK, resolved_at=ended)
    assert sent.text.startswith(f"the model still alerts: {DIAGNOSIS.sentence}\n")
    assert "retrain: 12,000" not in sent.text


def test_without_a_verdict_nothing_stands_in_its_place(message):
    sent = message(verdict="", diagnosis=None)
    assert sent.text.startswith("accuracy 0.87: critical, below 0.90 for 2 periods")
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
    assert first_words(kind, message(**VERDICT)).startswith(DIAGNOSIS.sentence)


def test_the_webhook_has_the_diagnosis_exactly(message):
    (alert,) = json.loads(json.dumps(webhook.payload(message(**VERDICT)), allow_nan=False))["alerts"]
    assert alert["verdict"] == DIAGNOSIS.sentence
    record = alert["diagnosis"]
    assert (record["cause"], record["steps"], record["labels"]) == ("data drift", ["retrain"], 12_000)
    assert (record["for"], record["against"]) == (["amount 0.31", "confidence fell with it"], ["no release then"])
    assert webhook.payload(message())["alerts"][0]["diagnosis"] is None


def test_a_name_with_a_lone_surrogate_arrives_as_valid_text(message):
    key = SeriesKey("m", "\ud800 lone")
    (alert,) = webhook.payload(message(**VERDICT | {"diagnosis": replace(DIAGNOSIS, key=key)}))["alerts"]
    assert alert["diagnosis"]["metric"] == "\ufffd lone"


def test_a_long_verdict_is_truncated_to_the_limits_of_the_service(message):
    sent = message(verdict="W" * 4000)
    (event,) = pagerduty.events(sent, "key")
    assert len(event["payload"]["summary"]) <= 1024
    assert len(slack.payload(sent)["blocks"][1]["text"]["text"]) <= 3000


def test_foreign_text_in_a_verdict_becomes_no_markup_anywhere(message, hostile):
    hostile_text = sanitize(hostile, 400)
    finding = replace(DIAGNOSIS.hypotheses[0], evidence_for=(f"{hostile_text} moved",))
    sent = message(verdict=hostile_text, diagnosis=replace(DIAGNOSIS, hypotheses=(finding,), advice=hostile_text))
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
