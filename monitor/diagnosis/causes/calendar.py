"""The calendar as a cause: a configured holiday, or days on which the same came before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from modeltop.core.calendar import event_at
from modeltop.core.diagnosis import Cause, CauseHypothesis
from modeltop.core.series import Series, State, to_datetime
from modeltop.core.stats.recurrence import same_effect_before
from modeltop.core.text import format_day, sanitize
from modeltop.diagnosis.before_after import typical_period
from modeltop.diagnosis.causes.base import EvidenceItem, cause, combine_evidence
from modeltop.diagnosis.causes.external import release_notes
from modeltop.diagnosis.observations import Observations

DAY, WEEK = timedelta(days=1), timedelta(days=7)


@cause
def calendar(observations: Observations) -> CauseHypothesis | None:
    """Weigh whether all of it is on days on which other values are normal."""
    series, focus = observations.series, observations.focus
    if series is None or focus is None or observations.windows is None or _goes_on(observations, series):
        return None
    since = series[series.evaluable() & (series.times >= observations.windows.onset)]
    changes = np.sign(focus.delta) * (since.values - focus.before)
    bad = since[changes > changes.max(initial=0.0) / 2]  # nearer to the worst than to the level before
    if not len(bad) or (length := typical_period(series)) > WEEK:
        return None
    pro = _configured(observations, bad, length) or _repeated(observations, series, bad)
    releases = [EvidenceItem(0.4, "a release is noted for that day")] if release_notes(observations) else []
    return combine_evidence(Cause.CALENDAR, [pro], releases)


def _goes_on(observations: Observations, series: Series) -> bool:
    """Return whether later periods are better than the worst, and still breach."""
    alerts = (alert for alert in observations.context.alerts if alert.key == series.key)
    return observations.context.is_past and any(alert.state is State.FIRING for alert in alerts)


def _configured(observations: Observations, bad: Series, length: timedelta) -> EvidenceItem | None:
    """Return that the configured calendar has all of the periods."""
    starts = [to_datetime(time) for time in bad.times]
    events = [event_at(observations.context.calendar, start, length) for start in starts]
    names = dict.fromkeys(sanitize(event.name, 40) for event in events if event is not None)
    if None in events:
        return None
    first, last = (format_day(start, observations.context.now) for start in (starts[0], starts[-1]))
    days = f" on {first}" if first == last else f", {first} to {last}"
    return EvidenceItem(0.9, f"{' and '.join(names)}{days}")


def _repeated(observations: Observations, series: Series, bad: Series) -> EvidenceItem | None:
    """Return that the same came on the same days before."""
    focus, now = observations.focus, observations.context.now
    if focus is None or typical_period(series) != DAY:
        return None
    effect = float(bad.values.mean()) - focus.before
    starts = same_effect_before(series[series.evaluable()], bad.times, effect)
    days = [format_day(datetime(start.year, start.month, start.day, tzinfo=UTC), now) for start in starts[-2:]]
    return EvidenceItem(0.85, f"the same {'drop' if effect < 0 else 'rise'} on {' and '.join(days)}") if days else None
