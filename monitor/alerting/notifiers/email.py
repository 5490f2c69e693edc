"""Notifier for e-mail: plain text and a simple HTML part; messages about one incident are one thread.

Headers are built by `EmailMessage`, which refuses line ends, from text that has none.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from modeltop.alerting.messages.message import Message
from modeltop.alerting.notifiers.base import LOOPBACK_HOSTS, Notifier, SecretRef, notifier, validate_timeout
from modeltop.alerting.notifiers.secrets import redact
from modeltop.core.errors import NotifyError
from modeltop.core.text import sanitize

if TYPE_CHECKING:
    from email.message import EmailMessage

_LOG = logging.getLogger("modeltop.notify")
_PRE = "font-family:ui-monospace,Menlo,Consolas,monospace;font-size:14px;white-space:pre-wrap"


class Encryption(Enum):
    """Encryption of a connection to a mail server."""

    STARTTLS = "starttls"
    """From the command STARTTLS on; a server that does not offer it is refused."""
    TLS = "tls"
    NONE = "none"
    """Not at all; then no password is sent either, except to this machine."""


@notifier("email")
@dataclass(frozen=True, slots=True, kw_only=True)
class Email(Notifier):
    """Sends mail through a mail server."""

    host: str
    sender: str
    to: tuple[str, ...]
    port: int = 0
    """TCP port; 0 for 465 with `tls`, 25 with `none`, else 587."""
    encryption: Encryption | None = None
    """None for `tls` on port 465, else `starttls`."""
    user: str = ""
    password: SecretRef | None = None
    timeout: float = 20.0
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        validate_timeout(self.timeout)
        if not self.host or not _is_word(self.host):
            raise ValueError("host: write the name of a mail server")
        if not 0 <= self.port <= 65_535:
            raise ValueError(f"port: {self.port} is invalid; common ones are 587 and 465")
        if not self.to:
            raise ValueError("to: write at least one address")
        for key, address in (("sender", self.sender), *(("to", address) for address in self.to)):
            if not _is_address(address):
                raise ValueError(f"{key}: {sanitize(address, 60)!r} is not an address such as ops@example.org")
        if bool(self.user) != (self.password is not None):
            missing = "password_env or password_file" if self.user else "user"
            raise ValueError(f"{'password' if self.user else 'user'}: missing; give {missing} too")
        if self.user and self.tls_mode is Encryption.NONE and self.host not in LOOPBACK_HOSTS:
            raise ValueError("encryption: a password is not sent in clear; write starttls or tls")

    @property
    def tls_mode(self) -> Encryption:
        """The encryption as configured, or the default of the port."""
        return self.encryption or (Encryption.TLS if self.port == 465 else Encryption.STARTTLS)

    @property
    def effective_port(self) -> int:
        """The TCP port as configured, or the default of the encryption."""
        return self.port or {Encryption.TLS: 465, Encryption.NONE: 25, Encryption.STARTTLS: 587}[self.tls_mode]

    def send(self, message: Message) -> None:
        """Send it; a recipient that the server refuses does not keep the others from getting it.

        Raises:
            NotifyError: The server did not accept it, or refused a recipient for now.
        """
        from modeltop.alerting.notifiers.smtp import send_mail  # late: smtplib and ssl are slow to import

        password = self.password.read() if self.password else ""
        refused = send_mail(self, password, build_email(message, self.sender, self.to))
        if not refused:
            return
        replies = "; ".join(f"{sanitize(address, 80)}: {code} {text}" for address, (code, text) in refused.items())
        text = redact(f"not accepted for {replies}", (password,) if password else (), 300)
        if any(code < 500 for code, _ in refused.values()):
            raise NotifyError(text)
        _LOG.warning("e-mail %s", text)


def build_email(message: Message, sender: str, to: tuple[str, ...]) -> EmailMessage:
    """Return a mail in the thread of its incidents, with the id of the message: another attempt is the same mail."""
    from email.message import EmailMessage
    from email.utils import format_datetime

    domain = sender.rpartition("@")[2]
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = ", ".join(to)
    mail["Subject"] = sanitize(message.title)
    mail["Date"] = format_datetime(datetime.now(UTC) - message.clock_offset)
    mail["Message-ID"] = f"<{_hash(message.key)}@{domain}>"
    threads = [f"<{_hash(section.dedup_key)}@{domain}>" for section in message.sections[:20]]
    mail["In-Reply-To"] = threads[0]
    mail["References"] = " ".join(threads)
    # Asks out-of-office programs to be silent (RFC 3834).
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Modeltop-Severity"] = message.severity.name.lower()
    text = f"{message.title}\n\n{message.text}\n".encode("utf-8", "replace").decode("utf-8")
    mail.set_content(text, cte="quoted-printable")
    mail.add_alternative(html_body(message), subtype="html", cte="quoted-printable")
    return mail


def html_body(message: Message) -> str:
    """Return the text as a page with nothing to fetch, nothing to run, and no link but those to runbooks."""
    text = f"{message.title}\n\n{message.text}".encode("utf-8", "replace").decode("utf-8")
    body = escape(text)
    for runbook in {section.runbook for section in message.sections}:
        if runbook.startswith(("https://", "http://")) and not set(runbook) & set(" <>\"'"):
            address = escape(runbook)
            body = body.replace(f"runbook  {address}\n", f'runbook  <a href="{address}">{address}</a>\n')
    return f'<!doctype html><html><body><pre style="{_PRE}">{body}</pre></body></html>\n'


def _hash(key: str) -> str:
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _is_word(text: str) -> bool:
    return text.isprintable() and " " not in text


def _is_address(text: str) -> bool:
    name, _, domain = text.rpartition("@")
    return bool(name and domain) and _is_word(text) and text.isascii() and not set(text) & set('<>,;:"()[]\\')
