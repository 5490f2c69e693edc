"""Snapshots of made-up models with alerts since chosen days, of a limit and of detectors of lasting shifts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from modeltop.alerting.grouping import group_incidents, ordered_incidents
from modeltop.cli import demo
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


@pytest.fixture(scope="session")
def fleet():
    """Return the folder of the sample fleet."""
    return demo.samples_folder() / "fleet"


@pytest.fixture
def alert():
    """Make an alert of a rule on a metric, which began on a day, counted from 0."""

    def make(rule, metric, day, *, model="m", severity=None, **changes):
        since = FIRST + timedelta(days=day)
        severity = severity or (Severity.CRITICAL if rule == "floor" else Severity.WARNING)
        message = "0.850 < 0.90" if rule == "floor" else "0.850, baseline 0.950"
        default = Alert(
            f"{rule}-{metric}", rule, SeriesKey(model, metric), Condition.THRESHOLD, State.FIRING, severity, since,
            since, breach=Breach(severity, 0.85, 0.9, message), periods=DAYS - day,
        )  # fmt: skip
        return replace(default, **changes)

    return make


@pytest.fixture
def make_snapshot():
    """Make a snapshot of alerts, worst first, and of rules without one: (model, rule, metric, sentence)."""

    def make(*alerts, healthy=(), models=("m",), **changes):
        times = (np.datetime64(FIRST.replace(tzinfo=None)) + np.arange(DAYS) * np.timedelta64(1, "D")).astype(
            DATETIME_DTYPE
        )
        catalog = MetricRegistry()
        series = {
            (key := SeriesKey(model, metric)): Series(key, catalog.get(metric).better, times, np.full(DAYS, 0.95))
            for model in models
            for metric in METRICS
        }
        statuses = tuple(
            RuleStatus(rule, SeriesKey(model, metric), Severity.OK, sentence)
            for model, rule, metric, sentence in healthy
        )
        severities = {alert.key.model: alert.severity for alert in reversed(alerts) if alert.is_active}
        model_statuses = tuple(ModelStatus(model, severities.get(model, Severity.OK), "stands so") for model in models)
        history = History(series, dict.fromkeys(models, times))
        given = {"incidents": ordered_incidents(group_incidents(alerts, history, catalog), models)} | changes
        return replace(Snapshot(NOW, NOW, history, catalog, RULES, alerts, statuses, model_statuses), **given)

    return make
