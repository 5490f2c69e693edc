"""No data of a series: a metric or a segment that stopped coming while its model goes on reporting. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from datetime import timedelta

import numpy as np

from modeltop.core.metrics.registry import LABEL_COVERAGE, MetricRegistry
from modeltop.core.series import (
    FEATURE_PREFIX,
    Alert,
    Breach,
    Condition,
    Direction,
    History,
    Series,
    SeriesKey,
    Severity,
    Times,
    to_datetime,
)
from modeltop.core.text import format_day
from modeltop.rules.replay import GAPS, describe_lateness, expected_gap, fired_alert

LABEL_DRIFT = f"{FEATURE_PREFIX}label"
"""Segment of the drift of the labels of several classes."""
MISSING_RATE = "missing_rate"
"""Metric that has a value where a column has none."""
MIN_PRESENCE = 0.9
"""Share of its model's last 60 periods, before it stopped, in which a series must have had a value to be missed."""


def series_no_data_alerts(
    history: History, catalog: MetricRegistry, severity: Severity = Severity.UNKNOWN
) -> Iterator[Alert]:
    """Yield an alert for each series that is overdue, by its own past gaps, at its model's newest row.

    Args:
        history: The data.
        catalog: Tells which metrics wait for labels: those are due where a period is known to have its labels, or
            after the delay with which their values were appended so far.
        severity: How bad that is; OK: not at all.
    """
    if severity is Severity.OK:
        return
    labelled = _labelled_periods(history)
    for key, series in history.series.items():
        periods = history.periods[key.model]
        if key.model in labelled and _waits_for_labels(key, catalog):
            periods = labelled[key.model]
        alert = _overdue(series, periods, severity)
        if alert is not None:
            yield alert


def drift_of_lost_columns(history: History, alerts: Iterable[Alert]) -> set[SeriesKey]:
    """Return the series that are undefined as their column has no value at all, which its missing rate alerts on."""
    alerting = {alert.key for alert in alerts if alert.is_active and alert.key.metric == MISSING_RATE}
    lost = {key for key in alerting if key in history.series and history.series[key].values[-1] == 1.0}
    columns = {key.segment for key in lost if key.segment.startswith(FEATURE_PREFIX)}
    return {key for key in history.series if key.segment in columns and key._replace(metric=MISSING_RATE) in lost}


def missing_newest_values(history: History, catalog: MetricRegistry, alerting: Container[SeriesKey]) -> dict[str, str]:
    """Return, by model, one clause on its metrics without a value in its newest period, if there are any.

    Args:
        history: The data.
        catalog: Tells which metrics are evaluated, and which wait for labels, which a period may lack.
        alerting: The series whose missing values have an alert.
    """
    labelled = _labelled_periods(history)
    missing: dict[str, list[str]] = {}
    newest_segments: dict[str, set[str]] = {}
    for key, series in history.series.items():
        if series.times[-1] == history.periods[key.model][-1]:
            newest_segments.setdefault(key.model, set()).add(key.segment)
    for key, series in history.series.items():
        if key.segment == "all" and "all" not in newest_segments.get(key.model, {"all"}):
            continue  # the newest period is one of segments alone, recorded at a time of its own
        waits = key.model in labelled and _waits_for_labels(key, catalog)
        periods = labelled[key.model] if waits else history.periods[key.model]
        if key in alerting or series.better is Direction.NEITHER or not len(periods) or series.times[-1] >= periods[-1]:
            continue
        behind = to_datetime(periods[-1]) - series.newest
        if behind > timedelta(seconds=series.usual_delay) and _is_regular(series.times, periods):
            newest = to_datetime(periods[-1])
            day, last = format_day(newest, newest), format_day(series.newest, newest)
            name = key.metric if key.segment == "all" else f"{key.metric} [{key.segment}]"
            missing.setdefault(key.model, []).append(f"{name} has no value on {day}, evaluated up to {last}")
    return {
        model: first if not others else f"{first} (and {len(others):,} more series like it)"
        for model, (first, *others) in missing.items()
    }


def _waits_for_labels(key: SeriesKey, catalog: MetricRegistry) -> bool:
    """Return whether values need labels: those of the metric do, or it is the drift of the labels themselves."""
    return catalog.get(key.metric).needs_labels or key.segment == LABEL_DRIFT


def _labelled_periods(history: History) -> dict[str, Times]:
    """Return, by model with a known label coverage, the periods that have their labels."""
    coverages = (series for key, series in history.series.items() if key.metric == LABEL_COVERAGE)
    return {
        series.key.model: series.times[series.evaluable() & (series.values > 0)]
        for series in coverages
        if series.key.segment == "all"
    }


def _overdue(series: Series, periods: Times, severity: Severity) -> Alert | None:
    if not len(periods) or (series.times[-1] >= periods[-1] and np.isfinite(series.values[-1])):
        return None
    times = series.times[np.isfinite(series.values)]
    wait = expected_gap(times)
    if wait is None:
        return None
    wait += timedelta(seconds=series.usual_delay)
    newest, last = to_datetime(periods[-1]), to_datetime(times[-1])
    if newest - last <= wait or not _is_regular(times, periods):
        return None
    breach = Breach(
        severity,
        (newest - last).total_seconds(),
        wait.total_seconds(),
        describe_lateness("no value", newest - last, wait),
    )
    return fired_alert("no-data", series.key, Condition.NO_DATA, last + wait, breach=breach)


def _is_regular(times: Times, periods: Times) -> bool:
    """Return whether the series had a value in nearly all of its model's periods before it stopped."""
    before = periods[: np.searchsorted(periods, times[-1], "right")][-GAPS:]
    return len(before) > 0 and float(np.isin(before, times).mean()) >= MIN_PRESENCE
