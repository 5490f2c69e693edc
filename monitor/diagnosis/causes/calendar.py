"""The calendar as a cause: a configured holiday, or days on which the same came before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from modeltop.core.diagnosis import MAX_SENTENCE, Cause, CauseHypothesis
from modeltop.core.metrics.phrases import safe_name
from modeltop.core.series import Series, State, to_datetime
from modeltop.core.stats.recurrence import same_effect_before
from modeltop.core.stats.spacing import typical_period
from modeltop.core.text import format_day, truncate_at_word
from modeltop.diagnosis.causes.base import EvidenceItem, cause, combine_evidence
from modeltop.diagnosis.causes.external import release_evidence
from modeltop.diagnosis.observations import Observations

DAY, WEEK = timedelta(days=1), timedelta(days=7)
MIN_STARTED = 0.25
"""Ratio to the worst change from which the first period belongs to it: what started before is not the holiday's."""
LEAD = f"Possible {Cause.CALENDAR.value}: "


@cause
def calendar(observations: Observations) -> CauseHypothesis | None:
    """Weigh whether all of it is on days on which other values are normal."""
    series, focus, context = observations.series, observations.focus, observations.context
    if series is None or focus is None or observations.windows is None or observations.no_data_alert is not None:
        return None
    if context.is_past and any(alert.key == series.key and alert.state is State.FIRING for alert in context.alerts):
        return None  # later values are better, and still breach
    since = series[series.evaluable() & (series.times >= observations.windows.onset)]
    changes = np.sign(focus.delta) * (since.values - focus.before)
    is_bad = changes > changes.max(initial=0.0) / 2  # nearer to the worst than to the level before
    is_bad[:1] |= changes[:1] > changes.max(initial=0.0) * MIN_STARTED
    bad = since[is_bad]
    if not len(bad) or (length := typical_period(series)) > WEEK:
        return None
    pro = _configured(observations, bad, length)
    if pro is None and length == DAY:
        pro = _repeated(observations, series, bad, float(bad.values.mean()) - focus.before)
    return combine_evidence(Cause.CALENDAR, [pro], release_evidence(observations, 0.4))


def _configured(observations: Observations, bad: Series, length: timedelta) -> EvidenceItem | None:
    starts = [to_datetime(time) for time in bad.times]
    configured = observations.context.calendar
    events = [next((event for event in configured if event.overlaps(start, length)), None) for start in starts]
    names = " and ".join(dict.fromkeys(safe_name(event.name) for event in events if event is not None))
    if None in events:
        return None
    first, last = (format_day(start, observations.context.now) for start in (starts[0], starts[-1]))
    days = f" on {first}" if first == last else f", {first} to {last}"
    return EvidenceItem(0.9, truncate_at_word(names, MAX_SENTENCE - 1 - len(LEAD + days)) + days)


def _repeated(observations: Observations, series: Series, bad: Series, effect: float) -> EvidenceItem | None:
    starts = same_effect_before(series[series.evaluable()], bad.times, effect)
    moments = (datetime(start.year, start.month, start.day, tzinfo=UTC) for start in starts[-2:])
    days = [format_day(moment, observations.context.now) for moment in moments]
    return EvidenceItem(0.85, f"the same {'drop' if effect < 0 else 'rise'} on {' and '.join(days)}") if days else None
