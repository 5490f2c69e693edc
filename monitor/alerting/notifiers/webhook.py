"""Notifier for a custom service: JSON by POST, signed if a key is given.

The signature is that of the Standard Webhooks specification, for which most languages have a verifier: HMAC-SHA256
over `id.timestamp.body`. The id is the same for every attempt at the same message, and is the `Idempotency-Key` too.
"""

from __future__ import annotations

import hmac
import json
import time
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

from modeltop.alerting.messages.diagnosis_json import finite_or_none, questions_record
from modeltop.alerting.messages.message import AlertSection, MemberLine, Message
from modeltop.alerting.notifiers.base import Notifier, SecretRef, notifier, validate_timeout

VERSION = 2
"""Version of the JSON, incremented when a field changes its meaning or is removed."""


@notifier("webhook")
@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook(Notifier):
    """Posts JSON; any 2xx status is success."""

    url: SecretRef
    signing_key: SecretRef | None = None
    """`whsec_` and base64, or any other text as it is."""
    token: SecretRef | None = None
    """Sent as `Authorization: Bearer`."""
    timeout: float = 10.0
    ca_file: Path | None = None

    acknowledges: ClassVar[bool] = True

    def __post_init__(self) -> None:
        validate_timeout(self.timeout)

    def send(self, message: Message) -> None:
        """Post it.

        Raises:
            NotifyError: The status is not 2xx, or there was no response.
        """
        from modeltop.alerting.notifiers.http import HttpClient, bearer  # late: urllib3 and ssl are slow to import

        signing_key = self.signing_key.read() if self.signing_key else None
        token = self.token.read() if self.token else None
        body = json.dumps(payload(message), allow_nan=False).encode("ascii")
        name = identifier(message.key)
        headers = {"Idempotency-Key": f'"{name}"', "webhook-id": name}
        if signing_key is not None:
            headers |= signature(signing_key, name, int(time.time() - message.clock_offset.total_seconds()), body)
        if token is not None:
            headers |= bearer(token)
        secrets = tuple(secret for secret in (signing_key, token) if secret)
        HttpClient(self.url.read(), self.timeout, self.ca_file, encrypted=False, secrets=secrets).post(body, headers)


def identifier(key: str) -> str:
    r"""Return a key in characters that a header may have; others are hashed.

    >>> identifier("1a2b3c4d:first"), identifier("a\r\nBcc: x")
    ('1a2b3c4d:first', '6391743000e95d40')
    """
    is_plain = len(key) <= 200 and key.isascii() and all(char.isalnum() or char in "-_:" for char in key)
    return key if key and is_plain else sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def signature(key: str, name: str, moment: int, body: bytes) -> dict[str, str]:
    """Return the headers that prove who sent a message, and when (Standard Webhooks 1.0).

    `name` is the id of the message, `moment` in seconds since 1970, for a receiver refuses old ones.
    """
    secret = key.encode("utf-8")
    if key.startswith("whsec_"):
        try:
            secret = b64decode(key.removeprefix("whsec_"), validate=True)
        except ValueError:
            secret = key.encode("utf-8")
    digest = hmac.new(secret, f"{name}.{moment}.".encode("ascii") + body, sha256).digest()
    return {"webhook-timestamp": str(moment), "webhook-signature": f"v1,{b64encode(digest).decode('ascii')}"}


def payload(message: Message) -> dict[str, Any]:
    """Return the JSON to post; names are as in the data, all other texts are sanitized."""
    return {
        "version": VERSION,
        "key": message.key,
        "receiver": _replace_surrogates(message.receiver),
        "test": message.is_test,
        "digest": message.is_digest,
        "severity": message.severity.name.lower(),
        "title": message.title,
        "verdict": message.worst_section.verdict,
        "text": message.text,
        "alerts": [_alert(section) for section in message.sections],
    }


def _member(member: MemberLine) -> dict[str, Any]:
    return {
        "metric": _replace_surrogates(member.metric),
        "segment": _replace_surrogates(member.segment),
        "rule": _replace_surrogates(member.rule),
        "severity": member.severity.name.lower(),
        "message": member.text,
        "new": member.is_new,
    }


def _alert(section: AlertSection) -> dict[str, Any]:
    duration = section.duration
    return {
        "id": _replace_surrogates(section.incident),
        "dedup_key": _replace_surrogates(section.dedup_key),
        "key": section.key,
        "kind": section.action.value,
        "reason": section.reason.value,
        "severity": section.severity.name.lower(),
        "reached": section.peak_severity.name.lower(),
        "model": _replace_surrogates(section.model),
        "metric": _replace_surrogates(section.metric),
        "segment": _replace_surrogates(section.segment),
        "rule": _replace_surrogates(section.rule),
        "members": [_member(member) for member in section.members],
        "title": section.title,
        "verdict": section.verdict,
        "diagnosis": None if section.diagnosis is None else _replace_surrogates(questions_record(section.diagnosis)),
        "sentence": section.sentence,
        "value": finite_or_none(section.value),
        "limit": finite_or_none(section.limit),
        "message": section.value_vs_limit,
        "worst": finite_or_none(section.worst_value),
        "count": finite_or_none(section.count),
        "since": _moment(section.since),
        "fired": _moment(section.fired_at),
        "resolved": _moment(section.resolved_at),
        "lasted_seconds": None if duration is None else duration.total_seconds(),
        "why": section.state_note,
        "runbook": section.runbook or None,
        "acknowledge": section.ack_command or None,
    }


def _replace_surrogates(value: Any) -> Any:
    """Return a JSON value without lone surrogates, which many parsers refuse."""
    if isinstance(value, dict):
        return {name: _replace_surrogates(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_replace_surrogates(item) for item in value]
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if isinstance(value, str) else value


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
