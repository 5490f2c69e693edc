"""Any service of your own: JSON by POST, signed where a key is given.

The signature is that of the Standard Webhooks specification, for which most languages have a verifier: HMAC-SHA256
over `id.timestamp.body`. The id is the same for every attempt at the same message, and is the `Idempotency-Key` too.
"""

from __future__ import annotations

import hmac
import json
import math
import time
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

from modeltop.alerting.messages.diagnosis_json import diagnosis_record
from modeltop.alerting.messages.message import AlertSection, Message
from modeltop.alerting.notifiers.base import SecretRef, notifier, validate_timeout
from modeltop.core.errors import NotifyError

VERSION = 1
"""Of what is posted: raised where a field changes its meaning or goes away."""


@notifier("webhook")
@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Posts JSON; any 2xx is success."""

    url: SecretRef
    signing_key: SecretRef | None = None
    """`whsec_` and base64, or any text, which is taken as it is."""
    token: SecretRef | None = None
    """Sent as `Authorization: Bearer`."""
    timeout: float = 10.0
    ca_file: Path | None = None

    exempt: ClassVar[bool] = False
    acknowledges: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Raises ValueError."""
        validate_timeout(self.timeout)

    def send(self, message: Message) -> None:
        """Post it. Raises NotifyError."""
        from modeltop.alerting.notifiers.http import HttpClient  # late: it loads what encrypts

        signing = self.signing_key.read() if self.signing_key else None
        token = self.token.read() if self.token else None
        body = json.dumps(payload(message), allow_nan=False).encode("ascii")
        name = identifier(message.key)
        headers = {"Idempotency-Key": f'"{name}"', "webhook-id": name}
        if signing is not None:
            headers |= signature(signing, name, int(time.time()), body)
        if token is not None and not (token.isascii() and token.isprintable()):
            raise NotifyError("its token has characters that no header may have", permanent=True)
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        secrets = tuple(one for one in (signing, token) if one)
        HttpClient(self.url.read(), self.timeout, self.ca_file, encrypted=False, secrets=secrets).post(body, headers)


def identifier(key: str) -> str:
    r"""A key in characters that a header may have; others are hashed.

    >>> identifier("1a2b3c4d:first"), identifier("a\r\nBcc: x")
    ('1a2b3c4d:first', '6391743000e95d40')
    """
    plain = len(key) <= 200 and key.isascii() and all(char.isalnum() or char in "-_:" for char in key)
    return key if key and plain else sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def signature(key: str, name: str, moment: int, body: bytes) -> dict[str, str]:
    """The headers that prove who sent this, and when.

    Args:
        key: As configured.
        name: The id of the message.
        moment: Seconds since 1970; a receiver refuses what is old.
        body: What is posted, to the byte.
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
    """The message as it is posted; names are as in the data, all other texts are safe."""
    return {
        "version": VERSION,
        "key": message.key,
        "receiver": _unbroken(message.receiver),
        "test": message.is_test,
        "digest": message.is_digest,
        "severity": message.severity.name.lower(),
        "title": message.title,
        "verdict": message.worst_section.verdict,
        "text": message.text,
        "alerts": [_alert(part) for part in message.sections],
    }


def _alert(part: AlertSection) -> dict[str, Any]:
    lasted = part.duration
    return {
        "id": _unbroken(part.incident),
        "dedup_key": _unbroken(part.dedup_key),
        "key": part.key,
        "kind": part.action.value,
        "reason": part.reason.value,
        "severity": part.severity.name.lower(),
        "reached": part.peak_severity.name.lower(),
        "model": _unbroken(part.model),
        "metric": _unbroken(part.metric),
        "segment": _unbroken(part.segment),
        "rule": _unbroken(part.rule),
        "title": part.title,
        "verdict": part.verdict,
        "diagnosis": None if part.diagnosis is None else _whole(diagnosis_record(part.diagnosis)),
        "sentence": part.sentence,
        "value": _number(part.value),
        "limit": _number(part.limit),
        "message": part.value_vs_limit,
        "worst": _number(part.worst_value),
        "count": _number(part.count),
        "since": _moment(part.since),
        "fired": _moment(part.fired_at),
        "resolved": _moment(part.resolved_at),
        "lasted_seconds": None if lasted is None else lasted.total_seconds(),
        "why": part.state_note,
        "runbook": part.runbook or None,
        "acknowledge": part.ack_command or None,
    }


def _whole(value: Any) -> Any:
    """The same without halves of surrogate pairs anywhere in it."""
    if isinstance(value, dict):
        return {name: _whole(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_whole(one) for one in value]
    return _unbroken(value) if isinstance(value, str) else value


def _unbroken(text: str) -> str:
    """Without halves of surrogate pairs, which many a parser refuses."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
