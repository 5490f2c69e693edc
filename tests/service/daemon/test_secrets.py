"""A secret stays where it was put: in the environment or in its file, and on the wire to its receiver."""

import contextlib
import json
import os
import signal
import socketserver
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
WORD = "hush5081"
"""In every secret."""
SECRETS = {
    "SLACK": "http://127.0.0.1:{port}/services/hush5081-slack",
    "PAGER": "hush5081pager",
    "HOOK": "http://user:hush5081-password@127.0.0.1:{port}/hook/hush5081-hook?key=hush5081-query",
    "TOKEN": "hush5081-token",
    "SIGN": "hush5081-sign",
    "MAIL": "hush5081-mail",
    "URLS": "json://user:hush5081-apprise@127.0.0.1:{port}/hush5081-path",
    "HEART": "http://127.0.0.1:{port}/ping/hush5081-heart",
}
CONFIG = """
on_no_data = "ok"
[store]
path = "store"
[watch]
heartbeat_env = "HEART"
[receivers.slack]
type = "slack"
url_env = "SLACK"
timeout = 2.0
[receivers.pager]
type = "pagerduty"
routing_key_env = "PAGER"
url = "http://127.0.0.1:{port}/v2/enqueue"
timeout = 2.0
[receivers.hook]
type = "webhook"
url_env = "HOOK"
token_env = "TOKEN"
signing_key_file = "{sign}"
timeout = 2.0
[receivers.mail]
type = "email"
host = "127.0.0.1"
port = {port}
sender = "modeltop@x.test"
to = ["ops@x.test"]
user = "modeltop"
password_env = "MAIL"
timeout = 2.0
[receivers.all]
type = "apprise"
urls_env = "URLS"
timeout = 2.0
[receivers.pipe]
type = "command"
command = ["/bin/sh", "-c", "cat >> told"]
"""


class Echo(socketserver.StreamRequestHandler):
    """Refuses whatever it is asked, and quotes all of it, as careless servers do."""

    def handle(self):
        self.connection.settimeout(0.3)
        data = b""
        with contextlib.suppress(OSError):
            while chunk := self.connection.recv(65536):
                data += chunk
        status = b"400 No" if b"hook" in data else b"503 Later"
        body = b"you sent: " + data
        head = b"HTTP/1.1 " + status + b"\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n"
        with contextlib.suppress(OSError):
            self.wfile.write(head + body)


@pytest.fixture
def secrets_home(isolated_home, tmp_path, world, monkeypatch):
    """A store with an alert, receivers of every kind with a secret each, and a server that gives all of them away."""
    world.rows("churn", *(0.95,) * 8, 0.7)
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        port = server.server_address[1]
        for name, secret in SECRETS.items():
            monkeypatch.setenv(name, secret.format(port=port))
        sign = tmp_path / "sign"
        sign.write_text(SECRETS["SIGN"])
        sign.chmod(0o600)
        (tmp_path / "modeltop.toml").write_text(CONFIG.format(port=port, sign=sign))
        yield tmp_path
        server.shutdown()
        thread.join()


def run_command(folder, *arguments):
    argv = [sys.executable, "-m", "modeltop_tui", *arguments]
    env = dict(os.environ, PYTHONPATH=str(ROOT / ".dev"))
    done = subprocess.run(argv, cwd=folder, env=env, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    return done.stdout.decode() + done.stderr.decode()


@pytest.mark.slow
def test_a_secret_appears_in_no_file_screen_log_error_argument_or_message(secrets_home, watch, wait_until):
    pytest.importorskip("apprise")
    daemon = watch("--json")
    daemon.wait_for_log("notified pipe: critical")
    for name in ("slack", "pager", "hook", "mail", "all"):
        daemon.wait_for_log(f'"receiver": "{name}"')
    argv = Path(f"/proc/{daemon.process.pid}/cmdline").read_text()
    output = [run_command(secrets_home, "watch", "--test", name) for name in ("slack", "pager", "hook", "mail", "all")]
    output += [
        run_command(secrets_home, "watch", *arguments)
        for arguments in (["--status"], ["--dry-run"], ["--dry-run", "--json"])
    ]
    daemon.signal(signal.SIGTERM)
    daemon.wait_for_exit()
    output += [
        run_command(secrets_home, "watch", "--once"),
        run_command(secrets_home, "story", "churn"),
        run_command(secrets_home, "check", "--json"),
    ]
    files = [path for path in secrets_home.rglob("*") if path.is_file() and path.name != "sign"]
    spilled = [path.name for path in files if WORD.encode() in path.read_bytes()]
    assert (spilled, WORD in argv, [text for text in output if WORD in text]) == ([], False, [])
    assert {"told", "watch.json", "watch.lock", "modeltop.toml"} <= {path.name for path in files}
    assert all(output)  # `[]` of --dry-run --json if no retry is due at that moment
    assert "failed: " in output[0]
    assert any(json.loads(line)["level"] == "error" for line in daemon.output.splitlines())
