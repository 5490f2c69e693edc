"""The one order of problems and models: who should be looked at first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import (
    Alert,
    Condition,
    History,
    ModelStatus,
    RuleStatus,
    SeriesKey,
    Severity,
    State,
    to_datetime,
)
from modeltop.core.text import format_period, pluralize
from modeltop.rules.label_coverage import LabelCoverage, blocks_evaluation, describe

NO_ACKNOWLEDGEMENTS: frozenset[str] = frozenset()
Rank = tuple[int, bool, float, float]
"""Smaller comes first: severity, acknowledged, age of `fired`, relative excess."""
HEALTHY_RANK: Rank = (0, False, 0.0, 0.0)
UNEVALUATED_RANK: Rank = (-Severity.UNKNOWN, False, 0.0, 0.0)


def ordered_alerts(
    episodes: Iterable[Alert], acknowledged: AbstractSet[str] = NO_ACKNOWLEDGEMENTS
) -> tuple[Alert, ...]:
    """Those that stand, worst first; then the pending, likewise; then the past, newest first.

    Worst is: severity, then what nobody has acknowledged, then newest fired, then the relative distance beyond the
    limit, then the names.

    Args:
        episodes: In any order.
        acknowledged: The ids that a person has taken.
    """

    def place(one: Alert) -> tuple[object, ...]:
        severity, taken, fired, excess = _rank(one, acknowledged)
        names = (one.key, one.rule)
        if one.is_active:
            return (0, severity, taken, fired, excess, *names)
        if one.state is State.PENDING:
            return (1, severity, taken, -one.since.timestamp(), excess, *names)
        return (2, fired, severity, taken, excess, *names)

    return tuple(sorted(episodes, key=place))


def _rank(episode: Alert, acknowledged: AbstractSet[str]) -> Rank:
    fired = episode.fired or episode.since
    return (-episode.severity, episode.id in acknowledged, -fired.timestamp(), -relative_excess(episode))


def relative_excess(episode: Alert) -> float:
    """The newest value's distance from the limit as a share of the limit; the distance itself where that is 0.

    0 where it is told from the past alone: an error that doubles is no worse than an accuracy that falls by a tenth.
    """
    evidence = episode.breach
    if evidence is None or evidence.limit is None or evidence.is_baseline:
        return 0.0
    return abs(evidence.value - evidence.limit) / (abs(evidence.limit) or 1.0)


def model_statuses(
    history: History,
    episodes: Iterable[Alert],
    standings: Iterable[RuleStatus],
    catalog: MetricRegistry,
    *,
    acknowledged: AbstractSet[str] = NO_ACKNOWLEDGEMENTS,
    labels: Mapping[str, LabelCoverage] | None = None,
) -> tuple[ModelStatus, ...]:
    """What to read first about each model, and about each source that gave none: worst first.

    Args:
        history: Whose models are asked about.
        episodes: In any order; only those that stand make a model bad.
        standings: Of all models.
        catalog: Names the metrics.
        acknowledged: The ids that a person has taken.
        labels: What is missing of the labels, by model: a model that could not be judged for that is not said to be ok.
    """
    open_ones = _first_of_each([one for one in ordered_alerts(episodes, acknowledged) if one.resolved is None])
    news, sentences = labels or {}, _best_of_each(standings)
    seen = _judged(standings, history) if news else NO_ACKNOWLEDGEMENTS
    ranked: list[tuple[Rank, str, ModelStatus]] = []
    for model in dict.fromkeys((*history.periods, *(key.model for key in history.series), *open_ones)):
        top = open_ones.get(model)
        stands = top is not None and top.is_active
        calm = Severity.UNKNOWN if blocks_evaluation(news, model) and model not in seen else Severity.OK
        severity = top.severity if top and stands else calm
        text = _alert(top, history, catalog) if top else sentences.get(model, "no rule judges it")
        text = f"{text}; {news[model].sentence}" if top and model in news else describe(text, news.get(model))
        rank = _rank(top, acknowledged) if top and stands else (UNEVALUATED_RANK if calm else HEALTHY_RANK)
        ranked.append((rank, model, ModelStatus(model, severity, text)))
    return tuple(verdict for *_, verdict in sorted(ranked, key=lambda entry: entry[:2]))


def worst_series(
    model: str,
    history: History,
    episodes: Iterable[Alert],
    standings: Iterable[RuleStatus] = (),
    *,
    acknowledged: AbstractSet[str] = NO_ACKNOWLEDGEMENTS,
) -> SeriesKey | None:
    """The series of a model to open on: of its worst alert, else one that a rule judges, else its first.

    None for a model without series, such as a source that cannot be read.
    """
    mine = [one for one in episodes if one.key.model == model and one.resolved is None]
    wanted = [one.key for one in ordered_alerts(mine, acknowledged)]
    rules = [one for one in standings if one.key.model == model]
    wanted += [one.key for one in sorted(rules, key=lambda one: one.skip_reason is not None)]
    wanted += [series.key for series in history.for_model(model)]
    return next((key for key in wanted if key in history.series), None)


def _judged(standings: Iterable[RuleStatus], history: History) -> AbstractSet[str]:
    """The models of which a rule has judged anything at all."""
    applied = [one.key for one in standings if one.skip_reason is None]
    return {key.model for key in applied if key in history.series and history.series[key].evaluable().any()}


def _first_of_each(ordered: Sequence[Alert]) -> dict[str, Alert]:
    first: dict[str, Alert] = {}
    for episode in ordered:
        first.setdefault(episode.key.model, episode)
    return first


def _best_of_each(standings: Iterable[RuleStatus]) -> dict[str, str]:
    """Per model the sentence of the first rule that was applied; else that none was."""
    said: dict[str, str] = {}
    for one in sorted(standings, key=lambda one: one.skip_reason is not None):
        text = "no rule judges it: the default limits were left out" if one.skip_reason else one.sentence
        said.setdefault(one.key.model, _of_segment(one.key, text))
    return said


def _of_segment(key: SeriesKey, text: str) -> str:
    return text if key.segment == "all" else f"{key.segment}: {text}"


def _alert(episode: Alert, history: History, catalog: MetricRegistry) -> str:
    """The worst thing about a model, without its name."""
    message = episode.breach.message if episode.breach else ""
    if episode.condition is Condition.NO_DATA:
        newest = _newest(history, episode.key.model)
        return f"no rows since {format_period(newest)}" if newest else message
    if episode.condition is Condition.ERROR:
        return message
    metric = catalog.get(episode.key.metric).name
    span = pluralize(episode.periods, "period")
    if episode.state is State.PENDING:
        text = f"{metric} {message} for {span}, not yet told"
    elif episode.state is State.RECOVERING:
        text = f"{metric} recovering from {message}, since {format_period(episode.since)}"
    else:
        text = f"{metric} {message} for {span}, since {format_period(episode.since)}"
    return _of_segment(episode.key, text)


def _newest(history: History, model: str) -> datetime | None:
    periods = history.periods.get(model)
    return to_datetime(periods[-1]) if periods is not None and len(periods) else None
