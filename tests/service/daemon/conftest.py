"""A store, a clock that the test moves, and receivers in memory that answer as the test says."""

import io
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest

from modeltop.alerting.event_log.event_log import EventLog
from modeltop.alerting.event_log.location import state_folder
from modeltop.alerting.notifiers.base import Receiver
from modeltop.alerting.routing import NotificationPolicy, Route, WatchSettings
from modeltop.cli import main
from modeltop.config.load import Config
from modeltop.core.errors import StoreError
from modeltop.rules.defaults import Defaults
from modeltop.rules.detectors.limit import Limit
from modeltop.rules.detectors.threshold import Threshold
from modeltop.rules.rule import Rule
from modeltop.service.clock import Clock
from modeltop.service.cycle import Cycle
from modeltop.service.health import DaemonIdentity
from modeltop.service.leader import LockHolder
from modeltop.service.log import DaemonLog
from modeltop.service.pipeline import DaemonSettings, Pipeline
from modeltop.service.receiver_health import Backoff

ROOT = Path(__file__).parents[3]
CONFIG = Config(
    rules=(Rule("accuracy-floor", Threshold(critical=Limit(below=0.9)), "accuracy"),),
    defaults=Defaults(**{switch.name: False for switch in fields(Defaults)}),
)
"""One limit, whatever the history, so that a test says by its rows which alert there is."""
START = datetime(2025, 3, 10, 12, tzinfo=UTC)
FREE = NotificationPolicy(group=0, hourly=0)


class Inbox:
    """The messages that a receiver was sent, and its next responses."""

    def __init__(self):
        self.received, self.attempted, self.responses = [], [], []
        self.gate = threading.Event()
        self.gate.set()

    def __repr__(self):
        return "box"

    def take(self, message):
        assert self.gate.wait(20)
        self.attempted.append(message)
        if self.responses and (answer := self.responses.pop(0)):
            raise answer
        self.received.append(message)

    @property
    def sent(self):
        """Action, reason and model of each section."""
        return [
            (section.action.value, section.reason.value, section.model)
            for message in self.received
            for section in message.sections
        ]


@dataclass(frozen=True)
class InMemoryNotifier:
    """A receiver in memory; a frozen dataclass, as notifiers are."""

    inbox: Inbox
    setting: str = ""
    exempt: ClassVar[bool] = False
    acknowledges: ClassVar[bool] = False

    def send(self, message):
        self.inbox.take(message)


@dataclass
class World:
    """A daemon and its surroundings; `restart` starts a new process in the same folder."""

    store: Path
    configure: object = None
    rule: object = None
    config: Config = CONFIG
    wall: datetime = START
    monotonic: float = 1000.0
    inboxes: dict = field(default_factory=dict)
    cycle: Cycle = None
    err: io.StringIO = field(default_factory=io.StringIO)

    def __post_init__(self):
        self.state = state_folder(self.store)

    def receivers(self, *names, policy=FREE, setting="", routes=None, **changes):
        """Configure receivers; each is sent everything unless `routes` says otherwise."""
        for name in names:
            self.inboxes.setdefault(name, Inbox())
        result = {name: Receiver(name, InMemoryNotifier(self.inboxes[name], setting), policy) for name in names}
        routes = (Route("everything", names),) if routes is None else routes
        self.config = replace(self.config, receivers=result, routes=routes, watch=WatchSettings(**changes))

    def rows(self, model, *values, metric="accuracy", start="2025-03-01", name=None):
        """One a day from `begin` on; `None` leaves a day out. Rows are appended: a later one wins."""
        path = self.store / f"{name or model}.csv"
        new = not path.exists()
        first = datetime.fromisoformat(start)
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
        identity = DaemonIdentity(self.state, LockHolder(1, "here"))
        clock = Clock(lambda: self.wall, lambda: self.monotonic)
        self.cycle = Cycle(self.load, identity, DaemonLog(self.err, clock=lambda: self.wall), clock, Backoff())
        self.cycle.start()

    def run_cycle(self, *, runs=1, wait=()):
        """Evaluate, and wait until every receiver but those in `wait` has finished its queue."""
        if self.cycle is None:
            self.restart()
        for _ in range(runs):
            self.cycle.run()
            self.settle(wait)

    def settle(self, wait=()):
        for _ in range(400):
            if not self.cycle.dispatcher._senders.busy_receivers() - set(wait):
                return
            self.cycle.wakeup.wait(0.05)
            self.cycle.send_due()
        raise TimeoutError

    def sleep(self, **span):
        """Time passes."""
        self.wall += timedelta(**span)
        self.monotonic += timedelta(**span).total_seconds()

    @property
    def alerting_state(self):
        return EventLog(self.state).state()

    def sent(self, name="ops"):
        return self.inboxes[name].sent

    @property
    def log(self):
        return self.err.getvalue()


@pytest.fixture
def world(tmp_path):
    store = tmp_path / "store"
    store.mkdir()
    result = World(store)
    result.receivers("ops")
    yield result
    for inbox in result.inboxes.values():
        inbox.gate.set()
    if result.cycle is not None:
        result.cycle.dispatcher.stop()


def rule(warn=0.9, critical=0.8, **changes):
    check = Threshold(warn=Limit(below=warn), critical=Limit(below=critical))
    return Rule(name="floor", metric="accuracy", detector=check, **changes)


@pytest.fixture
def rule_world(world):
    """The world with a rule of two limits."""
    world.rule = rule
    world.config = replace(world.config, rules=(rule(),))
    return world


@pytest.fixture
def fail_writes(monkeypatch):
    """Makes writes of the event log fail, and succeed again."""
    append = EventLog.append

    def switch(*, off):
        def refuse(self, *events, **_):
            raise StoreError("cannot write the journal: the disk is full: free some space, then try again")

        monkeypatch.setattr(EventLog, "append", refuse if off else append)

    return switch


class DaemonProcess:
    """A daemon in a process of its own; its log is read from a file."""

    def __init__(self, folder, number, arguments):
        self.log = folder / f"watch-{number}.log"
        with self.log.open("wb") as err:
            argv = [sys.executable, "-m", "modeltop_tui", "watch", *map(str, arguments)]
            env = dict(os.environ, PYTHONPATH=str(ROOT / ".dev"))
            self.process = subprocess.Popen(argv, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=err)

    @property
    def output(self):
        return self.log.read_text()

    def wait_for_log(self, word, seconds=30):
        """Wait until the log contains a text."""
        wait_for(lambda: word in self.output or self.process.poll() is not None, seconds, lambda: self.output)
        assert word in self.output

    def signal(self, number):
        self.process.send_signal(number)

    def wait_for_exit(self, seconds=30):
        """Return its exit code."""
        return self.process.wait(seconds)


def wait_for(condition, seconds=30, reason=lambda: ""):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(reason())
        time.sleep(0.02)


@pytest.fixture
def wait_until():
    return wait_for


@pytest.fixture
def watch(isolated_home, tmp_path):
    """Starts daemons; those still running are killed at the end."""
    daemons = []

    def start(*arguments):
        daemons.append(DaemonProcess(tmp_path, len(daemons), arguments))
        return daemons[-1]

    yield start
    for daemon in daemons:
        daemon.process.kill()
        daemon.process.wait()


@pytest.fixture
def configured(isolated_home, tmp_path, world):
    """A store with one alert, and a configuration whose receiver writes each message into the file `told`."""
    world.rows("churn", *(0.95,) * 8, 0.7)

    def write(extra="", command="cat >> told; echo >> told"):
        text = 'on_no_data = "ok"\n[store]\npath = "store"\n[defaults]\ndrop = false\n'
        text += '[receivers.ops]\ntype = "command"\n'
        text += f'command = ["/bin/sh", "-c", "{command}"]\n'
        (tmp_path / "modeltop.toml").write_text(text + extra)
        return tmp_path

    write()
    world.configure = write
    return world


@pytest.fixture
def run(isolated_home, capsys):
    """One command line in this process: exit code, stdout, stderr."""

    def call(*arguments):
        code = main.main([str(word) for word in arguments])
        output = capsys.readouterr()
        return code, output.out, output.err

    return call
