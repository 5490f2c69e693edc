"""Snapshots in a few characters, made by the pure core; and the app on an observer that hands them over."""

import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pytest

from modeltop.alerting.suppression import acknowledged_alerts, suppressions
from modeltop.cli.context import AppOptions
from modeltop.core.incident import Acknowledgement, AlertingState, Note, Suppression
from modeltop.core.metrics import classification  # noqa: F401  registers accuracy and its kin
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import DATETIME_DTYPE, History, Series, SeriesKey
from modeltop.rules.detectors.limit import Limit
from modeltop.rules.detectors.threshold import Threshold
from modeltop.rules.evaluator import rule_status
from modeltop.rules.priority import model_statuses, ordered_alerts
from modeltop.rules.replay import no_data_alert, replay, source_error_alert
from modeltop.rules.rule import Rule, default_rules, rules_for, skip_reason
from modeltop.rules.snapshot import Snapshot
from modeltop_tui.app import ModeltopApp
from modeltop_tui.view.navigation import clamp_selection
from modeltop_tui.view.state import ScreenState, Selection

START = datetime(2025, 1, 1, tzinfo=UTC)
CLOCK = datetime(2025, 1, 10, 0, 3, tzinfo=UTC)
DATES = np.datetime64("2025-01-01", "us")
HOSTILE = [
    "\x1b]52;c;ZWNobyBwd25lZA==\x07", "\x1b]0;PWNED\x07", "\x1b[2J\x1b[H", "\x1b[?1049l", "\x1b[6n", "\x1bc",
    "\x1b]8;;http://evil.test\x1b\\click", "\x1bP+q544e\x1b\\", "\x1b]0;", "\x9b31m", "\x9d0;x\x9c",
    "\x05\x0e\x00\x7f\x08", "\r overwritten", "\u202egpj.exe", "\u200b\ufeff", "e" + 100 * "\u0301", "\udc80",
    10_000 * "W", 200 * "宽", "👨‍👩‍👧‍👦", "[bold]x[/bold]", "[/]", "[/foo]", "x[/x",
    "[@click=app.quit]x[/]", "[link=http://evil.test]x[/link]", "[a-z]+", "\\[bold]", "x\\", "{value}", "%s",
    "../../etc/passwd", "..", "C:\\x", "-rf", "--help", "a\0b", "=cmd|'/C calc'!A0", "m\r\nBcc: evil@x.test",
    "<script>alert(1)</script>", "NA", "null", "nan", "inf", "` `", "007", "true", "|perf'=1", "$primary", "@everyone",
]  # fmt: skip


def line(values, *, model="fraud", metric="accuracy", segment="all", days=None, catalog=None, **columns):
    """A series of one value a day; `days` places the values on other days than 1, 2, 3 and so on."""
    offsets = np.arange(len(values)) if days is None else np.asarray(days) - 1
    times = (DATES + offsets * np.timedelta64(1, "D")).astype(DATETIME_DTYPE)
    columns = {name: np.asarray(value, float if name != "provisional" else bool) for name, value in columns.items()}
    better = (catalog or MetricRegistry()).get(metric).better
    return Series(SeriesKey(model, metric, segment), better, times, np.array(values, float), **columns)


def floors():
    """The default rules that are about limits: few points suffice them."""
    return [rule for rule in default_rules() if isinstance(rule.detector, Threshold)]


def snapshot(*lines, rules=None, clock=CLOCK, now=None, problems=(), notices=()):
    """What the pipeline would say of these series."""
    rules, catalog = tuple(floors() if rules is None else rules), MetricRegistry()
    periods: dict[str, np.ndarray] = {}
    for each in lines:
        known = periods.get(each.key.model, each.times)
        periods[each.key.model] = np.union1d(known, each.times)
    history = History({each.key: each for each in lines}, periods, tuple(problems))
    newest = max((each.newest for each in lines), default=clock)
    episodes, standings = [], []
    for each in lines:
        for rule in rules_for(rules, each.key):
            found = [] if skip_reason(rule, each) else replay(each, rule)
            episodes += found
            standings.append(rule_status(each, rule, found, catalog.get(each.key.metric)))
    silent = [no_data_alert(model, times, now or newest) for model, times in periods.items()]
    episodes += [*filter(None, silent), *(source_error_alert(one, clock) for one in problems if one.fatal)]
    ordered = tuple(ordered_alerts(episodes))
    order = model_statuses(history, ordered, standings, catalog)
    return Snapshot(now or newest, clock, history, catalog, rules, ordered, tuple(standings), order, tuple(notices))


def ten_days(model="fraud"):
    """The ten-day table."""
    table = {
        "accuracy": (0.96, 0.96, 0.95, 0.94, 0.94, 0.92, 0.91, 0.90, 0.89, 0.87),
        "precision": (0.95, 0.95, 0.94, 0.93, 0.92, 0.91, 0.90, 0.89, 0.87, 0.85),
        "recall": (0.94, 0.93, 0.93, 0.92, 0.91, 0.90, 0.88, 0.87, 0.86, 0.84),
        "f1_score": (0.945, 0.94, 0.935, 0.925, 0.915, 0.905, 0.89, 0.88, 0.865, 0.845),
        "avg_confidence": (0.94, 0.94, 0.93, 0.92, 0.91, 0.90, 0.89, 0.88, 0.86, 0.84),
    }
    return [line(values, model=model, metric=metric) for metric, values in table.items()]


def healthy(model, value=0.95, **options):
    """A model with nothing wrong."""
    return line([value] * 10, model=model, **options)


def floor(critical=0.90, warn=None, *, metric="accuracy", **options):
    """A rule with floors."""
    limits = [None if side is None else Limit(below=side) for side in (warn, critical)]
    return Rule("floor", Threshold(*limits), metric, **options)


def handled(known, *, by="ana", why="looking into it", acks=(), hushed=(), notes=()):
    """The snapshot where a person has the alerts with these places among the standing, and others are silenced."""
    ids = [episode.id for episode in known.alerts if episode.is_active]
    until = known.clock + timedelta(days=1)
    of = {episode.id: episode for episode in known.alerts}

    def ack(name):
        one = of[name]
        return Acknowledgement(name, one.rule, one.key, one.severity, by, why, known.clock, until, one.since)

    said = f"silenced by {by} until 2025-01-11 00:03 UTC: {why}"
    facts = AlertingState(notes=tuple(Note(model, text, by, known.clock) for model, text in notes))
    return replace(
        known, alerting_state=facts, acknowledgements={ids[at]: ack(ids[at]) for at in acks},
        suppressions={ids[at]: Suppression("silenced", said, until) for at in hushed},
    )  # fmt: skip


def scene(*lines, view=None, **options):
    """A scene on a snapshot, its selection settled."""
    made = ScreenState(snapshot(*lines, **options), view or Selection())
    return ScreenState(made.snapshot, clamp_selection(made))


class FakeObserver:
    """Hands over what it has; `hand` changes that."""

    def __init__(self, first):
        self.now, self.fresh, self.looks = first, False, 0

    def hand(self, snapshot):
        self.now, self.fresh = snapshot, True

    def needs_run(self):
        return self.fresh

    def run(self, _clock, _progress=None):
        self.looks, self.fresh = self.looks + 1, False
        if isinstance(self.now, Exception):
            raise self.now
        return self.now


class RememberingObserver(FakeObserver):
    """What it has, with what people did about it, as the pipeline adds it."""

    def __init__(self, first, memory):
        super().__init__(first)
        self.memory = self.state_reader = memory

    def needs_run(self):
        return self.fresh or self.memory.has_changed()

    def run(self, _clock, _progress=None):
        self.looks, self.fresh = self.looks + 1, False
        facts, now = self.memory.alerting_state(), datetime.now(UTC)
        acks = acknowledged_alerts(self.now.alerts, facts, now)
        hushed = suppressions(self.now.alerts, facts, (), now)
        return replace(self.now, clock=now, alerting_state=facts, acknowledgements=acks, suppressions=hushed)


class Driven:
    """A running app: press keys, read the screen."""

    def __init__(self, app, pilot, observer):
        self.app, self.pilot, self.hand = app, pilot, observer.hand

    async def press(self, *keys):
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def until(self, text):
        """Wait for a text on the screen."""
        for _ in range(500):
            if text in self.text:
                return
            await self.pilot.pause(0.01)
        raise AssertionError(f"{text!r} never came:\n{self.text}")

    @property
    def lines(self):
        return [strip.text for strip in self.app.screen._compositor.render_strips()]

    @property
    def text(self):
        return "\n".join(self.lines)

    @property
    def view(self):
        return self.app.main_screen.screen_state.selection

    @property
    def said(self):
        return self.lines[-1].rstrip()


@contextlib.asynccontextmanager
async def running(first, size=(80, 24), memory=None, look=lambda *_: None, ahead=None, **options):
    """`look` says why a model got worse; `ahead` is the outlook of each series."""

    def answer(snapshot, question):
        return look(snapshot, question) if isinstance(question, str) else ahead

    observer = FakeObserver(first) if memory is None else RememberingObserver(first, memory)
    app = ModeltopApp(observer, AppOptions(**options), diagnose=answer)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield Driven(app, pilot, observer)


@pytest.fixture(scope="session")
def make():
    """Builders."""
    return SimpleNamespace(
        line=line, snapshot=snapshot, ten_days=ten_days, healthy=healthy, floor=floor, scene=scene, start=START,
        clock=CLOCK, hostile=HOSTILE, observer=FakeObserver, day=timedelta(days=1), handled=handled,
    )  # fmt: skip


@pytest.fixture(scope="session")
def fleet():
    """Three models: one with the ten-day table, one with a warning, one that is fine."""
    warned = line([0.95] * 8 + [0.91, 0.91], model="churn")
    return snapshot(*ten_days(), warned, healthy("ranker"), rules=[floor(warn=0.92), *floors()[1:]])


@pytest.fixture
def run():
    """The app, running on a snapshot: `async with run(snapshot, size=(80, 24)) as screen`."""
    return running


@pytest.fixture
def gold(request):
    """Compare lines with a file beside the tests; `MODELTOP_GOLD=write` writes it anew."""
    import os
    from pathlib import Path

    def compare(name, lines):
        path = Path(__file__).parent / "gold" / f"{name}.txt"
        text = "".join(f"{each.rstrip()}\n" for each in lines)
        if os.environ.get("MODELTOP_GOLD") == "write":
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text.splitlines() == path.read_text(encoding="utf-8").splitlines()

    return compare
