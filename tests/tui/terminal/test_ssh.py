"""Over a real ssh connection, within tmux: what is left when the line is cut."""

import contextlib
import getpass
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

SSHD = shutil.which("sshd") or ("/usr/sbin/sshd" if Path("/usr/sbin/sshd").exists() else None)
pytestmark = [
    pytest.mark.skipif(SSHD is None, reason="no sshd is installed here"),
    pytest.mark.skipif(shutil.which("ssh") is None, reason="no ssh client is installed here"),
]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def has_ended(pid, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def server(tmp_path):
    """An sshd of its own on loopback, with keys made for this test; gives the client's command line."""
    folder = tmp_path / "ssh"
    folder.mkdir(mode=0o700)
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    port = free_port()
    options = {
        "ListenAddress": f"127.0.0.1:{port}",
        "HostKey": folder / "host",
        "PidFile": folder / "pid",
        "AuthorizedKeysFile": folder / "user.pub",
        "StrictModes": "no",
        "UsePAM": "no",
        "PasswordAuthentication": "no",
        "PermitRootLogin": "prohibit-password",
        "PermitUserEnvironment": "no",
        "PrintMotd": "no",
    }
    config = folder / "config"
    config.write_text("".join(f"{key} {value}\n" for key, value in options.items()))
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where sshd, started as root, drops its privileges
    daemon = subprocess.Popen(
        [SSHD, "-D", "-e", "-f", config], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        wait_until_open(port, daemon)
        yield [
            *("ssh", "-tt", "-p", str(port), "-i", str(folder / "user"), "-o", "StrictHostKeyChecking=no"),
            *("-o", f"UserKnownHostsFile={folder / 'known'}", "-o", "LogLevel=ERROR", f"{getpass.getuser()}@127.0.0.1"),
        ]
    finally:
        daemon.terminate()
        daemon.wait()
        daemon.stderr.close()


def wait_until_open(port, daemon):
    end = time.monotonic() + 10
    while daemon.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    daemon.terminate()
    pytest.skip(f"sshd does not start here: {daemon.stderr.read().decode(errors='replace').strip()[-200:]}")


@pytest.mark.parametrize("trap", ["", "trap '' HUP;"], ids=["SIGHUP heard", "SIGHUP ignored"])
def test_a_dropped_connection_leaves_no_process_behind(server, in_tmux, fleet, tmp_path, environment, trap):
    note = tmp_path / "pid"
    inherited = ("HOME", "PYTHONPATH", "XDG_STATE_HOME", "XDG_CACHE_HOME", "LANG")
    setting = " ".join(f"{name}={shlex.quote(environment[name])}" for name in inherited)
    program = f"exec env {setting} {shlex.quote(sys.executable)} -m modeltop_tui {shlex.quote(str(fleet))}"
    session = in_tmux([*server, f"{trap} echo $$ $PPID > {note}; {program}"])
    session.wait_for("1 Models", seconds=20).wait_for("critical").settle()
    session.type("j").wait_for("Metrics of churn", seconds=10).type("z").wait_for("1 Models", absent=True).settle()
    program_pid, server_pid = map(int, note.read_text().split())
    os.kill(server_pid, signal.SIGKILL)  # the connection's own server process: the line is cut, nobody says goodbye
    assert has_ended(program_pid, seconds=3)
