"""Roles, task, classes and size of a log, as far as its specification leaves them open, inferred from its rows."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from modeltop.core.errors import SourceError
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.text import format_percent, pluralize, sanitize
from modeltop.history.tables import is_performance_metric
from modeltop.predictions import loading
from modeltop.predictions.classes import MAX_CLASSES, infer_classes, infer_positive, outcome_values, usual_pairs
from modeltop.predictions.engines.base import Engine, Expression, fetch
from modeltop.predictions.loading import LoadedLog, load_log
from modeltop.predictions.periods import is_calendar, parse_period, period_column
from modeltop.predictions.roles import Roles
from modeltop.predictions.schema import (
    Column,
    ColumnType,
    Schema,
    is_timestamp,
)
from modeltop.predictions.spec import ALL_FEATURES, DEFAULT_THRESHOLD, LogSpec, ResolvedLog, Task
from modeltop.predictions.timestamps import find_timestamp_format
from modeltop.predictions.windowing import dictionary_encode

MAX_CANDIDATES = 5
"""Columns that are named as possibly the label."""
Profile = Mapping[str, Any]
"""Counts, minima and maxima by our own names."""
PLAIN_STATISTICS = frozenset(("rows", "models", "first", "last", "at", "ats", "prediction", "predictions"))
"""Statistics that often are plain counts, minima or maxima of stored columns."""


def resolve(spec: LogSpec, engine: Engine) -> ResolvedLog:
    """Return the log with a column for each role, its task and its classes.

    Raises:
        SourceError: A column is missing or holds something else, or an inference would be ambiguous.
    """
    loaded = load_log(spec, engine)
    if not any(column.sample for column in loaded.schema.values()):
        raise SourceError("the log has no rows")
    roles = Roles(spec, loaded.schema)
    roles.find()
    if roles.prediction is None and not roles.scores:
        raise SourceError(_missing_output(spec, loaded.schema))
    task = _infer_task(roles)
    _check_types(task, roles)
    if spec.threshold is not None and not 0 <= spec.threshold <= 1:
        raise SourceError(f"--threshold {spec.threshold:g} is beyond all scores: write a number from 0 to 1")
    if not 0 <= spec.max_bad_rows <= 1:
        raise SourceError(f"--max-bad-rows {spec.max_bad_rows:g} is not a share: write a number from 0 to 1")
    classes, class_values = infer_classes(task, loaded, engine, roles.outcomes, roles.scores, positive=spec.positive)
    if task is Task.BINARY and roles.scores:
        scores = {classes[1]: next(iter(roles.scores.values())).name}
    else:
        scores = {name: column.name for name, column in roles.scores.items()}
    log = ResolvedLog(
        spec=spec,
        task=task,
        model=_name(roles.model),
        model_name=spec.model or loaded.source.name,
        timestamp=_name(roles.timestamp),
        prediction=None if spec.threshold is not None and len(scores) == 1 else _name(roles.prediction),
        label=_name(roles.label),
        scores=scores,
        id=_name(roles.id),
        classes=classes,
        class_values=class_values,
        threshold=DEFAULT_THRESHOLD if spec.threshold is None else spec.threshold,
        segments=tuple(loaded.schema.column(name, "--segment").name for name in spec.segments),
        features=(),
        total_bytes=loaded.source.total_bytes,
        is_recognized=roles.is_inferred,
    )
    log = replace(log, features=_features(log, loaded.schema))
    _check_period(log, loaded.schema)
    if roles.timestamp is not None:
        form = find_timestamp_format(
            loaded.source.table, roles.timestamp, engine, written=spec.timestamp_format, zone=spec.local_time
        )
        log = replace(log, timestamp_format=form)
    return _with_profile(
        replace(log, notes=(*_role_notes(log, roles), *_notes(log), *_label_notes(log, loaded.schema))), engine
    )


def _missing_output(spec: LogSpec, schema: Schema) -> str:
    """Return what to do about a log with neither a prediction nor a score: it may be metric history."""
    metrics = [name for name in schema if is_performance_metric(name, MetricRegistry())]
    columns = sanitize(", ".join(metrics or schema), 200)
    if metrics:
        command = f"modeltop check {' '.join(map(shlex.quote, spec.sources))}"
        return f"these are metrics, not predictions ({columns}): run `{sanitize(command)}`"
    return (
        f"the log has neither a prediction nor a score: name the column by --prediction or --score; there are {columns}"
    )


def _role_notes(log: ResolvedLog, roles: Roles) -> Iterator[str]:
    """Yield the command that names each role, and the columns without one, if any was recognized by its name."""
    if not log.is_recognized:
        return
    flags = {"model": log.model, "timestamp": log.timestamp, "label": log.label, "prediction": log.prediction}
    words = ["modeltop", "compute", *log.spec.sources]
    words += [word for role, name in flags.items() if name is not None for word in (f"--{role}", name)]
    for name, column in log.scores.items():
        words += ["--score", f"{name}={column}" if len(log.scores) > 1 else column]
    if log.task is Task.BINARY:
        words += ["--positive", log.classes[1]]
    yield f"columns recognized: {sanitize(shlex.join(words), 400)}"
    used_names = {column.name for column in roles.columns} | {*log.segments, *log.features}
    unused = [name for name in roles.schema if name not in used_names and not name.startswith("modeltop ")]
    if unused:
        yield f"columns not used: {sanitize(', '.join(unused), 200)}; --segment or --feature uses them"


def _label_notes(log: ResolvedLog, schema: Schema) -> Iterator[str]:
    """Yield that there is no label, what was computed without it, and the columns that may be it."""
    if log.label is not None:
        return
    used = {log.model, log.timestamp, log.prediction, log.id, *log.scores.values(), *log.segments}
    free = [column for name, column in schema.items() if name not in used and column.sample]
    names = [sanitize(column.name, 60) for column in free if _may_be_label(column, log)][:MAX_CANDIDATES]
    remedy = f"try --label {' or '.join(names)}" if names else "name it by --label, or join it by --labels and --id"
    yield f"no label column: computed without the metrics that need labels, such as accuracy; {remedy}"


def _may_be_label(column: Column, log: ResolvedLog) -> bool:
    values = set(column.value_counts)
    if log.task is Task.REGRESSION:
        return column.type is ColumnType.NUMBER and len(values) > MAX_CLASSES
    return values <= set(log.classes) or (infer_positive(values) is not None and len(log.classes) == 2)


def _name(column: Column | None) -> str | None:
    return None if column is None else column.name


def _infer_task(roles: Roles) -> Task:
    """Return the task by the values of label and prediction.

    Raises:
        SourceError: The task is ambiguous: `--task` selects it.
    """
    spec, scores = roles.spec, roles.scores
    if spec.task is not None:
        return spec.task
    if len(scores) > 1:
        return Task.MULTICLASS
    outcomes = [column for column in roles.outcomes if column.sample]
    if spec.positive is not None or (not outcomes and scores):
        return Task.BINARY
    if not outcomes:
        raise SourceError("neither labels nor predictions to infer the task from: give --task")
    if any(column.type is ColumnType.TIMESTAMP for column in outcomes):
        raise SourceError(f"{sanitize(outcomes[0].name, 60)} holds dates, which no task predicts: name another column")
    values = dict.fromkeys(value for column in outcomes for value in outcome_values(column))
    if infer_positive(values) is not None or len(values) == 2 or usual_pairs(outcomes) is not None:
        return Task.BINARY
    if all(column.type is ColumnType.NUMBER for column in outcomes):
        return _infer_numeric_task(values, has_scores=bool(scores))
    if len(values) == 1:
        raise SourceError(f"all rows hold the value {sanitize(next(iter(values)), 40)}: give --task and --positive")
    return Task.MULTICLASS


def _infer_numeric_task(values: Collection[str], *, has_scores: bool) -> Task:
    if any("." in value or "e" in value for value in values):
        # Forecasts of a draw, say 0.5 between 0 and 1, are ties.
        is_binary = has_scores and {"0", "1"} <= set(values) and len(values) <= 5
        return Task.BINARY if is_binary else Task.REGRESSION
    if has_scores:
        return Task.MULTICLASS
    if len(values) > MAX_CLASSES:
        return Task.REGRESSION
    raise SourceError(f"{len(values)} whole numbers may be classes or amounts: give --task multiclass or regression")


def _check_types(task: Task, roles: Roles) -> None:
    label = roles.label
    if task is Task.MULTICLASS and roles.prediction is None and len(roles.scores) < 2:
        values = "" if label is None else sanitize(", ".join(list(label.value_counts)[:6]), 120)
        holds = "" if label is None else f" {sanitize(label.name, 60)} holds {values}:"
        remedy = "name the positive one of two by --positive; of several classes give each --score CLASS=COLUMN"
        raise SourceError(f"one score for several values of the label:{holds} {remedy}, or --prediction")
    for role, column in (("prediction", roles.prediction), ("label", label)):
        if task is Task.REGRESSION and column is not None and column.sample and column.type is not ColumnType.NUMBER:
            raise SourceError(
                f"--{role} {sanitize(column.name, 60)} holds {column.type.value}, and a regression numbers"
            )


def _features(log: ResolvedLog, schema: Schema) -> tuple[str, ...]:
    spec = log.spec
    if ALL_FEATURES not in spec.features:
        return tuple(schema.column(name, "--feature").name for name in spec.features)
    used_names = {log.model, log.timestamp, log.prediction, log.label, log.id, spec.prediction, *log.scores.values()}
    used_names |= {*log.segments, period_column(spec.period), (spec.reference or "").partition("=")[0]}
    return tuple(
        name
        for name, column in schema.items()
        if name not in used_names and column.type is not ColumnType.TIMESTAMP and not name.startswith("modeltop ")
    )


def _check_period(log: ResolvedLog, schema: Schema) -> None:
    spec = log.spec
    if (column := period_column(spec.period)) is not None:
        schema.column(column, "--period column")
    elif is_calendar(spec.period):
        parse_period(spec.period, spec.timezone)
    if (spec.start is None) != (spec.every is None):
        raise SourceError("--start and --every go together: the date of the first period, and their distance")
    if log.timestamp is None and spec.start is None:
        raise SourceError("no timestamp column found: name it by --timestamp")
    if spec.start is not None and is_calendar(spec.period):
        raise SourceError("--start needs --period Nrows or column=NAME: without times, rows alone make periods")


def _notes(log: ResolvedLog) -> Iterator[str]:
    if log.spec.task is None:
        yield f"the task is {log.task.value}"
    for name, values in log.class_values.items():
        if values == log.classes:
            yield f"{sanitize(name, 60)}: case and surrounding blanks do not count"
        else:
            pairs = (f"{own} counts as {class_}" for own, class_ in zip(values, log.classes, strict=True))
            yield f"{sanitize(name, 60)}: {sanitize(', '.join(pairs), 100)}"
    for (until, seconds), (_, following) in pairwise(log.timestamp_format.offsets):
        if following < seconds and until is not None:
            yield f"local times of the hour before {until:%d %b %Y %H:%M} come twice: the first of both is used"
    if log.task is Task.BINARY and log.spec.positive is None:
        yield f"{sanitize(log.classes[1], 40)} is the positive value, {sanitize(log.classes[0], 40)} the negative one"
    if log.prediction is None and len(log.scores) == 1 and log.spec.threshold is None:
        (score,) = log.scores.values()
        yield f"no predictions are there: {sanitize(score, 60)} of {log.threshold:g} or more is positive"


def _with_profile(log: ResolvedLog, engine: Engine) -> ResolvedLog:
    """Return the log with its size, and a note on the rows that are left out.

    Raises:
        SourceError: A column holds values that its role does not allow.
    """
    loaded = load_log(log.spec, engine)
    log = replace(log, clean_columns=frozenset(_zero_or_one_columns(loaded, log, engine)))
    table = loading.canonical_rows(loaded, log, engine)
    profile = _query_profile(engine, table, _queries(table) | _decision_query(table, log))
    if not profile.get("rows"):
        raise SourceError("the log has no rows")
    bad_values = tuple(_bad_value_notes(profile, log, loaded, engine))
    if log.task is not Task.REGRESSION:
        _check_scores(profile, log)
    return replace(
        log,
        first_row_at=_naive(profile.get("first")),
        last_row_at=_naive(profile.get("last")),
        row_count=profile["rows"],
        score_decides=profile.get("decided") == profile["rows"],
        models=() if log.model is None else dictionary_encode(table, engine),
        clean_columns=log.clean_columns | set(_columns_without_nan(profile, log, loaded.schema)),
        notes=(*log.notes, *bad_values, *_exclusion_notes(profile, log), *_source_notes(profile, log, loaded, engine)),
    )


def _query_profile(engine: Engine, table: Expression, queries: dict[str, Expression]) -> Profile:
    """Run the queries; those that the statistics of a file may answer apart, since beside others they are counted."""
    plain = {name: query for name, query in queries.items() if name in PLAIN_STATISTICS or name.endswith(loading.RAW)}
    if not engine.has_file_statistics or len(plain) == len(queries):
        return _row(engine, table.aggregate(**queries))
    others = {name: query for name, query in queries.items() if name not in plain}
    return {**_row(engine, table.aggregate(**plain)), **_row(engine, table.aggregate(**others))}


def _naive(moment: datetime | None) -> datetime | None:
    """Return a moment of UTC without its zone, which some engines give it."""
    return None if moment is None else moment.replace(tzinfo=None)


def _row(engine: Engine, expression: Expression) -> Profile:
    table = fetch(engine, expression)
    return {name: table[name][0].as_py() for name in table.column_names}


def _zero_or_one_columns(loaded: LoadedLog, log: ResolvedLog, engine: Engine) -> Iterator[str]:
    """Yield labels and predictions that are only 0 and 1, as the statistics of a Parquet file show at once."""
    names = [name for name in (log.label, log.prediction) if name is not None and loaded.schema[name].is_integer]
    if log.classes != ("0", "1") or loaded.source.parses_each_read or not names:
        return
    table = loaded.source.table
    queries = {f"{bound} {name}": getattr(table[name], bound)() for name in names for bound in ("min", "max")}
    profile = _row(engine, table.aggregate(**queries))
    for name in names:
        low, high = profile[f"min {name}"], profile[f"max {name}"]
        if low is not None and low >= 0 and high <= 1:
            yield name


def _columns_without_nan(profile: Profile, log: ResolvedLog, schema: Schema) -> Iterator[str]:
    """Yield columns of double precision that can be read as they are stored."""
    columns: list[tuple[str | None, str]] = []
    if len(log.scores) == 1:
        columns.append((next(iter(log.scores.values())), loading.SCORE))
    if log.task is Task.REGRESSION:
        columns += [(log.label, loading.LABEL), (log.prediction, loading.PREDICTION)]
    for name, ours in columns:
        # Statistics of a file leave NaN out, so they are counted.
        if name and schema[name].is_float64 and profile[ours + loading.RAW] == profile[ours]:
            yield name


def _decision_query(table: Expression, log: ResolvedLog) -> dict[str, Expression]:
    """Count rows whose prediction follows from their score, unless the threshold may lie within a bin of scores."""
    if log.task is not Task.BINARY or not log.scores or log.threshold != DEFAULT_THRESHOLD:
        return {}
    is_positive = table[loading.SCORE] >= DEFAULT_THRESHOLD
    agrees = is_positive.notnull() if log.prediction is None else is_positive == (table[loading.PREDICTION] == 1)
    return {"decided": table.count(where=agrees)}


def _queries(table: Expression) -> dict[str, Expression]:
    queries = {"rows": table.count(), "models": table[loading.MODEL].count()}
    for name, count, given in (
        (loading.LABEL, "label", "labels"),
        (loading.AT, "at", "ats"),
        (loading.PREDICTION, "prediction", "predictions"),
        (loading.SCORE, "score", "scores"),
    ):
        if name in table.columns:
            queries |= {count: table[name].count(), given: table[f"{name}_given"].count()}
    if loading.AT in table.columns:
        queries |= {"first": table[loading.AT].min(), "last": table[loading.AT].max()}
    for name in table.columns:
        if name.endswith(loading.RAW):
            queries[name] = table[name].count()
        elif name.startswith("score") and not name.endswith("_given"):
            queries |= {f"{name} low": table[name].min(), f"{name} high": table[name].max()}
    return queries


def _bad_value_notes(profile: Profile, log: ResolvedLog, loaded: LoadedLog, engine: Engine) -> Iterator[str]:
    """Yield which values are skipped because they cannot be read, with examples.

    Raises:
        SourceError: They are too many, or dates in another order than the others.
    """
    is_class = log.task is not Task.REGRESSION
    for role, name, ours, given, kind in (
        ("timestamp", log.timestamp, loading.AT, "ats", "a date"),
        ("score", next(iter(log.scores.values()), None), loading.SCORE, "scores", "a number"),
        ("prediction", log.prediction, loading.PREDICTION, "predictions", "a class" if is_class else "a number"),
        ("label", None if is_class else log.label, loading.LABEL, "labels", "a number"),
    ):
        bad = profile.get(given, 0) - profile.get(ours, 0)
        if name is None or bad <= 0:
            continue
        examples = loading.unreadable_values(loaded, log, engine, ours, name)
        values = f"{pluralize(bad, 'value')} that cannot be read as {kind}"
        text = f"--{role} {sanitize(name, 60)} has {values}, such as {sanitize(', '.join(examples), 120)}"
        if role == "timestamp" and any(map(is_timestamp, examples)):
            raise SourceError(f"{text}: correct them, or name another")
        if bad > log.spec.max_bad_rows * profile["rows"]:
            share = format_percent(log.spec.max_bad_rows)
            raise SourceError(f"{text}: correct them, name another, or skip more than {share} by --max-bad-rows")
        yield f"{text}: skipped"


def _check_scores(profile: Profile, log: ResolvedLog) -> None:
    if len(log.scores) == 1:
        columns = [(loading.SCORE, next(iter(log.scores.values())))]
    else:
        columns = [
            (loading.score_column(index), log.scores[name]) for index, name in enumerate(log.classes) if log.scores
        ]
    for ours, name in columns:
        low, high = profile[f"{ours} low"], profile[f"{ours} high"]
        if low is not None and (low < 0 or high > 1):
            worst = low if low < 0 else high
            raise SourceError(
                f"--score {sanitize(name, 60)} holds {worst:g}, and a score lies within 0 and 1: give probabilities, "
                "or leave the score out"
            )


def _exclusion_notes(profile: Profile, log: ResolvedLog) -> Iterator[str]:
    rows = profile["rows"]
    if log.task is not Task.REGRESSION and (unknown := profile["labels"] - profile["label"]):
        kinds = "neither value" if log.task is Task.BINARY else "none of the classes"
        yield f"{pluralize(unknown, 'row')} with a label that is {kinds} count as unlabeled, such as ties"
    missing = {
        "a prediction": rows - profile.get("predictions", rows),
        "a score": rows - profile.get("scores", rows) if log.prediction is None else 0,
        "a time": rows - profile.get("ats", rows),
        "a model's name": rows - profile["models"],
    }
    for noun, count in missing.items():
        if count:
            yield f"{pluralize(count, 'row')} without {noun} are skipped"


def _source_notes(profile: Profile, log: ResolvedLog, loaded: LoadedLog, engine: Engine) -> Iterator[str]:
    """Yield which files are empty, which rows an id leaves out, and that no id joins the labels of another file."""
    spec, rows, empty = log.spec, profile["rows"], loaded.source.empty
    if empty:
        yield f"{pluralize(len(empty), 'empty file')} skipped, such as {sanitize(empty[0])}"
    if spec.counts_ids_once:
        if repeated := _row(engine, loaded.source.table.aggregate(rows=loaded.source.table.count()))["rows"] - rows:
            verb = "has the id of a newer one and is" if repeated == 1 else "have the id of a newer one and are"
            yield f"{pluralize(repeated, 'row')} {verb} skipped; --keep-duplicates counts each row"
    elif log.id is not None and log.model is None and not spec.keep_duplicates:
        ids = loaded.schema[log.id].sample
        if repeated := len(ids) - len(set(ids)):
            name = sanitize(log.id, 60)
            yield f"{name}: {repeated:,} of the first {len(ids):,} ids repeat; --id {name} counts each once"
    if spec.labels is not None and log.id is not None and not profile["labels"] and loaded.label_ids:
        own, theirs = (
            next((sanitize(value, 40) for value in ids), "none")
            for ids in (loaded.schema[log.id].sample, loaded.label_ids)
        )
        name = sanitize(spec.labels)
        yield f"no row has a label in {name}: the log has ids such as {own}, {name} such as {theirs}; write both alike"
