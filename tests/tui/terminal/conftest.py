"""A pseudo-terminal with somebody at it: what a test runner inside the process cannot see, this does."""

import contextlib
import fcntl
import getpass
import os
import re
import select
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path

import pyte
import pytest

from modeltop_tui.view.first_answer import LOADING

ROOT = Path(__file__).parents[3]
FLEET = ROOT / "sample_data" / "fleet"
SSHD = shutil.which("sshd") or ("/usr/sbin/sshd" if Path("/usr/sbin/sshd").exists() else None)

# CSI; OSC; DCS, SOS, PM and APC; the rest that ESC begins.
ESCAPE = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[ -/]*[0-OQ-WYZ`-~\\])"
)
UNFINISHED = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]*\x1b?|[PX^_][^\x1b]*\x1b?|[ -/]*)\Z")
# What the emulator would print, not obey: private modes it does not know, and the keyboard protocol.
UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[(?:[<>=][\d;]*[a-zA-Z]|\?[\d;]*\$p)")

ON_OFF = [(f"\x1b[?{mode}h", f"\x1b[?{mode}l") for mode in (1049, 1000, 1003, 1015, 1006, 1004, 2004)]
ON_OFF += [("\x1b[?25l", "\x1b[?25h"), ("\x1b[?7l", "\x1b[?7h"), ("\x1b[>", "\x1b[<u")]

OWN = re.compile(
    rb"\x1b(?:\[\d+;\d+H|\[[\d;]*m|\[\?(?:1000|1003|1004|1006|1015|1049|2004|2026|2048|25|7)[hl]"
    rb"|\[\?(?:2026|2048)\$p|\[>\d+u|\[<u|\[c|\]11;\?\x1b\\|\]22;[a-z-]+\x07)"
)
"""What the program itself has to say to a terminal: places, colours, its modes and its questions."""

Answers = Mapping[bytes, bytes]
SYNC = {b"\x1b[?2026$p": b"\x1b[?2026;2$y"}
"""A terminal that paints each frame at once, as most do."""


class Session:
    """One program under a pseudo-terminal, and the terminal's own side of the talk."""

    def __init__(self, argv, *, size, env, answers, ignore_hangup, cwd):
        self.columns, self.rows = size
        self.master, slave = os.openpty()
        self._set_size()
        self.before = termios.tcgetattr(slave)

        def in_child():
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            # Said either way: a suite that runs under nohup hands its own ignorance down.
            signal.signal(signal.SIGHUP, signal.SIG_IGN if ignore_hangup else signal.SIG_DFL)

        self.process = subprocess.Popen(
            argv,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=env,
            cwd=cwd,
            close_fds=True,
            start_new_session=True,
            preexec_fn=in_child,  # noqa: PLW1509  no other thread runs in these tests
        )
        os.close(slave)
        self.answers = answers
        self.output = bytearray()
        self._unread = b""
        self._answered = 0
        self.screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self.screen)

    def _set_size(self):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", self.rows, self.columns, 0, 0))

    def pump(self, seconds=0.05):
        """Take what the program writes within that time; False if it wrote nothing."""
        if self.master < 0 or not select.select([self.master], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:  # the other side is closed
            time.sleep(seconds)
            return False
        self.output += data
        self._answer()
        self._draw(data)
        return bool(data)

    def _answer(self):
        for question, answer in self.answers.items():
            if question in self.output[max(0, self._answered - len(question) + 1) :]:
                self.type(answer)
        self._answered = len(self.output)

    def _draw(self, data):
        data = self._unread + data
        unfinished = UNFINISHED.search(data)
        self._unread = unfinished.group() if unfinished else b""
        self._stream.feed(UNKNOWN_TO_PYTE.sub(b"", data[: len(data) - len(self._unread)]))

    @property
    def text(self):
        """The screen as lines."""
        # Not pyte's `display`: it fails on the half of a wide character that is left while a line is painted anew.
        rows = (self.screen.buffer[row] for row in range(self.screen.lines))
        return "\n".join("".join(row[column].data for column in range(self.screen.columns)) for row in rows)

    def wait_until(self, true, seconds):
        """Whether it reached true in that time."""
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                return False
            self.pump()
        return True

    def wait_for(self, words, seconds=15.0, *, absent=False):
        """Until the screen of the app, not what is there before it, shows the words (or no longer does)."""
        reached = self.wait_until(lambda: LOADING not in self.text and (words in self.text) is not absent, seconds)
        assert reached, f"{words!r} {'still' if absent else 'not'} on screen:\n{self.text}"
        return self

    def settle(self, quiet=0.2, seconds=15.0):
        """Until nothing was written for `quiet` seconds."""
        end = time.monotonic() + seconds
        while self.pump(quiet):
            assert time.monotonic() < end, "the program does not stop writing"
        return self

    def type(self, keys):
        os.write(self.master, keys if isinstance(keys, bytes) else keys.encode())
        return self

    def resize(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.screen.resize(rows, columns)
        self._set_size()

    def kill(self, number):
        self.process.send_signal(number)

    def hang_up(self):
        os.close(self.master)
        self.master = -1

    def exit_code(self, seconds=5.0):
        """The exit code; an error if the program still runs after that time."""
        end = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < end:
            if not self.pump(0.02):
                time.sleep(0.01)
        while self.pump(0.0):
            pass
        return self.process.wait(timeout=max(0.01, end - time.monotonic()))

    def foreign(self):
        """What reached the terminal that neither prints nor is the program's own: of that there must be nothing."""
        rest = OWN.sub(b"", bytes(self.output)).decode("utf-8")
        return sorted(
            {
                rest[match.start() : match.start() + 24]
                for match in re.finditer(r"[^\r\n]", rest)
                if not match.group().isprintable()
            }
        )

    def colours(self):
        """Every parameter of every SGR sequence that was written, as numbers."""
        sequences = re.findall(rb"\x1b\[([\d;]*)m", bytes(self.output))
        return {int(number or 0) for sequence in sequences for number in sequence.split(b";")}

    def restored(self):
        """What was left switched on; nothing where the terminal is as it was found."""
        text = self.output.decode("utf-8", "replace")
        left = [on for on, off in ON_OFF if text.rfind(on) > text.rfind(off)]
        if self.master >= 0 and termios.tcgetattr(self.master)[:4] != self.before[:4]:
            left.append("line discipline")
        return left

    def state(self):
        """The process's state as the kernel says: R, S, T, ..."""
        return Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[0]

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.master >= 0:
            self.hang_up()


def bare(home):
    """An environment in which nothing of the machine's owner is found."""
    inherited = {name: os.environ[name] for name in ("PATH", "VIRTUAL_ENV", "SYSTEMROOT") if name in os.environ}
    return inherited | {
        "HOME": str(home),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "PYTHONPATH": str(ROOT / ".dev"),
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
    }


@pytest.fixture
def environment(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    return bare(home)


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """The sample fleet at 80x24, opened once for a module's tests: each leaves it open; `first` is the first screen."""
    home = tmp_path_factory.mktemp("home")
    argv = [sys.executable, "-m", "modeltop_tui", str(FLEET)]
    session = Session(argv, size=(80, 24), env=bare(home), answers=SYNC, ignore_hangup=False, cwd=home)
    with contextlib.closing(session):
        session.wait_for("critical").wait_for("dropped overnight").settle(0.5)
        session.first = session.text, bytes(session.output)
        yield session


@pytest.fixture
def spawn(environment, tmp_path):
    """Runs `modeltop` with these arguments under a terminal of its own; ends it when the test ends."""
    with contextlib.ExitStack() as stack:

        def run(*args, size=(80, 24), answers=SYNC, ignore_hangup=False, argv=None, **env):
            argv = argv or [sys.executable, "-m", "modeltop_tui"]
            merged = {k: v for k, v in (environment | env).items() if v is not None}
            session = Session(
                [*argv, *map(str, args)],
                size=size,
                env=merged,
                answers=answers,
                ignore_hangup=ignore_hangup,
                cwd=tmp_path,
            )
            stack.callback(session.close)
            return session

        yield run


@pytest.fixture
def fleet():
    return FLEET


@pytest.fixture
def in_tmux(spawn, tmp_path):
    """Runs a command in a tmux of its own, 80x24, and ends that tmux."""
    if shutil.which("tmux") is None:
        pytest.skip("no tmux is installed here")
    label = f"modeltop-test-{os.getpid()}"
    config = tmp_path / "tmux.conf"
    config.write_text("set -g status off\nset -g default-terminal tmux-256color\n")
    tmux = ["tmux", "-L", label, "-f", str(config)]
    yield lambda command: spawn(argv=[*tmux, "new-session", "-x", "80", "-y", "24", shlex.join(command)])
    subprocess.run([*tmux, "kill-server"], check=False, capture_output=True)


@pytest.fixture
def free_port():
    """A port on loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def over_ssh(tmp_path, free_port):
    """An sshd of its own on loopback, with keys made for this test; gives the client's command line."""
    if SSHD is None or shutil.which("ssh") is None:
        pytest.skip("no sshd or no ssh client is installed here")
    folder = tmp_path / "ssh"
    folder.mkdir(mode=0o700)
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    options = {
        "ListenAddress": f"127.0.0.1:{free_port}",
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
        wait_until_open(free_port, daemon)
        yield [
            *("ssh", "-tt", "-p", str(free_port), "-i", str(folder / "user"), "-o", "StrictHostKeyChecking=no"),
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


@pytest.fixture
def has_ended():
    """Whether a process, not necessarily a child, ends within that time."""

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

    return has_ended
