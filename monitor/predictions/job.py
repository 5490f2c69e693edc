"""From logs to the store: read in batches, measure, gather by model, keep; memory stays flat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.errors import UsageError
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import to_datetime64
from modeltop.core.text import sanitize
from modeltop.history.store.computed import StagedRun, staged_run
from modeltop.predictions.collect import ALL
from modeltop.predictions.completeness import chunk_ends, span_ends
from modeltop.predictions.feature_job import compute_features
from modeltop.predictions.metrics.binary import Cost
from modeltop.predictions.periods import COLUMN_PREFIX, parse_period, rows_per_period
from modeltop.predictions.progress import Progress
from modeltop.predictions.reference_stats import ReferenceStats
from modeltop.predictions.run import CLASS, FEATURE, OWN_COLUMNS, ModelRun, PeriodEnds
from modeltop.predictions.spec import LogSettings, LogSpec, Task
from modeltop.predictions.summary import RunSummary, describe_commit

if TYPE_CHECKING:
    from modeltop.predictions.engines.base import Engine
    from modeltop.predictions.spec import ResolvedLog


@dataclass(frozen=True, slots=True)
class ComputeResult:
    """What a run has done."""

    messages: tuple[str, ...]
    """Sentences for a person; may quote foreign text."""
    newest: datetime | None
    """Start of the newest period that was computed; None without any."""
    changed_models: int
    """Models whose periods were written; 0 where nothing changed."""


def compute(
    jobs: Sequence[LogSettings],
    folder: Path,
    *,
    catalog: MetricRegistry,
    now: datetime,
    progress: Progress | None = None,
) -> ComputeResult:
    """Turn logs into history, all of them or none.

    Args:
        jobs: What to read.
        folder: The store.
        catalog: The metrics.
        now: What is over and complete is told by it; aware.
        progress: Told how far the reading has come, from another thread.

    Raises:
        SourceError: A log cannot be read as it was asked for.
        StoreError: The store cannot be written; it is as it was.
        UsageError: What was asked for does not go together.
    """
    said: list[str] = []
    newest: list[datetime] = []
    with staged_run(folder, catalog, lambda name: catalog.get(name).needs_labels) as run:
        for job in jobs:
            told, lines = _one(job, run, now, progress)
            prefix = f"{sanitize(job.name, 40)}: " if len(jobs) > 1 else ""
            said += [prefix + line for line in lines]
            if told.newest_period is not None:
                newest.append(told.newest_period)
        changed = run.commit()
    said.append(describe_commit(changed, folder))
    return ComputeResult(tuple(said), max(newest, default=None), changed.models)


def _one(job: LogSettings, run: StagedRun, now: datetime, progress: Progress | None) -> tuple[RunSummary, list[str]]:
    from modeltop.predictions.engines.base import open_engine
    from modeltop.predictions.queries.aggregate import aggregate
    from modeltop.predictions.schema_inference import resolve

    with open_engine(job.engine) as engine:
        reading = resolve(job.spec, engine)
        _check(job, reading)
        work = ModelRun(
            run,
            period_ends(job.spec),
            to_datetime64(now),
            delay=_delay(job.label_delay),
            cost=Cost(**job.cost) if job.cost else None,
            per_class=job.per_class,
            segment_columns=_segment_columns(job, reading),
            reference=_references(reading, engine),
        )
        since = None if job.since is None else to_datetime64(now - job.since)
        work.add_batches(aggregate(reading, engine, since=since, progress=progress))
        if reading.features:
            from modeltop.predictions.queries.features import aggregate_features

            compute_features(work, aggregate_features(reading, engine, since=since, progress=progress))
        for model, data in work.distributions.files():
            run.stage_distributions(model, data)
    return work.summary, [*reading.notes, *work.summary.lines()]


def _check(job: LogSettings, reading: ResolvedLog) -> None:
    """Raises UsageError where flags do not go with the task."""
    if job.cost and reading.task is not Task.BINARY:
        raise UsageError(f"a cost of fp and fn needs a binary task, and this log is {reading.task.value}")
    if job.per_class and reading.task is not Task.MULTICLASS:
        raise UsageError(f"--per-class needs several classes, and this log is {reading.task.value}")


def _segment_columns(job: LogSettings, reading: ResolvedLog) -> tuple[str, ...]:
    """What the first part of a run is about: everything but the features, which are read in a pass of their own."""
    columns = () if not job.spec.reference else OWN_COLUMNS if reading.features else (FEATURE,)
    return (ALL, *reading.segments, *([CLASS] if job.per_class else []), *columns)


def _references(reading: ResolvedLog, engine: Engine) -> ReferenceStats:
    from modeltop.predictions.queries.aggregate import aggregate_reference

    return (
        ReferenceStats.from_batches(aggregate_reference(reading, engine), ALL)
        if reading.spec.reference
        else ReferenceStats()
    )


def _delay(delay: timedelta | None) -> np.timedelta64 | None:
    return None if delay is None else np.timedelta64(delay, "us")


def period_ends(log: LogSpec) -> PeriodEnds:
    """When the periods of a log end. Raises SourceError for a period that is none."""
    if log.period.startswith(COLUMN_PREFIX):
        return lambda times, _: span_ends(times)
    size = rows_per_period(log.period)
    if size is not None:
        return lambda times, rows: chunk_ends(times, rows, size)
    end = cache(parse_period(log.period, log.timezone).end)  # a fleet repeats the same few thousand
    return lambda times, _: np.array([end(time) for time in times], dtype=times.dtype)
