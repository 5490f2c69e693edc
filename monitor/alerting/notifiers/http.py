"""An HTTP client for notifiers; the only module that imports urllib3.

Import it within functions, for it imports ssl. One connection a message, no redirect followed, the certificate checked,
one time limit on everything. Errors never quote the address, for that of a hook is a secret.
"""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from modeltop import __version__
from modeltop.alerting.notifiers.base import LOOPBACK_HOSTS
from modeltop.alerting.notifiers.secrets import redact
from modeltop.alerting.notifiers.timeouts import Deadline, ssl_context, tls_error
from modeltop.core.errors import NotifyError
from modeltop.core.text import format_exact, sanitize

if TYPE_CHECKING:
    import socket

    from urllib3.connection import HTTPConnection


_MAX_BODY_BYTES = 65_536
_TEMPORARY_STATUSES = (408, 409, 425, 429)
"""Statuses below 500 that another attempt may not get. 409: the first attempt with the same key is still processed
(draft-ietf-httpapi-idempotency-key-header)."""
_REJECTING_STATUSES = (400, 413, 422)
"""Statuses about the content of one message: another one may be taken."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """The address and credentials of an HTTP proxy."""

    host: str
    port: int
    encrypted: bool
    credentials: dict[str, str] = field(default_factory=dict, repr=False)


def proxy_for(scheme: str, host: str, port: int | None) -> Proxy | None:
    """Return the proxy for an address by `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`; None for none.

    This machine itself is always reached directly.

    Raises:
        NotifyError: The variable holds no address of a proxy; not permanent, as the variable is not the receiver's.
    """
    text = getproxies().get(scheme) or getproxies().get("all")
    if not text or host in LOOPBACK_HOSTS or proxy_bypass(host if port is None else f"{host}:{port}"):
        return None
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        proxy_port = parts.port
    except ValueError:
        parts, proxy_port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NotifyError(f"the proxy in {scheme.upper()}_PROXY is not an address such as http://proxy:3128")
    credentials = {"Proxy-Authorization": _basic_auth(parts)} if parts.username else {}
    encrypted = parts.scheme == "https"
    return Proxy(parts.hostname, proxy_port or (443 if encrypted else 80), encrypted, credentials)


def _basic_auth(parts: SplitResult) -> str:
    pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return f"Basic {b64encode(pair.encode('utf-8')).decode('ascii')}"


def bearer(token: str) -> dict[str, str]:
    """Return the header for a token (RFC 6750); raise NotifyError, permanent, if no header may have it."""
    if not (token.isascii() and token.isprintable()):
        raise NotifyError("its token has characters that no header may have", permanent=True)
    return {"Authorization": f"Bearer {token}"}


def parse_address(text: str, *, encrypted: bool) -> SplitResult:
    """Return a valid web address in its parts; with `encrypted`, `http://` is refused, except to this machine.

    Raises:
        NotifyError: Permanent: it is no web address, or not encrypted; the text does not quote it.
    """
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise NotifyError("its address is not a web address", permanent=True) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not (text.isascii() and text.isprintable()):
        raise NotifyError("its address is not a web address such as https://host/path", permanent=True)
    if " " in text:
        raise NotifyError("its address has a space in it", permanent=True)
    if encrypted and parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
        raise NotifyError("its address starts with http: write https, or the secret is sent in clear", permanent=True)
    return parts


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """Status, headers and the beginning of the body of a response."""

    status: int
    body: str
    """The first 64 KiB; foreign text that may echo a secret."""
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class HttpClient:
    """A client for one address, with a total time limit a request."""

    address: str = field(repr=False)
    timeout: float
    """Seconds for all of the conversation."""
    ca_file: Path | None = None
    """PEM file of the certificates to trust; None for those of the system."""
    encrypted: bool = True
    """Whether `http://` is refused, except to this machine."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Texts to redact, besides the address."""

    def post(self, body: bytes, headers: Mapping[str, str]) -> HttpResponse:
        """Post JSON and return the response, whose status is 2xx.

        Raises:
            NotifyError: Any other status, or no response; `permanent` and `retry_after` describe whether to retry.
        """
        response = self.request("POST", body, {"Content-Type": "application/json", **headers})
        if 200 <= response.status < 300:
            return response
        raise self.response_error(response)

    def request(self, method: str, body: bytes | None, headers: Mapping[str, str]) -> HttpResponse:
        """Send a request and return the response, whatever its status; raise NotifyError if there was none."""
        address = parse_address(self.address, encrypted=self.encrypted)
        credentials = {} if address.username is None else {"Authorization": _basic_auth(address)}
        own = {"User-Agent": f"modeltop/{__version__}", "Accept-Encoding": "identity"}
        all_headers = {**own, **credentials, **headers}
        proxy = proxy_for(address.scheme, address.hostname or "", address.port)
        target = (address.path or "/") + (f"?{address.query}" if address.query else "")
        if proxy and address.scheme == "http":  # without TLS the proxy gets the request itself (RFC 9112, 3.2.2)
            all_headers |= proxy.credentials
            target = f"http://{address.netloc.rpartition('@')[2]}{target}"
        with Deadline(self.timeout) as deadline:
            try:
                with closing(self._connection(address, deadline, proxy)) as connection:
                    connection.request(method, target, body=body, headers=all_headers, preload_content=False)
                    response = _read(connection)
            except NotifyError:
                raise
            except Exception as error:  # noqa: BLE001  errors of the library may quote the address
                raise self._failure(error, timed_out=deadline.expired, proxy=proxy) from None
        if deadline.expired:  # the deadline itself has cut the response short
            raise self._failure(TimeoutError(), timed_out=True)
        return response

    def response_error(self, response: HttpResponse, problem: str = "") -> NotifyError:
        """Return the error for a response; with a `problem`, of a status of 2xx, it is not permanent."""
        quoted = redact(response.body, (self.address, *self.secrets))
        quoted = f": {quoted}" if quoted else ""
        if problem:
            return NotifyError(f"{problem}{quoted}")
        if 300 <= response.status < 400:
            return NotifyError(
                f"answered {response.status}, a redirect, which is not followed: correct the address", permanent=True
            )
        permanent = 400 <= response.status < 500 and response.status not in _TEMPORARY_STATUSES
        return NotifyError(
            f"answered {response.status}{quoted}",
            permanent=permanent,
            rejects_message=response.status in _REJECTING_STATUSES,
            retry_after=None if permanent else retry_after(response.headers),
        )

    def _connection(self, address: SplitResult, deadline: Deadline, proxy: Proxy | None) -> HTTPConnection:
        from urllib3.connection import HTTPConnection, HTTPSConnection

        is_https = address.scheme == "https"
        base: Any = HTTPSConnection if is_https else HTTPConnection

        class WatchedConnection(base):  # type: ignore[misc]
            def _new_conn(self) -> socket.socket:
                sock: socket.socket = super()._new_conn()
                deadline.watch(sock)
                return sock

        options: dict[str, object] = {"timeout": self.timeout}
        if is_https:
            options["ssl_context"] = ssl_context(self.ca_file)
        host, port = address.hostname or "", address.port
        connection: HTTPConnection = WatchedConnection(
            *((proxy.host, proxy.port) if proxy else (host, port)), **options
        )
        if proxy and is_https:
            scheme = "https" if proxy.encrypted else "http"
            connection.set_tunnel(host, port or 443, headers=proxy.credentials, scheme=scheme)
        return connection

    def _failure(self, error: Exception, *, timed_out: bool, proxy: Proxy | None = None) -> NotifyError:
        """Return the error for a failed conversation: never permanent, for nothing on this side has to change."""
        from urllib3.exceptions import NameResolutionError

        causes = list(_causes(error))
        if timed_out or any(isinstance(cause, TimeoutError) for cause in causes):
            return NotifyError(f"gave no complete answer within {format_exact(self.timeout)} s")
        for cause in causes:
            if isinstance(cause, ssl.SSLError):
                return tls_error(cause, (self.address, *self.secrets))
            if isinstance(cause, NameResolutionError):
                return NotifyError("the name of its host cannot be resolved")
        refused = next((str(cause) for cause in causes if str(cause).startswith("Tunnel connection failed")), None)
        if proxy and refused:
            return NotifyError(f"the proxy does not let it through: {redact(refused, (self.address, *self.secrets))}")
        os_error = next((cause for cause in causes if isinstance(cause, OSError) and cause.strerror), None)
        if isinstance(os_error, OSError):
            return NotifyError(f"cannot be reached: {sanitize(os_error.strerror).lower()}")
        return NotifyError("the connection ended before an answer came")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of `Retry-After`, given in seconds or as a date (RFC 9110, 10.2.3); None if absent or neither.

    A date counts from the server's own `Date`, so that its clock need not agree with ours.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    until = _parse_date(text)
    if until is None:
        return None
    now = _parse_date(headers.get("date", "")) or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds())


def _parse_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read(connection: HTTPConnection) -> HttpResponse:
    with closing(connection.getresponse()) as response:
        chunks, remaining = [], _MAX_BODY_BYTES
        # As it comes: a few bytes that are decompressed may be gigabytes.
        while remaining > 0 and (chunk := response.read1(remaining, decode_content=False)):
            chunks.append(chunk)
            remaining -= len(chunk)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return HttpResponse(response.status, b"".join(chunks).decode("utf-8", "replace"), headers)


def _causes(error: BaseException) -> Iterable[BaseException]:
    cause: BaseException | None = error
    for _ in range(10):  # a chain may be a circle
        if cause is None:
            return
        yield cause
        cause = cause.__cause__ or cause.__context__
