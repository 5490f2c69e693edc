"""One machine in a test's hands: watchers and commands in processes of their own, a clock that can be wrong, receivers.

Nothing of modeltop is imported: a machine is asked and observed by the command line, its configuration and what
arrives at receivers alone. `MODELTOP_ROOT` names another checkout to run, such as the commit before.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(os.environ.get("MODELTOP_ROOT") or Path(__file__).parents[2])
MODULE, PACKAGES = ("modeltop_tui", ROOT / ".dev") if (ROOT / ".dev").is_dir() else ("tui", ROOT)
FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
BACKEND = os.environ.get("TRUST_CLOCK_BACKEND", "python")
"""What moves the wall clock of a process: `python`, or `libfaketime` (apt-get install faketime), under which a process
with two busy threads runs 14 to 1,000 times slower: it intercepts the wait for the interpreter's lock."""
EVERY = 1.0
"""Seconds between two cycles."""
GRACE = 2.0
"""Seconds for what is not counted in cycles, such as a message on its way."""
LONGEST = 20.0
"""Seconds for anything on a machine that has other work."""
DAY = timedelta(days=1)
GOOD = 0.95

SETTINGS = """
[store]
path = "store"
[watch]
every = "1s"
no_data_wait = "{no_data_wait}"
heartbeat_env = "TRUST_HEARTBEAT"
[defaults]
drop = false
[[rules]]
name = "floor"
metric = "accuracy"
check = "threshold"
critical = {{ below = 0.8 }}
{more}
"""
RECEIVER = """
[receivers.{name}]
type = "webhook"
url_env = "TRUST_{name}"
timeout = 5
group = 0
hourly = 0
repeat = "{repeat}"
"""


class WebhookServer:
    """A receiver on loopback that answers with `status` and keeps what it accepted, and all attempts."""

    def __init__(self):
        self.status, self.accepted, self.attempts = 200, [], []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/"

    @property
    def alerts(self):
        """The alerts in the messages that it accepted."""
        return [alert for message in self.accepted for alert in message.get("alerts", ())]

    def models(self, kind="trigger", *, about=None):
        """The model of each accepted alert of that kind; `about`: "no data" or "metrics"."""
        return [one["model"] for one in self.alerts if one["kind"] == kind and about in (None, subject(one))]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)

    def _handler(self):
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status = hook.status
                hook.attempts.append((status, json.loads(body) if body else None))
                if status == 200:
                    hook.accepted.append(json.loads(body) if body else {})
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST  # noqa: N815  the base class says so

            def log_message(self, *_):
                pass

        return Handler


def subject(alert):
    """Whether an alert is about absence or about values, whatever it is called."""
    output = " ".join(str(alert.get(name, "")) for name in ("rule", "condition", "title")).lower()
    return "no data" if "no data" in output or "no-data" in output or "no_data" in output else "metrics"


@dataclass
class Clock:
    """The clock of one machine, moved for all its processes at once."""

    folder: Path
    wall: timedelta = timedelta(0)
    steady: timedelta = timedelta(0)

    def __post_init__(self):
        self.folder.mkdir(exist_ok=True)
        self.set()

    def set(self, wall=None, steady=None):
        """How far the wall clock is off, and how far the monotonic clocks have jumped; None: as before."""
        self.wall = self.wall if wall is None else wall
        self.steady = self.steady if steady is None else steady
        off, jumped = self.wall.total_seconds(), self.steady.total_seconds()
        self._write("clock", f"{off} {jumped}\n")
        self._write("faketime", f"{off:+.0f}\n")

    @property
    def now(self):
        return datetime.now(UTC) + self.wall

    def environment(self):
        env = {"TRUST_CLOCK": str(self.folder / "clock"), "TZ": "Europe/Berlin"}
        if BACKEND == "libfaketime":
            env |= {"LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(self.folder / "faketime")}
            # Nothing is kept between two calls, and files keep their true times. Its own way of moving the monotonic
            # clock makes Python's waits hang: `sitecustomize` moves what Python reads of it.
            env |= {"FAKETIME_NO_CACHE": "1", "NO_FAKE_STAT": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        return env

    def _write(self, name, text):
        new = self.folder / f"{name}.new"
        new.write_text(text)
        new.replace(self.folder / name)


@dataclass
class Watcher:
    """`modeltop watch` in a process of its own."""

    process: subprocess.Popen
    log: Path

    @property
    def output(self):
        return self.log.read_text()

    def problems(self, word):
        """Lines of warning or error that have a word in them."""
        lines = [line.lower() for line in self.output.splitlines()]
        return [line for line in lines if word in line and ("warning" in line[:40] or "error" in line[:40])]

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(5)
        self.process.kill()
        self.process.wait()


@dataclass
class Machine:
    """A store, a configuration, a clock, receivers, and the processes that were started."""

    home: Path
    clock: Clock
    hooks: dict = field(default_factory=dict)
    watchers: list = field(default_factory=list)

    def __post_init__(self):
        (self.home / "store").mkdir()
        self.heartbeats = WebhookServer()

    def configure(self, *names, repeat="never", no_data_wait="2s", more=""):
        """Receivers in the order of their standing in for each other, one rule, a cycle a second."""
        for name in names:
            self.hooks.setdefault(name, WebhookServer())
        text = SETTINGS.format(no_data_wait=no_data_wait, more=more)
        text += "".join(RECEIVER.format(name=name, repeat=repeat) for name in names)
        (self.home / "modeltop.toml").write_text(text)

    def rows(self, model, *values, ends, step=DAY):
        """Append rows of a model, `step` apart; the last one is of the moment `ends`. They come at once."""
        path = self.home / "store" / f"{model}.csv"
        lines = [] if path.exists() else ["date,model,accuracy"]
        first = ends - (len(values) - 1) * step
        lines += [f"{first + at * step:%Y-%m-%dT%H:%M:%SZ},{model},{value}" for at, value in enumerate(values)]
        with path.open("a") as file:
            file.write("\n".join(lines) + "\n")

    def healthy(self, *models, ends, step=DAY, length=40):
        for model in models:
            self.rows(model, *(GOOD + 0.001 * (at % 3 - 1) for at in range(length)), ends=ends, step=step)

    def watch(self):
        """Start a watcher; returns after its first cycle."""
        log = self.home / f"watch-{len(self.watchers)}.log"
        before = len(self.heartbeats.attempts)
        with log.open("wb") as err:
            process = subprocess.Popen(
                self._argv("watch"), cwd=self.home, env=self._env(), stdout=subprocess.DEVNULL, stderr=err
            )
        self.watchers.append(Watcher(process, log))
        wait_until(lambda: len(self.heartbeats.attempts) > before or process.poll() is not None, 20)
        assert process.poll() is None, log.read_text()
        return self.watchers[-1]

    def run(self, *words, clock=None):
        """One command, here or on a host with another clock: exit code and all that it printed."""
        done = subprocess.run(
            self._argv(*words),
            check=False,
            cwd=self.home,
            env=self._env(clock),
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.returncode, done.stdout + done.stderr

    @property
    def true_clock(self):
        return Clock(self.home / "true")

    def status(self, clock=...):
        """The answer of `watch --status`, by the true clock or another (None: that of the machine)."""
        code, output = self.run("watch", "--status", "--json", clock=self.true_clock if clock is ... else clock)
        return json.loads(output) | {"code": code}

    def within(self, met, cycles=2):
        """Whether it is met within so many cycles of the watcher, which are counted by its heartbeats."""
        last = len(self.heartbeats.attempts) + cycles + 1
        wait_until(lambda: met() or len(self.heartbeats.attempts) >= last, LONGEST)
        return wait_until(met, GRACE)

    def cycles(self, number=2):
        """Let so many cycles pass; while nobody can be reached, there are no heartbeats to count them by."""
        last = len(self.heartbeats.attempts) + number
        wait_until(lambda: len(self.heartbeats.attempts) >= last, number * EVERY + GRACE)

    def pass_time(self, span):
        """All clocks of the machine go on by so much at once, as after a suspend: watchers see it when they wake."""
        running = [one.process for one in self.watchers if one.process.poll() is None]
        for process in running:
            process.send_signal(signal.SIGSTOP)
        self.clock.set(self.clock.wall + span, self.clock.steady + span)
        for process in running:
            process.send_signal(signal.SIGCONT)

    def close(self):
        for watcher in self.watchers:
            watcher.stop()
        for hook in (self.heartbeats, *self.hooks.values()):
            hook.close()

    def _argv(self, *words):
        return [sys.executable, "-m", MODULE, *words, "--config", str(self.home / "modeltop.toml")]

    def _env(self, clock=None):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "MODELTOP_"))}
        folders = {f"XDG_{name}_HOME": str(self.home) for name in ("CONFIG", "DATA", "STATE", "CACHE")}
        paths = os.pathsep.join(map(str, (Path(__file__).parent / "clock", PACKAGES)))
        own = {"HOME": str(self.home), "PYTHONPATH": paths}
        own |= {f"TRUST_{name}": hook.url for name, hook in self.hooks.items()}
        own["TRUST_HEARTBEAT"] = self.heartbeats.url
        return kept | folders | own | (clock or self.clock).environment()


def wait_until(met, seconds):
    """Wait until it is met, at most so long; whether it is."""
    end = time.monotonic() + seconds
    while not met():
        if time.monotonic() > end:
            return bool(met())
        time.sleep(0.05)
    return True


@pytest.fixture
def machine(tmp_path):
    """A machine with an empty store and one receiver, `ops`; everything that it started ends with the test."""
    home = tmp_path / "home"
    home.mkdir()
    result = Machine(home, Clock(tmp_path / "clock"))
    result.configure("ops")
    yield result
    result.close()


@pytest.fixture
def other_host(tmp_path):
    """The clock of another host, which may be wrong while that of the machine is right."""
    return Clock(tmp_path / "other_host")
