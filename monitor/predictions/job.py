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
from modeltop.core.metrics.registry import Catalog
from modeltop.core.series import to_stamp
from modeltop.core.text import safe
from modeltop.history.store.computed import Generation, generation
from modeltop.predictions.collect import ALL
from modeltop.predictions.completeness import of_chunks, of_spans
from modeltop.predictions.feature_job import featured
from modeltop.predictions.metrics.binary import Cost
from modeltop.predictions.periods import COLUMN, parse, rows_of
from modeltop.predictions.progress import Progress
from modeltop.predictions.reference_stats import References
from modeltop.predictions.run import CLASS, FEATURE, OWN_COLUMNS, Ends, Work
from modeltop.predictions.spec import Log, LogSettings, Task
from modeltop.predictions.summary import Told, kept

if TYPE_CHECKING:
    from modeltop.predictions.engines.base import Engine
    from modeltop.predictions.spec import Reading


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run has done."""

    said: tuple[str, ...]
    """Sentences for a person; may quote foreign text."""
    newest: datetime | None
    """Start of the newest period that was computed; None without any."""
    models: int
    """Models whose periods were written; 0 where nothing changed."""


def compute(
    jobs: Sequence[LogSettings], folder: Path, *, catalog: Catalog, now: datetime, progress: Progress | None = None
) -> Outcome:
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
    with generation(folder, catalog, lambda name: catalog.of(name).labels) as run:
        for job in jobs:
            told, lines = _one(job, run, now, progress)
            prefix = f"{safe(job.name, 40)}: " if len(jobs) > 1 else ""
            said += [prefix + line for line in lines]
            if told.until is not None:
                newest.append(told.until)
        changed = run.commit()
    said.append(kept(changed, folder))
    return Outcome(tuple(said), max(newest, default=None), changed.models)


def _one(job: LogSettings, run: Generation, now: datetime, progress: Progress | None) -> tuple[Told, list[str]]:
    from modeltop.predictions.engines.base import open_engine
    from modeltop.predictions.queries.aggregate import read
    from modeltop.predictions.schema_inference import inspect

    with open_engine(job.engine) as engine:
        reading = inspect(job.log, engine)
        _check(job, reading)
        work = Work(
            run,
            ends_of(job.log),
            to_stamp(now),
            delay=_delay(job.label_delay),
            cost=Cost(**job.cost) if job.cost else None,
            per_class=job.per_class,
            cuts=_cuts(job, reading),
            references=_references(reading, engine),
        )
        since = None if job.since is None else to_stamp(now - job.since)
        work.classified(read(reading, engine, since=since, progress=progress))
        if reading.features:
            from modeltop.predictions.queries.features import features

            featured(work, features(reading, engine, since=since, progress=progress))
        for model, data in work.pages.files():
            run.put_evidence(model, data)
    return work.told, [*reading.said, *work.told.lines()]


def _check(job: LogSettings, reading: Reading) -> None:
    """Raises UsageError where flags do not go with the task."""
    if job.cost and reading.task is not Task.BINARY:
        raise UsageError(f"a cost of fp and fn needs a binary task, and this log is {reading.task.value}")
    if job.per_class and reading.task is not Task.MULTICLASS:
        raise UsageError(f"--per-class needs several classes, and this log is {reading.task.value}")


def _cuts(job: LogSettings, reading: Reading) -> tuple[str, ...]:
    """What the first part of a run is about: everything but the features, which are read in a pass of their own."""
    columns = () if not job.log.reference else OWN_COLUMNS if reading.features else (FEATURE,)
    return (ALL, *reading.segments, *([CLASS] if job.per_class else []), *columns)


def _references(reading: Reading, engine: Engine) -> References:
    from modeltop.predictions.queries.aggregate import reference

    return References.of(reference(reading, engine), ALL) if reading.log.reference else References()


def _delay(delay: timedelta | None) -> np.timedelta64 | None:
    return None if delay is None else np.timedelta64(delay, "us")


def ends_of(log: Log) -> Ends:
    """When the periods of a log end. Raises SourceError for a period that is none."""
    if log.period.startswith(COLUMN):
        return lambda times, _: of_spans(times)
    size = rows_of(log.period)
    if size is not None:
        return lambda times, rows: of_chunks(times, rows, size)
    end = cache(parse(log.period, log.timezone).end)  # a fleet repeats the same few thousand
    return lambda times, _: np.array([end(time) for time in times], dtype=times.dtype)
