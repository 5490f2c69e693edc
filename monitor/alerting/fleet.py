"""Incidents of several models that started together: their cause is likely shared. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from modeltop.alerting.grouping import usual_gap
from modeltop.core.incident import Incident, IncidentStatus, SharedStart
from modeltop.core.series import Condition, History
from modeltop.core.text import format_day

MIN_MODELS, MIN_SHARE = 3, 0.1
"""Fewest models, and smallest part of those that report, that do not start together by chance."""
MIN_CLUSTER, MIN_SHARE_OF_INCIDENTS = 5, 0.5
"""The same in a large fleet, of which a tenth are many: so many models, and so much of all open incidents. Incidents
that start by themselves spread over the weeks that they stay open; half of them in one period have one reason."""


def shared_starts(incidents: Iterable[Incident], history: History, now: datetime) -> tuple[SharedStart, ...]:
    """Return where open incidents of many models started within one period of each other, the most models first.

    Models without data are apart from those whose values got worse.

    Args:
        incidents: All of a snapshot.
        history: The models that report, and their periods.
        now: The moment by which the sentence names a day.
    """
    found: list[SharedStart] = []
    for condition in (Condition.THRESHOLD, Condition.NO_DATA):
        alike = [
            incident
            for incident in incidents
            if incident.status is IncidentStatus.OPEN and incident.condition is condition
        ]
        least_of_fleet = max(MIN_MODELS, MIN_SHARE * len(history.periods))
        least = min(least_of_fleet, max(MIN_CLUSTER, MIN_SHARE_OF_INCIDENTS * len(alike)))
        rest = sorted(alike, key=lambda incident: (incident.started_at, incident.model))
        while len(together := _largest_cluster(rest, history)) >= least:
            started_at = together[len(together) // 2].started_at
            models = tuple(sorted(incident.model for incident in together))
            sentence = _sentence(condition, together, format_day(started_at, now))
            found.append(SharedStart(condition, models, started_at, sentence))
            rest = [incident for incident in rest if incident not in together]
    return tuple(sorted(found, key=lambda shared: (-len(shared.models), shared.started_at)))


def _largest_cluster(incidents: Sequence[Incident], history: History) -> Sequence[Incident]:
    """Return the most incidents, of some in the order of their starts, that lie within one period of the first."""
    gaps = {one.model: usual_gap(history.periods.get(one.model), one.started_at) for one in incidents}
    best: Sequence[Incident] = ()
    end = 0
    for index, first in enumerate(incidents):
        limit = first.started_at + (gaps[first.model] or timedelta(days=1))
        end = max(end, index)
        while end < len(incidents) and incidents[end].started_at <= limit:
            end += 1
        if end - index > len(best):
            best = incidents[index:end]
    return best


def _sentence(condition: Condition, incidents: Sequence[Incident], day: str) -> str:
    if condition is Condition.NO_DATA:
        return f"{len(incidents):,} models have no data since {day}: look for a shared cause"
    rose = any(one.after is not None and one.before is not None and one.after > one.before for one in incidents)
    return f"{len(incidents):,} models {'got worse' if rose else 'dropped'} on {day}: look for a shared cause"
