"""Notifier for Prometheus Alertmanager: an alert for each incident and severity, by its API v2.

As Prometheus does, it posts to every Alertmanager of a cluster; one that accepts is enough. An alert carries `endsAt`:
it is sent again while it fires, and resolves by itself once the watcher is dead. The labels are those of the incident,
so that groups, silences and inhibition of Alertmanager hold for all of it; a change of severity ends the alert of the
other severity.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from modeltop.alerting.messages.message import AlertSection, Message
from modeltop.alerting.notifiers.base import Notifier, SecretRef, notifier, validate_timeout
from modeltop.core.errors import NotifyError
from modeltop.core.event import NotificationAction, NotificationReason
from modeltop.core.series import Severity
from modeltop.core.text import sanitize

_LOG = logging.getLogger("modeltop.notify")
PATH = "/api/v2/alerts"
SEVERITIES = (Severity.WARNING, Severity.UNKNOWN, Severity.CRITICAL)
REPEATS = 3
"""Times that a firing alert is sent within `resolve_timeout`: two may be lost."""
ACKNOWLEDGED = timedelta(hours=24)
"""Time that an acknowledged alert, which is not sent again, stays in Alertmanager."""
MIN_TIMEOUT = timedelta(minutes=3)


@notifier("alertmanager")
@dataclass(frozen=True, slots=True, kw_only=True)
class Alertmanager(Notifier):
    """Posts alerts to one or more Alertmanagers."""

    urls: tuple[str, ...]
    """Such as `http://alertmanager-1:9093`."""
    token: SecretRef | None = None
    """Sent as `Authorization: Bearer`."""
    resolve_timeout: timedelta = timedelta(hours=1)
    """Time after which a firing alert that is not sent again is resolved."""
    timeout: float = 10.0
    ca_file: Path | None = None

    exempt: ClassVar[bool] = True
    acknowledges: ClassVar[bool] = True

    def __post_init__(self) -> None:
        validate_timeout(self.timeout)
        if not self.urls or not all(url.startswith(("http://", "https://")) for url in self.urls):
            raise ValueError('urls: write addresses such as ["http://alertmanager:9093"]')
        if any("@" in url for url in self.urls):
            raise ValueError("urls: write them without a user or password; token_env names a token")
        if self.resolve_timeout < MIN_TIMEOUT:
            raise ValueError("resolve_timeout: write 3m or more")

    @property
    def repeat(self) -> timedelta:
        """Time after which a firing alert is sent again, if the receiver has no `repeat` of its own."""
        return self.resolve_timeout / REPEATS

    def send(self, message: Message) -> None:
        """Post the alerts to all addresses.

        Raises:
            NotifyError: None of them accepted the alerts.
        """
        from modeltop.alerting.notifiers.http import HttpClient, bearer  # late: urllib3 and ssl are slow to import

        now = datetime.fromtimestamp(time.time(), UTC) - message.clock_offset
        body = json.dumps(list(alerts(message, now, self.resolve_timeout))).encode("ascii")
        token = self.token.read() if self.token else None
        headers = bearer(token) if token else {}
        secrets = (token,) if token else ()
        errors: list[tuple[str, NotifyError]] = []
        for url in self.urls:
            client = HttpClient(url.rstrip("/") + PATH, self.timeout, self.ca_file, encrypted=False, secrets=secrets)
            try:
                client.post(body, headers)
            except NotifyError as error:
                errors.append((url, error))
        if len(errors) == len(self.urls):
            # Permanent only if no address can ever accept it.
            raise min((error for _, error in errors), key=lambda error: error.permanent)
        for url, reason in errors:
            _LOG.warning("Alertmanager %s was not notified, another one was: %s", sanitize(url), reason)


def alerts(message: Message, now: datetime, resolve_timeout: timedelta) -> Iterator[dict[str, Any]]:
    """Yield the alerts of a message: that of each incident, and the end of those of its other severities.

    Args:
        message: The message.
        now: The true time, aware.
        resolve_timeout: Time until the end of an alert that fires.
    """
    for section in message.sections:
        is_over = section.action is NotificationAction.RESOLVE or section.reason is NotificationReason.MISSED
        start = min(section.fired_at or section.written_at, now)
        if message.is_test:
            yield _alert(section, Severity.WARNING, start, now + timedelta(minutes=1))
            continue
        for severity in SEVERITIES:
            if is_over or severity is not section.severity:
                if severity <= section.peak_severity or section.peak_severity is Severity.OK:
                    yield _alert(section, severity, start, now)
            else:
                is_acknowledged = section.action is NotificationAction.ACKNOWLEDGE
                yield _alert(section, severity, start, now + (ACKNOWLEDGED if is_acknowledged else resolve_timeout))


def _alert(section: AlertSection, severity: Severity, start: datetime, end: datetime) -> dict[str, Any]:
    texts = {
        "summary": section.title,
        "description": section.verdict,
        "metric": sanitize(section.metric),
        "segment": sanitize(section.segment),
        "rule": sanitize(section.rule),
        "alerts": "; ".join(filter(None, (section.value_vs_limit, *(member.text for member in section.members)))),
        "note": section.state_note,
        "acknowledge": section.ack_command,
        "runbook_url": section.runbook,
    }
    return {
        "labels": {
            "alertname": "modeltop",
            "model": sanitize(section.model) or "?",
            "incident": sanitize(section.incident) or "test",
            "severity": severity.name.lower(),
        },
        "annotations": {name: text for name, text in texts.items() if text},
        "startsAt": start.isoformat(),
        "endsAt": max(end, start + timedelta(milliseconds=1)).isoformat(),
    }
