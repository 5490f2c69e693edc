"""The one order of problems and models: who should be looked at first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

from modeltop.core.metrics.registry import Catalog
from modeltop.core.series import Condition, Episode, History, SeriesKey, Severity, Standing, State, Verdict, to_datetime
from modeltop.core.text import day, plural
from modeltop.rules.label_coverage import LabelNews, said, unjudged

NOBODY: frozenset[str] = frozenset()
Rank = tuple[int, bool, float, float]
"""Smaller comes first: severity, acknowledged, age of `fired`, relative excess."""
AT_EASE: Rank = (0, False, 0.0, 0.0)
UNJUDGED: Rank = (-Severity.UNKNOWN, False, 0.0, 0.0)


def ordered_episodes(episodes: Iterable[Episode], acknowledged: AbstractSet[str] = NOBODY) -> tuple[Episode, ...]:
    """Those that stand, worst first; then the pending, likewise; then the past, newest first.

    Worst is: severity, then what nobody has acknowledged, then newest fired, then the relative distance beyond the
    limit, then the names.

    Args:
        episodes: In any order.
        acknowledged: The ids that a person has taken.
    """

    def place(one: Episode) -> tuple[object, ...]:
        severity, taken, fired, excess = _rank(one, acknowledged)
        names = (one.key, one.rule)
        if one.stands:
            return (0, severity, taken, fired, excess, *names)
        if one.state is State.PENDING:
            return (1, severity, taken, -one.since.timestamp(), excess, *names)
        return (2, fired, severity, taken, excess, *names)

    return tuple(sorted(episodes, key=place))


def _rank(episode: Episode, acknowledged: AbstractSet[str]) -> Rank:
    fired = episode.fired or episode.since
    return (-episode.severity, episode.id in acknowledged, -fired.timestamp(), -excess(episode))


def excess(episode: Episode) -> float:
    """The newest value's distance from the limit as a share of the limit; the distance itself where that is 0.

    0 where it is told from the past alone: an error that doubles is no worse than an accuracy that falls by a tenth.
    """
    evidence = episode.evidence
    if evidence is None or evidence.limit is None or evidence.past:
        return 0.0
    return abs(evidence.value - evidence.limit) / (abs(evidence.limit) or 1.0)


def verdicts(
    history: History,
    episodes: Iterable[Episode],
    standings: Iterable[Standing],
    catalog: Catalog,
    *,
    acknowledged: AbstractSet[str] = NOBODY,
    labels: Mapping[str, LabelNews] | None = None,
) -> tuple[Verdict, ...]:
    """What to read first about each model, and about each source that gave none: worst first.

    Args:
        history: Whose models are asked about.
        episodes: In any order; only those that stand make a model bad.
        standings: Of all models.
        catalog: Names the metrics.
        acknowledged: The ids that a person has taken.
        labels: What is missing of the labels, by model: a model that could not be judged for that is not said to be ok.
    """
    open_ones = _first_of_each([one for one in ordered_episodes(episodes, acknowledged) if one.resolved is None])
    news, sentences = labels or {}, _best_of_each(standings)
    seen = _judged(standings, history) if news else NOBODY
    ranked: list[tuple[Rank, str, Verdict]] = []
    for model in dict.fromkeys((*history.periods, *(key.model for key in history.series), *open_ones)):
        top = open_ones.get(model)
        stands = top is not None and top.stands
        calm = Severity.UNKNOWN if unjudged(news, model) and model not in seen else Severity.OK
        severity = top.severity if top and stands else calm
        text = _alert(top, history, catalog) if top else sentences.get(model, "no rule judges it")
        text = f"{text}; {news[model].sentence}" if top and model in news else said(text, news.get(model))
        rank = _rank(top, acknowledged) if top and stands else (UNJUDGED if calm else AT_EASE)
        ranked.append((rank, model, Verdict(model, severity, text)))
    return tuple(verdict for *_, verdict in sorted(ranked, key=lambda entry: entry[:2]))


def worst_series(
    model: str,
    history: History,
    episodes: Iterable[Episode],
    standings: Iterable[Standing] = (),
    *,
    acknowledged: AbstractSet[str] = NOBODY,
) -> SeriesKey | None:
    """The series of a model to open on: of its worst alert, else one that a rule judges, else its first.

    None for a model without series, such as a source that cannot be read.
    """
    mine = [one for one in episodes if one.key.model == model and one.resolved is None]
    wanted = [one.key for one in ordered_episodes(mine, acknowledged)]
    rules = [one for one in standings if one.key.model == model]
    wanted += [one.key for one in sorted(rules, key=lambda one: one.left_out is not None)]
    wanted += [series.key for series in history.of_model(model)]
    return next((key for key in wanted if key in history.series), None)


def _judged(standings: Iterable[Standing], history: History) -> AbstractSet[str]:
    """The models of which a rule has judged anything at all."""
    applied = [one.key for one in standings if one.left_out is None]
    return {key.model for key in applied if key in history.series and history.series[key].judged().any()}


def _first_of_each(ordered: Sequence[Episode]) -> dict[str, Episode]:
    first: dict[str, Episode] = {}
    for episode in ordered:
        first.setdefault(episode.key.model, episode)
    return first


def _best_of_each(standings: Iterable[Standing]) -> dict[str, str]:
    """Per model the sentence of the first rule that was applied; else that none was."""
    said: dict[str, str] = {}
    for one in sorted(standings, key=lambda one: one.left_out is not None):
        text = "no rule judges it: the default limits were left out" if one.left_out else one.sentence
        said.setdefault(one.key.model, _of_segment(one.key, text))
    return said


def _of_segment(key: SeriesKey, text: str) -> str:
    return text if key.segment == "all" else f"{key.segment}: {text}"


def _alert(episode: Episode, history: History, catalog: Catalog) -> str:
    """The worst thing about a model, without its name."""
    message = episode.evidence.message if episode.evidence else ""
    if episode.condition is Condition.NO_DATA:
        newest = _newest(history, episode.key.model)
        return f"no rows since {day(newest)}" if newest else message
    if episode.condition is Condition.ERROR:
        return message
    metric = catalog.of(episode.key.metric).name
    span = plural(episode.periods, "period")
    if episode.state is State.PENDING:
        text = f"{metric} {message} for {span}, not yet told"
    elif episode.state is State.RECOVERING:
        text = f"{metric} recovering from {message}, since {day(episode.since)}"
    else:
        text = f"{metric} {message} for {span}, since {day(episode.since)}"
    return _of_segment(episode.key, text)


def _newest(history: History, model: str) -> datetime | None:
    periods = history.periods.get(model)
    return to_datetime(periods[-1]) if periods is not None and len(periods) else None
