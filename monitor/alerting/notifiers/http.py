"""One POST, and what became of it: the only place that knows urllib3.

Import it late: who never sends should not wait for what encrypts. One connection a message, no redirect followed, the
certificate checked, one time limit on all of it. What goes wrong is sorted into what may pass and what will not, and
said without the address: addresses of hooks are secrets.
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
from modeltop.alerting.notifiers.secrets import redact
from modeltop.alerting.notifiers.timeouts import Deadline, ssl_context, tls_error
from modeltop.core.errors import NotifyError
from modeltop.core.text import format_exact, sanitize

if TYPE_CHECKING:
    import socket

    from urllib3.connection import HTTPConnection


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where a connection goes first."""

    host: str
    port: int
    encrypted: bool
    credentials: dict[str, str] = field(default_factory=dict, repr=False)
    """The header for a user and a password in its address."""


def proxy_for(scheme: str, host: str, port: int | None) -> Proxy | None:
    """The proxy for an address; None where it is reached directly.

    Args:
        scheme: `http` or `https`.
        host: Of the address; this machine itself is always reached directly.
        port: None for the usual one.

    Raises:
        NotifyError: The variable holds no address of a proxy; it may pass, as the variable is not the receiver's.
    """
    said = getproxies().get(scheme) or getproxies().get("all")
    if (
        not said
        or host in ("localhost", "127.0.0.1", "::1")
        or proxy_bypass(host if port is None else f"{host}:{port}")
    ):
        return None
    try:
        parts = urlsplit(said if "://" in said else f"http://{said}")
        number = parts.port
    except ValueError:
        parts, number = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NotifyError(f"the proxy in {scheme.upper()}_PROXY is no address such as http://proxy:3128")
    user = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else ""
    secret = {"Proxy-Authorization": f"Basic {b64encode(user.encode()).decode('ascii')}"} if user else {}
    encrypted = parts.scheme == "https"
    return Proxy(parts.hostname, number or (443 if encrypted else 80), encrypted, secret)


_MOST = 65_536
"""Bytes of a reply that are read."""
_TEMPORARY_STATUSES = (408, 409, 425, 429)
"""Refusals that another attempt may not meet. 409: the first attempt with the same key is still being worked on
(draft-ietf-httpapi-idempotency-key-header)."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Address:
    """A web address that was checked; where it leads is a secret."""

    parts: SplitResult = field(repr=False)

    @classmethod
    def parse(cls, text: str, *, encrypted: bool) -> Address:
        """Check an address.

        Args:
            text: The address; a user and a password in it are sent as basic authentication.
            encrypted: Whether `http://` is refused, except to this machine.

        Raises:
            NotifyError: Permanent; does not quote the address.
        """
        try:
            parts = urlsplit(text)
            _ = parts.port
        except ValueError:
            raise NotifyError("its address is no web address", permanent=True) from None
        if parts.scheme not in ("http", "https") or not parts.hostname or not (text.isascii() and text.isprintable()):
            raise NotifyError("its address is no web address such as https://host/path", permanent=True)
        if " " in text:
            raise NotifyError("its address has a space in it", permanent=True)
        if encrypted and parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise NotifyError(
                "its address begins with http: write https, or the secret is sent in clear", permanent=True
            )
        return cls(parts)

    @property
    def target(self) -> str:
        """Path and query."""
        return (self.parts.path or "/") + (f"?{self.parts.query}" if self.parts.query else "")

    @property
    def authority(self) -> str:
        """Host and port, without a user."""
        return self.parts.netloc.rpartition("@")[2]

    def credentials(self) -> dict[str, str]:
        """The header for a user and a password in the address."""
        if self.parts.username is None:
            return {}
        pair = f"{unquote(self.parts.username)}:{unquote(self.parts.password or '')}"
        return {"Authorization": f"Basic {b64encode(pair.encode('utf-8')).decode('ascii')}"}


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What a server answered."""

    status: int
    body: str
    """Its first 64 kB; foreign text, and it may echo a secret."""
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class HttpClient:
    """How a receiver is reached over HTTP."""

    address: str = field(repr=False)
    timeout: float
    """Seconds for all of it."""
    ca_file: Path | None = None
    """The certificates that are trusted, instead of the system's."""
    encrypted: bool = True
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """What must not be quoted, beside the address."""

    def post(self, body: bytes, headers: Mapping[str, str]) -> HttpResponse:
        """Send it and return the answer, which is some 2xx.

        Raises:
            NotifyError: Anything else; `permanent` and `retry_after` say what to do.
        """
        reply = self.request("POST", body, {"Content-Type": "application/json", **headers})
        if 200 <= reply.status < 300:
            return reply
        raise self.response_error(reply)

    def request(self, method: str, body: bytes | None, headers: Mapping[str, str]) -> HttpResponse:
        """Send a request and return the answer, whatever it is. Raises NotifyError where there is none."""
        address = Address.parse(self.address, encrypted=self.encrypted)
        said = {"User-Agent": f"modeltop/{__version__}", **address.credentials(), **headers}
        proxy = proxy_for(address.parts.scheme, address.parts.hostname or "", address.parts.port)
        target = address.target
        if proxy and address.parts.scheme == "http":  # what is not encrypted is asked of the proxy itself (RFC 9112)
            target, said = f"http://{address.authority}{target}", {**said, **proxy.credentials}
        with Deadline(self.timeout) as deadline:
            try:
                with closing(self._connection(address, deadline, proxy)) as connection:
                    connection.request(method, target, body=body, headers=said, preload_content=False)
                    reply = _read(connection)
            except NotifyError:
                raise
            except Exception as error:  # noqa: BLE001  what a library raises here may quote the address
                raise self._failure(error, timed_out=deadline.expired, proxy=proxy) from None
        if deadline.expired:  # the end of the answer was our own doing
            raise self._failure(TimeoutError(), timed_out=True)
        return reply

    def response_error(self, reply: HttpResponse, what: str = "") -> NotifyError:
        """The error that an answer stands for.

        Args:
            reply: Not what was hoped for.
            what: Why it was not, where its status does not say; such an answer may be another one next time.
        """
        quoted = redact(reply.body, (self.address, *self.secrets))
        said = f": {quoted}" if quoted else ""
        if what:
            return NotifyError(f"{what}{said}")
        if 300 <= reply.status < 400:
            return NotifyError(
                f"answered {reply.status}, a redirect, which is not followed: correct the address", permanent=True
            )
        permanent = 400 <= reply.status < 500 and reply.status not in _TEMPORARY_STATUSES
        return NotifyError(
            f"answered {reply.status}{said}",
            permanent=permanent,
            retry_after=None if permanent else retry_after(reply.headers),
        )

    def _connection(self, address: Address, deadline: Deadline, proxy: Proxy | None) -> HTTPConnection:
        from urllib3.connection import HTTPConnection, HTTPSConnection

        kind: Any = HTTPSConnection if address.parts.scheme == "https" else HTTPConnection

        class WatchedConnection(kind):  # type: ignore[misc]
            def _new_conn(self) -> socket.socket:
                sock: socket.socket = super()._new_conn()
                deadline.watch(sock)
                return sock

        options: dict[str, object] = {"timeout": self.timeout}
        if kind is HTTPSConnection:
            options["ssl_context"] = ssl_context(self.ca_file)
        host, port = address.parts.hostname or "", address.parts.port
        connection: HTTPConnection = WatchedConnection(
            *((proxy.host, proxy.port) if proxy else (host, port)), **options
        )
        if proxy and kind is HTTPSConnection:
            scheme = "https" if proxy.encrypted else "http"
            connection.set_tunnel(host, port or 443, headers=proxy.credentials, scheme=scheme)
        return connection

    def _failure(self, error: Exception, *, timed_out: bool, proxy: Proxy | None = None) -> NotifyError:
        """What a failed conversation is called. All of them may pass: nothing on this side has to change for that."""
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
    """Seconds that `Retry-After` asks for, given in seconds or as a date; None where it is absent or neither.

    A date counts from the server's own `Date`, so that its clock need not agree with ours.
    """
    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return float(said[:9])
    until = _date(said)
    if until is None:
        return None
    now = _date(headers.get("date", "")) or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds())


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _read(connection: HTTPConnection) -> HttpResponse:
    with closing(connection.getresponse()) as response:
        found, left = [], _MOST
        while left > 0 and (piece := response.read1(left)):
            found.append(piece)
            left -= len(piece)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return HttpResponse(response.status, b"".join(found).decode("utf-8", "replace"), headers)


def _causes(error: BaseException) -> Iterable[BaseException]:
    """The error and what led to it, outermost first."""
    seen: BaseException | None = error
    for _ in range(10):
        if seen is None:
            return
        yield seen
        seen = seen.__cause__ or seen.__context__
