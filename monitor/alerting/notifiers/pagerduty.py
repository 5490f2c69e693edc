"""Notifier for PagerDuty and compatible services: the Events API v2, an event for each incident.

A change of severity, or a repeat, is a trigger with the same key. PagerDuty groups and limits by itself. "While an
incident is acknowledged, it won't generate any additional notifications, even if it receives new trigger events"
(Events API v2, acknowledge). So what is news after that is an incident with a key of its own. To resolve the first and
trigger it again would page no one if the two events were processed in the other order. The end resolves them all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from modeltop.alerting.messages import template
from modeltop.alerting.messages.message import AlertSection, Message
from modeltop.alerting.notifiers.base import Notifier, SecretRef, notifier, validate_timeout
from modeltop.core.event import NotificationAction, NotificationReason
from modeltop.core.series import Severity
from modeltop.core.text import sanitize

MAX_SUMMARY, MAX_KEY = 1024, 255
"""Maximum characters of a summary and a deduplication key (Events API v2)."""
SEVERITIES = {
    Severity.CRITICAL: "critical",
    Severity.UNKNOWN: "error",
    Severity.WARNING: "warning",
    Severity.OK: "info",
}


@notifier("pagerduty")
@dataclass(frozen=True, slots=True, kw_only=True)
class PagerDuty(Notifier):
    """Sends events to the integration of a service."""

    routing_key: SecretRef
    url: str = "https://events.pagerduty.com/v2/enqueue"
    """In the EU: `https://events.eu.pagerduty.com/v2/enqueue`."""
    timeout: float = 10.0
    ca_file: Path | None = None

    exempt: ClassVar[bool] = True
    acknowledges: ClassVar[bool] = True

    def __post_init__(self) -> None:
        validate_timeout(self.timeout)
        if not self.url.startswith("https://") and "://127.0.0.1" not in self.url:
            raise ValueError("url: write an https address")

    def send(self, message: Message) -> None:
        """Send an event for each incident; after a failure all are sent again, which changes nothing there.

        Raises:
            NotifyError: An event was not accepted.
        """
        from modeltop.alerting.notifiers.http import HttpClient  # late: urllib3 and ssl are slow to import

        key = self.routing_key.read()
        client = HttpClient(self.url, self.timeout, self.ca_file, secrets=(key,))
        for event in events(message, key):
            response = client.post(json.dumps(event).encode("ascii"), {})
            try:
                status = json.loads(response.body)["status"]
            except (ValueError, TypeError, KeyError, RecursionError):
                status = None
            if status != "success":
                raise client.response_error(response, f"answered {response.status}, but not with success")


def events(message: Message, routing_key: str) -> Iterator[dict[str, Any]]:
    """Yield an event for each incident; a trigger and a resolve for one that is already over."""
    for section in message.sections:
        for action, number in _actions(message, section):
            event: dict[str, Any] = {
                "routing_key": routing_key,
                "event_action": action,
                "dedup_key": sanitize(section.dedup_key if number == 1 else f"{section.dedup_key}:{number}", MAX_KEY),
            }
            if action == "trigger":
                event |= {"client": "modeltop", "payload": _payload(section), "links": _links(section)}
            yield event


def _actions(message: Message, section: AlertSection) -> list[tuple[str, int]]:
    if message.is_test or section.reason is NotificationReason.MISSED:
        return [("trigger", 1), ("resolve", 1)]
    if section.action is NotificationAction.RESOLVE:
        return [("resolve", number + 1) for number in range(section.pager_incident)]
    return [(section.action.value, section.pager_incident)]


def _payload(section: AlertSection) -> dict[str, Any]:
    details = {
        "new": template.joined_alerts(section),
        "verdict": section.verdict,
        "sentence": section.sentence,
        **dict(template.labeled_facts(section)),
        **{f"chart {number}": line for number, line in enumerate(section.chart, 1)},
        "acknowledge": section.ack_command,
        "runbook": section.runbook,
    }
    payload: dict[str, Any] = {
        "summary": sanitize(" | ".join(filter(None, (section.title, template.model_verdict(section)))), MAX_SUMMARY),
        "severity": SEVERITIES[section.severity],
        "source": sanitize(section.model),
        "component": template.series_name(section, 200) or "data",
        "class": sanitize(section.rule),
        "custom_details": {label: text for label, text in details.items() if text},
    }
    if section.since is not None:
        payload["timestamp"] = section.since.isoformat()
    return payload


def _links(section: AlertSection) -> list[dict[str, str]]:
    is_address = section.runbook.startswith(("https://", "http://"))
    return [{"href": section.runbook, "text": "Runbook"}] if is_address else []
