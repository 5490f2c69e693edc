"""A server on loopback that answers as a service does."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest


class Service:
    """Answers by path: JSON, or status, body and headers; a function gets the parameters of the request."""

    def __init__(self, server):
        self.url = f"http://127.0.0.1:{server.server_port}"
        self.answers = {}
        self.requests = []
        """Path, parameters and headers of each."""


def handler_of(get_service):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            address = urlsplit(self.path)
            parameters = {name: values[0] for name, values in parse_qs(address.query).items()}
            self.answer(address.path, parameters)

        def do_POST(self):
            self.answer(self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def answer(self, path, parameters):
            service = get_service()
            service.requests.append((path, parameters, dict(self.headers)))
            found = service.answers.get(path, (404, b"404 page not found", {}))
            found = found(parameters) if callable(found) else found
            status, body, headers = found if isinstance(found, tuple) else (200, json.dumps(found).encode(), {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    return Handler


@pytest.fixture
def service():
    """Return a server whose `answers` a test sets."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler_of(lambda: found)) as server:
        found = Service(server)
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield found
        server.shutdown()
