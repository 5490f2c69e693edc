"""What is left open of a log is found out from the log; what was guessed is said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from modeltop.core.errors import SourceError
from modeltop.core.text import sanitize
from modeltop.predictions.engines.base import Engine, fetch
from modeltop.predictions.loading import LoadedLog, load_log
from modeltop.predictions.periods import COLUMN_PREFIX, parse_period, rows_per_period
from modeltop.predictions.profile import with_profile
from modeltop.predictions.schema import Column, ColumnType, Schema, is_number, is_timestamp, text_expr
from modeltop.predictions.schema_guess import (
    MAX_CLASSES,
    guess_column,
    infer_binary_classes,
    infer_positive,
    infer_task,
    natural_order,
)
from modeltop.predictions.spec import ALL_FEATURES, DEFAULT_THRESHOLD, LogSpec, ResolvedLog, Task


def resolve(log: LogSpec, engine: Engine) -> ResolvedLog:
    """Every part of the log, known.

    Raises:
        SourceError: A column is not there or holds something else, or a guess would be one of several.
    """
    found = load_log(log, engine)
    if not any(column.sample for column in found.schema.values()):
        raise SourceError("the log has no rows")
    finder = _ColumnFinder(log, found.schema)
    parts = finder.parts()
    label, prediction = parts["label"], parts["prediction"]
    scores = _scores(log, finder, parts)
    if prediction is None and not scores:
        raise SourceError("the log has neither a prediction nor a score: name the column by --prediction or --score")
    _check_no_score(log, prediction, label)
    task = infer_task(log, prediction, label, scores)
    _check(task, prediction, label, scores)
    _check_threshold(log)
    classes = _classes(log, task, found, engine, (label, prediction), scores)
    reading = ResolvedLog(
        spec=log,
        task=task,
        model=None if parts["model"] is None else parts["model"].name,
        model_name=log.model or found.source.name,
        timestamp=_name(parts["timestamp"]),
        prediction=None if log.threshold is not None and len(scores) == 1 else _name(prediction),
        label=_name(label),
        scores=_by_class(scores, classes, task),
        id=_name(parts["id"]),
        classes=classes,
        threshold=DEFAULT_THRESHOLD if log.threshold is None else log.threshold,
        segments=tuple(finder.column(name, "--segment").name for name in log.segments),
        features=(),
        total_bytes=found.source.total_bytes,
    )
    reading = replace(reading, features=_features(log, reading, finder))
    _check_period(log, reading, finder)
    return with_profile(replace(reading, notes=(*finder.notes, *_notes(log, reading, classes))), engine)


@dataclass(slots=True)
class _ColumnFinder:
    log: LogSpec
    columns: Schema
    notes: list[str]

    def __init__(self, log: LogSpec, columns: Schema) -> None:
        self.log, self.columns, self.notes = log, columns, []

    def column(self, name: str, flag: str) -> Column:
        return self.columns.column(name, flag)

    def parts(self) -> dict[str, Column | None]:
        named = [name for name in (self.log.timestamp, self.log.prediction, self.log.label, self.log.id) if name]
        named += [score.partition("=")[2] or score for score in self.log.scores]
        taken = [*named, *self.log.segments, *self.log.features, self.log.period.removeprefix(COLUMN_PREFIX)]
        found: dict[str, Column | None] = {"model": self._model(taken)}
        for part in ("timestamp", "prediction", "label", "id"):
            found[part] = self._part(part, getattr(self.log, part), taken)
        found["score"] = None if self.log.scores else self._part("score", None, taken)
        return found

    def _part(self, part: str, given: str | None, taken: list[str]) -> Column | None:
        if given is not None:
            return self.column(given, f"--{part}")
        if part == "timestamp" and self.log.start is not None:
            return None
        name = guess_column(part, self.columns, taken)
        if name is None:
            return None
        if name.lower() != part:
            self.notes.append(f"{sanitize(name, 60)} is taken for the {part}")
        return self.columns[name]

    def _model(self, taken: list[str]) -> Column | None:
        name = self.log.model
        if name is None:
            name = guess_column("model", self.columns, taken)
        return None if name is None else self.columns.get(name)


def _name(column: Column | None) -> str | None:
    return None if column is None else column.name


def _scores(log: LogSpec, finder: _ColumnFinder, parts: dict[str, Column | None]) -> dict[str, Column]:
    """Columns by the class that was named with them, else by their own name."""
    if parts["score"] is not None:
        named = {"": parts["score"]}
    else:
        named = {}
        for written in log.scores:
            name, sign, rest = written.partition("=")
            whole = written in finder.columns or not sign
            named[written if whole else name] = finder.column(written if whole else rest, "--score")
        if len(named) == 1 and "=" not in log.scores[0]:
            named = {"": next(iter(named.values()))}
    for column in named.values():
        if column.type is not ColumnType.NUMBER and column.sample:
            example = next((f", such as {sanitize(one, 40)}" for one in column.sample if not is_number(str(one))), "")
            held = f"{column.type.value}{example}"
            raise SourceError(f"--score {sanitize(column.name, 60)} holds {held}, and not numbers from 0 to 1")
    return named


def _check(task: Task, prediction: Column | None, label: Column | None, scores: Mapping[str, Column]) -> None:
    if task is Task.MULTICLASS and prediction is None and len(scores) < 2:
        shown = (
            ""
            if label is None
            else f" {sanitize(label.name, 60)} holds {sanitize(', '.join(list(label.value_counts)[:6]), 120)}:"
        )
        remedy = "name the positive one of two by --positive; of several classes give each --score CLASS=COLUMN"
        raise SourceError(f"one score for several values of the label:{shown} {remedy}, or --prediction")
    for part, column in (("prediction", prediction), ("label", label)):
        if task is Task.REGRESSION and column is not None and column.sample and column.type is not ColumnType.NUMBER:
            raise SourceError(
                f"--{part} {sanitize(column.name, 60)} holds {column.type.value}, and a regression numbers"
            )


def _check_threshold(log: LogSpec) -> None:
    if log.threshold is not None and not 0 <= log.threshold <= 1:
        raise SourceError(f"--threshold {log.threshold:g} is beyond all scores: write a number from 0 to 1")


def _check_no_score(log: LogSpec, prediction: Column | None, label: Column | None) -> None:
    """Raises SourceError where predictions are probabilities: neither yes and no, nor amounts."""
    if prediction is None or prediction.type is not ColumnType.NUMBER or log.task is Task.REGRESSION:
        return
    values = {float(value) for value in prediction.sample}
    between = sum(0 < value < 1 for value in values)
    outcomes = {} if label is None else label.value_counts
    binary = log.task is Task.BINARY or log.positive is not None or (outcomes and infer_positive(outcomes))
    if binary and between > 1 and all(0 <= value <= 1 for value in values):
        raise SourceError(f"{sanitize(prediction.name, 60)} holds numbers between 0 and 1: name it by --score instead")


def _classes(
    log: LogSpec,
    task: Task,
    found: LoadedLog,
    engine: Engine,
    outcomes: tuple[Column | None, Column | None],
    scores: dict[str, Column],
) -> tuple[str, ...]:
    """The values of label and prediction: of a binary task by the first rows, of several classes by all."""
    if task is Task.REGRESSION:
        return ()
    known = [column for column in outcomes if column is not None]
    if task is Task.BINARY:
        counts: dict[str, int] = {}
        for column in known:
            for value, rows in column.value_counts.items():
                counts[value] = counts.get(value, 0) + rows
        return infer_binary_classes(log, sorted(counts, key=lambda one: -counts[one]), next(iter(scores), "") or None)
    return _all_classes(found, engine, known, scores)


def _all_classes(found: LoadedLog, engine: Engine, known: list[Column], scores: dict[str, Column]) -> tuple[str, ...]:
    table, names = found.source.table, set[str]()
    for column in known:
        distinct = fetch(engine, table.select(value=text_expr(table, column)).distinct().limit(MAX_CLASSES + 2))
        values = (value for value in distinct["value"].to_pylist() if value is not None) if len(distinct) else ()
        names |= set(Column(column.name, column.type, column.stored_type, tuple(values)).value_counts)
    if len(names) > MAX_CLASSES:
        raise SourceError(f"there are over {MAX_CLASSES} classes: is it --task regression?")
    if len(scores) > 1 and (strange := names - set(scores)):
        name = sanitize(min(strange), 40)
        raise SourceError(f"the class {name} has no score: give each its own, such as --score '{name}=COLUMN'")
    return natural_order(names | (set(scores) if len(scores) > 1 else set()))


def _by_class(scores: dict[str, Column], classes: tuple[str, ...], task: Task) -> dict[str, str]:
    if task is Task.BINARY and scores:
        return {classes[1]: next(iter(scores.values())).name}
    return {name: column.name for name, column in scores.items()}


def _features(log: LogSpec, reading: ResolvedLog, finder: _ColumnFinder) -> tuple[str, ...]:
    if ALL_FEATURES not in log.features:
        return tuple(finder.column(name, "--feature").name for name in log.features)
    parts = {reading.model, reading.timestamp, reading.prediction, reading.label, reading.id, log.prediction}
    parts |= {*reading.scores.values(), *reading.segments, log.period.removeprefix(COLUMN_PREFIX)}
    parts.add((log.reference or "").partition("=")[0])
    plain = (ColumnType.NUMBER, ColumnType.TEXT, ColumnType.BOOLEAN)
    return tuple(
        name
        for name, column in finder.columns.items()
        if name not in parts and column.type in plain and not name.startswith("modeltop ")
    )


def _check_period(log: LogSpec, reading: ResolvedLog, finder: _ColumnFinder) -> None:
    if log.period.startswith(COLUMN_PREFIX):
        finder.column(log.period.removeprefix(COLUMN_PREFIX), "--period column")
    elif rows_per_period(log.period) is None:
        parse_period(log.period, log.timezone)
    if (log.start is None) != (log.every is None):
        raise SourceError("--start and --every go together: the date of the first period, and their distance")
    if reading.timestamp is None and log.start is None:
        raise SourceError("the log has no column of times that is known: name it by --timestamp")
    if log.start is not None and rows_per_period(log.period) is None and not log.period.startswith(COLUMN_PREFIX):
        raise SourceError("--start needs --period Nrows or column=NAME: without times, rows alone make periods")
    if reading.timestamp is not None:
        _check_time(finder.columns[reading.timestamp])


def _check_time(column: Column) -> None:
    if column.sample and column.type not in (ColumnType.TIMESTAMP, ColumnType.NUMBER):
        example = sanitize(next((one for one in column.sample if not is_timestamp(str(one))), column.sample[0]), 40)
        raise SourceError(
            f"--timestamp {sanitize(column.name, 60)} holds {example}, which is no ISO date: name another"
        )


def _notes(log: LogSpec, reading: ResolvedLog, classes: tuple[str, ...]) -> Iterator[str]:
    if log.task is None:
        yield f"the task is {reading.task.value}"
    if reading.task is Task.BINARY and log.positive is None:
        yield f"{sanitize(classes[1], 40)} is the positive value, {sanitize(classes[0], 40)} the negative one"
    if reading.prediction is None:
        score: Any = next(iter(reading.scores.values()), None)
        if len(reading.scores) == 1 and log.threshold is None:
            yield f"no predictions are there: {sanitize(score, 60)} of {reading.threshold:g} or more is positive"
