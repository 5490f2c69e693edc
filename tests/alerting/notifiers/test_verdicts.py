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

FOUND = Diagnosis(
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
KNOWN = {"verdict": FOUND.sentence, "diagnosis": FOUND}


def test_it_is_the_first_line_and_what_speaks_for_it_stands_among_the_facts(message):
    lines = message(**KNOWN).text.splitlines()
    assert lines[0] == FOUND.sentence
    assert "evidence amount 0.31; confidence fell with it" in lines
    assert "against  no release then" in lines
    assert "do       retrain: 12,000 labelled rows since the change began" in lines


def test_of_a_group_it_stands_once_before_all_that_is_said_of_the_model(message, part):
    parts = (part(**KNOWN), part(**KNOWN, metric="recall"), part(model="churn", verdict="recall fell"))
    lines = message(*parts).text.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == [
        f"fraud-detector: {FOUND.sentence}",
        "churn: recall fell",
    ]
    assert lines[1] == "  CRIT fraud-detector: accuracy 0.87 < 0.90"


@pytest.mark.parametrize(
    "reason", [NotificationReason.RESOLVED, NotificationReason.MISSED, NotificationReason.WITHDRAWN]
)
def test_where_an_alert_is_over_it_says_that_the_model_still_alerts(message, reason):
    ended = datetime(2025, 1, 9, 4, tzinfo=UTC)
    said = message(**KNOWN, action=NotificationAction.RESOLVE, reason=reason, severity=Severity.OK, resolved_at=ended)
    assert said.text.startswith(f"the model still alerts: {FOUND.sentence}\n")
    assert "retrain: 12,000" not in said.text


def test_what_is_not_known_is_not_spoken_of(message):
    said = message(verdict="", diagnosis=None)
    assert said.text.startswith("accuracy 0.87: critical, below 0.90 for 2 periods")
    assert not {"evidence", "against ", "do "} & {line[:8] for line in said.text.splitlines()}


def first_words(kind: str, said: Message) -> str:
    """Where each kind of receiver has the first words after the title."""
    match kind:
        case "slack":
            return slack.payload(said)["blocks"][1]["text"]["text"]
        case "pagerduty":
            (event,) = pagerduty.events(said, "key")
            return event["payload"]["summary"].partition(" | ")[2]
        case "email":
            return (
                email.build_email(said, "a@example.org", ("b@example.org",))
                .get_body(("plain",))
                .get_content()
                .split("\n")[2]
            )
        case "command":
            return command.environment(said)["MODELTOP_VERDICT"]
    return webhook.payload(said)["verdict"]


@pytest.mark.parametrize("kind", ["slack", "pagerduty", "email", "command", "webhook"])
def test_every_receiver_is_told_it_first(message, kind):
    assert first_words(kind, message(**KNOWN)).startswith(FOUND.sentence)


def test_the_webhook_has_it_exactly(message):
    (alert,) = json.loads(json.dumps(webhook.payload(message(**KNOWN)), allow_nan=False))["alerts"]
    assert alert["verdict"] == FOUND.sentence
    found = alert["diagnosis"]
    assert (found["cause"], found["steps"], found["labels"]) == ("data drift", ["retrain"], 12_000)
    assert (found["for"], found["against"]) == (["amount 0.31", "confidence fell with it"], ["no release then"])
    assert webhook.payload(message())["alerts"][0]["diagnosis"] is None


def test_a_name_that_is_broken_arrives_whole(message):
    key = SeriesKey("m", "\ud800 lone")
    (alert,) = webhook.payload(message(**KNOWN | {"diagnosis": replace(FOUND, key=key)}))["alerts"]
    assert alert["diagnosis"]["metric"] == "\ufffd lone"


def test_a_long_verdict_keeps_to_what_is_taken(message):
    said = message(verdict="W" * 4000)
    (event,) = pagerduty.events(said, "key")
    assert len(event["payload"]["summary"]) <= 1024
    assert len(slack.payload(said)["blocks"][1]["text"]["text"]) <= 3000


def test_foreign_text_in_it_becomes_no_markup_anywhere(message, hostile):
    evil = sanitize(hostile, 400)
    finding = replace(FOUND.hypotheses[0], evidence_for=(f"{evil} moved",))
    said = message(verdict=evil, diagnosis=replace(FOUND, hypotheses=(finding,), advice=evil))
    texts = [text for text in strings(slack.payload(said)) if "Runbook" not in text]
    assert not any(mark in text for text in texts for mark in ("<!", "<@", "<script"))
    page = email.html_body(said)
    assert "<script>alert" not in page
    assert all(char.isprintable() or char == "\n" for char in page)
    (event,) = pagerduty.events(said, "key")
    assert event["payload"]["custom_details"]["verdict"] == evil


def strings(value):
    """All of them in a structure."""
    if isinstance(value, str):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in items for text in strings(one)]
