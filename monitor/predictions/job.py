"""From prediction logs to the store: read in batches, compute metrics, stage by model; memory stays flat."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path

import numpy as np

from modeltop.core.errors import UsageError
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import to_datetime64
from modeltop.core.text import redact_credentials, sanitize
from modeltop.history.store.computed import StagedRun, staged_run
from modeltop.history.store.windowing import Windowing
from modeltop.predictions.completeness import ALL, PeriodEnds, chunk_ends, span_ends
from modeltop.predictions.metrics.binary import Cost
from modeltop.predictions.periods import is_calendar, parse_period, period_column, rows_per_period
from modeltop.predictions.progress import Progress, report_progress
from modeltop.predictions.run import CLASS, FEATURE, OWN_COLUMNS, ModelRun, ReferenceStats
from modeltop.predictions.spec import LogSettings, LogSpec, ResolvedLog, Task
from modeltop.predictions.summary import RunSummary, describe_commit

Confirm = Callable[[Sequence[str]], None]
"""A function that raises an error if a person does not agree with the notes on a log."""


@dataclass(frozen=True, slots=True)
class ComputeResult:
    """The messages and the counts of one run of `compute`."""

    messages: tuple[str, ...]
    """Sentences for a person; may quote foreign text."""
    newest: datetime | None
    """Start of the newest period that was computed; None without any."""
    changed_models: int
    """Models whose periods were written; 0 if nothing changed."""


def compute(
    jobs: Sequence[LogSettings],
    folder: Path,
    *,
    catalog: MetricRegistry,
    now: datetime,
    is_backtest: bool = False,
    progress: Progress | None = None,
    confirm: Confirm | None = None,
    overwrites: bool = False,
) -> ComputeResult:
    """Compute the history of logs, of all of them or of none.

    Args:
        jobs: Logs, with the settings for each.
        folder: The store.
        catalog: The metrics.
        now: Moment by which periods have ended and are complete; aware.
        is_backtest: Whether a person gave `now`: later rows say nothing about the clock.
        progress: Called with the progress of reading, from another thread.
        confirm: Called with the notes on a log whose columns were recognized; these are then no messages any more.
        overwrites: Whether periods with fewer rows or labels replace stored ones.

    Raises:
        SourceError: A log cannot be read as specified.
        StoreError: The store cannot be written; it is as it was.
        UsageError: The settings contradict each other.
    """
    messages: list[str] = []
    newest: list[datetime] = []
    kept = 0
    with staged_run(folder, catalog, lambda name: catalog.get(name).needs_labels) as run:
        for job in jobs:
            summary, lines = _compute_log(job, run, now, is_backtest, progress, confirm, overwrites)
            prefix = f"{sanitize(job.name, 40)}: " if len(jobs) > 1 else ""
            messages += [prefix + line for line in lines]
            kept += summary.kept_periods
            if summary.newest_period is not None:
                newest.append(summary.newest_period)
        result = run.commit()
    messages.append(describe_commit(result, folder, kept))
    return ComputeResult(tuple(messages), max(newest, default=None), result.models)


def _compute_log(
    job: LogSettings,
    run: StagedRun,
    now: datetime,
    is_backtest: bool,
    progress: Progress | None,
    confirm: Confirm | None,
    overwrites: bool,
) -> tuple[RunSummary, list[str]]:
    # Late: Ibis and the engines are optional, and slow to import.
    from modeltop.predictions.engines.base import open_engine
    from modeltop.predictions.loading import load_log
    from modeltop.predictions.queries.aggregate import aggregate, aggregate_reference, read_areas
    from modeltop.predictions.queries.features import aggregate_features
    from modeltop.predictions.schema_inference import resolve

    with open_engine(job.engine) as engine:
        load_log(job.spec, engine)
        engine.lock()
        log = resolve(job.spec, engine)
        _check_settings(job, log)
        if confirm is not None and log.is_recognized:
            confirm(log.notes)
            log = replace(log, notes=())
        model_run = ModelRun(
            run,
            period_ends(job.spec),
            to_datetime64(now),
            windowing_of(job.spec),
            _span(log),
            overwrites=overwrites,
            is_backtest=is_backtest,
            delay=None if job.label_delay is None else np.timedelta64(job.label_delay, "us"),
            cost=Cost(**job.cost) if job.cost else None,
            per_class=job.per_class,
            segment_columns=_segment_columns(job, log),
            prediction_feature=next(iter(set(_drifting_columns(job, log)) - set(log.features)), None),
            reference=ReferenceStats.from_batches(aggregate_reference(log, engine)),
        )
        since = None if job.since is None else to_datetime64(now - job.since)
        with report_progress(progress, engine, log, "reading"):
            model_run.areas = read_areas(log, engine, since=since)
            model_run.add_batches(aggregate(log, engine, since=since))
        features = replace(log, features=_drifting_columns(job, log))
        if features.features:
            with report_progress(progress, engine, log, "features"):
                model_run.add_features(aggregate_features(features, engine, since=since))
        for model, data in model_run.distributions.files():
            run.stage_distributions(model, data)
    return model_run.summary, [*log.notes, *_estimate_notes(log), *model_run.summary.lines()]


def _estimate_notes(log: ResolvedLog) -> Iterator[str]:
    """Yield why a log with a reference has no metrics that are estimated without labels."""
    if log.spec.reference is None:
        return
    if log.task is Task.REGRESSION:
        yield "no metric is estimated without labels: that needs the probabilities of classes, not of a regression"
    elif not log.scores:
        yield "no metric is estimated without labels: that needs a score, see --score"
    elif log.task is Task.MULTICLASS and len(log.scores) == 1:
        yield "no metric is estimated without labels: with several classes that needs a --score CLASS=COLUMN for each"


def _check_settings(job: LogSettings, log: ResolvedLog) -> None:
    if job.cost and log.task is not Task.BINARY:
        raise UsageError(f"a cost of fp and fn needs a binary task, and this log is {log.task.value}")
    if job.per_class and log.task is not Task.MULTICLASS:
        raise UsageError(f"--per-class needs several classes, and this log is {log.task.value}")


def _drifting_columns(job: LogSettings, log: ResolvedLog) -> tuple[str, ...]:
    """Return the features, and the predictions of a regression: those of classes are counted in the first pass."""
    is_counted = log.task is not Task.REGRESSION or not job.spec.reference
    own = () if is_counted or log.prediction is None else (log.prediction,)
    return tuple(dict.fromkeys((*log.features, *own)))


def _segment_columns(job: LogSettings, log: ResolvedLog) -> tuple[str, ...]:
    """Return the columns of the first pass: everything but the features, which are read in a pass of their own."""
    columns = () if not job.spec.reference else OWN_COLUMNS if _drifting_columns(job, log) else (FEATURE,)
    return (ALL, *log.segments, *([CLASS] if job.per_class else []), *columns)


def _span(log: ResolvedLog) -> tuple[np.datetime64, np.datetime64] | None:
    if log.first_row_at is None or log.last_row_at is None:
        return None
    return np.datetime64(log.first_row_at, "us"), np.datetime64(log.last_row_at, "us")


def windowing_of(log: LogSpec) -> Windowing:
    """Return how a log is cut into periods.

    Raises:
        SourceError: The period or the zone is none.
    """
    reference, source = redact_credentials(log.reference or ""), redact_credentials(" ".join(log.sources))
    if is_calendar(log.period):
        return Windowing(parse_period(log.period, log.timezone).code, log.timezone, reference, source)
    size = rows_per_period(log.period)
    period = log.period if size is None else f"{size}rows"
    begun = f" from {log.start} every {log.every or 'D'}" if log.start else ""
    return Windowing(period + begun, "", reference, source)


def period_ends(log: LogSpec) -> PeriodEnds:
    """Return the function from starts to ends of the periods of a log.

    Raises:
        SourceError: The period or the zone is none.
    """
    if period_column(log.period) is not None:
        return lambda times, _: span_ends(times)
    size = rows_per_period(log.period)
    if size is not None:
        return lambda times, rows: chunk_ends(times, rows, size)
    end = cache(parse_period(log.period, log.timezone).end)  # a fleet repeats the same few thousand
    return lambda times, _: np.array([end(time) for time in times], dtype=times.dtype)
