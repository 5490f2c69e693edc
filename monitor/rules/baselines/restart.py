"""New baselines that people accepted: rules see the periods before and after as two series."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

import numpy as np

from modeltop.core.series import Alert, Series, SeriesKey, State, to_datetime64

SeriesByKey = Mapping[SeriesKey, Series]


def split_at_restart(series: SeriesByKey, restarts: Mapping[str, datetime]) -> tuple[SeriesByKey, SeriesByKey]:
    """Return the series from the restart of their model's baseline on, and those before it; without empty ones.

    Args:
        series: All of a history; equal objects give equal objects, so that nothing unchanged is evaluated again.
        restarts: By model, the start of the first period of the new baseline; series of other models are not split.
    """
    if not restarts:
        return series, {}
    halves = {
        key: _halves(one, restarts[key.model]) if key.model in restarts else (None, one) for key, one in series.items()
    }
    current = {key: after for key, (_, after) in halves.items() if len(after)}
    return current, {key: before for key, (before, _) in halves.items() if before is not None and len(before)}


@lru_cache(maxsize=4096)
def _halves(series: Series, start: datetime) -> tuple[Series, Series]:
    first = int(np.searchsorted(series.times, to_datetime64(start)))
    return series[:first], series[first:]


def ended_at_restart(alerts: Iterable[Alert], restarts: Mapping[str, datetime]) -> Iterator[Alert]:
    """Yield the alerts of the series before a restart: what was active until then ends with it."""
    for alert in alerts:
        if alert.resolved is not None:
            yield alert
        elif alert.fired is not None:
            yield replace(alert, state=State.RESOLVED, resolved=restarts[alert.key.model])
