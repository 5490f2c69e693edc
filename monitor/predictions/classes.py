"""The classes of a log: the values of label and prediction, and how each column writes them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from modeltop.core.errors import SourceError
from modeltop.core.text import sanitize
from modeltop.predictions.engines.base import Engine, fetch
from modeltop.predictions.loading import LoadedLog
from modeltop.predictions.schema import MISSING_WORDS, Column, ColumnType, as_text, text_expr
from modeltop.predictions.spec import Task

POSITIVE_PAIRS = {
    "1": ("0", "-1"), "true": ("false",), "yes": ("no",), "y": ("n",), "t": ("f",), "positive": ("negative",),
}  # fmt: skip
"""Negative values by the positive one they go with, in lower case."""
MAX_CLASSES = 200
ClassValues = dict[str, tuple[str, ...]]
"""Column → how it writes the classes, where that is otherwise."""


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


def outcome_values(column: Column) -> set[str]:
    """Return the values of a label or prediction, without blanks around them.

    Of a usual pair missing ones, and a header that is repeated between the rows, are left out.
    """
    values = {value.strip() for value in column.value_counts}
    given = {value for value in values if value.lower() not in MISSING_WORDS and value != column.name}
    return given if infer_positive(given) is not None else values


def infer_classes(
    task: Task,
    loaded: LoadedLog,
    engine: Engine,
    outcomes: Sequence[Column],
    scores: Mapping[str, Column],
    *,
    positive: str | None,
) -> tuple[tuple[str, ...], ClassValues]:
    """Return the values of label and prediction: of a binary task by the first rows, of several classes by all.

    Args:
        task: The kind of the predictions.
        loaded: The log.
        engine: The engine that loaded it.
        outcomes: The columns of label and prediction, as far as there are any.
        scores: Columns by class; by the empty name if the class was not named.
        positive: The positive value of a binary task, if a person gave it.

    Raises:
        SourceError: They are ambiguous, too many, or label and prediction have none in common.
    """
    if task is Task.REGRESSION:
        return (), {}
    if task is Task.MULTICLASS:
        return _all_classes(loaded, engine, outcomes, set(scores) if len(scores) > 1 else set())
    outcomes = [column for column in outcomes if column.sample]
    requested = positive if positive is not None else next(iter(scores), "") or None
    values = {value for column in outcomes for value in outcome_values(column)}
    pairs = None if infer_positive(values) is not None else usual_pairs(outcomes, requested)
    if pairs is not None and (requested is None or requested.lower() in map(str.lower, (*pairs[0], *pairs[-1]))):
        if requested is not None and requested.lower() in (pairs[0][0].lower(), pairs[-1][0].lower()):
            pairs = [pair[::-1] for pair in pairs]
        written = zip(outcomes, pairs, strict=True)
        return pairs[0], {
            column.name: pair for column, pair in written if pair != pairs[0] or _is_written_otherwise(column, pair)
        }
    counts = Counter[str]()
    for column in outcomes:
        for value, count in column.value_counts.items():
            counts[value.strip()] += count
    classes = _infer_binary_classes(requested, [value for value, _ in counts.most_common() if value in values])
    _check_have_common({column.name: outcome_values(column) for column in outcomes}, {})
    return classes, {column.name: classes for column in outcomes if _is_written_otherwise(column, classes)}


def usual_pairs(outcomes: Sequence[Column], positive: str | None = None) -> list[tuple[str, str]] | None:
    """Return the pairs of values of label and of prediction, a usual one or, of one column, that of `positive`.

    Returns:
        None if one of them has none.
    """
    usual = [infer_positive(outcome_values(column)) for column in outcomes]
    pairs = [
        pair or _pair_of(outcome_values(column), positive if any(usual) else None)
        for column, pair in zip(outcomes, usual, strict=True)
    ]
    found = [pair for pair in pairs if pair is not None]
    return found if len(found) == len(outcomes) == 2 else None


def _pair_of(values: Collection[str], positive: str | None) -> tuple[str, str] | None:
    """Return a pair of two values of which a person named the positive one."""
    if len(values) != 2 or positive is None:
        return None
    ordered = sorted(values, key=lambda value: value.lower() == positive.lower())
    return (ordered[0], ordered[1]) if ordered[1].lower() == positive.lower() else None


def _is_written_otherwise(column: Column, classes: Collection[str]) -> bool:
    """Return whether values of text are classes but for case and blanks around them."""
    folded = {name.lower() for name in classes}
    others = column.value_counts.keys() - set(classes)
    return column.type is ColumnType.TEXT and any(value.strip().lower() in folded for value in others)


def _all_classes(
    loaded: LoadedLog, engine: Engine, outcomes: Sequence[Column], scored: Collection[str]
) -> tuple[tuple[str, ...], ClassValues]:
    table = loaded.source.table
    names: dict[str, set[str]] = {}
    for column in outcomes:
        distinct = fetch(engine, table.select(value=text_expr(table, column)).distinct().limit(MAX_CLASSES + 2))
        values = distinct["value"].to_pylist() if len(distinct) else []
        names[column.name] = {as_text(value, column.type) for value in values if value is not None}
    found = set[str]().union(*names.values())
    if len(found) > MAX_CLASSES:
        raise SourceError(f"there are over {MAX_CLASSES} classes: is it --task regression?")
    class_values: ClassValues = {}
    if (spelled := _one_spelling(names)) is not None:
        classes = tuple(sorted({spelled[name.strip().lower()] for name in found}.union(scored), key=_natural_key))
        class_values = {name: classes for name, values in names.items() if values - set(classes)}
        found = set(classes)
    _check_have_common(names, class_values)
    if scored and (unscored := found - set(scored)):
        name = sanitize(min(unscored), 40)
        raise SourceError(f"the class {name} has no score: give each its own, such as --score '{name}=COLUMN'")
    return tuple(sorted(found.union(scored), key=_natural_key)), class_values


def _one_spelling(names: Mapping[str, Collection[str]]) -> dict[str, str] | None:
    """Return the first column's spelling of classes by their lower case, if no column writes two that differ by it."""
    folded = [{value.strip().lower(): value for value in values} for values in names.values()]
    if any(len(spelled) < len(values) for spelled, values in zip(folded, names.values(), strict=True)):
        return None
    return {key: value for spelled in reversed(folded) for key, value in spelled.items()}


def _check_have_common(names: Mapping[str, Collection[str]], class_values: ClassValues) -> None:
    """Raise SourceError if label and prediction have no value in common: all rows would count as wrong."""
    if len(names) < 2 or class_values:
        return
    (label, labels), (prediction, predictions) = names.items()
    folded = [{value.lower() for value in values} for values in (labels, predictions)]
    if min(len(labels), len(predictions)) > 1 and not folded[0] & folded[1]:
        first, second = (
            sanitize(", ".join(sorted(values, key=_natural_key)[:4]), 80) for values in (labels, predictions)
        )
        raise SourceError(
            f"--label {sanitize(label, 60)} holds {first} and --prediction {sanitize(prediction, 60)} {second}, which "
            f"have nothing in common: name other columns, write both alike{_positive_hint(labels, predictions)}"
        )


def _positive_hint(*columns: Collection[str]) -> str:
    """Return that naming the positive value is enough, where one of two columns has a usual pair and both have two."""
    pairs = [infer_positive(values) for values in columns]
    is_enough = any(pairs) and all(len(values) == 2 for values in columns)
    return ", or name the positive value of the other by --positive" if is_enough else ""


def _natural_key(name: str) -> list[tuple[int, int, str]]:
    """Return a sort key that puts 2 before 10."""
    parts = re.split(r"(\d+)", name)
    return [(0, int(part), "") if part.isdigit() and part.isascii() else (1, 0, part) for part in parts]


def _infer_binary_classes(positive: str | None, values: Collection[str]) -> tuple[str, str]:
    """Return the negative and the positive value.

    Args:
        positive: The positive value, or the class whose score was named, if a person did.
        values: Values of label and prediction, the frequent ones first.

    Raises:
        SourceError: It is ambiguous which of them is positive.
    """
    if positive is None and not values:
        return "0", "1"
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
