"""History from Prometheus: a range query over its HTTP API, which is stable within version 1 of the API.

`prometheus:http://HOST:9090?query=PROMQL[&lookback=90d][&step=1d][&metric=NAME][&model=NAME]`.
https://prometheus.io/docs/prometheus/latest/querying/api/
"""

from __future__ import annotations

import csv
import io
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from modeltop.core.errors import SourceError
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.text import did_you_mean, format_duration, parse_duration, sanitize
from modeltop.history.sources.addresses import single, split_address
from modeltop.history.sources.http import JsonService, ServiceError
from modeltop.history.tables import is_performance_metric

PARAMETERS = ("query", "lookback", "step", "metric", "model")
LOOKBACK = timedelta(days=90)
STEP = timedelta(days=1)
MAX_POINTS = 11_000
"""Points of a series that Prometheus returns (web/api/v1: `exceeded maximum resolution of 11,000 points`)."""
STEPS = ("1m", "5m", "15m", "1h", "6h", "1d", "1w")
"""Steps that are proposed."""
MODEL_LABELS = ("model", "model_name", "modelname", "model_id", "deployment", "service", "app", "job")
"""Labels that name the model, the first that a series has."""
VERSION_LABELS = ("version", "model_version")
PROCESS_LABELS = ("instance", "pod")
"""Labels that a deployment changes."""
MAX_AT_ONCE = 1.2
"""Series at a time, on average, up to which they follow one another."""
WEEK_SECONDS, MONDAY_SECONDS = 604_800, 4 * 86_400
"""1 Jan 1970 was a Thursday."""
EXPORTER_PREFIXES = ("go_", "process_", "python_", "prometheus_", "promhttp_", "scrape_", "up", "net_conntrack_")
"""Starts of the names of metrics that Prometheus and the clients of it have about themselves."""
MAX_NAMED = 8
"""Metrics that are named to choose from."""
_EXAMPLE = "avg by (model) (model_accuracy)"
_NO_NAMES = re.compile(
    r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|`[^`]*`|\{[^}]*\}|\[[^\]]*\]"
    r"|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)|#.*"
)
"""Parts of a query in which no name is that of a metric."""
_NAME = re.compile(r"(?<![\w:.])[A-Za-z_:][\w:]*+(?!\s*\()")
_WORDS = frozenset({
    "and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring", "group_left", "group_right", "inf",
    "nan", "atan2",
})  # fmt: skip
Labels = Mapping[str, str]
Values = Sequence[tuple[float | str, str]]
"""Dates, as seconds since 1970 or as text, and values, which may be `NaN` or `+Inf`."""


class Samples(NamedTuple):
    """The samples of one series of an answer."""

    labels: Labels
    values: Values


class Grid(NamedTuple):
    """The steps of a range: each has the value at its end, and the date of its start, as a row of a day has."""

    first: float
    """Start of the first step, in seconds since 1970."""
    last: float
    """Start of the last step that is over."""
    step: float

    @classmethod
    def until(cls, now: float, lookback: timedelta, step: timedelta) -> Grid:
        """Return the steps before `now`, in seconds since 1970: days start at midnight UTC, weeks on Monday."""
        seconds = step.total_seconds()
        offset = MONDAY_SECONDS if seconds % WEEK_SECONDS == 0 else 0
        running = (now - offset) // seconds * seconds + offset
        return cls(running - max(1, round(lookback / step)) * seconds, running - seconds, seconds)

    def start_of(self, moment: float) -> float:
        """Return the start of the step that has a moment."""
        return self.first + (moment - self.first) // self.step * self.step


def to_csv(address: str, clock: Callable[[], float] = time.time) -> bytes:
    """Fetch the result of a query as CSV: date, model, segment, metric, value.

    Args:
        address: With its parameters.
        clock: Returns the seconds since 1970.

    Raises:
        SourceError: The address is wrong, or Prometheus gives no history for it.
    """
    url, parameters = split_address(address, PARAMETERS)
    query, metric, model = (single(parameters, name) for name in ("query", "metric", "model"))
    if not query:
        example = f"which metric? Name a query: 'prometheus:http://HOST:9090?query={_EXAMPLE}'"
        raise SourceError(example + _choice(JsonService(url, "Prometheus")))
    lookback, step = (
        _duration(parameters, name, default) for name, default in (("lookback", LOOKBACK), ("step", STEP))
    )
    if lookback / step > MAX_POINTS:
        raise SourceError(_too_many(lookback))
    prometheus = JsonService(url, "Prometheus")
    series = _fetch(prometheus, query, clock(), lookback, step)
    if not any(each.values for each in series):
        raise SourceError(_no_data(prometheus, query, lookback, single(parameters, "step") or "1d"))
    return as_csv(series, query=query, metric=metric, model=model)


def as_csv(series: Iterable[Samples], *, query: str = "", metric: str = "", model: str = "") -> bytes:
    """Return series as CSV: date, model, segment, metric, value, and version where versions follow one another.

    Args:
        series: With their labels: the metric is `metric` or the name, the model the first of `MODEL_LABELS`. Other
            labels that differ within one model and metric are the segment, but those of versions, pods and instances
            that follow one another, of which there is one series.
        query: Names the metric that no label names.
        metric: Name for all series, in place of their own.
        model: The same for the model.

    Raises:
        SourceError: The metric has no name.
    """
    groups = defaultdict[tuple[str, str], list[Samples]](list)
    for labels, values in series:
        rest = dict(labels)
        name, written = rest.pop("__name__", ""), rest.pop("metric", "")
        by_label = next((rest.pop(label) for label in MODEL_LABELS if rest.get(label)), "")
        key = model or by_label or "prometheus", metric or written or name or _metric_of(query)
        groups[key].append(Samples(rest, values))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("timestamp", "model", "segment", "version", "metric", "value"))
    for (of_model, of_metric), members in groups.items():
        for segment, version, values in _segments(members):
            writer.writerows((_iso(moment), of_model, segment, version, of_metric, value) for moment, value in values)
    return text.getvalue().encode()


def _segments(members: Sequence[Samples]) -> Iterator[tuple[str, str, Values]]:
    """Yield the segment of each series of one model and metric, its own label and those that differ, and its version.

    The version is empty where versions are segments, as those that are served side by side.
    """
    names = sorted({name for labels, _ in members for name in labels} - {"segment"})
    names = [name for name in names if len({labels.get(name, "") for labels, _ in members}) > 1]
    for passing in ((*VERSION_LABELS, *PROCESS_LABELS), VERSION_LABELS):
        lasting = [name for name in names if name not in passing]
        series = defaultdict[str, list[Samples]](list)
        for each in members:
            series[_segment(each.labels, lasting)].append(each)
        if len(lasting) < len(names) and all(map(_follow_one_another, series.values())):
            for segment, parts in series.items():
                yield from ((segment, *version) for version in _joined(parts))
            return
    yield from ((_segment(labels, names), "", values) for labels, values in members)


def _segment(labels: Labels, names: Iterable[str]) -> str:
    parts = [labels.get("segment", ""), *(f"{name}={labels[name]}" for name in names if labels.get(name))]
    return ",".join(part for part in parts if part) or "all"


def _follow_one_another(parts: Sequence[Samples]) -> bool:
    """Return whether series have few dates in common, and not the newest."""
    counts = Counter(moment for part in parts for moment, _ in part.values)
    return (not counts or counts[max(counts)] == 1) and counts.total() <= MAX_AT_ONCE * len(counts)


def _joined(parts: Sequence[Samples]) -> Iterator[tuple[str, Values]]:
    """Yield the version of each part and its values, without those of dates at which a later part has one."""
    taken = set[float | str]()
    filled = [part for part in parts if part.values]
    for labels, values in sorted(filled, key=lambda part: _iso(max(part.values)[0]), reverse=True):
        version = next((labels[name] for name in VERSION_LABELS if labels.get(name)), "")
        yield version, [value for value in values if value[0] not in taken]
        taken |= {moment for moment, _ in values}


def _iso(moment: float | str) -> str:
    return moment if isinstance(moment, str) else datetime.fromtimestamp(moment, UTC).isoformat()


def _metric_of(query: str) -> str:
    """Return the name of the only metric in a query.

    >>> _metric_of('avg by (model) (last_over_time(model_accuracy{env="prod"}[1d] offset 1d))')
    'model_accuracy'

    Raises:
        SourceError: There are others, or none.
    """
    names: list[str] = list(dict.fromkeys(_NAME.findall(_NO_NAMES.sub(" ", query))))
    names = [name for name in names if name.lower() not in _WORDS]
    if len(names) != 1:
        raise SourceError("the result of the query has no name: add one, such as &metric=accuracy")
    return names[0]


def _fetch(prometheus: JsonService, query: str, now: float, lookback: timedelta, step: timedelta) -> list[Samples]:
    """Return the values at the end of each step, and those of now for the step that is running."""
    grid = Grid.until(now, lookback, step)
    # The last millisecond of a step: a sample at its end is that of the next.
    end = grid.step - 0.001
    times = {"start": f"{grid.first + end:.3f}", "end": f"{grid.last + end:.3f}", "step": f"{grid.step:g}"}
    try:
        over = prometheus.get("/api/v1/query_range", {"query": query, **times})
        running = prometheus.get("/api/v1/query", {"query": query, "time": f"{now:.3f}"})
    except ServiceError as error:
        raise SourceError(_refused(error, lookback)) from None
    series = dict[tuple[tuple[str, str], ...], list[tuple[float | str, str]]]()
    for labels, values in (*series_of(over), *series_of(running)):
        dated = series.setdefault(tuple(sorted(labels.items())), [])
        dated += ((grid.start_of(float(moment)), value) for moment, value in values)
    return [Samples(dict(labels), values) for labels, values in series.items()]


def series_of(answer: Mapping[str, Any]) -> Iterator[Samples]:
    """Yield the series of an answer: those of a range have `values`, those of one moment a `value`.

    Raises:
        SourceError: It is none of Prometheus, or has only a part of the data.
    """
    warnings = [text for text in answer.get("warnings") or () if not str(text).startswith("PromQL ")]
    if warnings:  # such as a store of Thanos that does not answer: the worst model may be among what is missing
        raise SourceError(f"it answers with a part of the data ({sanitize(warnings[0], 120)}): see its log")
    try:
        result = answer["data"]["result"] if answer["data"]["resultType"] in ("matrix", "vector") else []
        for each in result:
            values = each.get("values") or ([each["value"]] if "value" in each else [])
            labels = {str(name): str(label) for name, label in each["metric"].items()}
            yield Samples(labels, [(_moment(moment), str(value)) for moment, value in values])
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise SourceError("its answer is not that of Prometheus: check host, port and path of the address") from None


def _moment(seconds: Any) -> float:
    """Return the time of a sample; raise ValueError or OverflowError if it is no date."""
    datetime.fromtimestamp(float(seconds), UTC)
    return float(seconds)


def _duration(parameters: Mapping[str, Sequence[str]], name: str, default: timedelta) -> timedelta:
    text = single(parameters, name)
    duration = parse_duration(text) if text else default
    if duration is None:
        raise SourceError(f"invalid {name} `{sanitize(text, 40)}`: write a number and s, m, h, d or w, such as 1d")
    return duration


def _too_many(lookback: timedelta) -> str:
    """Return that a range has too many points, with the step that has few enough."""
    limit = f"Prometheus returns at most {MAX_POINTS:,} points a series"
    steps = (text for text in STEPS if lookback / (parse_duration(text) or lookback) <= MAX_POINTS)
    return f"{limit}: use a larger step, such as &step={next(steps, STEPS[-1])}, or a shorter lookback"


def _refused(error: ServiceError, lookback: timedelta) -> str:
    """Return what Prometheus refused, with the remedy."""
    detail = error.detail
    if "maximum resolution" in detail or "points per timeseries" in detail:
        return _too_many(lookback)
    if "too many samples" in detail or "timed out" in detail or error.status == 503:
        return (
            f"the query is too much for Prometheus ({sanitize(detail, 120)}): use a shorter lookback or a larger step"
        )
    if error.status in (400, 422) and detail:
        return f"Prometheus cannot evaluate the query ({sanitize(detail, 120)}): correct it, in quotes for the shell"
    return str(error)


def _no_data(prometheus: JsonService, query: str, lookback: timedelta, step: str) -> str:
    """Return that a query has no data, with the metric that may be meant, or how sparse samples are found."""
    reason = f"no data for this query in the last {format_duration(lookback, 1)}"
    try:
        name, names = _metric_of(query), _metric_names(prometheus)
    except SourceError:
        return f"{reason}: check it in the web interface of Prometheus"
    if name in names:
        return f"{reason}: samples older than 5 minutes count only in last_over_time({sanitize(name, 60)}[{step}])"
    return f"{reason}: no metric is called {sanitize(name, 60)}{did_you_mean(name, names).replace(':', ';', 1)}"


def _metric_names(prometheus: JsonService) -> list[str]:
    """Return the names of all metrics; raise SourceError if the service does not give them."""
    names = prometheus.get("/api/v1/label/__name__/values", {}).get("data", [])
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def _choice(prometheus: JsonService) -> str:
    """Return the metrics that may be meant, those of models first; nothing if the service does not give them."""
    try:
        names = _metric_names(prometheus)
    except SourceError:
        return ""
    registry = MetricRegistry()
    own = [name for name in names if not name.startswith(EXPORTER_PREFIXES)]
    own.sort(key=lambda name: not is_performance_metric(name, registry))
    more = f" and {len(own) - MAX_NAMED:,} more" if len(own) > MAX_NAMED else ""
    return f"; it has {sanitize(', '.join(own[:MAX_NAMED]), 400)}{more}" if own else ""
