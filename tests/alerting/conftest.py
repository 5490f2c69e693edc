"""A small world: models whose rows come late and are corrected, a watcher that may be killed, receivers that fail.

A row is an hour's level. Consecutive bad rows are an alert, by four lines that know nothing of the tracker. Then any
event there could be, and an incident's ordinary life.
"""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from itertools import groupby
from types import MappingProxyType, NoneType, UnionType
from typing import get_args, get_origin, get_type_hints

import numpy as np
import pytest
from hypothesis import strategies as st

from modeltop.alerting.dispatch import plan_notifications
from modeltop.alerting.event_log.event_log import EventLog
from modeltop.alerting.grouping import group_incidents
from modeltop.alerting.incidents import EvaluationScope, track_incidents
from modeltop.alerting.routing import NotificationPolicy, Route, RoutingConfig
from modeltop.alerting.state import apply_events
from modeltop.core.event import (
    Acknowledged,
    Event,
    IncidentChanged,
    IncidentTransition,
    NoteAdded,
    Notification,
    NotificationAction,
    NotificationReason,
    ReceiverChanged,
    SendFinished,
    SendStarted,
    SilenceCreated,
    SilenceExpired,
)
from modeltop.core.incident import (
    Acknowledgement,
    AlertingState,
    IncidentStatus,
    Matchers,
    Member,
    Note,
    NotificationKey,
    ReceiverState,
    Silence,
    TrackedIncident,
)
from modeltop.core.metrics.registry import MetricRegistry
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

NOON = datetime(2025, 1, 10, 12, tzinfo=UTC)
OK, WARNING, CRITICAL = Severity.OK, Severity.WARNING, Severity.CRITICAL
START = datetime(2025, 1, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
TICK = timedelta(microseconds=1)
RULE = Rule("floor", Threshold(critical=Limit(below=0.9)), "accuracy")
CATALOG = MetricRegistry()
LEVELS = {".": OK, "w": WARNING, "c": CRITICAL}


def key_of(name):
    """The series of a model, or of `MODEL/METRIC`."""
    model, _, metric = name.partition("/")
    return SeriesKey(model, metric or "accuracy")


def alerts_in(model, rows):
    """Consecutive bad rows; the first good one after them ends the episode."""
    result, at = [], 0
    times = sorted(rows)
    for bad, several in groupby(times, key=lambda when: rows[when] > OK):
        run = list(several)
        at += len(run)
        if bad:
            ended = times[at] if at < len(times) else None
            level = max(rows[when] for when in run) if ended else rows[run[-1]]
            evidence = Breach(level, 0.8, 0.9, "0.800 < 0.90")
            name = alert_id("floor", key_of(model), Condition.THRESHOLD, run[0])
            state = State.RESOLVED if ended else State.FIRING
            about = ("floor", key_of(model), Condition.THRESHOLD, state, level)
            result.append(Alert(name, *about, run[0], run[0], ended, evidence, evidence))
    return result


def scope_at(rows_of, rules=(RULE,), problems=()):
    """What a look sees of the rows of each model."""
    series, periods = {}, {}
    for model, rows in rows_of.items():
        times = np.array([when.replace(tzinfo=None) for when in sorted(rows)], "datetime64[us]")
        if len(times):
            key = key_of(model)
            series[key] = Series(key, Direction.HIGHER, times, np.zeros(len(times)))
            periods[key.model] = np.union1d(periods.get(key.model, times[:0]), times)
    asked = [RuleStatus(rule.name, key, OK, "") for rule in rules for key in series]
    return EvaluationScope.from_statuses(History(series, periods, tuple(problems)), asked, rules)


@dataclass
class World:
    """One journal, one watcher, and who listens."""

    policies: dict = field(default_factory=lambda: {"slack": NotificationPolicy(group=0, hourly=0)})
    routes: tuple = ()
    mutes: tuple = ()
    rules: tuple = (RULE,)
    clock: datetime = START
    rows: dict = field(default_factory=dict)
    state: AlertingState = field(default_factory=AlertingState)
    newest: dict = field(default_factory=dict)
    extra: tuple = ()
    """Episodes that do not come from rows: no data, errors."""
    problems: tuple = ()
    accepted: list = field(default_factory=list)
    """What reached anybody, in order."""
    faults: dict = field(default_factory=dict)
    """By receiver: `refuse` (it may pass), `disable` (by 404), `drop` (the message, by 413), `kill` (accepted, then the
    watcher is killed)."""
    dropped: set = field(default_factory=set)
    """Receivers and incidents of which a message was dropped."""
    journal: list = field(default_factory=list)
    last_line: datetime | None = None

    @property
    def config(self):
        return RoutingConfig(
            self.routes or (Route("all", tuple(self.policies)),), self.rules, self.mutes, self.policies
        )

    @property
    def now(self):
        """The watcher's clock: later than the journal's last line."""
        return max(self.clock, self.last_line + TICK) if self.last_line else self.clock

    def wait(self, span):
        """Until so long after the journal's last line."""
        self.clock = self.last_line + span

    def write(self, *events):
        self.journal += events
        self.last_line = max((event.at for event in events), default=self.last_line)
        self.state = apply_events(self.state, events)

    def add_rows(self, *text, model="m", at=None):
        """Rows by one character each, one an hour, up to the present."""
        rows = self.rows.setdefault(model, {})
        levels = [LEVELS[char] for char in "".join(text)]
        first = max(rows, default=START - HOUR) + HOUR if at is None else at
        rows |= {first + index * HOUR: level for index, level in enumerate(levels)}
        self.clock = max(self.clock, first + (len(levels) - 1) * HOUR)

    def track(self):
        scope = scope_at(self.rows, self.rules, self.problems)
        alerts = [alert for model, rows in self.rows.items() for alert in alerts_in(model, rows) if rows]
        asked = {rule.name for rule in self.rules}
        result = [alert for alert in alerts if alert.rule in asked] + list(self.extra)
        incidents = group_incidents(result, scope.history, CATALOG, state=self.state)
        events = track_incidents(incidents, result, self.state, self.now, scope=scope, previous_newest=self.newest)
        new = [name for name in self.policies if name not in self.state.receivers]
        self.write(*(ReceiverChanged(self.now, name, ReceiverState(self.now)) for name in new), *events)
        self.newest = scope.newest_periods(self.now)
        return events

    def plan(self):
        return plan_notifications(self.state, self.config, self.now)

    def run_cycle(self):
        """One cycle; what reached anybody."""
        self.track()
        return self.deliver()

    def deliver(self):
        planned, before = self.plan(), len(self.accepted)
        self.write(*planned.skipped)
        stopped = set()
        for batch in planned.batches:
            if batch.receiver not in stopped and not self._send(batch):
                stopped.add(batch.receiver)
        return self.accepted[before:]

    def _send(self, batch):
        now, name, fault = self.now, batch.receiver, self.faults.get(batch.receiver)
        self.write(SendStarted(now, batch.notifications))
        state = self.state.receivers[name]
        if fault == "refuse":
            self.write(ReceiverChanged(now, name, replace(state, retry_at=now + MINUTE, failures=state.failures + 1)))
        elif fault == "disable":
            failed = replace(state, disabled_reason="404", retry_at=now + MINUTE, failures=state.failures + 1)
            self.write(ReceiverChanged(now, name, failed))
        elif fault == "drop":
            self.write(SendFinished(now, batch.notifications, "413"))
            self.dropped |= {(name, one.incident) for one in batch.notifications}
        else:
            self.accepted += batch.notifications
            if fault != "kill":
                enabled = replace(state, disabled_reason=None, retry_at=None, failures=0)
                self.write(*([ReceiverChanged(now, name, enabled)] if enabled != state else []))
                self.write(SendFinished(now, batch.notifications))
        return fault in (None, "drop")

    def repair(self):
        """Everybody works again, and nobody waits any more."""
        self.faults = {}
        for name, state in self.state.receivers.items():
            self.write(ReceiverChanged(self.now, name, replace(state, disabled_reason=None, retry_at=None, failures=0)))

    def silence(self, length=HOUR, name="s", **matchers):
        made = Silence(name, Matchers(**matchers), self.now, self.now + length, "ann", "deploy", self.now)
        self.write(SilenceCreated(self.now, made))

    def expire(self, name="s"):
        self.write(SilenceExpired(self.now, name, "ann"))

    def ack(self, model="m", length=24 * HOUR):
        for incident in self.open_incidents():
            if incident.model == model:
                about = (incident.id, model, incident.level, "ann", "mine", self.now, self.now + length)
                seen = incident.fired_at, max(member.fired for member in incident.members)
                self.write(Acknowledged(self.now, Acknowledgement(*about, *seen)))

    def copy(self):
        """Another world that has come as far, and goes its own way."""
        rows = {model: dict(of_model) for model, of_model in self.rows.items()}
        lists = {"accepted": list(self.accepted), "journal": list(self.journal), "faults": dict(self.faults)}
        lists |= {"dropped": set(self.dropped)}
        return replace(self, rows=rows, newest=dict(self.newest), **lists)

    def open_incidents(self):
        return [incident for incident in self.state.incidents.values() if incident.status is IncidentStatus.OPEN]


def notification_words(deliveries):
    """Deliveries in a word each, such as `first CRITICAL`, `over`, `late+`, `late-`."""
    marks = {NotificationAction.TRIGGER: "+", NotificationAction.RESOLVE: "-"}
    words = []
    for notification in deliveries:
        if notification.reason.value == "late":
            words.append(f"late{marks[notification.action]}")
        else:
            words.append(
                notification.reason.value
                if notification.action is NotificationAction.RESOLVE
                else f"{notification.reason.value} {notification.level.name}"
            )
    return words


@pytest.fixture(scope="session")
def new_world():
    """A new world."""
    return World


@pytest.fixture(scope="session")
def describe():
    """Notifications in words."""
    return notification_words


@pytest.fixture(scope="session")
def scope_of():
    """The scope of an evaluation of rows."""
    return scope_at


@pytest.fixture(scope="session")
def alerts_of():
    """The episodes of a world's rows."""
    return lambda world: [alert for model, rows in world.rows.items() for alert in alerts_in(model, rows)]


@pytest.fixture(scope="session")
def model_wide_alert():
    """An alert about a model as a whole, found now."""

    def make(world, condition, *, model="m", later=timedelta(0)):
        since = world.now + later
        evidence = Breach(Severity.UNKNOWN, 1.0, None, "no rows for 9 hours")
        about = (condition.value, SeriesKey(model, "*"), condition)
        name = alert_id(*about, since)
        return Alert(name, *about, State.FIRING, Severity.UNKNOWN, since, since, None, evidence, evidence)

    return make


STEPS = st.one_of(
    st.tuples(
        st.just("add_rows"),
        st.sampled_from(["m", "m", "m/recall", "n"]),
        st.sampled_from([".", "w", "c", "c.", "wc", "c.c", "...."]),
    ),
    st.tuples(
        st.just("correct"),
        st.sampled_from(["m", "m/recall", "n"]),
        st.integers(0, 6),
        st.sampled_from([*LEVELS.values(), None]),
    ),
    st.tuples(st.just("pass"), st.sampled_from([MINUTE, 20 * MINUTE, 5 * HOUR])),
    st.tuples(st.just("run_cycle")),
)
SILENCES = st.one_of(
    st.tuples(st.just("silence"), st.sampled_from([10 * MINUTE, HOUR, 6 * HOUR])), st.tuples(st.just("expire"))
)
ACKS = st.tuples(st.just("ack"), st.sampled_from("mn"))
FAULTS = st.one_of(
    st.tuples(st.just("fault"), st.sampled_from(["slack", "mail"]), st.sampled_from(["refuse", "disable", None])),
    st.tuples(st.just("repair")),
)
DROPS = st.tuples(st.just("fault"), st.sampled_from(["slack", "mail"]), st.just("drop"))
KILLS = st.tuples(st.just("fault"), st.sampled_from(["slack", "mail"]), st.just("kill"))


def apply_step(world, step):
    """One thing that happens; what reached anybody by it."""
    name, *args = step
    if name == "add_rows":
        world.add_rows(args[1], model=args[0])
    elif name == "correct":
        rows = world.rows.get(args[0], {})
        for when in sorted(rows, reverse=True)[args[1] : args[1] + 1]:
            rows[when] = args[2]
            if args[2] is None:
                del rows[when]
    elif name == "pass":
        world.clock += args[0]
    elif name == "fault":
        world.faults[args[0]] = args[1]
    elif name == "silence":
        world.silence(args[0])
    else:
        return getattr(world, name)(*args) or []
    return []


@pytest.fixture(scope="session")
def simulate():
    """Let things happen to a world; all that reached anybody."""

    def run(world, steps):
        for step in steps:
            apply_step(world, step)
        return world.accepted

    return run


@pytest.fixture(scope="session")
def strategies():
    """Strategies of what may happen."""
    return {"steps": STEPS, "silences": SILENCES, "acks": ACKS, "faults": FAULTS, "kills": KILLS, "drops": DROPS}


HOSTILE = [
    "\x1b]52;c;ZWNobyBwd25lZA==\x07",
    "\x1b[2J\x1b[H",
    "\x9b31m",
    "a\0b\x7f\x08",
    "m\r\nBcc: evil@x.test",
    "m\r\nX-Evil: 1\r\n\r\n{}",
    "<!channel>",
    "<@U123> & <!here|x>",
    "@everyone",
    "<script>alert(1)</script>",
    "[click](http://evil.test)",
    "```*b* _i_ `c`",
    "$(touch /tmp/pwned); `id` | sh",
    "--help",
    "\u202egpj.exe",
    "e" + "\u0301" * 100,
    "\ud800 lone",
    "W" * 10_000,
    "宽" * 200,
    "{value} %s \\x",
]


@pytest.fixture(params=HOSTILE, ids=lambda text: text.encode("ascii", "backslashreplace").decode()[:24])
def hostile(request):
    return request.param


HOSTILE_TEXTS = [
    "\ud800",
    "\udcff",
    "\ud83d\ude00",
    "😀",
    "a\0b",
    "\r\n",
    "\u2028",
    '"crc":"',
    "\x1b]0;x\x07",
    "W" * 999,
]
TEXTS = st.sampled_from(HOSTILE_TEXTS) | st.text(st.characters(exclude_categories=()), max_size=20)
EDGES = st.sampled_from([datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
MOMENTS = EDGES | st.integers(-(10**9), 10**15).map(lambda us: NOON + timedelta(microseconds=us))
FEW_TEXTS = st.sampled_from(["a", "b"])
FEW_MOMENTS = st.integers(0, 80).map(lambda halves: NOON + timedelta(days=halves / 2))


def _of(hint, scalars):
    """Any value of an annotation: every field is filled, those with a default too."""

    def of(hint):
        origin, inner = get_origin(hint), get_args(hint)
        if hint in scalars:
            return scalars[hint]
        if origin is UnionType:
            return st.one_of(*(st.none() if part is NoneType else of(part) for part in inner))
        if origin is tuple:
            return st.lists(of(inner[0]), max_size=3).map(tuple)
        if origin is Mapping:
            return st.dictionaries(of(inner[0]), of(inner[1]), max_size=3).map(MappingProxyType)
        if is_dataclass(hint):
            hints = get_type_hints(hint)
            return st.builds(hint, **{field.name: of(hints[field.name]) for field in fields(hint)})
        return st.sampled_from(hint) if issubclass(hint, Enum) else st.from_type(hint)

    return of(hint)


@pytest.fixture(scope="session")
def any_event():
    return _of(Event, {str: TEXTS, datetime: MOMENTS})


@pytest.fixture(scope="session")
def any_facts():
    return _of(AlertingState, {str: TEXTS, datetime: MOMENTS})


@pytest.fixture(scope="session")
def alike_events():
    """Events about the same few things, close in time, so that they meet."""
    return st.lists(_of(Event, {str: FEW_TEXTS, datetime: FEW_MOMENTS}), max_size=12)


@pytest.fixture(scope="session")
def signed():
    """A record as a line with a right checksum, whatever it says."""

    def make(record):
        rest = json.dumps(record)[1:].encode()
        return b'{"crc":"%08x",%s\n' % (zlib.crc32(rest), rest)

    return make


@pytest.fixture
def journal(tmp_path):
    return EventLog(tmp_path / "state", clock=lambda: NOON)


@pytest.fixture(scope="session")
def noted():
    """The n-th note, a minute after the one before."""

    def make(n=0, text="released", by="ann"):
        at = NOON + timedelta(minutes=n)
        return NoteAdded(at, Note("churn", f"{text} {n}", by, at))

    return make


@pytest.fixture(scope="session")
def incident():
    def make(name="1a2b3c4d", model="churn", *, level=Severity.WARNING, since=NOON - timedelta(days=1), **changes):
        given = {"peak_severity": level, "opened_at": NOON, "gap_seconds": 3600, "started_at": since} | changes
        key, resolved = SeriesKey(model, "accuracy"), given.get("resolved_at")
        member = Member(name, "floor", key, Condition.THRESHOLD, level, since, NOON, resolved)
        return TrackedIncident(name, model, members=(member,), lead=name, level=level, **given)

    return make


@pytest.fixture(scope="session")
def followed(incident):
    def make(course=IncidentTransition.FIRED, *, at=NOON, message="0.870 < 0.90", **changes):
        return IncidentChanged(at, course, incident(**changes), message)

    return make


@pytest.fixture(scope="session")
def delivery(incident):
    def make(
        kind=NotificationAction.TRIGGER,
        reason=NotificationReason.FIRST,
        *,
        to="slack",
        level=Severity.WARNING,
        name="1a2b3c4d",
        model="churn",
    ):
        members = tuple(member.key for member in incident(name, model).members)
        return Notification(
            to, kind, reason, name, level, NotificationKey(to, model), members, f"{name}-{reason.value}"
        )

    return make


@pytest.fixture(scope="session")
def sent(delivery):
    def make(*args, at=NOON, given_up=None, **kwargs):
        return SendFinished(at, (delivery(*args, **kwargs),), given_up)

    return make
