"""Slack, or what speaks its language: an incoming webhook and Block Kit.

Foreign text goes into `plain_text` alone, with `& < >` as entities: in a model's name `<!channel>` would page everyone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from modeltop.alerting.messages import template
from modeltop.alerting.messages.message import AlertSection, Message
from modeltop.alerting.notifiers.base import SecretRef, notifier, validate_timeout
from modeltop.core.series import Severity

HEADER, FIELD, TEXT = 150, 2000, 3000
"""Characters that Slack takes of a header, of a field, of any other text."""
FIELDS = 10
SHAPES = {Severity.CRITICAL: "▲", Severity.UNKNOWN: "○", Severity.WARNING: "◆", Severity.OK: "●"}
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


@notifier("slack")
@dataclass(frozen=True, slots=True, kw_only=True)
class Slack:
    """Posts to an incoming webhook."""

    url: SecretRef
    timeout: float = 10.0
    ca_file: Path | None = None

    exempt: ClassVar[bool] = False
    acknowledges: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Raises ValueError."""
        validate_timeout(self.timeout)

    def send(self, message: Message) -> None:
        """Done when the answer is `ok` and nothing else. Raises NotifyError."""
        from modeltop.alerting.notifiers.http import HttpClient  # late: it loads what encrypts

        post = HttpClient(self.url.read(), self.timeout, self.ca_file)
        reply = post.post(json.dumps(payload(message)).encode("ascii"), {})
        if reply.body.strip() != "ok":
            raise post.response_error(reply, f"answered {reply.status}, but not `ok`")


def payload(message: Message) -> dict[str, Any]:
    """What is posted: the title for notifications, blocks for the eye, and nothing that Slack could take for a link."""
    shape = "TEST" if message.is_test else SHAPES[message.severity]
    title = message.title if message.is_test else f"{shape} {message.title}"
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(title, HEADER)}]
    blocks += _group(message) if message.is_grouped or message.is_digest else _single(message.worst_section)
    return {
        "text": _escaped(title, TEXT),
        "blocks": blocks,
        "mrkdwn": False,
        "parse": "none",
        "link_names": False,
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _single(part: AlertSection) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    if said := template.lead_sentence(part):
        blocks.append({"type": "section", "text": _plain("\n".join(said), TEXT)})
    fields = [_plain(f"{label}: {text}", FIELD) for label, text in template.labeled_facts(part)]
    blocks += [{"type": "section", "fields": fields[at : at + FIELDS]} for at in range(0, len(fields), FIELDS)]
    if part.chart:
        # Numbers, dates and blocks only: nothing foreign stands between the marks.
        chart = "\n".join(part.chart)
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": f"```{chart}```", "verbatim": True}})
    if part.runbook:
        blocks.append({"type": "section", "text": _link(part.runbook)})
    if part.ack_command:
        blocks.append({"type": "context", "elements": [_plain(f"take it: {part.ack_command}", TEXT)]})
    return blocks


def _group(message: Message) -> list[dict[str, Any]]:
    """The lines in as few sections as hold them, at most ten."""
    sections, room = [""], TEXT - 1
    for line in message.text.split("\n"):
        if _units(f"{sections[-1]}\n{line}".translate(_ENTITIES)) > room:
            sections.append("")
        sections[-1] = f"{sections[-1]}\n{line}" if sections[-1] else line
    return [{"type": "section", "text": _plain(text, TEXT)} for text in sections[:10] if text.strip()]


def _plain(text: str, limit: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": _escaped(text, limit), "emoji": False}


def _link(runbook: str) -> dict[str, Any]:
    """The runbook as a link that a thumb can meet, where it is an address and nothing else."""
    address = runbook.translate(_ENTITIES)
    plain_address = runbook.startswith(("https://", "http://")) and not set(runbook) & set("<>|` ")
    if plain_address and len(address) < TEXT - 20:
        return {"type": "mrkdwn", "text": f"<{address}|Runbook>", "verbatim": True}
    return _plain(f"runbook: {runbook}", TEXT)


def _escaped(text: str, limit: int) -> str:
    """With entities, cut so that none of them is torn; `limit` in UTF-16 units, which is how lengths are counted."""
    whole = text.translate(_ENTITIES)
    if _units(whole) <= limit:
        return whole
    kept, used = [], 1
    for char in text:
        piece = char.translate(_ENTITIES)
        used += _units(piece)
        if used > limit:
            break
        kept.append(piece)
    return "".join(kept) + "…"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
