"""Builders of snapshots, made by the pure core; and the app on a pipeline that delivers them."""

import asyncio
import contextlib
import time
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pytest
from textual import events
from textual.keys import REPLACED_KEYS, _character_to_key, _get_unicode_name_from_key

from modeltop.alerting.grouping import group_incidents, ordered_incidents
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
from modeltop.rules.rule import Rule, rules_for, skip_reason
from modeltop.rules.snapshot import Snapshot
from modeltop.service.pipeline import Pipeline, StateReader
from modeltop_tui.app import ModeltopApp
from modeltop_tui.view.navigation import clamp_selection
from modeltop_tui.view.state import ScreenState, Selection
from modeltop_tui.workers.poller import Poller

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


def series(values, *, model="fraud", metric="accuracy", segment="all", days=None, catalog=None, **columns):
    """A series of one value a day; `days` places the values on other days than 1, 2, 3 and so on."""
    offsets = np.arange(len(values)) if days is None else np.asarray(days) - 1
    times = (DATES + offsets * np.timedelta64(1, "D")).astype(DATETIME_DTYPE)
    columns = {name: np.asarray(value, float if name != "provisional" else bool) for name, value in columns.items()}
    better = (catalog or MetricRegistry()).get(metric).better
    return Series(SeriesKey(model, metric, segment), better, times, np.array(values, float), **columns)


def threshold_rules():
    """Limits that hold from the first point on, by the names of the default ones."""
    floors = (("accuracy-floor", "accuracy", 0.90), ("f1-floor", "f1_score", 0.85))
    return [Rule(name, Threshold(critical=Limit(below=floor)), metric) for name, metric, floor in floors]


def snapshot(*all_series, rules=None, clock=CLOCK, now=None, problems=(), notices=()):
    """What the pipeline would make of these series."""
    rules, catalog = tuple(threshold_rules() if rules is None else rules), MetricRegistry()
    periods: dict[str, np.ndarray] = {}
    for series in all_series:
        periods[series.key.model] = np.union1d(periods.get(series.key.model, series.times), series.times)
    history = History({series.key: series for series in all_series}, periods, tuple(problems))
    newest = max((series.newest for series in all_series), default=clock)
    alerts, statuses = [], []
    for series in all_series:
        for rule in rules_for(rules, series.key):
            replayed = [] if skip_reason(rule, series) else replay([series], rule)[0]
            alerts += replayed
            statuses.append(rule_status(series, rule, replayed, catalog.get(series.key.metric)))
    no_data = [no_data_alert(model, times, now or newest) for model, times in periods.items()]
    alerts += [*filter(None, no_data), *(source_error_alert(problem, clock) for problem in problems if problem.fatal)]
    ordered = tuple(ordered_alerts(alerts))
    models = model_statuses(history, ordered, statuses, catalog)
    incidents = ordered_incidents(group_incidents(ordered, history, catalog), [status.model for status in models])
    given = (now or newest, clock, history, catalog, rules, ordered, tuple(statuses), models, incidents)
    return Snapshot(*given, notices=tuple(notices))


def ten_days(model="fraud"):
    """The ten-day table."""
    table = {
        "accuracy": (0.96, 0.96, 0.95, 0.94, 0.94, 0.92, 0.91, 0.90, 0.89, 0.87),
        "precision": (0.95, 0.95, 0.94, 0.93, 0.92, 0.91, 0.90, 0.89, 0.87, 0.85),
        "recall": (0.94, 0.93, 0.93, 0.92, 0.91, 0.90, 0.88, 0.87, 0.86, 0.84),
        "f1_score": (0.945, 0.94, 0.935, 0.925, 0.915, 0.905, 0.89, 0.88, 0.865, 0.845),
        "avg_confidence": (0.94, 0.94, 0.93, 0.92, 0.91, 0.90, 0.89, 0.88, 0.86, 0.84),
    }
    return [series(values, model=model, metric=metric) for metric, values in table.items()]


def healthy(model, value=0.95, **options):
    """A model with nothing wrong."""
    return series([value] * 10, model=model, **options)


def floor_rule(critical=0.90, warn=None, *, metric="accuracy", **options):
    """A rule with lower limits."""
    limits = [None if side is None else Limit(below=side) for side in (warn, critical)]
    return Rule("floor", Threshold(*limits), metric, **options)


def handled(before, *, by="ana", reason="looking into it", acknowledged=(), suppressed=(), notes=()):
    """The snapshot where the active alerts with these indices are acknowledged or silenced."""
    active = [alert for alert in before.alerts if alert.is_active]
    until = before.clock + timedelta(days=1)

    def ack(alert):
        return Acknowledgement(
            "1a2b3c4d", alert.key.model, alert.severity, by, reason, before.clock, until, alert.fired, alert.fired
        )

    text = f"silenced by {by} until 11 Jan 00:03 UTC: {reason}"
    return replace(
        before,
        alerting_state=AlertingState(notes=tuple(Note(model, text, by, before.clock) for model, text in notes)),
        acknowledgements={active[index].id: ack(active[index]) for index in acknowledged},
        suppressions={active[index].id: Suppression("silenced", text, until) for index in suppressed},
    )


def screen_state(*all_series, selection=None, **options):
    """The state of the screen on a snapshot, with a selection that exists."""
    state = ScreenState(snapshot(*all_series, **options), selection or Selection())
    return replace(state, selection=clamp_selection(state))


class FakePipeline:
    """Returns the snapshot, or raises the error, that was delivered last."""

    state_reader, ack_duration = StateReader(), timedelta(hours=24)

    def __init__(self, first):
        self.newest, self.changed, self.runs, self.stale_marks = first, False, 0, 0

    def deliver(self, snapshot):
        self.newest, self.changed = snapshot, True

    def needs_run(self):
        return self.changed

    def mark_stale(self):
        self.stale_marks += 1

    def run(self, _clock, _progress=None):
        self.runs, self.changed = self.runs + 1, False
        if isinstance(self.newest, Exception):
            raise self.newest
        return self.newest


class FakePipelineWithLog(FakePipeline):
    """Adds what the event log says about the alerts, as the pipeline does."""

    def __init__(self, first, state_reader):
        super().__init__(first)
        self.state_reader = state_reader

    def needs_run(self):
        return self.changed or self.state_reader.has_changed()

    def run(self, _clock, _progress=None):
        self.runs, self.changed = self.runs + 1, False
        alerting_state, now, alerts = self.state_reader.alerting_state(), datetime.now(UTC), self.newest.alerts
        return replace(
            self.newest,
            clock=now,
            alerting_state=alerting_state,
            acknowledgements=acknowledged_alerts(self.newest.incidents, alerts, alerting_state, now),
            suppressions=suppressions(alerts, alerting_state, (), now),
        )


class AppDriver:
    """A running app: press keys, read the screen."""

    def __init__(self, app, pilot, pipeline):
        self.app, self.pilot, self.deliver = app, pilot, getattr(pipeline, "deliver", None)

    async def press(self, *keys):
        """Press keys, each once the one before has had its effect."""
        for key in keys:
            name = _character_to_key(key) if len(key) == 1 else key
            try:
                character = unicodedata.lookup(_get_unicode_name_from_key(REPLACED_KEYS.get(name, name)))
            except KeyError:
                character = key if len(key) == 1 else None
            self.app.post_message(events.Key(name, character))
            await self.settle()

    async def settle(self):
        """Wait until every message is handled, the selection is diagnosed and all is painted.

        Textual's own `pilot.press` waits for an idle process instead: 60 ms for each key, more on a busy computer.
        A diagnosis that takes longer than a second is not waited for, and nothing for longer than ten.
        """
        quiet_rounds, start = 0, time.monotonic()
        # Twice, as an idle widget may send itself another message.
        while quiet_rounds < 2 and not self.app._exit and time.monotonic() < start + 10:
            await self.pilot._wait_for_screen()
            screen = self.app.screen
            is_due = self._has_diagnosis_due() and time.monotonic() < start + 1
            is_unpainted = screen._layout_required or screen._repaint_required or screen._dirty_widgets
            if (is_unpainted or screen._callbacks) and screen.is_current:
                screen._on_timer_update()
            elif is_due:
                await asyncio.sleep(0.002)
            elif not any(node.message_queue_size for node in (self.app, *screen.walk_children(with_self=True))):
                quiet_rounds += 1
                continue
            quiet_rounds = 0

    def _has_diagnosis_due(self):
        worker = self.app.diagnosis_worker
        return worker._request is not None and not worker._stopped and bool(worker._missing(worker._request))

    async def wait_for(self, text, *, gone=False):
        """Wait for a text on the screen, or until it is gone."""
        for _ in range(500):
            if (text in self.text) is not gone:
                return
            await self.pilot.pause(0.01)
        raise AssertionError(f"{text!r} never {'went' if gone else 'came'}:\n{self.text}")

    @property
    def lines(self):
        return [strip.text for strip in self.app.screen._compositor.render_strips()]

    @property
    def text(self):
        return "\n".join(self.lines)

    @property
    def selection(self):
        return self.app.main_screen.screen_state.selection

    @property
    def status_line(self):
        return self.lines[-1].rstrip()


@contextlib.asynccontextmanager
async def running(first, size=(80, 24), state_reader=None, diagnose=lambda *_: None, outlook=None, **options):
    """The app on a snapshot, or on a pipeline; `diagnose` explains a model, `outlook` is that of each series."""

    def diagnose_target(snapshot, target):
        return diagnose(snapshot, target) if isinstance(target, str) else outlook

    pipeline = first
    if not isinstance(first, Pipeline):
        pipeline = FakePipeline(first) if state_reader is None else FakePipelineWithLog(first, state_reader)
    app = ModeltopApp(Poller(pipeline), AppOptions(**options), diagnose=diagnose_target)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield AppDriver(app, pilot, pipeline)


@pytest.fixture(scope="session")
def make():
    """Builders."""
    return SimpleNamespace(
        series=series, snapshot=snapshot, ten_days=ten_days, healthy=healthy, floor_rule=floor_rule, start=START,
        state=screen_state, clock=CLOCK, hostile=HOSTILE, pipeline=FakePipeline, day=timedelta(days=1), handled=handled,
    )  # fmt: skip


@pytest.fixture(scope="session")
def fleet():
    """Three models: one with the ten-day table, one with a warning, one that is healthy."""
    warned = series([0.95] * 8 + [0.91, 0.91], model="churn")
    return snapshot(*ten_days(), warned, healthy("ranker"), rules=[floor_rule(warn=0.92), *threshold_rules()[1:]])


@pytest.fixture
def run():
    """The app, running on a snapshot: `async with run(snapshot, size=(80, 24)) as screen`."""
    return running


@pytest.fixture
def gold(request):
    """Compare lines with a file in the folder `gold`; `MODELTOP_GOLD=write` writes it anew."""
    import os
    from pathlib import Path

    def compare(name, lines):
        path = Path(__file__).parent / "gold" / f"{name}.txt"
        text = "".join(f"{line.rstrip()}\n" for line in lines)
        if os.environ.get("MODELTOP_GOLD") == "write":
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text.splitlines() == path.read_text(encoding="utf-8").splitlines()

    return compare
