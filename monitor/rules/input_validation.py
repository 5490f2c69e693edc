"""Input validation before evaluation: alerts for what is there but could not be read. Pure.

A model of which the newest values were refused would otherwise be as healthy as its last readable ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase

import numpy as np

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import (
    Alert,
    Breach,
    Condition,
    FileSummary,
    History,
    ReadProblem,
    Series,
    SeriesKey,
    Severity,
    Times,
    is_too_much_lost,
    to_datetime,
)
from modeltop.core.text import pluralize
from modeltop.rules.baselines.other_series import OtherSeriesBaseline
from modeltop.rules.baselines.past import DateRange
from modeltop.rules.replay import alert_id, fired_alert
from modeltop.rules.rule import Rule, rules_for

UNREADABLE = "unreadable"
"""Name of the rule that these alerts are of."""
MAX_LISTED = 5
"""Names that a message lists."""
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Finding:
    """Something that could not be read."""

    key: SeriesKey
    message: str
    """One clause that follows the name of the series, the model or the file."""
    since: datetime | None
    """Start of the first period that it is about; None if no row has a date."""


@dataclass(frozen=True, slots=True)
class _Input:
    history: History
    rules: Sequence[Rule]
    catalog: MetricRegistry


def validate_input(
    history: History,
    rules: Sequence[Rule],
    catalog: MetricRegistry,
    *,
    now: datetime,
    first_seen: Mapping[SeriesKey, datetime] | None = None,
) -> list[Alert]:
    """Return an alert of severity unknown for each series, model or file that could not be read as it is meant.

    Args:
        history: The data.
        rules: The rules in force, default ones included.
        catalog: The metrics.
        now: The moment of evaluation: the start of an alert about a file of which not a single row could be read.
        first_seen: The starts of the alerts of the last evaluation, which replace `now`.
    """
    findings: dict[SeriesKey, _Finding] = {}
    for reason in REASONS:
        for finding in reason(_Input(history, rules, catalog)):
            findings.setdefault(finding.key, finding)
    return [_to_alert(finding, (first_seen or {}).get(finding.key, now)) for finding in findings.values()]


def _to_alert(finding: _Finding, first_seen: datetime) -> Alert:
    breach = Breach(Severity.UNKNOWN, float("nan"), None, finding.message)
    name = alert_id(UNREADABLE, finding.key, Condition.UNREADABLE, finding.since or _NO_TIME)
    return fired_alert(
        UNREADABLE, finding.key, Condition.UNREADABLE, finding.since or first_seen, breach=breach, name=name
    )


def _faults(data: _Input) -> Iterator[_Finding]:
    """Find columns that could not be read at all, and rows that could not be distinguished."""
    for file in data.history.files:
        for fault in file.faults:
            place = file.source if fault.line is None else f"{file.source}:{fault.line}"
            for model in fault.models or file.models or (file.source,):
                key = SeriesKey(model, "*")
                if fault.column is not None:
                    of_column = SeriesKey(model, data.catalog.normalize(fault.column).metric)
                    key = of_column if of_column in {*data.history.series, *data.history.refused} else key
                yield _Finding(key, f"{fault.message} ({place})", file.span[0] if file.span else None)


def _files_without_rows(data: _Input) -> Iterator[_Finding]:
    """Find files of which not a single row could be read."""
    for file in data.history.files:
        if file.lost_row is not None and not file.rows_read:
            yield _Finding(SeriesKey(file.source, "*"), f"no row can be read: {_located(file.lost_row)}", None)


def _series_without_values(data: _Input) -> Iterator[_Finding]:
    """Find metrics of which not a single value could be read."""
    yield from (
        _Finding(key, f"no value can be read{_example(key, data)}", to_datetime(refused[0]))
        for key, refused in _refused(data)
        if key not in data.history.series
    )


def _newest_values(data: _Input) -> Iterator[_Finding]:
    """Find series whose newest values could not be read."""
    for key, refused in _refused(data):
        if key in data.history.series:
            lost = refused[refused > data.history.series[key].times[-1]]
            count = "newest value" if len(lost) == 1 else f"newest {len(lost)} values"
            if len(lost):
                yield _Finding(key, f"{count} cannot be read{_example(key, data)}", to_datetime(lost[0]))


def _infinite_values(data: _Input) -> Iterator[_Finding]:
    """Find series whose newest values are infinite, which no rule evaluates."""
    for key, series in data.history.series.items():
        if math.isfinite(series.latest):
            continue
        finite = np.flatnonzero(np.isfinite(series.values))
        first = int(finite[-1]) + 1 if len(finite) else 0
        count = "newest value is" if len(series) - first == 1 else f"newest {len(series) - first} values are"
        message = f"{count} infinite: correct the input, or leave the cells empty"
        yield _Finding(key, message, to_datetime(series.times[first]))


def _many_values(data: _Input) -> Iterator[_Finding]:
    """Find series of which more than a small share could not be read."""
    for key, refused in _refused(data):
        total = len(refused) + len(data.history.series.get(key, ()))
        if is_too_much_lost(len(refused), total):
            message = f"{len(refused)} of {pluralize(total, 'value')} cannot be read{_example(key, data)}"
            yield _Finding(key, message, to_datetime(refused[0]))


def _models_without_values(data: _Input) -> Iterator[_Finding]:
    """Find models with rows, and without a value of any metric."""
    with_values = {key.model for key in data.history.series} | {key.model for key, _ in _refused(data)}
    for model, periods in data.history.periods.items():
        if model not in with_values:
            sources = [file.source for file in data.history.files if model in file.models]
            count = pluralize(len(periods), "period")
            message = f"{count} and no value of any metric: check the columns of {_listed(sources) or 'its files'}"
            yield _Finding(SeriesKey(model, "*"), message, to_datetime(periods[0]))


def _lost_rows(data: _Input) -> Iterator[_Finding]:
    """Find files whose newest rows could not be read, or more than a small share of all."""
    for file in data.history.files:
        if file.lost_row is None or file.span is None:
            continue
        if file.newest_lost and not _has_newer_rows(file, data.history):
            yield _Finding(_file_key(file), f"newest rows cannot be read: {_located(file.lost_row)}", file.span[1])
        total = file.rows_lost + file.rows_read
        if is_too_much_lost(file.rows_lost, total):
            message = f"{file.rows_lost} of {pluralize(total, 'row')} cannot be read: {_located(file.lost_row)}"
            yield _Finding(_file_key(file), message, file.span[0])


def _has_newer_rows(file: FileSummary, history: History) -> bool:
    """Return whether other files have newer rows of all of its models: its end is the end of an old log."""
    newest = [history.periods[model][-1] for model in file.models if model in history.periods]
    return file.span is not None and all(to_datetime(period) > file.span[1] for period in newest)


def _rules_without_values(data: _Input) -> Iterator[_Finding]:
    """Find configured rules, and limits of the command line, for which there is no value."""
    series = data.history.series
    for rule in data.rules:
        if rule.default:
            continue
        matched = [key for key in series if rules_for([rule], key, series)]
        if not matched and data.history.periods:
            yield _unmatched(rule, data.history)
        elif matched and not any(_has_reference(rule, series[key], series) for key in matched):
            message = f"no value for rule {rule.name}: its reference, {rule.baseline.describe()}, has none"
            yield _Finding(matched[0], message, to_datetime(series[matched[0]].times[0]))


def _has_reference(rule: Rule, series: Series, others: Mapping[SeriesKey, Series]) -> bool:
    """Return whether a series or a time that a rule names as reference has a value; others come with time."""
    if not (rule.detector.uses_baseline and isinstance(rule.baseline, OtherSeriesBaseline | DateRange)):
        return True
    return bool(rule.baseline.stats(series, min_count=rule.min_count, other_series=others).periods.any())


def _unmatched(rule: Rule, history: History) -> _Finding:
    models = [model for model in history.periods if fnmatchcase(model, rule.model)]
    keys = [key for key in history.series if key.model in models]
    segments = [key.segment for key in keys if fnmatchcase(key.metric, rule.metric)]
    if not models:
        problem = f"model {rule.model} is not among {_listed(history.periods)}"
    elif segments:
        problem = f"segment {rule.segment} is not among {_listed(segments)}"
    else:
        problem = f"the metrics are {_listed(key.metric for key in keys)}" if keys else "there is no metric"
    name = models[0] if len(models) == 1 else rule.name
    since = min(history.periods[model][0] for model in models or history.periods)
    return _Finding(
        SeriesKey(name, rule.metric, rule.segment), f"no value for rule {rule.name}: {problem}", to_datetime(since)
    )


def _listed(names: Iterable[str]) -> str:
    distinct = list(dict.fromkeys(names))
    more = f" and {len(distinct) - MAX_LISTED} more" if len(distinct) > MAX_LISTED else ""
    return ", ".join(distinct[:MAX_LISTED]) + more


def _refused(data: _Input) -> Iterator[tuple[SeriesKey, Times]]:
    """Yield the series with refused values; a column of text alone, which is no metric, is none."""
    for key, periods in data.history.refused.items():
        is_metric = key in data.history.series or data.catalog.get(key.metric).is_direction_known
        if is_metric and len(periods):
            yield key, periods


def _example(key: SeriesKey, data: _Input) -> str:
    """Return what is wrong with a refused value of a series, after a colon."""
    files = (file for file in reversed(data.history.files) if key.metric in file.refused and key.model in file.models)
    file = next(files, None)
    return "" if file is None else f": {_located(file.refused[key.metric])}"


def _located(problem: ReadProblem) -> str:
    """Return what is wrong, then where: a title has no room for both."""
    return f"{problem.message} ({problem.source}:{problem.line})"


def _file_key(file: FileSummary) -> SeriesKey:
    """Return the model of a file as a key, or if it has several the file itself."""
    return SeriesKey(file.models[0] if len(file.models) == 1 else file.source, "*")


REASONS: tuple[Callable[[_Input], Iterator[_Finding]], ...] = (
    _faults,
    _files_without_rows,
    _series_without_values,
    _newest_values,
    _infinite_values,
    _many_values,
    _models_without_values,
    _lost_rows,
    _rules_without_values,
)
"""The reasons, in their order: of several about one series, model or file the first is reported."""
