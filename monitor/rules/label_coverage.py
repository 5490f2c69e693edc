"""Whether there are labels enough to evaluate a model: shown on the screen and by `check` beside its state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

import numpy as np

from modeltop.core.metrics.registry import LABEL_COVERAGE, MetricRegistry
from modeltop.core.series import History, Series, Times, to_datetime
from modeltop.core.stats.robust import distinct
from modeltop.core.stats.spacing import period_unit
from modeltop.core.text import format_day, format_percent, pluralize


class LabelState(Enum):
    """State to display if labels are missing."""

    NOT_ENOUGH = "NOT ENOUGH LABELS"
    """No period can be evaluated by metrics that need labels."""
    PENDING = "LABELS PENDING"
    """The newest periods cannot be evaluated yet."""


@dataclass(frozen=True, slots=True)
class LabelCoverage:
    """Description of the missing labels of one model."""

    state: LabelState
    since: datetime
    """Start of the first period that waits."""
    sentence: str
    """Starts with the state; no foreign text."""


def label_coverage(history: History, catalog: MetricRegistry) -> dict[str, LabelCoverage]:
    """Return the missing labels by model, without models that have all labels or no known label coverage."""
    by_model: dict[str, list[Series]] = {}
    models = {key.model for key in history.series if key.metric == LABEL_COVERAGE and key.segment == "all"}
    for key, series in history.series.items():
        if key.model in models and key.segment == "all":
            by_model.setdefault(key.model, []).append(series)
    missing = {model: _missing_labels(series, catalog) for model, series in by_model.items()}
    return {model: coverage for model, coverage in missing.items() if coverage is not None}


def _missing_labels(all_series: Iterable[Series], catalog: MetricRegistry) -> LabelCoverage | None:
    by_metric = {series.key.metric: series for series in all_series}
    coverage = by_metric.pop(LABEL_COVERAGE)
    labelled = [series for name, series in by_metric.items() if catalog.get(name).needs_labels]
    unlabelled = [series for name, series in by_metric.items() if not catalog.get(name).needs_labels]
    evaluated = [series.times[flags][-1] for series in labelled if (flags := series.evaluable()).any()]
    newest = max(evaluated, default=None)
    unlabelled_periods = coverage.times[coverage.evaluable() & (coverage.values == 0)]
    if newest is None or (unlabelled_periods > newest).any():
        periods = coverage.times if newest is None else coverage.times[coverage.times > newest]
        return _describe_missing(LabelState.NOT_ENOUGH, coverage, periods)
    pending = _pending_periods(coverage, unlabelled)
    return _describe_missing(LabelState.PENDING, coverage, pending) if len(pending) else None


def _pending_periods(coverage: Series, unlabelled: Iterable[Series]) -> Times:
    """Return periods that are over, as metrics without labels show, and whose labels are still to come."""
    incomplete = coverage.times[~coverage.evaluable()]
    over = [series.times[series.evaluable()] for series in unlabelled]
    if not over:
        return incomplete[:-1]
    return incomplete[np.isin(incomplete, distinct(np.concatenate(over)), assume_unique=True)]


def _describe_missing(state: LabelState, coverage: Series, periods: Times) -> LabelCoverage:
    since = to_datetime(periods[0])
    ratio = float(coverage.values[np.isin(coverage.times, periods, assume_unique=True)].mean())
    percent = format_percent(ratio)
    count = pluralize(len(periods), period_unit(coverage))
    text = f"{percent} of the rows of {count} have a label, too few to evaluate"
    if state is LabelState.PENDING:
        text = f"{count} wait{'s' if len(periods) == 1 else ''}, {percent} of the labels have come"
    return LabelCoverage(state, since, f"{state.value} since {format_day(since, coverage.newest)}: {text}")
