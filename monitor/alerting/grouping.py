"""Grouping of alerts to incidents of models, each with a lead alert, a start and its numbers. Pure.

An incident includes every alert of its model that fires while it is open, or within `SETTLE_GAPS` usual gaps of its
end. By data time alone, and by nothing that came later: up to any moment, later rows change no grouping.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import numpy as np

from modeltop.core.incident import (
    Acknowledgement,
    AlertingState,
    BaselineRestart,
    Incident,
    IncidentStatus,
    TrackedIncident,
)
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import (
    Alert,
    Condition,
    Direction,
    Floats,
    History,
    Series,
    Severity,
    Times,
    to_datetime,
    to_datetime64,
)
from modeltop.core.stats.distributions import NORMAL_MAD
from modeltop.core.stats.robust import MAX_MAGNITUDE, median
from modeltop.core.stats.spacing import median_gap

SETTLE_GAPS = 2
"""Usual gaps of a model after the end of an incident within which the next alert belongs to it."""
GAPS = 60
"""Newest gaps between periods from which their usual length is computed."""
BASELINE_PERIODS = 60
"""Evaluated periods before the start of an incident that are its baseline."""
MIN_BASELINE_PERIODS = 8
"""Periods between two incidents that are a baseline by themselves."""
CONFIRMING_PERIODS = 2
"""Periods after `fired` that may still date the start: a level of three periods is no outlier."""
LEVEL_PERIODS, MIN_Z = 3, 2.0
"""Periods before an alert, and standard errors by which they must be worse, for its change to have started earlier."""
MAX_UNSTABLE_PERIODS = 30
"""Periods before a start up to which a series may have declined from its first one on."""
BASE_METRICS = frozenset({"accuracy", "mae", "r2"})
"""Metrics from which the others of a model derive, or with which they move."""
SEVERITY_ORDER = (Severity.CRITICAL, Severity.WARNING, Severity.UNKNOWN)
"""Severities by what leads an incident: a known fault before one that hides what is wrong."""
_KINDS = {"calibration": 1, "drift": 3, "quality": 4}
"""Order of the families of metrics; performance is 0, what needs no labels 2, a model or source as a whole 5."""
_END = datetime.max.replace(tzinfo=UTC)
Restarts = Sequence[BaselineRestart]
"""New baselines of one model that people accepted, oldest first."""


def group_incidents(
    alerts: Iterable[Alert], history: History, catalog: MetricRegistry, *, state: AlertingState | None = None
) -> tuple[Incident, ...]:
    """Return the incidents of all models, of each the oldest first.

    Args:
        alerts: All of a snapshot, in any order; those that have not fired are ignored.
        history: The data that they are about.
        catalog: Names the metrics.
        state: The incidents and acknowledgements by which people and receivers know them already.
    """
    by_model: dict[str, list[Alert]] = defaultdict(list)
    for alert in alerts:
        if alert.fired is not None and alert.id is not None:
            by_model[alert.key.model].append(alert)
    state = state or AlertingState()
    known = _KnownIds(state)
    incidents: list[Incident] = []
    for model, members in by_model.items():
        previous_end: datetime | None = None
        periods, restarts = history.periods.get(model), state.baselines.get(model, ())
        groups = _groups(members, periods, restarts)
        ids = known.ids(model, groups, settle_time(periods, _fired(groups[-1][0])), restarts)
        for group, name in zip(groups, ids, strict=True):
            for restart in (one for one in restarts if _is_of_new_baseline(group, one)):
                # What was accepted is part of the baseline, though the incident about it ended later.
                previous_end = restart.start if previous_end in (None, restart.ended_at) else previous_end
                previous_end = max(previous_end or restart.start, restart.start)
            incident = _IncidentBuilder(group, history, catalog, previous_end).build(name)
            previous_end = incident.resolved_at
            incidents.append(incident)
    return tuple(incidents)


def with_incident_starts(alerts: Sequence[Alert], incidents: Iterable[Incident], history: History) -> list[Alert]:
    """Return the alerts, those by which an incident is known with its start: one start on every surface.

    That is the lead and what alerts with it on its series, against a baseline. That a value is beyond a limit has a
    start of its own.
    """
    by_id = {alert.id: alert for alert in alerts}
    starts = {
        (alert.rule, alert.key, lead.since): incident.started_at
        for incident in incidents
        if (lead := by_id.get(incident.lead)) is not None and incident.started_at < lead.since
        for alert in map(by_id.get, incident.alerts)
        if alert is not None and alert.key == lead.key and alert.breach is not None and alert.breach.is_baseline
    }
    return [
        alert if start is None else _started_earlier(alert, start, history)
        for alert in alerts
        for start in (starts.get((alert.rule, alert.key, alert.since)),)
    ]


def _started_earlier(alert: Alert, start: datetime, history: History) -> Alert:
    series = history.series[alert.key]
    times = series.times[series.evaluable()]
    before = (times >= to_datetime64(start)) & (times < to_datetime64(alert.since))
    return replace(alert, since=start, periods=alert.periods + int(before.sum()))


def ordered_incidents(incidents: Iterable[Incident], models: Iterable[str]) -> tuple[Incident, ...]:
    """Return open incidents in the order of models, then resolved ones, newest first."""
    ranks = {model: rank for rank, model in enumerate(models)}
    incidents = tuple(incidents)
    over = [incident for incident in incidents if incident.resolved_at is not None]
    is_open = [incident for incident in incidents if incident.resolved_at is None]
    over.sort(key=lambda incident: (incident.resolved_at or _END, incident.started_at, incident.model), reverse=True)
    return (*sorted(is_open, key=lambda incident: ranks[incident.model]), *over)


def incident_id(model: str, fired: datetime) -> str:
    """Return the name of an incident: 8 hexadecimal digits that are the same in any process, for the same data."""
    text = f"{model}\0{fired.isoformat()}"
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _groups(alerts: Iterable[Alert], periods: Times | None, restarts: Restarts) -> list[list[Alert]]:
    groups: list[list[Alert]] = []
    end = _END
    for alert in sorted(alerts, key=lambda alert: (_fired(alert), alert.since, alert.key, alert.rule)):
        is_settled = _fired(alert) - end > settle_time(periods, _fired(alert))
        is_accepted = any(end <= one.ended_at and _fired(alert) > one.newest for one in restarts)
        if not groups or is_settled or is_accepted:
            groups.append([])
            end = alert.resolved or _END
        groups[-1].append(alert)
        end = max(end, alert.resolved or _END)
    return groups


def _fired(alert: Alert) -> datetime:
    assert alert.fired is not None, "a pending alert is not part of an incident"
    return alert.fired


def usual_gap(periods: Times | None, moment: datetime) -> timedelta:
    """Return the median gap of a model's periods up to an aware moment; zero with fewer than two."""
    if periods is None:
        return timedelta()
    past = periods[: int(np.searchsorted(periods, to_datetime64(moment), "right"))][-GAPS - 1 :]
    return median_gap(past) if len(past) > 1 else timedelta()


def settle_time(periods: Times | None, moment: datetime) -> timedelta:
    """Return how long after the end of an incident the next alert of the model still belongs to it."""
    return SETTLE_GAPS * usual_gap(periods, moment)


def _is_of_new_baseline(group: Sequence[Alert], restart: BaselineRestart) -> bool:
    """Return whether an incident is by the new baseline: it did not end with the one before."""
    end = max(alert.resolved or _END for alert in group)
    return _fired(group[0]) >= restart.start and (end > restart.ended_at or _fired(group[0]) > restart.newest)


def meets(incident: TrackedIncident, alerts: Sequence[Alert], settle: timedelta, restarts: Restarts) -> bool:
    """Return whether alerts, in the order in which they fired, are about the same time as a tracked incident.

    Args:
        incident: An incident of their model.
        alerts: At least one.
        settle: Time after the end of an incident in which it may open again.
        restarts: New baselines of the model: what fired before one was accepted is not the incident that fired later.
    """
    if any(incident.fired_at <= one.newest < _fired(alerts[0]) for one in restarts):
        return False
    end = max(alert.resolved or _END for alert in alerts)
    return incident.fired_at <= _later(end, settle) and _fired(alerts[0]) <= _later(incident.resolved_at, settle)


def _later(moment: datetime | None, span: timedelta) -> datetime:
    return _END if moment is None or _END - moment < span else moment + span


class _KnownIds:
    """The ids by which receivers and people know incidents, which late rows and edited rules do not change."""

    def __init__(self, state: AlertingState) -> None:
        self._tracked: dict[str, list[TrackedIncident]] = defaultdict(list)
        for incident in state.incidents.values():
            self._tracked[incident.model].append(incident)
        self._acks: dict[str, list[Acknowledgement]] = defaultdict(list)
        for ack in state.acks:
            if ack.incident not in state.incidents:
                self._acks[ack.model].append(ack)

    def ids(self, model: str, groups: Sequence[Sequence[Alert]], settle: timedelta, restarts: Restarts) -> list[str]:
        """Return an id for each group of a model's alerts: of those that it meets, else that of its first alert.

        Open incidents come first, then the latest; of several groups that one meets, it stays with the newest.
        Withdrawn ones are last, for a merged one may have been moved to the start of that which it was merged into.
        """
        ids: dict[int, str] = {}
        order = (IncidentStatus.WITHDRAWN, IncidentStatus.RESOLVED, IncidentStatus.OPEN)
        tracked = sorted(
            self._tracked.get(model, ()), key=lambda known: (order.index(known.status), known.fired_at), reverse=True
        )
        for known in tracked:
            met = [index for index, group in enumerate(groups) if meets(known, group, settle, restarts)]
            free = [index for index in met if index not in ids]
            if free:
                ids[free[-1]] = known.id
        # What a person acknowledged before any watcher saw it is the first incident that was not over by then.
        for ack in self._acks.get(model, ()):
            ends = [max(alert.resolved or _END for alert in group) for group in groups]
            since = (index for index, end in enumerate(ends) if index not in ids and end >= ack.since)
            if (index := next(since, None)) is not None:
                ids[index] = ack.incident
        taken = set(ids.values())
        return [ids.get(index) or _unused_id(model, group, taken) for index, group in enumerate(groups)]


def _unused_id(model: str, group: Sequence[Alert], taken: set[str]) -> str:
    names = (incident_id(model, _fired(alert)) for alert in group)
    return next((name for name in names if name not in taken), incident_id(f"{model}\0", _fired(group[0])))


@dataclass(frozen=True, slots=True, eq=False)
class _IncidentBuilder:
    alerts: Sequence[Alert]
    history: History
    catalog: MetricRegistry
    previous_end: datetime | None

    def build(self, name: str) -> Incident:
        first, ends = self.alerts[0], [alert.resolved for alert in self.alerts]
        resolved_at = None if None in ends else max(end for end in ends if end is not None)
        members = [alert for alert in self.alerts if resolved_at is not None or alert.resolved is None]
        lead = self._lead(members)
        points = self._points(lead, resolved_at)
        numbers: Mapping[str, float | datetime | None] = {}
        started_at = lead.since
        if points is not None and len(points):
            started_at, is_from_first = self._start(lead, points)
            numbers = _numbers(points, started_at, lead, self.previous_end, is_from_first=is_from_first)
        elif lead.condition is Condition.NO_DATA:
            started_at = self._newest_row(lead)
        return Incident(
            id=name,
            model=first.key.model,
            status=IncidentStatus.OPEN if resolved_at is None else IncidentStatus.RESOLVED,
            severity=max(alert.severity for alert in members),
            alerts=tuple(alert.id or "" for alert in self.alerts),
            lead=lead.id or "",
            key=lead.key,
            condition=lead.condition,
            started_at=started_at,
            resolved_at=resolved_at,
            **numbers,  # type: ignore[arg-type]
        )

    def _lead(self, members: Sequence[Alert]) -> Alert:
        """Return the alert that says most about the incident; of equals that which fired first, then the largest."""
        if len(members) == 1:
            return members[0]
        best = min(map(self._rank, members))
        tied = [alert for alert in members if self._rank(alert) == best]
        if len(tied) == 1:
            return tied[0]
        return min(tied, key=lambda alert: (_fired(alert), -self._excess(alert), alert.key, alert.rule))

    def _rank(self, alert: Alert) -> tuple[int, int, bool, bool]:
        metric = self.catalog.get(alert.key.metric)
        kind = 5 if alert.key.metric == "*" else _KINDS.get(metric.family, 0 if metric.needs_labels else 2)
        severity = SEVERITY_ORDER.index(alert.severity)
        return severity, kind, alert.key.segment != "all", metric.name not in BASE_METRICS

    def _excess(self, alert: Alert) -> float:
        series = self.history.series.get(alert.key)
        if series is None or alert.condition is not Condition.THRESHOLD:
            return 0.0
        points = _evaluable(series)
        before = points.values[points.times < to_datetime64(alert.since)][-BASELINE_PERIODS:]
        values = points.values[points.times <= to_datetime64(_fired(alert))]
        if not len(before) or not len(values):
            return 0.0
        center = float(median(before))
        distance = abs(float(values[-1]) - center)
        deviation = max(NORMAL_MAD * float(median(np.abs(before - center))), float(before.std()))
        return distance / (deviation or abs(center) or 1.0)

    def _points(self, lead: Alert, resolved_at: datetime | None) -> Series | None:
        series = self.history.series.get(lead.key)
        if series is None or lead.condition is not Condition.THRESHOLD:
            return None
        points = _evaluable(series)
        if resolved_at is None:
            return points
        return points[: int(np.searchsorted(points.times, to_datetime64(resolved_at)))]

    def _newest_row(self, lead: Alert) -> datetime:
        series = self.history.series.get(lead.key)
        times = self.history.periods.get(lead.key.model) if series is None else series.times
        return lead.since if times is None or not len(times) else to_datetime(times[-1])

    def _start(self, lead: Alert, points: Series) -> tuple[datetime, bool]:
        """Return the start of the lead's change, that of its alert or of the pattern that led to it.

        Also return whether it declines from its first period on, so that nothing was before.

        Only points up to shortly after `fired` count, so that it stays while the data before it does. Of several alerts
        about one series by then, the earliest knows its start best.
        """
        known = (alert for alert in self.alerts if alert.key == lead.key and _fired(alert) <= _fired(lead))
        earliest = min(alert.since for alert in known)
        since = int(np.searchsorted(points.times, to_datetime64(earliest)))
        first = max(0, since - BASELINE_PERIODS)
        if self.previous_end is not None:
            first = max(first, int(np.searchsorted(points.times, to_datetime64(self.previous_end))))
        fired = int(np.searchsorted(points.times, to_datetime64(_fired(lead)), "right"))
        window = points[first : fired + CONFIRMING_PERIODS]
        if not 0 < since - first < len(window):
            return earliest, False
        index, sign = since - first, _bad_sign(points, lead)
        if _was_worse_before(window.values[:index], sign):
            index = _onset(window, index, sign)
        if first + index < MAX_UNSTABLE_PERIODS and self.previous_end is None:
            from modeltop.diagnosis.timeseries.forecast import declines_from_first  # late: as in `_onset`

            if first == 0 and declines_from_first(window, window.times[index]):
                return to_datetime(window.times[0]), True
        return to_datetime(window.times[index]), False


def _evaluable(series: Series) -> Series:
    evaluable = series.evaluable() & (np.abs(series.values) < MAX_MAGNITUDE)
    return series if evaluable.all() else series[evaluable]


def _was_worse_before(values: Floats, sign: float) -> bool:
    """Return whether the last of some values are worse than the others by more than chance: most changes are sudden.

    The deviation is that of successive differences, 0.954 of which is their median in a normal series.
    """
    recent, earlier = values[-LEVEL_PERIODS:], values[:-LEVEL_PERIODS]
    if len(earlier) < MIN_BASELINE_PERIODS:
        return True
    deviation = float(median(np.abs(np.diff(values)))) / 0.954
    return sign * float(recent.mean() - median(earlier)) * math.sqrt(len(recent)) > MIN_Z * deviation


def _onset(window: Series, since: int, sign: float) -> int:
    """Return the index of the first period of the change that led to the one at `since`: that of its pattern."""
    # Late: few snapshots have an incident.
    from modeltop.diagnosis.timeseries.pattern import DECLINES, MIN_CONFIDENCE, recent_pattern

    pattern = recent_pattern(window)
    is_bad = pattern.pattern in DECLINES and sign * (pattern.size or 0.0) > 0
    if pattern.started_at is None or not is_bad or pattern.confidence < MIN_CONFIDENCE:
        return since
    return min(since, int(np.searchsorted(window.times, to_datetime64(pattern.started_at))))


def _bad_sign(points: Series, lead: Alert) -> float:
    """Return the sign of a change for the worse; of a metric without a better direction, that of the alert's."""
    if points.better is not Direction.NEITHER:
        return -1.0 if points.better is Direction.HIGHER else 1.0
    breach = lead.worst_breach or lead.breach
    before = points.values[points.times < to_datetime64(lead.since)][-BASELINE_PERIODS:]
    if breach is None or not len(before):
        return 1.0
    return -1.0 if breach.value < float(median(before)) else 1.0


def _numbers(
    points: Series, started_at: datetime, lead: Alert, previous_end: datetime | None, *, is_from_first: bool
) -> dict[str, float | datetime | None]:
    """Return the lead's numbers before and after the start: the only computation of the size of an incident."""
    start = int(np.searchsorted(points.times, to_datetime64(started_at)))
    first = max(0, start - BASELINE_PERIODS)
    if previous_end is not None:
        end = int(np.searchsorted(points.times, to_datetime64(previous_end)))
        first = max(first, end) if start - end >= MIN_BASELINE_PERIODS else first
    before, after = points.values[first : start + is_from_first], points.values[start:]
    if not len(after):
        return {}
    worst = start + int(np.argmax(_bad_sign(points, lead) * after))
    level = float(median(before)) if len(before) else None
    is_bad = np.abs(after - (math.nan if level is None else level)) > np.abs(after - points.values[worst])
    bad_count = int(np.flatnonzero(is_bad)[-1]) + 1 if is_bad.any() else 0
    shown = after[: bad_count or len(after)]
    return {
        "baseline_from": None if level is None else to_datetime(points.times[first]),
        "before": level,
        "after": float(np.average(shown, weights=_weights(points)[start : start + len(shown)])),
        "last_bad_at": to_datetime(points.times[start + bad_count - 1]) if bad_count else None,
        "worst_value": float(points.values[worst]),
        "worst_at": to_datetime(points.times[worst]),
        "now": points.latest,
    }


def _weights(points: Series) -> Floats:
    weights = points.effective_support()
    return weights if bool((np.isfinite(weights) & (weights > 0)).all()) else np.ones(len(points))
