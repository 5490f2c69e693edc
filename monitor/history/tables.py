"""Tables that are no metric history: prediction logs, feature tables, training logs; and what reads them.

Recognized by the header and the first rows, once: a log that was read as history would be averaged into nonsense.
"""

from __future__ import annotations

import csv
import re
import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import Direction
from modeltop.core.text import redact_credentials
from modeltop.history.csv.dialect import sniff_delimiter
from modeltop.history.csv.layout import step_layout
from modeltop.history.files import PIPED
from modeltop.history.log_columns import (
    COLUMN_ALIASES,
    LABEL_WORDS,
    PREDICTION_WORDS,
    SCORE_WORDS,
    guess_column,
    is_namesake,
    normalize_column,
    words,
)

HEAD_BYTES = 1 << 16
"""First bytes of a file, by which it is recognized."""
MAX_ROWS = 1_000
"""First rows of a table that are looked at."""
MIN_ROWS = 10
"""Rows below which values that differ in each row do not make a column of identifiers."""
MIN_ROWS_PER_DAY = 2.0
"""Rows a day from which a table may hold predictions; a metric history of one model mostly has one."""
MIN_REPEATED = 0.2
"""Share of rows that nothing but numbers tells from another, from which they are no periods."""
MIN_SECONDS = 5
"""Distinct seconds of the minute from which times are those of events, not of a schedule."""
_OUTPUTS = ("prediction", "label", "score")
_BINARY_PAIRS = (("0", "1"), ("-1", "1"), ("false", "true"), ("no", "yes"), ("n", "y"), ("f", "t"))
"""Values of a column that can be nothing but a label."""
_GROUP_IDS = frozenset(("run_id", "model_id", "experiment_id", "deployment_id", "segment_id", "project_id"))
"""Columns that identify a group of rows, not a row."""
STEP_COLUMNS = frozenset(
    ("epoch", "epochs", "step", "steps", "_step", "global_step", "trainer/global_step", "iteration", "iter", "batch")
)
"""Columns of training logs: Lightning, Keras, Hugging Face, Weights & Biases, TensorBoard."""
PREDICTION_LOG = "a prediction log, not metrics"
"""Start of the reason why a log of predictions is no history."""
_HINT = re.compile(
    rb"(?:^|[,;\t|\"])\s*(?:"
    + "|".join(alias for role in _OUTPUTS for alias in COLUMN_ALIASES[role]).replace("_", r"[\s_-]").encode()
    + rb"|[a-z0-9_]*id|[a-z0-9_ -]*(?:scores?|prob|proba|probability|pred|predicted|prediction|decision)"
    + rb"[a-z0-9_ -]*)"
    + rb"\s*(?:$|[,;\t|\"\r])"
)
"""A header with such a column may be that of a log."""


@dataclass(frozen=True)
class Table:
    """The first rows of a table, as text."""

    path: str
    """As a person named it."""
    names: Sequence[str]
    rows: Sequence[Sequence[str]]
    """Each as long as `names`."""

    def role(self, role: str) -> str | None:
        """Return the column with a usual name of a role of a log; None if there is none."""
        return guess_column(role, self.names)

    @cached_property
    def outputs(self) -> dict[str, str]:
        """Columns of a log by role: label, prediction, score; by their words where what may be a label has two values.

        Words alone would take the mean score of a day for a score.
        """
        usual = {role: name for role in _OUTPUTS if (name := self.role(role))}
        named = set(usual.values())
        by_words = {
            role: next((name for name in self.names if name not in named and words(name) & kind), None)
            for role, kind in (("score", SCORE_WORDS), ("prediction", PREDICTION_WORDS))
        }
        found = {role: name for role, name in by_words.items() if name} | usual
        labels = (
            name
            for name in self.names
            if name not in found.values()
            and self.is_binary(name)
            and (words(name) & LABEL_WORDS or any(is_namesake(name, output) for output in found.values()))
        )
        label = usual.get("label") or next(labels, None)
        if label and self.is_binary(label):
            return found | {"label": label}
        return usual if usual.keys() & {"label", "prediction"} else usual | self._amounts()

    def _amounts(self) -> dict[str, str]:
        """Return a predicted and an actual amount that are called alike, if the rows are events and not means."""
        numbers = [name for name in self.names if self.rows and all(map(_is_number, self.column(name)))]
        pairs = (
            {"prediction": prediction, "label": label}
            for prediction in numbers
            if words(prediction) & PREDICTION_WORDS
            for label in numbers
            if label != prediction and words(label) & LABEL_WORDS and is_namesake(label, prediction)
        )
        pair = next(pairs, {})
        return pair if pair and self.has_events() else {}

    def column(self, name: str) -> list[str]:
        """Return the cells of a column."""
        index = list(self.names).index(name)
        return [row[index] for row in self.rows]

    @cached_property
    def timestamp(self) -> str | None:
        """The column of times: by its name, else the first that starts with a date."""
        dated = (name for name in self.names if self.rows and all(map(_is_date, self.column(name)[:5])))
        return self.role("timestamp") or next(dated, None)

    @cached_property
    def id(self) -> str | None:
        """The column that identifies each row."""
        names = (name for name in self.names if re.search(r"(^|_)(uu)?id$", normalize_column(name)))
        own = ((name, self.column(name)) for name in names if normalize_column(name) not in _GROUP_IDS)
        unique = (name for name, cells in own if len(cells) >= MIN_ROWS and len(set(cells)) >= 0.9 * len(cells))
        return next(unique, None)

    @cached_property
    def rows_per_day(self) -> float:
        """Rows a day; infinite without times."""
        if self.timestamp is None:
            return float("inf")
        return len(self.rows) / max(1, len({_day(cell) for cell in self.column(self.timestamp)}))

    def has_events(self) -> bool:
        """Return whether the rows are single events rather than periods."""
        if self.rows_per_day < MIN_ROWS_PER_DAY:
            return False
        if self.id is not None or self.timestamp is None:
            return True
        seconds = (re.search(r":\d\d:(\d\d)", cell) for cell in self.column(self.timestamp))
        return len({match[1] for match in seconds if match}) >= MIN_SECONDS or self._repeated_share() >= MIN_REPEATED

    def _repeated_share(self) -> float:
        """Return the share of rows that time, text, model and segment do not tell apart."""
        telling = ("model", "segment", normalize_column(self.timestamp or ""), *_GROUP_IDS)
        grouping = {i for i, name in enumerate(self.names) if normalize_column(name) in telling}
        keys = {tuple(cell for i, cell in enumerate(row) if i in grouping or not _is_number(cell)) for row in self.rows}
        return 1 - len(keys) / max(1, len(self.rows))

    def step_column(self, names: Sequence[str]) -> str:
        """Return the first of some columns of steps that has one value of each metric a step, else the last."""
        return next((name for name in names if self._has_one_value_each(name)), names[-1])

    def _has_one_value_each(self, step: str) -> bool:
        steps = self.column(step)
        for name in self.names:
            filled = {pair for pair in zip(steps, self.column(name), strict=True) if pair[1].strip()}
            if normalize_column(name) not in STEP_COLUMNS and len(filled) > len({each for each, _ in filled}):
                return False
        return True

    def is_binary(self, name: str) -> bool:
        """Return whether a column holds one of two classes in each row."""
        values = {cell.strip().lower().removesuffix(".0") for cell in self.column(name) if cell.strip()}
        return bool(values) and any(values <= set(pair) for pair in _BINARY_PAIRS)


def read_table(data: bytes, path: str) -> Table | None:
    """Return the first rows of a CSV file in UTF-8; None if it has no header of two columns."""
    text = data[:HEAD_BYTES].decode("utf-8", "replace").lstrip("\ufeff")
    lines = text.splitlines()[: MAX_ROWS + 1]
    if len(data) > HEAD_BYTES:
        del lines[-1:]  # it may be cut off
    try:
        rows = [row for row in csv.reader(lines, delimiter=sniff_delimiter(lines[0] if lines else "")) if row]
    except csv.Error:
        return None
    if not rows or len(rows[0]) < 2 or len({*map(normalize_column, rows[0])}) < len(rows[0]):
        return None
    names = [name.strip() for name in rows[0]]
    return Table(path, names, [row for row in rows[1:] if len(row) == len(names)])


def log_reason(data: bytes, path: str, registry: MetricRegistry) -> str | None:
    """Return why a CSV file with dates is no metric history; None if it is.

    Args:
        data: The file from its start, in UTF-8.
        path: The file, as a person named it.
        registry: The metrics.
    """
    header = data[: data.find(b"\n") + 1].rstrip()[: HEAD_BYTES + 1]
    if not _may_head_a_log(header, registry):
        return None
    table = read_table(data, path)
    return None if table is None else events_reason(table)


@lru_cache(maxsize=64)
def _may_head_a_log(header: bytes, registry: MetricRegistry) -> bool:
    """Return whether the rows must decide; the files of a fleet have few headers."""
    if not _HINT.search(header.lower()):
        return False
    # The header alone decides for most histories: f1_score is as likely as a score.
    head = read_table(header, "")
    return head is not None and not has_metrics(head, registry)


def has_metrics(table: Table, registry: MetricRegistry) -> bool:
    """Return whether a table has a metric that no log of predictions has, or metrics in the long shape."""
    names = {normalize_column(name) for name in table.names}
    outputs = {table.role(role) for role in _OUTPUTS}
    others = (name for name in table.names if name not in outputs)
    return {"metric", "value"} <= names or any(is_performance_metric(name, registry) for name in others)


def lacks_header(names: Collection[str]) -> bool:
    """Return whether the first line of a table is data: it has dates and numbers."""
    return any(map(_is_date, names)) and (any(map(_is_number, names)) or all(map(_is_date, names)))


def suggested_names(cells: Sequence[str]) -> list[str]:
    """Return names for the columns of a table without a header, given its first line.

    >>> suggested_names(["2025-01-31", "churn", "0.95", "1200"])
    ['date', 'model', 'accuracy', 'metric2']
    """
    numbers = [cell for cell in cells if _is_number(cell)]
    metrics = iter(["accuracy", *(f"metric{number}" for number in range(2, len(numbers) + 1))])
    texts = iter(["model", "segment", *(f"text{number}" for number in range(3, len(cells) + 1))])
    dates = iter(["date", *(f"date{number}" for number in range(2, len(cells) + 1))])
    return [next(metrics if _is_number(cell) else dates if _is_date(cell) else texts) for cell in cells]


def is_output(name: str) -> bool:
    """Return whether a column has the name of one that a log of predictions has."""
    return any(guess_column(role, [name]) for role in _OUTPUTS)


def is_performance_metric(name: str, registry: MetricRegistry) -> bool:
    """Return whether a column has the name of a metric that rests on labels, such as accuracy."""
    metric = registry.get(name)
    return metric.needs_labels and metric.better is not Direction.NEITHER


def events_reason(table: Table) -> str | None:
    """Return why the rows of a table are events, not periods, and the command that reads them; None if they are not."""
    label, prediction, score = (table.outputs.get(role) for role in ("label", "prediction", "score"))
    if prediction and (label or table.rows_per_day >= MIN_ROWS_PER_DAY):
        return _log_reason(table)
    if not (table.has_events() or (score and label and table.is_binary(label))):
        return None
    if score:
        return _log_reason(table)
    return _features_reason(table, label)


def _log_reason(table: Table) -> str:
    times = "" if table.timestamp else " (it needs a column of times)"
    return f"{PREDICTION_LOG}: run `{compute_command(table)}`{times}"


def _features_reason(table: Table, label: str | None) -> str | None:
    if not label and not table.id:
        return None
    name = f"a labeled data set (label `{label}`)" if label else "a feature table"
    command = compute_command(table, prediction="COLUMN", features=True)
    return f"{name} without predictions: add the model's predictions as a column, then `{command}`"


def compute_command(table: Table, *, prediction: str | None = None, features: bool = False) -> str:
    """Return the command that computes metric history from a log.

    Args:
        table: The log.
        prediction: Stands for the column of predictions if the log has none.
        features: Whether to measure the drift of all other columns.
    """
    columns = {"timestamp": table.timestamp or "COLUMN"} | {
        role: column for role in ("label", "prediction", "score") if (column := table.outputs.get(role))
    }
    if prediction:
        columns.setdefault("prediction", prediction)
    path = "FILE" if table.path == PIPED else redact_credentials(table.path)
    words = ["modeltop", "compute", path]
    words += [word for role, column in columns.items() for word in (f"--{role}", column)]
    return shlex.join([*words, "--feature", "all"] if features else words)


def training_reason(table: Table) -> str | None:
    """Return that a table without dates is a training log; None if it is not."""
    steps = [name for name in table.names if normalize_column(name) in STEP_COLUMNS]
    if not steps:
        return None
    column = table.step_column(steps)
    flags = step_layout(column, table.column(column)).to_flags()
    command = shlex.join(["modeltop", "check", redact_credentials(table.path), *flags])
    remedy = f"add a column `date`, the day of each row, or `{command}`"
    return f"a training log ({', '.join(steps[:3])}) without dates: {remedy}"


def undated_reason(table: Table, registry: MetricRegistry) -> str | None:
    """Return what a table without dates is; None if it may be metric history that lacks its dates."""
    if reason := training_reason(table):
        return reason
    if lacks_header(table.names):
        return "no header, the first line is data: put the names of the columns above it, such as date,accuracy"
    if has_metrics(table, registry):
        return None
    label, prediction, score = (table.outputs.get(role) for role in ("label", "prediction", "score"))
    if prediction or score:
        return _log_reason(table)
    return _features_reason(table, label)


def _is_date(cell: str) -> bool:
    return re.match(r"\s*\d{4}-\d\d?-\d\d?(?:[ T]|\s*$)", cell) is not None


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*", cell, re.IGNORECASE) is not None


def _day(cell: str) -> str:
    """Return what the times of one day share: the date, of seconds or milliseconds since 1970 the number of the day."""
    if _is_number(cell) and (number := abs(float(cell))) >= 1e8:
        while number >= 1e11:
            number /= 1000
        return str(int(number // 86_400))
    return re.split(r"[ T]", cell.strip(), maxsplit=1)[0]
