"""PagerDuty, or what speaks its Events API v2: trigger, acknowledge, resolve, one event an incident.

A change of severity, or a repeat, is a trigger with the same key. It groups and paces by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from modeltop.alerting.messages import template
from modeltop.alerting.messages.message import AlertSection, Message
from modeltop.alerting.notifiers.base import SecretRef, notifier, validate_timeout
from modeltop.core.event import NotificationAction, NotificationReason
from modeltop.core.series import Severity
from modeltop.core.text import sanitize

if TYPE_CHECKING:
    from modeltop.alerting.notifiers.http import HttpClient

SUMMARY, KEY = 1024, 255
"""Characters that PagerDuty takes."""
SEVERITIES = {
    Severity.CRITICAL: "critical",
    Severity.UNKNOWN: "error",
    Severity.WARNING: "warning",
    Severity.OK: "info",
}


@notifier("pagerduty")
@dataclass(frozen=True, slots=True, kw_only=True)
class PagerDuty:
    """Sends events to a service's integration."""

    routing_key: SecretRef
    url: str = "https://events.pagerduty.com/v2/enqueue"
    """In the EU: `https://events.eu.pagerduty.com/v2/enqueue`."""
    timeout: float = 10.0
    ca_file: Path | None = None

    exempt: ClassVar[bool] = True
    acknowledges: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Raises ValueError."""
        validate_timeout(self.timeout)
        if not self.url.startswith("https://") and "://127.0.0.1" not in self.url:
            raise ValueError("url: write an https address")

    def send(self, message: Message) -> None:
        """Done when every event is accepted; after a failure all are sent again, which changes nothing there.

        Raises NotifyError.
        """
        from modeltop.alerting.notifiers.http import HttpClient  # late: it loads what encrypts

        key = self.routing_key.read()
        post = HttpClient(self.url, self.timeout, self.ca_file, secrets=(key,))
        for event in events(message, key):
            self._enqueue(post, event)

    def _enqueue(self, post: HttpClient, event: dict[str, Any]) -> None:
        reply = post.post(json.dumps(event).encode("ascii"), {})
        try:
            status = json.loads(reply.body)["status"]
        except (ValueError, TypeError, KeyError, RecursionError):
            status = None
        if status != "success":
            raise post.response_error(reply, f"answered {reply.status}, but not with success")


def events(message: Message, routing_key: str) -> Iterator[dict[str, Any]]:
    """One event per incident; two where it is over before anybody hears of it: it must not stay open."""
    for part in message.sections:
        for action in _actions(message, part):
            event: dict[str, Any] = {
                "routing_key": routing_key,
                "event_action": action,
                "dedup_key": sanitize(part.dedup_key, KEY),
            }
            if action == "trigger":
                event |= {"client": "modeltop", "payload": _payload(part), "links": _links(part)}
            yield event


def _actions(message: Message, part: AlertSection) -> tuple[str, ...]:
    if message.is_test or part.reason is NotificationReason.MISSED:
        return ("trigger", "resolve")
    return {
        NotificationAction.TRIGGER: ("trigger",),
        NotificationAction.ACKNOWLEDGE: ("acknowledge",),
        NotificationAction.RESOLVE: ("resolve",),
    }[part.action]


def _payload(part: AlertSection) -> dict[str, Any]:
    details = dict(template.labeled_facts(part))
    chart = {f"chart {number}": line for number, line in enumerate(part.chart, 1)}
    payload: dict[str, Any] = {
        "summary": sanitize(" | ".join(filter(None, (part.title, template.model_verdict(part)))), SUMMARY),
        "severity": SEVERITIES[part.severity],
        "source": sanitize(part.model),
        "component": template.series_name(part, 200) or "data",
        "class": sanitize(part.rule),
        "custom_details": {
            "verdict": part.verdict,
            "sentence": part.sentence,
            **details,
            **chart,
            "take it": part.ack_command,
            "runbook": part.runbook,
        },
    }
    payload["custom_details"] = {label: text for label, text in payload["custom_details"].items() if text}
    if part.since is not None:
        payload["timestamp"] = part.since.isoformat()
    return payload


def _links(part: AlertSection) -> list[dict[str, str]]:
    if not part.runbook.startswith(("https://", "http://")):
        return []
    return [{"href": part.runbook, "text": "Runbook"}]
