"""A small world: models whose rows come late and are corrected, a watcher that may be killed, receivers that fail.

A row is an hour's level. Consecutive bad rows are an episode, by four lines that know nothing of the machine.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby

import numpy as np
import pytest
from hypothesis import strategies as st

from modeltop.alerting.dispatch import plan_notifications
from modeltop.alerting.incidents import EvaluationScope, track_incidents
from modeltop.alerting.routing import NotificationPolicy, Route, RoutingConfig
from modeltop.alerting.state import apply_events
from modeltop.core.event import (
    Acknowledged,
    NotificationAction,
    ReceiverChanged,
    SendFinished,
    SendStarted,
    SilenceCreated,
    SilenceExpired,
)
from modeltop.core.incident import Acknowledgement, AlertingState, Matchers, ReceiverState, Silence
from modeltop.core.incident import IncidentStatus as Stands
from modeltop.core.series import (
    Alert,
    Breach,
    Condition,
    Direction,
    History,
    RuleStatus,
    Series,
    SeriesKey,
    Severity,
    State,
)
from modeltop.rules.detectors.limit import Limit
from modeltop.rules.detectors.threshold import Threshold
from modeltop.rules.replay import alert_id
from modeltop.rules.rule import Rule

OK, WARNING, CRITICAL = Severity.OK, Severity.WARNING, Severity.CRITICAL
START = datetime(2025, 1, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
TICK = timedelta(microseconds=1)
RULE = Rule("floor", Threshold(critical=Limit(below=0.9)), "accuracy")
LEVELS = {".": OK, "w": WARNING, "c": CRITICAL}


def key_of(model):
    return SeriesKey(model, "accuracy")


def episodes_of(model, rows):
    """Consecutive bad rows; the first good one after them ends the episode."""
    found, at = [], 0
    times = sorted(rows)
    for bad, several in groupby(times, key=lambda when: rows[when] > OK):
        run = list(several)
        at += len(run)
        if bad:
            ended = times[at] if at < len(times) else None
            level = max(rows[when] for when in run) if ended else rows[run[-1]]
            evidence = Breach(level, 0.8, 0.9, "0.80 < 0.90")
            name = alert_id("floor", key_of(model), Condition.THRESHOLD, run[0])
            state = State.RESOLVED if ended else State.FIRING
            about = ("floor", key_of(model), Condition.THRESHOLD, state, level)
            found.append(Alert(name, *about, run[0], run[0], ended, evidence, evidence))
    return found


def look_at(rows_of, rules=(RULE,), problems=()):
    """What a look sees of the rows of each model."""
    series, periods = {}, {}
    for model, rows in rows_of.items():
        times = np.array([when.replace(tzinfo=None) for when in sorted(rows)], "datetime64[us]")
        if len(times):
            key = key_of(model)
            series[key] = Series(key, Direction.HIGHER, times, np.zeros(len(times)))
            periods[model] = times
    asked = [RuleStatus(rule.name, key, OK, "") for rule in rules for key in series]
    return EvaluationScope.from_statuses(History(series, periods, tuple(problems)), asked, rules)


@dataclass
class World:
    """One journal, one watcher, and who listens."""

    paces: dict = field(default_factory=lambda: {"slack": NotificationPolicy(group=0, hourly=0)})
    routes: tuple = ()
    mutes: tuple = ()
    rules: tuple = (RULE,)
    clock: datetime = START
    rows: dict = field(default_factory=dict)
    facts: AlertingState = field(default_factory=AlertingState)
    newest: dict = field(default_factory=dict)
    extra: tuple = ()
    """Episodes that do not come from rows: no data, errors."""
    problems: tuple = ()
    accepted: list = field(default_factory=list)
    """What reached anybody, in order."""
    ways: dict = field(default_factory=dict)
    """By receiver: `refuse` (it may pass), `reject` (for good), `kill` (accepted, then the watcher is killed)."""
    journal: list = field(default_factory=list)

    @property
    def orders(self):
        return RoutingConfig(self.routes or (Route("all", tuple(self.paces)),), self.rules, self.mutes, self.paces)

    @property
    def now(self):
        """The watcher's clock: later than the journal's last line."""
        return max(self.clock, self.facts.last_event_at + TICK) if self.facts.last_event_at else self.clock

    def wait(self, span):
        """Until so long after the journal's last line."""
        self.clock = self.facts.last_event_at + span

    def write(self, *events):
        self.journal += events
        self.facts = apply_events(self.facts, events)

    def report(self, *text, model="m", at=None):
        """Rows by one character each, one an hour, up to the present."""
        rows = self.rows.setdefault(model, {})
        levels = [LEVELS[char] for char in "".join(text)]
        first = max(rows, default=START - HOUR) + HOUR if at is None else at
        rows |= {first + index * HOUR: level for index, level in enumerate(levels)}
        self.clock = max(self.clock, first + (len(levels) - 1) * HOUR)

    def follow(self):
        look = look_at(self.rows, self.rules, self.problems)
        episodes = [one for model, rows in self.rows.items() for one in episodes_of(model, rows) if rows]
        asked = {rule.name for rule in self.rules}
        found = [one for one in episodes if one.rule in asked] + list(self.extra)
        events = track_incidents(found, self.facts, self.now, scope=look, previous_newest=self.newest)
        new = [name for name in self.paces if name not in self.facts.receivers]
        self.write(*(ReceiverChanged(self.now, name, ReceiverState(self.now)) for name in new), *events)
        self.newest = look.newest_periods(self.now)
        return events

    def plan(self):
        return plan_notifications(self.facts, self.orders, self.now)

    def look(self):
        """One cycle; what reached anybody."""
        self.follow()
        return self.deliver()

    def deliver(self):
        planned, before = self.plan(), len(self.accepted)
        self.write(*planned.skipped)
        stopped = set()
        for bundle in planned.batches:
            if bundle.receiver not in stopped and not self._send(bundle):
                stopped.add(bundle.receiver)
        return self.accepted[before:]

    def _send(self, bundle):
        now, name, way = self.now, bundle.receiver, self.ways.get(bundle.receiver)
        self.write(SendStarted(now, bundle.notifications))
        state = self.facts.receivers[name]
        if way == "refuse":
            self.write(ReceiverChanged(now, name, replace(state, retry_at=now + MINUTE, failures=state.failures + 1)))
        elif way == "reject":
            self.write(
                SendFinished(now, bundle.notifications, "410"),
                ReceiverChanged(now, name, replace(state, disabled_reason="410")),
            )
        else:
            self.accepted += bundle.notifications
            if way != "kill":
                self.write(SendFinished(now, bundle.notifications))
        return way is None

    def mend(self):
        """Everybody works again, and nobody waits any more."""
        self.ways = {}
        for name, state in self.facts.receivers.items():
            self.write(ReceiverChanged(self.now, name, replace(state, disabled_reason=None, retry_at=None, failures=0)))

    def silence(self, length=HOUR, name="s", **matchers):
        made = Silence(name, Matchers(**matchers), self.now, self.now + length, "ann", "deploy", self.now)
        self.write(SilenceCreated(self.now, made))

    def expire(self, name="s"):
        self.write(SilenceExpired(self.now, name, "ann"))

    def ack(self, model="m", length=24 * HOUR):
        for one in self.open_incidents():
            if one.key.model == model:
                about = (one.id, one.rule, one.key, one.level, "ann", "mine", self.now, self.now + length, one.since)
                self.write(Acknowledged(self.now, Acknowledgement(*about)))

    def twin(self):
        """Another world that has come as far, and goes its own way."""
        rows = {model: dict(of_model) for model, of_model in self.rows.items()}
        lists = {"accepted": list(self.accepted), "journal": list(self.journal), "ways": dict(self.ways)}
        return replace(self, rows=rows, newest=dict(self.newest), **lists)

    def open_incidents(self):
        return [one for one in self.facts.incidents.values() if one.status is Stands.OPEN]


def words(deliveries):
    """Deliveries in a word each, such as `first CRITICAL`, `over`, `late+`, `late-`."""
    marks = {NotificationAction.TRIGGER: "+", NotificationAction.RESOLVE: "-"}
    said = []
    for one in deliveries:
        if one.reason.value == "late":
            said.append(f"late{marks[one.action]}")
        else:
            said.append(
                one.reason.value if one.action is NotificationAction.RESOLVE else f"{one.reason.value} {one.level.name}"
            )
    return said


@pytest.fixture(scope="session")
def world():
    """A new world."""
    return World


@pytest.fixture(scope="session")
def said():
    """Deliveries in words."""
    return words


@pytest.fixture(scope="session")
def view():
    """What a look sees of rows."""
    return look_at


@pytest.fixture(scope="session")
def found_in():
    """The episodes of a world's rows."""
    return lambda here: [one for model, rows in here.rows.items() for one in episodes_of(model, rows)]


@pytest.fixture(scope="session")
def whole():
    """An alert about a model as a whole, found now."""

    def make(here, condition, *, model="m", later=timedelta(0)):
        since = here.now + later
        evidence = Breach(Severity.UNKNOWN, 1.0, None, "no rows for 9h")
        about = (condition.value, SeriesKey(model, "*"), condition)
        name = alert_id(*about, since)
        return Alert(name, *about, State.FIRING, Severity.UNKNOWN, since, since, None, evidence, evidence)

    return make


STEPS = st.one_of(
    st.tuples(
        st.just("report"), st.sampled_from("m" * 3 + "n"), st.sampled_from([".", "w", "c", "c.", "wc", "c.c", ".."])
    ),
    st.tuples(st.just("correct"), st.sampled_from("mn"), st.integers(0, 6), st.sampled_from([*LEVELS.values(), None])),
    st.tuples(st.just("pass"), st.sampled_from([MINUTE, 20 * MINUTE, 5 * HOUR])),
    st.tuples(st.just("look")),
)
SILENCES = st.one_of(
    st.tuples(st.just("silence"), st.sampled_from([10 * MINUTE, HOUR, 6 * HOUR])), st.tuples(st.just("expire"))
)
ACKS = st.tuples(st.just("ack"), st.sampled_from("mn"))
FAULTS = st.one_of(
    st.tuples(st.just("way"), st.sampled_from(["slack", "mail"]), st.sampled_from(["refuse", None])),
    st.tuples(st.just("mend")),
)
KILLS = st.tuples(st.just("way"), st.sampled_from(["slack", "mail"]), st.just("kill"))


def happen(world, step):
    """One thing that happens; what reached anybody by it."""
    name, *args = step
    if name == "report":
        world.report(args[1], model=args[0])
    elif name == "correct":
        rows = world.rows.get(args[0], {})
        for when in sorted(rows, reverse=True)[args[1] : args[1] + 1]:
            rows[when] = args[2]
            if args[2] is None:
                del rows[when]
    elif name == "pass":
        world.clock += args[0]
    elif name == "way":
        world.ways[args[0]] = args[1]
    elif name == "silence":
        world.silence(args[0])
    else:
        return getattr(world, name)(*args) or []
    return []


@pytest.fixture(scope="session")
def live():
    """Let things happen to a world; all that reached anybody."""

    def run(world, steps):
        for step in steps:
            happen(world, step)
        return world.accepted

    return run


@pytest.fixture(scope="session")
def happenings():
    """Strategies of what may happen."""
    return {"steps": STEPS, "silences": SILENCES, "acks": ACKS, "faults": FAULTS, "kills": KILLS}
