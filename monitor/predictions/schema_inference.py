"""Roles, task, classes and size of a log, as far as its specification leaves them open, inferred from its rows."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from modeltop.core.errors import SourceError
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.text import pluralize, sanitize
from modeltop.history.log_columns import guess_column
from modeltop.history.tables import is_performance_metric
from modeltop.predictions import loading
from modeltop.predictions.engines.base import Engine, Expression, fetch
from modeltop.predictions.loading import LoadedLog, load_log
from modeltop.predictions.periods import is_calendar, parse_period, period_column
from modeltop.predictions.schema import (
    Column,
    ColumnType,
    Schema,
    as_text,
    is_number,
    text_expr,
)
from modeltop.predictions.spec import ALL_FEATURES, DEFAULT_THRESHOLD, LogSpec, ResolvedLog, Task
from modeltop.predictions.timestamps import find_date_order
from modeltop.predictions.windowing import dictionary_encode

POSITIVE_PAIRS = {
    "1": ("0", "-1"), "true": ("false",), "yes": ("no",), "y": ("n",), "t": ("f",), "positive": ("negative",),
}  # fmt: skip
"""Negative values by the positive one they go with, in lower case."""
MAX_CLASSES = 200
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
    roles = _Roles(spec, loaded.schema)
    roles.find()
    if roles.prediction is None and not roles.scores:
        raise SourceError(_missing_output(spec, loaded.schema))
    _check_is_no_score(roles)
    task = _infer_task(roles)
    _check_types(task, roles)
    if spec.threshold is not None and not 0 <= spec.threshold <= 1:
        raise SourceError(f"--threshold {spec.threshold:g} is beyond all scores: write a number from 0 to 1")
    classes = _infer_classes(task, loaded, engine, roles)
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
        threshold=DEFAULT_THRESHOLD if spec.threshold is None else spec.threshold,
        segments=tuple(loaded.schema.column(name, "--segment").name for name in spec.segments),
        features=(),
        total_bytes=loaded.source.total_bytes,
    )
    log = replace(log, features=_features(log, loaded.schema))
    _check_period(log, loaded.schema)
    if roles.timestamp is not None:
        log = replace(log, date_order=find_date_order(loaded.source.table, roles.timestamp, engine))
    return _with_profile(replace(log, notes=(*roles.notes, *_notes(log), *_label_notes(log, loaded.schema))), engine)


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


@dataclass(slots=True)
class _Roles:
    """The columns of a log by role; None if the log has none for it."""

    spec: LogSpec
    schema: Schema
    model: Column | None = None
    timestamp: Column | None = None
    prediction: Column | None = None
    label: Column | None = None
    id: Column | None = None
    scores: dict[str, Column] = field(default_factory=dict)
    """Columns by class; without a class, by the empty name or their own."""
    notes: list[str] = field(default_factory=list)

    def find(self) -> None:
        """Find the column of each role: the named column, else one with a usual name.

        Raises:
            SourceError: A column that is named is missing, or a score holds no numbers.
        """
        spec = self.spec
        named = [name for name in (spec.timestamp, spec.prediction, spec.label, spec.id) if name]
        named += [score.partition("=")[2] or score for score in spec.scores]
        used_names = [*named, *spec.segments, *spec.features, period_column(spec.period) or ""]
        model = guess_column("model", self.schema, used_names) if spec.model is None else spec.model
        self.model = None if model is None else self.schema.get(model)
        if spec.start is None or spec.timestamp is not None:
            self.timestamp = self._find("timestamp", spec.timestamp, used_names)
        self.prediction = self._find("prediction", spec.prediction, used_names)
        self.label = self._find("label", spec.label, used_names)
        self.id = self._find("id", spec.id, used_names)
        score = None if spec.scores else self._find("score", None, used_names)
        self.scores = self._named_scores() if score is None else {"": score}
        for column in self.scores.values():
            if column.type is not ColumnType.NUMBER and column.sample:
                wrong = (value for value in column.sample if not is_number(str(value)))
                example = next((f", such as {sanitize(value, 40)}" for value in wrong), "")
                holds = f"{column.type.value}{example}"
                raise SourceError(f"--score {sanitize(column.name, 60)} holds {holds}, and not numbers from 0 to 1")

    def _find(self, role: str, name: str | None, used_names: list[str]) -> Column | None:
        if name is not None:
            return self.schema.column(name, f"--{role}")
        name = guess_column(role, self.schema, used_names)
        if name is None:
            return None
        if name.lower() != role:
            self.notes.append(f"{sanitize(name, 60)} is used as the {role}")
        return self.schema[name]

    def _named_scores(self) -> dict[str, Column]:
        scores: dict[str, Column] = {}
        for written in self.spec.scores:
            class_, sign, column = written.partition("=")
            if written in self.schema or not sign:  # a column whose name has a `=` is named as it is
                class_ = column = written
            scores[class_] = self.schema.column(column, "--score")
        if len(scores) == 1 and "=" not in self.spec.scores[0]:
            return {"": next(iter(scores.values()))}
        return scores

    @property
    def outcomes(self) -> list[Column]:
        """The columns of label and prediction, as far as there are any."""
        return [column for column in (self.label, self.prediction) if column is not None]


def _name(column: Column | None) -> str | None:
    return None if column is None else column.name


def _infer_task(roles: _Roles) -> Task:
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
    values = dict.fromkeys(value for column in outcomes for value in column.value_counts)
    if infer_positive(values) is not None or len(values) == 2:
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


def _check_types(task: Task, roles: _Roles) -> None:
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


def _check_is_no_score(roles: _Roles) -> None:
    """Raise SourceError if predictions are probabilities: neither classes nor amounts."""
    prediction, spec = roles.prediction, roles.spec
    if prediction is None or prediction.type is not ColumnType.NUMBER or spec.task is Task.REGRESSION:
        return
    values = {float(value) for value in prediction.sample}
    labels = {} if roles.label is None else roles.label.value_counts
    is_binary = spec.task is Task.BINARY or spec.positive is not None or (labels and infer_positive(labels))
    if is_binary and sum(0 < value < 1 for value in values) > 1 and all(0 <= value <= 1 for value in values):
        raise SourceError(f"{sanitize(prediction.name, 60)} holds numbers between 0 and 1: name it by --score instead")


def _infer_classes(task: Task, loaded: LoadedLog, engine: Engine, roles: _Roles) -> tuple[str, ...]:
    """Return the values of label and prediction: of a binary task by the first rows, of several classes by all."""
    if task is Task.REGRESSION:
        return ()
    if task is Task.MULTICLASS:
        return _all_classes(loaded, engine, roles)
    counts = sum((Counter(column.value_counts) for column in roles.outcomes), Counter[str]())
    values = [value for value, _ in counts.most_common()]
    return _infer_binary_classes(roles.spec, values, next(iter(roles.scores), "") or None)


def _all_classes(loaded: LoadedLog, engine: Engine, roles: _Roles) -> tuple[str, ...]:
    table, names, scored = loaded.source.table, set[str](), set(roles.scores) if len(roles.scores) > 1 else set()
    for column in roles.outcomes:
        distinct = fetch(engine, table.select(value=text_expr(table, column)).distinct().limit(MAX_CLASSES + 2))
        values = distinct["value"].to_pylist() if len(distinct) else []
        names |= {as_text(value, column.type) for value in values if value is not None}
    if len(names) > MAX_CLASSES:
        raise SourceError(f"there are over {MAX_CLASSES} classes: is it --task regression?")
    if scored and (unscored := names - scored):
        name = sanitize(min(unscored), 40)
        raise SourceError(f"the class {name} has no score: give each its own, such as --score '{name}=COLUMN'")
    return tuple(sorted(names | scored, key=_natural_key))


def _natural_key(name: str) -> list[tuple[int, int, str]]:
    """Return a sort key that puts 2 before 10."""
    parts = re.split(r"(\d+)", name)
    return [(0, int(part), "") if part.isdigit() and part.isascii() else (1, 0, part) for part in parts]


def infer_positive(values: Iterable[str]) -> tuple[str, str] | None:
    """Return the negative and the positive value of a usual pair; one of the two may be missing.

    >>> infer_positive(["no", "yes"]), infer_positive(["cat", "dog"]), infer_positive(["0"])
    (('no', 'yes'), None, ('0', '1'))
    """
    lowered = {value.lower(): value for value in values}
    for positive, negatives in POSITIVE_PAIRS.items():
        for negative in negatives:
            if lowered and lowered.keys() <= {positive, negative}:
                return lowered.get(negative, negative), lowered.get(positive, positive)
    return None


def _infer_binary_classes(spec: LogSpec, values: Collection[str], scored_class: str | None) -> tuple[str, str]:
    """Return the negative and the positive value.

    Args:
        spec: The specification of the log.
        values: Values of label and prediction, the frequent ones first.
        scored_class: The class whose score was named, if it was.

    Raises:
        SourceError: It is ambiguous which of them is positive.
    """
    positive = spec.positive if spec.positive is not None else scored_class
    if positive is None:
        pair = infer_positive(values) or infer_positive([value for value in values if value in ("0", "1")])
        if pair is None:
            shown = sanitize(", ".join(list(values)[:6]), 120)
            raise SourceError(f"the values are {shown}: name the positive one by --positive")
        return pair
    positive = _as_written(positive, values)
    others = [value for value in values if value != positive]
    shown = sanitize(", ".join(others[:6]), 120)
    if values and positive not in values and len(others) > 1:
        raise SourceError(f"--positive {sanitize(positive, 40)} is not among the values: {shown}")
    usual = [value for value in others if value.lower() in POSITIVE_PAIRS.get(positive.lower(), ())]
    if len(others) > 1 and not usual:
        raise SourceError(f"beside {sanitize(positive, 40)} the values are {shown}: is it --task multiclass?")
    return (usual or others or [f"not {positive}"])[0], positive


def _as_written(positive: str, values: Collection[str]) -> str:
    """Return the value that is meant: `1.0` and `True` may be given for `1` and `true`."""
    if positive in values:
        return positive
    try:
        number = as_text(positive, ColumnType.NUMBER)
    except ValueError:
        return next((value for value in values if value.lower() == positive.lower()), positive)
    return number if number in values else positive


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
    _check_profile(profile, log)
    return replace(
        log,
        first_row_at=_naive(profile.get("first")),
        last_row_at=_naive(profile.get("last")),
        row_count=profile["rows"],
        score_decides=profile.get("decided") == profile["rows"],
        models=() if log.model is None else dictionary_encode(table, engine),
        clean_columns=log.clean_columns | set(_columns_without_nan(profile, log, loaded.schema)),
        notes=(*log.notes, *_exclusion_notes(profile, log)),
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


def _check_profile(profile: Profile, log: ResolvedLog) -> None:
    score = next(iter(log.scores.values()), None)
    for role, name, readable, given, wrong in (
        ("timestamp", log.timestamp, "at", "ats", "no dates"),
        ("score", score, "score", "scores", "no numbers"),
    ):
        if profile.get(given, 0) > profile.get(readable, 0):
            values = pluralize(profile[given] - profile[readable], "value")
            raise SourceError(
                f"--{role} {sanitize(name, 60)} has {values} that are {wrong}: correct them, or name another"
            )
    if log.task is not Task.REGRESSION:
        _check_scores(profile, log)
    elif profile["labels"] > profile["label"]:
        values = pluralize(profile["labels"] - profile["label"], "value")
        raise SourceError(f"--label {sanitize(log.label, 60)} has {values} that are not numbers: correct them")


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
        "a prediction that can be read": rows - profile.get("prediction", rows),
        "a score": rows - profile.get("score", rows) if log.prediction is None else 0,
        "a time": rows - profile.get("at", rows),
        "a model's name": rows - profile["models"],
    }
    for noun, count in missing.items():
        if count:
            yield f"{pluralize(count, 'row')} without {noun} are skipped"
