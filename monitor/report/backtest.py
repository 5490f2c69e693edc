"""What rules would have told in the past: which alerts, for how long, how many a month. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.series import Condition, Episode, Series, SeriesKey, Standing, State, to_datetime
from modeltop.core.text import age, brief, day, plural, safe
from modeltop.report.json import alert_record, number
from modeltop.report.phrases import alert_line, left_out
from modeltop.rules.rule import Rule, sentence
from modeltop.rules.snapshot import Snapshot

if TYPE_CHECKING:
    from modeltop.core.series import Times

MONTH = timedelta(days=30.4375)
LISTED = 20
"""Alerts of one rule shown to a person; the newest."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One rule, tried on all of the past."""

    rule: Rule
    series: tuple[Series, ...]
    """Those that it asks about and is applied to."""
    left_out: tuple[Standing, ...]
    """Where a default rule is not applied, and why."""
    judged: int
    """Periods judged, over all series, without those before which there was too little history."""
    alerts: tuple[Episode, ...]
    """Those that fired, oldest first; those that still stand among them."""
    pending: tuple[Episode, ...]
    span: timedelta
    """From the first period of any series to the end of the last one."""

    @property
    def a_month(self) -> float | None:
        """Alerts in 30.4 days, over all series; None where the past is a single moment."""
        return len(self.alerts) / (self.span / MONTH) if self.span else None


def trials(snapshot: Snapshot) -> list[Trial]:
    """Every rule in force over the history of a snapshot, in the order of the rules."""
    series: dict[str, list[Series]] = {}
    without: dict[str, list[Standing]] = {}
    for standing in snapshot.standings:
        if standing.left_out is None:
            series.setdefault(standing.rule, []).append(snapshot.history.series[standing.key])
        else:
            without.setdefault(standing.rule, []).append(standing)
    episodes: dict[str, list[Episode]] = {}
    for episode in sorted(snapshot.episodes, key=lambda one: one.since):
        if episode.condition is Condition.THRESHOLD:
            episodes.setdefault(episode.rule, []).append(episode)
    return [
        _trial(rule, series.get(rule.name, []), without.get(rule.name, []), episodes.get(rule.name, []))
        for rule in snapshot.rules
    ]


def _trial(rule: Rule, series: list[Series], without: list[Standing], episodes: list[Episode]) -> Trial:
    return Trial(
        rule=rule,
        series=tuple(series),
        left_out=tuple(without),
        judged=sum(max(0, int(one.judged(rule.min_count).sum()) - rule.check.history) for one in series),
        alerts=tuple(one for one in episodes if one.fired is not None),
        pending=tuple(one for one in episodes if one.state is State.PENDING),
        span=_span([one.times for one in series if len(one)]),
    )


def _span(columns: list[Times]) -> timedelta:
    """From the first start to the last, and one usual period more: the last one lasts as well."""
    if not columns:
        return timedelta()
    first, last = min(times[0] for times in columns), max(times[-1] for times in columns)
    return to_datetime(last) - to_datetime(first) + _usual(columns)


def _usual(columns: list[Times]) -> timedelta:
    """The usual distance of two periods; nothing where no series has two."""
    gaps = np.concatenate([np.diff(times) for times in columns]).astype(np.int64)
    return timedelta(microseconds=float(np.median(gaps))) if len(gaps) else timedelta()


def rate_words(trial: Trial) -> str:
    """How often, in words.

    Such as `2 alerts in 24 months, 0.08 a month`; of less than a month the number of days is said, and where nothing
    could be judged, why.
    """
    if not trial.series:
        return "applied to no series"
    if not trial.judged:
        needed = trial.rule.check.history
        return f"0 alerts: too little history, {plural(needed, 'earlier period')} needed" if needed else "0 alerts"
    many = plural(len(trial.alerts), "alert")
    rate = trial.a_month
    if rate is None:
        return f"{many} in a single period"
    if trial.span < MONTH:
        return f"{many} in {_length(trial.span)}, {brief(rate, 2)} a month at that rate"
    return f"{many} in {trial.span / MONTH:.0f} months, {brief(rate, 2)} a month"


def _length(span: timedelta) -> str:
    return plural(span.days, "day") if span >= timedelta(days=1) else age(span)


def lines(snapshot: Snapshot) -> Iterator[str]:
    """What `rules test` prints: a paragraph a rule, its alerts with their dates beneath."""
    for trial in trials(snapshot):
        rule = trial.rule
        name = f"{'default rule ' if rule.default else ''}{safe(rule.name, 60)}"
        yield f"{name}: {safe(sentence(rule, snapshot.catalog.of(rule.metric)), 300)}"
        if trial.series:
            yield f"  {_judged(trial)}"
        yield f"  {rate_words(trial)}"
        if len(trial.alerts) > LISTED:
            yield f"  the newest {LISTED} of {len(trial.alerts):,}; --json lists all"
        for episode in (*trial.alerts[-LISTED:], *trial.pending[:LISTED]):
            yield f"    {_when(episode, snapshot.history.series)}  {alert_line(episode)}"
        yield from left_out(trial.left_out)
    for notice in snapshot.notices:
        yield f"  {safe(notice, 300)}"


def _judged(trial: Trial) -> str:
    first = min(to_datetime(one.times[0]) for one in trial.series)
    last = max(one.newest for one in trial.series)
    many = f"{len(trial.series):,} series" if len(trial.series) > 1 else "1 series"
    return f"{many}, {trial.judged:,} judged periods from {day(first)} to {day(last)}"


def _when(episode: Episode, history: Mapping[SeriesKey, Series]) -> str:
    """When it fired and ended, and how long it lasted."""
    begin = episode.fired or episode.since
    span = age(lasted(episode, history[episode.key]))
    return f"{day(begin)} to {day(episode.resolved)}, {span}" if episode.resolved else f"{day(begin)} on, {span} so far"


def lasted(episode: Episode, series: Series) -> timedelta:
    """From its first wrong period to the one that ended it; while it is open, to the end of the newest period."""
    return (episode.resolved or series.newest + _usual([series.times])) - episode.since


def records(snapshot: Snapshot) -> list[dict[str, object]]:
    """The same for a script: exact, all alerts."""
    return [_record(trial, snapshot) for trial in trials(snapshot)]


def _record(trial: Trial, snapshot: Snapshot) -> dict[str, object]:
    rule = trial.rule
    return {
        "rule": rule.name,
        "sentence": sentence(rule, snapshot.catalog.of(rule.metric)),
        "default": rule.default,
        "series": len(trial.series),
        "judged": trial.judged,
        "days": number(trial.span / timedelta(days=1)),
        "alerts": len(trial.alerts),
        "alerts_a_month": number(trial.a_month),
        "episodes": [
            alert_record(episode, snapshot)
            | {"lasted_days": lasted(episode, snapshot.history.series[episode.key]) / timedelta(days=1)}
            for episode in (*trial.alerts, *trial.pending)
        ],
        "left_out": [
            {"model": one.key.model, "metric": one.key.metric, "segment": one.key.segment, "why": one.left_out}
            for one in trial.left_out
        ],
    }
