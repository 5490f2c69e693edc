"""New baselines that people accepted: rules see the periods until then and those of the new one as two series."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

import numpy as np

from modeltop.core.incident import BaselineRestart
from modeltop.core.series import Alert, Series, SeriesKey, State, to_datetime64

SeriesByKey = Mapping[SeriesKey, Series]


def split_at_restarts(series: SeriesByKey, restarts: Mapping[str, Sequence[BaselineRestart]]) -> list[SeriesByKey]:
    """Return the series from the newest restart of their model's baseline on, then those until each was accepted.

    Of a model with two restarts that is what followed the second; what followed the first, until the second was
    accepted; and what was there when the first was. Periods of a new baseline that were there when it was accepted are
    in both; parts without a period are left out.

    Args:
        series: All of a history; equal objects give equal objects, so that nothing unchanged is evaluated again.
        restarts: By model, oldest first; series of other models are not split.
    """
    if not restarts:
        return [series]
    parts: list[dict[SeriesKey, Series]] = [{} for _ in range(1 + max(map(len, restarts.values()), default=0))]
    for key, one in series.items():
        of_model = restarts.get(key.model, ())
        for number, restart in enumerate((None, *of_model)):
            following = of_model[number] if number < len(of_model) else None
            part = _part(one, restart, following) if of_model else one
            if len(part):
                parts[len(of_model) - number][key] = part
    return list(parts)


@lru_cache(maxsize=4096)
def _part(series: Series, restart: BaselineRestart | None, following: BaselineRestart | None) -> Series:
    times = series.times
    first = 0 if restart is None else int(np.searchsorted(times, to_datetime64(restart.start)))
    end = len(series) if following is None else int(np.searchsorted(times, to_datetime64(following.newest), "right"))
    return series[first : max(first, end)]


def ended_at_restart(
    alerts: Iterable[Alert], current: Iterable[Alert], restarts: Mapping[str, BaselineRestart]
) -> Iterator[Alert]:
    """Yield the alerts that had fired when a new baseline was accepted: what was active ended with that.

    Args:
        alerts: Those of the series until then.
        current: Those of the series of the new baseline: an alert that fires by it as well is only among these.
        restarts: By model, the one that ended them.
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
