"""Servers on loopback that answer, or misbehave, as they are set up; messages to send to them."""

import contextlib
import json
import socket
import ssl
import struct
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import trustme

from modeltop.alerting.messages import template
from modeltop.alerting.messages.message import AlertSection, Message
from modeltop.alerting.notifiers.base import SecretRef
from modeltop.core.event import NotificationAction, NotificationReason
from modeltop.core.series import Severity

TIMEOUT = 0.4
"""Seconds that a receiver waits in these tests."""


@dataclass
class Request:
    """One request that a server got."""

    method: str
    path: str
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


@dataclass
class Answer:
    """What a server does with a request."""

    status: int = 200
    body: bytes = b"ok"
    headers: dict = field(default_factory=dict)
    fault: str = ""
    """`reset`, `hang`, `drop`, `drip` (of the body), `drip-head`, `short` (less than was promised)."""


class Served:
    """A small server; answers in the order given, the last one for ever."""

    def __init__(self, *answers, context=None):
        self.answers = list(answers) or [Answer()]
        self.requests = []
        self.stopping = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        if context is not None:
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.scheme = "http" if context is None else "https"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.server.server_port}"

    def close(self):
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)

    def _handler(self):
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                served.requests.append(Request(self.command, self.path, headers, body))
                answer = served.answers.pop(0) if len(served.answers) > 1 else served.answers[0]
                self.close_connection = True
                with contextlib.suppress(OSError):
                    served.act(self, answer)

            do_GET = do_POST  # noqa: N815  the base class says so

            def log_message(self, *_):
                pass

        return Handler

    def act(self, handler, answer):
        if answer.fault == "hang":
            self.stopping.wait(5)
        elif answer.fault == "reset":
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.connection.close()
        elif answer.fault == "drip-head":
            self._drip(handler, b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 60)
        elif answer.fault != "drop":
            self._answer(handler, answer)

    def _answer(self, handler, answer):
        handler.send_response(answer.status)
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        if answer.fault == "drip":
            handler.end_headers()
            self._drip(handler, b"ok" + b" " * 60)
            return
        handler.send_header("Content-Length", str(len(answer.body) + (10 if answer.fault == "short" else 0)))
        handler.end_headers()
        handler.wfile.write(answer.body)

    def _drip(self, handler, data):
        for byte in data:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            if self.stopping.wait(0.05):
                return


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """A certificate authority of this run: `.pem`, the file that trusts it, and `.server(...)`, a context."""
    ca = trustme.CA()
    pem = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(str(pem))

    def server(*names, **dates):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert(*(names or ("127.0.0.1", "localhost")), **dates).configure_cert(context)
        return context

    class Authority:
        pass

    result = Authority()
    result.pem, result.server = pem, server
    result.expired = lambda: server(not_after=datetime.now(UTC) - timedelta(days=1))
    return result


@pytest.fixture
def answer():
    """What a server answers, or how it misbehaves: `Answer(status, body, headers, fault)`."""
    return Answer


@pytest.fixture
def serve():
    """Start a server that gives these answers."""
    with contextlib.ExitStack() as stack:

        def start(*answers, context=None):
            served = Served(*answers, context=context)
            stack.callback(served.close)
            return served

        yield start


@pytest.fixture
def secret(monkeypatch):
    """A secret with this text, in an environment variable."""
    count = iter(range(100))

    def make(text):
        name = f"MODELTOP_TEST_{next(count)}"
        monkeypatch.setenv(name, text)
        return SecretRef(env=name)

    return make


@pytest.fixture
def patience():
    return TIMEOUT


@pytest.fixture
def section():
    """A section of a message, with what a test changes of it."""
    return _section


def _section(**changes):
    since = datetime(2025, 1, 9, 2, 10, tzinfo=UTC)
    fields = {
        "action": NotificationAction.TRIGGER,
        "reason": NotificationReason.FIRST,
        "severity": Severity.CRITICAL,
        "incident": "1a2b3c4d",
        "key": "1a2b3c4d:first",
        "model": "fraud-detector",
        "metric": "accuracy",
        "segment": "all",
        "rule": "accuracy-floor",
        "written_at": since,
        "sentence": "accuracy 0.870: critical, below 0.90 for 2 periods, since 9 Jan 02:10",
        "value": 0.87,
        "limit": 0.9,
        "value_vs_limit": "0.870 < 0.90",
        "worst_value": 0.85,
        "worst_vs_limit": "0.850 < 0.90",
        "peak_severity": Severity.CRITICAL,
        "count": 1200.0,
        "since": since,
        "fired_at": since,
        "condition": "accuracy below 0.90 is critical",
        "runbook": "https://wiki.test/accuracy?a=1&b=2",
        "chart": ("0.96 █▇▆▃▁ 0.87", "limit 0.90 · 5 days, 5 Jan – 9 Jan"),
        "ack_command": "modeltop ack 1a2b3c4d",
    } | changes
    bare = AlertSection(title="", **fields)
    return AlertSection(title=template.section_title(bare, bare.value_vs_limit), **fields)


@pytest.fixture
def message():
    """A message about these sections, or about one with these changes."""

    def make(*sections, **changes):
        sections = sections or (_section(**changes),)
        if len(sections) == 1:
            return Message(
                "ops", sections, sections[0].key, sections[0].title, "\n".join(template.section_lines(sections[0]))
            )
        title = template.group_title(sections, digest=False)
        return Message("ops", sections, "group:1", title, "\n".join(template.group_lines(sections)))

    return make
