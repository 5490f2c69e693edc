"""What a table of models and of metrics shows: the lead metric, the baseline, the changes, the window of a chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from modeltop.core.incident import Incident
from modeltop.core.metrics.registry import Metric
from modeltop.core.series import Comparison, Condition, Series, Times, to_datetime64
from modeltop.core.stats.spacing import period_unit
from modeltop.core.text import format_day, pluralize
from modeltop.report.phrases import series_name
from modeltop.rules.change_summary import change_summary
from modeltop.rules.snapshot import Snapshot

CHANGE_NAMES = {
    "previous": "vs previous",
    "7d": "vs 7 days ago",
    "30d": "vs 30 days ago",
    "reference": "vs baseline",
    "first": "vs first",
}
LEAD_NAMES = ("metric", "now", "vs baseline", "since")
MIN_BASELINE_PERIODS = 8
"""Evaluated periods before an incident from which there is a baseline to compare with."""
MIN_WINDOW, WINDOW_FACTOR, OK_WINDOW = 28, 3, 60
"""Periods of an incident that are shown at least, and as multiples of its own; those of a healthy series."""
COMPLETE_RATIO = 1.5
"""A history up to so many times as long is shown in full."""


class ChangeCell(NamedTuple):
    """One change of the newest value of a series."""

    text: str
    change: Comparison

    @property
    def is_chance(self) -> bool:
        """Whether its 95 % interval includes 0."""
        return self.change.low is not None and self.change.high is not None and self.change.low <= 0 <= self.change.high


def lead_series(model: str, history: Sequence[Series], snapshot: Snapshot) -> Series | None:
    """Return the series that a model is shown by: that of its incident, else the first of all rows, else the first.

    Args:
        model: The model.
        history: Its series, in order.
        snapshot: Source of its incident.
    """
    incident = snapshot.incident_of(model)
    if incident is not None and incident.key in snapshot.history.series:
        return snapshot.history.series[incident.key]
    return next((series for series in history if series.key.segment == "all"), next(iter(history), None))


def lead_cells(model: str, series: Series | None, snapshot: Snapshot) -> tuple[str, str, str, str]:
    """Return the lead metric of a model, its newest value, the change from its baseline, and since when."""
    incident = snapshot.incident_of(model)
    start = "" if incident is None else format_day(incident.started_at, snapshot.taken_at)
    if incident is not None and incident.key.metric == "*":
        return incident.condition.value.replace("-", " "), "", "", start
    if series is None:
        return "", "", "", start
    value = snapshot.catalog.get(series.key.metric).format(series.latest)
    change = change_cells(series, snapshot).get("reference")
    return series_name(series.key), value, "" if change is None else change.text, start


def change_cells(series: Series, snapshot: Snapshot) -> dict[str, ChangeCell]:
    """Return the changes up to the newest period, in the order of `CHANGE_NAMES`.

    While the model has an incident the baseline is that before it, so that the incident is no part of it.
    """
    metric = snapshot.catalog.get(series.key.metric)
    changes: dict[str, Comparison] = {}
    for change in change_summary(series, metric, snapshot.baseline):
        # Of monthly data the previous period is that of 7 and of 30 days ago as well.
        if change.against == "reference" or all(one.before_at != change.before_at for one in changes.values()):
            changes[change.against] = change
    incident = snapshot.incident_of(series.key.model)
    if changes and incident is not None and incident.condition is Condition.THRESHOLD:
        changes.pop("reference", None)
        if (before := incident_baseline(series, incident)) is not None:
            first = next(iter(changes.values()))
            delta, start = series.latest - before, incident.started_at
            changes["reference"] = replace(first, before=before, delta=delta, low=None, high=None, before_at=start)
    return {
        against: ChangeCell(_format_delta(changes[against].delta, series, metric), changes[against])
        for against in CHANGE_NAMES
        if against in changes
    }


def _format_delta(delta: float, series: Series, metric: Metric) -> str:
    return metric.format_delta(round(delta, metric.digits) if abs(series.latest) >= 10**-metric.digits else delta)


def describe_changes(series: Series, snapshot: Snapshot) -> str:
    """Return the changes in words, such as `+0.031 vs 28 Jun (not significant), -0.104 vs 7 days ago`.

    Numbers, dates and our own words only: no foreign text.
    """
    clauses = []
    for against, cell in change_cells(series, snapshot).items():
        day = format_day(cell.change.before_at, snapshot.taken_at)
        name = {"previous": f"vs {day}", "first": f"vs {day}, the first"}.get(against, CHANGE_NAMES[against])
        clauses.append(f"{cell.text} {name}{' (not significant)' if cell.is_chance else ''}")
    return ", ".join(clauses)


def incident_baseline(series: Series, incident: Incident) -> float | None:
    """Return the median of a series before an incident of its model; None with fewer than 8 evaluated periods."""
    is_enough = (series.evaluable() & (series.times < to_datetime64(incident.started_at))).sum() >= MIN_BASELINE_PERIODS
    return incident.level_before(series) if is_enough else None


def window_length(times: Times, started_at: datetime | None) -> int:
    """Return how many of the newest periods a chart shows: those of an incident and twice as many before, at least 28.

    Args:
        times: Starts of all periods, at least one.
        started_at: Start of the change; None: there is none, and the newest 60 periods are shown.
    """
    count = OK_WINDOW
    if started_at is not None:
        count = max(MIN_WINDOW, WINDOW_FACTOR * int((times >= to_datetime64(started_at)).sum()))
    return len(times) if len(times) <= COMPLETE_RATIO * count else count


def window_text(series: Series, shown: int) -> str:
    """Return how many of the periods of a series are shown, such as `10 days` or `last 28 of 180 days`."""
    length = pluralize(len(series), period_unit(series))
    return length if shown == len(series) else f"last {shown} of {length}"
