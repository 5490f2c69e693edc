"""A small world: a store, a clock that the test moves, and receivers that do what the test says."""

import io
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest

from monitor.config import Config
from monitor.errors import StoreError
from monitor.facts import Matchers
from monitor.journal.journal import Journal
from monitor.journal.places import state_folder
from monitor.notify.base import Receiver
from monitor.pipeline import Observer
from monitor.routing import Pace, Route, WatchSettings
from monitor.watch.backoff import Backoff
from monitor.watch.bulletin import Post
from monitor.watch.clock import Clock
from monitor.watch.leader import Holder
from monitor.watch.log import Log
from monitor.watch.rounds import Rounds
from monitor.watch.setup import Setup

START = datetime(2025, 3, 10, 12, tzinfo=UTC)
FREE = Pace(group=0, hourly=0)


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
        return [(part.kind.value, part.reason.value, part.model) for message in self.got for part in message.parts]


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

    store: object
    config: Config = field(default_factory=Config)
    wall: datetime = START
    steady: float = 1000.0
    boxes: dict = field(default_factory=dict)
    rounds: Rounds = None
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
        return Setup(self.config, Observer(self.config, [self.store], live=True, patience=3))

    def restart(self):
        """A new process."""
        self.state.mkdir(exist_ok=True)
        post = Post(self.state, Holder(1, "here"))
        clock = Clock(lambda: self.wall, lambda: self.steady)
        self.rounds = Rounds(self.load, post, Log(self.err, clock=lambda: self.wall), clock, Backoff())
        self.rounds.begin()

    def cycle(self, *, looks=1, wait=()):
        """Look, and wait until everything that is sent has arrived; not for those in `wait`."""
        if self.rounds is None:
            self.restart()
        for _ in range(looks):
            self.rounds.cycle()
            self.settle(wait)

    def settle(self, wait=()):
        for _ in range(400):
            if not self.rounds._dispatch._senders.busy() - set(wait):
                return
            self.rounds.bell.wait(0.05)
            self.rounds.deliver()
        raise TimeoutError

    def sleep(self, **span):
        """Time passes."""
        self.wall += timedelta(**span)
        self.steady += timedelta(**span).total_seconds()

    @property
    def facts(self):
        return Journal(self.state).facts()

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
        found.rounds._dispatch.stop()


@pytest.fixture
def unwritable(monkeypatch):
    """Switches off, and on again, that the journal can be written."""
    append = Journal.append

    def switch(*, off):
        def refuse(self, *events):
            raise StoreError("cannot write the journal: the disk is full: free some space, then try again")

        monkeypatch.setattr(Journal, "append", refuse if off else append)

    return switch


@pytest.fixture
def matchers():
    return Matchers
