"""The column of each role of a log: named by a person, else recognized by its name, its type and its values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from modeltop.core.errors import SourceError
from modeltop.core.text import sanitize
from modeltop.history.csv.dates import EPOCH_UNITS
from modeltop.history.log_columns import (
    LABEL_WORDS,
    PREDICTED_AT_WORDS,
    PREDICTION_WORDS,
    SCORE_WORDS,
    TIME_WORDS,
    guess_column,
    is_namesake,
    rest_of_words,
    words,
)
from modeltop.predictions.classes import infer_positive, outcome_values
from modeltop.predictions.periods import period_column
from modeltop.predictions.schema import Column, ColumnType, Schema, is_number
from modeltop.predictions.spec import LogSpec, Task


@dataclass(slots=True)
class Roles:
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
    _candidates: Schema = field(default_factory=Schema)
    """The columns of which roles are found: first those of the rows."""
    is_inferred: bool = False
    """Whether a column was recognized by anything else than the name of its role."""

    def find(self) -> None:
        """Find the column of each role: the named column, else one with a usual name, else by its words and values.

        Raises:
            SourceError: A column that is named is missing, or a score holds no numbers.
        """
        self._candidates = self.schema.logged()
        self._find_among_candidates()
        if self.schema.folder_keys:
            self._candidates = self.schema
            self._find_among_candidates()
        self._check_scores()

    def _find_among_candidates(self) -> None:
        """Find a column for each role that has none yet."""
        spec = self.spec
        model = guess_column("model", self._candidates, self._taken()) if spec.model is None else spec.model
        self.model = self.model or (None if model is None else self.schema.get(model))
        if self.timestamp is None and (spec.start is None or spec.timestamp is not None):
            self.timestamp = self._find("timestamp", spec.timestamp) or self._accept(self._time_columns())
        has_output = self.prediction is not None or bool(self.scores)
        if not has_output:
            self.prediction = self._find("prediction", spec.prediction)
        self.label = self.label or self._find("label", spec.label)
        self.id = self.id or self._find("id", spec.id)
        if not has_output:
            self._find_output_by_values()
        if self.label is None:
            self.label = self._accept(self._with_words(LABEL_WORDS)) or self._accept(self._namesakes())

    def _find_output_by_values(self) -> None:
        self._find_scores()
        if self.prediction is None:
            self.prediction = self._accept(self._with_words(PREDICTION_WORDS))
        self._use_probabilities()

    @property
    def outcomes(self) -> list[Column]:
        """The columns of label and prediction, as far as there are any."""
        return [column for column in (self.label, self.prediction) if column is not None]

    @property
    def columns(self) -> list[Column]:
        """The columns that have a role."""
        named = (self.model, self.timestamp, self.prediction, self.label, self.id, *self.scores.values())
        return [column for column in named if column is not None]

    def _taken(self) -> set[str]:
        """Return the names that have a role, or were named for one."""
        spec = self.spec
        scores = {score.partition("=")[2] or score for score in spec.scores}
        named = {spec.timestamp, spec.prediction, spec.label, spec.id, *scores, *spec.segments, *spec.features}
        named |= {period_column(spec.period), (spec.reference or "").partition("=")[0]}
        return {name for name in named if name} | {column.name for column in self.columns}

    def _free(self) -> Iterator[Column]:
        taken = self._taken()
        return (column for name, column in self._candidates.items() if name not in taken)

    def _find(self, role: str, name: str | None) -> Column | None:
        if name is not None:
            return self.schema.column(name, f"--{role}")
        name = guess_column(role, self._candidates, self._taken())
        if name is None:
            return None
        self.is_inferred |= name.lower() != role
        return self.schema[name]

    def _accept(self, candidates: Iterable[Column]) -> Column | None:
        """Return the only candidate; None if there is none, or several."""
        found = list(candidates)
        if len(found) != 1:
            return None
        self.is_inferred = True
        return found[0]

    def _find_scores(self) -> None:
        if self.spec.scores:
            self.scores = self._named_scores()
        elif (score := self._find("score", None)) is not None:
            self.scores = {"": score}
        else:
            found = [column for column in self._free() if words(column.name) & SCORE_WORDS and may_be_score(column)]
            self.scores = {"": found[0]} if len(found) == 1 else self._class_scores(found)
            self.is_inferred |= bool(self.scores)

    def _class_scores(self, found: list[Column]) -> dict[str, Column]:
        """Return one score a class, if the rest of their names are the values of label or prediction."""
        outcomes = [column for column in self.outcomes if column.sample] or [*self._with_words(LABEL_WORDS)]
        values = {value.lower(): value for column in outcomes for value in outcome_values(column)}
        rests = {"_".join(sorted(rest_of_words(column.name, SCORE_WORDS))): column for column in found}
        scores = {values[rest]: column for rest, column in rests.items() if rest in values}
        pair = infer_positive(values)
        if pair is not None:
            return {"": scores[pair[1]]} if pair[1] in scores else {}
        return scores if len(scores) == len(values) == len(found) else {}

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

    def _use_probabilities(self) -> None:
        """Take predictions that are probabilities of a usual pair of labels for its score."""
        column, spec = self.prediction, self.spec
        if column is None or self.scores or spec.task not in (None, Task.BINARY):
            return
        label = self.label or next(iter(self._with_words(LABEL_WORDS)), None) or next(self._namesakes(), None)
        is_pair = label is not None and infer_positive(outcome_values(label)) is not None
        is_binary = is_pair or spec.positive is not None or spec.task is Task.BINARY
        if is_binary and may_be_score(column) and sum(0 < float(value) < 1 for value in set(column.sample)) > 1:
            self.prediction, self.scores, self.is_inferred = None, {"": column}, True

    def _check_scores(self) -> None:
        for column in self.scores.values():
            if column.type is not ColumnType.NUMBER and column.sample:
                wrong = (value for value in column.sample if not is_number(str(value)))
                example = next((f", such as {sanitize(value, 40)}" for value in wrong), "")
                holds = f"{column.type.value}{example}"
                raise SourceError(f"--score {sanitize(column.name, 60)} holds {holds}, and not numbers from 0 to 1")

    def _time_columns(self) -> list[Column]:
        """Return the columns that may hold the time of a prediction; where several do, those that say so."""
        found = [column for column in self._free() if is_time(column) and not words(column.name) & LABEL_WORDS]
        saying = [column for column in found if words(column.name) & PREDICTED_AT_WORDS]
        return saying if len(found) > 1 else found

    def _with_words(self, role_words: Collection[str]) -> list[Column]:
        """Return the free columns with one of the words in their names that hold neither times nor ids."""
        return [
            column
            for column in self._free()
            if words(column.name) & set(role_words)
            and not words(column.name) & {*TIME_WORDS, *SCORE_WORDS, "id"}
            and column.type is not ColumnType.TIMESTAMP
        ]

    def _namesakes(self) -> Iterator[Column]:
        """Yield free columns that are called like the prediction or the score, as churned is like churn_score."""
        outputs = [column for column in (self.prediction, *self.scores.values()) if column is not None]
        for column in self._free():
            if any(is_namesake(column.name, output.name) and _may_be_outcome(column, output) for output in outputs):
                yield column


def may_be_score(column: Column) -> bool:
    """Return whether a column holds numbers from 0 to 1, and not only these two."""
    if column.type is not ColumnType.NUMBER or not column.sample:
        return False
    try:
        values = {float(value) for value in column.sample}
    except (TypeError, ValueError):
        return False
    return all(0 <= value <= 1 for value in values) and any(0 < value < 1 for value in values)


def is_time(column: Column) -> bool:
    """Return whether a column holds dates, or by its name seconds or the like since 1970."""
    if column.type is not ColumnType.NUMBER:
        return column.type is ColumnType.TIMESTAMP
    if not words(column.name) & TIME_WORDS or not column.sample:
        return False
    try:
        return all(float(value) >= EPOCH_UNITS[0].low for value in column.sample)
    except (TypeError, ValueError):
        return False


def _may_be_outcome(column: Column, output: Column) -> bool:
    """Return whether a column may hold what became of the predictions or scores in another."""
    values, outputs = outcome_values(column), outcome_values(output)
    if may_be_score(output) or infer_positive(outputs) is not None:
        return infer_positive(values) is not None
    if output.type is ColumnType.NUMBER and column.type is ColumnType.NUMBER:
        return True
    return bool(values & outputs)
