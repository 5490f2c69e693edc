"""Where a network has one way out, messages take it."""

import http.server
import socket
import threading
from contextlib import suppress

import pytest

from modeltop.alerting.notifiers.http import HttpClient, proxy_for
from modeltop.core.errors import NotifyError

NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


class Tunnel(http.server.BaseHTTPRequestHandler):
    """A proxy that lets everything through to one server, whatever name was requested."""

    def do_CONNECT(self):
        self.server.requests.append((self.path, self.headers.get("Proxy-Authorization")))
        if self.server.refuses:
            self.send_error(403, "no such way")
            return
        self.send_response(200)
        self.end_headers()
        with socket.create_connection(self.server.leads_to, timeout=5) as upstream:
            back = threading.Thread(target=pump, args=(upstream, self.connection))
            back.start()
            pump(self.connection, upstream)
            back.join(5)
        self.close_connection = True

    def do_POST(self):
        self.server.requests.append((self.path, self.headers.get("Proxy-Authorization")))
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


def pump(source, target):
    with suppress(OSError):
        while chunk := source.recv(65_536):
            target.sendall(chunk)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def tunnel():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Tunnel)
    server.daemon_threads = True
    server.requests, server.refuses, server.leads_to = [], False, ("127.0.0.1", 9)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_https_goes_through_a_tunnel_and_is_encrypted_to_its_end(environment, tunnel, serve, answer, authority):
    served = serve(answer(200, b"ok"), context=authority.server("hooks.test"))
    tunnel.leads_to = ("127.0.0.1", int(served.url.rpartition(":")[2]))
    environment.setenv("HTTPS_PROXY", f"http://eva:s3cret@127.0.0.1:{tunnel.server_port}")
    assert HttpClient("https://hooks.test/T0P", 5, ca_file=authority.pem).post(b"{}", {}).body == "ok"
    assert tunnel.requests == [("hooks.test:443", "Basic ZXZhOnMzY3JldA==")]
    (seen,) = served.requests
    assert "Proxy-Authorization" not in dict(seen.headers)


def test_what_is_not_encrypted_is_asked_of_the_proxy(environment, tunnel):
    environment.setenv("HTTP_PROXY", f"127.0.0.1:{tunnel.server_port}")
    assert HttpClient("http://hooks.test:81/a?b=c", 5, encrypted=False).post(b"{}", {}).body == "ok"
    assert tunnel.requests == [("http://hooks.test:81/a?b=c", None)]


def test_a_proxy_that_refuses_may_let_it_through_another_time(environment, tunnel):
    tunnel.refuses = True
    environment.setenv("HTTPS_PROXY", f"http://127.0.0.1:{tunnel.server_port}")
    with pytest.raises(NotifyError, match="the proxy does not let it through") as caught:
        HttpClient("https://hooks.test/T0P-SECRET", 5).post(b"{}", {})
    assert not caught.value.permanent
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    ("variables", "host", "expected"),
    [
        pytest.param({}, "hooks.test", None, id="without a proxy, directly"),
        pytest.param({"HTTPS_PROXY": "http://p:3128"}, "hooks.test", ("p", 3128), id="with one, by it"),
        pytest.param({"ALL_PROXY": "p"}, "hooks.test", ("p", 80), id="one for everything"),
        pytest.param({"HTTP_PROXY": "p"}, "hooks.test", None, id="one for what is not encrypted"),
        pytest.param({"HTTPS_PROXY": "p", "NO_PROXY": ".test"}, "hooks.test", None, id="not for these"),
        pytest.param({"HTTPS_PROXY": "p"}, "127.0.0.1", None, id="this machine, directly"),
    ],
)
def test_the_environment_names_the_proxy(environment, variables, host, expected):
    for name, value in variables.items():
        environment.setenv(name, value)
    proxy = proxy_for("https", host, None)
    assert (proxy and (proxy.host, proxy.port)) == expected


def test_a_variable_that_holds_no_proxy_is_named(environment):
    environment.setenv("HTTPS_PROXY", "http://[oops")
    with pytest.raises(NotifyError, match="HTTPS_PROXY"):
        proxy_for("https", "hooks.test", None)
