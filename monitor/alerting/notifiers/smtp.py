"""Sending one mail by SMTP; the only module that imports smtplib."""

from __future__ import annotations

import smtplib
import socket
import ssl
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from email.message import EmailMessage

from modeltop.alerting.notifiers.email import Email, Encryption
from modeltop.alerting.notifiers.secrets import redact
from modeltop.alerting.notifiers.timeouts import Deadline, ssl_context, tls_error
from modeltop.core.errors import NotifyError
from modeltop.core.text import format_exact, sanitize


def send_mail(server: Email, password: str, mail: EmailMessage) -> Mapping[str, tuple[int, str]]:
    """Send a mail and return by address the replies to refused recipients, if at least one was accepted.

    Raises:
        NotifyError: The mail was not accepted, or that is not known; permanent for a reply of 500 or more.
    """
    with Deadline(server.timeout) as deadline:
        try:
            with _connect(server, password, deadline) as client:
                refused = client.send_message(mail, server.sender, list(server.to))
                return {address: (code, _decode(text)) for address, (code, text) in refused.items()}
        except NotifyError:
            raise
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise _failure(error, server, password, timed_out=deadline.expired) from None


@contextmanager
def _connect(server: Email, password: str, deadline: Deadline) -> Iterator[smtplib.SMTP]:
    context = None if server.tls_mode is Encryption.NONE else ssl_context(server.ca_file)
    client = _open(server, deadline, context)
    try:
        client.ehlo_or_helo_if_needed()
        if server.tls_mode is Encryption.STARTTLS:
            client.starttls(context=context)
            client.ehlo_or_helo_if_needed()
        if server.user:
            client.login(server.user, password)
        yield client
        # Errors are ignored, because the mail is accepted by now.
        with suppress(smtplib.SMTPException, OSError):
            client.quit()
    finally:
        client.close()


def _open(server: Email, deadline: Deadline, context: ssl.SSLContext | None) -> smtplib.SMTP:
    class WatchedSmtp(smtplib.SMTP):
        def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
            sock: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]
            deadline.watch(sock)
            return sock

    class WatchedSmtpSsl(smtplib.SMTP_SSL, WatchedSmtp):
        """In this order of bases, the plain socket is watched, which exists during the TLS handshake."""

    address = (server.host, server.effective_port, "localhost")
    if server.tls_mode is Encryption.TLS:
        client: smtplib.SMTP = WatchedSmtpSsl(*address, timeout=server.timeout, context=context)
    else:
        client = WatchedSmtp(*address, timeout=server.timeout)
    own_address = str(client.sock.getsockname()[0]) if client.sock else "127.0.0.1"
    # An address literal (RFC 5321, 4.1.3), because looking up the host name may be slow.
    client.local_hostname = f"[IPv6:{own_address}]" if ":" in own_address else f"[{own_address}]"
    return client


def _failure(error: Exception, server: Email, password: str, *, timed_out: bool) -> NotifyError:
    causes = (error, error.__cause__, error.__context__)
    if timed_out or any(isinstance(cause, TimeoutError) for cause in causes):
        return NotifyError(f"gave no complete answer within {format_exact(server.timeout)} s")
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return tls_error(cause)
    return _rejection(error, server.user, password) or _connection_error(error)


def _rejection(error: Exception, user: str, password: str) -> NotifyError | None:
    # In the forms of AUTH PLAIN and AUTH LOGIN, which a server may echo.
    encoded = (b64encode(text.encode("utf-8")).decode("ascii") for text in (password, f"\0{user}\0{password}"))
    secrets = (password, *encoded) if password else ()
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
        code, text = next(iter(error.recipients.values()), (0, b""))
        reply = redact(f"refused all addresses: {code} {_decode(text)}", secrets)
        return NotifyError(reply, permanent=min(codes, default=0) >= 500)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        unsupported = "STARTTLS: set encryption" if "STARTTLS" in str(error) else "what was asked of it"
        return NotifyError(f"the server does not know {unsupported}", permanent=True)
    if isinstance(error, smtplib.SMTPResponseException):
        reply = redact(f"answered: {error.smtp_code} {_decode(error.smtp_error)}", secrets)
        return NotifyError(reply, permanent=error.smtp_code >= 500)
    return None


def _connection_error(error: Exception) -> NotifyError:
    if isinstance(error, UnicodeError):
        return NotifyError(
            "user, password or an address has characters that the server does not accept", permanent=True
        )
    if isinstance(error, socket.gaierror):
        return NotifyError("the name of its host cannot be resolved")
    if isinstance(error, OSError) and error.strerror and not isinstance(error, smtplib.SMTPException):
        return NotifyError(f"cannot be reached: {sanitize(error.strerror).lower()}")
    return NotifyError("the connection ended before the mail was accepted")


def _decode(text: bytes | str) -> str:
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else text
