"""Notifier for Slack and compatible services: an incoming webhook and Block Kit.

Foreign text goes into `plain_text` only, with `& < >` as entities: in a model's name `<!channel>` would page everyone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modeltop.alerting.messages import template
from modeltop.alerting.messages.message import AlertSection, Message
from modeltop.alerting.notifiers.base import Notifier, SecretRef, notifier, validate_timeout
from modeltop.core.series import Severity

MAX_HEADER, MAX_FIELD, MAX_TEXT = 150, 2000, 3000
"""Most UTF-16 units of a header, of a field and of any other text (docs.slack.dev, Block Kit)."""
MAX_FIELDS = 10
SHAPES = {Severity.CRITICAL: "▲", Severity.UNKNOWN: "○", Severity.WARNING: "◆", Severity.OK: "●"}
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


@notifier("slack")
@dataclass(frozen=True, slots=True, kw_only=True)
class Slack(Notifier):
    """Posts to an incoming webhook."""

    url: SecretRef
    timeout: float = 10.0
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        validate_timeout(self.timeout)

    def send(self, message: Message) -> None:
        """Post it.

        Raises:
            NotifyError: The response is anything but `ok`.
        """
        from modeltop.alerting.notifiers.http import HttpClient  # late: urllib3 and ssl are slow to import

        client = HttpClient(self.url.read(), self.timeout, self.ca_file)
        response = client.post(json.dumps(payload(message)).encode("ascii"), {})
        if response.body.strip() != "ok":
            raise client.response_error(response, f"answered {response.status}, but not `ok`")


def payload(message: Message) -> dict[str, Any]:
    """Return the JSON to post: a title for notifications, blocks to read, and nothing that Slack makes a link."""
    shape = "TEST" if message.is_test else SHAPES[message.severity]
    title = message.title if message.is_test else f"{shape} {message.title}"
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(title, MAX_HEADER)}]
    blocks += _group(message) if len(message.sections) > 1 or message.is_digest else _single(message.worst_section)
    return {
        "text": _escaped(title, MAX_TEXT),
        "blocks": blocks,
        "mrkdwn": False,
        "parse": "none",
        "link_names": False,
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _single(section: AlertSection) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    if sentences := template.lead_sentences(section):
        blocks.append({"type": "section", "text": _plain("\n".join(sentences), MAX_TEXT)})
    fields = [_plain(f"{label}: {text}", MAX_FIELD) for label, text in template.labeled_facts(section)]
    blocks += [
        {"type": "section", "fields": fields[start : start + MAX_FIELDS]} for start in range(0, len(fields), MAX_FIELDS)
    ]
    if section.chart:
        # Marked up, because there is nothing foreign in it: numbers, dates and blocks.
        chart = "\n".join(section.chart)
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": f"```{chart}```", "verbatim": True}})
    if section.runbook:
        blocks.append({"type": "section", "text": _link(section.runbook)})
    if section.ack_command:
        blocks.append({"type": "context", "elements": [_plain(f"acknowledge: {section.ack_command}", MAX_TEXT)]})
    return blocks


def _group(message: Message) -> list[dict[str, Any]]:
    sections, limit = [""], MAX_TEXT - 1
    for line in message.text.split("\n"):
        if _units(f"{sections[-1]}\n{line}".translate(_ENTITIES)) > limit:
            sections.append("")
        sections[-1] = f"{sections[-1]}\n{line}" if sections[-1] else line
    return [{"type": "section", "text": _plain(text, MAX_TEXT)} for text in sections[:10] if text.strip()]


def _plain(text: str, limit: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": _escaped(text, limit), "emoji": False}


def _link(runbook: str) -> dict[str, Any]:
    """Return the runbook as a link if it is a plain address; else as text."""
    address = runbook.translate(_ENTITIES)
    is_address = runbook.startswith(("https://", "http://")) and not set(runbook) & set("<>|` ")
    if is_address and len(address) < MAX_TEXT - 20:
        return {"type": "mrkdwn", "text": f"<{address}|Runbook>", "verbatim": True}
    return _plain(f"runbook: {runbook}", MAX_TEXT)


def _escaped(text: str, limit: int) -> str:
    """Return the text with entities, truncated between them to `limit` UTF-16 units, in which Slack counts."""
    escaped = text.translate(_ENTITIES)
    if _units(escaped) <= limit:
        return escaped
    chars, used = [], 1
    for char in text:
        entity = char.translate(_ENTITIES)
        used += _units(entity)
        if used > limit:
            break
        chars.append(entity)
    return "".join(chars) + "…"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
