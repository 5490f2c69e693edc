"""A small world: a store, a clock that the test moves, and receivers that do what the test says."""

import io
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest

from modeltop.alerting.event_log.event_log import EventLog
from modeltop.alerting.event_log.segments import state_folder
from modeltop.alerting.notifiers.base import Receiver
from modeltop.alerting.routing import NotificationPolicy, Route, WatchSettings
from modeltop.cli import main
from modeltop.config.load import Config
from modeltop.core.errors import StoreError
from modeltop.rules.detectors.limit import Limit
from modeltop.rules.detectors.threshold import Threshold
from modeltop.rules.rule import Rule
from modeltop.service.clock import Clock
from modeltop.service.cycle import Cycle
from modeltop.service.health import DaemonIdentity
from modeltop.service.leader import LockHolder
from modeltop.service.log import DaemonLog
from modeltop.service.pipeline import DaemonSettings, Pipeline
from modeltop.service.receivers import Backoff

ROOT = Path(__file__).parents[2]
START = datetime(2025, 3, 10, 12, tzinfo=UTC)
FREE = NotificationPolicy(group=0, hourly=0)


class Box:
    """What one receiver got, and how it answers next."""

    def __init__(self):
        self.got, self.tried, self.answers = [], [], []
        self.gate = threading.Event()
        self.gate.set()

    def __repr__(self):
        return "box"

    def take(self, message):
        assert self.gate.wait(20)
        self.tried.append(message)
        if self.answers and (answer := self.answers.pop(0)):
            raise answer
        self.got.append(message)

    @property
    def told(self):
        """Kind and reason of each part, and the model it is about."""
        return [(part.action.value, part.reason.value, part.model) for message in self.got for part in message.sections]


@dataclass(frozen=True)
class Ear:
    """A receiver in memory; a frozen dataclass, as notifiers are."""

    box: Box
    setting: str = ""
    exempt: ClassVar[bool] = False
    acknowledges: ClassVar[bool] = False

    def send(self, message):
        self.box.take(message)


@dataclass
class World:
    """Everything around a watcher; `restart` begins a new process in the same place."""

    store: Path
    configure: object = None
    rule: object = None
    config: Config = field(default_factory=Config)
    wall: datetime = START
    steady: float = 1000.0
    boxes: dict = field(default_factory=dict)
    rounds: Cycle = None
    err: io.StringIO = field(default_factory=io.StringIO)

    def __post_init__(self):
        self.state = state_folder(self.store)

    def receivers(self, *names, pace=FREE, setting="", routes=None, **changes):
        """Configure them; each is told everything unless `routes` says otherwise."""
        for name in names:
            self.boxes.setdefault(name, Box())
        found = {name: Receiver(name, Ear(self.boxes[name], setting), pace) for name in names}
        routes = (Route("everything", names),) if routes is None else routes
        self.config = Config(receivers=found, routes=routes, watch=WatchSettings(**changes), rules=self.config.rules)

    def rows(self, model, *values, metric="accuracy", begin="2025-03-01", name=None):
        """One a day from `begin` on; `None` leaves a day out. Rows are appended: a later one wins."""
        path = self.store / f"{name or model}.csv"
        new = not path.exists()
        first = datetime.fromisoformat(begin)
        with path.open("a") as file:
            if new:
                file.write(f"date,model,{metric}\n")
            for number, value in enumerate(values):
                if value is not None:
                    file.write(f"{first + timedelta(days=number):%Y-%m-%d},{model},{value}\n")
        return path

    def load(self):
        if isinstance(self.config, Exception):
            raise self.config
        return DaemonSettings(self.config, Pipeline(self.config, [self.store], live=True, failures_before_alert=3))

    def restart(self):
        """A new process."""
        self.state.mkdir(exist_ok=True)
        post = DaemonIdentity(self.state, LockHolder(1, "here"))
        clock = Clock(lambda: self.wall, lambda: self.steady)
        self.rounds = Cycle(self.load, post, DaemonLog(self.err, clock=lambda: self.wall), clock, Backoff())
        self.rounds.start()

    def cycle(self, *, looks=1, wait=()):
        """Look, and wait until everything that is sent has arrived; not for those in `wait`."""
        if self.rounds is None:
            self.restart()
        for _ in range(looks):
            self.rounds.run()
            self.settle(wait)

    def settle(self, wait=()):
        for _ in range(400):
            if not self.rounds.dispatcher._senders.busy_receivers() - set(wait):
                return
            self.rounds.wakeup.wait(0.05)
            self.rounds.send_due()
        raise TimeoutError

    def sleep(self, **span):
        """Time passes."""
        self.wall += timedelta(**span)
        self.steady += timedelta(**span).total_seconds()

    @property
    def facts(self):
        return EventLog(self.state).state()

    def told(self, name="ops"):
        return self.boxes[name].told

    @property
    def log(self):
        return self.err.getvalue()


@pytest.fixture
def world(tmp_path):
    store = tmp_path / "store"
    store.mkdir()
    found = World(store)
    found.receivers("ops")
    yield found
    for box in found.boxes.values():
        box.gate.set()
    if found.rounds is not None:
        found.rounds.dispatcher.stop()


def rule(warn=0.9, critical=0.8, **changes):
    check = Threshold(warn=Limit(below=warn), critical=Limit(below=critical))
    return Rule(name="floor", metric="accuracy", detector=check, **changes)


@pytest.fixture
def ruled(world):
    """The world with a rule of two limits."""
    world.rule = rule
    world.config = replace(world.config, rules=(rule(),))
    return world


@pytest.fixture
def unwritable(monkeypatch):
    """Switches off, and on again, that the journal can be written."""
    append = EventLog.append

    def switch(*, off):
        def refuse(self, *events):
            raise StoreError("cannot write the journal: the disk is full: free some space, then try again")

        monkeypatch.setattr(EventLog, "append", refuse if off else append)

    return switch


@pytest.fixture
def home(tmp_path, monkeypatch):
    """No configuration or store of the machine is found; the working directory is empty."""
    folder = tmp_path / "home"
    folder.mkdir()
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Service:
    """A watcher in a process of its own; what it says is read from a file."""

    def __init__(self, folder, number, words):
        self.log = folder / f"watch-{number}.log"
        with self.log.open("wb") as err:
            argv = [sys.executable, "-m", "modeltop_tui", "watch", *map(str, words)]
            env = dict(os.environ, PYTHONPATH=str(ROOT), PYTHONDONTWRITEBYTECODE="1")
            self.process = subprocess.Popen(argv, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=err)

    @property
    def said(self):
        return self.log.read_text()

    def until(self, word, seconds=30):
        """Wait until it has said that."""
        wait_for(lambda: word in self.said or self.process.poll() is not None, seconds, lambda: self.said)
        assert word in self.said

    def signal(self, number):
        self.process.send_signal(number)

    def ended(self, seconds=30):
        """Its exit code."""
        return self.process.wait(seconds)


def wait_for(met, seconds=30, why=lambda: ""):
    end = time.monotonic() + seconds
    while not met():
        if time.monotonic() > end:
            raise TimeoutError(why())
        time.sleep(0.02)


@pytest.fixture
def until():
    return wait_for


@pytest.fixture
def watch(home):
    """Starts watchers; those that are left are killed in the end."""
    started = []

    def start(*words):
        started.append(Service(home, len(started), words))
        return started[-1]

    yield start
    for service in started:
        service.process.kill()
        service.process.wait()


@pytest.fixture
def configured(home, world):
    """A store with one alert, and a configuration whose receiver writes each message into the file `told`."""
    world.rows("churn", *(0.95,) * 8, 0.7)

    def write(extra="", command="cat >> told; echo >> told"):
        text = 'on_no_data = "ok"\n[store]\npath = "store"\n[receivers.ops]\ntype = "command"\n'
        text += f'command = ["/bin/sh", "-c", "{command}"]\n'
        (home / "modeltop.toml").write_text(text + extra)
        return home

    write()
    world.configure = write
    return world


@pytest.fixture
def run(home, capsys):
    """One command line in this process: exit code, stdout, stderr."""

    def call(*words):
        code = main.main([str(word) for word in words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call
