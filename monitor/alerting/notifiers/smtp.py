"""One mail, handed to a server, and what became of it: the only place that knows smtplib."""

from __future__ import annotations

import smtplib
import socket
import ssl
from base64 import b64encode
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

from modeltop.alerting.notifiers.secrets import redact
from modeltop.alerting.notifiers.timeouts import Deadline, ssl_context, tls_error
from modeltop.core.errors import NotifyError
from modeltop.core.text import format_exact, sanitize

Refused = Mapping[str, tuple[int, str]]
"""Who was refused, and why, where others were not."""


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is handed in."""

    host: str
    port: int
    tls_mode: str
    """`starttls`, `tls` or `none`."""
    timeout: float
    """Seconds for all of it."""
    ca_file: Path | None = None
    user: str = ""
    password: str = field(default="", repr=False)


def send_mail(server: SmtpServer, mail: EmailMessage, sender: str, to: Sequence[str]) -> Refused:
    """Hand it in.

    Returns:
        Those who were refused, while at least one was not.

    Raises:
        NotifyError: Nobody was told, or that is not known. An answer of 500 or more is permanent.
    """
    with Deadline(server.timeout) as deadline:
        try:
            with _connected(server, deadline) as client:
                refused = client.send_message(mail, sender, list(to))
                return {who: (code, _text(said)) for who, (code, said) in refused.items()}
        except NotifyError:
            raise
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise _failure(error, server, timed_out=deadline.expired) from None


class _Client:
    """An open conversation; its end is polite where that costs nothing."""

    def __init__(self, client: smtplib.SMTP) -> None:
        self._client = client

    def __enter__(self) -> smtplib.SMTP:
        return self._client

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # Once it is taken, how the conversation ends changes nothing.
        if kind is None:
            with suppress(smtplib.SMTPException, OSError):
                self._client.quit()
        self._client.close()


def _connected(server: SmtpServer, deadline: Deadline) -> _Client:
    """Greeted, encrypted, logged in."""
    context = None if server.tls_mode == "none" else ssl_context(server.ca_file)
    client = _open(server, deadline, context)
    try:
        client.ehlo_or_helo_if_needed()
        if server.tls_mode == "starttls":
            client.starttls(context=context)
            client.ehlo_or_helo_if_needed()
        if server.user:
            client.login(server.user, server.password)
    except BaseException:
        client.close()
        raise
    return _Client(client)


def _open(server: SmtpServer, deadline: Deadline, context: ssl.SSLContext | None) -> smtplib.SMTP:
    class WatchedSmtp(smtplib.SMTP):
        def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
            sock: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]
            deadline.watch(sock)
            return sock

    class WatchedFromTheFirstByte(smtplib.SMTP_SSL, WatchedSmtp):
        """In this order: what is watched is the plain socket, which is there while encryption is agreed on."""

    where = (server.host, server.port, "localhost")
    if server.tls_mode == "tls":
        client: smtplib.SMTP = WatchedFromTheFirstByte(*where, timeout=server.timeout, context=context)
    else:
        client = WatchedSmtp(*where, timeout=server.timeout)
    own = str(client.sock.getsockname()[0]) if client.sock else "127.0.0.1"
    # An address is a name that every server takes (RFC 5321, 4.1.3); looking up that of this machine may take long.
    client.local_hostname = f"[IPv6:{own}]" if ":" in own else f"[{own}]"
    return client


def _failure(error: Exception, server: SmtpServer, *, timed_out: bool) -> NotifyError:
    causes = (error, error.__cause__, error.__context__)
    if timed_out or any(isinstance(cause, TimeoutError) for cause in causes):
        return NotifyError(f"gave no complete answer within {format_exact(server.timeout)} s")
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return tls_error(cause)
    return _refusal(error, server) or _unreached(error)


def _refusal(error: Exception, server: SmtpServer) -> NotifyError | None:
    """What the server said, where it said something."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
        code, said = next(iter(error.recipients.values()), (0, b""))
        return NotifyError(_quoted("refused all addresses", code, said, server), permanent=min(codes, default=0) >= 500)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        lacking = "STARTTLS: set encryption" if "STARTTLS" in str(error) else "what was asked of it"
        return NotifyError(f"the server does not know {lacking}", permanent=True)
    if isinstance(error, smtplib.SMTPResponseException):
        return NotifyError(
            _quoted("answered", error.smtp_code, error.smtp_error, server), permanent=error.smtp_code >= 500
        )
    return None


def _unreached(error: Exception) -> NotifyError:
    if isinstance(error, UnicodeError):
        return NotifyError("user, password or an address has characters that the server does not take", permanent=True)
    if isinstance(error, socket.gaierror):
        return NotifyError("the name of its host cannot be resolved")
    if isinstance(error, OSError) and error.strerror and not isinstance(error, smtplib.SMTPException):
        return NotifyError(f"cannot be reached: {sanitize(error.strerror).lower()}")
    return NotifyError("the connection ended before the mail was taken")


def _quoted(what: str, code: int, said: bytes | str, server: SmtpServer) -> str:
    pair = f"\0{server.user}\0{server.password}"
    coded = tuple(b64encode(text.encode("utf-8")).decode("ascii") for text in (server.password, pair))
    secrets = (server.password, *coded) if server.password else ()
    return redact(f"{what}: {code} {_text(said)}", secrets)


def _text(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said
