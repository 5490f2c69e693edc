"""New baselines that people accepted: rules see the periods until then and those of the new one as two series."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

import numpy as np

from modeltop.core.incident import BaselineRestart
from modeltop.core.series import Alert, Series, SeriesKey, State, to_datetime64

SeriesByKey = Mapping[SeriesKey, Series]


def split_at_restart(series: SeriesByKey, restarts: Mapping[str, BaselineRestart]) -> tuple[SeriesByKey, SeriesByKey]:
    """Return the series from the restart of their model's baseline on, and those until it was accepted, if not empty.

    Periods of the new baseline that were there when it was accepted are in both.

    Args:
        series: All of a history; equal objects give equal objects, so that nothing unchanged is evaluated again.
        restarts: By model; series of other models are not split.
    """
    if not restarts:
        return series, {}
    parts = {
        key: _parts(one, restarts[key.model]) if key.model in restarts else (None, one) for key, one in series.items()
    }
    current = {key: after for key, (_, after) in parts.items() if len(after)}
    return current, {key: before for key, (before, _) in parts.items() if before is not None and len(before)}


@lru_cache(maxsize=4096)
def _parts(series: Series, restart: BaselineRestart) -> tuple[Series, Series]:
    first = int(np.searchsorted(series.times, to_datetime64(restart.start)))
    return series[: int(np.searchsorted(series.times, to_datetime64(restart.newest), "right"))], series[first:]


def ended_at_restart(
    alerts: Iterable[Alert], current: Iterable[Alert], restarts: Mapping[str, BaselineRestart]
) -> Iterator[Alert]:
    """Yield the alerts that had fired when a new baseline was accepted: what was active ended with that.

    Args:
        alerts: Those of the series until then.
        current: Those of the series of the new baseline: an alert that fires by it as well is only among these.
        restarts: By model.
    """
    later: dict[tuple[str, SeriesKey], list[Alert]] = defaultdict(list)
    for alert in current:
        if alert.fired is not None and alert.key.model in restarts:
            later[alert.rule, alert.key].append(alert)
    for alert in alerts:
        fired, others = alert.fired, later[alert.rule, alert.key]
        if fired is None or any(_is_firing(other, fired) for other in others):
            continue
        ends = [alert.resolved or restarts[alert.key.model].ended_at, *(other.since for other in others)]
        yield replace(alert, state=State.RESOLVED, resolved=min(end for end in ends if end > fired))


def _is_firing(alert: Alert, moment: datetime) -> bool:
    return alert.since <= moment and (alert.resolved is None or moment < alert.resolved)
