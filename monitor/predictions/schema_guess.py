"""What is guessed of a log, where one answer stands out: which column is what, the task, the positive value."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from modeltop.core.errors import SourceError
from modeltop.core.text import sanitize
from modeltop.predictions.schema import Column, ColumnType
from modeltop.predictions.spec import LogSpec, Task

COLUMN_ALIASES = {
    "timestamp": ("timestamp", "time", "datetime", "date", "ds", "predicted_at", "created_at", "event_time"),
    "prediction": ("prediction", "predicted", "y_pred", "pred", "yhat", "y_hat", "predicted_label"),
    "label": ("label", "y_true", "target", "actual", "ground_truth", "outcome", "y"),
    "score": ("score", "y_pred_proba", "y_score", "probability", "proba", "prob", "prediction_score"),
    "id": ("id", "prediction_id", "request_id", "row_id", "uuid"),
    "model": ("model", "model_name", "model_id"),
}
"""Names by part, the likelier first."""
PAIRS = {"1": ("0", "-1"), "true": ("false",), "yes": ("no",), "y": ("n",), "t": ("f",), "positive": ("negative",)}
"""The positive value of a pair, in lower case, and the negative ones it goes with."""
MAX_CLASSES = 200


def guess_column(part: str, columns: Collection[str], taken: Collection[str] = ()) -> str | None:
    """The column that is called as such a part is; None where there is none."""
    folded = {re.sub(r"[\s\-_]+", "_", name.strip().lower()): name for name in columns}
    names = (folded[name] for name in COLUMN_ALIASES[part] if name in folded)
    return next((name for name in names if name not in taken), None)


def infer_task(log: LogSpec, prediction: Column | None, label: Column | None, scores: Collection[str]) -> Task:
    """What the model predicts, by the values of label and prediction.

    Raises:
        SourceError: They may be several things: `--task` tells which.
    """
    if log.task is not None:
        return log.task
    if len(scores) > 1:
        return Task.MULTICLASS
    known = [column for column in (label, prediction) if column is not None and column.sample]
    if log.positive is not None or (not known and scores):
        return Task.BINARY
    if not known:
        raise SourceError("neither labels nor predictions are there to tell the task: give --task")
    if any(column.type is ColumnType.TIMESTAMP for column in known):
        raise SourceError(f"{sanitize(known[0].name, 60)} holds dates, which no task predicts: name another column")
    values = dict.fromkeys(value for column in known for value in column.value_counts)
    pair = infer_positive(values)
    if pair is not None or len(values) == 2:
        return Task.BINARY
    if all(column.type is ColumnType.NUMBER for column in known):
        return _numeric(values, scores)
    if len(values) == 1:
        raise SourceError(f"all rows hold the value {sanitize(next(iter(values)), 40)}: give --task and --positive")
    return Task.MULTICLASS


def _numeric(values: Collection[str], scores: Collection[str]) -> Task:
    if any("." in value or "e" in value for value in values):
        # Forecasts of a draw, say 0.5 between 0 and 1, are ties.
        if scores and {"0", "1"} <= set(values) and len(values) <= 5:
            return Task.BINARY
        return Task.REGRESSION
    if scores:
        return Task.MULTICLASS
    if len(values) > MAX_CLASSES:
        return Task.REGRESSION
    raise SourceError(f"{len(values)} whole numbers may be classes or amounts: give --task multiclass or regression")


def infer_positive(values: Iterable[str]) -> tuple[str, str] | None:
    """Negative and positive value, where they are one of the usual pairs; one of the two may be missing.

    >>> infer_positive(["no", "yes"]), infer_positive(["cat", "dog"]), infer_positive(["0"])
    (('no', 'yes'), None, ('0', '1'))
    """
    folded = {value.lower(): value for value in values}
    for yes, noes in PAIRS.items():
        for no in noes:
            if folded and folded.keys() <= {yes, no}:
                return folded.get(no, no), folded.get(yes, yes)
    return None


def infer_binary_classes(log: LogSpec, values: Collection[str], named: str | None) -> tuple[str, str]:
    """Negative and positive value.

    Args:
        log: What was asked for.
        values: Those that label and prediction hold, the frequent ones first.
        named: The class whose score was named, if it was.

    Raises:
        SourceError: It cannot be told which of them is positive.
    """
    wanted = log.positive if log.positive is not None else named
    if wanted is None:
        pair = infer_positive(values) or infer_positive([value for value in values if value.lower() in ("0", "1")])
        if pair is None:
            shown = sanitize(", ".join(list(values)[:6]), 120)
            raise SourceError(f"the values are {shown}: name the positive one by --positive")
        return pair
    wanted = _as_written(wanted, values)
    others = [value for value in values if value != wanted]
    if values and wanted not in values and len(others) > 1:
        raise SourceError(
            f"--positive {sanitize(wanted, 40)} is no value: there are {sanitize(', '.join(others[:6]), 120)}"
        )
    usual = [value for value in others if value.lower() in PAIRS.get(wanted.lower(), ())]
    if len(others) > 1 and not usual:
        shown = sanitize(", ".join(others[:6]), 120)
        raise SourceError(f"beside {sanitize(wanted, 40)} the values are {shown}: is it --task multiclass?")
    negative = (usual or others or [f"not {wanted}"])[0]
    return negative, wanted


def _as_written(wanted: str, values: Collection[str]) -> str:
    """`1.0` and `True` may be given for `1` and `true`."""
    if wanted in values:
        return wanted
    try:
        number = float(wanted)
    except ValueError:
        return next((value for value in values if value.lower() == wanted.lower()), wanted)
    whole = str(int(number)) if number.is_integer() else repr(number)
    return whole if whole in values else wanted


def natural_order(values: Iterable[str]) -> tuple[str, ...]:
    """Classes in natural order: 2 before 10."""
    return tuple(
        sorted(
            values,
            key=lambda value: [
                (0, int(part), "") if part.isdigit() and part.isascii() else (1, 0, part)
                for part in re.split(r"(\d+)", value)
            ],
        )
    )
