"""Snapshots of one made-up model each: alerts since chosen days, of rules that ask for limits and for lasting falls."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import (
    DATETIME_DTYPE,
    Alert,
    Breach,
    Condition,
    History,
    ModelStatus,
    RuleStatus,
    Series,
    SeriesKey,
    Severity,
    State,
)
from modeltop.rules.detectors.cusum import LastingShift
from modeltop.rules.detectors.limit import Limit
from modeltop.rules.detectors.threshold import Threshold
from modeltop.rules.rule import Rule
from modeltop.rules.snapshot import Snapshot

FIRST, DAYS = datetime(2025, 1, 1, tzinfo=UTC), 40
NOW = FIRST + timedelta(days=DAYS)
RULES = (
    Rule("floor", Threshold(critical=Limit(below=0.9)), "*"),
    Rule("fall", LastingShift(), "*"),
    Rule("move", LastingShift(outside=True), "*"),
)
METRICS = ("accuracy", "precision", "recall", "f1_score", "log_loss")


@pytest.fixture
def alert():
    """An alert of a rule on a metric since a day, counted from 0."""

    def make(rule, metric, day, *, model="m", severity=None, **changes):
        since = FIRST + timedelta(days=day)
        severity = severity or (Severity.CRITICAL if rule == "floor" else Severity.WARNING)
        message = "0.85 < 0.90" if rule == "floor" else "0.85 below its usual 0.95"
        found = Alert(
            f"{rule}-{metric}", rule, SeriesKey(model, metric), Condition.THRESHOLD, State.FIRING, severity, since,
            since, breach=Breach(severity, 0.85, 0.9, message), periods=DAYS - day,
        )  # fmt: skip
        return replace(found, **changes)

    return make


@pytest.fixture
def look():
    """A snapshot of these alerts, worst first, and of what holds: (model, rule, metric, sentence)."""

    def make(*alerts, quiet=(), models=("m",), **changes):
        times = (np.datetime64(FIRST.replace(tzinfo=None)) + np.arange(DAYS) * np.timedelta64(1, "D")).astype(
            DATETIME_DTYPE
        )
        catalog = MetricRegistry()
        series = {
            (key := SeriesKey(model, metric)): Series(key, catalog.get(metric).better, times, np.full(DAYS, 0.95))
            for model in models
            for metric in METRICS
        }
        standings = tuple(
            RuleStatus(rule, SeriesKey(model, metric), Severity.OK, said) for model, rule, metric, said in quiet
        )
        wrong = {one.key.model: one.severity for one in reversed(alerts) if one.is_active}
        verdicts = tuple(ModelStatus(model, wrong.get(model, Severity.OK), "stands so") for model in models)
        history = History(series, dict.fromkeys(models, times))
        return replace(Snapshot(NOW, NOW, history, catalog, RULES, alerts, standings, verdicts), **changes)

    return make
