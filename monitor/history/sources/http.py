"""JSON over HTTP, for services that history is read from: bounded in time and size, no redirect followed."""

from __future__ import annotations

import json
import re
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Mapping
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPMessage, HTTPResponse, HTTPSConnection
from io import BufferedReader, RawIOBase
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, unquote, urlencode, urlsplit
from urllib.request import (
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    build_opener,
)

from modeltop.core.errors import SourceError
from modeltop.core.text import sanitize

TIMEOUT_SECONDS = 10.0
"""Longest wait for a connection, and for the next bytes of an answer."""
TOTAL_SECONDS = 60.0
"""Longest time for all requests of one fetch."""
MAX_BYTES = 64 * 2**20
"""Largest answer that is read."""
MAX_ERROR_BYTES = 65_536
"""Of an answer that reports an error."""
MAX_DETAIL = 160
"""Cells of a service's own message that are quoted."""
_FAILURES: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "no answer within {seconds:.0f} s: check that {name} runs, and the address"),
    (socket.gaierror, "the name of its host cannot be resolved: check the address"),
    (ConnectionRefusedError, "connection refused: start {name}, or correct host and port"),
    (ssl.SSLCertVerificationError, "its certificate is not trusted ({reason}): set SSL_CERT_FILE to its authority's"),
    (ssl.SSLError, "it does not speak TLS: check the port, or write http:// for https://"),
    (ConnectionError, "it ends the connection without an answer: check that {name} runs at this port"),
    (HTTPException, "it does not answer in HTTP: check that {name} runs at this port"),
)
"""Why there is no answer, and the remedy; the first that applies."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class ServiceError(SourceError):
    """A service answered a request with an error.

    Args:
        message: What failed, and the remedy.
        status: Of the answer.
        detail: The service's own message, as it is; empty if it gave none.
    """

    def __init__(self, message: str, status: int, detail: str) -> None:
        super().__init__(message)
        self.status = status
        self.detail = detail


class _NoRedirect(HTTPRedirectHandler):
    """Credentials must not follow to another host, nor a request become another one."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        del req, fp, code, msg, headers, newurl


class _SocketReader(RawIOBase):
    """Reads a socket until a moment: a service that sends a byte now and then never exceeds the wait for the next.

    Args:
        sock: The socket.
        ends: That moment, by `time.monotonic`.
    """

    def __init__(self, sock: socket.socket, ends: float) -> None:
        self._sock, self._ends = sock, ends
        self._file = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(min(TIMEOUT_SECONDS, left))
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, ends: float, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp.close()
        self.fp = BufferedReader(_SocketReader(sock, ends))


class _Http(HTTPHandler, HTTPSHandler):
    """Opens connections whose answers are read until a moment, by `time.monotonic`."""

    def __init__(self, ends: float) -> None:
        self._ends, self._tls = ends, ssl.create_default_context()
        super().__init__(context=self._tls)

    def http_open(self, req: Request) -> HTTPResponse:
        return self.do_open(partial(self._connection, HTTPConnection), req)

    def https_open(self, req: Request) -> HTTPResponse:
        return self.do_open(partial(self._connection, partial(HTTPSConnection, context=self._tls)), req)

    def _connection(self, kind: Any, host: str, **options: Any) -> HTTPConnection:
        connection: HTTPConnection = kind(host, **options)
        connection.response_class = partial(_Response, self._ends)  # type: ignore[assignment]
        return connection


class JsonService:
    """A service that answers in JSON, for one fetch.

    Args:
        url: Its address, with user and password if it asks for them.
        name: What it is called in messages.
        authorization: Header of this name, unless the address has a user; empty for none.

    Raises:
        SourceError: The address is none of a web server.
    """

    def __init__(self, url: str, name: str, authorization: str = "") -> None:
        self.name = name
        address = _split(url)
        host = address.netloc.rpartition("@")[2]
        self._base = f"{address.scheme}://{host}{address.path.rstrip('/')}"
        if address.username is not None:
            authorization = basic(unquote(address.username), unquote(address.password or ""))
        self._headers = {"Accept": "application/json"} | ({"Authorization": authorization} if authorization else {})
        self._ends = time.monotonic() + TOTAL_SECONDS
        self._opener = _opener(self._ends, is_local=address.hostname in _LOOPBACK)

    def get(self, path: str, parameters: Mapping[str, str]) -> Mapping[str, Any]:
        """Return the answer to a request.

        Raises:
            ServiceError: The service answered with an error.
            SourceError: It gave no answer, or none in JSON.
        """
        return self._fetch(Request(f"{self._base}{path}?{urlencode(parameters)}", headers=self._headers))  # noqa: S310  http or https, see _split

    def post(self, path: str, body: Mapping[str, object]) -> Mapping[str, Any]:
        """Return the answer to a request with a JSON body.

        Raises:
            ServiceError: The service answered with an error.
            SourceError: It gave no answer, or none in JSON.
        """
        headers = self._headers | {"Content-Type": "application/json"}
        return self._fetch(Request(f"{self._base}{path}", json.dumps(body).encode(), headers))  # noqa: S310  as above

    def _fetch(self, request: Request) -> Mapping[str, Any]:
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as response:
                data = self._read(response)
        except HTTPError as error:
            with error:
                raise self._refusal(error) from None
        except (OSError, HTTPException) as error:
            raise self._failure(error) from error
        return self._parse(data)

    def _read(self, response: HTTPResponse) -> bytes:
        parts, length = list[bytes](), 0
        while part := response.read1(2**16):
            parts.append(part)
            length += len(part)
            if length > MAX_BYTES:
                raise SourceError(f"{self.name} answers with more than {MAX_BYTES // 2**20} MB: ask for less")
        return b"".join(parts)

    def _parse(self, data: bytes) -> Mapping[str, Any]:
        try:
            answer = json.loads(data)
        except (ValueError, RecursionError):
            answer = None
        if isinstance(answer, dict):
            return answer
        kind = "a web page (HTML)" if re.match(rb"\s*<", data) else "no JSON"
        raise SourceError(f"it answers with {kind}, not as {self.name} does: check host, port and path of the address")

    def _refusal(self, error: HTTPError) -> SourceError:
        """Return the error for an answer that is none: what the service says, and the remedy."""
        status, detail = error.code, _detail(error)
        quoted = f": {sanitize(detail, MAX_DETAIL)}" if detail else ""
        if 300 <= status < 400:
            target = sanitize(error.headers.get("Location", "another address").partition("?")[0], MAX_DETAIL)
            return SourceError(
                f"it redirects to {target}, which is not followed: name the address of {self.name} itself"
            )
        if status in (401, 407):
            return SourceError(f"{self.name} asks for a user: write USER:PASSWORD@ before its host")
        if status == 403:
            return SourceError(f"{self.name} denies access{quoted}: check the user and its rights")
        if status == 404 and not detail:
            return SourceError(f"there is no {self.name} at this address: check host, port and path")
        if status >= 500:
            return ServiceError(f"{self.name} failed with status {status}{quoted}: see its log", status, detail)
        return ServiceError(f"{self.name} refused the request with status {status}{quoted}", status, detail)

    def _failure(self, error: Exception) -> SourceError:
        """Return the error for a service that gave no answer."""
        if time.monotonic() >= self._ends:
            return SourceError(f"{self.name} needs longer than {TOTAL_SECONDS:.0f} s: ask for less")
        cause = error.reason if isinstance(error, URLError) else error
        for kind, message in _FAILURES:
            if isinstance(cause, kind):
                reason = sanitize(getattr(cause, "verify_message", ""), MAX_DETAIL)
                return SourceError(message.format(name=self.name, reason=reason, seconds=TIMEOUT_SECONDS))
        reason = sanitize(getattr(cause, "strerror", None) or cause, MAX_DETAIL)
        return SourceError(f"cannot be reached ({reason}): check host and port")


def basic(user: str, password: str) -> str:
    """Return the value of the header Authorization for a user (RFC 7617)."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode("ascii")


def _split(url: str) -> SplitResult:
    # A path of the shell or of Python may have lost a slash.
    address = urlsplit(re.sub(r"^(https?):/+", r"\1://", url, flags=re.IGNORECASE))
    try:
        has_host = bool(address.hostname) and address.port != 0
    except ValueError:
        has_host = False
    if address.scheme not in ("http", "https") or not has_host:
        raise SourceError("not a web address: write it as http://HOST or http://HOST:9090")
    return address


def _opener(ends: float, *, is_local: bool) -> OpenerDirector:
    # This machine itself is reached directly, whatever HTTP_PROXY says.
    return build_opener(_NoRedirect(), _Http(ends), *([ProxyHandler({})] if is_local else []))


def _detail(error: HTTPError) -> str:
    """Return the message in the JSON of an error, or its text if it is plain; empty if there is none."""
    try:
        text = error.read(MAX_ERROR_BYTES).decode("utf-8", "replace").strip()
    except (OSError, HTTPException):
        return ""
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return "" if text.startswith("<") or error.code == 404 else text.partition("\n")[0]
    message = answer.get("message") or answer.get("error") if isinstance(answer, dict) else None
    return message if isinstance(message, str) else ""
