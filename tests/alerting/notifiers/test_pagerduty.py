"""PagerDuty: events keep to the published schema of the Events API v2."""

import json
import re
from datetime import datetime

import pytest

from modeltop.alerting.messages.compose import build_test_message
from modeltop.alerting.notifiers.pagerduty import PagerDuty, events
from modeltop.core.errors import NotifyError
from modeltop.core.event import NotificationAction, NotificationReason
from modeltop.core.series import Severity

KEY = "e93facc04764012d7bfb002500d5d1a6"
ACCEPTED = b'{"status": "success", "message": "Event processed", "dedup_key": "x"}'
STRINGS = {"summary", "source", "component", "group", "class", "timestamp", "severity"}


def assert_valid(event):
    """The schema of `createV2Event` in PagerDuty's published OpenAPI document, and the lengths of its reference."""
    assert event["event_action"] in {"trigger", "acknowledge", "resolve"}
    assert set(event) <= {"routing_key", "event_action", "dedup_key", "client", "payload", "links"}
    assert 1 <= len(event["dedup_key"]) <= 255
    assert event["routing_key"] == KEY
    assert ("payload" in event) == (event["event_action"] == "trigger")
    payload = event.get("payload", {"summary": "x", "severity": "info", "source": "x", "custom_details": {}})
    assert payload["severity"] in {"critical", "error", "warning", "info"}
    assert 1 <= len(payload["summary"]) <= 1024
    assert payload["source"]
    assert set(payload) <= STRINGS | {"custom_details"}
    assert all(isinstance(payload[name], str) for name in STRINGS & set(payload))
    assert "timestamp" not in payload or datetime.fromisoformat(payload["timestamp"]).tzinfo
    assert all(set(link) == {"href", "text"} for link in event.get("links", ()))
    assert len(json.dumps(event)) < 512_000


def sent(message):
    payloads = [json.loads(json.dumps(event)) for event in events(message, KEY)]
    for event in payloads:
        assert_valid(event)
    return payloads


@pytest.mark.parametrize(
    ("kind", "reason", "actions"),
    [
        (NotificationAction.TRIGGER, NotificationReason.FIRST, ["trigger"]),
        (NotificationAction.TRIGGER, NotificationReason.ESCALATED, ["trigger"]),
        (NotificationAction.TRIGGER, NotificationReason.REPEAT, ["trigger"]),
        (NotificationAction.ACKNOWLEDGE, NotificationReason.ACKNOWLEDGED, ["acknowledge"]),
        (NotificationAction.RESOLVE, NotificationReason.RESOLVED, ["resolve"]),
        (NotificationAction.RESOLVE, NotificationReason.WITHDRAWN, ["resolve"]),
        (NotificationAction.TRIGGER, NotificationReason.MISSED, ["trigger", "resolve"]),
    ],
)
def test_every_kind_is_an_event_with_the_key_of_the_incident(message, kind, reason, actions):
    payloads = sent(message(action=kind, reason=reason))
    assert [event["event_action"] for event in payloads] == actions
    assert {event["dedup_key"] for event in payloads} == {"modeltop:1a2b3c4d"}


@pytest.mark.parametrize(
    ("level", "word"),
    [
        (Severity.CRITICAL, "critical"),
        (Severity.UNKNOWN, "error"),
        (Severity.WARNING, "warning"),
        (Severity.OK, "info"),
    ],
)
def test_severity_is_said_in_its_words(message, level, word):
    (event,) = sent(message(severity=level))
    assert event["payload"]["severity"] == word


def test_a_change_of_severity_is_a_trigger_with_the_same_key(message):
    (first,) = sent(message(severity=Severity.WARNING))
    (worse,) = sent(message(reason=NotificationReason.ESCALATED, key="1a2b3c4d:worse"))
    assert first["dedup_key"] == worse["dedup_key"]
    assert worse["payload"]["severity"] == "critical"


def test_the_event_says_all_that_a_message_says(message):
    (event,) = sent(message())
    details = event["payload"]["custom_details"]
    assert details["value"] == "0.870 < 0.90"
    assert details["acknowledge"] == "modeltop ack 1a2b3c4d"
    assert details["chart 1"] == "0.96 █▇▆▃▁ 0.87"
    assert event["links"] == [{"href": "https://wiki.test/accuracy?a=1&b=2", "text": "Runbook"}]
    assert event["payload"]["summary"] == "critical fraud-detector: accuracy 0.870 < 0.90"


def test_a_test_opens_nothing_that_stays_open(message):
    payloads = sent(build_test_message("pager", datetime.fromisoformat("2025-01-10T03:00:00+00:00")))
    assert [event["event_action"] for event in payloads] == ["trigger", "resolve"]
    assert payloads[0]["payload"]["summary"].startswith("TEST ")


def test_foreign_text_keeps_to_the_schema(message, hostile):
    (event,) = sent(message(model=hostile, metric=hostile, segment=hostile, rule=hostile, incident=hostile))
    text = re.sub(r"\\u[0-9a-f]{4}", "", json.dumps(event["payload"]))
    assert text.isprintable()
    assert all(value.isprintable() for value in event["payload"]["custom_details"].values())


def test_a_group_is_sent_one_by_one_over_an_encrypted_connection(serve, answer, secret, authority, message, section):
    served = serve(answer(202, ACCEPTED), context=authority.server())
    pager = PagerDuty(routing_key=secret(KEY), url=f"{served.url}/v2/enqueue", timeout=3, ca_file=authority.pem)
    pager.send(
        message(
            section(),
            section(incident="5e6f7a8b", action=NotificationAction.RESOLVE, reason=NotificationReason.RESOLVED),
        )
    )
    assert [request.path for request in served.requests] == ["/v2/enqueue"] * 2
    assert [request.json["event_action"] for request in served.requests] == ["trigger", "resolve"]


def test_after_a_failure_all_events_are_sent_again_with_the_same_keys(serve, answer, secret, message, section):
    served = serve(answer(202, ACCEPTED), answer(500), answer(202, ACCEPTED))
    pager = PagerDuty(routing_key=secret(KEY), url=served.url, timeout=3)
    group = message(section(), section(incident="5e6f7a8b"))
    with pytest.raises(NotifyError):
        pager.send(group)
    pager.send(group)
    keys = [request.json["dedup_key"] for request in served.requests]
    assert keys == ["modeltop:1a2b3c4d", "modeltop:5e6f7a8b"] * 2


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"status": "invalid event"}', b"null", b"[" * 50_000])
def test_an_acceptance_without_success_is_tried_again(serve, answer, secret, message, body):
    pager = PagerDuty(routing_key=secret(KEY), url=serve(answer(202, body)).url, timeout=3)
    with pytest.raises(NotifyError, match="answered 202, but not with success") as caught:
        pager.send(message())
    assert not caught.value.permanent


def test_a_refusal_that_echoes_the_key_does_not_show_it(serve, answer, secret, message):
    served = serve(answer(400, f'{{"status":"invalid event","errors":["routing_key {KEY} is unknown"]}}'.encode()))
    with pytest.raises(NotifyError, match="answered 400") as caught:
        PagerDuty(routing_key=secret(KEY), url=served.url, timeout=3).send(message())
    assert caught.value.permanent
    assert KEY not in str(caught.value)


def test_an_address_in_clear_is_refused_with_the_key_that_has_it(secret):
    with pytest.raises(ValueError, match=r"^url: write an https address"):
        PagerDuty(routing_key=secret(KEY), url="http://events.test/v2/enqueue")
