"""History from MLflow: `mlflow:TRACKING_URI[?experiment=NAME][&model=NAME]`.

An experiment is a model, with all that its runs logged, each value at its timestamp. A registered model is a model with
the metrics of the runs that made its versions. Without a selection all experiments are read.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from modeltop.core.errors import SourceError
from modeltop.core.text import did_you_mean, sanitize
from modeltop.history.sources.addresses import split_address
from modeltop.history.sources.mlflow_stores import Point, TrackingStore, Version, open_store

PARAMETERS = ("experiment", "model")
MAX_VALUES = 2_000_000
"""Values of one address; they take half a gigabyte while they are read."""
SYSTEM_METRICS = "system/"
"""Prefix of what MLflow logs about the machine (mlflow.system_metrics)."""
MIN_AT_ONCE = 1.2
"""Runs or versions measured at a time, on average, from which they are different things rather than successors."""
MAX_NAMES = 8
"""Names that a message lists."""
_PAGE = re.compile(r"/?#/(experiments|models)/([^/?]+)(?:/versions/(\d+))?.*")
"""The page of an experiment or a model in MLflow's web interface, as a browser shows its address."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Part(NamedTuple):
    """What was logged by one run, or for one version."""

    name: str
    points: Sequence[Point]


class Model(NamedTuple):
    """An experiment or a registered model."""

    name: str
    column: str
    """What its parts are: `run` or `version`."""
    parts: Sequence[Part]


def to_csv(address: str) -> bytes:
    """Fetch experiments or registered models as CSV.

    Args:
        address: With its parameters.

    Raises:
        SourceError: The address is wrong, or there is no metric.
    """
    uri, parameters = split_address(_PAGE.sub(_selection, address), PARAMETERS)
    models: list[Model] = []
    with closing(open_store(uri)) as store:
        try:
            if "model" in parameters:
                models += _registered(store, parameters["model"])
            if "experiment" in parameters or not models:
                models += _experiments(store, parameters.get("experiment", ()))
        except (KeyError, TypeError, ValueError) as error:
            raise SourceError("its answer is not that of MLflow: check host, port and path of the address") from error
    if not any(part.points for model in models for part in model.parts):
        names = ", ".join(sanitize(model.name, 40) for model in models[:MAX_NAMES]) or "this MLflow"
        raise SourceError(f"no metrics in {names}: log some with mlflow.log_metric")
    return as_csv(models)


def _selection(page: re.Match[str]) -> str:
    kind, name, version = page.groups()
    return f"?{kind.removesuffix('s')}={name}" + (f"/{version}" if version else "")


def as_csv(models: Sequence[Model]) -> bytes:
    """Return models as CSV.

    Runs or versions measured side by side are segments. Those that follow one another are one series, with a column of
    the version; a column of the run is there only where runs logged one metric at one time with different values.
    """
    apart = [_are_side_by_side(model.parts) for model in models]
    joined = [model for model, is_apart in zip(models, apart, strict=True) if not is_apart]
    has_column = {
        "run": any(model.column == "run" and _collide(model.parts) for model in joined),
        "version": any(model.column == "version" for model in joined),
    }
    columns = [column for column, is_needed in has_column.items() if is_needed]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("timestamp", "model", "segment", *columns, "metric", "value"))
    for model, is_apart in zip(models, apart, strict=True):
        for part in model.parts:
            segment = f"{model.column}={part.name}" if is_apart else "all"
            cells = (model.name, segment, *(part.name if column == model.column else "" for column in columns))
            writer.writerows((_iso(time), *cells, metric, repr(value)) for metric, time, value in part.points)
    return text.getvalue().encode()


@lru_cache(maxsize=10_000)  # metrics of a run have their times in common
def _iso(milliseconds: int) -> str:
    try:
        return (_EPOCH + timedelta(milliseconds=milliseconds)).isoformat()
    except OverflowError:
        return str(milliseconds)  # refused as a date, by its row


def _are_side_by_side(parts: Sequence[Part]) -> bool:
    """Return whether several parts were measured at a time as a rule, not only around the change to the next one."""
    spans = sorted((min(times), max(times)) for part in parts if (times := [p.milliseconds for p in part.points]))
    covered, end = 0, spans[0][0] if spans else 0
    for first, last in spans:
        covered += max(0, last - max(first, end))
        end = max(end, last)
    return sum(last - first for first, last in spans) > MIN_AT_ONCE * covered


def _collide(parts: Sequence[Part]) -> bool:
    values = dict[tuple[str, int], str]()
    points = ((point[:2], repr(point.value)) for part in parts for point in part.points)
    return any(values.setdefault(key, value) != value for key, value in points)


def _experiments(store: TrackingStore, wanted: Sequence[str]) -> Iterator[Model]:
    """Yield the experiments with these names or ids; without any, all that have metrics."""
    known = store.experiments()
    chosen = [_find(name, known) for name in wanted] or list(known)
    count = 0
    for experiment in dict.fromkeys(chosen):
        runs = store.runs(experiment)
        given = Counter(run.name for run in runs)
        names = [run.name if given[run.name] == 1 else f"{run.name}-{run.id[:8]}" for run in runs]
        parts = _counted(zip(names, store.points([run.id for run in runs]), strict=True), count)
        count += sum(len(part.points) for part in parts)
        if wanted or any(part.points for part in parts):
            yield Model(known[experiment], "run", parts)


def _find(name: str, known: Mapping[str, str]) -> str:
    """Return the id of an experiment by its name or its id."""
    found = next((key for key, each in known.items() if each == name), name if name in known else None)
    if found is None:
        raise SourceError(f"no experiment is called {_quoted(name, known.values())}")
    return found


def _registered(store: TrackingStore, wanted: Sequence[str]) -> Iterator[Model]:
    """Yield registered models: `NAME` with its versions, `NAME/3` with one, `NAME@champion` with that of an alias."""
    versions = store.versions()
    models = dict.fromkeys(version.model for version in versions)
    for name in wanted:
        chosen = [each for each in versions if _is_meant(each, name)]
        if not chosen:
            raise SourceError(f"no registered model, version or alias is called {_quoted(name, models)}")
        # A run may have made several versions; the newest of them has its metrics.
        by_run = {each.run: each for each in sorted(chosen, key=_number) if each.run}
        if not by_run:
            raise SourceError(
                f"the versions of {sanitize(name, 60)} name no run: read the experiment with their metrics"
            )
        parts = _counted(zip((each.number for each in by_run.values()), store.points(list(by_run)), strict=True), 0)
        yield Model(chosen[0].model, "version", parts)


def _is_meant(version: Version, name: str) -> bool:
    if name == version.model:
        return not version.is_archived
    return name == f"{version.model}/{version.number}" or name in (
        f"{version.model}@{alias}" for alias in version.aliases
    )


def _number(version: Version) -> tuple[int, str]:
    return (len(version.number), version.number)


def _counted(parts: Iterable[tuple[str, Sequence[Point]]], count: int) -> list[Part]:
    """Return parts without what MLflow logs about the machine.

    Raises:
        SourceError: They have more values than are read, with `count` before them.
    """
    kept: list[Part] = []
    for name, points in parts:
        kept.append(Part(name, [point for point in points if not point.metric.startswith(SYSTEM_METRICS)]))
        count += len(kept[-1].points)
        if count > MAX_VALUES:
            raise SourceError(f"more than {MAX_VALUES:,} values: name an experiment, such as ?experiment=NAME")
    return kept


def _quoted(name: str, known: Iterable[str]) -> str:
    """Return a name that is not known, with the one that may be meant, or with those that there are."""
    names = sorted(known)
    meant = did_you_mean(name, names)
    listed = ", ".join(sanitize(each, 40) for each in names[:MAX_NAMES]) or "none"
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return f"{sanitize(name, 60)}" + (meant or f": there are {listed}{more}")
