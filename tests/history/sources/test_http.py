"""What a service may answer, and what a person reads then."""

import base64
import contextlib
import socket
from threading import Event, Thread

import pytest

from modeltop.core.errors import SourceError
from modeltop.history.sources import http
from modeltop.history.sources.http import JsonService


def reason(url, **options):
    with pytest.raises(SourceError) as caught:
        JsonService(url, "Prometheus", **options).get("/api", {"query": "secret=1"})
    return str(caught.value)


def test_the_user_of_an_address_is_sent_as_a_header_and_nowhere_else(service):
    service.answers["/p/api"] = {"ok": 1}
    url = service.url.replace("//", "//ann:p%40ss@")
    assert JsonService(f"{url}/p/", "Prometheus", "Bearer other").get("/api", {"a": "x y"}) == {"ok": 1}
    path, parameters, headers = service.requests[0]
    assert (path, parameters) == ("/p/api", {"a": "x y"})
    assert base64.b64decode(headers["Authorization"].removeprefix("Basic ")) == b"ann:p@ss"
    assert "p%40ss" not in headers["Host"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            (302, b"", {"Location": "https://sso.test/login?token=s3cret"}),
            "it redirects to https://sso.test/login, which",
        ),
        ((401, b"", {}), "Prometheus asks for a user: write USER:PASSWORD@ before its host"),
        ((403, b"Invalid Host header", {}), "Prometheus denies access: Invalid Host header: check the user"),
        ((404, b"404 page not found", {}), "there is no Prometheus at this address: check host, port and path"),
        ((500, b'{"message": "no disk"}', {}), "Prometheus failed with status 500: no disk: see its log"),
        ((400, b'{"error": "bad"}', {}), "Prometheus refused the request with status 400: bad"),
        ((200, b"<!doctype html><title>Login", {}), "it answers with a web page (HTML), not as Prometheus does"),
        ((200, b"[1]", {}), "it answers with no JSON, not as Prometheus does"),
        ((200, b"[" * 100_000, {}), "it answers with no JSON, not as Prometheus does"),
    ],
)
def test_an_answer_that_is_no_history_is_one_clear_line(service, answer, expected):
    service.answers["/api"] = answer
    message = reason(service.url)
    assert message.startswith(expected)
    assert "s3cret" not in message
    assert len(service.requests) == 1, "a redirect is not followed"


def test_hosts_that_do_not_answer_are_told_apart(service, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert reason(f"http://127.0.0.1:{port}") == "connection refused: start Prometheus, or correct host and port"
    assert "cannot be resolved" in reason("http://no-such-host.invalid:1")
    assert "does not speak TLS" in reason(service.url.replace("http", "https"))
    assert "not a web address" in reason("http://")
    monkeypatch.setattr(http, "TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert reason(f"http://127.0.0.1:{silent.getsockname()[1]}").startswith("no answer within 0 s: check that")


def test_a_server_that_speaks_something_else_is_no_crash():
    with socket.create_server(("127.0.0.1", 0)) as other:

        def greet():
            connection, _ = other.accept()
            connection.recv(100)
            connection.sendall(b"SSH-2.0-OpenSSH\r\n")
            connection.close()

        Thread(target=greet, daemon=True).start()
        assert "check that Prometheus runs at this port" in reason(f"http://127.0.0.1:{other.getsockname()[1]}")


def test_an_answer_is_bounded_in_size_and_in_time(service, monkeypatch):
    service.answers["/api"] = {"a": "x" * 200_000}
    monkeypatch.setattr(http, "MAX_BYTES", 100_000)
    assert "answers with more than 0 MB: ask for less" in reason(service.url)
    monkeypatch.setattr(http, "MAX_BYTES", 10**6)
    monkeypatch.setattr(http, "TOTAL_SECONDS", -1.0)
    assert "needs longer than" in reason(service.url)


@pytest.mark.parametrize(
    ("first", "piece", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a", "Prometheus needs longer than"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", "Prometheus needs longer than"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", b" ", "Prometheus needs longer than"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0", "Prometheus needs longer than"),
        (b"HTTP/1.1 500 No\r\nContent-Length: 99\r\n\r\n", b"a", "Prometheus failed with status 500: see"),
    ],
)
def test_a_service_that_sends_a_byte_now_and_then_is_not_waited_for(monkeypatch, first, piece, expected):
    monkeypatch.setattr(http, "TOTAL_SECONDS", 0.3)
    is_left = Event()
    with socket.create_server(("127.0.0.1", 0)) as slow:

        def trickle():
            connection, _ = slow.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(1000)
                connection.sendall(first)
                for _ in range(40):
                    if is_left.wait(0.05):
                        return
                    connection.sendall(piece)

        Thread(target=trickle, daemon=True).start()
        assert reason(f"http://127.0.0.1:{slow.getsockname()[1]}").startswith(expected)
        is_left.set()


def test_this_machine_is_reached_without_a_proxy(service, monkeypatch):
    service.answers["/api"] = {"ok": 1}
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert JsonService(service.url, "Prometheus").get("/api", {}) == {"ok": 1}
