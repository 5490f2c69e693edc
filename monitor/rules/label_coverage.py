"""Whether there are labels enough to judge a model: said on the screen and by `check` instead of inventing a state.

Pure. It asks the history alone, so it holds for whoever writes `label_coverage` and provisional periods.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import History, Series, to_datetime
from modeltop.core.stats.robust import distinct
from modeltop.core.text import format_period, pluralize

if TYPE_CHECKING:
    from modeltop.core.series import Times

COVERAGE = "label_coverage"


class LabelState(Enum):
    """What is said where labels are missing."""

    NOT_ENOUGH = "NOT ENOUGH LABELS"
    """No period can be judged by what rests on labels."""
    PENDING = "LABELS PENDING"
    """The newest periods cannot be judged yet."""


@dataclass(frozen=True, slots=True)
class LabelCoverage:
    """What is missing of one model's labels."""

    state: LabelState
    since: datetime
    """Start of the first period that waits."""
    sentence: str
    """Begins with the state; our own words and numbers only."""


def label_coverage(history: History, catalog: MetricRegistry) -> dict[str, LabelCoverage]:
    """What is missing, by model; a model whose labels are all there, or of which nothing is known, is not in it."""
    by_model: dict[str, list[Series]] = {}
    covered = {key.model for key in history.series if key.metric == COVERAGE and key.segment == "all"}
    for key, series in history.series.items():
        if key.model in covered and key.segment == "all":
            by_model.setdefault(key.model, []).append(series)
    found = {model: _news(series, catalog) for model, series in by_model.items()}
    return {model: news for model, news in found.items() if news is not None}


def _news(series: Iterable[Series], catalog: MetricRegistry) -> LabelCoverage | None:
    by_metric = {one.key.metric: one for one in series}
    coverage = by_metric.pop(COVERAGE)
    resting = [one for name, one in by_metric.items() if catalog.get(name).needs_labels]
    free = [one for name, one in by_metric.items() if not catalog.get(name).needs_labels]
    waiting = _waiting(coverage, free)
    judged = [one.times[flags][-1] for one in resting if (flags := one.evaluable()).any()]
    newest = max(judged, default=None)
    periods = coverage.times if newest is None else coverage.times[coverage.times > newest]
    if newest is None or _stopped(coverage, newest):
        return _told(LabelState.NOT_ENOUGH, coverage, periods)
    return _told(LabelState.PENDING, coverage, waiting) if len(waiting) else None


def _waiting(coverage: Series, free: Iterable[Series]) -> Times:
    """Periods that are over, as what needs no label says, and whose labels are still to come."""
    open_ones = coverage.times[~coverage.evaluable()]
    over = [one.times[one.evaluable()] for one in free]
    return open_ones[np.isin(open_ones, distinct(np.concatenate(over)), assume_unique=True)] if over else open_ones[:-1]


def _stopped(coverage: Series, newest: np.datetime64) -> bool:
    """Whether a complete period after the last one with a judged metric has no label at all."""
    later = coverage.evaluable() & (coverage.times > newest)
    return bool((later & (coverage.values == 0)).any())


def _told(state: LabelState, coverage: Series, periods: Times) -> LabelCoverage:
    at = np.isin(coverage.times, periods, assume_unique=True)
    since = to_datetime(periods[0])
    share = float(coverage.values[at].mean())
    many = pluralize(len(periods), "period")
    if state is LabelState.PENDING:
        text = (
            f"since {format_period(since)}: {many} wait{'s' if len(periods) == 1 else ''}, {_percent(share)} are there"
        )
    else:
        text = f"since {format_period(since)}: {_percent(share)} of the rows of {many} have one, too few to judge"
    return LabelCoverage(state, since, f"{state.value} {text}")


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.1 or not share else f"{100 * share:.2g} %"


def describe(sentence: str, news: LabelCoverage | None) -> str:
    """A model's sentence with what is missing: first where nothing could be judged, else behind."""
    if news is None:
        return sentence
    return news.sentence if news.state is LabelState.NOT_ENOUGH else f"{sentence}; {news.sentence}"


def blocks_evaluation(news: Mapping[str, LabelCoverage], model: str) -> bool:
    """Whether nothing that rests on labels could be judged."""
    return model in news and news[model].state is LabelState.NOT_ENOUGH
